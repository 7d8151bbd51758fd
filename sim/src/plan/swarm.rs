//! Faults drawn from a seed.
//!
//! Owns how a seed chooses: first which families are on, then how many faults of each,
//! their instants, lengths, targets and strengths. Each family draws from a stream of
//! its own, so that a new family moves no fault of the old ones.

use onsale_core::{NodeId, Span};
use onsale_scenarios::{Cut, Family, Fault, Ratio, Scenario, Swarm, Target};

use crate::stream::{Stream, below, fork};

/// The faults of one seed, in no particular order.
pub(super) fn draw(swarm: &Swarm, scenario: &Scenario, seed: u64) -> Vec<Fault> {
    let mut drawn: Vec<(bool, u64, Fault)> = Vec::new();
    for &family in &swarm.families {
        let mut stream = Stream::new(fork(seed, &format!("swarm/{}", family.name())));
        let off = stream.below(2) == 0;
        let most = u64::from(swarm.faults_max).div_ceil(2).max(1);
        for _ in 0..=stream.below(most) {
            // The order in which faults are kept is drawn with them, so that it favours no family.
            let rank = stream.draw();
            drawn.push((off, rank, one(family, swarm, scenario, &mut stream)));
        }
    }
    // Families that are off stand last: they fill up a seed that would have too few.
    drawn.sort_by_key(|&(off, rank, _)| (off, rank));
    let on = drawn.iter().take_while(|&&(off, ..)| !off).count();
    drawn.truncate(on.clamp(usize::from(swarm.faults_min), usize::from(swarm.faults_max)));
    drawn.into_iter().map(|(.., fault)| fault).collect()
}

fn one(family: Family, swarm: &Swarm, scenario: &Scenario, stream: &mut Stream) -> Fault {
    let window = swarm.until - swarm.from;
    let longest = swarm.lasts_max.min(window);
    let lasts = swarm.lasts_min.min(longest)
        + Span(stream.below(longest.0.saturating_sub(swarm.lasts_min.0) + 1));
    let at = swarm.from + Span(stream.below((window - lasts).0 + 1));
    let target = target(scenario, stream);
    let strength = stream.draw();
    let share = |strength: u64| Ratio { num: 1 + below(strength, 30) as u32, den: 100 };
    match family {
        Family::Crash => Fault::Crash { at, node: target, down: lasts },
        Family::Pause => Fault::Pause { at, node: target, lasts },
        Family::ZoneLoss => {
            let zone = 1 + below(strength, u64::from(scenario.cluster.zones)) as u16;
            Fault::ZoneLoss { at, zone, down: lasts }
        }
        Family::PowerLoss => Fault::PowerLoss { at, down: lasts },
        Family::Partition => {
            let cut = match below(strength, 6) {
                0 => Cut::Isolate(vec![target]),
                1 => Cut::Isolate(vec![target, Target::Follower]),
                2 => Cut::Halves,
                3 => Cut::OneWay(target),
                4 => Cut::MajorityRing,
                _ => Cut::Bridge,
            };
            Fault::Partition { at, lasts, cut }
        }
        Family::Loss => Fault::Loss { at, lasts, chance: share(strength) },
        Family::Duplicate => Fault::Duplicate { at, lasts, chance: share(strength) },
        Family::Reorder => Fault::Reorder { at, lasts, chance: share(strength) },
        Family::SlowNetwork => {
            Fault::SlowNetwork { at, lasts, factor: 2 + below(strength, 49) as u32 }
        }
        Family::SlowDisk => {
            Fault::SlowDisk { at, lasts, node: target, factor: 2 + below(strength, 99) as u32 }
        }
    }
}

/// Half of all targets are the owner of the hot show: that is where it hurts.
fn target(scenario: &Scenario, stream: &mut Stream) -> Target {
    let (kind, node) = (stream.below(4), stream.below(u64::from(scenario.cluster.nodes)));
    match kind {
        0 | 1 => Target::Owner,
        2 => Target::Follower,
        _ => Target::Node(NodeId(1 + node as u16)),
    }
}
