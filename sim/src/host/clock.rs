//! What a node with a clock of its own says, turned into true instants.
//!
//! Owns the way from what a node believes to what is. Refuses to know why clocks differ.

use onsale_core::{Effects, Message, Timed};

use crate::world::clock::Reading;

/// Turns the instants that a node put on its messages by its own clock into true ones.
/// What the messages say, such as when a hold expires, stays as the node believes it.
pub(super) fn set_right(effects: &mut Effects, clock: Reading) {
    fn shift<T>(batch: &mut [Timed<T>], clock: Reading) {
        batch.iter_mut().for_each(|timed| timed.at = clock.when(timed.at));
    }
    for sending in &mut effects.sends {
        sending.at = clock.when(sending.at);
        match &mut sending.message {
            Message::Requests(batch) | Message::Forwarded(batch) => shift(batch, clock),
            Message::Answers(batch) => shift(batch, clock),
            Message::Replies(batch) => shift(batch, clock),
            Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_)
            | Message::Journal(_)
            | Message::Facts(_) => {}
        }
    }
}
