//! The cuts of one directed link: while one is in force nothing passes, and what was in flight is lost.
//!
//! Owns how many are in force, and when the latest ended: a message on its way at any instant of a cut never arrives.
//! Refuses to know which faults cut the link now.

use onsale_booking::Instant;

/// The cuts of one link.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cuts {
    /// Number of faults that cut it now.
    in_force: u16,
    /// The latest instant at which it was cut, and the fault that cut it.
    severed: Option<(Instant, usize)>,
}

impl Cuts {
    /// Whether the link is cut now.
    #[inline(always)]
    pub(super) const fn is_cut(&self) -> bool {
        self.in_force > 0
    }

    /// Whether a message that left at `sent` was lost: the link is or was cut since.
    #[inline(always)]
    pub(super) fn severed_since(&self, sent: Instant) -> bool {
        self.is_cut() || self.severed.is_some_and(|(cut, _)| cut >= sent)
    }

    /// One more fault cuts the link.
    pub(super) fn begin(&mut self) {
        self.in_force += 1;
    }

    /// A fault's cut ends. Messages in flight stay lost.
    pub(super) fn end(&mut self, now: Instant, fault: usize) {
        self.in_force -= 1;
        self.severed = Some((now, fault));
    }

    /// The fault whose cut ended last, if one did.
    pub(super) fn last_fault(&self) -> Option<usize> {
        self.severed.map(|(_, fault)| fault)
    }
}
