//! The value of everything that a scenario leaves out.
//!
//! Owns each default, once. Which of them rests on a source and which is an assumption
//! stands in [`crate::basis`]. Refuses to know how files are read.

use onsale_booking::{Honours, Orders, Repeats, Span};
use onsale_cluster::{
    Acknowledge, DecidesOn, Deposed, Expiry, Forgets, OnSuspicion, Overdue, Promises, Reads,
    Reckoning, Serves, Sessions,
};

use crate::facts::{Facts, FactsSettings};
use crate::fault::{Family, Swarm};
use crate::ratio::Ratio;
use crate::scenario::{
    Arrivals, Cluster, Costs, Crowd, Disk, Gateway, GoodCopies, HealthCheck, Journal, Leads,
    Membership, Network, Owner, PartitionBy, Sale, Scenario, Session, WaitingRoom, Written,
};
use crate::timing::Timing;

impl Default for Scenario {
    /// Five nodes, 64 shards and 2,000 users over five minutes, without faults, id or title.
    fn default() -> Self {
        Self {
            id: String::new(),
            title: String::new(),
            duration: Span::from_secs(300),
            // Longer than a hold with its grace, so that every hold can come to its end.
            calm: Span::from_secs(360),
            quantum: Span::ZERO,
            cluster: Cluster::default(),
            sale: Sale::default(),
            crowd: Crowd::default(),
            facts: None,
            network: Network::default(),
            disk: Disk::default(),
            costs: Costs::default(),
            faults: Vec::new(),
            swarm: None,
            must_exercise: Vec::new(),
            limits: Vec::new(),
            must_fail: None,
            must_mark: Vec::new(),
            written: Written::default(),
        }
    }
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            nodes: 5,
            spares: 0,
            partition_by: PartitionBy::Show,
            zones: 3,
            shards: 64,
            replicas: 3,
            cores: 4,
            beat_every: Span::from_millis(100),
            suspicion_phi: 8,
            // With the beat's pace and the deviation below, φ passes 8 some 330 ms after the last beat.
            acceptable_pause: Span::from_millis(120),
            min_std_deviation: Span::from_millis(20),
            tick_every: Span::from_millis(50),
            election_ticks: 10,
            snapshot_every: 4_096,
            keep_records: 1_024,
            segment_bytes: 16 << 20,
            on_suspicion: OnSuspicion::Elect,
            membership: Membership::default(),
            leads: Leads::default(),
            clock_skew: Span::ZERO,
            journal: Journal::default(),
            owner: Owner::default(),
            gateway: Gateway::default(),
            facts: FactsSettings::default(),
        }
    }
}

impl Default for FactsSettings {
    fn default() -> Self {
        Self {
            fanout: 3,
            repair_every: Span::from_secs(1),
            accepted_drift: Span::from_secs(10),
            deletions_last: Span::from_secs(600),
            patience: Span::from_millis(500),
            sessions: Sessions::Monotonic,
            forgets: Forgets::AndTells,
        }
    }
}

impl Default for Facts {
    /// Small enough to be looked at as a whole, with changes often enough to meet every fault.
    fn default() -> Self {
        Self {
            events: 20,
            admins: 3,
            changes_per_minute: 60,
            from: Span::from_secs(5),
            until: Span::from_secs(240),
            visitors: 500,
            reads: 6,
            agree_within: Span::from_secs(10),
        }
    }
}

impl Default for Membership {
    fn default() -> Self {
        Self { static_quorum: None, stable_after: Span::from_secs(3) }
    }
}

impl Default for Leads {
    fn default() -> Self {
        Self { near_venue: false, by_load: false, rest: Span::from_secs(5) }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { promises: Promises::AfterWrite }
    }
}

impl Default for Owner {
    fn default() -> Self {
        Self {
            acknowledge: Acknowledge::Quorum,
            reads: Reads::Confirmed,
            decides_on: DecidesOn::Latest,
            serves: Serves::CaughtUp,
            deposed: Deposed::HandsBack,
            reckoning: Reckoning::Elapsed,
            overdue: Overdue::PassedOver,
        }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            tries: 4,
            try_timeout: Span::from_secs(1),
            backoff_base: Span::from_millis(20),
            backoff_cap: Span::from_millis(500),
            retry_budget: Ratio::percent(10),
            in_flight_per_shard: 2_000,
        }
    }
}

