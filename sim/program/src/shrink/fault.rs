//! Fewer, simpler, later and shorter faults.
//!
//! Owns which faults are simpler than others and how one is moved in time. Refuses to know
//! what a fault does.

use std::ops::Range;

use onsale_booking::{NodeId, Span};
use onsale_scenarios::{Cut, Fault, Ratio, Target};
use onsale_sim::plan::Plan;

use super::{Dial, one, readable};

/// A shorter fault makes no simpler story.
pub(super) const LASTS_LEAST: Span = Span::from_millis(1);

/// The plan without some of its faults.
pub(super) fn without(plan: &Plan, which: Range<usize>) -> Option<Plan> {
    let mut plan = plan.clone();
    plan.faults.drain(which);
    Some(plan)
}

/// The plan with one fault simpler, for each fault and each way: fewer nodes, fewer links, and
/// nothing left to chance.
pub(super) fn simpler(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (nth, fault) in plan.faults.iter().enumerate() {
        for simpler in simpler_than(fault, plan.scenario.cluster.nodes, plan.scenario.cluster.zones)
        {
            let mut plan = plan.clone();
            plan.faults[nth] = simpler;
            plans.push(plan);
        }
    }
    plans
}

fn simpler_than(fault: &Fault, nodes: u16, zones: u16) -> Vec<Fault> {
    let (at, lasts) = (fault.at(), fault.lasts());
    let crashes =
        || [Target::Owner, Target::Follower].map(|node| Fault::Crash { at, node, down: lasts });
    let isolation = |node| Fault::Partition { at, lasts, cut: Cut::Isolate(vec![node]) };
    match fault {
        Fault::PowerLoss { .. } => {
            let zone_losses = (1..=zones).map(|zone| Fault::ZoneLoss { at, zone, down: lasts });
            crashes().into_iter().chain(zone_losses).collect()
        }
        Fault::ZoneLoss { .. } | Fault::Restart { .. } => crashes().into(),
        Fault::RollingRestart { patience, down, .. } => [Target::Owner, Target::Follower]
            .map(|node| Fault::Restart { at, node, patience: *patience, down: *down })
            .into(),
        Fault::Partition { cut, .. } => match cut {
            Cut::Isolate(nodes) if nodes.len() == 1 => Vec::new(),
            Cut::Isolate(nodes) => nodes.iter().map(|&node| isolation(node)).collect(),
            Cut::Halves | Cut::OneWay(_) | Cut::MajorityRing | Cut::Bridge => {
                vec![isolation(Target::Owner), isolation(Target::Follower)]
            }
        },
        // What is lost by chance hangs on every message before it: whoever loses all is surer.
        Fault::Loss { .. } => {
            let mute = (1..=nodes).map(|node| Cut::OneWay(Target::Node(NodeId(node))));
            let surer = mute.flat_map(|cut| parts(&Fault::Partition { at, lasts, cut }));
            surer.chain(certain(fault)).collect()
        }
        Fault::Duplicate { .. } | Fault::Reorder { .. } | Fault::OneWayLoss { .. } => {
            certain(fault)
        }
        Fault::CrashLoop { node, .. } => vec![Fault::Crash { at, node: *node, down: lasts }],
        Fault::Flapping { node, .. } => vec![isolation(*node)],
        Fault::Swizzle { cut, mend, .. } => swizzles_with_fewer(fault, cut, mend),
        Fault::Congestion { node: None, kib_per_s, .. } => [Target::Owner, Target::Follower]
            .map(|node| Fault::Congestion { at, lasts, node: Some(node), kib_per_s: *kib_per_s })
            .into(),
        // It takes fewer people to clog a narrower link.
        Fault::Congestion { node: Some(node), kib_per_s, .. } if *kib_per_s > 1 => {
            vec![Fault::Congestion { at, lasts, node: Some(*node), kib_per_s: kib_per_s / 2 }]
        }
        // A crash is the simplest thing that can happen to what a disk holds.
        Fault::TornTail { node, .. }
        | Fault::Wipe { node, .. }
        | Fault::FsyncError { node, .. } => {
            vec![Fault::Crash { at, node: *node, down: lasts }]
        }
        Fault::Crash { .. }
        | Fault::Join { .. }
        | Fault::Leave { .. }
        | Fault::Replace { .. }
        | Fault::Pause { .. }
        | Fault::SlowNetwork { .. }
        | Fault::SlowDisk { .. }
        | Fault::Congestion { .. }
        | Fault::ClockDrift { .. }
        | Fault::ClockJump { .. }
        | Fault::Limp { .. }
        | Fault::DiskStall { .. }
        | Fault::DiskFull { .. }
        | Fault::BitRot { .. }
        | Fault::LyingDisk { .. } => Vec::new(),
    }
}

