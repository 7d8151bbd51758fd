//! `[crowd]`: who comes, and how they behave.
//!
//! Owns what a scenario can say of people, the waiting room and the health checks in front of the gateways. When they
//! come stands in [`super::arrivals`]. Refuses to know how any of it is drawn.

use onsale_booking::Span;

use super::arrivals::Arrivals;
use crate::ratio::Ratio;
use crate::setting::{Milli, SOME_TIME, settings};
use crate::timing::Timing;

/// The largest crowd.
pub(crate) const USERS_MAX: u32 = 100_000_000;

settings! {
    /// The people: how many, when they come, and how they behave.
    pub section Crowd {
        /// How many people come. A trace's number if one is played, as far as neither this nor `scale` is written.
        users: u32 = 2_000, chosen, in 1..=USERS_MAX, unit "people";
        // A minute before the scenario's own default end, so that the last ones can finish.
        /// When they come.
        arrivals: Arrivals = Arrivals::Constant { over: Span::from_secs(240) }, chosen;
        /// The waiting room. Left out, everybody goes straight in.
        waiting_room: Option<WaitingRoom>;
        /// What they do once inside.
        session: Session;
        /// How a gateway that does not answer is taken out of their choice.
        health_check: HealthCheck;
    }
}

impl Crowd {
    /// One more than the greatest number of a person: they are numbered from 0, unless they are named.
    pub fn numbers(&self) -> u32 {
        match &self.arrivals {
            Arrivals::Named { people } => {
                people.iter().map(|&(_, number)| number + 1).max().unwrap_or_default()
            }
            Arrivals::Constant { .. }
            | Arrivals::Poisson { .. }
            | Arrivals::Ramp { .. }
            | Arrivals::Spike { .. }
            | Arrivals::OnSale { .. }
            | Arrivals::Trace { .. } => self.users,
        }
    }
}

settings! {
    /// The waiting room: before the opening everybody waits and is shuffled at it; then first come, first served.
    pub section WaitingRoom {
        /// When the doors open.
        opening: Span = Span::from_secs(600), chosen;
        /// People admitted.
        release_per_minute: u32 = 1_500, chosen, in 1..=u32::MAX, unit "people a minute";
        /// Share of people who don't come when called.
        no_show: Ratio = Ratio::percent(15), assumed;
        /// How long a person waits at most before giving up.
        patience: Span = Span::from_secs(3_600), assumed, in SOME_TIME;
        /// How long a token admits its bearer.
        token_valid: Span = Span::from_secs(3_600), sourced "AWS Virtual Waiting Room template default",
            in SOME_TIME;
    }
}

settings! {
    /// How the load balancer in front of the gateways finds out which of them answer. A check that is not answered
    /// by the time of the next one has failed.
    #[derive(Copy, Eq)]
    pub section HealthCheck {
        /// From one check of a gateway to the next.
        every: Span = Span::from_secs(2), sourced "HAProxy default (inter)", in SOME_TIME;
        /// Checks in a row that have to fail before clients are sent elsewhere.
        fall: u8 = 3, sourced "HAProxy default", in 1..=100, unit "checks";
        /// Checks in a row that have to be answered before they are sent there again.
        rise: u8 = 2, sourced "HAProxy default", in 1..=100, unit "checks";
    }
}

settings! {
    /// What a person does once inside.
    pub section Session {
        /// Looking at the seat map before the first request.
        pick_think: Timing = Timing::log_normal(Span::from_secs(25), 800), assumed;
        /// From the hold to the end of checkout.
        checkout_think: Timing = Timing::log_normal(Span::from_secs(75), 600), assumed;
        /// How long the payment provider takes to answer.
        payment: Timing = Timing::log_normal(Span::from_millis(1_800), 600), sourced
            "authorisation takes 1 to 3 s with a tail to 30 s (finantrix); spread assumed";
        /// Share of payments approved.
        approval: Ratio = Ratio::percent(88), sourced
            "85 to 90% of cards approved (paymentsandrisk, retailtech)";
        /// Share of held carts that are abandoned without a word.
        abandon: Ratio = Ratio::percent(30), assumed;
        /// Share of abandoners and declined who give the seats back.
        release: Ratio = Ratio::percent(20), assumed;
        // Mean 3.
        /// Weights of group sizes 1, 2, 3 …; at most ten, and none of more seats than a request may have.
        group_weights: Vec<u32> = vec![10, 33, 20, 27, 4, 6], sourced
            "mean of 3 tickets an order (Ticketmaster, 2022); spread assumed";
        /// Share who take the best available; the rest pick seats on the map.
        best_available: Ratio = Ratio::percent(50), assumed;
        /// Share of groups of two and more who spread over two sections.
        split: Ratio = Ratio::percent(5), assumed;
        /// Skew of the desirability of seats: the exponent of Zipf's law.
        zipf: Milli = Milli(1_000), assumed;
        /// A client's patience with one attempt.
        request_timeout: Span = Span::from_secs(5), assumed, in SOME_TIME;
        /// Attempts at one request before the client gives it up.
        tries: u8 = 3, sourced "at most 3 tries (Google SRE book)", in 1..=100, unit "attempts";
        /// First backoff between attempts (full jitter).
        backoff_base: Span = Span::from_millis(200), assumed;
        /// Longest backoff between attempts; at least the first.
        backoff_cap: Span = Span::from_secs(5), assumed;
        /// Fresh requests after a refusal before a person gives up.
        refreshes: u8 = 5, assumed, unit "requests";
        /// Shortest pause before a fresh request.
        refresh_min: Span = Span::from_secs(3), assumed;
        /// Longest pause before a fresh request; at least the shortest.
        refresh_max: Span = Span::from_secs(10), assumed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_group_is_three() {
        let weights = Session::default().group_weights;
        let people: u32 = weights.iter().zip(1..).map(|(weight, size)| weight * size).sum();
        assert_eq!(people, 3 * weights.iter().sum::<u32>());
    }
}
