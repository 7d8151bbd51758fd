//! Plans that add to a seed's own plan what earlier plans make worth trying.
//!
//! Owns what is added: drawn faults of a plan that reached something new, as they are, shifted, or at another target;
//! faults that wait for a rare path which that plan took; and faults of families that were tried least. All stay within
//! the scenario's swarm, so what the scenario promises of a seed it promises of such a plan, too. Refuses to know which
//! plans are worth it.

use onsale_booking::{NodeId, Span};
use onsale_scenarios::{Family, Fault, Moment, Swarm, Target, When};
use onsale_world::stream::{Stream, fork};

use crate::fault::swarm;
use crate::plan::Plan;

/// A plan has at most this many times the faults that a seed may draw. A run with more of them reaches more, at hardly
/// any cost.
const FULL: usize = 2;
/// Number of drawn faults of which the one is added whose family was tried least.
const CANDIDATES: usize = 4;
/// Distances by which a fault is shifted: from a write to a failover and beyond.
const SHIFTS: [Span; 5] = [
    Span::from_millis(1),
    Span::from_millis(20),
    Span::from_millis(300),
    Span::from_secs(3),
    Span::from_secs(30),
];

/// The seed's `own` plan with more faults: of `parent`, a plan of the same scenario; at the rare `paths` that it took; of
/// families that were `tried` least. What makes no sound plan is left out. `None` if the scenario has no swarm, or nothing
/// is left.
pub fn near(
    own: &Plan,
    parent: &Plan,
    paths: &[Moment],
    tried: impl Fn(Family) -> u64,
    seed: u64,
) -> Option<Plan> {
    let swarm = own.scenario.swarm.clone()?;
    let mut stream = Stream::new(fork(seed, "near"));
    let mut plan = own.clone();
    let room = (FULL * usize::from(swarm.faults_max)).saturating_sub(drawn(own).len());
    for _ in 0..room {
        let fault = match stream.below(4) {
            0 | 1 => of_parent(parent, &swarm, &mut stream),
            2 if !paths.is_empty() => at_a_path(own, paths, &swarm, &tried, &mut stream),
            _ => least_tried(own, &swarm, &tried, &mut stream),
        };
        let Some(mut fault) = fault else { continue };
        // The seed may have drawn a smaller cluster than the parent's.
        fault.aim_within(own.scenario.cluster.nodes, own.scenario.cluster.zones);
        let once = fault.family().strikes_once();
        if once && plan.faults.iter().any(|known| known.family() == fault.family()) {
            continue;
        }
        let ends = fault.ends();
        plan.faults.push(fault);
        if ends > swarm.until || plan.check().is_err() {
            plan.faults.pop();
        }
    }
    plan.faults.sort_by_key(|fault| fault.at);
    (plan != *own).then_some(plan)
}

/// A drawn fault of the parent, which may be shifted a little or strike another target.
fn of_parent(parent: &Plan, swarm: &Swarm, stream: &mut Stream) -> Option<Fault> {
    let theirs = drawn(parent);
    let (which, most, change) = (stream.draw(), pick(&SHIFTS, stream), stream.below(4));
    let (by, is_later) = (Span(stream.below(most.0 + 1)), stream.below(2) == 0);
    let (role, node) = (stream.below(3), stream.draw());
    let mut fault = parent.faults[*theirs.get(below(which, theirs.len()))?].clone();
    if change == 0 {
        let cluster = &parent.scenario.cluster;
        let target = match role {
            0 if cluster.replicas > 1 => Target::Follower,
            0 | 1 => Target::Leader,
            _ => Target::Node(NodeId(1 + below(node, usize::from(cluster.nodes)) as u16)),
        };
        let mut is_first = true;
        fault.each_target(&mut |known| {
            if std::mem::take(&mut is_first) {
                *known = target;
            }
        });
    } else if change > 1 {
        let at = if is_later { fault.at + by } else { Span(fault.at.0.saturating_sub(by.0)) };
        let length = fault.ends().0 - fault.at.0;
        let latest = Span(swarm.until.0.saturating_sub(length));
        fault = fault.timed(at.min(latest).max(swarm.from), fault.lasts);
    }
    Some(fault)
}

/// A fault that waits for a rare path.
fn at_a_path(
    own: &Plan,
    paths: &[Moment],
    swarm: &Swarm,
    tried: &impl Fn(Family) -> u64,
    stream: &mut Stream,
) -> Option<Fault> {
    let fault = least_tried(own, swarm, tried, stream)?;
    let (moment, is_there) = (pick(paths, stream), stream.below(2) == 0);
    let within = Span(swarm.until.0.saturating_sub((swarm.from + fault.lasts).0));
    let when = When { within, ..When::next(moment) };
    let mut fault = Fault { at: swarm.from, ..fault }.waiting(when);
    if is_there {
        swarm::moments::aim_there(&mut fault);
    }
    Some(fault)
}

