//! The flagship's messages as cargo of the world.
//!
//! Owns the world's view of a message: its size, and its words in the trace hash, which cover everything in it that can
//! affect the run. Refuses to know what becomes of it.

use onsale_booking::{Command, Instant, Outcome, Reply, Request, SeatList};
use onsale_cluster::fact::FactsMessage;
use onsale_cluster::{Answer, Beat, Message, Moves};
use onsale_world::Cargo;
use onsale_world::trace_hash::Fingerprint;

use super::Replicated;

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

/// Approximate size of a message on the wire, in bytes.
fn bytes(message: &Message) -> u64 {
    const REQUEST: u64 = 48;
    const ANSWER: u64 = 40;
    const BEAT: u64 = 16;
    const RUMOUR: u64 = 16;
    const SEATS: u64 = 12;
    const WISH: u64 = 8;
    match message {
        Message::Requests(batch) | Message::Forwarded(batch) => batch.len() as u64 * REQUEST,
        Message::Answers(batch) => batch.len() as u64 * ANSWER,
        Message::Replies(batch) => batch.len() as u64 * ANSWER,
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
        Message::Requests(batch) => {
            batch.iter().for_each(|timed| digest_request(fingerprint, timed.at, &timed.item))
        }
        Message::Forwarded(batch) => {
            batch.iter().for_each(|timed| digest_request(fingerprint, timed.at, &timed.item))
        }
        Message::Answers(batch) => {
            for timed in batch {
                match &timed.item {
                    Answer::Decided(reply) => digest_reply(fingerprint, timed.at, reply),
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
        Message::Replies(batch) => {
            batch.iter().for_each(|timed| digest_reply(fingerprint, timed.at, &timed.item))
        }
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

/// Folds a beat into the trace hash. The view and the map's version are zero until the first change of members, and
/// the load is zero where leads do not follow it.
fn digest_beat(fingerprint: &mut Fingerprint, beat: Beat) {
    fingerprint.fold(word_of(beat));
}

fn word_of(beat: Beat) -> u64 {
    let load = u64::from(beat.load).rotate_left(16);
    beat.incarnation ^ u64::from(beat.map) << 32 ^ load ^ beat.view
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
    }
}

#[inline]
fn digest_request(fingerprint: &mut Fingerprint, at: Instant, request: &Request) {
    let wanted = match &request.command {
        Command::Hold(wish) => {
            let picked = wish
                .picked
                .iter()
                .fold(1, |hash: u64, seat| hash.wrapping_mul(31) ^ u64::from(seat.0));
            wish.best.iter().fold(picked, |hash, (section, count)| {
                hash.wrapping_mul(37) ^ (u64::from(section.0) << 8 | u64::from(*count))
            })
        }
        Command::Confirm { hold, payment } => hold.0 << 2 ^ payment.0 << 17 ^ 2,
        Command::Release { hold } => hold.0 << 2 ^ 3,
    };
    fingerprint.fold(at.0 ^ wanted.rotate_left(32));
    fingerprint.fold(request.id.0 ^ (u64::from(request.show.0) << 44));
}

#[inline]
fn digest_reply(fingerprint: &mut Fingerprint, at: Instant, reply: &Reply) {
    let seats = |seats: &SeatList| {
        seats.iter().fold(7, |hash: u64, seat| hash.wrapping_mul(31) ^ u64::from(seat.0))
    };
    let outcome = match &reply.outcome {
        Outcome::Held { hold, seats: list, expires } => seats(list) ^ hold.0 << 20 ^ expires.0,
        Outcome::Booked { hold, seats: list } => seats(list) ^ hold.0 << 21 ^ 1,
        Outcome::Released { hold } => hold.0 << 22 ^ 2,
        Outcome::Refused(refusal) => *refusal as u64,
    };
    fingerprint.fold(at.0 ^ outcome.rotate_left(32));
    fingerprint.fold(reply.request.0);
}
