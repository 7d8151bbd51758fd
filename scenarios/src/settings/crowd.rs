//! `[crowd]`: the people and how they behave.
//!
//! Owns the settings of people, of the waiting room and of the health checks in front of the gateways. Arrivals are in
//! [`super::arrivals`]; bad manners are in [`super::manners`]. Refuses to know how any of it is drawn.

use onsale_booking::Span;

use super::arrivals::Arrivals;
use super::manners::Manners;
use crate::ratio::Ratio;
use crate::setting::{Milli, SOME_TIME, settings};
use crate::timing::Timing;

/// The largest crowd.
pub(crate) const USERS_MAX: u32 = 100_000_000;

settings! {
    /// The people: how many, when they arrive, and how they behave.
    pub section Crowd {
        /// Number of people; the default with a trace is its count, or `scale`'s share of it.
        users: u32 = 2_000, chosen, in 1..=USERS_MAX, unit "people";
        // A minute before the scenario's own default end, so that the last ones can finish.
        /// When people arrive.
        arrivals: Arrivals = Arrivals::Constant { over: Span::from_secs(240) }, chosen;
        /// The waiting room; by default there is none.
        waiting_room: Option<WaitingRoom>;
        /// How a person behaves once inside.
        session: Session;
        /// What ill-mannered people ask; by default everybody is well-mannered.
        manners: Option<Manners>;
        /// How clients stop choosing a gateway that does not answer.
        health_check: HealthCheck;
    }
}

impl Crowd {
    /// One more than the greatest number of a person. People are numbered from 0, unless they are named.
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
        /// When the doors open, from the start.
        opening: Span = Span::from_secs(600), chosen;
        /// People admitted a minute.
        release_per_minute: u32 = 1_500, chosen, in 1..=u32::MAX, unit "people a minute";
        /// Share of no-shows: people who do not enter when admitted.
        no_show: Ratio = Ratio::percent(15), assumed;
        /// Longest wait before a person gives up.
        patience: Span = Span::from_secs(3_600), assumed, in SOME_TIME;
        /// Validity of an admission token.
        token_valid: Span = Span::from_secs(3_600), sourced "AWS Virtual Waiting Room template default",
            in SOME_TIME;
    }
}

settings! {
    /// Health checks by the load balancer in front of the gateways. A check that is unanswered when the next one is due
    /// has failed.
    #[derive(Copy, Eq)]
    pub section HealthCheck {
        /// Interval between checks of a gateway.
        every: Span = Span::from_secs(2), sourced "HAProxy default (inter)", in SOME_TIME;
        /// Consecutive failed checks after which clients no longer choose the gateway.
        fall: u8 = 3, sourced "HAProxy default", in 1..=100, unit "checks";
        /// Consecutive answered checks after which clients choose it again.
        rise: u8 = 2, sourced "HAProxy default", in 1..=100, unit "checks";
    }
}

settings! {
    /// How a person behaves once inside.
    pub section Session {
        /// Time spent on the seat map before the first request.
        pick_think: Timing = Timing::log_normal(Span::from_secs(25), 800), assumed;
        /// Time from the hold to the end of checkout.
        checkout_think: Timing = Timing::log_normal(Span::from_secs(75), 600), assumed;
        /// Response time of the payment provider.
        payment: Timing = Timing::log_normal(Span::from_millis(1_800), 600), sourced
            "authorisation takes 1 to 3 s with a tail to 30 s (finantrix); spread assumed";
        /// Share of payments approved.
        approval: Ratio = Ratio::percent(88), sourced
            "85 to 90% of cards approved (paymentsandrisk, retailtech)";
        /// Share of held carts that are abandoned.
        abandon: Ratio = Ratio::percent(30), assumed;
        /// Share of people who release their seats after abandoning the cart or a declined card.
        release: Ratio = Ratio::percent(20), assumed;
        // Mean 3.
        /// Weights of group sizes 1, 2, 3 …; at most ten, and none above `sale.seats-per-request`.
        group_weights: Vec<u32> = vec![10, 33, 20, 27, 4, 6], sourced
            "mean of 3 tickets an order (Ticketmaster, 2022); spread assumed";
        /// Share of people who take the best available seats; the others pick seats on the map.
        best_available: Ratio = Ratio::percent(50), assumed;
        /// Share of groups of two and more that spread over two sections.
        split: Ratio = Ratio::percent(5), assumed;
        /// Skew of the popularity of seats: the exponent of Zipf's law.
        zipf: Milli = Milli(1_000), assumed;
        /// Timeout of one attempt of a client.
        request_timeout: Span = Span::from_secs(5), assumed, in SOME_TIME;
        /// Attempts at one request, after which the client gives up.
        tries: u8 = 3, sourced "at most 3 tries (Google SRE book)", in 1..=100, unit "attempts";
        /// First backoff between attempts (full jitter).
        backoff_base: Span = Span::from_millis(200), assumed;
        /// Longest backoff between attempts; at least `backoff-base`.
        backoff_cap: Span = Span::from_secs(5), assumed;
        /// Refreshes after refusals, after which a person gives up.
        refreshes: u8 = 5, assumed, unit "requests";
        /// Shortest pause before a refresh.
        refresh_min: Span = Span::from_secs(3), assumed;
        /// Longest pause before a refresh; at least `refresh-min`.
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
