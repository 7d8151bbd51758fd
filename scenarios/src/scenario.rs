//! What a scenario says, validated, with every default filled in.
//!
//! Owns the parameters of a run and where each default comes from. Past this type
//! nothing validates again. Refuses to know how a file is read or how a run is made.

use onsale_core::{NodeId, Span};

/// A probability as an integer ratio, so that no float decides an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// So many …
    pub num: u32,
    /// … in so many; never zero.
    pub den: u32,
}

/// A whole scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Catalogue path without extension (`fast/crash`), or the file's path as given.
    pub id: String,
    /// One sentence that says what the scenario shows.
    pub title: String,
    /// How long the crowd acts: virtual time from the start to the last arrival's horizon.
    pub duration: Span,
    /// After the last fault everything heals; within this bound the run must be live again.
    pub calm: Span,
    /// Requests that leave one place for another within this span share a message. Zero: one message a request.
    pub quantum: Span,
    /// The booking cluster.
    pub cluster: Cluster,
    /// What is for sale.
    pub sale: Sale,
    /// Who comes.
    pub crowd: Crowd,
    /// How messages travel.
    pub network: Network,
    /// How writes become durable.
    pub disk: Disk,
    /// What each kind of work costs a core.
    pub costs: Costs,
    /// Faults at fixed times.
    pub faults: Vec<Fault>,
    /// Faults drawn from the seed.
    pub swarm: Option<Swarm>,
    /// Oracles that must have been exercised, by name.
    pub must_exercise: Vec<String>,
}

/// The booking cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Booking nodes, numbered from 1. 3 to 99.
    pub nodes: u16,
    /// Zones; node n stands in zone (n − 1) mod zones, numbered from 1.
    pub zones: u16,
    /// Shards.
    pub shards: u32,
    /// Replicas of each shard's journal, in different zones; odd.
    pub replicas: u16,
    /// Cores a node.
    pub cores: u16,
    /// Pace of the node-level beats.
    pub beat_every: Span,
    /// φ at which a silent peer is suspected.
    pub suspicion_phi: u32,
    /// Silence accepted beyond the mean interval before φ rises.
    pub acceptable_pause: Span,
    /// Least standard deviation of the beat interval that the detector assumes.
    pub min_std_deviation: Span,
    /// Pace of the clock of journals that are awake.
    pub tick_every: Span,
    /// Ticks without a leader's word before an awake replica campaigns.
    pub election_ticks: u16,
    /// A shard's snapshot is taken after so many records.
    pub snapshot_every: u32,
    /// Records kept behind a snapshot so that brief absences need none.
    pub keep_records: u32,
    /// A write-ahead log segment is closed at this size in bytes.
    pub segment_bytes: u32,
    /// How a gateway treats requests.
    pub gateway: Gateway,
}

/// How a gateway treats requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// Attempts a request, the first included.
    pub tries: u8,
    /// Patience with one attempt.
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

/// What is for sale and under which rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Sale {
    /// Shows, numbered from 0; show 0 is the hot one.
    pub shows: u32,
    /// Sections of each show's hall.
    pub sections: u16,
    /// Rows of each section.
    pub rows: u16,
    /// Seats of each row. 1 to 64.
    pub seats_per_row: u16,
    /// Share of users who want the hot show; the others spread evenly over the rest.
    pub hot_share: Ratio,
    /// How long a hold lasts for the user.
    pub hold: Span,
    /// How much longer the server keeps it.
    pub grace: Span,
    /// Most seats a request; 1 to 10.
    pub seats_per_request: u8,
}

/// Who comes, when, and how they behave.
#[derive(Clone, Debug, PartialEq)]
pub struct Crowd {
    /// How many people.
    pub users: u32,
    /// When they come.
    pub arrivals: Arrivals,
    /// The waiting room, if there is one.
    pub waiting_room: Option<WaitingRoom>,
    /// What they do once inside.
    pub session: Session,
}