/// Of several drawn faults, the first of a family that was tried least.
fn least_tried(
    own: &Plan,
    swarm: &Swarm,
    tried: &impl Fn(Family) -> u64,
    stream: &mut Stream,
) -> Option<Fault> {
    let mut fresh = Vec::new();
    for _ in 0..CANDIDATES {
        fresh.extend(swarm::draw(swarm, &own.scenario, stream.draw()).into_iter().next());
    }
    fresh.into_iter().min_by_key(|fault| tried(fault.family()))
}

/// The faults that the scenario leaves to seeds, by their places in the plan.
fn drawn(plan: &Plan) -> Vec<usize> {
    let is_fixed = |fault: &Fault| plan.scenario.faults.contains(fault);
    (0..plan.faults.len()).filter(|&nth| !is_fixed(&plan.faults[nth])).collect()
}

fn pick<T: Copy>(of: &[T], stream: &mut Stream) -> T {
    of[stream.below(of.len() as u64) as usize]
}

fn below(draw: u64, count: usize) -> usize {
    onsale_world::stream::below(draw, count as u64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(seed: u64) -> Plan {
        let entry = onsale_scenarios::catalogue::find("fast/all-families");
        Plan::new(&entry.expect("it is in the catalogue").scenario(), seed)
    }

    fn paths() -> [Moment; 1] {
        ["mark:peer-suspected".parse().expect("it is a moment")]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_near_plan_is_sound_and_stays_in_the_swarm(own: u64, parent: u64, seed: u64) {
            let (own, parent) = (plan(own), plan(parent));
            let Some(near) = near(&own, &parent, &paths(), |_| 0, seed) else { return Ok(()) };
            prop_assert!(near.check().is_ok());
            let swarm = own.scenario.swarm.clone().expect("it swarms");
            prop_assert!(near.faults.len() <= FULL * usize::from(swarm.faults_max));
            for fault in &near.faults {
                prop_assert!(swarm.families.contains(&fault.family()));
                prop_assert!(fault.at >= swarm.from && fault.ends() <= swarm.until);
            }
            prop_assert_eq!(super::near(&own, &parent, &paths(), |_| 0, seed), Some(near));
        }
    }

    #[test]
    fn a_near_plan_is_the_seeds_own_and_more() {
        let (own, parent) = (plan(7), plan(8));
        let (mut made, mut at_a_path, mut of_parent) = (0, 0, 0);
        for near in (0..200).filter_map(|seed| near(&own, &parent, &paths(), |_| 0, seed)) {
            made += 1;
            assert_eq!((&near.scenario, &near.streams), (&own.scenario, &own.streams));
            assert!(own.faults.iter().all(|fault| near.faults.contains(fault)));
            assert!(near.faults.len() > own.faults.len());
            let waits = |fault: &&Fault| fault.when.is_some_and(|when| when.moment == paths()[0]);
            at_a_path += near.faults.iter().filter(waits).count();
            let theirs = |fault: &&Fault| parent.faults.contains(fault);
            of_parent += near.faults.iter().filter(theirs).count();
        }
        assert!(made > 150 && at_a_path > 50 && of_parent > 20, "{made} {at_a_path} {of_parent}");
    }

    #[test]
    fn families_that_were_tried_least_come_first() {
        let (own, parent) = (plan(7), plan(8));
        let count = |loved: Family| {
            let tried = |family: Family| u64::from(family != loved);
            let plans = (0..100).filter_map(|seed| near(&own, &parent, &[], tried, seed));
            let faults = plans.flat_map(|plan| plan.faults);
            faults.filter(|fault| fault.family() == loved).count()
        };
        let even = (0..100).filter_map(|seed| near(&own, &parent, &[], |_| 0, seed));
        let even = even.flat_map(|plan| plan.faults);
        let even = even.filter(|fault| fault.family() == Family::BitRot).count();
        assert!(count(Family::BitRot) > 2 * even, "{} and {even}", count(Family::BitRot));
    }

    #[test]
    fn a_scenarios_own_faults_stay() {
        let entry = onsale_scenarios::catalogue::find("fast/elastic-faults");
        let scenario = entry.expect("it is in the catalogue").scenario();
        let (own, parent) = (Plan::new(&scenario, 1), Plan::new(&scenario, 2));
        for near in (0..200).filter_map(|seed| near(&own, &parent, &paths(), |_| 0, seed)) {
            assert!(scenario.faults.iter().all(|fault| near.faults.contains(fault)));
        }
    }
}
