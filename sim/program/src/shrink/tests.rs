//! The search over plans without real runs: predicates say which plans fail.

use std::sync::atomic::{AtomicU64, Ordering};

use onsale_booking::NodeId;
use onsale_scenarios::{
    Cut, Family, Fault, Moment, NetworkFault, ProcessFault, Ratio, Scenario, Target, What, When,
};
use proptest::prelude::*;

use super::*;

/// 300 people, five nodes, and the faults that the seed draws.
fn plan(seed: u64) -> Plan {
    let mut scenario = onsale_scenarios::catalogue::find("fast/all-families").unwrap().scenario();
    scenario.crowd.users = 300;
    Plan::new(&scenario, seed)
}

fn signature() -> Signature {
    Signature { oracle: "hold".to_owned(), kind: "uN is unhappy".to_owned() }
}

/// A run that fails if the predicate says so. The evidence names nobody.
fn fails_if(
    predicate: impl Fn(&Plan) -> bool + Sync,
) -> impl Fn(&Plan, &Arc<Progress>) -> Trial + Sync {
    move |plan, _| {
        let failure = Failure {
            signature: signature(),
            people: BTreeSet::new(),
            follow: Vec::new(),
            found: None,
        };
        Trial {
            failures: if predicate(plan) { vec![failure] } else { Vec::new() },
            ended: plan.scenario.duration,
            ..Trial::default()
        }
    }
}

fn shrunk(plan: &Plan, jobs: usize, predicate: impl Fn(&Plan) -> bool + Sync) -> Shrunk {
    let runner = fails_if(predicate);
    let start = Case { plan: plan.clone(), trial: runner(plan, &Arc::default()) };
    shrink(start, &signature(), jobs, &runner, &mut |_| true)
}

fn numbers(plan: &Plan) -> Vec<u32> {
    let mut numbers: Vec<u32> =
        people::list(plan).unwrap_or_default().iter().map(|&(_, number)| number).collect();
    numbers.sort_unstable();
    numbers
}

/// Whether these people come, in a crowd of any size.
fn come(plan: &Plan, who: &[u32]) -> bool {
    match people::list(plan) {
        Some(_) => who.iter().all(|user| numbers(plan).contains(user)),
        None => who.iter().all(|&user| user < plan.scenario.crowd.users),
    }
}

#[test]
fn only_the_people_who_matter_stay_and_come_when_they_came() {
    let (plan, who) = (plan(1), [17, 142, 299]);
    let instants = |plan: &Plan| {
        let named = people::named(plan).pop().unwrap_or_else(|| plan.clone());
        let all = people::list(&named).unwrap().iter().filter(|(_, user)| who.contains(user));
        all.copied().collect::<Vec<_>>()
    };
    let expected = instants(&plan);
    // The instant of their arrival does not matter here.
    let end = shrunk(&plan, 1, |plan| come(plan, &who) && instants(plan) == expected);
    assert!(end.is_finished);
    assert_eq!(numbers(&end.best.plan), who);
    assert_eq!(end.best.plan.scenario.crowd.users, 3);
    assert!(end.best.plan.faults.is_empty());
    assert!(end.runs < 1_000, "{} runs", end.runs);
}

#[test]
fn everything_that_does_not_matter_goes() {
    let end = shrunk(&plan(1), 2, |_| true).best.plan;
    assert!(end.faults.is_empty());
    let Scenario { cluster, sale, crowd, .. } = &end.scenario;
    assert_eq!((cluster.nodes, cluster.shards, cluster.replicas), (3, 1, 1));
    assert_eq!((sale.shows, sale.sections, sale.rows, sale.seats_per_row), (1, 1, 1, 1));
    assert_eq!(crowd.users, 1);
    assert!(end.scenario.network.jitter.is_never() && end.scenario.disk.tail.is_never());
    assert!(end.scenario.duration <= Span::from_millis(1));
    assert!(luck::is_plain(&end), "a scenario and a seed say it all");
    assert!(end.check().is_ok());
}

