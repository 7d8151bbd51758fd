//! The times in which a shard may have no leader that can commit.
//!
//! Owns the reasons for holds to end late and for requests to stay unanswered, by the calendar: processes that end or
//! stand still, faults in force, and the time for which replicas have been up. It declares them to the oracles'
//! [limit](onsale_oracles::overdue) and as [interruptions](onsale_oracles::interruptions). Refuses to know what ended
//! a hold, and what any node says about its time.
//!
//! - The *slack* is a second, an election, one commit and the quantum.
//! - An *election*: acceptable pause + 10 beats + 4 election time-outs; three times that if the network loses
//!   messages even without faults.
//! - *Gaps* of a shard: an election from the end of a replica's process; and from the instant at which the running
//!   replicas are no majority until an election after they are one again.
//! - *Troubles*: while faults other than crashes, restarts, pauses and wrong clocks are in force, or the map
//!   wants replicas elsewhere, and an election after that.
//! - *Interruptions* of everything: while such a fault is in force, and while no more than half of the nodes run (or
//!   fewer than the settings demand), for then even a gateway that sees a shard's leader may refuse its clients. Moves
//!   interrupt nothing.
//! - *Interruptions* of a gateway: its node's process dies, or stands still.
//! - *Interruptions* of a shard: the end of a replica's process, and while the running replicas are no majority.
//! - A process that refuses to run, as its release cannot read its disk or its journal, counts as up, unless a fault
//!   took its release back: nothing explains its end, and nobody starts it again.
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
use onsale_oracles::overdue::{Periods, is_free};
use onsale_oracles::{Interruptions, Overdue};

/// The oracles' accounts of what may be late, and of what may stay unanswered.
pub(super) type Excuses<'a> = (&'a mut Overdue, &'a mut Interruptions);

