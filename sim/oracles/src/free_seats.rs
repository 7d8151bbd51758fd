//! Free and unbooked seats, by the ledger.
//!
//! Owns, for each seat, section and show, what a refusal may rest on: until when it was taken or short of free seats,
//! and since when it is short of unbooked ones. Refuses to judge a refusal.
//!
//! Of an interval of the past, three instants say enough. Records are read in the order in which they took effect, and
//! each was first on a disk at an instant that does not go back. A seat that is taken by the records read so far, or was
//! given back by a record first on a disk at `u`, was taken at some point at or after `since` just if `u ≥ since`. The
//! same holds for a section with fewer than `n` free seats, for each `n` that a request may want. And bookings never
//! go: what is sold out stays so. Only a recovery that gives up records ends it: it gives back what they took, at its
//! own instant.

use onsale_booking::seat_list::SEATS_PER_REQUEST_MAX;
use onsale_booking::{Instant, SeatId, SeatList, ShowId, Wish};

use super::settings::OracleSettings;

/// Never, as the last instant of something.
const NEVER: Instant = Instant::ZERO;
/// Still, as the last instant of something.
const STILL: Instant = Instant::MAX;

/// Seats of a section or a show.
#[derive(Clone, Debug)]
struct Tally {
    free: u32,
    unbooked: u32,
    /// By wanted seats, less one: the last instant at which fewer were free.
    short_until: [Instant; SEATS_PER_REQUEST_MAX],
    /// By wanted seats, less one: the instant from which fewer are not booked; `MAX` if more are.
    sold_out_from: [Instant; SEATS_PER_REQUEST_MAX],
    /// By wanted seats, less one: the last recovery that gave up the bookings by which fewer were not booked.
    sold_out_until: [Instant; SEATS_PER_REQUEST_MAX],
}

impl Tally {
    fn of(seats: u32) -> Self {
        let beyond = |never, always| {
            std::array::from_fn(|place| if place as u32 >= seats { always } else { never })
        };
        Self {
            free: seats,
            unbooked: seats,
            short_until: beyond(NEVER, STILL),
            sold_out_from: beyond(Instant::MAX, Instant::ZERO),
            sold_out_until: [NEVER; SEATS_PER_REQUEST_MAX],
        }
    }

    /// Takes over the past of the seats, which were as in `before` until a recovery at `at`.
    fn were(&mut self, before: &Self, at: Instant) {
        for (now, before) in self.short_until.iter_mut().zip(before.short_until) {
            *now = last_of(*now, before, at);
        }
        let sold_out = before.sold_out_from.into_iter().zip(before.sold_out_until);
        let now = self.sold_out_from.into_iter().zip(&mut self.sold_out_until);
        for ((from, until), (before_from, before_until)) in now.zip(sold_out) {
            let ends = before_from < Instant::MAX && from == Instant::MAX;
            *until = if ends { at } else { before_until };
        }
    }

    fn take(&mut self) {
        self.free -= 1;
        if let Some(until) = self.short_until.get_mut(self.free as usize) {
            *until = STILL;
        }
    }

    fn give_back(&mut self, at: Instant) {
        if let Some(until) = self.short_until.get_mut(self.free as usize) {
            *until = at;
        }
        self.free += 1;
    }

    fn book(&mut self, at: Instant) {
        self.unbooked -= 1;
        if let Some(from) = self.sold_out_from.get_mut(self.unbooked as usize) {
            *from = at;
        }
    }
}

/// The last instant of something that was so until `before` by the records up to a recovery at `at`, and is `now` by
/// those that are left.
fn last_of(now: Instant, before: Instant, at: Instant) -> Instant {
    match (now, before) {
        (STILL, _) => STILL,
        (_, STILL) => at,
        (_, before) => before,
    }
}

/// The state of a seat.
#[derive(Clone, Copy, Debug)]
struct Seat {
    taken_until: Instant,
    is_booked: bool,
}

#[derive(Clone, Debug)]
struct Show {
    seats: Vec<Seat>,
    sections: Vec<Tally>,
    all: Tally,
}

/// The seats of all shows, by the records read so far.
#[derive(Debug)]
pub(super) struct FreeSeats {
    seats_per_section: u32,
    /// A show of which no seat was ever taken.
    untouched: Show,
    /// By show; `None` while it is untouched.
    shows: Vec<Option<Box<Show>>>,
}

impl FreeSeats {
    pub(super) fn new(settings: &OracleSettings) -> Self {
        let &OracleSettings { shows, seats_per_show, seats_per_section, .. } = settings;
        let seat = Seat { taken_until: NEVER, is_booked: false };
        let sections = seats_per_show.div_ceil(seats_per_section) as usize;
        let untouched = Show {
            seats: vec![seat; seats_per_show as usize],
            sections: vec![Tally::of(seats_per_section); sections],
            all: Tally::of(seats_per_show),
        };
        Self { seats_per_section, untouched, shows: (0..shows).map(|_| None).collect() }
    }

    /// Takes seats for a hold. Seats that do not exist, or are taken, do not count.
    pub(super) fn take(&mut self, show: ShowId, list: &SeatList) {
        self.change(show, list, |seat, section, all| {
            if seat.taken_until < STILL {
                seat.taken_until = STILL;
                section.take();
                all.take();
            }
        });
    }

    /// Gives back a seat by a record first on a disk at `at`.
    pub(super) fn give_back(&mut self, show: ShowId, seat: SeatId, at: Instant) {
        self.change(show, &[seat], |seat, section, all| {
            if seat.taken_until == STILL && !seat.is_booked {
                seat.taken_until = at;
                section.give_back(at);
                all.give_back(at);
            }
        });
    }

