//! Settings and requests that the scripts share.

use onsale_booking::{
    Command, HoldId, PaymentId, Request, RequestId, SeatId, ShowId, Span, UserId, Wish,
};
use onsale_cluster::{
    Activates, Config, FactsConfig, Forgets, GatewayConfig, LeaderConfig, LeaderPlacementConfig,
    MembershipConfig, OnSuspicion, Promises, Ratio, Sessions,
};

pub(crate) fn config() -> Config {
    Config {
        beat_every: Span::from_millis(100),
        suspicion_phi: 8,
        acceptable_pause: Span::from_millis(100),
        min_std_deviation: Span::from_millis(20),
        tick_every: Span::from_millis(50),
        election_ticks: 6,
        snapshot_every: 10_000,
        keep_records: 1_000,
        segment_bytes: 1 << 20,
        on_suspicion: OnSuspicion::default(),
        membership: MembershipConfig { quorum: None, stable_after: Span::from_secs(5) },
        leader_placement: LeaderPlacementConfig::default(),
        promises: Promises::default(),
        activates: Activates::default(),
        leader: LeaderConfig::default(),
        gateway: GatewayConfig {
            tries: 5,
            try_timeout: Span::from_millis(500),
            backoff_base: Span::from_millis(20),
            backoff_cap: Span::from_millis(400),
            retry_budget: Ratio { num: 1, den: 10 },
            in_flight_per_shard: 10_000,
        },
        facts: FactsConfig {
            fanout: 3,
            repair_every: Span::from_secs(1),
            accepted_drift: Span::from_secs(10),
            deletions_last: Span::from_secs(600),
            patience: Span::from_millis(500),
            sessions: Sessions::default(),
            forgets: Forgets::default(),
        },
    }
}

pub(crate) fn hold(id: u64, show: u32, seats: &[u32]) -> Request {
    let picked = seats.iter().copied().map(SeatId).collect();
    request(id, show, Command::Hold(Wish { picked, ..Wish::default() }))
}

pub(crate) fn confirm(id: u64, show: u32, hold: u64) -> Request {
    request(id, show, Command::Confirm { hold: HoldId(hold), payment: PaymentId(id) })
}

fn request(id: u64, show: u32, command: Command) -> Request {
    // A user's requests differ in their last digit.
    Request { id: RequestId(id), user: UserId((id / 10) as u32), show: ShowId(show), command }
}