#[test]
fn the_faults_that_matter_stay_and_become_shorter() {
    let crash = |at, number| {
        Fault::new(
            Span::from_secs(at),
            Span::from_secs(20),
            ProcessFault::Crash { node: Target::Node(NodeId(number)) },
        )
    };
    let mut plan = plan(1);
    plan.faults = (1..=5).map(|number| crash(20 * u64::from(number), number)).collect();
    let end = shrunk(&plan, 2, |plan| {
        let downs: Vec<Span> = plan.faults.iter().map(|fault| fault.lasts).collect();
        downs.len() >= 2 && downs.iter().all(|&down| down >= Span::from_secs(3))
    });
    let faults = &end.best.plan.faults;
    assert_eq!(faults.len(), 2);
    assert!(faults.iter().all(|fault| fault.lasts == Span::from_secs(3)), "{faults:?}");
    assert_eq!(end.best.plan.scenario.faults, *faults, "the scenario says the same");
    // A fault that struck a removed node strikes one that is left.
    assert_eq!(end.best.plan.scenario.cluster.nodes, 3);
}

#[test]
fn a_fault_becomes_a_simpler_one_if_that_is_enough() {
    let mut plan = plan(1);
    plan.faults =
        vec![Fault::new(Span::from_secs(60), Span::from_secs(9), ProcessFault::PowerLoss {})];
    let struck = |families: &'static [Family]| {
        move |plan: &Plan| plan.faults.iter().any(|fault| families.contains(&fault.family()))
    };
    let end = shrunk(&plan, 1, struck(&[Family::PowerLoss, Family::ZoneLoss]));
    assert_eq!(end.best.plan.faults[0].family(), Family::ZoneLoss);
    let end = shrunk(&plan, 1, struck(&[Family::PowerLoss, Family::Crash]));
    assert_eq!(end.best.plan.faults[0].family(), Family::Crash);
}

#[test]
fn what_is_lost_by_chance_becomes_one_node_that_nobody_hears() {
    let (at, lasts, chance) = (Span::from_secs(60), Span::from_secs(8), Ratio::percent(28));
    let mut plan = plan(1);
    let loss = Fault::new(at, lasts, NetworkFault::Loss { chance });
    plan.faults = vec![loss.clone()];
    // Only that very fault loses the right messages, or silences the second node in the 63rd second.
    let instant = Span::from_secs(63);
    let end = shrunk(&plan, 1, |plan| {
        plan.faults.iter().any(|fault| {
            let (at, lasts) = (fault.at, fault.lasts);
            let silent = at <= instant && instant < at + lasts && lasts <= Span::from_secs(1);
            *fault == loss
                || silent
                    && fault.what
                        == What::Network(NetworkFault::Partition {
                            cut: Cut::OneWay(Target::Node(NodeId(2))),
                        })
        })
    });
    let faults = &end.best.plan.faults;
    let families: Vec<_> = faults.iter().map(Fault::family).collect();
    assert_eq!(families, [Family::Partition], "{faults:?}");
}

#[test]
fn links_that_clog_are_made_narrow_around_one_node() {
    let (at, lasts) = (Span::from_secs(60), Span::from_secs(8));
    let mut plan = plan(1);
    plan.faults =
        vec![Fault::new(at, lasts, NetworkFault::Congestion { node: None, kib_per_s: 13 })];
    let clogs = |fault: &Fault| fault.family() == Family::Congestion;
    let end = shrunk(&plan, 1, |plan| plan.faults.iter().any(clogs));
    let faults = &end.best.plan.faults;
    let [Fault { what: What::Network(NetworkFault::Congestion { node, kib_per_s }), .. }] =
        &faults[..]
    else {
        panic!("{faults:?}");
    };
    assert!(node.is_some() && *kib_per_s == 1, "{faults:?}");
}

#[test]
fn sizes_end_at_the_least_that_fails() {
    let end = shrunk(&plan(1), 2, |plan| {
        let Scenario { cluster, sale, crowd, .. } = &plan.scenario;
        cluster.shards >= 11 && sale.rows >= 4 && sale.shows >= 3 && crowd.session.tries >= 2
    });
    let Scenario { cluster, sale, crowd, .. } = &end.best.plan.scenario;
    assert_eq!((cluster.shards, sale.rows, sale.shows, crowd.session.tries), (11, 4, 3, 2));
}

