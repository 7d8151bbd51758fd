//! What the oracles must know of the sale and of the run.
//!
//! Owns the list, so that a verdict can be checked against the scenario that was played. Refuses to know where the
//! values come from: a system and a plan supply them.

use onsale_booking::Span;

use super::overdue::Lateness;
use super::timer::Promise;

/// What the oracles must know of the sale and the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleSettings {
    /// How many shows there are; numbered from 0.
    pub shows: u32,
    /// How many seats each has; numbered from 0, section by section, row by row.
    pub seats_per_show: u32,
    /// How many seats each section has.
    pub seats_per_section: u32,
    /// How many seats each row has.
    pub seats_per_row: u32,
    /// The most seats that a request may have.
    pub seats_per_request: u8,
    /// How long a hold lasts for its user.
    pub hold: Span,
    /// How much longer the leader keeps it.
    pub grace: Span,
    /// Where clocks may be wrong, how much sooner than its time and grace a hold may end because one
    /// runs too fast; what is left of the grace keeps clients' timers safe. None where all are right.
    pub early: Option<Span>,
    /// How late a hold may end where nothing happens.
    pub lateness: Lateness,
    /// The longest time after which a client whose attempt got no answer asks again.
    pub patience: Span,
    /// How soon after calm the cluster must be live again.
    pub live_bound: Span,
    /// How long an answer may take where nothing is wrong, if all that can be slow on its way is; `None` if the
    /// network or the settings may keep it from coming even then.
    pub slowest_answer: Option<Span>,
    /// By how much the instants of cause and effect may be out of order: the quantum within
    /// which requests share a message.
    pub quantum: Span,
}

impl OracleSettings {
    /// What clients are promised about their holds.
    pub const fn promise(&self) -> Promise {
        Promise { hold: self.hold, grace: self.grace }
    }
}
