//! How a seed expands into a plan.
//!
//! Owns the streams that a plan names, and the order: the machines first, then the scenario's own faults before the
//! drawn ones, then the crowd. Refuses to know how a fault is drawn: that is in its family's file.

mod mix;
mod profile;

use std::collections::BTreeMap;

use onsale_reports::json::seed::Seed;
use onsale_scenarios::{Fault, Scenario};
use onsale_world::stream::{Stream, fork};

use crate::fault::{clock, swarm};
use crate::plan::{Plan, SCHEMA};
use crate::run::bounds;

/// The streams that every plan names.
const STREAMS: [&str; 4] = ["demand", "room", "network", "nodes"];

impl Plan {
    /// Expands a seed. Under the seed of the scenario's `[replay]`, the streams given there replace the drawn
    /// ones.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut scenario = scenario.clone();
        let swarm = scenario.swarm.clone();
        if swarm.as_ref().is_some_and(|swarm| swarm.profiles) {
            profile::draw(&mut scenario, seed);
        }
        let mut streams: BTreeMap<String, u64> =
            STREAMS.iter().map(|&name| (name.to_owned(), fork(seed, name))).collect();
        for node in 1..=scenario.cluster.numbers() {
            let name = format!("disk/{node}");
            streams.insert(name.clone(), fork(seed, &name));
        }
        if let Some(replay) = scenario.replay.as_ref().filter(|replay| replay.seed.0 == seed) {
            streams.extend(replay.streams.iter().map(|(name, Seed(seed))| (name.clone(), *seed)));
        }
        let mut faults = scenario.faults.clone();
        if let Some(swarm) = swarm {
            faults.extend(swarm::draw(&swarm, &scenario, seed));
            if swarm.mix {
                mix::draw(&mut scenario, seed);
            }
            fit_clocks(&mut faults, &scenario);
        }
        faults.sort_by_key(|fault| fault.at);
        Self { schema: SCHEMA, seed, streams, faults, scenario }
    }
}

/// Shortens drawn jumps of clocks that would leave no time to judge facts.
fn fit_clocks(faults: &mut [Fault], scenario: &Scenario) {
    let ends = faults.iter().map(Fault::ends).max().unwrap_or_default();
    let (own, drawn) = faults.split_at_mut(scenario.faults.len());
    if let Some(most) = bounds::wrong_at_most(scenario, ends) {
        clock::shorten_jumps(drawn, bounds::wrong_with(scenario, own), most);
    }
}

fn pick<T: Clone>(of: &[T], stream: &mut Stream) -> T {
    of[stream.below(of.len() as u64) as usize].clone()
}

#[cfg(test)]
mod tests {
    use onsale_booking::Span;
    use onsale_scenarios::{Fault, MembersFault, What};
    use proptest::prelude::*;

    use super::*;

    fn swarming() -> Scenario {
        onsale_scenarios::catalogue::find("fast/all-families")
            .expect("it is in the catalogue")
            .scenario()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_seed_expands_the_same_every_time_and_survives_json(seed: u64) {
            let scenario = swarming();
            let plan = Plan::new(&scenario, seed);
            prop_assert_eq!(&plan, &Plan::new(&scenario, seed));
            let read: Plan = serde_json::from_str(&plan.to_json()).expect("a printed plan reads back");
            prop_assert_eq!(read, plan);
        }

        #[test]
        fn what_is_drawn_makes_a_sound_plan(seed: u64, room: bool) {
            let mut scenario = swarming();
            scenario.crowd.waiting_room = room.then(|| onsale_scenarios::WaitingRoom {
                opening: Span::from_secs(30),
                ..onsale_scenarios::WaitingRoom::default()
            });
            scenario.sale.seats_per_request = 6;
            let plan = Plan::new(&scenario, seed);
            prop_assert!(plan.check().is_ok(), "{:?}", plan.check());
            prop_assert_eq!(plan.scenario.crowd.users, scenario.crowd.users);
        }

        #[test]
        fn drawn_faults_stay_in_their_bounds(seed: u64) {
            let scenario = swarming();
            let swarm = scenario.swarm.clone().expect("it swarms");
            let plan = Plan::new(&scenario, seed);
            prop_assert!(plan.faults.len() <= usize::from(swarm.faults_max));
            for fault in &plan.faults {
                prop_assert!(fault.at >= swarm.from);
                prop_assert!(fault.ends() <= swarm.until);
                prop_assert!(swarm.families.contains(&fault.family()));
            }
        }
    }

