//! The scenario's limits on waits, in the oracle's terms.
//!
//! Owns the translation. Refuses to measure.

use onsale_oracles::latency::{ALL_OF_THEM, Limit};
use onsale_reports::{Operation, Window};
use onsale_scenarios::{Figure, Part, Wait};

/// The oracle's limit for each limit of a scenario.
pub(super) fn held_against(limits: &[onsale_scenarios::Limit]) -> Vec<Limit> {
    let translate = |limit: &onsale_scenarios::Limit| Limit {
        text: limit.to_string(),
        operation: operation(limit.wait),
        window: window(limit.part),
        share: match limit.figure {
            Figure::Max => ALL_OF_THEM,
            Figure::Percentile(thousandths) => thousandths,
        },
        below: limit.below,
    };
    limits.iter().map(translate).collect()
}

const fn operation(wait: Wait) -> Operation {
    match wait {
        Wait::Queue => Operation::Queue,
        Wait::Hold => Operation::Hold,
        Wait::Confirm => Operation::Confirm,
        Wait::Release => Operation::Release,
        Wait::Purchase => Operation::Purchase,
    }
}

const fn window(part: Part) -> Window {
    match part {
        Part::Whole => Window::Whole,
        Part::InFaults => Window::InFaults,
        Part::OutsideFaults => Window::OutsideFaults,
    }
}