    /// Books seats by a record that was known to be committed at `at`.
    pub(super) fn book(&mut self, show: ShowId, list: &SeatList, at: Instant) {
        self.take(show, list);
        self.change(show, list, |seat, section, all| {
            if !seat.is_booked {
                seat.is_booked = true;
                section.book(at);
                all.book(at);
            }
        });
    }

    /// Takes over the past of all seats, which were as in `before` until a recovery at `at`. Until now these are the
    /// seats by the records that are left.
    pub(super) fn were(&mut self, before: &Self, at: Instant) {
        for (now, before) in self.shows.iter_mut().zip(&before.shows) {
            let Some(before) = before else { continue };
            let now = now.get_or_insert_with(|| Box::new(self.untouched.clone()));
            for (now, before) in now.seats.iter_mut().zip(&before.seats) {
                now.taken_until = last_of(now.taken_until, before.taken_until, at);
            }
            for (now, before) in now.sections.iter_mut().zip(&before.sections) {
                now.were(before, at);
            }
            now.all.were(&before.all, at);
        }
    }

    fn change(
        &mut self,
        show: ShowId,
        list: &[SeatId],
        mut change: impl FnMut(&mut Seat, &mut Tally, &mut Tally),
    ) {
        let Some(show) = self.shows.get_mut(show.0 as usize) else { return };
        let Show { seats, sections, all } =
            &mut **show.get_or_insert_with(|| Box::new(self.untouched.clone()));
        for &seat in list {
            if let Some(state) = seats.get_mut(seat.0 as usize) {
                change(state, &mut sections[(seat.0 / self.seats_per_section) as usize], all);
            }
        }
    }

    /// Whether a picked seat was taken at `since` or later.
    pub(super) fn was_taken(&self, show: ShowId, wish: &Wish, since: Instant) -> bool {
        let seats = &self.of(show).seats;
        let until = |seat: &SeatId| seats.get(seat.0 as usize).map(|seat| seat.taken_until);
        wish.picked.iter().filter_map(until).any(|until| until > NEVER && until >= since)
    }

    /// Whether a section had fewer free seats than wanted at `since` or later.
    pub(super) fn was_short(&self, show: ShowId, wish: &Wish, since: Instant) -> bool {
        let sections = &self.of(show).sections;
        self.needs(wish).any(|(section, wanted)| {
            let until = sections.get(section).map(|tally| of(&tally.short_until, wanted));
            until.is_some_and(|until| until > NEVER && until >= since)
        })
    }

    /// Whether the show or a section had fewer unbooked seats than wanted at `since` or later.
    pub(super) fn was_sold_out(&self, show: ShowId, wish: &Wish, since: Instant) -> bool {
        let Show { sections, all, .. } = self.of(show);
        let needs = self.needs(wish).map(|(section, wanted)| (sections.get(section), wanted));
        let until = needs
            .chain([(Some(all), wish.seats() as u32)])
            .filter_map(|(tally, wanted)| Some(of(&tally?.sold_out_until, wanted)));
        let given_up = until.max().unwrap_or(NEVER);
        self.sold_out_from(show, wish) < Instant::MAX || given_up > NEVER && given_up >= since
    }

    /// Instant from which the show or a section has fewer unbooked seats than wanted; `MAX` if they have enough.
    pub(super) fn sold_out_from(&self, show: ShowId, wish: &Wish) -> Instant {
        let show = self.of(show);
        let sections = self.needs(wish).filter_map(|(section, wanted)| {
            show.sections.get(section).map(|tally| of(&tally.sold_out_from, wanted))
        });
        let all = of(&show.all.sold_out_from, wish.seats() as u32);
        sections.min().unwrap_or(Instant::MAX).min(all)
    }

    /// Evidence of the free and unbooked seats where the best are wanted, and in all.
    pub(super) fn tell(&self, show: ShowId, wish: &Wish) -> Vec<String> {
        let seats = self.of(show);
        let line = |what: String, Tally { free, unbooked, .. }: &Tally| {
            format!("journal: {what} has {free} free seats, and {unbooked} that are not booked")
        };
        let sections = wish.best.iter().filter_map(|(section, _)| {
            let tally = seats.sections.get(usize::from(section.0))?;
            Some(line(format!("{section} of {show}"), tally))
        });
        sections.chain([line(show.to_string(), &seats.all)]).collect()
    }

    /// By section of which the best are wanted: the number of seats wanted there, picked ones included.
    fn needs<'a>(&self, wish: &'a Wish) -> impl Iterator<Item = (usize, u32)> + use<'a> {
        let per_section = self.seats_per_section;
        wish.best.iter().map(move |&(section, count)| {
            let is_there = |seat: &&SeatId| seat.0 / per_section == u32::from(section.0);
            let picked = wish.picked.iter().filter(is_there).count() as u32;
            (usize::from(section.0), u32::from(count) + picked)
        })
    }

    fn of(&self, show: ShowId) -> &Show {
        self.shows.get(show.0 as usize).and_then(Option::as_deref).unwrap_or(&self.untouched)
    }
}

/// The instant for this number of wanted seats, from 1 to the most that a request may name.
fn of(instants: &[Instant; SEATS_PER_REQUEST_MAX], wanted: u32) -> Instant {
    let place = (wanted as usize).clamp(1, SEATS_PER_REQUEST_MAX) - 1;
    instants[place]
}