    #[test]
    fn drawn_clocks_leave_time_to_judge_facts() {
        let mut longest = Span::ZERO;
        for id in ["fast/facts-all-families", "fast/facts-swarm", "rare/facts-unheard"] {
            let scenario = onsale_scenarios::catalogue::find(id).expect("it is there").scenario();
            for seed in 0..200 {
                let plan = Plan::new(&scenario, seed);
                let wrong = bounds::wrong_with(&plan.scenario, &plan.faults);
                let most = bounds::wrong_at_most(&plan.scenario, plan.calm_from());
                assert!(Some(wrong) <= most, "{id} {seed}: {wrong} of {most:?}");
                longest = longest.max(wrong);
            }
        }
        assert!(longest > Span::from_secs(30), "{longest}: beyond the drift that nodes accept");
    }

    #[test]
    fn seeds_differ_in_kind() {
        let scenario = swarming();
        let kinds: std::collections::BTreeSet<Vec<_>> = (0..50)
            .map(|seed| Plan::new(&scenario, seed).faults.iter().map(Fault::family).collect())
            .collect();
        assert!(kinds.len() > 20, "{} kinds of run in 50 seeds", kinds.len());
    }

    #[test]
    fn crowds_differ_in_kind_unless_mix_is_off() {
        let mut scenario = swarming();
        let crowds = |scenario: &Scenario| {
            let plans = (0..50).map(|seed| Plan::new(scenario, seed).scenario);
            let told = plans.map(|drawn| format!("{:?} {:?}", drawn.crowd, drawn.sale));
            told.collect::<std::collections::BTreeSet<_>>().len()
        };
        scenario.swarm.as_mut().expect("it swarms").profiles = false;
        assert!(crowds(&scenario) > 40, "{} kinds of crowd in 50 seeds", crowds(&scenario));
        scenario.swarm.as_mut().expect("it swarms").mix = false;
        assert_eq!(crowds(&scenario), 1);
    }

    #[test]
    fn at_most_one_node_is_drawn_to_be_lost_and_often_a_new_one() {
        let scenario = onsale_scenarios::catalogue::find("fast/elastic-faults")
            .expect("it is in the catalogue")
            .scenario();
        let join = scenario.faults.iter().find(|fault| !fault.joining().is_empty());
        let join = join.expect("nodes join");
        let (mut lost, mut new) = (0, 0);
        for seed in 0..600 {
            let plan = Plan::new(&scenario, seed);
            assert!(plan.check().is_ok(), "seed {seed}: {:?}", plan.check());
            for fault in &plan.faults {
                let What::Members(MembersFault::Replace { node, .. }) = &fault.what else {
                    continue;
                };
                lost += 1;
                let since = fault.at.0.saturating_sub(join.at.0);
                let is_new = fault.when.is_none() && join.joining().contains(node);
                new += u32::from(is_new && since < 10_000_000);
            }
        }
        assert!(lost > 30 && new > 8 && new < lost, "{lost} lost, {new} of them new");
    }

    #[test]
    fn removing_a_family_changes_no_fault_of_the_others() {
        let mut with = swarming();
        // A fault that follows another is of the other's family as well.
        with.swarm.as_mut().expect("it swarms").moments = false;
        let mut without = with.clone();
        let swarm = without.swarm.as_mut().expect("it swarms");
        let gone = swarm.families.pop().expect("it has families");
        for seed in 0..50 {
            let all = Plan::new(&with, seed).faults;
            let fewer = Plan::new(&without, seed).faults;
            let kept: Vec<_> = all.into_iter().filter(|fault| fault.family() != gone).collect();
            assert!(kept.iter().all(|fault| fewer.contains(fault)), "seed {seed}");
        }
    }
}
