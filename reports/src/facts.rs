//! What only the simulator knows about a run, as plain data.
//!
//! Owns the vocabulary of verdicts, faults and outcomes. Computes nothing from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::documented::documented;

/// What an oracle found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check held.
    Pass,
    /// A check did not hold.
    Fail,
    /// What it watches for never happened, which is no pass.
    NotExercised,
}

documented! {
    /// Why an oracle failed.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Evidence {
        /// One sentence: which promise broke, for which seat or user.
        pub headline: String,
        /// The story, a line an event.
        pub details: Vec<String>,
        /// Subjects of the failure, as `replay --follow` takes them, the most telling first.
        pub follow: Vec<String>,
        /// Virtual time at which it was found, in microseconds; no value if it took the whole run to judge.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub found_us: Option<u64>,
    }
}

/// One oracle's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OracleResult {
    /// Its name, as scenarios spell it.
    pub name: String,
    /// What it found.
    pub verdict: Verdict,
    /// How many checks it made.
    pub checked: u64,
    /// Present if it failed.
    pub evidence: Option<Evidence>,
}

documented! {
    /// What a fault touched. One that touched nothing proves nothing.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Touched {
        /// Messages that it lost, delayed, doubled or reordered, or that found the process that it had stopped
        /// down. Beats aside: they come whatever happens.
        pub messages: u64,
        /// Writes that it slowed, failed, refused, tore or lost, and what was written that it damaged.
        pub writes: u64,
        /// Turns of processes that it delayed or slowed, or that went by a clock that it made wrong, and
        /// processes that it told to stop, to leave or to join.
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
    /// A time in which a shard had no leader.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct OutageResult {
        /// The shard, as in `s3`.
        pub shard: String,
        /// Since when, in virtual seconds.
        pub from_s: f64,
        /// End of the window, in virtual seconds; no value if it lasts to the end of the run.
        pub to_s: Option<f64>,
        /// How long.
        pub lasted_ms: f64,
        /// The number of the fault in the plan that took the leader away, if one did.
        pub fault: Option<usize>,
        /// Why, for people.
        pub why: String,
    }
}

documented! {
    /// The times in which shards had no leader, whatever took it away and however long that lasted.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Outages {
        /// How many there were.
        pub count: u64,
        /// How many shards had one.
        pub shards: u64,
        /// All together, in seconds.
        pub total_s: f64,
        /// How many of them were still there when the run ended.
        pub open: u64,
        /// The longest of them, the longest first, at most [`Self::LISTED`].
        pub longest: Vec<OutageResult>,
    }
}

impl Outages {
    /// How many are listed one by one.
    pub const LISTED: usize = 100;
}

documented! {
    /// One fault and what it cost.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct FaultResult {
        /// Its number in the plan.
        pub index: usize,
        /// Its kind, as scenarios spell it.
        pub kind: String,
        /// The same for people: `crash of n2, the leader of show0`.
        pub what: String,
        /// When it struck, in virtual seconds.
        pub at_s: f64,
        /// When it healed, in virtual seconds; no value if it lasted to the end.
        pub healed_s: Option<f64>,
        /// What the hot show's shard was doing when it struck: `replicating`, `electing` and so on.
        pub phase: String,
        /// What it touched.
        pub touched: Touched,
        /// Shards whose leader it took away.
        pub shards_lost_leader: u32,
        /// From the strike to the next leader's first commit, the longest over those shards; none if
        /// no shard lost its leader, or if one never committed again.
        pub recovery_ms: Option<f64>,
        /// How the hot show got its next leader; no value if it kept its leader.
        pub failover: Option<FailoverResult>,
        /// The shards that were handed over during it; no value if there were none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hand_overs: Option<HandOvers>,
    }
}

documented! {
    /// How long shards were without a leader while they were handed over: from the old leader's last
    /// admission to the new one's first commit.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct HandOvers {
        /// How many there were.
        pub shards: u32,
        /// Half of them took at most this long.
        pub median_ms: f64,
        /// The longest.
        pub max_ms: f64,
        /// The longest of the hot show's shard, if it was among them.
        pub hot_ms: Option<f64>,
    }
}

