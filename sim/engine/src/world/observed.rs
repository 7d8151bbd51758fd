//! What nodes say about themselves.
//!
//! Owns what the world notes of it: who says that it owns a shard, how long a hand-over took, how
//! far the way to the hot show's next leader is, and how often each mark was seen. None of it enters a verdict.

use onsale_cluster::{Mark, Observation, ShardId, TransferReason};

use super::World;
use crate::seen::place::Place;
use crate::seen::sight::Sight;
use crate::struck::outages::Before;

impl World {
    pub(super) fn on_observation(&mut self, node: Place, observation: Observation) {
        let me = node.node_id();
        self.witness.sees(self.now, || Sight::Observed { node, observation: &observation });
        match observation {
            Observation::LeaderActivated { shard, epoch } => {
                let leader = &mut self.leaders[shard.0 as usize];
                if shard == self.hot {
                    self.faults.serves(self.now, shard, epoch);
                }
                if leader.is_none_or(|(known, _)| epoch > known) {
                    *leader = Some((epoch, me));
                    let before = self.before(node, shard);
                    self.faults.leader_changed(self.now, shard, me, before);
                }
            }
            Observation::LeaderDeposed { .. } => self.mark(Mark::LeaderDeposed),
            Observation::LeadTransferBegan { shard, to, reason } => {
                self.faults.hand_over_began(self.now, shard, to, reason);
                match reason {
                    TransferReason::Retirement | TransferReason::Move => {}
                    TransferReason::Venue => self.mark(Mark::LeaderDrawnToVenue),
                    TransferReason::Load => self.mark(Mark::LeaderShed),
                }
            }
            Observation::LeadTransferGivenUp { shard } => {
                self.faults.hand_over_given_up(shard);
                self.mark(Mark::HandOverGivenUp);
            }
            Observation::Elected { shard, epoch } => {
                self.faults.elected(self.now, shard);
                if shard == self.hot {
                    self.faults.hot_elected(self.now, shard, epoch, me);
                }
            }
            Observation::Suspected { peer } => {
                self.faults.suspected(self.now, self.hot, peer);
                self.mark(Mark::PeerSuspected);
            }
            Observation::Trusted { .. } => self.mark(Mark::PeerTrusted),
            Observation::GivenUp { .. } => self.mark(Mark::PeerGivenUp),
            Observation::Withdrew => self.mark(Mark::Withdrew),
            Observation::Returned => self.mark(Mark::Returned),
            Observation::Refused { reason: mark, .. } | Observation::Mark(mark) => self.mark(mark),
        }
    }

    /// What is known of the time before a node leads a shard.
    fn before(&self, node: Place, shard: ShardId) -> Before {
        let leader = self.faults.last_leader(shard).map(Place::Node);
        // Of itself a node has just heard.
        let another = leader.filter(|&leader| leader != node);
        Before {
            decided: self.witness.decided.last(shard),
            asked: self.witness.decided.asked_since(shard),
            heard: another.map_or(self.now, |leader| self.machines[node].heard_at[leader]),
            ..Before::default()
        }
    }

    fn mark(&mut self, mark: Mark) {
        self.marks[mark as usize] += 1;
    }
}