/// When people come. Each shape is scaled to the number of users.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// The same rate for so long.
    Constant {
        /// From the start.
        over: Span,
    },
    /// From nothing to a peak at the end.
    Ramp {
        /// From the start.
        over: Span,
    },
    /// A floor, and a spike that decays: λ(t) = λ∞ + λ0·e^(−(t−at)/decay) after `at`.
    Spike {
        /// From the start to the last arrival.
        over: Span,
        /// When the spike comes.
        at: Span,
        /// Time constant of the decay.
        decay: Span,
        /// Share of users in the spike.
        share: Ratio,
    },
    /// People gather before the opening, the rest come after it in a decaying stream.
    OnSale {
        /// The opening.
        opening: Span,
        /// From the start to the last arrival.
        over: Span,
        /// Share of users who come before the opening.
        before: Ratio,
        /// Share of those who, without a waiting room, press the button within `rush` of the opening.
        rush_share: Ratio,
        /// How long the rush lasts.
        rush: Span,
        /// Time constant of the decay after the opening.
        decay: Span,
    },
    /// A recorded curve.
    Trace {
        /// The file, relative to the scenario's.
        file: String,
        /// Its points: offset from the start, and arrivals from there to the next point.
        points: Vec<(Span, u64)>,
    },
}

/// The waiting room: before the opening everybody waits and is shuffled at it; then first come, first served.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingRoom {
    /// When the doors open.
    pub opening: Span,
    /// People admitted a minute.
    pub release_per_minute: u32,
    /// Share of people who don't come when called.
    pub no_show: Ratio,
    /// How long a person waits at most before giving up.
    pub patience: Span,
    /// How long a token admits its bearer.
    pub token_valid: Span,
}

/// A lognormal span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogNormal {
    /// Half of all draws lie below.
    pub median: Span,
    /// Standard deviation of the logarithm, in thousandths.
    pub sigma_milli: u32,
}

/// What a person does once inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Looking at the seat map before the first request.
    pub pick_think: LogNormal,
    /// From the hold to the end of checkout.
    pub checkout_think: LogNormal,
    /// The payment provider's answer.
    pub payment: LogNormal,
    /// Share of payments approved.
    pub approval: Ratio,
    /// Share of held carts that are abandoned without a word.
    pub abandon: Ratio,
    /// Share of abandoners and declined who give the seats back.
    pub release: Ratio,
    /// Weights of group sizes 1, 2, 3 …; at most ten.
    pub group_weights: Vec<u32>,
    /// Share who take the best available; the rest pick seats on the map.
    pub best_available: Ratio,
    /// Share of groups of two and more who spread over two sections.
    pub split: Ratio,
    /// Skew of the desirability of seats (Zipf exponent), in thousandths.
    pub zipf_milli: u32,
    /// A client's patience with one attempt.
    pub request_timeout: Span,
    /// Attempts with one request before the client gives it up.
    pub tries: u8,
    /// First backoff between attempts (full jitter).
    pub backoff_base: Span,
    /// Longest backoff between attempts.
    pub backoff_cap: Span,
    /// Fresh requests after a refusal before a person gives up.
    pub refreshes: u8,
    /// Shortest pause before a fresh request.
    pub refresh_min: Span,
    /// Longest pause before a fresh request.
    pub refresh_max: Span,
}

/// How messages travel.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// One way between nodes of one zone.
    pub within_zone: Span,
    /// One way between nodes of two zones.
    pub between_zones: Span,
    /// One way between clients and nodes.
    pub client: Span,
    /// Uniform jitter on top, as a share of the latency.
    pub jitter: Ratio,
    /// Share of messages in the tail.
    pub tail: Ratio,
    /// How many times longer those take.
    pub tail_factor: u32,
    /// Share of messages lost.
    pub loss: Ratio,
    /// Share of messages delivered twice.
    pub duplicate: Ratio,
    /// Share of messages that others on the same link may overtake.
    pub reorder: Ratio,
}

/// How writes become durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Disk {
    /// Median of an append with its fsync.
    pub fsync: Span,
    /// Uniform jitter on top, as a share of it.
    pub jitter: Ratio,
    /// Share of fsyncs in the tail.
    pub tail: Ratio,
    /// How many times longer those take.
    pub tail_factor: u32,
    /// Bandwidth in MiB a second.
    pub mib_per_s: u32,
}

