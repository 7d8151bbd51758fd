//! Until when a hold must have ended, at the latest.
//!
//! Owns what may make holds end late, by the calendar: processes that end, faults in force, and since when
//! replicas have been up. Refuses to know what ended a hold, and what any node says about its time.
//!
//! The bound, for a hold whose grant first stood on a disk at `w`:
//!
//! ```text
//! due   = max(w, anew) + hold + grace + what slow clocks of the plan lose of these
//! limit = due + 1 s + election + one commit + quantum + gaps after due + troubles after w
//! ```
//!
//! - *election*: acceptable pause + 10 beats + 4 election time-outs; three times that where the network loses
//!   messages even if nothing is wrong.
//! - *gaps* of a shard, in which it may have no leader that can commit: an election from the instant at which
//!   the process of a replica ends; and from when the replicas that are up are no majority until an election after they are
//!   one again.
//! - *troubles*: while faults other than crashes, restarts and wrong clocks are in force, or the map
//!   wants replicas elsewhere, and an election after that. They count from the grant on: what delays
//!   messages delays the word of what time it is.
//! - *anew*: a shard's time may be lost where no majority of the replicas is up and has heard it since its own
//!   last start: then a hold is measured anew from when a majority is up, and an election later. A replica has heard
//!   the time once it has been up without gaps and troubles for two beats and four ways; for ten
//!   seconds where the network loses messages.
//!
//! Why no alarm is false: the grant is decided before it stands on a disk, and its end is decided before
//! that does, so between `w` and the end no more passes than by the leaders' clocks. Outside of gaps and
//! troubles somebody leads who can commit, and ends what is due when it is due. By the condition
//! above its time is at most some ways of messages behind; the second is for these. Where a disk may have forgotten
//! what it had promised, its replica may abstain until all are up: it counts as up once all have been up for the time
//! of an election. Why none is missed: only faults and the ends of processes widen the bound, never
//! what nodes say, and a crash widens it by one election.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::ShardId;
use onsale_cluster::journal::Members;

/// What the bound is made of, apart from what happens in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// Hold, grace, and what clocks that the plan makes slow may add.
    pub lasts: Span,
    /// One election.
    pub election: Span,
    /// How long a replica that has started may take to hear the time.
    pub hears: Span,
    /// A second, an election, a commit, and the quantum.
    pub slack: Span,
}

/// Spans of the calendar, in order and apart; the last may not have ended.
#[derive(Debug, Default)]
struct Periods(Vec<(Instant, Instant)>);

impl Periods {
    fn begin(&mut self, from: Instant, until: Instant) {
        match self.0.last_mut() {
            Some((_, last)) if *last >= from => *last = until.max(*last),
            Some(_) | None => self.0.push((from, until)),
        }
    }

    /// What has not ended ends.
    fn end(&mut self, at: Instant) {
        if let Some((_, last)) = self.0.last_mut().filter(|(_, last)| *last == Instant::MAX) {
            *last = at;
        }
    }

    /// Those that reach beyond `from`.
    fn after(&self, from: Instant) -> impl Iterator<Item = (Instant, Instant)> + '_ {
        let first = self.0.partition_point(|&(_, until)| until <= from);
        self.0[first..].iter().map(move |&(begins, ends)| (begins.max(from), ends))
    }
}

/// One shard.
#[derive(Debug, Default)]
struct Shard {
    /// When it may have no leader that can commit.
    gaps: Periods,
    /// When a replica is down.
    partial: Periods,
    /// Whether those that are up are a majority.
    is_short: bool,
    /// Whether the time may be lost, and nobody has set it since.
    is_lost: bool,
    /// From when on holds may be measured that were granted before.
    anew: Option<Instant>,
}

/// What may make holds end late.
#[derive(Debug)]
pub(super) struct Overdue {
    bounds: Lateness,
    /// By node: since when its process is up.
    up: Vec<Option<Instant>>,
    troubles: Periods,
    /// How many of them are under way.
    under_way: u32,
    /// Whether the map wants replicas elsewhere.
    moves: bool,
    /// Whether a disk may have forgotten something.
    forgets: bool,
    /// Whether any process has ended.
    any_ended: bool,
    shards: Vec<Shard>,
}

impl Overdue {
    pub(super) fn new(bounds: Lateness) -> Self {
        Self {
            bounds,
            up: Vec::new(),
            troubles: Periods::default(),
            under_way: 0,
            moves: false,
            forgets: false,
            any_ended: false,
            shards: Vec::new(),
        }
    }

    /// Something begins that is neither a crash nor a wrong clock; what it does to disks may make them forget.
    pub(super) fn on_trouble(&mut self, at: Instant, forgets: bool) {
        self.under_way += 1;
        self.forgets |= forgets;
        self.troubles.begin(at, Instant::MAX);
    }

    /// It is over.
    pub(super) fn on_trouble_over(&mut self, at: Instant) {
        self.under_way -= 1;
        if self.under_way == 0 {
            self.troubles.end(at + self.bounds.election);
        }
    }

