//! The flagship's messages as cargo of the world.
//!
//! Owns the world's view of a message: its size, and its words in the trace hash, which cover everything in it that can
//! affect the run. Refuses to know what becomes of it.

use onsale_booking::{Instant, Request, Timed};
use onsale_cluster::fact::{FactsMessage, Question};
use onsale_cluster::{Answer, Beat, Message, Moves, Release};
use onsale_world::Cargo;
use onsale_world::trace_hash::Fingerprint;

use super::Replicated;
use crate::seen::messages::{
    Heard, Messages, REPLY_BYTES, REQUEST_BYTES, Returned, Shown, fold_replies, fold_reply,
    fold_requests,
};

impl Cargo for Replicated {
    type Message = Message;
    type Beat = Beat;

    fn bytes(message: &Message) -> u64 {
        bytes(message)
    }

    #[inline]
    fn retime(message: &mut Message, change: impl Fn(Instant) -> Instant) {
        message.retime(change);
    }

    fn fold(message: &Message, fingerprint: &mut Fingerprint) {
        fold(fingerprint, message);
    }

    /// Requests and questions, as a client waits for their answers.
    fn is_refused(message: &Message) -> bool {
        match message {
            Message::Requests(_) => true,
            Message::Facts(message) => matches!(**message, FactsMessage::Question(_)),
            Message::Forwarded(_)
            | Message::Answers(_)
            | Message::Replies(_)
            | Message::Journal(_)
            | Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_) => false,
        }
    }

    #[inline]
    fn beat(message: &Message) -> Option<Beat> {
        if let Message::Beat(beat) = message { Some(*beat) } else { None }
    }

    #[inline]
    fn of_beat(beat: Beat) -> Message {
        Message::Beat(beat)
    }

    /// A node checks its peers' load in its turns, as it does suspicions.
    #[inline]
    fn is_steady(beat: Beat, heard: Beat) -> bool {
        Beat { load: beat.load, ..heard } == beat
    }

    #[inline]
    fn fold_beat(beat: Beat, fingerprint: &mut Fingerprint) {
        digest_beat(fingerprint, beat);
    }
}

impl Messages for Replicated {
    #[inline]
    fn requests(batch: Vec<Timed<Request>>) -> Message {
        Message::Requests(batch)
    }

    fn question(question: Question) -> Message {
        Message::Facts(Box::new(FactsMessage::Question(question)))
    }

    #[inline]
    fn heard(message: Message) -> Result<Heard, Message> {
        if let Message::Replies(batch) = message {
            return Ok(Heard::Replies(batch));
        }
        let Message::Facts(facts) = message else { return Err(message) };
        match *facts {
            FactsMessage::Told(reply) => Ok(Heard::Facts(reply)),
            other @ (FactsMessage::Question(_)
            | FactsMessage::Digest { .. }
            | FactsMessage::Repair { .. }
            | FactsMessage::News { .. }) => Err(Message::Facts(Box::new(other))),
        }
    }

    fn returned(message: Message) -> Result<Returned, Message> {
        if let Message::Requests(batch) = message {
            return Ok(Returned::Requests(batch));
        }
        let Message::Facts(facts) = message else { return Err(message) };
        match *facts {
            FactsMessage::Question(question) => Ok(Returned::Question(question.id)),
            other @ (FactsMessage::Told(_)
            | FactsMessage::Digest { .. }
            | FactsMessage::Repair { .. }
            | FactsMessage::News { .. }) => Err(Message::Facts(Box::new(other))),
        }
    }

    #[inline]
    fn shown(message: &Message) -> Shown<'_> {
        if let Message::Requests(batch) = message {
            Shown::Requests(batch)
        } else if let Message::Replies(batch) = message {
            Shown::Replies(batch)
        } else {
            Shown::Cluster(message)
        }
    }
}