documented! {
    /// The shards that were handed over although nothing was wrong; no value if there were none.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct LeadTransfers {
        /// To nodes nearer to their venues.
        pub near_venue: Option<HandOvers>,
        /// To nodes with less to do.
        pub by_load: Option<HandOvers>,
    }
}

impl LeadTransfers {
    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.near_venue.is_none() && self.by_load.is_none()
    }
}

documented! {
    /// From a fault's strike to each step of the hot show's failover, in milliseconds; no value if that
    /// step never came, or came without a need: a leader that restarts is replaced unsuspected.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    pub struct FailoverResult {
        /// Another node suspected the leader.
        pub suspected_ms: Option<f64>,
        /// The next leader was elected.
        pub elected_ms: Option<f64>,
        /// The first record of the next leader's epoch was committed: it serves.
        pub serving_ms: Option<f64>,
    }
}

documented! {
    /// How things stood where a run was stopped on purpose.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Stopped {
        /// Where, in virtual seconds.
        pub at_s: f64,
        /// How each node was, and how many shards it owned as far as it knew.
        pub nodes: Vec<String>,
        /// How many requests waited for an answer.
        pub waiting: u64,
        /// Which of them waited longest.
        pub waits_longest: Option<String>,
    }
}

documented! {
    /// What became of the facts that nodes replicate, and of those who read and wrote them.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct FactsResult {
        /// How many facts anybody asked to write.
        pub facts: u64,
        /// Writes acknowledged.
        pub writes: u64,
        /// Reads answered.
        pub reads: u64,
        /// Questions answered with "I am behind".
        pub behind: u64,
        /// Sessions started over because every node was behind what they had seen.
        pub started_over: u64,
        /// Acknowledged writes that went with a disk and were nowhere else.
        pub lost_with_disks: u64,
        /// Questions that got no answer in time.
        pub unanswered: u64,
        /// From the last fault's healing until all nodes were found to agree; no value if they never
        /// were, or if there was no fault.
        pub agreed_ms: Option<f64>,
    }
}

documented! {
    /// The trace that a crowd comes by.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct TraceResult {
        /// Its file, as the scenario names it.
        pub file: String,
        /// How many arrivals it counts. If as many people come as that, nothing was scaled.
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
    /// How it was built.
    pub build_profile: String,
    /// The hash over everything that happened.
    pub trace_hash: String,
    /// Users who were to come.
    pub users: u64,
    /// The trace that they come by, if they do.
    pub trace: Option<TraceResult>,
    /// Of them, admitted.
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
    /// Most memory that the process has had resident; zero if unknown.
    pub peak_rss_bytes: u64,
    /// Events simulated.
    pub events: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Replicas whose state was compared, at the end, with what their own disk amounts to.
    pub replicas_replayed: u32,
    /// Whether the run was stopped before its end, so that everything here covers a part.
    pub interrupted: bool,
    /// How things stood where it was stopped, if it was to be stopped there.
    pub stopped: Option<Stopped>,
    /// The oracles' results, in the order to show them.
    pub oracles: Vec<OracleResult>,
    /// The faults, in the order in which they struck.
    pub faults: Vec<FaultResult>,
    /// The times in which shards had no leader.
    pub outages: Outages,
    /// Lead transfers although nothing was wrong.
    pub lead_transfers: LeadTransfers,
    /// What became of the users: name and count, in the order to show them.
    pub users_outcome: Vec<(String, u64)>,
    /// The parameters that nobody measured or published: field, value and where it comes from.
    pub assumptions: Vec<(String, String, String)>,
    /// The command line that plays this run again.
    pub reproduce: String,
    /// What became of the facts that nodes replicate, if there were any.
    pub facts: Option<FactsResult>,
    /// From the last fault's healing until the run was live again; no value if it never was, or if
    /// there was no fault.
    pub calm_recovery_ms: Option<f64>,
    /// What the scenario says must happen and did not: oracles exercised, marks seen.
    pub must_exercise_misses: Vec<String>,
    /// How often each rare path was taken, by its name.
    pub marks: BTreeMap<String, u64>,
}

impl RunFacts {
    /// Whether any oracle made a check: a run without one shows nothing.
    pub fn checked_anything(&self) -> bool {
        let exercised = |oracle: &&OracleResult| oracle.verdict != Verdict::NotExercised;
        self.oracles.iter().filter(exercised).any(|oracle| oracle.checked > 0)
    }
}
