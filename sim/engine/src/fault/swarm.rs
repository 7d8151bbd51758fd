//! Faults drawn from a seed.
//!
//! Owns how a seed chooses: the families that are on, their rates and aims, then the instants, durations, targets and
//! strengths of their faults. A family's own draws are in the family's file. Each family has its own stream, so a new
//! family changes no fault of the others.

use onsale_booking::{NodeId, Span};
use onsale_scenarios::{Family, Fault, Scenario, Swarm, Target, What};
use onsale_world::stream::{Stream, below, fork};

use super::{clock, disk, members, network, process};

pub(crate) mod moments;

/// The faults of one seed, in no particular order.
pub(crate) fn draw(swarm: &Swarm, scenario: &Scenario, seed: u64) -> Vec<Fault> {
    let mut drawn: Vec<(bool, u64, Fault)> = Vec::new();
    for &family in &swarm.families {
        let mut stream = Stream::new(fork(seed, &format!("swarm/{}", family.name())));
        let off = stream.below(2) == 0;
        // A family that is on strikes once, at half of the highest rate, or at the highest.
        let most = u64::from(swarm.faults_max);
        let mut rate = [1, most.div_ceil(2), most][stream.below(3) as usize];
        if family.strikes_once() {
            rate = 1;
        }
        let aim = Aim::draw(&mut stream);
        let mut moments = Stream::new(fork(seed, &format!("swarm/{}/moments", family.name())));
        for _ in 0..=stream.below(rate) {
            // The order in which faults are kept is drawn too, so that it favours no family.
            let rank = stream.draw();
            let fault = one(family, aim, swarm, scenario, &mut stream);
            let burst = match swarm.moments {
                true => moments::burst(fault, swarm, scenario, &mut moments),
                false => vec![fault],
            };
            drawn.extend(burst.into_iter().map(|fault| (off, rank, fault)));
        }
    }
    // Families that are off come last: they fill up a seed with too few faults.
    drawn.sort_by_key(|&(off, rank, _)| (off, rank));
    let on = drawn.iter().take_while(|&&(off, ..)| !off).count();
    drawn.truncate(on.clamp(usize::from(swarm.faults_min), usize::from(swarm.faults_max)));
    drawn.into_iter().map(|(.., fault)| fault).collect()
}

/// The nodes that a family strikes in one seed.
#[derive(Clone, Copy)]
enum Aim {
    /// Always the leader of the hot show: that is where it hurts.
    Leader,
    /// Always a follower of the hot show.
    Follower,
    /// Always the same node, in any role.
    Node(u64),
    /// Any node, most often the leader.
    Anybody,
}

impl Aim {
    fn draw(stream: &mut Stream) -> Self {
        let (kind, node) = (stream.below(6), stream.draw());
        match kind {
            0 => Self::Leader,
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
            // A shard with one replica has no follower: its leader is struck.
            (Self::Follower, _) | (Self::Anybody, 2) if !is_followed => Target::Leader,
            (Self::Leader, _) | (Self::Anybody, 0 | 1) => Target::Leader,
            (Self::Follower, _) | (Self::Anybody, 2) => Target::Follower,
            (Self::Node(node), _) => numbered(node),
            (Self::Anybody, _) => numbered(node),
        }
    }
}

/// The draws common to all families, and the stream for the family's own.
pub(super) struct Draw<'a> {
    /// Time of the strike, since the start of the run.
    pub(super) at: Span,
    pub(super) lasts: Span,
    /// The node that it strikes, if it strikes one.
    pub(super) target: Target,
    /// Its strength, uniform over all of `u64`.
    pub(super) strength: u64,
    pub(super) swarm: &'a Swarm,
    pub(super) scenario: &'a Scenario,
    pub(super) stream: &'a mut Stream,
}

impl Draw<'_> {
    /// A zone, drawn from the strength.
    pub(super) fn zone(&self) -> u16 {
        1 + below(self.strength, u64::from(self.scenario.cluster.zones)) as u16
    }

    /// Lengths of alternating down and up periods: one to eight pairs within the fault's duration.
    pub(super) fn turns(&mut self) -> (Span, Span) {
        let turn = self.lasts.0 / (1 + below(self.strength, 8));
        let least = Span::from_millis(1).0;
        let down = (turn * (1 + self.stream.below(9)) / 10).max(least).min(self.lasts.0);
        (Span(down), Span(turn.saturating_sub(down).max(least)))
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
    let mut draw = Draw { at, lasts, target, strength, swarm, scenario, stream };
    let what = None
        .or_else(|| process::draw(family, &mut draw).map(What::Process))
        .or_else(|| network::draw(family, &mut draw).map(What::Network))
        .or_else(|| disk::draw(family, &draw).map(What::Disk))
        .or_else(|| clock::draw(family, &mut draw).map(What::Clock))
        .or_else(|| members::draw(family, &mut draw).map(What::Members));
    let what = what.unwrap_or_else(|| panic!("{family} is never drawn"));
    Fault::new(draw.at, lasts, what)
}
