//! The times in which a shard may have no leader that can commit.
//!
//! Owns the reasons for holds to end late, by the calendar: processes that end, faults in force, and the time for which
//! replicas have been up. It declares them to the oracles' [limit](onsale_oracles::overdue). Refuses to know what ended
//! a hold, and what any node says about its time.
//!
//! - The *slack* is a second, an election, one commit and the quantum.
//! - An *election*: acceptable pause + 10 beats + 4 election time-outs; three times that if the network loses
//!   messages even without faults.
//! - *Gaps* of a shard: an election from the end of a replica's process; and from the instant at which the running
//!   replicas are no majority until an election after they are one again.
//! - *Troubles*: while faults other than crashes, restarts and wrong clocks are in force, or the map
//!   wants replicas elsewhere, and an election after that.
//! - Holds are measured *afresh* if a shard may have lost its time: no majority of the replicas is up and has heard it
//!   since its own last start. They are measured from an election after a majority is up. A replica has heard the time
//!   once it has been up without gaps and troubles for two beats and four one-way latencies; for ten seconds if the
//!   network loses messages.
//!
//! Why no alarm is false: outside gaps and troubles a leader can commit, and by the condition above its time is at most
//! a few message latencies behind; the second covers these. A replica whose disk may have lost promises may abstain
//! until all are up: it counts as up once all have been up for an election. Why none is missed: a crash widens the
//! limit by one election, and no claim of a node widens it.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::journal::Members;
use onsale_oracles::Overdue;
use onsale_oracles::overdue::{Periods, is_free};

/// Speed of a cluster without faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paces {
    /// Longest duration of an election.
    pub election: Span,
    /// Longest time until a started replica has heard the shard's time.
    pub hears: Span,
}

/// Availability of one shard.
#[derive(Debug, Default)]
struct Shard {
    /// Times in which a replica is down.
    partial: Periods,
    /// Whether the running replicas are no majority.
    is_short: bool,
    /// Whether its time may be lost, and has not been set since.
    is_lost: bool,
}

/// Availability of all nodes and shards.
#[derive(Debug)]
pub(super) struct Availability {
    paces: Paces,
    /// By node: start of its process, if it is up.
    up: Vec<Option<Instant>>,
    /// Number of troubles in force.
    under_way: u32,
    /// Whether the map wants replicas elsewhere.
    moves: bool,
    /// Whether a disk may have lost promises.
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

    /// Begins a trouble, neither crash nor wrong clock; `forgets` says whether disks may lose promises.
    pub(super) fn on_trouble(&mut self, at: Instant, forgets: bool, overdue: &mut Overdue) {
        self.under_way += 1;
        self.forgets |= forgets;
        overdue.trouble_begins(at);
    }

    /// Ends a trouble.
    pub(super) fn on_trouble_over(&mut self, at: Instant, overdue: &mut Overdue) {
        assert!(self.under_way > 0, "a trouble begins before it ends");
        self.under_way -= 1;
        if self.under_way == 0 {
            overdue.trouble_ends(at + self.paces.election);
        }
    }

    /// Notes whether the map wants replicas elsewhere than they are.
    pub(super) fn on_moves(&mut self, at: Instant, moves: bool, overdue: &mut Overdue) {
        match (std::mem::replace(&mut self.moves, moves), moves) {
            (false, true) => self.on_trouble(at, false, overdue),
            (true, false) => self.on_trouble_over(at, overdue),
            (true, true) | (false, false) => {}
        }
    }

    /// Notes that a process starts or ends, with the possible members of each shard, in order.
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

    /// Whether a running replica counts towards a majority.
    fn is_able(&self, at: Instant, log: u32, node: NodeId, overdue: &Overdue) -> bool {
        let busy = [overdue.troubles(), &self.shards[log as usize].partial];
        self.since(node)
            .is_some_and(|since| !self.forgets || is_free((since, at), self.paces.election, busy))
    }

    /// Whether a running replica has heard the shard's time.
    fn has_heard(&self, at: Instant, log: u32, node: NodeId, overdue: &Overdue) -> bool {
        let busy = [overdue.troubles(), overdue.gaps(log)];
        self.since(node).is_some_and(|since| is_free((since, at), self.paces.hears, busy))
    }
}

#[cfg(test)]
mod tests;
