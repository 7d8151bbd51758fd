//! Moments that drawn faults wait for, and the bursts that follow a strike.
//!
//! Owns which moment a fault waits for, at which node, how long after it, and which faults follow it: strikes in the
//! election, the write or the start that the first one brings about. Every draw is of the family's second stream, so its
//! faults are the same without. Refuses to know how a run resolves a moment.

use onsale_booking::Span;
use onsale_scenarios::{Family, Fault, Moment, Scenario, Swarm, Target, What, When};
use onsale_world::sample::weighted;
use onsale_world::stream::Stream;

use super::{Aim, one};

/// Moments and their weights.
type Weights = &'static [(u64, Moment)];

/// The moments that come by themselves while people buy.
const ALWAYS: Weights = &[
    (4, Moment::Replicating),
    (4, Moment::Asking),
    (2, Moment::BeforeReply),
    (2, Moment::BetweenAppendAndFsync),
    (3, Moment::Expiring),
    (1, Moment::HandingOver),
    (1, Moment::Electing),
];
/// The moments of a cluster whose members change.
const MOVES: Weights = &[
    (3, Moment::MovingSwap),
    (3, Moment::MovingJoint),
    (3, Moment::InstallingSnapshot),
    (1, Moment::HandingOver),
];
/// The moments that follow the loss of a node.
const LOSS: Weights = &[
    (3, Moment::Voting),
    (3, Moment::Electing),
    (5, Moment::TakingOver),
    (2, Moment::Recovering),
    (2, Moment::InstallingSnapshot),
    (1, Moment::Asking),
];
/// The moments of an orderly restart.
const RESTART: Weights = &[
    (4, Moment::HandingOver),
    (2, Moment::TakingOver),
    (1, Moment::Voting),
    (2, Moment::Recovering),
];

/// The families that follow a strike; one that the swarm lacks gives way to the family of the first.
const FOLLOWERS: [Family; 10] = [
    Family::Crash,
    Family::Kill,
    Family::Pause,
    Family::Partition,
    Family::TornTail,
    Family::FsyncError,
    Family::DiskStall,
    Family::PowerLoss,
    Family::OneWayLoss,
    Family::Wipe,
];

/// Longest window in which a fault waits for a moment that comes by itself.
const SOON: Span = Span::from_secs(20);
/// Longest window in which a fault waits for a step of a move.
const MOVE: Span = Span::from_secs(60);
/// Time after a fault has healed in which its effects still come.
const AFTERMATH: Span = Span::from_secs(5);
/// Shortest window worth waiting in.
const SHORTEST: Span = Span::from_millis(200);

/// A fault, which may wait for a moment now, and those that follow it.
pub(super) fn burst(
    fault: Fault,
    swarm: &Swarm,
    scenario: &Scenario,
    stream: &mut Stream,
) -> Vec<Fault> {
    // As many draws for every fault, so that each has its own place in the stream.
    let (waits, follow, own) = (stream.below(8), stream.below(8), stream.draw());
    let mut stream = Stream::new(own);
    let change = scenario.faults.iter().find(|fault| matches!(fault.what, What::Members(_)));
    let mut wait = |weights, window| Wait::draw(weights, window, swarm, scenario, &mut stream);
    let wait = match (waits, change) {
        // A node that is lost for good is often one that has just begun to join.
        _ if fault.family().strikes_once() => None,
        (0..=2, _) => None,
        (3..=4, Some(change)) => wait(MOVES, (change.at.max(swarm.from), MOVE)),
        _ => wait(ALWAYS, (fault.at, SOON)),
    };
    let first = match wait {
        Some(wait) => wait.of(fault),
        None => fault,
    };
    let followers = [0, 0, 0, 1, 1, 1, 2, 3][follow as usize];
    let mut burst = vec![first];
    for _ in 0..followers {
        // Each follower has draws of its own: one of another family changes none after it.
        let mut own = Stream::new(stream.draw());
        burst.extend(follower(&burst[0], swarm, scenario, &mut own));
    }
    burst
}

