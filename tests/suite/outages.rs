//! Faults in reports: how long shards had no leader, and what each fault touched.

use std::sync::Arc;

use onsale_booking::Span;
use onsale_reports::{FaultResult, Outages};
use onsale_scenarios::{
    ClockFault, DiskFault, Family, Fault, NetworkFault, ProcessFault, Ratio, Target,
};
use onsale_sim::plan::Plan;
use onsale_sim::run::{Look, Outcome, run_watched};
use onsale_tests::{complaint, play, sale_with, second};

const AT: Span = Span::from_secs(40);
const LASTS: Span = Span::from_secs(20);
const LEADER: Target = Target::Leader;

fn faults(outcome: &Outcome) -> &[FaultResult] {
    &outcome.summary.facts.faults
}

fn outages(outcome: &Outcome) -> &Outages {
    &outcome.summary.facts.outages
}

/// A loss of all power is over when the nodes start: an outage that lasts longer is still attributed to it.
#[test]
fn an_outage_is_told_also_if_it_outlasts_its_fault() {
    let power_loss = Fault::new(AT, LASTS, ProcessFault::PowerLoss {});
    let scenario = sale_with(&[power_loss]);
    let outcome = play(&scenario, 1);
    assert_eq!(complaint(&outcome), None);
    let fault = &faults(&outcome)[0];
    assert_eq!(fault.shards_lost_leader, scenario.cluster.shards);
    let recovery = fault.recovery_ms.expect("all shards are led again");
    assert!((20_000.0..22_000.0).contains(&recovery), "{recovery} ms");
    assert!(fault.failover.is_some_and(|failover| failover.serving_ms > Some(20_000.0)));

    let told = outages(&outcome);
    assert_eq!((told.count, told.open), (u64::from(scenario.cluster.shards), 0));
    let lasted: Vec<f64> = told.longest.iter().map(|outage| outage.lasted_ms).collect();
    assert!(lasted.is_sorted_by(|longer, shorter| longer >= shorter));
    assert!((lasted[0] - recovery).abs() < 1e-6, "the longest is the fault's recovery");
    assert!(told.longest.iter().all(|outage| outage.fault == Some(0) && outage.from_s == 40.0));
}

/// A run that is stopped during an outage has shards without a leader, and reports say so.
#[test]
fn an_outage_that_has_not_ended_is_told() {
    let scenario = sale_with(&[Fault::new(AT, LASTS, ProcessFault::PowerLoss {})]);
    let plan = Plan::new(&scenario, 1);
    let look = Look { until: Some(second(50)), ..Look::default() };
    let outcome = run_watched(&plan, &Arc::default(), look);
    let told = outages(&outcome);
    assert_eq!((told.count, told.open), (told.shards, u64::from(scenario.cluster.shards)));
    assert!(
        told.longest.iter().all(|outage| outage.to_s.is_none() && outage.lasted_ms == 10_000.0)
    );
    assert_eq!(faults(&outcome)[0].recovery_ms, None);
}

/// Without faults every shard has a leader all the time, from its first election on.
#[test]
fn nothing_is_told_where_nothing_fails() {
    let outcome = play(&sale_with(&[]), 1);
    assert_eq!(outages(&outcome).count, 0, "{:?}", outages(&outcome).longest);
}

#[test]
fn each_fault_tells_what_it_touched_and_nothing_where_it_touched_nothing() {
    let node = LEADER;
    let (at, lasts, chance) = (AT, LASTS, Ratio::percent(20));
    let down = Span::from_secs(5);
    let busy = [
        Fault::new(at, down, ProcessFault::Crash { node }),
        Fault::new(at, lasts, ProcessFault::Pause { node }),
        Fault::new(at, lasts, NetworkFault::Loss { chance }),
        Fault::new(at, lasts, NetworkFault::Duplicate { chance }),
        Fault::new(at, lasts, NetworkFault::Reorder { chance }),
        Fault::new(at, lasts, NetworkFault::SlowNetwork { factor: 5 }),
        Fault::new(at, lasts, DiskFault::SlowDisk { node, factor: 5 }),
        Fault::new(at, lasts, ProcessFault::Limp { node, factor: 5 }),
        Fault::new(at, lasts, ClockFault::ClockDrift { node, by: Ratio::percent(1), slow: false }),
        Fault::new(at, lasts, DiskFault::DiskStall { node }),
        Fault::new(at, lasts, DiskFault::DiskFull { node }),
        Fault::new(at, lasts, DiskFault::FsyncError { node }),
    ];
    for fault in busy {
        let outcome = play(&sale_with(std::slice::from_ref(&fault)), 1);
        let told = &faults(&outcome)[0];
        let touched = told.touched;
        let kind = fault.family().name();
        assert!(!touched.is_nothing(), "{kind}");
        let of_disks = [Family::SlowDisk, Family::DiskStall, Family::DiskFull, Family::FsyncError];
        let of_turns = [Family::Pause, Family::Limp, Family::ClockDrift];
        let touches = if of_disks.contains(&fault.family()) {
            touched.writes
        } else if of_turns.contains(&fault.family()) {
            touched.turns
        } else {
            touched.messages
        };
        assert!(touches > 0, "{kind}: {touched:?}");
    }
    // A probability of zero, a wall clock that jumps while no process starts, and a disk that stalls for a
    // microsecond.
    let inert = [
        Fault::new(at, lasts, NetworkFault::Duplicate { chance: Ratio::new(1, 1_000_000_000) }),
        Fault::new(at, lasts, ClockFault::ClockJump { node, by: Span::from_secs(60), back: false }),
        Fault::new(
            at,
            Span(1),
            DiskFault::DiskStall { node: Target::Node(onsale_booking::NodeId(3)) },
        ),
    ];
    for fault in inert {
        let outcome = play(&sale_with(std::slice::from_ref(&fault)), 1);
        let told = &faults(&outcome)[0];
        assert!(told.touched.is_nothing(), "{}: {:?}", told.what, told.touched);
        let page = onsale_reports::terminal::render(&outcome.summary, false, 100);
        assert!(page.contains("touched nothing"), "{page}");
    }
}
