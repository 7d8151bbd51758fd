//! The public seat map, which people see before they ask.
//!
//! Owns the count of free seats in each section, from the clients' own answers, shown with a
//! delay. It is a hint to people, never evidence. Refuses to know the seats themselves.

use std::collections::BTreeMap;

use onsale_booking::seat_list::SEATS_PER_REQUEST_MAX;
use onsale_booking::{Instant, SeatId, SectionId, Span};

/// Longest age of the map that people see (2 s, assumed: no published value was found).
pub const STALENESS: Span = Span::from_secs(2);

/// The map of one show.
#[derive(Clone, Debug)]
pub struct SeatMap {
    seats_per_section: u32,
    free: Vec<u32>,
    shown: Vec<u32>,
    /// By number of seats wanted, then by preferred section: the section to ask in. Empty until it is needed.
    ways: [Vec<SectionId>; SEATS_PER_REQUEST_MAX + 1],
    shown_until: Instant,
    booked: u32,
    /// Seats of abandoned carts, by the instant at which they come back.
    returning: BTreeMap<Instant, Vec<SeatId>>,
}

impl SeatMap {
    /// A map of `sections` sections with every seat free.
    pub fn new(sections: u16, seats_per_section: u32) -> Self {
        let free = vec![seats_per_section; usize::from(sections)];
        Self {
            seats_per_section,
            shown: free.clone(),
            ways: Default::default(),
            free,
            shown_until: Instant::ZERO,
            booked: 0,
            returning: BTreeMap::new(),
        }
    }

    /// Number of seats in acknowledged bookings.
    pub const fn booked(&self) -> u32 {
        self.booked
    }

    /// Number of seats in all.
    pub const fn seats(&self) -> u32 {
        self.seats_per_section * self.free.len() as u32
    }

    /// The section to ask in: the preferred one if the map shows enough seats there, else the next with
    /// enough, else the preferred one.
    pub fn choose(&mut self, now: Instant, preferred: SectionId, seats: u8) -> SectionId {
        self.refresh(now);
        let ways = &mut self.ways[usize::from(seats)];
        if ways.is_empty() {
            find_ways(&self.shown, u32::from(seats), ways);
        }
        ways[usize::from(preferred.0)]
    }

    /// Notes that these seats were granted.
    pub fn held(&mut self, seats: &[SeatId]) {
        for seat in seats {
            let free = &mut self.free[(seat.0 / self.seats_per_section) as usize];
            *free = free.saturating_sub(1);
        }
    }

    /// Notes an acknowledged booking of this many seats.
    pub const fn sold(&mut self, seats: u32) {
        self.booked += seats;
    }

    /// Notes that these seats were given back.
    pub fn returned(&mut self, seats: &[SeatId]) {
        for seat in seats {
            let free = &mut self.free[(seat.0 / self.seats_per_section) as usize];
            *free = (*free + 1).min(self.seats_per_section);
        }
    }

    /// Notes that these seats were abandoned; their hold ends at `at`.
    pub fn left_behind(&mut self, at: Instant, seats: &[SeatId]) {
        self.returning.entry(at).or_default().extend_from_slice(seats);
    }

    fn refresh(&mut self, now: Instant) {
        if now < self.shown_until {
            return;
        }
        while let Some(entry) = self.returning.first_entry() {
            if *entry.key() > now {
                break;
            }
            let seats = entry.remove();
            self.returned(&seats);
        }
        self.shown.copy_from_slice(&self.free);
        self.ways.iter_mut().for_each(Vec::clear);
        self.shown_until = now + STALENESS;
    }
}

/// Finds for each section the next one, around the hall, with enough seats; the section itself if none has.
fn find_ways(shown: &[u32], seats: u32, ways: &mut Vec<SectionId>) {
    let enough = |section: &usize| shown[*section] >= seats;
    // Backwards, against the direction of the search: after the last section comes the first with enough.
    let mut found = (0..shown.len()).find(enough);
    for section in (0..shown.len()).rev() {
        found = Some(section).filter(enough).or(found);
        ways.push(SectionId(found.unwrap_or(section) as u16));
    }
    ways.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_an_old_map() {
        let mut map = SeatMap::new(3, 10);
        let now = Instant(5_000_000);
        assert_eq!(map.choose(now, SectionId(1), 4), SectionId(1));
        map.held(&(10..18).map(SeatId).collect::<Vec<_>>());
        assert_eq!(
            map.choose(now, SectionId(1), 4),
            SectionId(1),
            "the map has not been refreshed yet"
        );
        assert_eq!(map.choose(now + STALENESS, SectionId(1), 4), SectionId(2));
        map.held(&(20..30).map(SeatId).collect::<Vec<_>>());
        assert_eq!(map.choose(now + STALENESS + STALENESS, SectionId(1), 4), SectionId(0));
        assert_eq!(map.choose(now + STALENESS + STALENESS, SectionId(1), 2), SectionId(1));
        map.left_behind(now + STALENESS, &(10..18).map(SeatId).collect::<Vec<_>>());
        assert_eq!(map.choose(Instant(60_000_000), SectionId(1), 4), SectionId(1));
    }

    #[test]
    fn a_full_house_leaves_the_preference() {
        let mut map = SeatMap::new(2, 2);
        map.held(&(0..4).map(SeatId).collect::<Vec<_>>());
        assert_eq!(map.choose(Instant(9_000_000), SectionId(1), 1), SectionId(1));
    }
}
