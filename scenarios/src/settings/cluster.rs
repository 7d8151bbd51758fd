//! `[cluster]`: the booking cluster, and how its parts behave.
//!
//! Owns what a scenario can say of nodes, journals, members, leads, gateways and leaders. Refuses to know how they work.

use onsale_booking::{Span, choices};
use onsale_cluster::{
    Acknowledge, DecidesOn, Deposed, LeaderPlacementConfig, OnSuspicion, Overdue, Promises, Reads,
    Reckoning, Serves,
};

use super::facts::FactsSettings;
use crate::ratio::Ratio;
use crate::setting::{SOME_TIME, UP_TO_A_DAY, names, settings};

settings! {
    /// The booking cluster.
    pub section Cluster {
        /// Which system sells.
        system: System = System::Replicated, chosen;
        /// Booking nodes, numbered from 1. With faults at least 3, with spares at most 99 altogether.
        nodes: u16 = 5, chosen, in 1..=99, unit "nodes";
        /// More nodes, numbered on, that are not of the cluster and may join it.
        spares: u16 = 0, chosen, in 0..=98, unit "nodes";
        /// Zones, at most one a node: node n stands in zone (n − 1) mod zones, numbered from 1.
        zones: u16 = 3, chosen, in 1..=99, unit "zones";
        /// Shards over which the shows are spread.
        shards: u32 = 64, chosen, in 1..=65_536, unit "shards";
        /// Which shows are sure to share a shard.
        partition_by: PartitionBy = PartitionBy::Show, chosen;
        /// Replicas of each shard's journal, in different zones: 1, 3, 5 or 7.
        replicas: u16 = 3, chosen, unit "replicas";
        /// Cores of each node.
        cores: u16 = 4, chosen, in 1..=1_024, unit "cores";
        /// From one beat of a node to the next: what its peers' failure detectors listen for.
        beat_every: Span = Span::from_millis(100), chosen, in SOME_TIME;
        /// The φ at which a silent peer is suspected.
        suspicion_phi: u32 = 8, sourced "Akka and Pekko cluster defaults", in 1..=100, unit "φ";
        // With the beat's pace and the deviation below, φ passes 8 some 330 ms after the last beat.
        /// Silence accepted beyond the mean interval before φ rises.
        acceptable_pause: Span = Span::from_millis(120), chosen;
        /// Least standard deviation of the beats' interval that the detector assumes.
        min_std_deviation: Span = Span::from_millis(20), chosen, in SOME_TIME;
        /// From one tick to the next of a journal that is awake.
        tick_every: Span = Span::from_millis(50), chosen, in SOME_TIME;
        /// Ticks without word from a leader before an awake replica stands for election.
        election_ticks: u16 = 10, chosen, in 2..=10_000, unit "ticks";
        /// Records after which a shard's snapshot is taken.
        snapshot_every: u32 = 4_096, chosen, in 1..=u32::MAX, unit "records";
        /// Records kept behind a snapshot, so that a replica that was away briefly needs none.
        keep_records: u32 = 1_024, chosen, unit "records";
        /// Size at which a segment of the write-ahead log is closed.
        segment_bytes: u32 = 16 << 20, chosen, in 4_096..=1 << 30, unit "bytes";
        /// What a node does with a peer that has fallen silent.
        on_suspicion: OnSuspicion = OnSuspicion::Elect, chosen;
        /// When a node withdraws, and when it gives a peer up.
        membership: Membership;
        /// Where shards are led while nothing is wrong.
        leader_placement: LeaderPlacement;
        /// By how much the first node's clock is behind the last one's; those between are evenly apart.
        clock_skew: Span = Span::ZERO, chosen, in UP_TO_A_DAY;
        /// How journals are kept.
        journal: Journal;
        /// How a leader answers.
        leader: Leader;
        /// How a gateway treats requests.
        gateway: Gateway;
        /// How facts are kept.
        facts: FactsSettings;
    }
}

