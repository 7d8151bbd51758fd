//! What only the simulator knows about a run, as plain data.
//!
//! Owns the vocabulary of verdicts, faults and outcomes. Computes nothing from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::documented::documented;

/// An oracle's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check passed.
    Pass,
    /// A check failed.
    Fail,
    /// There was nothing to check, which is not a pass.
    NotExercised,
}

documented! {
    /// The evidence of an oracle's failure.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Evidence {
        /// One sentence: which promise broke, for which seat or user.
        pub headline: String,
        /// Names of the broken rules, in the order in which they broke.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub rules: Vec<String>,
        /// The story, one event a line.
        pub details: Vec<String>,
        /// Subjects of the failure, as `replay --follow` takes them, the most informative first.
        pub follow: Vec<String>,
        /// Virtual time at which it was found, in microseconds; no value if it was found at the end of the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub found_us: Option<u64>,
    }
}

/// One oracle's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OracleResult {
    /// Its name, as scenarios spell it.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Number of checks made.
    pub checked: u64,
    /// The evidence, if it failed.
    pub evidence: Option<Evidence>,
}

documented! {
    /// What a fault touched. A fault that touched nothing proves nothing.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Touched {
        /// Messages that it lost, delayed, duplicated or reordered, or that were sent to a process that it had stopped;
        /// without heartbeats, which are sent all the time.
        pub messages: u64,
        /// Writes that it slowed, failed, refused, tore, lost or damaged.
        pub writes: u64,
        /// Turns of processes that it delayed or slowed, or whose clock it made wrong, and processes that it told to
        /// stop, leave or join.
        pub turns: u64,
    }
}

impl Touched {
    /// Whether it touched nothing.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl std::iter::Sum for Touched {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            messages: sum.messages + one.messages,
            writes: sum.writes + one.writes,
            turns: sum.turns + one.turns,
        })
    }
}

documented! {
    /// An outage: a time in which a shard had no leader.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct OutageResult {
        /// The shard, as in `s3`.
        pub shard: String,
        /// Start of the outage, in virtual seconds.
        pub from_s: f64,
        /// End of the outage, in virtual seconds; no value if it lasts to the end of the run.
        pub to_s: Option<f64>,
        /// Its duration, in milliseconds.
        pub lasted_ms: f64,
        /// The number of the fault in the plan that took the leader away, if one did.
        pub fault: Option<usize>,
        /// The cause, in words.
        pub why: String,
    }
}

documented! {
    /// All outages: times in which a shard had no leader, whatever their cause and duration.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Outages {
        /// Their number.
        pub count: u64,
        /// Number of shards concerned.
        pub shards: u64,
        /// Sum of their durations, in seconds.
        pub total_s: f64,
        /// Number of outages that lasted to the end of the run.
        pub open: u64,
        /// The longest outages, the longest first, at most 100.
        pub longest: Vec<OutageResult>,
    }
}

impl Outages {
    /// Number of outages listed one by one.
    pub const LISTED: usize = 100;
}

documented! {
    /// One fault and its effects.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct FaultResult {
        /// Its number in the plan.
        pub index: usize,
        /// Its kind, as scenarios spell it.
        pub kind: String,
        /// Its description: `crash of n2, the leader of show0`.
        pub what: String,
        /// Instant at which it struck, in virtual seconds.
        pub at_s: f64,
        /// Instant at which it healed, in virtual seconds; no value if it lasted to the end.
        pub healed_s: Option<f64>,
        /// What the shard that its moment was about, else the hot show's, was doing when it struck: `replicating`,
        /// `electing` and so on; empty if it never struck.
        pub phase: String,
        /// The moment that it waited for; no value if it waited for none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub moment: Option<MomentResult>,
        /// What it touched.
        pub touched: Touched,
        /// Number of shards that lost their leader.
        pub shards_lost_leader: u32,
        /// Longest time from the strike to the next leader's first commit, over those shards; no value if no shard lost
        /// its leader, or if one never committed again.
        pub recovery_ms: Option<f64>,
        /// The failover of the hot show; no value if it kept its leader.
        pub failover: Option<FailoverResult>,
        /// Lead transfers during the fault; no value if there were none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lead_transfers: Option<TransferTimes>,
        /// Rare paths that were taken from its strike until the next fault struck, by mark.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub marks: Vec<String>,
    }
}

