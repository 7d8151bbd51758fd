//! Elections, read off the replicas' messages.
//!
//! Owns which calls for votes are news: a call goes to several nodes, and a failed one is
//! repeated. Refuses to know the winner; a leader says so itself.

use std::collections::BTreeMap;

use onsale_cluster::journal::{Gist, JournalMessage};
use onsale_cluster::{Epoch, ShardId};

use onsale_world::place::Place;

/// The calls for votes, by shard, epoch and candidate.
#[derive(Debug, Default)]
pub(super) struct Elections(BTreeMap<(ShardId, Epoch, Place), Calls>);

/// A node's calls in one epoch.
#[derive(Debug, Default)]
struct Calls {
    /// By peer, the pre-vote calls sent to it.
    trials: BTreeMap<Place, u32>,
    told: u32,
    stood: bool,
}

impl Elections {
    /// The phrase for what a message between two replicas tells of an election, if that is news.
    pub(super) fn news(
        &mut self,
        shard: ShardId,
        (from, to): (Place, Place),
        message: &JournalMessage,
    ) -> Option<String> {
        let epoch = message.epoch();
        match message.gist() {
            Gist::CallsForVotes { trial } => {
                let calls = self.0.entry((shard, epoch, from)).or_default();
                if !trial {
                    return (!std::mem::replace(&mut calls.stood, true))
                        .then(|| format!("stands for election as leader of {shard} ({epoch})"));
                }
                // A second call to one node is a new attempt: the first failed.
                let asked = calls.trials.entry(to).or_default();
                *asked += 1;
                if *asked <= calls.told.max(1) {
                    return None;
                }
                calls.told = *asked;
                Some(format!("gets no majority in the pre-vote for {shard} ({epoch})"))
            }
            Gist::Votes { trial: false, granted: true } => {
                Some(format!("votes for {to} as leader of {shard} ({epoch})"))
            }
            Gist::Votes { .. } | Gist::BringsSnapshot | Gist::Replicates => None,
        }
    }
}