#[test]
fn a_setting_that_matters_stays_and_what_a_failure_is_measured_by_is_not_touched() {
    let mut plan = plan(1);
    plan.scenario.cluster.gateway.tries = 9;
    plan.scenario.cluster.election_ticks = 31;
    plan.scenario.network.loss = Ratio::new(1, 20);
    plan.scenario.calm = Span::from_secs(77);
    plan.scenario.limits = vec!["hold p99 < 500ms".parse().unwrap()];
    plan.scenario.sale.grace = Span::from_secs(4);
    let end = shrunk(&plan, 2, |plan| {
        plan.scenario.cluster.gateway.tries == 9 && !plan.scenario.network.loss.is_never()
    });
    let scenario = &end.best.plan.scenario;
    assert_eq!(scenario.cluster.gateway.tries, 9);
    assert_eq!(scenario.network.loss, Ratio::new(1, 20));
    assert_eq!(scenario.cluster.election_ticks, Scenario::default().cluster.election_ticks);
    assert_eq!(scenario.sale.grace, Scenario::default().sale.grace);
    assert_eq!(scenario.calm, Span::from_secs(77));
    assert!(scenario.limits.is_empty(), "it was not a limit that was missed");
}

#[test]
fn other_streams_are_tried_for_what_hangs_on_them() {
    let mut plan = plan(1);
    // It fails on the large cluster as drawn, and on a small one only under some streams.
    let lucky = |plan: &Plan| plan.stream("network") % 4 == 1;
    while lucky(&plan) {
        plan = self::plan(plan.seed + 1);
    }
    let end = shrunk(&plan, 2, |plan| plan.scenario.cluster.nodes == 5 || lucky(plan));
    assert_eq!(end.best.plan.scenario.cluster.nodes, 3);
}

#[test]
fn the_end_is_the_same_on_any_number_of_threads() {
    let plan = plan(3);
    let matters = |plan: &Plan| {
        let crowd = &plan.scenario.crowd;
        come(plan, &[5, 170])
            && plan.scenario.duration >= Span::from_secs(31)
            && (!plan.stream("network").is_multiple_of(3) || crowd.users > 50)
    };
    let one = shrunk(&plan, 1, matters);
    assert_eq!(one.best, shrunk(&plan, 4, matters).best);
    assert_eq!(one.best, shrunk(&one.best.plan, 2, matters).best, "a shrunk plan stays");
}

#[test]
fn a_search_without_budget_changes_nothing() {
    let plan = plan(1);
    let runs = AtomicU64::new(0);
    let fails = fails_if(|_| {
        runs.fetch_add(1, Ordering::Relaxed);
        true
    });
    let start = Case { plan: plan.clone(), trial: fails(&plan, &Arc::default()) };
    let end = shrink(start.clone(), &signature(), 2, &fails, &mut |_| false);
    assert_eq!(end, Shrunk { best: start, runs: 0, is_finished: false });
    assert_eq!(runs.load(Ordering::Relaxed), 1, "the one before the search");
}

#[test]
fn a_search_that_is_called_off_keeps_the_best_that_it_told() {
    let (plan, runner) = (plan(1), fails_if(|plan| come(plan, &[9])));
    let start = Case { plan: plan.clone(), trial: runner(&plan, &Arc::default()) };
    let (mut told, mut left) = (None, 12);
    let end = shrink(start, &signature(), 1, &runner, &mut |standing| {
        if standing.is_new {
            told = Some(standing.best.clone());
        }
        left -= 1;
        left > 0
    });
    assert!(!end.is_finished);
    assert_eq!(Some(end.best), told);
}