choices! {
    /// Which shows are sure to share a shard.
    pub enum PartitionBy {
        /// None.
        Show,
        /// Those of one event: simple, and as hot as the hottest event.
        Event,
    }
}

choices! {
    /// Which system sells.
    pub enum System {
        /// A cluster of nodes, each shard with a leader and replicas of its journal.
        Replicated,
        /// One process with one log, which it writes ahead: a crash costs availability and nothing else.
        Solo,
    }
}

names!(PartitionBy, System);

impl Cluster {
    /// The greatest number of a node, spare or not.
    pub const fn numbers(&self) -> u16 {
        self.nodes + self.spares
    }
}

settings! {
    /// When a node withdraws, and when it gives a peer up.
    pub section Membership {
        /// Nodes that a node has to see to stay in service, itself included. Left out, it is a majority of those who
        /// are of the cluster at the time.
        static_quorum: Option<u16>, unit "nodes";
        /// How long a split has to last before either side draws its conclusion.
        stable_after: Span = Span::from_secs(3), chosen, in SOME_TIME;
    }
}

settings! {
    /// Where shards are led while nothing is wrong. Left out, leadership stays where an election or the map has put it.
    pub section LeaderPlacement {
        /// Whether leaders are drawn to the zones of `sale.venues`.
        near_venue: bool = false, chosen;
        /// Whether nodes give leads to others that have a good deal less to do.
        by_load: bool = false, chosen;
        /// How long a shard stays with a leader before it is given up for one of these reasons, and how long a node
        /// rests after it has given one up for its load.
        rest: Span = Span::from_secs(5), chosen, in SOME_TIME;
    }
}

impl LeaderPlacement {
    /// The same for the nodes.
    pub fn config(&self) -> LeaderPlacementConfig {
        let Self { near_venue, by_load, rest } = *self;
        LeaderPlacementConfig { near_venue, by_load, rest }
    }
}

settings! {
    /// How journals are kept.
    pub section Journal {
        /// When a replica's votes and acknowledgements leave.
        promises: Promises = Promises::AfterWrite, chosen;
    }
}

settings! {
    /// How a leader answers.
    pub section Leader {
        /// When a change is told to the client.
        acknowledge: Acknowledge = Acknowledge::Quorum, chosen;
        /// When an answer that changes nothing is told.
        reads: Reads = Reads::Confirmed, chosen;
        /// Which state requests are decided on.
        decides_on: DecidesOn = DecidesOn::Latest, chosen;
        /// When a new leader begins to serve.
        serves: Serves = Serves::CaughtUp, chosen;
        /// What a leader does with open answers when its epoch is over.
        deposed: Deposed = Deposed::HandsBack, chosen;
        /// What a leader takes the instants in the journal for.
        reckoning: Reckoning = Reckoning::Elapsed, chosen;
        /// What becomes of requests that have waited for more than a quarter of a gateway's patience.
        overdue: Overdue = Overdue::PassedOver, chosen;
    }
}

settings! {
    /// How a gateway treats requests.
    pub section Gateway {
        /// Attempts at a request, the first included.
        tries: u8 = 4, chosen, in 1..=100, unit "attempts";
        /// Patience with one attempt.
        try_timeout: Span = Span::from_secs(1), assumed, in SOME_TIME;
        /// First backoff; attempt k waits a uniform draw from 0 to base × 2^k (full jitter).
        backoff_base: Span = Span::from_millis(20), assumed;
        /// Longest backoff; at least the first.
        backoff_cap: Span = Span::from_millis(500), assumed;
        /// Retries allowed, as a share of first attempts.
        retry_budget: Ratio = Ratio::percent(10), assumed;
        /// Requests in flight to one shard from which on the gateway answers "overloaded".
        in_flight_per_shard: u32 = 2_000, chosen, in 1..=u32::MAX, unit "requests";
    }
}
