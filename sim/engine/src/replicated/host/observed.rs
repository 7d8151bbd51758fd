//! Nodes' observations about themselves.
//!
//! Owns the audience's notes of them: the leaders of shards, the duration of lead transfers, the steps of the hot
//! show's failover, and the count of each mark. Refuses to let them affect a verdict.

use onsale_cluster::{Mark, Observation, TransferReason};
use onsale_world::place::Place;

use super::World;
use crate::replicated::Replicated;
use crate::seen::sight::Sight;
use crate::struck::outages::Before;
use crate::system::Audience;

/// Notes a node's observation about itself.
pub(super) fn observe(world: &mut World, node: Place, observation: Observation) {
    let (now, me, heard) = (world.now, node.node_id(), before(world, node, observation));
    let ears = &mut world.ears;
    ears.witness.sees(now, || Sight::Observed { node, observation: &observation });
    match observation {
        Observation::LeaderActivated { shard, epoch } => {
            let leader = &mut ears.leaders[shard.0 as usize];
            if shard == ears.hot {
                ears.faults.serves(now, shard, epoch);
            }
            if leader.is_none_or(|(known, _)| epoch > known) {
                *leader = Some((epoch, me));
                ears.faults.leader_changed(now, shard, me, heard);
            }
        }
        Observation::LeaderDeposed { .. } => mark(ears, Mark::LeaderDeposed),
        Observation::LeadTransferBegan { shard, to, reason } => {
            ears.faults.lead_transfer_began(now, shard, to, reason);
            match reason {
                TransferReason::Retirement | TransferReason::Move => {}
                TransferReason::Venue => mark(ears, Mark::LeaderDrawnToVenue),
                TransferReason::Load => mark(ears, Mark::LeaderShed),
            }
        }
        Observation::LeadTransferGivenUp { shard } => {
            ears.faults.lead_transfer_given_up(shard);
            mark(ears, Mark::LeadTransferGivenUp);
        }
        Observation::Elected { shard, epoch } => {
            ears.faults.elected(now, shard);
            if shard == ears.hot {
                ears.faults.hot_elected(now, shard, epoch, me);
            }
        }
        Observation::Suspected { peer } => {
            ears.faults.suspected(now, ears.hot, peer);
            mark(ears, Mark::PeerSuspected);
        }
        Observation::Trusted { .. } => mark(ears, Mark::PeerTrusted),
        Observation::GivenUp { .. } => mark(ears, Mark::PeerGivenUp),
        Observation::Withdrew => mark(ears, Mark::Withdrew),
        Observation::Returned => mark(ears, Mark::Returned),
        Observation::Refused { reason, .. } | Observation::Mark(reason) => mark(ears, reason),
    }
}

/// Evidence on the time before a node leads a shard, if that is what it observes.
fn before(world: &World, node: Place, observation: Observation) -> Before {
    let Observation::LeaderActivated { shard, .. } = observation else { return Before::default() };
    let ears = &world.ears;
    let leader = ears.faults.last_leader(shard).map(Place::Node);
    // A node has always just heard from itself.
    let another = leader.filter(|&leader| leader != node);
    Before {
        decided: ears.witness.decided.last(shard),
        asked: ears.witness.decided.asked_since(shard),
        heard: another.map_or(world.now, |leader| world.heard_at(node, leader)),
        ..Before::default()
    }
}

fn mark(ears: &mut Audience<Replicated>, mark: Mark) {
    ears.marks[mark as usize] += 1;
    ears.faults.marked(mark);
}
