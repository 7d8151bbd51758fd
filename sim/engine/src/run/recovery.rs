//! Recovery: the time from the end of a fault, or from the strike of one that leaves majorities, until every request
//! must be answered again.
//!
//! Owns the formula. Refuses to know the faults, and whether the settings let a cluster work at all: that is
//! [`super::feasible`]'s.

use onsale_booking::Span;
use onsale_scenarios::Scenario;
use onsale_world::disk::longest_sync;

use super::{feasible, slowest};
use crate::judges::prompt::Limits;

/// Standard deviations of the beats' interval after which the detector suspects at the highest φ, 100: a normal
/// variable exceeds 21.3 of them with a probability of 10⁻¹⁰⁰.
const DEVIATIONS: u64 = 22;

/// The time that detection, election and retries take with the settings at hand:
///
/// ```text
/// R = acceptable pause + 10 beats + 22 deviations       a silent leader is suspected
///   + 6 election time-outs                              candidates collide, and stand again
///   + 6 × (2 ways + 2 writes)                           votes, the log's end, a record of the new epoch
///   + tries × (try time-out + backoff cap)              the gateway's last attempt meets the new leader
///   + stable-after                                      a withdrawn gateway serves again
///   + health checks, if they outlast a client's tries   a silent gateway is no longer asked
///     and a minority of the gateways can use these up
/// ```
///
/// *way* and *write* are the longest without faults. With the defaults R is 13.8 s.
pub(super) fn recovery(scenario: &Scenario) -> Span {
    let (cluster, session) = (&scenario.cluster, &scenario.crowd.session);
    let detection = cluster.acceptable_pause.0
        + 10 * cluster.beat_every.0
        + DEVIATIONS * cluster.min_std_deviation.0;
    let time_out = cluster.tick_every.0 * u64::from(cluster.election_ticks);
    let round = 2 * (slowest::inside(&scenario.network).0 + longest_sync(&scenario.disk).0);
    let gateway = &cluster.gateway;
    let retries = u64::from(gateway.tries) * (gateway.try_timeout.0 + gateway.backoff_cap.0);
    let asks = u64::from(session.tries.saturating_sub(1)) * session.request_timeout.0;
    let checks = unseen(scenario).0;
    // Attempts go round the gateways: a client meets one that answers, if it tries more often than a minority is large.
    let is_stuck = u16::from(session.tries) <= (cluster.numbers() - 1) / 2;
    let unseen = if is_stuck && checks > asks { checks } else { 0 };
    let stable_after = cluster.membership.stable_after.0;
    Span(detection + 6 * (time_out + round) + retries + stable_after + unseen)
}

/// The longest times without a leader; `None` where a shard has one replica, a network without faults loses messages, or
/// the settings bound no election. The formulas are those of [the judge](crate::judges::prompt).
pub(super) fn prompt(scenario: &Scenario) -> Option<Limits> {
    let cluster = &scenario.cluster;
    let is_bounded = feasible::answers_come(scenario)
        && scenario.network.loss.is_never()
        && cluster.replicas > 1;
    let detection = cluster.acceptable_pause.0
        + 2 * cluster.beat_every.0
        + DEVIATIONS * cluster.min_std_deviation.0;
    let time_out = cluster.tick_every.0 * u64::from(cluster.election_ticks);
    let round = 2 * (slowest::inside(&scenario.network).0 + longest_sync(&scenario.disk).0);
    let refuses = cluster.membership.static_quorum.is_none_or(|quorum| quorum > 1);
    is_bounded.then(|| Limits {
        peers_are_heard: feasible::peers_are_heard(scenario),
        answer: refuses.then(|| slowest::of_request(scenario)),
        failover: Span(detection + 2 * time_out + 3 * round),
        transfer: Span(2 * time_out + cluster.beat_every.0 + 2 * round),
    })
}

/// Time within which a hold that is due is ended, on a disk, by a leader that has led since the grant and is not
/// interrupted: a lead transfer that fails, a tick, and the longest attempt.
pub(super) fn expiry(scenario: &Scenario) -> Option<Span> {
    let cluster = &scenario.cluster;
    let time_out = cluster.tick_every.0 * u64::from(cluster.election_ticks);
    let ends = 2 * time_out + cluster.tick_every.0 + slowest::of_attempt(scenario).0;
    let is_bounded = feasible::leaders_lead(scenario) && scenario.network.loss.is_never();
    is_bounded.then_some(Span(ends))
}

/// Time from the stop of a gateway until no client asks it any more.
pub(super) fn unseen(scenario: &Scenario) -> Span {
    let check = scenario.crowd.health_check;
    Span(check.every.0 * (u64::from(check.fall) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Scenario)) -> Span {
        let mut scenario = Scenario::default();
        change(&mut scenario);
        recovery(&scenario)
    }

    #[test]
    fn recovery_follows_the_settings() {
        let usual = with(|_| {});
        assert!((Span::from_secs(13)..Span::from_secs(15)).contains(&usual), "{usual}");
        let second = Span::from_secs(1);
        assert_eq!(
            with(|it| it.cluster.gateway.try_timeout.0 += second.0),
            usual + Span(4 * second.0)
        );
        assert_eq!(with(|it| it.cluster.membership.stable_after.0 += second.0), usual + second);
        assert_eq!(with(|it| it.cluster.beat_every.0 += second.0), usual + Span(10 * second.0));
        let checks = |it: &mut Scenario| it.crowd.health_check.every = Span::from_secs(3);
        assert_eq!(with(checks), usual, "the third attempt meets one of three live gateways");
        let few_tries = |it: &mut Scenario| {
            checks(it);
            it.crowd.session.tries = 2;
        };
        assert_eq!(with(few_tries), usual + Span(12 * second.0));
    }
}
