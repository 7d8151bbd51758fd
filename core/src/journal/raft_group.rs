//! A replica of a log as a Raft group of the crate `raft`.

use super::{Durable, Journal, JournalMessage, ReadId, Ready, Ticket};
use crate::id::{Epoch, NodeId, ShardId};

/// How a replica behaves in time; all in ticks except `keep_records`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long it waits for a leader before it stands for election; more than
    /// `heartbeat_ticks`. Drawn for each replica by whoever owns chance: equal values in
    /// one group collide for longer.
    pub election_ticks: usize,
    /// How often a leader that is awake speaks.
    pub heartbeat_ticks: usize,
    /// How long a leader stays awake for a follower that makes no progress.
    pub patience_ticks: u32,
    /// After how long a snapshot that was not acknowledged counts as lost.
    pub snapshot_ticks: u32,
    /// How many records before a snapshot are kept for followers that lag.
    pub keep_records: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            election_ticks: 10,
            heartbeat_ticks: 1,
            patience_ticks: 20,
            snapshot_ticks: 20,
            keep_records: 1_000,
        }
    }
}

/// One replica of a shard's log.
#[derive(Debug)]
pub struct RaftGroup {}

impl RaftGroup {
    /// The replica of `shard` on `node`, among `voters`, of which it is one. `durable` is
    /// what `Wal::recover` found, or the default for a new replica. The first poll hands
    /// over the snapshot that it holds, if any.
    ///
    /// # Panics
    ///
    /// When the settings contradict themselves or `node` is 0 or not among the voters.
    pub fn new(
        _shard: ShardId,
        _node: NodeId,
        _voters: &[NodeId],
        _settings: Settings,
        _durable: Durable,
    ) -> Self {
        unimplemented!("follows")
    }
}

impl Journal for RaftGroup {
    fn tick(&mut self) {
        unimplemented!("follows")
    }
    fn step(&mut self, _message: JournalMessage) {
        unimplemented!("follows")
    }
    fn propose(&mut self, _record: Vec<u8>) -> bool {
        unimplemented!("follows")
    }
    fn confirm_leadership(&mut self, _read: ReadId) -> bool {
        unimplemented!("follows")
    }
    fn campaign(&mut self) {
        unimplemented!("follows")
    }
    fn ping(&mut self) {
        unimplemented!("follows")
    }
    fn transfer(&mut self, _to: NodeId) {
        unimplemented!("follows")
    }
    fn fsynced(&mut self, _upto: Ticket) {
        unimplemented!("follows")
    }
    fn poll(&mut self, _out: &mut Ready) {
        unimplemented!("follows")
    }
    fn compact(&mut self, _state: Vec<u8>) {
        unimplemented!("follows")
    }
    fn checkpoint(&self, _frames: &mut Vec<u8>) {
        unimplemented!("follows")
    }
    fn awake(&self) -> bool {
        unimplemented!("follows")
    }
    fn leader(&self) -> Option<NodeId> {
        unimplemented!("follows")
    }
    fn epoch(&self) -> Epoch {
        unimplemented!("follows")
    }
    fn is_leader(&self) -> bool {
        unimplemented!("follows")
    }
    fn may_serve(&self) -> bool {
        unimplemented!("follows")
    }
    fn applied(&self) -> u64 {
        unimplemented!("follows")
    }
    fn uncompacted(&self) -> u64 {
        unimplemented!("follows")
    }
}
