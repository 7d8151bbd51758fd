//! What `facts` excuses.
//!
//! Owns the bounds, in words. Refuses to judge by them.

use onsale_oracles::Excuse;
use onsale_reports::Oracle;

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Facts,
        excused: "a fact is unknown after an acknowledged deletion, also one acknowledged after its client gave up",
        bound: "stamp of the deletion ≥ the version's, and + `deletions-last` ≤ answer + clocks apart",
        beyond: "a_deletion_excuses_an_unknown_fact_only_once_its_tombstone_may_be_dropped",
    },
    Excuse {
        oracle: Oracle::Facts,
        excused: "a fact is unknown after a deletion that was never acknowledged",
        bound: "latest execution + clocks apart + accepted drift ≥ the version's stamp, and later of that stamp and asked − clocks apart, + `deletions-last` ≤ answer + clocks apart; executed by asked + the slowest answer, which has the patience + the work of everybody's attempts, or that and recovery after the faults that touch it",
        beyond: "an_unanswered_deletion_excuses_versions_that_it_may_have_deleted",
    },
    Excuse {
        oracle: Oracle::Facts,
        excused: "nodes do not agree, or do not answer",
        bound: "calm + `agree-within` + clocks apart beyond the accepted drift, and a 32nd of it",
        beyond: "silence_is_a_failure_only_after_calm",
    },
    Excuse {
        oracle: Oracle::Facts,
        excused: "a node is behind a session with a new version",
        bound: "first told + clocks apart beyond the accepted drift",
        beyond: "a_session_with_a_new_version_may_be_sent_away_while_clocks_explain_it",
    },
    Excuse {
        oracle: Oracle::Facts,
        excused: "a version that was lost with all its disks is unknown",
        bound: "until a node tells it again; no other disk has it, no other node has told it",
        beyond: "a_version_known_elsewhere_or_not_lost_must_not_vanish",
    },
    Excuse {
        oracle: Oracle::Facts,
        excused: "a node is behind a session with a lost version",
        bound: "its writer: recovery after the last fault + three repair rounds; others: the writer's next answer to a session with it + the time to agree",
        beyond: "a_lost_version_excuses_its_writer_for_three_rounds_and_others_until_it_is_written_off",
    },
    Excuse {
        oracle: Oracle::Facts,
        excused: "questions stay unanswered",
        bound: "always, on networks that lose messages without faults and on cores that do not keep up",
        beyond: "silence_is_excused_on_lossy_networks_and_being_behind_on_slow_ones",
    },
];
