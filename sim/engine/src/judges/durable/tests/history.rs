//! Histories of three disks, and one spare, with one log.

use onsale_booking::{Event, HoldId, Outcome, Reply, RequestId, SeatId, ShowId, Timed, UserId};
pub(super) use onsale_cluster::journal::Change;
pub(super) use onsale_cluster::journal::frame::Frame;

use onsale_cluster::Stamp;
use onsale_cluster::fact::{Base, Delta, FactsAnswer, FactsMessage, FactsReply, QuestionId};
use onsale_cluster::journal::claim::Claim;
use onsale_oracles::OracleSettings;

use super::super::promises::Heard;
use super::super::*;

const SHARD: ShardId = ShardId(0);

/// What disks have held and nodes have told so far.
#[derive(Debug)]
pub(super) struct History {
    judge: Durable,
    oracles: Oracles,
}

impl History {
    pub(super) fn new() -> Self {
        let oracles = Oracles::new(OracleSettings::example());
        let placement = Placement::new(3, 3, 1, 3).changing(1);
        Self { judge: Durable::new(&placement, oracles.clock()), oracles }
    }

    /// n1 leads e1 by the votes of n1 and n2, which hold its first record; n2 has acknowledged it, and it is committed.
    pub(super) fn elected() -> Self {
        let first = [entry(1, 1), state(1, 1, 0)];
        Self::new()
            .write(1, &[state(1, 1, 0)])
            .says(1, 2, 1, Claim::Stands { ends: (0, Epoch(0)) })
            .write(2, &[state(1, 1, 0)])
            .says(2, 1, 1, Claim::Votes)
            .appends(1, 1, (0, 0), &[(1, 1)])
            .write(1, &first)
            .write(2, &first)
            .says(2, 1, 1, Claim::Holds { index: 1, commit: 0 })
            .leads(1, 1, 1)
    }

