//! The client's half of a system's messages, and how watchers see them.
//!
//! Owns the vocabulary between a system's own messages and everything outside it, and what requests and replies are to
//! the network and the trace hash, whichever system carries them. Refuses to know what nodes tell each other.

use onsale_booking::{Command, Instant, Outcome, Reply, Request, SeatList, Timed};
use onsale_cluster::Message;
use onsale_cluster::fact::{FactsReply, Question, QuestionId};
use onsale_world::Cargo;
use onsale_world::trace_hash::Fingerprint;

/// Size of a request on the wire, in bytes.
pub const REQUEST_BYTES: u64 = 48;
/// Size of a reply on the wire, in bytes.
pub const REPLY_BYTES: u64 = 40;

/// The messages of a system, as clients and watchers use them.
pub trait Messages: Cargo {
    /// A message of clients' requests to one gateway.
    fn requests(batch: Vec<Timed<Request>>) -> Self::Message;

    /// A message that asks a node to read or write facts.
    ///
    /// # Panics
    /// If the system has no facts: a scenario that has some is refused.
    fn question(question: Question) -> Self::Message;

    /// What a message says to clients.
    ///
    /// # Errors
    /// The message, if it is not for clients.
    fn heard(message: Self::Message) -> Result<Heard, Self::Message>;

    /// What clients had sent in a message that came back.
    ///
    /// # Errors
    /// The message, if no client sends it.
    fn returned(message: Self::Message) -> Result<Returned, Self::Message>;

    /// The message as watchers see it.
    fn shown(message: &Self::Message) -> Shown<'_>;
}

/// What a message says to clients.
#[derive(Debug)]
pub enum Heard {
    /// Replies to requests.
    Replies(Vec<Timed<Reply>>),
    /// The reply to a question about facts.
    Facts(FactsReply),
}

/// What clients had sent in a message that a machine without a process refused.
#[derive(Debug)]
pub enum Returned {
    /// Requests.
    Requests(Vec<Timed<Request>>),
    /// A question about facts.
    Question(QuestionId),
}

/// A message as watchers see it.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// Clients' requests to a gateway.
    Requests(&'a [Timed<Request>]),
    /// A system's replies to clients.
    Replies(&'a [Timed<Reply>]),
    /// Any other message of the flagship. A system with messages between its nodes adds a kind of its own.
    Cluster(&'a Message),
}

/// Folds requests into the trace hash.
#[inline]
pub fn fold_requests(fingerprint: &mut Fingerprint, batch: &[Timed<Request>]) {
    batch.iter().for_each(|timed| fold_request(fingerprint, timed.at, &timed.item));
}

/// Folds replies into the trace hash.
#[inline]
pub fn fold_replies(fingerprint: &mut Fingerprint, batch: &[Timed<Reply>]) {
    batch.iter().for_each(|timed| fold_reply(fingerprint, timed.at, &timed.item));
}

/// Folds a request with its instant into the trace hash.
#[inline]
fn fold_request(fingerprint: &mut Fingerprint, at: Instant, request: &Request) {
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

/// Folds a reply with its instant into the trace hash.
#[inline]
pub fn fold_reply(fingerprint: &mut Fingerprint, at: Instant, reply: &Reply) {
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
