//! `[sale]`: what is for sale, and under which rules.
//!
//! Owns shows, halls, venues and holds as a scenario says them. Refuses to know how a show decides.

use onsale_booking::{Honours, Orders, Repeats, ShowId, Span, ZoneId};
use onsale_cluster::Expiry;

use crate::ratio::Ratio;
use crate::setting::{SOME_TIME, settings};

// Halls of a hundred seats: small enough that 2,000 users quarrel over them.
settings! {
    /// What is for sale and under which rules.
    pub section Sale {
        /// Shows, numbered from 0; show 0 is the hot one.
        shows: u32 = 32, chosen, in 1..=100_000, unit "shows";
        /// Shows of each event; show 0 is of the first.
        shows_per_event: u32 = 1, chosen, in 1..=100_000, unit "shows";
        /// Zones in which the venues stand, those of the events in turn: people ask the nodes in the zone of their
        /// show's venue first. Empty: they ask any node.
        venues: Vec<u16> = Vec::new(), chosen, unit "zones";
        /// Sections of each show's hall; a hall has at most 1,000,000 seats.
        sections: u16 = 2, chosen, in 1..=u16::MAX, unit "sections";
        /// Rows of each section.
        rows: u16 = 5, chosen, in 1..=u16::MAX, unit "rows";
        /// Seats of each row.
        seats_per_row: u16 = 10, chosen, in 1..=64, unit "seats";
        /// Share of users who want the hot show; the others spread evenly over the rest.
        hot_share: Ratio = Ratio::percent(20), assumed;
        /// How long a hold lasts for the user.
        hold: Span = Span::from_secs(300), sourced
            "holds of 4 to 30 min at BookMyShow, Ticket Tailor, TicketSwap and others; 5 min in Grokking",
            in SOME_TIME;
        /// How much longer the server keeps it.
        grace: Span = Span::from_secs(5), sourced "Grokking the System Design Interview, ticket booking",
            in SOME_TIME;
        /// Most seats of a request.
        seats_per_request: u8 = 10, sourced
            "caps of 4 to 8 at Ticketmaster and BookMyShow; 10 in Grokking", in 1..=10, unit "seats";
        /// What makes a hold end whose time and grace are over.
        expiry: Expiry = Expiry::Due, chosen;
        /// From one run to the next of the job that ends holds, if there is one.
        sweep_every: Span = Span::from_secs(60), chosen, in SOME_TIME;
        /// How long before its time and grace are over the server ends a hold all the same; at most both together.
        early: Span = Span::ZERO, chosen;
        /// What a request repeated comes to.
        repeats: Repeats = Repeats::Recognised, chosen;
        /// Which holds a confirmation makes a booking.
        confirms: Honours = Honours::LiveHolds, chosen;
        /// Which holds' seats a release frees.
        releases: Honours = Honours::LiveHolds, chosen;
        /// Whether a wish is met as a whole or not at all.
        orders: Orders = Orders::Whole, chosen;
    }
}

impl Sale {
    /// The zone in which the venue of a show stands, if it is said.
    pub fn venue(&self, show: u32) -> Option<u16> {
        if self.venues.is_empty() {
            return None;
        }
        let event = (show / self.shows_per_event) as usize;
        Some(self.venues[event % self.venues.len()])
    }

    /// Every show whose venue stands somewhere, with the zone.
    pub fn venues_of_shows(&self) -> impl Iterator<Item = (ShowId, ZoneId)> + '_ {
        (0..self.shows).filter_map(|show| Some((ShowId(show), ZoneId(self.venue(show)?))))
    }
}
