//! Faults of machines' clocks.
//!
//! Owns these families: their keys and bounds. Refuses to know how a clock runs.

use onsale_booking::Span;

use super::declare::faults;
use super::{Family, Fault, Group, Site, Target, Trouble};
use crate::ratio::Ratio;
use crate::setting::{Checks, DAY};

faults! {
    /// A fault of one node's clock.
    pub enum ClockFault in clock_keys {
        /// A node's clock runs too fast or too slowly until it is set right.
        ClockDrift for lasts {
            /// The node.
            node: Target;
            /// Rate by which it gains or loses time, above 0 and up to 50%.
            by: Ratio;
            /// Whether it runs too slowly, instead of too fast.
            slow: bool = false, chosen;
        }
        /// A node's wall clock is wrong until it is set right. A running process is not affected; a process that starts
        /// takes over the wrong time.
        ClockJump for lasts {
            /// The node.
            node: Target;
            /// Size of the jump.
            by: Span, in Span(1)..=DAY;
            /// Whether it jumps back, instead of ahead.
            back: bool = false, chosen;
        }
    }
}

impl ClockFault {
    /// Error of the clock after the fault has lasted for this span.
    pub const fn wrong_by(&self, lasts: Span) -> Span {
        match self {
            Self::ClockDrift { by, .. } => Span(by.of(lasts.0)),
            Self::ClockJump { by, .. } => *by,
        }
    }
}

impl Group for ClockFault {
    fn trouble(&self) -> Option<Trouble> {
        None
    }

    fn check(&self, site: &Site<'_>, checks: &mut Checks) {
        match self {
            Self::ClockDrift { node, by, .. } => {
                site.target(checks, "node", *node);
                let by_half = by.den > 0 && u64::from(by.num) * 2 <= u64::from(by.den);
                checks.that(!by.is_never() && by_half, &site.key("by"), || {
                    (
                        format!("a clock does not drift by {by}"),
                        "write a share above 0 and up to `50%`, such as `1/1000`".into(),
                    )
                });
            }
            Self::ClockJump { node, .. } => site.target(checks, "node", *node),
        }
    }

    fn simpler(&self, _fault: &Fault, _nodes: u16, _zones: u16) -> Vec<Fault> {
        Vec::new()
    }

    fn jump(&mut self) -> Option<&mut Span> {
        if let Self::ClockJump { by, .. } = self { Some(by) } else { None }
    }

    fn each_target(&mut self, visit: &mut dyn FnMut(&mut Target)) {
        let (Self::ClockDrift { node, .. } | Self::ClockJump { node, .. }) = self;
        visit(node);
    }
}
