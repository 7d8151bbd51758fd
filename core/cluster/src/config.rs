//! The settings of a cluster, shared by all its nodes.
//!
//! Owns the parameters that the machines read. Refuses to know where they come from: the values are taken as valid, and
//! the scenarios have the defaults and their sources.

use std::sync::Arc;

use onsale_booking::{Hall, Rules, Span, ZoneId, choices};

use crate::detector::Suspicion;
use crate::id::ShardId;
use crate::journal::Promises;
use crate::placement::Placement;

/// The settings that all nodes of a cluster share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The parameters of the nodes.
    pub config: Config,
    /// Which nodes carry which shard.
    pub placement: Arc<Placement>,
    /// The hall of all shows.
    pub hall: Arc<Hall>,
    /// The rules of sale.
    pub rules: Rules,
    /// Number of shows; the first is 0.
    pub shows: u32,
    /// By shard number, as far as it goes: the zone that draws its leadership, if venues do.
    pub homes: Vec<Option<ZoneId>>,
}

impl Setup {
    /// The zone that draws a shard's leadership, if there is one.
    pub fn home_of(&self, shard: ShardId) -> Option<ZoneId> {
        self.homes.get(shard.0 as usize).copied().flatten()
    }
}

/// A share as an integer ratio, so that no float decides an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Numerator.
    pub num: u32,
    /// Denominator; not zero.
    pub den: u32,
}

/// The parameters of a cluster's nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Interval between a node's beats; not zero.
    pub beat_every: Span,
    /// φ at which a silent peer is suspected.
    pub suspicion_phi: u32,
    /// Silence accepted beyond the mean interval before φ rises.
    pub acceptable_pause: Span,
    /// Least standard deviation of the beat interval that the detector assumes.
    pub min_std_deviation: Span,
    /// Tick interval of journals that are awake; not zero.
    pub tick_every: Span,
    /// Ticks without a message of a leader before an awake replica stands for election.
    pub election_ticks: u16,
    /// Number of records after which a shard's snapshot is taken.
    pub snapshot_every: u32,
    /// Records kept behind a snapshot so that brief absences need none.
    pub keep_records: u32,
    /// A write-ahead log segment is closed at this size in bytes.
    pub segment_bytes: u32,
    /// What a node does about a silent peer.
    pub on_suspicion: OnSuspicion,
    /// When a node withdraws, and when it declares a peer down.
    pub membership: MembershipConfig,
    /// Where shards are led while nothing is wrong.
    pub leader_placement: LeaderPlacementConfig,
    /// When a replica's promises leave.
    pub promises: Promises,
    /// When a node of a newer release writes the newer record format.
    pub activates: Activates,
    /// How a leader answers and ends holds.
    pub leader: LeaderConfig,
    /// How a gateway treats requests.
    pub gateway: GatewayConfig,
    /// How facts are kept.
    pub facts: FactsConfig,
}

/// When a node withdraws, and when it declares a peer down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MembershipConfig {
    /// Number of nodes, itself included, that a node has to see: more than half of all. `None`: a majority of the
    /// cluster's members at the time.
    pub quorum: Option<u16>,
    /// How long a state has to last before it is judged.
    pub stable_after: Span,
}

/// Where shards are led while nothing is wrong. By default leadership stays where an election or the map has put it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaderPlacementConfig {
    /// Leadership is drawn to the zones of [`Setup::homes`].
    pub near_venue: bool,
    /// Nodes give leads to others that have much less to do.
    pub by_load: bool,
    /// How long a shard stays with a leader before it is given up for one of these reasons, and how long a node rests
    /// after it has given one up for its load.
    pub rest: Span,
}

choices! {
    /// When a node of a newer release writes the newer record format.
    pub enum Activates {
        /// Once all nodes of the cluster are heard and run a release that reads it, and a record in the shard's journal
        /// says so.
        Agreed,
        /// At once, as soon as it leads a shard.
        AtOnce,
    }
}

