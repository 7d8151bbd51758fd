//! Cargo: what the world may ask of what it carries, without reading it.
//!
//! Owns the questions. A system under test answers them for its own messages; the world neither knows nor cares what
//! they say.

use std::fmt;

use onsale_booking::Instant;

use crate::fingerprint::Fingerprint;

/// A kind of cargo: the messages of one system under test.
pub trait Cargo: fmt::Debug + Sized + 'static {
    /// What travels from place to place.
    type Message: Clone + fmt::Debug + Send;
    /// A sign of life that a node sends again and again. One that says nothing new to its receiver only puts off a
    /// suspicion, so it is no event: see [`Cargo::is_steady`].
    type Beat: Copy + Default + PartialEq + fmt::Debug + Send;

    /// About how many bytes a message has on the wire, addresses and checksums aside.
    fn bytes(message: &Self::Message) -> u64;

    /// Changes the instants that a message's items carry, each by itself.
    fn retime(message: &mut Self::Message, change: impl Fn(Instant) -> Instant);

    /// Folds all that can decide anything later into the trace hash.
    fn fold(message: &Self::Message, fingerprint: &mut Fingerprint);

    /// Whether a machine refuses it in place of a process that is dead: it is returned to the client that sent it.
    fn is_refused(message: &Self::Message) -> bool;

    /// The sign of life that a message is, if it is nothing else.
    fn beat(message: &Self::Message) -> Option<Self::Beat>;

    /// The message that is nothing but a sign of life.
    fn of_beat(beat: Self::Beat) -> Self::Message;

    /// Whether a sign of life tells a receiver that last heard `heard` nothing that it must hear at once.
    fn is_steady(beat: Self::Beat, heard: Self::Beat) -> bool;

    /// Folds a sign of life into the trace hash.
    fn fold_beat(beat: Self::Beat, fingerprint: &mut Fingerprint);
}
