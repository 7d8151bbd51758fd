//! A node's clock that is ahead: how its instants become true ones.
//!
//! Owns the way from what a node believes to what is. Refuses to know why clocks differ.

use onsale_core::{Effects, Instant, Message, Span, Timed};

/// Turns the instants that a node with a fast clock put on its messages into true ones.
/// What the messages say, such as when a hold expires, stays as the node believes it.
pub(super) fn set_back(effects: &mut Effects, ahead: Span) {
    fn shift<T>(batch: &mut [Timed<T>], ahead: Span) {
        batch.iter_mut().for_each(|timed| timed.at = earlier(timed.at, ahead));
    }
    for sending in &mut effects.sends {
        sending.at = earlier(sending.at, ahead);
        match &mut sending.message {
            Message::Requests(batch) | Message::Forwarded(batch) => shift(batch, ahead),
            Message::Answers(batch) => shift(batch, ahead),
            Message::Replies(batch) => shift(batch, ahead),
            Message::Beat(_) | Message::Journal(_) | Message::Facts(_) => {}
        }
    }
}

/// `at`, so much earlier.
pub(super) const fn earlier(at: Instant, ahead: Span) -> Instant {
    Instant(at.0.saturating_sub(ahead.0))
}
