//! `[sale]`: the shows for sale and the rules of sale.
//!
//! Owns the settings of shows, halls, venues and holds. Refuses to know how a show decides.

use onsale_booking::{Honours, Orders, Repeats, ShowId, Span, ZoneId};
use onsale_cluster::Expiry;

use crate::ratio::Ratio;
use crate::setting::{SOME_TIME, settings};

// Halls of a hundred seats: small enough that 2,000 users compete for them.
settings! {
    /// The shows for sale and the rules of sale.
    pub section Sale {
        /// Shows, numbered from 0; show 0 is the hot one.
        shows: u32 = 32, chosen, in 1..=100_000, unit "shows";
        /// Shows of each event; show 0 belongs to the first event.
        shows_per_event: u32 = 1, chosen, in 1..=100_000, unit "shows";
        /// Zones of the venues, assigned to the events in turn: people ask nodes in the zone of their show's venue first.
        /// Empty: they ask any node.
        venues: Vec<u16> = Vec::new(), chosen, unit "zones";
        /// Sections of each hall; a hall has at most 1,000,000 seats.
        sections: u16 = 2, chosen, in 1..=u16::MAX, unit "sections";
        /// Rows of each section.
        rows: u16 = 5, chosen, in 1..=u16::MAX, unit "rows";
        /// Seats of each row.
        seats_per_row: u16 = 10, chosen, in 1..=64, unit "seats";
        /// Share of users who want the hot show; the others spread evenly over the rest.
        hot_share: Ratio = Ratio::percent(20), assumed;
        /// Duration of a hold for the user.
        hold: Span = Span::from_secs(300), sourced
            "holds of 4 to 30 min at BookMyShow, Ticket Tailor, TicketSwap and others; 5 min in Grokking",
            in SOME_TIME;
        /// Time by which the server keeps a hold longer.
        grace: Span = Span::from_secs(5), sourced "Grokking the System Design Interview, ticket booking",
            in SOME_TIME;
        /// Most seats in a request.
        seats_per_request: u8 = 10, sourced
            "caps of 4 to 8 at Ticketmaster and BookMyShow; 10 in Grokking", in 1..=10, unit "seats";
        /// How a hold ends once its time and grace are over.
        expiry: Expiry = Expiry::Due, chosen;
        /// Interval between runs of the job that ends holds, if `expiry` has such a job.
        sweep_every: Span = Span::from_secs(60), chosen, in SOME_TIME;
        /// Time by which the server ends a hold too early; at most its time and grace together.
        early: Span = Span::ZERO, chosen;
        /// How a repeated request is handled.
        repeats: Repeats = Repeats::Recognised, chosen;
        /// Which holds a confirmation turns into a booking.
        confirms: Honours = Honours::LiveHolds, chosen;
        /// Which holds a release ends.
        releases: Honours = Honours::LiveHolds, chosen;
        /// Whether an order may be granted in part.
        orders: Orders = Orders::Whole, chosen;
    }
}

impl Sale {
    /// The zone of a show's venue, if venues are set.
    pub fn venue(&self, show: u32) -> Option<u16> {
        if self.venues.is_empty() {
            return None;
        }
        let event = (show / self.shows_per_event) as usize;
        Some(self.venues[event % self.venues.len()])
    }

    /// Every show with a venue, and the venue's zone.
    pub fn venues_of_shows(&self) -> impl Iterator<Item = (ShowId, ZoneId)> + '_ {
        (0..self.shows).filter_map(|show| Some((ShowId(show), ZoneId(self.venue(show)?))))
    }
}