#[test]
fn another_failure_is_not_taken_for_the_one_that_is_shrunk() {
    let mut plan = plan(1);
    plan.scenario.crowd.users = 20;
    let runner = |plan: &Plan, _: &Arc<Progress>| {
        let mut signature = signature();
        if plan.scenario.crowd.users < 20 {
            signature.kind = "uN is unhappy in another way".to_owned();
        }
        let failure =
            Failure { signature, people: BTreeSet::new(), follow: Vec::new(), found: None };
        Trial { failures: vec![failure], ended: plan.scenario.duration, ..Trial::default() }
    };
    let start = Case { plan: plan.clone(), trial: runner(&plan, &Arc::default()) };
    let end = shrink(start, &signature(), 2, &runner, &mut |_| true);
    assert_eq!(end.best.plan.scenario.crowd.users, 20);
    assert!(end.best.plan.faults.is_empty(), "what it does not hang on goes");
}

/// In a crowd of 300,000 a run takes seconds. The failure needs three people and their time.
#[test]
fn a_slow_failure_gets_small_without_many_slow_runs() {
    let (mut plan, who) = (plan(1), [17, 142_001, 299_999]);
    plan.scenario.crowd.users = 300_000;
    let found = Span::from_secs(250);
    let asked = AtomicU64::new(0);
    let runner = |plan: &Plan, _: &Arc<Progress>| {
        let Scenario { crowd, duration, .. } = &plan.scenario;
        // The cost of a run: people, as long as it lasts.
        asked.fetch_add(u64::from(crowd.users) * duration.0 / 1_000_000, Ordering::Relaxed);
        let failure = Failure {
            signature: signature(),
            people: who.into_iter().collect(),
            follow: Vec::new(),
            found: Some(found.min(*duration)),
        };
        let fails = come(plan, &who);
        Trial {
            failures: if fails { vec![failure] } else { Vec::new() },
            ended: *duration,
            ..Trial::default()
        }
    };
    let start = Case { plan: plan.clone(), trial: runner(&plan, &Arc::default()) };
    let first = asked.swap(0, Ordering::Relaxed);
    let end = shrink(start, &signature(), 2, &runner, &mut |_| true);
    assert_eq!(numbers(&end.best.plan), who);
    let asked = asked.into_inner();
    assert!(asked < first / 10, "{asked} against {first} of the run that was shrunk");
    assert_eq!(
        end.best.plan.scenario.title,
        "hold fails with 3 people, 1 show, 3 nodes and 1 shard"
    );
}

#[test]
fn a_run_ends_where_its_failure_was_found() {
    let plan = plan(1);
    let found = Span(61_234_567);
    let (runs, long) = (AtomicU64::new(0), AtomicU64::new(0));
    let runner = |plan: &Plan, _: &Arc<Progress>| {
        runs.fetch_add(1, Ordering::Relaxed);
        long.fetch_add(u64::from(plan.scenario.duration > Span::from_secs(62)), Ordering::Relaxed);
        let failure = Failure {
            signature: signature(),
            people: BTreeSet::new(),
            follow: Vec::new(),
            found: Some(found),
        };
        let fails = plan.scenario.duration > found;
        Trial {
            failures: if fails { vec![failure] } else { Vec::new() },
            ended: plan.scenario.duration,
            ..Trial::default()
        }
    };
    let start = Case { plan: plan.clone(), trial: runner(&plan, &Arc::default()) };
    let end = shrink(start, &signature(), 1, &runner, &mut |_| true);
    let ends = end.best.plan.scenario.duration;
    assert!(found < ends && ends <= Span::from_secs(62), "{ends}");
    assert!(ends.0.is_multiple_of(10_000), "{ends} reads well");
    let (runs, long) = (runs.into_inner(), long.into_inner());
    assert!(long < 40 && runs > 2 * long, "{long} of {runs} runs go on for long after it");
}

