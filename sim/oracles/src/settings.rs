//! The oracles' settings: facts about the sale and the run.
//!
//! Owns the list, so that a verdict can be checked against the scenario. Refuses to know where the values come from: a
//! system and a plan supply them.

use onsale_booking::Span;

use super::interruptions::Load;
use super::overdue::Lateness;
use super::timer::Promise;

/// Facts about the sale and the run that the oracles judge by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleSettings {
    /// Number of shows, numbered from 0.
    pub shows: u32,
    /// Seats per show, numbered from 0, section by section, row by row.
    pub seats_per_show: u32,
    /// Seats per section, at least 1.
    pub seats_per_section: u32,
    /// Seats per row, at least 1.
    pub seats_per_row: u32,
    /// Upper bound of seats in a request.
    pub seats_per_request: u8,
    /// Length of a hold for its user.
    pub hold: Span,
    /// Time for which the leader keeps a hold beyond its length.
    pub grace: Span,
    /// Time for which an ended hold is remembered, so that a late repetition of its request is not executed again.
    pub remember: Span,
    /// Time by which a hold may end before its time and grace because a clock is too fast; the rest of the grace keeps
    /// clients' timers safe. `None` if all clocks are true.
    pub early: Option<Span>,
    /// Lateness allowed to the end of a hold without gaps and troubles.
    pub lateness: Lateness,
    /// Longest time after which a client retries an unanswered attempt.
    pub patience: Span,
    /// By show: the log of its records; a show beyond the list is in log 0.
    pub log_of: Vec<u32>,
    /// Time from the end of an [interruption](super::interruptions)'s cause until requests must be answered again.
    pub recovery: Span,
    /// Time from the stop of a gateway until no client asks it any more.
    pub unseen: Span,
    /// The load under which requests may stay unanswered.
    pub load: Load,
    /// Time after calm within which everything that a system's own judges demand must have ended.
    pub live_bound: Span,
    /// Longest time that an answer may take without faults, if every step on its way is slow; `None` if the settings
    /// may lose it even then.
    pub slowest_answer: Option<Span>,
    /// Time within which a request is answered that no interruption touches; `None` if the settings or the network bound
    /// none.
    pub answers_within: Option<Span>,
    /// Time from a hold's due instant within which its log's only writer has ended it, on a disk; `None` if the settings
    /// bound none.
    pub expires_within: Option<Span>,
    /// The longest time for which an attempt of a client may be under way at a gateway, ways included.
    pub flight: Span,
    /// Requests about one log at which a gateway answers *overloaded*.
    pub in_flight_per_log: u32,
    /// Whether the network may deliver a message twice.
    pub duplicates: bool,
    /// Requests, in a thousand million, that a network which loses messages even without faults may leave unanswered.
    pub lost_ppb: u64,
    /// Whether an operator may recover a log of which a majority of the copies is lost for good: then all records are
    /// kept, to take back those that the recovery gives up.
    pub may_recover: bool,
    /// Time by which the instants of cause and effect may be out of order: the batching quantum, within
    /// which requests share a message.
    pub quantum: Span,
}

impl OracleSettings {
    /// A small sale, as tests judge it: 2 shows with 2 sections of 4 rows of 5 seats, holds of 5 minutes and 5 seconds,
    /// true clocks, and 10 s to recover.
    pub const fn example() -> Self {
        let (hold, grace) = (Span::from_secs(300), Span::from_secs(5));
        Self {
            shows: 2,
            seats_per_show: 40,
            seats_per_section: 20,
            seats_per_row: 5,
            seats_per_request: 4,
            hold,
            grace,
            remember: Span::from_secs(900),
            early: None,
            lateness: Lateness { lasts: Span::from_secs(305), slack: Span::from_secs(4) },
            slowest_answer: Some(Span::from_secs(1)),
            answers_within: None,
            expires_within: None,
            flight: Span::from_secs(10),
            in_flight_per_log: 2,
            duplicates: false,
            lost_ppb: 0,
            patience: Span::ZERO,
            log_of: Vec::new(),
            recovery: Span::from_secs(10),
            unseen: Span::from_secs(4),
            load: Load { work: Span::ZERO, wait: Span::from_secs(1) },
            live_bound: Span::from_secs(10),
            may_recover: false,
            quantum: Span::ZERO,
        }
    }

    /// The most replies to one attempt: two copies of it, and two of each reply, if the network may duplicate.
    #[inline]
    pub(super) const fn copies(&self) -> u64 {
        if self.duplicates { 4 } else { 1 }
    }

    /// The promise to clients about their holds.
    pub const fn promise(&self) -> Promise {
        Promise { hold: self.hold, grace: self.grace }
    }
}
