//! Faults drawn from a seed.
//!
//! Owns how a seed chooses: which families are on, how often each strikes and whom, then the
//! instants, lengths, targets and strengths of its faults. Each family draws from a stream of
//! its own, so that a new family moves no fault of the old ones.

use onsale_booking::{NodeId, Span};
use onsale_scenarios::{Cut, Family, Fault, Ratio, Scenario, Swarm, Target};

use crate::stream::{Stream, below, fork};

/// The faults of one seed, in no particular order.
pub(super) fn draw(swarm: &Swarm, scenario: &Scenario, seed: u64) -> Vec<Fault> {
    let mut drawn: Vec<(bool, u64, Fault)> = Vec::new();
    for &family in &swarm.families {
        let mut stream = Stream::new(fork(seed, &format!("swarm/{}", family.name())));
        let off = stream.below(2) == 0;
        // A family that is on strikes once, now and then, or as often as it may.
        let most = u64::from(swarm.faults_max);
        let mut rate = [1, most.div_ceil(2), most][stream.below(3) as usize];
        if family == Family::Replace {
            rate = 1;
        }
        let aim = Aim::draw(&mut stream);
        for _ in 0..=stream.below(rate) {
            // The order in which faults are kept is drawn with them, so that it favours no family.
            let rank = stream.draw();
            drawn.push((off, rank, one(family, aim, swarm, scenario, &mut stream)));
        }
    }
    // Families that are off stand last: they fill up a seed that would have too few.
    drawn.sort_by_key(|&(off, rank, _)| (off, rank));
    let on = drawn.iter().take_while(|&&(off, ..)| !off).count();
    drawn.truncate(on.clamp(usize::from(swarm.faults_min), usize::from(swarm.faults_max)));
    drawn.into_iter().map(|(.., fault)| fault).collect()
}

/// Whom a family strikes in one seed.
#[derive(Clone, Copy)]
enum Aim {
    /// The owner of the hot show, again and again: that is where it hurts.
    Owner,
    /// Whoever follows it.
    Follower,
    /// One node, whatever it is at the time, again and again.
    Node(u64),
    /// Anybody, the owner most often.
    Anybody,
}

impl Aim {
    fn draw(stream: &mut Stream) -> Self {
        let (kind, node) = (stream.below(6), stream.draw());
        match kind {
            0 => Self::Owner,
            1 => Self::Follower,
            2 => Self::Node(node),
            _ => Self::Anybody,
        }
    }

    fn target(self, scenario: &Scenario, stream: &mut Stream) -> Target {
        let (kind, node) = (stream.below(4), stream.draw());
        let numbered =
            |node| Target::Node(NodeId(1 + below(node, u64::from(scenario.cluster.nodes)) as u16));
        let is_followed = scenario.cluster.replicas > 1;
        match (self, kind) {
            // A shard with one replica has no follower: its owner is struck.
            (Self::Follower, _) | (Self::Anybody, 2) if !is_followed => Target::Owner,
            (Self::Owner, _) | (Self::Anybody, 0 | 1) => Target::Owner,
            (Self::Follower, _) | (Self::Anybody, 2) => Target::Follower,
            (Self::Node(node), _) => numbered(node),
            (Self::Anybody, _) => numbered(node),
        }
    }
}