/// One node less; one node alone is isolated.
fn swizzles_with_fewer(fault: &Fault, cut: &[Target], mend: &[Target]) -> Vec<Fault> {
    let (at, lasts) = (fault.at(), fault.lasts());
    let without = |gone: &Target| {
        let but = |nodes: &[Target]| {
            nodes.iter().copied().filter(|node| node != gone).collect::<Vec<_>>()
        };
        match &but(cut)[..] {
            &[last] => Fault::Partition { at, lasts, cut: Cut::Isolate(vec![last]) },
            left => Fault::Swizzle { at, lasts, cut: left.to_vec(), mend: but(mend) },
        }
    };
    cut.iter().filter(|_| cut.len() > 1).map(without).collect()
}

/// Faults that leave nothing to chance: for as long, or for some part of the time.
fn certain(fault: &Fault) -> Vec<Fault> {
    let mut certain = fault.clone();
    if let Fault::Loss { chance, .. }
    | Fault::Duplicate { chance, .. }
    | Fault::Reorder { chance, .. }
    | Fault::OneWayLoss { chance, .. } = &mut certain
    {
        *chance = Ratio::ALWAYS;
    }
    if certain == *fault { Vec::new() } else { parts(&certain) }
}

/// The fault, and parts of it in time.
fn parts(fault: &Fault) -> Vec<Fault> {
    let parts =
        [1, 4, 16, 64].into_iter().flat_map(|parts| (0..parts).map(move |nth| (nth, parts)));
    let part = |(nth, parts): (u64, u64)| {
        let lasts = Span(fault.lasts().0 / parts);
        timed(fault, fault.at() + Span(lasts.0 * nth), lasts)
    };
    parts.map(part).filter(|part| part.lasts() >= LASTS_LEAST).collect()
}

/// What can be less of each fault: its strength, its end and its beginning.
pub(super) fn dials(plan: &Plan) -> Vec<Dial> {
    let of = |nth: usize| {
        let factor = Dial::new(
            2,
            one,
            move |plan| factor(plan, nth),
            move |plan, value| {
                set_factor(plan, nth, value);
            },
        );
        let jump = Dial::new(
            LASTS_LEAST.0,
            readable,
            move |plan| jump_of(plan, nth),
            move |plan, value| {
                if let Fault::ClockJump { by, .. } = &mut plan.faults[nth] {
                    *by = Span(value);
                }
            },
        );
        let lasts = move |plan: &Plan| plan.faults.get(nth).map_or(0, |fault| fault.lasts().0);
        let heal_earlier = Dial::new(LASTS_LEAST.0, readable, lasts, move |plan, lasts| {
            let fault = &mut plan.faults[nth];
            *fault = timed(fault, fault.at(), Span(lasts));
        });
        let strike_later = Dial::new(LASTS_LEAST.0, readable, lasts, move |plan, lasts| {
            let fault = &mut plan.faults[nth];
            let healed = fault.at() + fault.lasts();
            *fault = timed(fault, healed - Span(lasts), Span(lasts));
        });
        [factor, jump, heal_earlier, strike_later]
    };
    (0..plan.faults.len()).flat_map(of).collect()
}

fn jump_of(plan: &Plan, nth: usize) -> u64 {
    if let Some(Fault::ClockJump { by, .. }) = plan.faults.get(nth) { by.0 } else { 0 }
}

fn factor(plan: &Plan, nth: usize) -> u64 {
    match plan.faults.get(nth) {
        Some(
            Fault::SlowNetwork { factor, .. }
            | Fault::SlowDisk { factor, .. }
            | Fault::Limp { factor, .. },
        ) => u64::from(*factor),
        Some(
            Fault::Crash { .. }
            | Fault::Restart { .. }
            | Fault::RollingRestart { .. }
            | Fault::Join { .. }
            | Fault::Leave { .. }
            | Fault::Replace { .. }
            | Fault::Pause { .. }
            | Fault::ZoneLoss { .. }
            | Fault::PowerLoss { .. }
            | Fault::Partition { .. }
            | Fault::Loss { .. }
            | Fault::Duplicate { .. }
            | Fault::Reorder { .. }
            | Fault::OneWayLoss { .. }
            | Fault::Congestion { .. }
            | Fault::Flapping { .. }
            | Fault::Swizzle { .. }
            | Fault::ClockDrift { .. }
            | Fault::ClockJump { .. }
            | Fault::CrashLoop { .. }
            | Fault::FsyncError { .. }
            | Fault::DiskStall { .. }
            | Fault::DiskFull { .. }
            | Fault::TornTail { .. }
            | Fault::BitRot { .. }
            | Fault::Wipe { .. }
            | Fault::LyingDisk { .. },
        )
        | None => 0,
    }
}

fn set_factor(plan: &mut Plan, nth: usize, value: u64) {
    if let Fault::SlowNetwork { factor, .. }
    | Fault::SlowDisk { factor, .. }
    | Fault::Limp { factor, .. } = &mut plan.faults[nth]
    {
        *factor = value as u32;
    }
}

