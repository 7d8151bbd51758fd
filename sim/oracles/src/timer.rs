//! A client's timer: the end of the time for which it may count on its held seats.
//!
//! Owns the client's conclusion from the expiry that it was told, which the leader took from a
//! clock that may differ from the client's by any amount. Refuses to know what the client does
//! when its timer ends.

use onsale_booking::{Instant, Span};

/// Divisor of the grace: clients believe an instant at most this part of the grace beyond their own
/// estimate. The rest of the grace is left for clocks that run too fast.
const TRUST: u64 = 5;

/// The sale's promise about holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Length of a hold for its user.
    pub hold: Span,
    /// Time for which the leader keeps a hold beyond its length.
    pub grace: Span,
}

impl Promise {
    /// End of the timer of a client that first asked at `asked` and was told the expiry `told`.
    ///
    /// The leader decided after the client asked, so the hold lasts at least its length from then, and an earlier
    /// expiry cannot be right. If it is much later, the leader's clock is ahead, or the decision came late; the client
    /// cannot tell, and assumes the worse.
    pub fn timer(self, asked: Instant, told: Instant) -> Instant {
        let sure = asked + self.hold;
        told.clamp(sure, sure + self.believed())
    }

    /// Longest time by which a client may overestimate its hold if the leader's clock is ahead.
    pub fn believed(self) -> Span {
        Span(self.grace.0 / TRUST)
    }

    /// Time by which a hold may end before its time and grace by a clock that runs too fast by `num` in
    /// `den`.
    pub fn lost_to(self, num: u32, den: u32) -> Span {
        let whole = u128::from((self.hold + self.grace).0);
        Span((whole * u128::from(num)).div_ceil(u128::from(den) + u128::from(num)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_believes_an_expiry_within_bounds() {
        let promise = Promise { hold: Span(300), grace: Span(5) };
        let timer = |told| promise.timer(Instant(100), Instant(told)).0;
        assert_eq!([400, 401].map(timer), [400, 401], "decided at once");
        assert_eq!([0, 399].map(timer), [400, 400], "the leader's clock is behind");
        assert_eq!([402, 90_000].map(timer), [401, 401], "the leader's clock is ahead");
    }

    #[test]
    fn a_fast_clock_shortens_a_hold_by_its_share() {
        let promise = Promise { hold: Span(300_000), grace: Span(5_000) };
        assert_eq!(promise.lost_to(1, 60), Span(5_000));
        assert_eq!(promise.lost_to(0, 1), Span::ZERO);
    }
}
