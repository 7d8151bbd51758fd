//! Cargo: what the world may ask about the messages that it carries, without reading them.
//!
//! Owns the questions. A system under test answers them for its own messages. Refuses to know what the messages say.

use std::fmt;

use onsale_booking::Instant;

use crate::trace_hash::Fingerprint;

/// A kind of cargo: the messages of one system under test.
pub trait Cargo: fmt::Debug + Sized + 'static {
    /// A message between two places.
    type Message: Clone + fmt::Debug + Send + 'static;
    /// A periodic heartbeat of a node. One that tells its receiver nothing new only delays a suspicion, so it is no
    /// event: see [`Cargo::is_steady`].
    type Beat: Copy + Default + PartialEq + fmt::Debug + Send;

    /// Approximate size of a message on the wire in bytes, without addresses and checksums.
    fn bytes(message: &Self::Message) -> u64;

    /// Changes the instant of each item in a message.
    fn retime(message: &mut Self::Message, change: impl Fn(Instant) -> Instant);

    /// Folds everything in a message that can affect the run into the trace hash.
    fn fold(message: &Self::Message, fingerprint: &mut Fingerprint);

    /// Whether the kernel of a machine whose process is dead returns the message to the client that sent it.
    fn is_refused(message: &Self::Message) -> bool;

    /// The heartbeat that a message consists of, if it is nothing else.
    fn beat(message: &Self::Message) -> Option<Self::Beat>;

    /// The message that consists of a heartbeat alone.
    fn of_beat(beat: Self::Beat) -> Self::Message;

    /// Whether a heartbeat tells a receiver that last heard `heard` nothing that it must learn at once.
    fn is_steady(beat: Self::Beat, heard: Self::Beat) -> bool;

    /// Folds a heartbeat into the trace hash.
    fn fold_beat(beat: Self::Beat, fingerprint: &mut Fingerprint);
}