documented! {
    /// The moment that a fault waited for.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct MomentResult {
        /// Its name, as scenarios spell it.
        pub name: String,
        /// The node at which it came; no value if it never came: then the fault did not strike, and its instant is
        /// the one at which it gave up waiting.
        pub node: Option<String>,
    }
}

impl FaultResult {
    /// Whether it struck, rather than waited in vain for its moment.
    pub fn struck(&self) -> bool {
        self.moment.as_ref().is_none_or(|moment| moment.node.is_some())
    }
}

documented! {
    /// Durations of lead transfers: from the old leader's last admission to the new one's first commit.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct TransferTimes {
        /// Their number.
        pub shards: u32,
        /// Their median, in milliseconds.
        pub median_ms: f64,
        /// The longest, in milliseconds.
        pub max_ms: f64,
        /// The longest of the hot show's shard, in milliseconds, if it was among them.
        pub hot_ms: Option<f64>,
    }
}

documented! {
    /// Lead transfers without a fault; no value if there were none.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct LeadTransfers {
        /// Number of transfers to nodes nearer to the venues.
        pub near_venue: Option<TransferTimes>,
        /// Number of transfers to nodes with less load.
        pub by_load: Option<TransferTimes>,
    }
}

impl LeadTransfers {
    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.near_venue.is_none() && self.by_load.is_none()
    }
}

documented! {
    /// Times from a fault's strike to each step of the hot show's failover, in milliseconds; no value if the step never
    /// came or was not needed: a restarting leader is replaced without suspicion.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    pub struct FailoverResult {
        /// Until another node suspected the leader.
        pub suspected_ms: Option<f64>,
        /// Until the next leader was elected.
        pub elected_ms: Option<f64>,
        /// Until the first record of the next leader's epoch was committed: from then on it serves.
        pub serving_ms: Option<f64>,
    }
}

documented! {
    /// The state at the instant at which a run was stopped on purpose.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Stopped {
        /// The instant, in virtual seconds.
        pub at_s: f64,
        /// State of each node, and the number of shards that it led to its own knowledge.
        pub nodes: Vec<String>,
        /// Number of requests that waited for an answer.
        pub waiting: u64,
        /// The request that waited longest.
        pub waits_longest: Option<String>,
    }
}

documented! {
    /// Results of the replicated facts, their readers and writers.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct FactsResult {
        /// Number of facts written.
        pub facts: u64,
        /// Writes acknowledged.
        pub writes: u64,
        /// Reads answered.
        pub reads: u64,
        /// Questions answered with "I am behind".
        pub behind: u64,
        /// Sessions started over because every node was behind what they had seen.
        pub started_over: u64,
        /// Acknowledged writes that existed only on a lost disk.
        pub lost_with_disks: u64,
        /// Questions without an answer in time.
        pub unanswered: u64,
        /// Time from the last fault's healing until all nodes agreed, in milliseconds; no value if they never did, or
        /// without a fault.
        pub agreed_ms: Option<f64>,
    }
}

documented! {
    /// A booking or a hold that its client was told of, and that a recovery gave up.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Lost {
        /// `booking` or `hold`.
        pub what: String,
        /// Number of the log that lost it.
        pub log: u32,
        /// The hold.
        pub hold: String,
        /// Its user.
        pub user: String,
        /// Its show and seats.
        pub seats: String,
        /// When its client was told, in virtual seconds.
        pub told_s: f64,
    }
}