/// The same fault at another time.
pub(super) fn timed(fault: &Fault, new_at: Span, new_lasts: Span) -> Fault {
    let mut fault = fault.clone();
    match &mut fault {
        Fault::Restart { at, patience, down, .. } => {
            *at = new_at;
            *patience = (*patience).min(Span(new_lasts.0 / 2));
            *down = new_lasts - *patience;
        }
        Fault::RollingRestart { at, lasts, .. }
        | Fault::Join { at, lasts, .. }
        | Fault::Leave { at, lasts, .. }
        | Fault::Replace { at, lasts, .. }
        | Fault::Crash { at, down: lasts, .. }
        | Fault::ZoneLoss { at, down: lasts, .. }
        | Fault::PowerLoss { at, down: lasts }
        | Fault::TornTail { at, down: lasts, .. }
        | Fault::Wipe { at, down: lasts, .. }
        | Fault::FsyncError { at, lasts, .. }
        | Fault::DiskStall { at, lasts, .. }
        | Fault::DiskFull { at, lasts, .. }
        | Fault::BitRot { at, lasts, .. }
        | Fault::LyingDisk { at, lasts, .. }
        | Fault::Pause { at, lasts, .. }
        | Fault::Partition { at, lasts, .. }
        | Fault::Loss { at, lasts, .. }
        | Fault::Duplicate { at, lasts, .. }
        | Fault::Reorder { at, lasts, .. }
        | Fault::SlowNetwork { at, lasts, .. }
        | Fault::SlowDisk { at, lasts, .. }
        | Fault::OneWayLoss { at, lasts, .. }
        | Fault::Congestion { at, lasts, .. }
        | Fault::Flapping { at, lasts, .. }
        | Fault::Swizzle { at, lasts, .. }
        | Fault::ClockDrift { at, lasts, .. }
        | Fault::ClockJump { at, lasts, .. }
        | Fault::Limp { at, lasts, .. }
        | Fault::CrashLoop { at, lasts, .. } => (*at, *lasts) = (new_at, new_lasts),
    }
    if let Fault::Flapping { down, .. } | Fault::CrashLoop { down, .. } = &mut fault {
        *down = (*down).min(new_lasts);
    }
    fault
}

/// Moves what a fault aims at into a cluster of so many nodes and zones.
pub(super) fn aim_within(fault: &mut Fault, nodes: u16, zones: u16) {
    let within = |number: &mut u16, count: u16| *number = (*number - 1) % count + 1;
    let aim = |target: &mut Target| match target {
        Target::Node(NodeId(number)) => within(number, nodes),
        Target::Owner | Target::Follower => {}
    };
    match fault {
        Fault::Crash { node, .. }
        | Fault::Restart { node, .. }
        | Fault::Pause { node, .. }
        | Fault::SlowDisk { node, .. }
        | Fault::OneWayLoss { node, .. }
        | Fault::ClockDrift { node, .. }
        | Fault::ClockJump { node, .. }
        | Fault::Limp { node, .. }
        | Fault::CrashLoop { node, .. }
        | Fault::FsyncError { node, .. }
        | Fault::DiskStall { node, .. }
        | Fault::DiskFull { node, .. }
        | Fault::TornTail { node, .. }
        | Fault::BitRot { node, .. }
        | Fault::Wipe { node, .. }
        | Fault::LyingDisk { node, .. } => aim(node),
        Fault::Congestion { node, .. } => node.iter_mut().for_each(aim),
        Fault::Flapping { node, peer, .. } => {
            aim(node);
            peer.iter_mut().for_each(aim);
            // A link with itself is none: the whole node flaps then.
            peer.take_if(|peer| peer == node);
        }
        Fault::Swizzle { cut, mend, .. } => {
            for nodes in [cut, mend] {
                nodes.iter_mut().for_each(aim);
                let all = std::mem::take(nodes);
                for node in all {
                    if !nodes.contains(&node) {
                        nodes.push(node);
                    }
                }
            }
        }
        Fault::ZoneLoss { zone, .. } => within(zone, zones),
        Fault::Partition { cut: Cut::Isolate(targets), .. } => targets.iter_mut().for_each(aim),
        Fault::Partition { cut: Cut::OneWay(node), .. } => aim(node),
        Fault::Partition { cut: Cut::Halves | Cut::MajorityRing | Cut::Bridge, .. }
        | Fault::PowerLoss { .. }
        | Fault::RollingRestart { .. }
        // They name nodes that a smaller cluster may not have: it does not become smaller.
        | Fault::Join { .. }
        | Fault::Leave { .. }
        | Fault::Replace { .. }
        | Fault::Loss { .. }
        | Fault::Duplicate { .. }
        | Fault::Reorder { .. }
        | Fault::SlowNetwork { .. } => {}
    }
}