#[test]
fn a_fault_that_has_to_strike_late_strikes_at_an_instant_that_reads_well() {
    let mut plan = plan(1);
    plan.scenario.crowd.users = 3;
    let (at, lasts) = (Span(60_119_244), Span::from_secs(8));
    plan.faults = vec![Fault::new(at, lasts, NetworkFault::Duplicate { chance: Ratio::ALWAYS })];
    let end = shrunk(&plan, 1, |plan| {
        plan.faults.iter().any(|fault| {
            let heals = fault.ends();
            fault.family() == Family::Duplicate && heals > at && fault.at >= Span(119_244)
        })
    });
    let fault = &end.best.plan.faults[0];
    assert!(fault.at.0.is_multiple_of(1_000), "{fault:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// A failure that needs few people and faults keeps no others.
    #[test]
    fn nothing_stays_that_can_go(
        seed: u64,
        who in prop::collection::btree_set(0_u32..60, 1..5),
        jobs in 1_usize..4,
    ) {
        let mut plan = plan(seed);
        plan.scenario.crowd.users = 60;
        let who: Vec<u32> = who.into_iter().collect();
        let needs = plan.faults.first().map(Fault::family);
        let fails = |plan: &Plan| {
            come(plan, &who)
                && needs.is_none_or(|needs| plan.faults.iter().any(|fault| fault.family() == needs))
        };
        let end = shrunk(&plan, jobs, fails);
        prop_assert_eq!(numbers(&end.best.plan), who);
        prop_assert_eq!(end.best.plan.faults.len(), usize::from(needs.is_some()));
        prop_assert!(end.best.plan.check().is_ok());
    }
}

/// A fault that waits for a moment keeps it: its wait becomes simple, and only in the end it strikes at the instant.
#[test]
fn a_moment_stays_until_nothing_else_is_left() {
    let when = When {
        node: Some(Target::Leader),
        count: 7,
        delay: Span::from_millis(20),
        ..When::next(Moment::Voting)
    };
    let mut plan = plan(1);
    let crash = ProcessFault::Crash { node: Target::There };
    plan.faults = vec![Fault::new(Span::from_secs(40), Span::from_secs(9), crash).waiting(when)];
    let crashes = |plan: &Plan| plan.faults.iter().any(|it| it.family() == Family::Crash);

    let waits = |plan: &Plan| crashes(plan) && plan.faults[0].when.is_some();
    let [fault] = &shrunk(&plan, 1, waits).best.plan.faults[..] else { panic!("one fault stays") };
    let simple =
        When { within: fault.when.expect("it waits").within, ..When::next(Moment::Voting) };
    assert_eq!(fault.when, Some(simple));
    assert!(simple.within <= Span::from_millis(1), "{fault:?}");

    let strike = (Span::ZERO, Target::Node(NodeId(3)));
    let runner = fails_if(crashes);
    let struck = |plan: &Plan, progress: &Arc<Progress>| {
        let waits = plan.faults.iter().position(|fault| fault.when.is_some());
        let strikes = waits.map(|nth| (nth, strike)).into_iter().collect();
        Trial { strikes, ..runner(plan, progress) }
    };
    let start = Case { plan: plan.clone(), trial: struck(&plan, &Arc::default()) };
    let end = shrink(start, &signature(), 1, &struck, &mut |_| true).best.plan;
    assert_eq!(end.faults[0].when, None, "{:?}", end.faults);
    assert_eq!(end.faults[0].what, ProcessFault::Crash { node: strike.1 }.into());
}

/// Idle time in the window of a fault that waits shortens the window; idle time after it shortens the fault.
#[test]
fn the_idle_time_of_a_fault_that_waits_is_closed_where_it_is() {
    let secs = Span::from_secs;
    let mut waits = plan(1);
    let when = When { within: secs(30), ..When::next(Moment::Voting) };
    let crash = ProcessFault::Crash { node: Target::There };
    waits.faults = vec![Fault::new(secs(10), secs(12), crash).waiting(when)];
    let closed = |length: u64| {
        let mut plan = waits.clone();
        let gaps = time::gaps(&plan, secs(1));
        let gap = gaps.iter().find(|gap| (gap.get)(&plan) == secs(length).0);
        (gap.expect("there is such a gap").set)(&mut plan, secs(1).0);
        let fault = &plan.faults[0];
        (fault.at, fault.when.map(|when| when.within), fault.lasts)
    };
    assert_eq!(closed(30), (secs(10), Some(secs(1)), secs(12)));
    assert_eq!(closed(12), (secs(10), Some(secs(30)), secs(1)));
}