choices! {
    /// What a node does about a silent peer.
    pub enum OnSuspicion {
        /// It stands for election if the peer led; the peer stays a member and counts for quorums.
        Elect,
        /// It removes the peer from its list of members for good. So either side of a partition soon counts as a
        /// majority.
        Down,
    }
}

/// How a leader answers and ends holds. The promises of this crate rest on the defaults; the other choices are
/// habits of other systems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaderConfig {
    /// When a client is told that its request changed something.
    pub acknowledge: Acknowledge,
    /// When a client is told that its request changed nothing.
    pub reads: Reads,
    /// The state that requests are decided on.
    pub decides_on: DecidesOn,
    /// When a new leader begins to serve.
    pub serves: Serves,
    /// What a leader does with pending answers when its epoch ends.
    pub deposed: Deposed,
    /// How a leader interprets the instants in the journal.
    pub reckoning: Reckoning,
    /// What a leader does with requests that have waited too long.
    pub overdue: Overdue,
    /// How a hold ends once its time and grace are over.
    pub expiry: Expiry,
    /// Interval of the job of [`Expiry::Swept`], which runs at its multiples; not zero with that job.
    pub sweep_every: Span,
}

choices! {
    /// When a client is told that its request changed something.
    pub enum Acknowledge {
        /// Once its record is committed and applied.
        Quorum,
        /// Once its record is durable on the leader's own disk.
        OwnDisk,
        /// Once its record is proposed.
        Proposal,
    }
}

choices! {
    /// When a client is told that its request changed nothing.
    pub enum Reads {
        /// Once a quorum has confirmed that the leader still leads (read index), and the state that the answer rests on
        /// is applied.
        Confirmed,
        /// At once, from the leader's memory.
        Local,
    }
}

choices! {
    /// The state that requests are decided on.
    pub enum DecidesOn {
        /// On everything committed and everything decided before.
        Latest,
        /// On everything committed, like a transaction that takes no locks.
        Committed,
    }
}

choices! {
    /// When a new leader begins to serve.
    pub enum Serves {
        /// Once it has applied everything that was committed before.
        CaughtUp,
        /// As soon as it is elected, from the records that it knows to be committed; the others follow.
        Elected,
    }
}

choices! {
    /// What a leader does with pending answers when its epoch ends.
    pub enum Deposed {
        /// It drops them and sends the requests back to their gateways.
        HandsBack,
        /// It sends them: it was the leader when it decided.
        Answers,
    }
}

choices! {
    /// How a leader interprets the instants in the journal, which earlier leaders wrote by their own clocks.
    pub enum Reckoning {
        /// As the shard's own time, which replicas send each other and advance by their own clocks.
        Elapsed,
        /// As instants of its own clock.
        Instants,
    }
}

choices! {
    /// What a leader does with a request that has waited longer than a quarter of a gateway's timeout. If the gateway is
    /// on the leader's own node, its answer may wait as long again; half of the timeout is left for network and journal.
    pub enum Overdue {
        /// It drops the request without an answer: the gateway would give up before the answer arrives, and the client
        /// asks again. So a leader that is behind decides requests that still matter, and catches up.
        PassedOver,
        /// It decides the request like any other.
        Decided,
    }
}

choices! {
    /// How a hold ends once its time and grace are over.
    pub enum Expiry {
        /// When due by the journal: the leader of that time records the end before it decides anything else.
        Due,
        /// Only by a job that runs at intervals and looks for such holds.
        Swept,
        /// By a timer in the memory of the leader that granted it.
        Timers,
        /// By a job that lists the holds whose time is over, and ends the listed holds by name when their grace is over,
        /// without looking at their state again.
        Listed,
    }
}

impl LeaderConfig {
    /// Whether every change is decided on a state with all earlier changes, so that every record fits the state that it
    /// meets.
    pub fn is_single_writer(&self) -> bool {
        self.decides_on == DecidesOn::Latest
            && self.serves == Serves::CaughtUp
            && self.expiry != Expiry::Listed
    }
}