/// CPU time of each kind of work, on one core.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// A gateway takes in a request and routes it, or hands back its reply.
    pub route: Span,
    /// An owner decides a command.
    pub decide: Span,
    /// A node takes in one journal message.
    pub journal_message: Span,
    /// A node takes in a beat.
    pub beat: Span,
    /// A node learns that a write is durable and applies what that commits.
    pub persisted: Span,
    /// A node starts: reading its log back, a MiB.
    pub recover_mib: Span,
}

/// Which node a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `n3`.
    Node(NodeId),
    /// `owner`: whoever owns the hot show when the fault strikes.
    Owner,
    /// `follower`: a node that replicates the hot show and does not own it.
    Follower,
}

/// One fault at a fixed time.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The process dies, loses un-synced data, and starts again.
    Crash {
        /// When.
        at: Span,
        /// Which.
        node: Target,
        /// How long it stays down.
        down: Span,
    },
    /// The process stands still and then goes on, knowing nothing of it.
    Pause {
        /// When.
        at: Span,
        /// Which.
        node: Target,
        /// How long.
        lasts: Span,
    },
    /// All nodes of a zone lose power.
    ZoneLoss {
        /// When.
        at: Span,
        /// Which zone, from 1.
        zone: u16,
        /// How long.
        down: Span,
    },
    /// All nodes lose power at once.
    PowerLoss {
        /// When.
        at: Span,
        /// How long.
        down: Span,
    },
    /// Links are cut, what is in flight on them included.
    Partition {
        /// When.
        at: Span,
        /// How long.
        lasts: Span,
        /// Which links.
        cut: Cut,
    },
    /// Messages between nodes are lost more often.
    Loss {
        /// When.
        at: Span,
        /// How long.
        lasts: Span,
        /// Share lost.
        chance: Ratio,
    },
    /// Messages between nodes arrive twice more often.
    Duplicate {
        /// When.
        at: Span,
        /// How long.
        lasts: Span,
        /// Share duplicated.
        chance: Ratio,
    },
    /// Messages on one link overtake each other more often.
    Reorder {
        /// When.
        at: Span,
        /// How long.
        lasts: Span,
        /// Share that may be overtaken.
        chance: Ratio,
    },
    /// All links between nodes are slower.
    SlowNetwork {
        /// When.
        at: Span,
        /// How long.
        lasts: Span,
        /// How many times slower.
        factor: u32,
    },
    /// A node's disk is slower.
    SlowDisk {
        /// When.
        at: Span,
        /// How long.
        lasts: Span,
        /// Which.
        node: Target,
        /// How many times slower.
        factor: u32,
    },
}

/// Which links a partition cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// These nodes are cut from the others, and from the clients too.
    Isolate(Vec<Target>),
    /// The nodes split into two halves, the smaller one with the owner of the hot show.
    Halves,
    /// What this node sends to the other nodes is lost; what they send arrives.
    OneWay(Target),
    /// Each node sees a majority, no two the same one.
    MajorityRing,
    /// Two halves see each other only through one node.
    Bridge,
}

/// Faults drawn from the seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Swarm {
    /// Which families may be on; each seed draws a subset.
    pub families: Vec<Family>,
    /// Least number of faults.
    pub faults_min: u16,
    /// Greatest number of faults.
    pub faults_max: u16,
    /// The first may strike at …
    pub from: Span,
    /// … and the last has ended by …
    pub until: Span,
    /// A fault lasts at least …
    pub lasts_min: Span,
    /// … and at most.
    pub lasts_max: Span,
}

/// A family of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Crash and restart of a node.
    Crash,
    /// Pause of a node.
    Pause,
    /// Loss of a zone's power.
    ZoneLoss,
    /// Loss of the whole cluster's power.
    PowerLoss,
    /// Partitions of every shape.
    Partition,
    /// Message loss.
    Loss,
    /// Message duplication.
    Duplicate,
    /// Message reordering.
    Reorder,
    /// Slow links.
    SlowNetwork,
    /// Slow disks.
    SlowDisk,
}
