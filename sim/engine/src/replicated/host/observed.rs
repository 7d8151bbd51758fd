//! Nodes' observations about themselves.
//!
//! Owns the audience's notes of them: the leaders of shards, the duration of lead transfers, the steps of the hot
//! show's failover, and the count of each mark. Two of them are judged for `prompt`: that a leader serves again, and that a
//! peer is declared down. None excuses anything.

use onsale_cluster::{Mark, Observation, TransferReason};
use onsale_world::place::Place;

use super::World;
use super::moments::look_at_observation;
use crate::seen::sight::Sight;
use crate::struck::outages::Before;

/// Notes a node's observation about itself.
pub(super) fn observe(world: &mut World, node: Place, observation: Observation) {
    let (now, me, heard) = (world.now, node.node_id(), before(world, node, observation));
    let ears = &mut world.ears;
    ears.witness.sees(now, || Sight::Observed { node, observation: &observation });
    if let Some(mark) = mark_of(observation) {
        ears.marks[mark as usize] += 1;
        ears.faults.marked(mark);
    }
    match observation {
        Observation::LeaderActivated { shard, epoch } => {
            let leader = &mut ears.leaders[shard.0 as usize];
            if shard == ears.hot {
                ears.faults.serves(now, shard, epoch);
            }
            if leader.is_none_or(|(known, _)| epoch > known) {
                *leader = Some((epoch, me));
                if let Some(outage) = ears.faults.leader_changed(now, shard, me, heard) {
                    ears.led_again(now, &outage);
                }
            }
        }
        Observation::LeadTransferBegan { shard, to, reason } => {
            ears.faults.lead_transfer_began(now, shard, to, reason);
        }
        Observation::LeadTransferGivenUp { shard } => ears.faults.lead_transfer_given_up(shard),
        Observation::Elected { shard, epoch } => {
            ears.faults.elected(now, shard);
            if shard == ears.hot {
                ears.faults.hot_elected(now, shard, epoch, me);
                ears.elected = ears.elected.max(Some((epoch, me)));
            }
        }
        Observation::Suspected { peer } => ears.faults.suspected(now, ears.hot, peer),
        Observation::GivenUp { peer } => ears.witness.judges.given_up(now, me, peer),
        Observation::LeaderDeposed { .. }
        | Observation::Trusted { .. }
        | Observation::Withdrew
        | Observation::Returned
        | Observation::Refused { .. }
        | Observation::Mark(_) => {}
    }
    look_at_observation(world, node, observation);
}

/// The mark of an observation, if it has one.
pub(super) const fn mark_of(observation: Observation) -> Option<Mark> {
    match observation {
        Observation::LeaderActivated { .. } | Observation::Elected { .. } => None,
        Observation::LeadTransferBegan { reason, .. } => match reason {
            TransferReason::Retirement | TransferReason::Move => None,
            TransferReason::Venue => Some(Mark::LeaderDrawnToVenue),
            TransferReason::Load => Some(Mark::LeaderShed),
        },
        Observation::LeaderDeposed { .. } => Some(Mark::LeaderDeposed),
        Observation::LeadTransferGivenUp { .. } => Some(Mark::LeadTransferGivenUp),
        Observation::Suspected { .. } => Some(Mark::PeerSuspected),
        Observation::Trusted { .. } => Some(Mark::PeerTrusted),
        Observation::GivenUp { .. } => Some(Mark::PeerGivenUp),
        Observation::Withdrew => Some(Mark::Withdrew),
        Observation::Returned => Some(Mark::Returned),
        Observation::Refused { reason, .. } | Observation::Mark(reason) => Some(reason),
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
