//! When a shard may have no leader that can commit.
//!
//! Owns what may make holds end late, by the calendar: processes that end, faults in force, and since when
//! replicas have been up. It declares that to the oracles' [bound](onsale_oracles::overdue). Refuses to know what ended
//! a hold, and what any node says about its time.
//!
//! - The *slack* is a second, an election, one commit and the quantum.
//! - An *election*: acceptable pause + 10 beats + 4 election time-outs; three times that where the network loses
//!   messages even if nothing is wrong.
//! - *Gaps* of a shard: an election from the instant at which the process of a replica ends; and from when the replicas
//!   that are up are no majority until an election after they are one again.
//! - *Troubles*: while faults other than crashes, restarts and wrong clocks are in force, or the map
//!   wants replicas elsewhere, and an election after that.
//! - Holds are measured *afresh*: a shard's time may be lost where no majority of the replicas is up and has heard it
//!   since its own last start; they are measured from when a majority is up, and an election later. A replica has heard
//!   the time once it has been up without gaps and troubles for two beats and four ways; for ten
//!   seconds where the network loses messages.
//!
//! Why no alarm is false: outside of gaps and troubles somebody leads who can commit, and by the condition
//! above its time is at most some ways of messages behind; the second is for these. Where a disk may have forgotten
//! what it had promised, its replica may abstain until all are up: it counts as up once all have been up for the time
//! of an election. Why none is missed: a crash widens the bound by one election, and nothing that a node says widens it.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::journal::Members;
use onsale_oracles::Overdue;
use onsale_oracles::overdue::{Periods, is_free};

/// How fast a cluster is where nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paces {
    /// One election.
    pub election: Span,
    /// How long a replica that has started may take to hear the time.
    pub hears: Span,
}

/// One shard.
#[derive(Debug, Default)]
struct Shard {
    /// When a replica is down.
    partial: Periods,
    /// Whether those that are up are no majority.
    is_short: bool,
    /// Whether the time may be lost, and nobody has set it since.
    is_lost: bool,
}

/// What is known of each node and shard.
#[derive(Debug)]
pub(super) struct Availability {
    paces: Paces,
    /// By node: since when its process is up.
    up: Vec<Option<Instant>>,
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

impl Availability {
    pub(super) const fn new(paces: Paces) -> Self {
        Self {
            paces,
            up: Vec::new(),
            under_way: 0,
            moves: false,
            forgets: false,
            any_ended: false,
            shards: Vec::new(),
        }
    }

    /// Something begins that is neither a crash nor a wrong clock; what it does to disks may make them forget.
    pub(super) fn on_trouble(&mut self, at: Instant, forgets: bool, overdue: &mut Overdue) {
        self.under_way += 1;
        self.forgets |= forgets;
        overdue.trouble_begins(at);
    }

    /// It is over.
    pub(super) fn on_trouble_over(&mut self, at: Instant, overdue: &mut Overdue) {
        assert!(self.under_way > 0, "what is over has begun");
        self.under_way -= 1;
        if self.under_way == 0 {
            overdue.trouble_ends(at + self.paces.election);
        }
    }

    /// The map wants replicas elsewhere than they are, or not any more.
    pub(super) fn on_moves(&mut self, at: Instant, moves: bool, overdue: &mut Overdue) {
        match (std::mem::replace(&mut self.moves, moves), moves) {
            (false, true) => self.on_trouble(at, false, overdue),
            (true, false) => self.on_trouble_over(at, overdue),
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
        overdue: &mut Overdue,
    ) {
        let place = usize::from(node.0);
        self.up.resize(self.up.len().max(place + 1), None);
        self.up[place] = is_up.then_some(at);
        self.any_ended |= !is_up;
        if !self.any_ended {
            return;
        }
        for (shard, members) in (0..).zip(kept_by) {
            if self.shards.len() <= shard as usize {
                self.shards.push(Shard::default());
            }
            if members.iter().any(|members| members.are_on(node)) {
                self.look(at, shard, is_up, &members, overdue);
            }
        }
    }

    fn look(
        &mut self,
        at: Instant,
        log: u32,
        is_up: bool,
        members: &[Members],
        overdue: &mut Overdue,
    ) {
        let election = self.paces.election;
        let is_whole =
            members.iter().flat_map(Members::each).all(|member| self.is_up(member.node()));
        let quorum = |is: &dyn Fn(NodeId) -> bool| {
            members.iter().all(|members| members.is_quorum(|member| is(member.node())))
        };
        let counts =
            |node| self.is_able(at, log, node, overdue) && self.has_heard(at, log, node, overdue);
        let is_short = !is_whole && !quorum(&|node| self.is_able(at, log, node, overdue));
        let is_lost = !is_up && !quorum(&counts);

        let shard = &mut self.shards[log as usize];
        match is_whole {
            true => shard.partial.end(at),
            false => shard.partial.begin(at, Instant::MAX),
        }
        if !is_up {
            overdue.gap_begins(log, at, at + election);
        }
        shard.is_lost |= is_lost;
        if is_short {
            overdue.gap_begins(log, at, Instant::MAX);
        } else if shard.is_short {
            overdue.gap_ends(log, at + election + election);
        }
        shard.is_short = is_short;
        if shard.is_lost && !is_short {
            shard.is_lost = false;
            overdue.measured_afresh(log, at + election);
        }
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.since(node).is_some()
    }

    fn since(&self, node: NodeId) -> Option<Instant> {
        self.up.get(usize::from(node.0)).copied().flatten()
    }

    /// Whether a replica's say counts if it is up.
    fn is_able(&self, at: Instant, log: u32, node: NodeId, overdue: &Overdue) -> bool {
        let busy = [overdue.troubles(), &self.shards[log as usize].partial];
        self.since(node)
            .is_some_and(|since| !self.forgets || is_free((since, at), self.paces.election, busy))
    }

    /// Whether a replica that is up knows the time.
    fn has_heard(&self, at: Instant, log: u32, node: NodeId, overdue: &Overdue) -> bool {
        let busy = [overdue.troubles(), overdue.gaps(log)];
        self.since(node).is_some_and(|since| is_free((since, at), self.paces.hears, busy))
    }
}

#[cfg(test)]
mod tests;
