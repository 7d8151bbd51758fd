//! How late holds may end if only clocks are wrong.
//!
//! Owns the constants of the oracles' limit: the paces of the cluster, latencies of its network and writes of its
//! disks in their tails, and the plan's slow clocks. Refuses to know what happens in a run.

use onsale_booking::Span;
use onsale_oracles::Lateness;
use onsale_scenarios::{ClockFault, Scenario, What};
use onsale_world::disk::longest_sync;

use super::{feasible, slowest};
use crate::judges::availability::Paces;
use crate::plan::Plan;

/// Factor on the duration of an election if the network may lose any message.
const LOSSY_ELECTIONS: u64 = 3;
/// Time after which a started replica has heard one of the leader's messages, one a second, if the network may lose
/// any message.
const LOSSY_HEARS: Span = Span::from_secs(10);

pub(super) fn lateness(plan: &Plan) -> (Lateness, Paces) {
    let Scenario { cluster, network, sale, disk, .. } = &plan.scenario;
    let is_lossy = !network.loss.is_never();
    let time_out = cluster.tick_every.0 * u64::from(cluster.election_ticks);
    let once = cluster.acceptable_pause.0 + 10 * cluster.beat_every.0 + 4 * time_out;
    let election = match (feasible::leaders_lead(&plan.scenario), is_lossy) {
        (true, false) => Span(once),
        (true, true) => Span(LOSSY_ELECTIONS * once),
        // No bound on an election, or on a leader's timers, is known.
        (false, _) => plan.scenario.duration,
    };
    let inside = slowest::inside(network);
    let hears = match is_lossy {
        true => LOSSY_HEARS,
        false => Span(2 * cluster.beat_every.0 + 4 * inside.0),
    };
    let commit = Span(2 * (inside.0 + longest_sync(disk).0));
    let slow = plan.faults.iter().filter_map(|fault| {
        let What::Clock(ClockFault::ClockDrift { by, slow, .. }) = &fault.what else { return None };
        slow.then_some(by)
    });
    let lasts = (sale.hold + sale.grace).0;
    // A clock that loses `num` in `den` takes this much longer for a span.
    let lost = slow.map(|by| {
        let (num, den) = (u128::from(by.num), u128::from(by.den));
        (u128::from(lasts) * num).div_ceil((den - num).max(1)) as u64
    });
    let slack = Span::from_secs(1) + election + commit + plan.scenario.quantum;
    (
        Lateness { lasts: Span(lasts + lost.sum::<u64>()), slack },
        Paces { election, hears, quorum: cluster.membership.static_quorum },
    )
}
