//! `[crowd.manners]`: requests that a well-mannered person would not make.
//!
//! Owns the habits, and the shares of people who have them. Refuses to know how a system answers.

use onsale_booking::Span;

use crate::ratio::Ratio;
use crate::setting::{SOME_TIME, settings};

settings! {
    /// Bad manners. Each person has each habit or not, and shows it at the first opportunity, once.
    pub section Manners {
        /// Share of people who pay for another person's hold, or release it.
        names_others: Ratio = Ratio::NEVER, chosen;
        /// Share of people who pay for a hold that never was, or release it.
        names_nothing: Ratio = Ratio::NEVER, chosen;
        /// Share of people who ask for more seats than a request may name.
        asks_too_much: Ratio = Ratio::NEVER, chosen;
        /// Share of people who name one seat twice in a request.
        names_twice: Ratio = Ratio::NEVER, chosen;
        /// Share of people who click twice: their first attempt at each request is sent twice at once, to one gateway or
        /// to two.
        double_clicks: Ratio = Ratio::NEVER, chosen;
        /// Share of people who pay a second time, with another payment.
        pays_twice: Ratio = Ratio::NEVER, chosen;
        /// Share of people who release their seats a second time.
        releases_twice: Ratio = Ratio::NEVER, chosen;
        /// Share of people who pay for the seats that they have just released.
        pays_released: Ratio = Ratio::NEVER, chosen;
        /// Share of people who repeat one of their requests long after its answer.
        stale_retries: Ratio = Ratio::NEVER, chosen;
        /// Longest time from an answer to its stale retry. Ended holds are remembered for 15 minutes.
        stale_after: Span = Span::from_secs(360), chosen, in SOME_TIME;
        /// Share of shows that go quiet: from an instant on nobody asks about them, though holds are live.
        quiet_shows: Ratio = Ratio::NEVER, chosen;
        /// Earliest instant at which a show goes quiet.
        quiet_from: Span = Span::from_secs(60), chosen, in SOME_TIME;
        /// Latest instant at which a show goes quiet; at least `quiet-from`.
        quiet_by: Span = Span::from_secs(180), chosen, in SOME_TIME;
    }
}
