//! The moments of a node, seen in what it does.
//!
//! Owns which write, message or observation is which moment. It looks only for moments that a fault waits for. Refuses
//! to know what strikes then.

use onsale_booking::{Endpoint, Event, Instant};
use onsale_cluster::journal::frame::{Frame, read};
use onsale_cluster::journal::{Change, JournalMessage};
use onsale_cluster::record::decode;
use onsale_cluster::{Mark, Message, Observation, Sending, ShardId, Write};
use onsale_scenarios::Moment;
use onsale_world::place::Place;

use super::observed::mark_of;
use super::{Host, World};
use crate::awaited::{Came, Moments};
use crate::system::moment_came;

/// The moments that show in the bytes of a write.
const IN_BYTES: Moments = Moments::of(&[
    Moment::Voting,
    Moment::MovingJoint,
    Moment::MovingSwap,
    Moment::InstallingSnapshot,
    Moment::Expiring,
]);
/// The moments that show in messages and writes.
pub(super) const IN_EFFECTS: Moments = IN_BYTES.and(Moments::of(&[
    Moment::BetweenAppendAndFsync,
    Moment::Replicating,
    Moment::Asking,
    Moment::BeforeReply,
]));
/// The moments that a node reports itself.
const OBSERVED: Moments = Moments::of(&[
    Moment::Electing,
    Moment::TakingOver,
    Moment::HandingOver,
    Moment::Mark(Mark::LeaderDeposed),
]);
const BOOT: Moments = Moments::of(&[Moment::Recovering]);

/// Whether a message is of a kind.
type Kind = fn(&JournalMessage) -> bool;

/// Looks for a moment in a node's observation about itself.
#[inline]
pub(super) fn look_at_observation(world: &mut World, node: Place, observation: Observation) {
    if world.ears.awaited.any(OBSERVED) {
        note_observed(world, node, observation);
    }
}

#[cold]
fn note_observed(world: &mut World, node: Place, observation: Observation) {
    let at = world.now;
    let came = |moment, log| Came { moment, at, node, log };
    let moment = match observation {
        Observation::Mark(Mark::StoodForElection) => Some((Moment::Electing, None)),
        Observation::Elected { shard, .. } => Some((Moment::TakingOver, Some(shard.0))),
        Observation::LeadTransferBegan { shard, .. } => Some((Moment::HandingOver, Some(shard.0))),
        Observation::LeaderActivated { .. }
        | Observation::LeaderDeposed { .. }
        | Observation::LeadTransferGivenUp { .. }
        | Observation::Suspected { .. }
        | Observation::Trusted { .. }
        | Observation::GivenUp { .. }
        | Observation::Withdrew
        | Observation::Returned
        | Observation::Refused { .. }
        | Observation::Mark(_) => None,
    };
    if let Some((moment, log)) = moment {
        moment_came(world, came(moment, log));
    }
    if let Some(mark) = mark_of(observation) {
        moment_came(world, came(Moment::Mark(mark), None));
    }
}

/// Notes that a node starts and reads its disk.
pub(super) fn look_at_boot(world: &mut World, node: Place, has_written: bool) {
    if has_written && world.ears.awaited.any(BOOT) {
        let at = world.now;
        moment_came(world, Came { moment: Moment::Recovering, at, node, log: None });
    }
}

impl Host {
    /// Looks for moments in the effects of a turn, before they are carried out.
    #[cold]
    pub(super) fn look_at_effects(&self, world: &mut World) {
        let (now, node) = (world.now, self.place);
        let came = |moment, at, log| Came { moment, at, node, log };
        let sends = &self.effects.sends;
        if sends.iter().any(|sending| is_answer(sending) && sending.at > now) {
            moment_came(world, came(Moment::BeforeReply, now, None));
        }
        let kinds: [(Moment, Kind); 2] =
            [(Moment::Replicating, has_records), (Moment::Asking, JournalMessage::asks_for_lead)];
        for (moment, is_it) in kinds {
            let last = |it: &Sending| Some((it.at.max(now), about(&it.message, is_it)?));
            if let Some((leaves, shard)) = sends.iter().filter_map(last).max() {
                moment_came(world, came(moment, leaves, Some(shard.0)));
            }
        }
        for write in &self.effects.writes {
            let begins = self.turn_ends.max(now);
            moment_came(world, came(Moment::BetweenAppendAndFsync, begins, None));
            if world.ears.awaited.any(IN_BYTES) {
                self.look_at_write(world, begins, write);
            }
        }
    }

    fn look_at_write(&self, world: &mut World, at: Instant, write: &Write) {
        let (mut found, mut is_alone) = (Vec::new(), true);
        for frame in read(&write.bytes) {
            match frame {
                // What a segment inherits is no news.
                Frame::Checkpoint { .. } => found.clear(),
                // A vote is alone in its batch: the entries of an append come before its hard state.
                Frame::HardState { shard, vote: Some(_), .. } if is_alone => {
                    found.push((Moment::Voting, shard));
                }
                Frame::Snapshot { shard, .. } => found.push((Moment::InstallingSnapshot, shard)),
                Frame::Change { shard, change, .. } => {
                    found.extend(step(change).map(|moment| (moment, shard)));
                }
                Frame::Entry { shard, record, .. } if self.ends_holds(shard, record) => {
                    found.push((Moment::Expiring, shard));
                }
                Frame::Entry { .. }
                | Frame::HardState { .. }
                | Frame::Members { .. }
                | Frame::Replica { .. }
                | Frame::Facts { .. }
                | Frame::Forgot { .. } => {}
            }
            is_alone = frame.closes_batch() || frame.shard().is_none();
        }
        let node = self.place;
        for (moment, ShardId(shard)) in found {
            moment_came(world, Came { moment, at, node, log: Some(shard) });
        }
    }

    /// Whether a record says that holds have ended, as this node decided.
    fn ends_holds(&self, shard: ShardId, record: &[u8]) -> bool {
        // The log of the map holds maps.
        shard.0 < self.machine.setup.placement.shards()
            && decode(record).ok().flatten().is_some_and(|record| {
                let ends = |(_, event): &(_, Event)| matches!(event, Event::Expired { .. });
                record.writer == self.place.node_id() && record.events.iter().any(ends)
            })
    }
}

/// Whether a message is an answer to a client, or to the gateway that waits for it.
const fn is_answer(sending: &Sending) -> bool {
    match sending.message {
        Message::Answers(_) => true,
        Message::Replies(_) => matches!(sending.to, Endpoint::Client(_)),
        Message::Requests(_)
        | Message::Forwarded(_)
        | Message::Beat(_)
        | Message::Gossip(_)
        | Message::Leaving(_)
        | Message::Moves(_)
        | Message::Journal(_)
        | Message::Facts(_) => false,
    }
}

/// The first shard for which a message carries one of a kind.
fn about(message: &Message, is_it: Kind) -> Option<ShardId> {
    let Message::Journal(batch) = message else { return None };
    batch.iter().find(|(_, message)| is_it(message)).map(|(shard, _)| *shard)
}

/// Whether a message brings records to a follower, other than the one that opens an epoch.
fn has_records(message: &JournalMessage) -> bool {
    message.records().any(|(.., record)| !record.is_empty())
}

/// The moment of a step of a membership change.
fn step(change: &[u8]) -> Option<Moment> {
    match Change::decode(change)? {
        Change::Swaps { .. } => Some(Moment::MovingSwap),
        Change::Settles => Some(Moment::MovingJoint),
        Change::Learns(_) | Change::Drops(_) | Change::Adds(_) | Change::Recovers(_) => None,
    }
}