    /// The map wants replicas elsewhere than they are, or not any more.
    pub(super) fn on_moves(&mut self, at: Instant, moves: bool) {
        match (std::mem::replace(&mut self.moves, moves), moves) {
            (false, true) => self.on_trouble(at, false),
            (true, false) => self.on_trouble_over(at),
            (true, true) | (false, false) => {}
        }
    }

    /// A process starts or ends; by whom each shard may be kept is told in order.
    pub(super) fn on_process(
        &mut self,
        at: Instant,
        node: NodeId,
        is_up: bool,
        kept_by: impl Iterator<Item = Vec<Members>>,
    ) {
        let place = usize::from(node.0);
        self.up.resize(self.up.len().max(place + 1), None);
        self.up[place] = is_up.then_some(at);
        self.any_ended |= !is_up;
        if !self.any_ended {
            return;
        }
        for (shard, members) in (0..).map(ShardId).zip(kept_by) {
            if self.shards.len() <= shard.0 as usize {
                self.shards.push(Shard::default());
            }
            if members.iter().any(|members| members.are_on(node)) {
                self.look(at, shard, is_up, &members);
            }
        }
    }

    fn look(&mut self, at: Instant, shard: ShardId, is_up: bool, members: &[Members]) {
        let election = self.bounds.election;
        let is_whole =
            members.iter().flat_map(Members::each).all(|member| self.is_up(member.node()));
        let quorum = |is: &dyn Fn(NodeId) -> bool| {
            members.iter().all(|members| members.is_quorum(|member| is(member.node())))
        };
        let counts = |node| self.is_able(at, shard, node) && self.has_heard(at, shard, node);
        let is_short = !is_whole && !quorum(&|node| self.is_able(at, shard, node));
        let is_lost = !is_up && !quorum(&counts);

        let shard = &mut self.shards[shard.0 as usize];
        match is_whole {
            true => shard.partial.end(at),
            false => shard.partial.begin(at, Instant::MAX),
        }
        if !is_up {
            shard.gaps.begin(at, at + election);
        }
        shard.is_lost |= is_lost;
        if is_short {
            shard.gaps.begin(at, Instant::MAX);
        } else if shard.is_short {
            shard.gaps.end(at + election + election);
        }
        shard.is_short = is_short;
        if shard.is_lost && !is_short {
            shard.is_lost = false;
            shard.anew = Some(at + election);
        }
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.since(node).is_some()
    }

    fn since(&self, node: NodeId) -> Option<Instant> {
        self.up.get(usize::from(node.0)).copied().flatten()
    }

    /// Whether a replica's say counts if it is up.
    fn is_able(&self, at: Instant, shard: ShardId, node: NodeId) -> bool {
        let partial = &self.shards[shard.0 as usize].partial;
        self.since(node).is_some_and(|since| {
            !self.forgets || is_free((since, at), self.bounds.election, [&self.troubles, partial])
        })
    }

    /// Whether a replica that is up knows the time.
    fn has_heard(&self, at: Instant, shard: ShardId, node: NodeId) -> bool {
        let gaps = &self.shards[shard.0 as usize].gaps;
        self.since(node)
            .is_some_and(|since| is_free((since, at), self.bounds.hears, [&self.troubles, gaps]))
    }

    /// When a hold of this shard whose grant first stood on a disk at `written` has to be over.
    pub(super) fn limit(&self, shard: ShardId, written: Instant) -> Instant {
        let Lateness { lasts, slack, .. } = self.bounds;
        let shard = self.shards.get(shard.0 as usize);
        let from = shard.and_then(|shard| shard.anew).map_or(written, |anew| anew.max(written));
        let due = from + lasts;
        let gaps = shard.into_iter().flat_map(|shard| shard.gaps.after(due));
        let mut delays: Vec<_> = self.troubles.after(written).chain(gaps).collect();
        delays.sort_unstable();
        delays.into_iter().fold(due + slack, |limit, (begins, ends)| match begins <= limit {
            true => limit + ends.since(begins),
            false => limit,
        })
    }

    /// When it had to be over, if it was not at `ended`.
    pub(super) fn is_overdue(
        &self,
        shard: ShardId,
        written: Instant,
        ended: Instant,
    ) -> Option<Instant> {
        let Lateness { lasts, slack, .. } = self.bounds;
        if ended <= written + lasts + slack {
            return None;
        }
        Some(self.limit(shard, written)).filter(|&limit| ended > limit)
    }
}

/// Whether for so long, somewhere in a span of the calendar, none of these periods goes on.
fn is_free((from, until): (Instant, Instant), long: Span, periods: [&Periods; 2]) -> bool {
    let mut busy: Vec<_> = periods.iter().flat_map(|periods| periods.after(from)).collect();
    busy.sort_unstable();
    let mut free_since = from;
    for (begins, ends) in busy {
        if begins.min(until).since(free_since) >= long {
            return true;
        }
        free_since = free_since.max(ends);
    }
    until.since(free_since) >= long
}