    pub(super) fn write(self, node: u16, frames: &[Frame<'_>]) -> Self {
        self.put(node, frames, false)
    }

    pub(super) fn write_if(self, does: bool, node: u16, frames: &[Frame<'_>]) -> Self {
        if does { self.write(node, frames) } else { self }
    }

    /// A write that begins a segment.
    pub(super) fn segment(self, node: u16, frames: &[Frame<'_>]) -> Self {
        self.put(node, frames, true)
    }

    fn put(mut self, node: u16, frames: &[Frame<'_>], begins: bool) -> Self {
        self.judge.write_begins(NodeId(node), begins);
        for frame in frames {
            self.judge.take(Instant::ZERO, NodeId(node), frame);
        }
        let touched = frames.iter().any(|frame| frame.shard().is_some()).then_some(SHARD);
        self.judge.write_ends(Instant::ZERO, NodeId(node), touched.as_slice());
        self
    }

    /// A process dies; its disk has one segment, with these frames.
    pub(super) fn restart(mut self, node: u16, frames: &[Frame<'_>]) -> Self {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut bytes));
        self.judge.reread(NodeId(node), std::iter::once(&bytes[..]));
        self
    }

    pub(super) fn says(self, from: u16, to: u16, epoch: u64, claim: Claim) -> Self {
        self.replica_says(0, from, to, epoch, claim)
    }

    pub(super) fn replica_says(
        self,
        generation: u32,
        from: u16,
        to: u16,
        epoch: u64,
        claim: Claim,
    ) -> Self {
        let ids = (ReplicaId::new(NodeId(from), generation), ReplicaId::new(NodeId(to), 0));
        self.claims(ids, epoch, claim, &[])
    }

    /// A leader speaks, and tells that the log is committed up to an index.
    pub(super) fn leads(self, from: u16, epoch: u64, commit: u64) -> Self {
        let claim = Claim::Leads { before: None, snapshot: None, commit };
        self.says(from, 3, epoch, claim)
    }

    /// A leader sends records (index and epoch) that follow on another.
    pub(super) fn appends(
        self,
        from: u16,
        epoch: u64,
        before: (u64, u64),
        records: &[(u64, u64)],
    ) -> Self {
        let before = Some((before.0, Epoch(before.1)));
        let ids = (ReplicaId::new(NodeId(from), 0), ReplicaId::new(NodeId(3), 0));
        self.claims(ids, epoch, Claim::Leads { before, snapshot: None, commit: 0 }, records)
    }

    fn claims(
        mut self,
        (sender, to): (ReplicaId, ReplicaId),
        epoch: u64,
        claim: Claim,
        records: &[(u64, u64)],
    ) -> Self {
        let heard =
            Heard { now: Instant::ZERO, shard: SHARD, sender, to, epoch: Epoch(epoch), claim };
        self.judge.on_claim(heard, records.iter().map(|&(index, epoch)| (index, Epoch(epoch))));
        self
    }

    /// A recovery leaves the first `held` records, of e1, and one member.
    pub(super) fn recovers(mut self, held: u64, alone: ReplicaId) -> Self {
        self.judge.given_up(SHARD, (held, Epoch(1)));
        self.judge.members_changed(SHARD, &Members::alone(alone));
        self
    }

    /// The record at an index grants the hold.
    pub(super) fn grant(mut self, index: u64, epoch: u64) -> Self {
        let seats = [SeatId(3)].into_iter().collect();
        let (at, expires) = (Instant::ZERO, Instant(1));
        let held = Event::Held { hold: HoldId(1), user: UserId(1), seats, at, expires };
        self.judge.record_written((SHARD, index, Epoch(epoch)), &[(ShowId(0), held)]);
        self
    }

    /// A node tells a client that the hold is granted.
    pub(super) fn tells_of_grant(self, from: u16) -> Self {
        let seats = [SeatId(3)].into_iter().collect();
        let outcome = Outcome::Held { hold: HoldId(1), seats, expires: Instant(1) };
        let item = Reply { request: RequestId(1), outcome };
        self.sends(from, &Message::Replies(vec![Timed { at: Instant::ZERO, item }]))
    }

    /// A node acknowledges its own fact of an instant to a client.
    pub(super) fn acknowledges_fact(self, from: u16, at: u64) -> Self {
        let answer = FactsAnswer::Written(Stamp { at: Instant(at), count: 0, node: NodeId(from) });
        let told = FactsMessage::Told(FactsReply { id: QuestionId(1), answer });
        self.sends(from, &Message::Facts(Box::new(told)))
    }

    /// A node tells news of n1's fact of an instant.
    pub(super) fn tells_news(self, from: u16, at: u64) -> Self {
        let news = FactsMessage::News { incarnation: 1, delta: written(at) };
        self.sends(from, &Message::Facts(Box::new(news)))
    }

    pub(super) fn sends(mut self, from: u16, message: &Message) -> Self {
        let (from, to) = (NodeId(from), Place::Clients);
        self.judge.sends(Instant::ZERO, from, to, message, &self.oracles);
        self
    }

    pub(super) fn finish(self) -> Vec<OracleResult> {
        self.judge.finish().into()
    }
}

/// The promises of a replica; it voted for the replica of a node, 0 for none.
pub(super) fn state(epoch: u64, vote: u16, commit: u64) -> Frame<'static> {
    let vote = (vote > 0).then(|| ReplicaId::new(NodeId(vote), 0));
    Frame::HardState { shard: SHARD, epoch: Epoch(epoch), vote, commit, in_repair: false }
}

/// The promises of a replica that votes for one of any generation.
pub(super) fn voted(epoch: u64, vote: ReplicaId) -> Frame<'static> {
    let (epoch, vote) = (Epoch(epoch), Some(vote));
    Frame::HardState { shard: SHARD, epoch, vote, commit: 0, in_repair: false }
}

pub(super) fn in_repair(epoch: u64, vote: u16) -> Frame<'static> {
    let vote = (vote > 0).then(|| ReplicaId::new(NodeId(vote), 0));
    Frame::HardState { shard: SHARD, epoch: Epoch(epoch), vote, commit: 0, in_repair: true }
}

pub(super) fn entry(index: u64, epoch: u64) -> Frame<'static> {
    Frame::Entry { shard: SHARD, index, epoch: Epoch(epoch), record: &[] }
}

pub(super) fn change(index: u64, epoch: u64, change: &[u8]) -> Frame<'_> {
    Frame::Change { shard: SHARD, index, epoch: Epoch(epoch), change }
}

pub(super) fn snapshot(index: u64, epoch: u64) -> Frame<'static> {
    Frame::Snapshot { shard: SHARD, index, epoch: Epoch(epoch), state: &[] }
}

pub(super) fn named(generation: u32) -> Frame<'static> {
    Frame::Replica { shard: SHARD, generation, left: false }
}

pub(super) fn checkpoint() -> Frame<'static> {
    Frame::Checkpoint { groups: 1 }
}

/// The delta of n1's fact of an instant, as a frame has it.
pub(super) fn delta(at: u64) -> Vec<u8> {
    written(at).encode()
}

fn written(at: u64) -> Delta {
    let stamp = Stamp { at: Instant(at), count: 0, node: NodeId(1) };
    let until = [stamp].into_iter().collect();
    Delta { base: Base::Since(Default::default()), until, written: Vec::new() }
}