documented! {
    /// What was given up when an operator recovered logs of which a majority of the copies was lost for good. No oracle
    /// counts it as a failure; everything else that is lost is one.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Losses {
        /// Number of logs that were recovered.
        pub logs: u64,
        /// Committed records that only lost disks held.
        pub records: u64,
        /// Bookings among what they recorded.
        pub bookings: u64,
        /// Live holds among what they recorded.
        pub holds: u64,
        /// Releases among what they recorded: their holds count again until they expire.
        pub releases: u64,
        /// The bookings and holds among them that clients had been told of.
        pub told: Vec<Lost>,
    }
}

documented! {
    /// The trace of a crowd's arrivals.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct TraceResult {
        /// Its file, as the scenario names it.
        pub file: String,
        /// Number of arrivals that it counts. If as many people come, nothing was scaled.
        pub arrivals: u64,
    }
}

/// A run's facts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The scenario's id.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The seed that the plan was drawn from.
    pub seed: u64,
    /// The version of the code that ran.
    pub code_version: String,
    /// The build profile.
    pub build_profile: String,
    /// The hash over all events of the run.
    pub trace_hash: String,
    /// Number of users of the scenario.
    pub users: u64,
    /// The trace of their arrivals, if there is one.
    pub trace: Option<TraceResult>,
    /// Number of users admitted.
    pub admitted: u64,
    /// Seats booked at the end.
    pub sold_seats: u64,
    /// Seats for sale.
    pub seats: u64,
    /// Seats on hold at the end.
    pub held_at_end: u64,
    /// Virtual time from start to end, in seconds.
    pub virtual_s: f64,
    /// Wall time from start to end, in seconds.
    pub wall_s: f64,
    /// Peak resident memory of the process in bytes; zero if unknown.
    pub peak_rss_bytes: u64,
    /// Events simulated.
    pub events: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Replicas whose state was compared at the end with the state rebuilt from their disk.
    pub replicas_replayed: u32,
    /// Whether the run was stopped before its end, so that all figures cover a part.
    pub interrupted: bool,
    /// The state at the instant of `--until`, if the run was stopped there.
    pub stopped: Option<Stopped>,
    /// The oracles' results, in the order of reports.
    pub oracles: Vec<OracleResult>,
    /// The faults, in the order in which they struck.
    pub faults: Vec<FaultResult>,
    /// The outages of shards.
    pub outages: Outages,
    /// Whether one process sells, so that an outage is its own and no leader's.
    pub is_one_process: bool,
    /// Lead transfers without a fault.
    pub lead_transfers: LeadTransfers,
    /// What operators' recoveries gave up, if there were any.
    pub given_up: Option<Losses>,
    /// Fates of the users: name and count, in the order of reports.
    pub users_outcome: Vec<(String, u64)>,
    /// Requests that ill-mannered people added to their sessions: number by habit and answer.
    pub manners: BTreeMap<String, BTreeMap<String, u64>>,
    /// The scenario's values: field, value and basis (assumed, sourced or chosen).
    pub assumptions: Vec<(String, String, String)>,
    /// The command line that plays this run again.
    pub reproduce: String,
    /// Results of the replicated facts, if there were any.
    pub facts: Option<FactsResult>,
    /// Time from the last fault's healing until the run was live again; no value if it never was, or without a fault.
    pub calm_recovery_ms: Option<f64>,
    /// Expectations of the scenario that were not met: oracles to exercise, marks to see.
    pub must_exercise_misses: Vec<String>,
    /// Number of times each rare path was taken, by its mark.
    pub marks: BTreeMap<String, u64>,
}

impl RunFacts {
    /// Whether any oracle made a check: a run without checks shows nothing.
    pub fn checked_anything(&self) -> bool {
        let exercised = |oracle: &&OracleResult| oracle.verdict != Verdict::NotExercised;
        self.oracles.iter().filter(exercised).any(|oracle| oracle.checked > 0)
    }
}