/// A fault that strikes within the effects of another. Whether there is one depends on no other family than the first's,
/// unless that one strikes only once.
fn follower(
    first: &Fault,
    swarm: &Swarm,
    scenario: &Scenario,
    stream: &mut Stream,
) -> Option<Fault> {
    let weights = if matches!(first.family(), Family::Restart | Family::RollingRestart) {
        RESTART
    } else if loses_nodes(first) {
        LOSS
    } else {
        ALWAYS
    };
    let window = (first.at, first.ends() - first.at + AFTERMATH);
    let wait = Wait::draw(weights, window, swarm, scenario, stream)?;
    let drawn = FOLLOWERS[stream.below(FOLLOWERS.len() as u64) as usize];
    let others = stream.below(3) > 0 && swarm.families.contains(&drawn);
    let family = if others || first.family().strikes_once() { drawn } else { first.family() };
    if !swarm.families.contains(&family) {
        return None;
    }
    let aim = if stream.below(2) == 0 { Aim::Leader } else { Aim::Anybody };
    Some(wait.of(one(family, aim, swarm, scenario, stream)))
}

/// Whether a fault takes nodes away, so that others are elected.
fn loses_nodes(fault: &Fault) -> bool {
    match &fault.what {
        What::Process(_) | What::Disk(_) => true,
        What::Network(_) => {
            !matches!(fault.family(), Family::Duplicate | Family::Reorder | Family::SlowNetwork)
        }
        What::Clock(_) | What::Members(_) => false,
    }
}

/// A drawn wait.
struct Wait {
    from: Span,
    when: When,
    /// Whether the fault strikes the node at which the moment comes.
    is_there: bool,
}

impl Wait {
    /// Draws a wait from an instant on, at most for a span; `None` if the longest fault would not end in time.
    fn draw(
        weights: Weights,
        (from, most): (Span, Span),
        swarm: &Swarm,
        scenario: &Scenario,
        stream: &mut Stream,
    ) -> Option<Self> {
        let moment = pick(weights, scenario, stream)?;
        let (node, count) = (stream.below(6), stream.below(3));
        let (delay, is_there) = (delay(stream), stream.below(3) > 0);
        let longest = swarm.lasts_max.min(swarm.until - swarm.from);
        let ends = swarm.until.0.checked_sub((from + longest + delay).0)?;
        let within = Some(Span(ends).min(most)).filter(|&within| within >= SHORTEST)?;
        let node = match node {
            0 => Some(Target::Leader),
            1 if scenario.cluster.replicas > 1 => Some(Target::Follower),
            _ => None,
        };
        // An election has several votes, and other moments come again anyway.
        let count = if moment == Moment::Voting { 1 + count as u32 } else { 1 };
        Some(Self { from, when: When { moment, node, count, delay, within }, is_there })
    }

    /// A fault that waits so.
    fn of(self, fault: Fault) -> Fault {
        let mut fault = Fault { at: self.from, ..fault }.waiting(self.when);
        if self.is_there {
            aim_there(&mut fault);
        }
        fault
    }
}

/// One of the moments that the system has.
fn pick(weights: Weights, scenario: &Scenario, stream: &mut Stream) -> Option<Moment> {
    let has = |&(_, moment): &(u64, Moment)| scenario.cluster.system.has(moment);
    let (weights, moments): (Vec<u64>, Vec<Moment>) = weights.iter().copied().filter(has).unzip();
    moments.get(weighted(stream.draw(), &weights)).copied()
}

/// Time from a moment to the strike: often none, else up to 32 ms, log-uniform.
fn delay(stream: &mut Stream) -> Span {
    let (none, bits, value) = (stream.below(2) == 0, stream.below(16), stream.draw());
    if none { Span::ZERO } else { Span(value >> (64 - bits.max(1))) }
}

/// Aims a fault of one node at the node at which the moment comes.
pub(crate) fn aim_there(fault: &mut Fault) {
    let mut targets = 0;
    fault.each_target(&mut |_| targets += 1);
    let is_of_one = targets == 1 || matches!(fault.family(), Family::OneWayLoss | Family::Flapping);
    let mut first = is_of_one;
    fault.each_target(&mut |target| {
        if std::mem::take(&mut first) {
            *target = Target::There;
        }
    });
}
