//! What `hold` excuses.
//!
//! Owns the bounds, in words. Refuses to judge by them.

use onsale_reports::Oracle;

use crate::excuse::{Excuse, MEASURED};

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Hold,
        excused: "two clients count on one seat at once",
        bound: "quantum",
        beyond: "overlaps_within_the_quantum_are_not_judged",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late",
        bound: "hold + grace + what slow clocks of the plan add + slack: an election, a commit, a second, the quantum",
        beyond: "without_gaps_and_troubles_a_hold_ends_within_the_slack",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late where its log could not commit",
        bound: "the same + the gaps of its log after it was due",
        beyond: "a_gap_excuses_holds_that_fall_due_in_it",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late where faults delayed everything",
        bound: "the same + the troubles after its grant",
        beyond: "a_trouble_after_the_grant_excuses_its_whole_length",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late where a log lost its time",
        bound: "the same, from the instant at which a majority was up again",
        beyond: "a_hold_is_measured_afresh_when_a_log_lost_its_time",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold is refused before time and grace are over, where clocks may be wrong",
        bound: "a fifth of the grace + (hold + grace) × n ÷ (n + d) for each clock that gains n in d",
        beyond: "time_that_a_client_believed_of_a_clock_ahead_is_not_promised_twice",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a client is told another expiry than the journal has, by true clocks",
        bound: "from the later of the recorded expiry and first attempt + hold, to answer + hold; each ± quantum",
        beyond: "a_microsecond_beyond_the_quantum_is_judged",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold that nobody asked for is taken for one that somebody asked for",
        bound: "the false positives of the filter of requests: 3 % with five million of them",
        beyond: MEASURED,
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "what a client is told about a hold is recorded late",
        bound: "first on a disk by answer + quantum",
        beyond: "a_microsecond_beyond_the_quantum_is_judged",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "what a client is told about a hold was never recorded",
        bound: "from the 65,536th ended hold on that others followed on its seats: the oldest are forgotten",
        beyond: "a_told_hold_without_a_record_is_excused_once_records_of_ended_holds_are_forgotten",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends or is refused before its time is over",
        bound: "expiry − quantum for its record; expiry + grace − quantum for an answer",
        beyond: "a_microsecond_beyond_the_quantum_is_judged",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold is called lost as its grant is under way",
        bound: "first attempt ≤ the grant's record first on a disk + quantum",
        beyond: "a_microsecond_beyond_the_quantum_is_judged",
    },
];
