//! `[cluster]`: the booking cluster, and how its parts behave.
//!
//! Owns the settings of nodes, journals, membership, leaders and gateways. Refuses to know how they work.

use onsale_booking::{Span, choices};
use onsale_cluster::{
    Acknowledge, Activates, DecidesOn, Deposed, LeaderPlacementConfig, OnSuspicion, Overdue,
    Promises, Reads, Reckoning, Serves,
};

use onsale_cluster::placement::REPLICAS_MAX;

use super::facts::FactsSettings;
use crate::ratio::Ratio;
use crate::setting::{SOME_TIME, UP_TO_A_DAY, names, settings};

settings! {
    /// The booking cluster.
    pub section Cluster {
        /// The system under test.
        system: System = System::Replicated, chosen;
        /// Booking nodes, numbered from 1: at least 3 with faults, at most 99 together with spares.
        nodes: u16 = 5, chosen, in 1..=99, unit "nodes";
        /// Spare nodes, numbered after the others; they are not members at the start and may join.
        spares: u16 = 0, chosen, in 0..=98, unit "nodes";
        /// Zones, numbered from 1, at most one a node: node n is in zone (n − 1) mod zones.
        zones: u16 = 3, chosen, in 1..=99, unit "zones";
        /// Shards over which the shows are spread.
        shards: u32 = 64, chosen, in 1..=65_536, unit "shards";
        /// Which shows share a shard for certain.
        shard_by: ShardBy = ShardBy::Show, chosen;
        /// Replicas of each shard's journal, in different zones: 1, 3, 5 or 7.
        replicas: u16 = 3, chosen, in 1..=REPLICAS_MAX as u16, unit "replicas, an odd number";
        /// Cores of each node.
        cores: u16 = 4, chosen, in 1..=1_024, unit "cores";
        /// Interval between a node's heartbeats, by which its peers detect failures.
        beat_every: Span = Span::from_millis(100), chosen, in SOME_TIME;
        /// The φ at which a silent peer is suspected.
        suspicion_phi: u32 = 8, sourced "Akka and Pekko cluster defaults", in 1..=100, unit "φ";
        // With the beat's pace and the deviation below, φ passes 8 some 330 ms after the last beat.
        /// Silence accepted beyond the mean interval before φ rises.
        acceptable_pause: Span = Span::from_millis(120), chosen;
        /// Least standard deviation of the beats' interval that the detector assumes.
        min_std_deviation: Span = Span::from_millis(20), chosen, in SOME_TIME;
        /// Interval between ticks of a journal that is awake.
        tick_every: Span = Span::from_millis(50), chosen, in SOME_TIME;
        /// Ticks without a message from the leader before an awake replica stands for election.
        election_ticks: u16 = 10, chosen, in 2..=10_000, unit "ticks";
        /// Records between two snapshots of a shard.
        snapshot_every: u32 = 4_096, chosen, in 1..=u32::MAX, unit "records";
        /// Records kept behind a snapshot, so that a replica that was away briefly needs no snapshot.
        keep_records: u32 = 1_024, chosen, unit "records";
        /// Size at which a segment of the write-ahead log is closed.
        segment_bytes: u32 = 16 << 20, chosen, in 4_096..=1 << 30, unit "bytes";
        /// What a node does about a silent peer.
        on_suspicion: OnSuspicion = OnSuspicion::Elect, chosen;
        /// When a node withdraws from service, and when it declares a peer dead.
        membership: Membership;
        /// Where leaders are placed while nothing is wrong.
        leader_placement: LeaderPlacement;
        /// How far the first node's clock is behind the last node's; the clocks between are evenly spaced.
        clock_skew: Span = Span::ZERO, chosen, in UP_TO_A_DAY;
        /// How replicas write their journals.
        journal: Journal;
        /// How a leader answers.
        leader: Leader;
        /// How a gateway forwards requests.
        gateway: Gateway;
        /// How facts are kept.
        facts: FactsSettings;
    }
}