impl Default for Sale {
    /// Halls of a hundred seats: small enough that 2,000 users quarrel over them.
    fn default() -> Self {
        Self {
            shows: 32,
            shows_per_event: 1,
            venues: Vec::new(),
            sections: 2,
            rows: 5,
            seats_per_row: 10,
            hot_share: Ratio::percent(20),
            hold: Span::from_secs(300),
            grace: Span::from_secs(5),
            seats_per_request: 10,
            expiry: Expiry::Due,
            sweep_every: Span::from_secs(60),
            early: Span::ZERO,
            repeats: Repeats::Recognised,
            confirms: Honours::LiveHolds,
            releases: Honours::LiveHolds,
            orders: Orders::Whole,
        }
    }
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            users: 2_000,
            // A minute before the scenario's own default end, so that the last ones can finish.
            arrivals: Arrivals::Constant { over: Span::from_secs(240) },
            waiting_room: None,
            session: Session::default(),
            health_check: HealthCheck::default(),
        }
    }
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self { every: Span::from_secs(2), fall: 3, rise: 2 }
    }
}

impl Default for WaitingRoom {
    fn default() -> Self {
        Self {
            opening: Span::from_secs(600),
            release_per_minute: 1_500,
            no_show: Ratio::percent(15),
            patience: Span::from_secs(3_600),
            token_valid: Span::from_secs(3_600),
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self {
            pick_think: Timing::log_normal(Span::from_secs(25), 800),
            checkout_think: Timing::log_normal(Span::from_secs(75), 600),
            payment: Timing::log_normal(Span::from_millis(1_800), 600),
            approval: Ratio::percent(88),
            abandon: Ratio::percent(30),
            release: Ratio::percent(20),
            // Mean 3.
            group_weights: vec![10, 33, 20, 27, 4, 6],
            best_available: Ratio::percent(50),
            split: Ratio::percent(5),
            zipf_milli: 1_000,
            request_timeout: Span::from_secs(5),
            tries: 3,
            backoff_base: Span::from_millis(200),
            backoff_cap: Span::from_secs(5),
            refreshes: 5,
            refresh_min: Span::from_secs(3),
            refresh_max: Span::from_secs(10),
        }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            within_zone: Timing::Constant(Span::from_micros(150)),
            between_zones: Timing::Constant(Span::from_millis(1)),
            client: Timing::Constant(Span::from_millis(20)),
            jitter: Ratio::new(1, 5),
            tail: Ratio::new(1, 100),
            tail_factor: 8,
            loss: Ratio::NEVER,
            duplicate: Ratio::NEVER,
            reorder: Ratio::NEVER,
        }
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            fsync: Timing::Constant(Span::from_micros(500)),
            jitter: Ratio::new(1, 2),
            tail: Ratio::new(1, 100),
            tail_factor: 10,
            mib_per_s: 400,
            write_back: Span::ZERO,
            good_copies: GoodCopies::Majority,
        }
    }
}

impl Default for Costs {
    fn default() -> Self {
        Self {
            route: Timing::Constant(Span::from_micros(4)),
            reply: None,
            decide: Timing::Constant(Span::from_micros(10)),
            journal_message: Timing::Constant(Span::from_micros(4)),
            beat: Timing::Constant(Span::from_micros(1)),
            persisted: Timing::Constant(Span::from_micros(3)),
            recover_mib: Timing::Constant(Span::from_millis(5)),
        }
    }
}

impl Default for Swarm {
    /// All families, over the middle of a five-minute run.
    fn default() -> Self {
        Self {
            families: Family::ALL.to_vec(),
            faults_min: 2,
            faults_max: 6,
            from: Span::from_secs(20),
            until: Span::from_secs(240),
            lasts_min: Span::from_secs(1),
            lasts_max: Span::from_secs(20),
            mix: true,
        }
    }
}

/// Time constant of the decay after a spike or an opening.
pub(crate) const fn decay() -> Span {
    Span::from_secs(300)
}

/// How long a node may take to stop.
pub(crate) const fn stop_patience() -> Span {
    Span::from_secs(2)
}

/// Share of users in a spike.
pub(crate) const fn spike_share() -> Ratio {
    Ratio::percent(50)
}

/// Share of users who come before the opening.
pub(crate) const fn before() -> Ratio {
    Ratio::percent(60)
}

/// Share of those who press the button in the rush.
pub(crate) const fn rush_share() -> Ratio {
    Ratio::percent(30)
}

/// How long the rush lasts.
pub(crate) const fn rush() -> Span {
    Span::from_secs(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_group_is_three() {
        let weights = Session::default().group_weights;
        let people: u32 = weights.iter().zip(1..).map(|(weight, size)| weight * size).sum();
        assert_eq!(people, 3 * weights.iter().sum::<u32>());
    }
}