/// Speed of a cluster without faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paces {
    /// Longest duration of an election.
    pub election: Span,
    /// Longest time until a started replica has heard the shard's time.
    pub hears: Span,
    /// Least number of running nodes with which gateways serve, if the settings fix one; else more than half.
    pub quorum: Option<u16>,
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
    /// The nodes that were told to leave.
    leaving: Vec<NodeId>,
    /// Number of troubles in force.
    under_way: u32,
    /// Number of reasons in force for which anything may stay unanswered.
    delays: u32,
    /// Whether too few nodes run.
    is_minority: bool,
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
            leaving: Vec::new(),
            under_way: 0,
            delays: 0,
            is_minority: false,
            moves: false,
            forgets: false,
            any_ended: false,
            shards: Vec::new(),
        }
    }

    /// Begins a trouble, neither crash nor pause nor wrong clock; `forgets` says whether disks may lose promises.
    pub(super) fn on_trouble(&mut self, at: Instant, forgets: bool, excuses: Excuses<'_>) {
        self.forgets |= forgets;
        self.trouble_begins(at, excuses.0);
        self.delay_begins(excuses.1);
    }

    /// Ends a trouble.
    pub(super) fn on_trouble_over(&mut self, at: Instant, excuses: Excuses<'_>) {
        self.trouble_ends(at, excuses.0);
        self.delay_ends(at, excuses.1);
    }

    /// Notes whether the map wants replicas elsewhere than they are.
    pub(super) fn on_moves(&mut self, at: Instant, moves: bool, excuses: Excuses<'_>) {
        match (std::mem::replace(&mut self.moves, moves), moves) {
            (false, true) => self.trouble_begins(at, excuses.0),
            (true, false) => self.trouble_ends(at, excuses.0),
            (true, true) | (false, false) => {}
        }
    }

    /// Notes that a node was told to leave, and counts no longer.
    pub(super) fn on_told_to_leave(&mut self, at: Instant, node: NodeId, excuses: Excuses<'_>) {
        self.leaving.push(node);
        self.count_nodes(at, excuses.1);
    }

    fn trouble_begins(&mut self, at: Instant, overdue: &mut Overdue) {
        self.under_way += 1;
        overdue.trouble_begins(at);
    }

    fn trouble_ends(&mut self, at: Instant, overdue: &mut Overdue) {
        assert!(self.under_way > 0, "a trouble begins before it ends");
        self.under_way -= 1;
        if self.under_way == 0 {
            overdue.trouble_ends(at + self.paces.election);
        }
    }

    fn delay_begins(&mut self, interruptions: &mut Interruptions) {
        self.delays += 1;
        interruptions.delays_begin();
    }

    fn delay_ends(&mut self, at: Instant, interruptions: &mut Interruptions) {
        assert!(self.delays > 0, "a delay begins before it ends");
        self.delays -= 1;
        if self.delays == 0 {
            interruptions.delays_end(at);
        }
    }

    /// Looks whether enough nodes run for gateways to serve.
    fn count_nodes(&mut self, at: Instant, interruptions: &mut Interruptions) {
        let nodes = (0..).map(NodeId).zip(&self.up).skip(1);
        let stay: Vec<bool> = nodes
            .filter(|(node, _)| !self.leaving.contains(node))
            .map(|(_, up)| up.is_some())
            .collect();
        let (run, all) = (stay.iter().filter(|&&runs| runs).count(), stay.len());
        let too_few = self.paces.quorum.map_or(2 * run <= all, |quorum| run < usize::from(quorum));
        match (std::mem::replace(&mut self.is_minority, too_few), too_few) {
            (false, true) => self.delay_begins(interruptions),
            (true, false) => self.delay_ends(at, interruptions),
            (true, true) | (false, false) => {}
        }
    }

    /// Notes that a process runs from now on, or no longer: it has died or stands still. `kept_by` gives the possible
    /// members of each shard, in order.
    pub(super) fn on_process(
        &mut self,
        at: Instant,
        node: NodeId,
        is_up: bool,
        kept_by: impl Iterator<Item = Vec<Members>>,
        (overdue, interruptions): Excuses<'_>,
    ) {
        let place = usize::from(node.0);
        self.up.resize(self.up.len().max(place + 1), None);
        self.up[place] = is_up.then_some(at);
        match is_up {
            true => interruptions.node_goes_on(node, at),
            false => interruptions.node_stops(node, at),
        }
        self.any_ended |= !is_up;
        if !self.any_ended {
            return;
        }
        self.count_nodes(at, interruptions);
        for (shard, members) in (0..).zip(kept_by) {
            if self.shards.len() <= shard as usize {
                self.shards.push(Shard::default());
            }
            if members.iter().any(|members| members.are_on(node)) {
                self.look((at, shard), is_up, &members, (overdue, interruptions));
            }
        }
    }

    /// Notes that a log goes on with these members, whose others are given up.
    pub(super) fn on_recovery(
        &mut self,
        at: Instant,
        log: u32,
        members: &Members,
        excuses: Excuses<'_>,
    ) {
        if (log as usize) < self.shards.len() {
            self.look((at, log), true, std::slice::from_ref(members), excuses);
        }
    }

    fn look(
        &mut self,
        (at, log): (Instant, u32),
        is_up: bool,
        members: &[Members],
        (overdue, interruptions): Excuses<'_>,
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
            interruptions.writer_stops(log, at);
        }
        shard.is_lost |= is_lost;
        if is_short {
            overdue.gap_begins(log, at, Instant::MAX);
            interruptions.cannot_commit(log);
        } else if shard.is_short {
            overdue.gap_ends(log, at + election + election);
            interruptions.can_commit(log, at);
        }
        shard.is_short = is_short;
        if shard.is_lost && !is_short {
            shard.is_lost = false;
            overdue.measured_afresh(log, at + election);
        }
    }

    /// Whether a node has run for this long.
    pub(super) fn has_run(&self, at: Instant, node: NodeId, long: Span) -> bool {
        self.since(node).is_some_and(|since| at > since + long)
    }

    /// Whether a node was told to leave.
    pub(super) fn leaves(&self, node: NodeId) -> bool {
        self.leaving.contains(&node)
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.since(node).is_some()
    }

    /// Start of a node's process, if it runs.
    pub(super) fn since(&self, node: NodeId) -> Option<Instant> {
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
