//! The messages of solo: requests and replies, and no others.
//!
//! Owns their form on the simulated wire. Refuses to know what they ask and answer.

use onsale_booking::{Instant, Reply, Request, Timed};
use onsale_cluster::fact::Question;
use onsale_world::Cargo;
use onsale_world::trace_hash::Fingerprint;

use super::Solo;
use crate::seen::messages::{
    Heard, Messages, REPLY_BYTES, REQUEST_BYTES, Returned, Shown, fold_replies, fold_requests,
};

/// A message between the clients and the process.
#[derive(Clone, Debug)]
pub enum Message {
    /// Requests to the process.
    Requests(Vec<Timed<Request>>),
    /// Replies to the clients.
    Replies(Vec<Timed<Reply>>),
}

impl Cargo for Solo {
    type Message = Message;
    /// One process has no peer to send a beat to.
    type Beat = ();

    fn bytes(message: &Message) -> u64 {
        match message {
            Message::Requests(batch) => batch.len() as u64 * REQUEST_BYTES,
            Message::Replies(batch) => batch.len() as u64 * REPLY_BYTES,
        }
    }

    fn retime(message: &mut Message, change: impl Fn(Instant) -> Instant) {
        match message {
            Message::Requests(batch) => Timed::retime(batch, change),
            Message::Replies(batch) => Timed::retime(batch, change),
        }
    }

    fn fold(message: &Message, fingerprint: &mut Fingerprint) {
        match message {
            Message::Requests(batch) => fold_requests(fingerprint, batch),
            Message::Replies(batch) => fold_replies(fingerprint, batch),
        }
    }

    fn is_refused(message: &Message) -> bool {
        matches!(message, Message::Requests(_))
    }

    fn beat(_: &Message) -> Option<()> {
        None
    }

    fn of_beat((): ()) -> Message {
        panic!("one process has no peer to send a beat to")
    }

    fn is_steady((): (), (): ()) -> bool {
        false
    }

    fn fold_beat((): (), _: &mut Fingerprint) {}
}

impl Messages for Solo {
    fn requests(batch: Vec<Timed<Request>>) -> Message {
        Message::Requests(batch)
    }

    fn question(_: Question) -> Message {
        panic!("solo has no facts, and a scenario that has some is refused")
    }

    fn heard(message: Message) -> Result<Heard, Message> {
        match message {
            Message::Replies(batch) => Ok(Heard::Replies(batch)),
            message @ Message::Requests(_) => Err(message),
        }
    }

    fn returned(message: Message) -> Result<Returned, Message> {
        match message {
            Message::Requests(batch) => Ok(Returned::Requests(batch)),
            message @ Message::Replies(_) => Err(message),
        }
    }

    fn shown(message: &Message) -> Shown<'_> {
        match message {
            Message::Requests(batch) => Shown::Requests(batch),
            Message::Replies(batch) => Shown::Replies(batch),
        }
    }
}