/// Approximate size of a message on the wire, in bytes.
fn bytes(message: &Message) -> u64 {
    const BEAT: u64 = 16;
    const RUMOUR: u64 = 16;
    const SEATS: u64 = 12;
    const WISH: u64 = 8;
    match message {
        Message::Requests(batch) | Message::Forwarded(batch) => batch.len() as u64 * REQUEST_BYTES,
        Message::Answers(batch) => batch.len() as u64 * REPLY_BYTES,
        Message::Replies(batch) => batch.len() as u64 * REPLY_BYTES,
        Message::Beat(_) | Message::Leaving(_) => BEAT,
        Message::Moves(Moves::Map(map)) => u64::from(map.shards()) * SEATS,
        Message::Moves(_) => WISH,
        Message::Gossip(gossip) => BEAT + gossip.rumours.len() as u64 * RUMOUR,
        Message::Journal(messages) => {
            messages.iter().map(|(_, message)| message.bytes() as u64).sum()
        }
        Message::Facts(message) => message.bytes() as u64,
    }
}

/// Folds a message into the trace hash: every request and answer in it, with its instant.
fn fold(fingerprint: &mut Fingerprint, message: &Message) {
    match message {
        Message::Requests(batch) | Message::Forwarded(batch) => fold_requests(fingerprint, batch),
        Message::Answers(batch) => {
            for timed in batch {
                match &timed.item {
                    Answer::Decided(reply) => fold_reply(fingerprint, timed.at, reply),
                    Answer::NotLeader { request, shard, leader } => {
                        fingerprint.fold(timed.at.0 ^ (u64::from(shard.0) << 40));
                        fingerprint.fold(
                            request.0
                                ^ leader.map_or(0, |(node, epoch)| {
                                    (u64::from(node.0) << 48) ^ epoch.0 << 8
                                }),
                        );
                    }
                }
            }
        }
        Message::Replies(batch) => fold_replies(fingerprint, batch),
        Message::Beat(beat) => digest_beat(fingerprint, *beat),
        // The view stands for the rumours.
        Message::Gossip(gossip) => digest_beat(fingerprint, gossip.beat),
        Message::Leaving(beat) => fingerprint.fold(!word_of(*beat)),
        Message::Moves(moves) => fingerprint.fold(digest_moves(moves)),
        Message::Journal(messages) => {
            for (shard, message) in messages {
                fingerprint.fold(u64::from(shard.0) ^ message.digest());
            }
        }
        Message::Facts(message) => fingerprint.fold(message.digest()),
    }
}

/// Folds a beat into the trace hash. The view and the map's version are zero until the first change of members, the
/// load is zero where leads do not follow it, and the release counts from the first one.
fn digest_beat(fingerprint: &mut Fingerprint, beat: Beat) {
    fingerprint.fold(word_of(beat));
}

fn word_of(beat: Beat) -> u64 {
    let load = u64::from(beat.load).rotate_left(16);
    let release = u64::from(beat.release.0 - Release::FIRST.0) << 56;
    u64::from(beat.incarnation) ^ u64::from(beat.map) << 32 ^ load ^ release ^ beat.view
}

fn digest_moves(moves: &Moves) -> u64 {
    match moves {
        Moves::Joins(node) => 1 << 32 | u64::from(node.0),
        Moves::Leaves(node) => 2 << 32 | u64::from(node.0),
        Moves::Moved { shard, generation } => {
            3 << 62 ^ u64::from(shard.0) << 32 ^ u64::from(*generation)
        }
        Moves::MapWanted => 4 << 32,
        Moves::Map(map) => 5 << 56 ^ map.version(),
        Moves::Forgot { node, incarnation } => 6 << 56 ^ u64::from(node.0) << 32 ^ incarnation,
        Moves::Recovered { shard, voter } => {
            let voter = u64::from(voter.generation()) ^ u64::from(voter.node().0) << 48;
            7 << 56 ^ u64::from(shard.0) << 32 ^ voter
        }
    }
}
