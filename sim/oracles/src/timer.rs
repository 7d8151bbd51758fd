//! A client's timer: until when it may count on the seats that it holds.
//!
//! Owns what a client concludes from the instant that it was told, which the leader took from
//! a clock that may be any distance from the client's. Refuses to know what the client does
//! when its timer ends.

use onsale_booking::{Instant, Span};

/// Clients believe an instant that lies at most this part of the grace beyond what they can
/// vouch for themselves. The rest of the grace is left for clocks that run too fast.
const TRUST: u64 = 5;

/// What the sale promises about holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// How long a hold lasts for its user.
    pub hold: Span,
    /// How much longer the leader keeps it.
    pub grace: Span,
}

impl Promise {
    /// When the timer ends of a client that first asked at `asked` and was told `told`.
    ///
    /// The leader decided after the client asked, so the hold lasts at least from then on, and the
    /// instant told cannot be right if it is earlier. If it is much later, the leader's clock is
    /// ahead, or the decision was long in coming; the client cannot tell, and assumes the worse.
    pub fn timer(self, asked: Instant, told: Instant) -> Instant {
        let sure = asked + self.hold;
        told.clamp(sure, sure + self.believed())
    }

    /// By how much a client may take its hold to last longer than it does, if the leader's clock is ahead.
    pub fn believed(self) -> Span {
        Span(self.grace.0 / TRUST)
    }

    /// How much sooner than its time and grace a hold may end by a clock that runs too fast by
    /// `num` in `den`.
    pub fn lost_to(self, num: u32, den: u32) -> Span {
        let whole = u128::from((self.hold + self.grace).0);
        Span((whole * u128::from(num)).div_ceil(u128::from(den) + u128::from(num)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_believes_what_it_is_told_within_reason() {
        let promise = Promise { hold: Span(300), grace: Span(5) };
        let timer = |told| promise.timer(Instant(100), Instant(told)).0;
        assert_eq!([400, 401].map(timer), [400, 401], "decided at once");
        assert_eq!([0, 399].map(timer), [400, 400], "a clock behind");
        assert_eq!([402, 90_000].map(timer), [401, 401], "a clock ahead");
    }

    #[test]
    fn a_fast_clock_eats_its_share_of_a_hold() {
        let promise = Promise { hold: Span(300_000), grace: Span(5_000) };
        assert_eq!(promise.lost_to(1, 60), Span(5_000));
        assert_eq!(promise.lost_to(0, 1), Span::ZERO);
    }
}
