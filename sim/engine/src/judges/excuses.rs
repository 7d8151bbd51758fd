//! What the judges of the replicated cluster excuse, and what systems declare to the oracles.
//!
//! Owns the bounds, in words; those of facts stand beside their judge. Refuses to judge by them.

use onsale_oracles::Excuse;
use onsale_reports::Oracle;

/// The deviations that systems declare for `hold` and `live`: the causes of gaps, troubles and interruptions.
pub(super) const AVAILABILITY: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late after the end of a replica's process",
        bound: "a gap of its log: one election, if the hold falls due in it",
        beyond: "a_crash_excuses_one_election_and_only_if_the_hold_is_due",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late as no majority of the replicas is up and has heard the time",
        bound: "measured afresh from an election after there is one",
        beyond: "without_a_majority_a_hold_is_measured_afresh_once_there_is_one",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late under faults other than ends of processes and wrong clocks, and under moves",
        bound: "a trouble: their union and an election",
        beyond: "a_fault_excuses_its_duration_and_an_election",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late as a replica whose disk lost promises abstains",
        bound: "until all replicas have been up for an election",
        beyond: "after_a_disk_lost_promises_a_crash_may_cost_the_majority",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "requests stay unanswered after the end of a replica's process",
        bound: "an interruption of its shard from the strike, while a majority of the replicas runs; + recovery",
        beyond: "while_a_majority_is_left_clients_are_answered_soon_after_the_strike",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "requests stay unanswered as gateways refuse their clients",
        bound: "an interruption of everything while no more than half of the nodes run, or fewer than `static-quorum`",
        beyond: "a_minority_of_the_nodes_may_refuse_its_clients",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold ends late, or a request is unanswered, as the only process is down and reads its log back",
        bound: "until its start + (`recover-mib` + a MiB at the disk's bandwidth) × MiB on the disk + the longest sync",
        beyond: "a_process_that_has_read_its_log_back_ends_holds_in_time",
    },
];

/// The deviations of moves that `live` excuses.
pub(super) const MOVES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Live,
        excused: "a move has not ended, or a shard is not where the map places it",
        bound: "`calm` from calm or from the plan of the move; always where the settings keep moves from ending",
        beyond: "after_calm_moves_end",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "a node told to leave has not left",
        bound: "`calm` from the last change of the map; always if no more nodes stay than a shard has replicas",
        beyond: "after_calm_nodes_told_to_leave_have_left",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "a step of a move makes a shard depend on a zone",
        bound: "if it did before the step, or the staying nodes of a version span fewer zones than a shard has replicas",
        beyond: "no_step_of_a_move_makes_a_shard_depend_on_a_zone",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "the map changes after calm",
        bound: "shards × (1 + wishes) versions, the last by the later of calm and the last wish + recovery × (1 + shards ÷ nodes)",
        beyond: "after_calm_the_map_comes_to_rest",
    },
];

/// The deviations that `durable` and `raft` excuse.
pub(super) const DURABLE: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Durable,
        excused: "a word contradicts what its sender's disk had held",
        bound: "only what the disk had lost when its process started",
        beyond: "a_disk_that_lost_what_it_had_said_is_not_held_against_its_node",
    },
    Excuse {
        oracle: Oracle::Durable,
        excused: "a vote or an acknowledgement is not on its sender's disk",
        bound: "once the disk knows a later epoch; two votes of one epoch are seen even then",
        beyond: "two_votes_of_an_epoch_are_seen_though_neither_was_written",
    },
    Excuse {
        oracle: Oracle::Durable,
        excused: "a commit that no quorum of the committed members covers",
        bound: "a quorum of the members before the last committed change, or by a change that is on a disk",
        beyond: "a_quorum_is_one_of_the_members_before_a_change_or_after_it",
    },
    Excuse {
        oracle: Oracle::Raft,
        excused: "a later leader lacks a record that an earlier one tells to be committed",
        bound: "only records that no word or disk said to be committed when its epoch began",
        beyond: "a_leader_lacks_what_an_earlier_one_commits_later",
    },
];