fn one(family: Family, aim: Aim, swarm: &Swarm, scenario: &Scenario, stream: &mut Stream) -> Fault {
    let window = swarm.until - swarm.from;
    let longest = swarm.lasts_max.min(window);
    let lasts = swarm.lasts_min.min(longest)
        + Span(stream.below(longest.0.saturating_sub(swarm.lasts_min.0) + 1));
    let at = swarm.from + Span(stream.below((window - lasts).0 + 1));
    let target = aim.target(scenario, stream);
    let strength = stream.draw();
    let share = |strength: u64| Ratio { num: 1 + below(strength, 30) as u32, den: 100 };
    match family {
        Family::Crash => Fault::Crash { at, node: target, down: lasts },
        Family::Pause => Fault::Pause { at, node: target, lasts },
        Family::ZoneLoss => Fault::ZoneLoss { at, zone: zone(scenario, strength), down: lasts },
        Family::PowerLoss => Fault::PowerLoss { at, down: lasts },
        Family::Partition => {
            let cut = match stream.below(8) {
                0 => Cut::Isolate(vec![target]),
                1 if scenario.cluster.replicas == 1 => Cut::Isolate(vec![Target::Owner]),
                1 => Cut::Isolate(vec![Target::Owner, Target::Follower]),
                // One zone is all there is: nobody would be on the other side.
                2 if scenario.cluster.zones == 1 => Cut::Isolate(minority(scenario, strength)),
                2 => Cut::Isolate(of_zone(scenario, zone(scenario, strength))),
                3 => Cut::Isolate(minority(scenario, strength)),
                4 => Cut::Halves,
                5 => Cut::OneWay(target),
                6 => Cut::MajorityRing,
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
        Family::Restart => {
            let patience = stop_patience(lasts);
            Fault::Restart { at, node: target, patience, down: lasts - patience }
        }
        Family::RollingRestart => {
            let turn = |nodes: u16| {
                let turn = Span(lasts.0 / u64::from(nodes));
                let patience = stop_patience(turn);
                (patience, Span((turn - patience).0 / 2))
            };
            let (nodes, numbers) = (scenario.cluster.nodes, scenario.cluster.numbers());
            let (patience, down) = turn(nodes);
            // Spare nodes that have joined take turns, too.
            let fits = (patience + down).0 < lasts.0 / u64::from(numbers);
            let (patience, down) = if fits { (patience, down) } else { turn(numbers) };
            Fault::RollingRestart { at, lasts, patience, down }
        }
        Family::Join | Family::Leave => panic!("{family} is never drawn"),
        Family::Replace => {
            let by = scenario.spare_at_hand().expect("a spare is at hand");
            let (at, node) = newcomer(scenario, stream)
                .filter(|&(at, _)| at >= swarm.from && at + lasts <= swarm.until)
                .unwrap_or((at, target));
            Fault::Replace { at, lasts, node, by }
        }
        Family::SlowDisk => {
            Fault::SlowDisk { at, lasts, node: target, factor: 2 + below(strength, 99) as u32 }
        }
        Family::OneWayLoss => {
            let chance = Ratio { num: 5 + below(strength, 95) as u32, den: 100 };
            Fault::OneWayLoss { at, lasts, node: target, inbound: stream.below(2) == 0, chance }
        }
        Family::Congestion => {
            let node = (stream.below(2) == 0).then_some(target);
            Fault::Congestion { at, lasts, node, kib_per_s: 1 << below(strength, 6) }
        }
        Family::Flapping => {
            let (down, up) = turns(lasts, strength, stream);
            let peer = (stream.below(2) == 0).then(|| other_than(target));
            // Without a follower there is nobody on the other side but everybody.
            let peer =
                peer.filter(|&peer| peer != Target::Follower || scenario.cluster.replicas > 1);
            Fault::Flapping { at, lasts, node: target, peer, down, up }
        }
        Family::Swizzle => {
            let (cut, mend) = (shuffled(scenario, stream), stream.draw());
            let count = 2 + below(strength, cut.len() as u64 - 1) as usize;
            let cut = cut[..count].to_vec();
            Fault::Swizzle { at, lasts, mend: in_drawn_order(cut.clone(), mend), cut }
        }
        Family::ClockDrift => {
            let by = Ratio { num: drift_ppm(scenario, strength), den: 1_000_000 };
            Fault::ClockDrift { at, lasts, node: target, by, slow: stream.below(2) == 0 }
        }
        Family::ClockJump => {
            // Milliseconds to an hour, each order of magnitude as often.
            let by = Span::from_millis(1 + (stream.draw() >> (42 + below(strength, 22))));
            Fault::ClockJump { at, lasts, node: target, by, back: stream.below(2) == 0 }
        }
        Family::Limp => Fault::Limp { at, lasts, node: target, factor: 2 << below(strength, 14) },
        Family::CrashLoop => {
            let (down, up) = turns(lasts, strength, stream);
            Fault::CrashLoop { at, lasts, node: target, down, up }
        }
        Family::FsyncError => Fault::FsyncError { at, lasts, node: target },
        Family::DiskStall => Fault::DiskStall { at, lasts, node: target },
        Family::DiskFull => Fault::DiskFull { at, lasts, node: target },
        Family::TornTail => Fault::TornTail { at, node: target, down: lasts },
        Family::BitRot => Fault::BitRot { at, lasts, node: target },
        Family::Wipe => Fault::Wipe { at, node: target, down: lasts },
        Family::LyingDisk => Fault::LyingDisk { at, lasts, node: target },
    }
}

/// For how long a node that joins may count as one that has just begun: about as long as it takes until the
/// first shards are on it.
const FIRST_MOVES: Span = Span::from_secs(10);

/// One of the nodes that join, and an instant at which it has just begun to; in every other seed nobody.
fn newcomer(scenario: &Scenario, stream: &mut Stream) -> Option<(Span, Target)> {
    let joining: Vec<(Span, Target)> = scenario
        .faults
        .iter()
        .flat_map(|fault| fault.joining().iter().map(|&node| (fault.at(), node)))
        .collect();
    let (off, nth, after) = (stream.below(2) == 0, stream.draw(), stream.below(FIRST_MOVES.0));
    if off || joining.is_empty() {
        return None;
    }
    let (at, node) = joining[below(nth, joining.len() as u64) as usize];
    Some((at + Span(after), node))
}

/// How long something is down and up in turn: one to eight times while the fault lasts.
fn turns(lasts: Span, strength: u64, stream: &mut Stream) -> (Span, Span) {
    let turn = lasts.0 / (1 + below(strength, 8));
    let least = Span::from_millis(1).0;
    let down = (turn * (1 + stream.below(9)) / 10).max(least).min(lasts.0);
    (Span(down), Span(turn.saturating_sub(down).max(least)))
}

/// A node that is another one, whoever the owner is.
const fn other_than(target: Target) -> Target {
    match target {
        Target::Owner => Target::Follower,
        Target::Follower | Target::Node(_) => Target::Owner,
    }
}

/// All nodes, in a drawn order.
fn shuffled(scenario: &Scenario, stream: &mut Stream) -> Vec<Target> {
    let nodes = (1..=scenario.cluster.nodes).map(|node| Target::Node(NodeId(node)));
    in_drawn_order(nodes.collect(), stream.draw())
}

fn in_drawn_order(mut nodes: Vec<Target>, bits: u64) -> Vec<Target> {
    let mut stream = Stream::new(bits);
    for last in (1..nodes.len()).rev() {
        nodes.swap(last, stream.below(last as u64 + 1) as usize);
    }
    nodes
}

/// How fast a clock drifts, in parts in a million: each order of magnitude as often, and at most so
/// fast that three such drifts of one clock leave clients' timers safe.
fn drift_ppm(scenario: &Scenario, strength: u64) -> u32 {
    let (hold, grace) = (scenario.sale.hold, scenario.sale.grace);
    let most = u128::from(grace.0) * 4 / 5 * 1_000_000 / u128::from((hold + grace).0) / 3;
    ((most as u64) >> below(strength, 8)).clamp(1, 500_000) as u32
}

/// Of the time that a restart takes, how much the node may take to stop.
fn stop_patience(lasts: Span) -> Span {
    Span(lasts.0 / 2).min(Span::from_secs(2))
}

fn zone(scenario: &Scenario, bits: u64) -> u16 {
    1 + below(bits, u64::from(scenario.cluster.zones)) as u16
}

/// The nodes of a zone: node n stands in zone (n − 1) mod zones, numbered from 1.
fn of_zone(scenario: &Scenario, zone: u16) -> Vec<Target> {
    let numbers = (zone..=scenario.cluster.nodes).step_by(usize::from(scenario.cluster.zones));
    numbers.map(|node| Target::Node(NodeId(node))).collect()
}

/// As many neighbours as can be cut off while the others are a majority.
fn minority(scenario: &Scenario, bits: u64) -> Vec<Target> {
    let nodes = scenario.cluster.nodes;
    let first = below(bits, u64::from(nodes)) as u16;
    let numbers = (0..(nodes - 1) / 2).map(|step| 1 + (first + step) % nodes);
    numbers.map(|node| Target::Node(NodeId(node))).collect()
}