choices! {
    /// Which shows share a shard for certain.
    pub enum ShardBy {
        /// No two: the shard of a show follows from its own number.
        Show,
        /// The shows of one event: simple, and as hot as the hottest event.
        Event,
    }
}

choices! {
    /// The system under test.
    pub enum System {
        /// A cluster of nodes, each shard with a leader and replicas of its journal.
        Replicated,
        /// One process with one write-ahead log: a crash costs availability and nothing else.
        Solo,
    }
}

names!(ShardBy, System);

impl Cluster {
    /// The greatest number of a node, spares included.
    pub const fn numbers(&self) -> u16 {
        self.nodes + self.spares
    }
}

settings! {
    /// When a node withdraws from service, and when it declares a peer dead.
    pub section Membership {
        /// Nodes that a node has to see to stay in service, itself included; default: a majority of the current members.
        static_quorum: Option<u16>, unit "nodes";
        /// How long a split has to last before either side acts on it.
        stable_after: Span = Span::from_secs(3), chosen, in SOME_TIME;
    }
}

settings! {
    /// Where leaders are placed while nothing is wrong. By default, a leader stays where an election or the map put it.
    pub section LeaderPlacement {
        /// Whether leaders move to the zones of `sale.venues`.
        near_venue: bool = false, chosen;
        /// Whether a node transfers leaders to nodes with much less load.
        by_load: bool = false, chosen;
        /// Least time that a shard stays with a leader before such a transfer, and least time between two transfers for
        /// load from one node.
        rest: Span = Span::from_secs(5), chosen, in SOME_TIME;
    }
}

impl LeaderPlacement {
    /// These settings as the nodes take them.
    pub fn config(&self) -> LeaderPlacementConfig {
        let Self { near_venue, by_load, rest } = *self;
        LeaderPlacementConfig { near_venue, by_load, rest }
    }
}

settings! {
    /// How replicas write their journals.
    pub section Journal {
        /// When a replica sends its votes and acknowledgements.
        promises: Promises = Promises::AfterWrite, chosen;
        /// When a node of a newer release writes the newer record format.
        activates: Activates = Activates::Agreed, chosen;
    }
}

settings! {
    /// How a leader answers.
    pub section Leader {
        /// When a client is told that its request changed something.
        acknowledge: Acknowledge = Acknowledge::Quorum, chosen;
        /// When a client is told that its request changed nothing.
        reads: Reads = Reads::Confirmed, chosen;
        /// Which state requests are decided on.
        decides_on: DecidesOn = DecidesOn::Latest, chosen;
        /// When a new leader begins to serve.
        serves: Serves = Serves::CaughtUp, chosen;
        /// What a leader does with pending answers when its epoch ends.
        deposed: Deposed = Deposed::HandsBack, chosen;
        /// How a leader interprets the instants in the journal.
        reckoning: Reckoning = Reckoning::Elapsed, chosen;
        /// What a leader does with a request that has waited longer than a quarter of `gateway.try-timeout`.
        overdue: Overdue = Overdue::PassedOver, chosen;
    }
}

settings! {
    /// How a gateway forwards requests.
    pub section Gateway {
        /// Attempts at a request, including the first.
        tries: u8 = 4, chosen, in 1..=100, unit "attempts";
        /// Timeout of one attempt.
        try_timeout: Span = Span::from_secs(1), assumed, in SOME_TIME;
        /// First backoff; attempt k waits a uniform draw from 0 to base × 2^k (full jitter).
        backoff_base: Span = Span::from_millis(20), assumed;
        /// Longest backoff; at least `backoff-base`.
        backoff_cap: Span = Span::from_millis(500), assumed;
        /// Retries allowed, as a share of first attempts.
        retry_budget: Ratio = Ratio::percent(10), assumed;
        /// Requests in flight to one shard at which the gateway answers "overloaded".
        in_flight_per_shard: u32 = 2_000, chosen, in 1..=u32::MAX, unit "requests";
    }
}