/// How facts are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsConfig {
    /// Number of peers that are told of news, and asked in a round of anti-entropy.
    pub fanout: u16,
    /// Interval of anti-entropy rounds while a peer may lack something; not zero.
    pub repair_every: Span,
    /// Stamps further ahead of a node's clock than this are not taken.
    pub accepted_drift: Span,
    /// How long a tombstone is kept.
    pub deletions_last: Span,
    /// How long a question waits for a node to fetch what the session has seen.
    pub patience: Span,
    /// What the token of a session guarantees.
    pub sessions: Sessions,
    /// How tombstones are dropped.
    pub forgets: Forgets,
}

choices! {
    /// What the token of a session guarantees.
    pub enum Sessions {
        /// Monotonic reads: a node that lacks facts that the session has seen does not answer it.
        Monotonic,
        /// Nothing: every node answers with the facts that it has.
        Ignored,
    }
}

choices! {
    /// How tombstones are dropped when their lifetime is over.
    pub enum Forgets {
        /// With a record of the time up to which they were dropped: a peer that has not seen that time is sent a whole
        /// copy.
        AndTells,
        /// Without a record: a node that was away for longer keeps the deleted facts and sends them to others.
        Silently,
    }
}

/// How a gateway treats requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayConfig {
    /// Attempts a request, the first included; at least one.
    pub tries: u8,
    /// The longest wait for one attempt.
    pub try_timeout: Span,
    /// First backoff; attempt k waits a uniform draw from 0 to base × 2^k (full jitter).
    pub backoff_base: Span,
    /// Longest backoff.
    pub backoff_cap: Span,
    /// Retries allowed as a share of first attempts.
    pub retry_budget: Ratio,
    /// Requests in flight to one shard before the gateway answers "overloaded".
    pub in_flight_per_shard: u32,
}

impl Config {
    /// The parameters of the failure detector.
    pub fn suspicion(&self) -> Suspicion {
        Suspicion {
            phi: self.suspicion_phi,
            acceptable_pause: self.acceptable_pause,
            min_std_deviation: self.min_std_deviation,
            beat_every: self.beat_every,
        }
    }
}

#[cfg(test)]
impl Setup {
    /// Settings for unit tests: a hall of ten seats for each show.
    pub(crate) fn example(placement: Placement, shows: u32) -> Self {
        let rules = Rules {
            hold: Span(300),
            grace: Span(5),
            seats_per_request: 10,
            remember: Span(1_000),
            checks: onsale_booking::Checks::COMPLETE,
        };
        let (placement, hall) = (Arc::new(placement), Arc::new(Hall::uniform(1, 1, 10)));
        Self { config: Config::example(), placement, hall, rules, shows, homes: Vec::new() }
    }
}

#[cfg(test)]
impl Config {
    /// Settings for unit tests.
    pub(crate) fn example() -> Self {
        Self {
            beat_every: Span::from_millis(100),
            suspicion_phi: 8,
            acceptable_pause: Span::from_millis(100),
            min_std_deviation: Span::from_millis(20),
            tick_every: Span::from_millis(50),
            election_ticks: 6,
            snapshot_every: 1_000,
            keep_records: 100,
            segment_bytes: 1 << 20,
            on_suspicion: OnSuspicion::default(),
            membership: MembershipConfig { quorum: Some(3), stable_after: Span::from_secs(2) },
            leader_placement: LeaderPlacementConfig::default(),
            promises: Promises::default(),
            activates: Activates::default(),
            leader: LeaderConfig::default(),
            gateway: GatewayConfig {
                tries: 3,
                try_timeout: Span::from_millis(500),
                backoff_base: Span::from_millis(20),
                backoff_cap: Span::from_millis(400),
                retry_budget: Ratio { num: 1, den: 10 },
                in_flight_per_shard: 100,
            },
            facts: FactsConfig::example(),
        }
    }
}

#[cfg(test)]
impl FactsConfig {
    /// Settings for unit tests.
    pub(crate) fn example() -> Self {
        Self {
            fanout: 2,
            repair_every: Span::from_secs(1),
            accepted_drift: Span::from_secs(1),
            deletions_last: Span::from_secs(60),
            patience: Span::from_millis(500),
            sessions: Sessions::default(),
            forgets: Forgets::default(),
        }
    }
}
