//! How a replica whose disk lost what was durable comes back without breaking promises.
//!
//! It may have acknowledged records and cast votes that it no longer remembers, so it
//! neither votes nor stands until it holds whatever it may have acknowledged:
//!
//! 1. It asks every peer for its epoch. No peer counts a vote or an acknowledgement of
//!    its from a later epoch than these.
//! 2. It enters an epoch above all of them and calls the peers into it. They elect a
//!    leader among themselves, which believes nothing about this replica.
//! 3. Once it has applied a record of that epoch or a later one, it holds all that was
//!    committed before, and the doubt ends.
//!
//! This takes all peers. If several replicas lost their memory at once, they wait for
//! ever rather than lose what was acknowledged.

use raft::eraftpb::{Message, MessageType};

/// What a replica in doubt has found out.
#[derive(Debug)]
pub(super) struct Doubt {
    /// The epochs of the peers, as far as they were heard since this replica started.
    heard: Vec<(u64, Option<u64>)>,
    /// The epoch into which the peers are called.
    fence: Option<u64>,
    ticks: usize,
}

impl Doubt {
    pub(super) fn new(peers: impl Iterator<Item = u64>) -> Self {
        Self { heard: peers.map(|peer| (peer, None)).collect(), fence: None, ticks: 0 }
    }

    /// Notes a peer's epoch. Returns the epoch to enter, once it is known.
    pub(super) fn hear(&mut self, message: &Message, epoch: u64) -> Option<u64> {
        if self.fence.is_some() {
            return None;
        }
        if let Some((_, heard)) = self.heard.iter_mut().find(|(peer, _)| *peer == message.from) {
            *heard = (*heard).max(Some(message.term));
        }
        let all =
            self.heard.iter().try_fold(epoch, |highest, (_, heard)| Some(highest.max((*heard)?)));
        self.fence = all.map(|highest| highest + 1);
        self.fence
    }

    /// The epoch from which on the replica can trust what it is told.
    pub(super) fn fence(&self) -> Option<u64> {
        self.fence
    }

    /// What to say now, every `pace` ticks; `silent` once a leader is known.
    pub(super) fn tick(&mut self, pace: usize, id: u64, epoch: u64, silent: bool) -> Vec<Message> {
        self.ticks += 1;
        if silent || self.ticks % pace != 1 {
            return Vec::new();
        }
        let fence = self.fence;
        let unheard = self.heard.iter().filter(|(_, heard)| fence.is_some() || heard.is_none());
        unheard
            .map(|(peer, _)| {
                let mut message = Message { from: id, to: *peer, ..Message::default() };
                match fence {
                    // With an empty log nobody grants it; the refusal carries the peer's epoch.
                    None => {
                        message.set_msg_type(MessageType::MsgRequestPreVote);
                        message.term = epoch + 1;
                    }
                    // What the library itself says to a leader whose epoch is over.
                    Some(fence) => {
                        message.set_msg_type(MessageType::MsgAppendResponse);
                        message.term = fence;
                    }
                }
                message
            })
            .collect()
    }
}
