//! The state of each seat, free, held or booked, as one bit a seat and counts.
//!
//! Owns the seats' states and the choice of seats for a wish. Refuses to know who has them and for how long.

use std::slice;
use std::sync::Arc;

use crate::id::{SeatId, SectionId};
use crate::request::{Refusal, Wish};
use crate::seat_list::SeatList;
use crate::show::best;
use crate::show::hall::Hall;

/// Seat counts of a section or of the whole show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// Free seats.
    pub(super) free: u32,
    /// Seats that are not booked: free now, or perhaps later.
    pub(super) unbooked: u32,
}

/// The state of a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeatState {
    Free,
    Held,
    Booked,
}

/// The state of every seat of a show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seats {
    hall: Arc<Hall>,
    /// By row; bit `p` is set while place `p` is free.
    free: Vec<u64>,
    /// By row; bit `p` is set once place `p` is booked. A place with neither bit is held.
    booked: Vec<u64>,
    sections: Vec<Tally>,
    all: Tally,
}

impl Seats {
    /// The seats of a hall, all free.
    pub(super) fn new(hall: Arc<Hall>) -> Self {
        let tally = |seats| Tally { free: seats, unbooked: seats };
        let rows = hall.rows() as usize;
        Self {
            free: vec![u64::MAX >> (u64::BITS - hall.seats_per_row()); rows],
            booked: vec![0; rows],
            sections: vec![tally(hall.seats_per_section()); usize::from(hall.sections())],
            all: tally(hall.seats()),
            hall,
        }
    }

    /// The plan of the hall.
    pub(super) fn hall(&self) -> &Arc<Hall> {
        &self.hall
    }

    /// The counts of the whole show.
    pub(super) fn all(&self) -> Tally {
        self.all
    }

    /// Whether the seat exists and is free.
    pub(super) fn is_free(&self, seat: SeatId) -> bool {
        self.hall.has_seat(seat) && {
            let (row, bit) = self.bit(seat);
            self.free[row] & bit != 0
        }
    }

    /// Takes free seats off the market.
    pub(super) fn hold(&mut self, seats: &[SeatId]) {
        for &seat in seats {
            assert!(self.is_free(seat), "{seat} is granted although it is not free");
            let (row, bit) = self.bit(seat);
            self.free[row] &= !bit;
            self.section_mut(seat).free -= 1;
            self.all.free -= 1;
        }
    }

    /// Makes held seats booked; final.
    pub(super) fn book(&mut self, seats: &[SeatId]) {
        for &seat in seats {
            let (row, bit) = self.bit(seat);
            assert!(
                (self.free[row] | self.booked[row]) & bit == 0,
                "{seat} is booked although it is not held"
            );
            self.booked[row] |= bit;
            self.section_mut(seat).unbooked -= 1;
            self.all.unbooked -= 1;
        }
    }

    /// Puts held seats back on the market.
    pub(super) fn free_up(&mut self, seats: &[SeatId]) {
        for &seat in seats {
            let (row, bit) = self.bit(seat);
            assert!(
                (self.free[row] | self.booked[row]) & bit == 0,
                "{seat} is given back although it is not held"
            );
            self.free[row] |= bit;
            self.section_mut(seat).free += 1;
            self.all.free += 1;
        }
    }

    /// Sets the state of seats, regardless of their old one.
    pub(super) fn put(&mut self, seats: &[SeatId], state: SeatState) {
        for &seat in seats {
            let (row, bit) = self.bit(seat);
            let (was_free, was_booked) = (self.free[row] & bit != 0, self.booked[row] & bit != 0);
            let (free, booked) = (state == SeatState::Free, state == SeatState::Booked);
            self.free[row] = if free { self.free[row] | bit } else { self.free[row] & !bit };
            self.booked[row] =
                if booked { self.booked[row] | bit } else { self.booked[row] & !bit };
            let count = |tally: &mut Tally| {
                tally.free = tally.free + u32::from(free) - u32::from(was_free);
                tally.unbooked = tally.unbooked + u32::from(was_booked) - u32::from(booked);
            };
            count(self.section_mut(seat));
            count(&mut self.all);
        }
    }

    /// The invariants after every event; cheap: the free seats are among those not booked, and those in the hall.
    pub(super) fn check_invariants(&self) {
        let Tally { free, unbooked } = self.all;
        assert!(
            free <= unbooked && unbooked <= self.hall.seats(),
            "every seat is free, held or booked: {free} of {unbooked} of {}",
            self.hall.seats()
        );
    }

    /// Each row's free and booked places: all that cannot be derived.
    pub(super) fn bits(&self) -> (&[u64], &[u64]) {
        (&self.free, &self.booked)
    }

    /// The seats with these [`bits`](Self::bits); `None` if the hall cannot be in such a state.
    pub(super) fn of_bits(hall: Arc<Hall>, free: &[u64], booked: &[u64]) -> Option<Self> {
        let mut seats = Self::new(hall);
        let is_row = |(&free, &booked): (&u64, &u64)| {
            let places = seats.free.first().copied().unwrap_or_default();
            (free | booked) & !places == 0 && free & booked == 0
        };
        let rows = seats.free.len();
        if free.len() != rows || booked.len() != rows || !free.iter().zip(booked).all(is_row) {
            return None;
        }
        for seat in (0..seats.hall.seats()).map(SeatId) {
            let (row, bit) = seats.bit(seat);
            let state = match (free[row] & bit != 0, booked[row] & bit != 0) {
                (true, _) => SeatState::Free,
                (false, true) => SeatState::Booked,
                (false, false) => SeatState::Held,
            };
            seats.put(&[seat], state);
        }
        Some(seats)
    }

    /// The seats that meet a well-formed wish: the picked ones in the order given, then the best of each section. A
    /// wish that even waiting cannot meet is refused first, from counts alone.
    pub(super) fn choose(&self, wish: &Wish) -> Result<SeatList, Refusal> {
        let (picked, best) = (&*wish.picked, &*wish.best);
        if (self.all.unbooked as usize) < wish.seats() {
            return Err(Refusal::SoldOut);
        }
        // Picked seats are not available to the best of the same wish, so a section
        // must have room for both.
        let needs = |section, count| {
            let picked =
                picked.iter().filter(|&&seat| self.hall.section_of(seat) == Some(section)).count();
            u32::from(count) + picked as u32
        };
        let short = |available: fn(&Tally) -> u32| {
            best.iter().any(|&(section, count)| {
                available(&self.sections[usize::from(section.0)]) < needs(section, count)
            })
        };
        if short(|tally| tally.unbooked) {
            return Err(Refusal::SoldOut);
        }
        if !picked.iter().all(|&seat| self.is_free(seat)) {
            return Err(Refusal::SeatTaken);
        }
        if short(|tally| tally.free) {
            return Err(Refusal::NoneFree);
        }

        let mut chosen = wish.picked.clone();
        for &(section, count) in best {
            self.choose_best(section, count.into(), picked, &mut chosen);
        }
        assert_eq!(chosen.len(), wish.seats(), "a grant is all or nothing");
        Ok(chosen)
    }

    /// The seats that meet as much of a well-formed wish as possible: the picked seats that are free, and as many of
    /// the best as each section has. Refused if there are none.
    pub(super) fn choose_some(&self, wish: &Wish) -> Result<SeatList, Refusal> {
        let picked: SeatList =
            wish.picked.iter().copied().filter(|&seat| self.is_free(seat)).collect();
        let best = wish.best.iter().map(|&(section, count)| {
            let picked = picked.iter().filter(|&&seat| self.hall.section_of(seat) == Some(section));
            let left =
                self.sections[usize::from(section.0)].free.saturating_sub(picked.count() as u32);
            (section, u8::try_from(left).map_or(count, |left| left.min(count)))
        });
        let best = best.filter(|&(_, count)| count > 0).collect();
        let some = Wish { picked, best };
        if some.seats() == 0 { self.choose(wish) } else { self.choose(&some) }
    }

    /// Adds the best `count` seats of a section to `chosen`: side by side in the foremost row where that is possible,
    /// else singly from the front. The section must have that many free besides `picked`.
    fn choose_best(
        &self,
        section: SectionId,
        count: u32,
        picked: &[SeatId],
        chosen: &mut SeatList,
    ) {
        let places = self.hall.seats_per_row();
        let rows = || self.hall.rows_of(section).map(|row| (row, self.free_besides(row, picked)));

        let together =
            rows().find_map(|(row, free)| best::run(free, places, count).map(|first| (row, first)));
        if let Some((row, first)) = together {
            chosen.extend((first..first + count).map(|place| self.hall.seat_at(row, place)));
            return;
        }
        let mut missing = count;
        for (row, mut free) in rows() {
            while missing > 0
                && let Some(place) = best::run(free, places, 1)
            {
                chosen.push(self.hall.seat_at(row, place));
                free &= !(1 << place);
                missing -= 1;
            }
            if missing == 0 {
                return;
            }
        }
    }

    fn free_besides(&self, row: u32, picked: &[SeatId]) -> u64 {
        picked.iter().fold(self.free[row as usize], |free, &seat| {
            let (row_of_seat, place) = self.hall.place_of(seat);
            if row_of_seat == row { free & !(1 << place) } else { free }
        })
    }

    fn bit(&self, seat: SeatId) -> (usize, u64) {
        let (row, place) = self.hall.place_of(seat);
        (row as usize, 1 << place)
    }

    fn section_mut(&mut self, seat: SeatId) -> &mut Tally {
        let section = self.hall.section_of(seat).expect("a seat of the hall stands in a section");
        &mut self.sections[usize::from(section.0)]
    }

    /// Like [`Self::hold`] for seats from an untrusted source: returns whether each was free. Stops at the first that
    /// was not.
    pub(super) fn try_hold(&mut self, seats: &[SeatId]) -> bool {
        seats.iter().all(|seat| {
            let free = self.is_free(*seat);
            if free {
                self.hold(slice::from_ref(seat));
            }
            free
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two sections of three rows of five seats; `taken` are held.
    fn seats(taken: &[u32]) -> Seats {
        let mut seats = Seats::new(Arc::new(Hall::uniform(2, 3, 5)));
        seats.hold(&taken.iter().copied().map(SeatId).collect::<Vec<_>>());
        seats
    }

    fn wish(picked: &[u32], best: &[(u16, u8)]) -> Wish {
        Wish {
            picked: picked.iter().copied().map(SeatId).collect(),
            best: best.iter().map(|&(section, count)| (SectionId(section), count)).collect(),
        }
    }

    #[test]
    fn the_best_seats_are_in_front_together_and_in_the_middle() {
        type Row = (&'static [u32], &'static [u32], &'static [(u16, u8)], &'static [u32]);
        let table: [Row; 12] = [
            // Held, picked, best wanted, chosen.
            (&[], &[], &[(0, 1)], &[2]),
            (&[], &[], &[(0, 2)], &[1, 2]),
            (&[], &[], &[(0, 5)], &[0, 1, 2, 3, 4]),
            (&[], &[], &[(1, 3)], &[16, 17, 18]),
            // The front row has no two together.
            (&[1, 3], &[], &[(0, 2)], &[6, 7]),
            // Front row first even at its edge.
            (&[0, 1, 2], &[], &[(0, 2)], &[3, 4]),
            // Six are never side by side in rows of five.
            (&[], &[], &[(0, 6)], &[2, 1, 3, 0, 4, 7]),
            // Scattered: no two together.
            (&[1, 3, 5, 6, 8, 9, 10, 12, 13], &[], &[(0, 2)], &[2, 0]),
            // Both sections, in the order asked.
            (&[], &[], &[(1, 2), (0, 1)], &[16, 17, 2]),
            // Picked seats come first and are not chosen again.
            (&[], &[2], &[(0, 1)], &[2, 1]),
            (&[], &[2, 7], &[(0, 3)], &[2, 7, 11, 12, 13]),
            (&[], &[20], &[], &[20]),
        ];
        for (taken, picked, best, chosen) in table {
            let expected: SeatList = chosen.iter().copied().map(SeatId).collect();
            assert_eq!(
                seats(taken).choose(&wish(picked, best)),
                Ok(expected),
                "{taken:?} {picked:?} {best:?}"
            );
        }
    }

    #[test]
    fn the_refusal_says_whether_waiting_can_help() {
        type Row = (&'static [u32], &'static [u32], &'static [u32], &'static [(u16, u8)], Refusal);
        let most_of_0: &[u32] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let table: [Row; 8] = [
            // Booked, held, picked, best wanted, refusal.
            (&[], &[4], &[4], &[], Refusal::SeatTaken),
            (&[4], &[], &[4], &[], Refusal::SeatTaken),
            (&[], &[4], &[4], &[(1, 2)], Refusal::SeatTaken),
            (&[], most_of_0, &[], &[(0, 3)], Refusal::NoneFree),
            (most_of_0, &[], &[], &[(0, 3)], Refusal::SoldOut),
            (most_of_0, &[13], &[], &[(0, 2)], Refusal::NoneFree),
            // The picked seats leave too few for the best.
            (most_of_0, &[], &[13], &[(0, 2)], Refusal::SoldOut),
            (&[], most_of_0, &[13], &[(1, 1), (0, 2)], Refusal::NoneFree),
        ];
        for (booked, held, picked, best, refusal) in table {
            let mut seats = seats(booked);
            seats.book(&booked.iter().copied().map(SeatId).collect::<Vec<_>>());
            seats.hold(&held.iter().copied().map(SeatId).collect::<Vec<_>>());
            assert_eq!(
                seats.choose(&wish(picked, best)),
                Err(refusal),
                "{booked:?} {held:?} {picked:?} {best:?}"
            );
        }
    }

    #[test]
    #[should_panic(expected = "every seat is free, held or booked")]
    fn counts_that_do_not_add_up_are_caught() {
        let mut seats = seats(&[]);
        seats.check_invariants();
        seats.all.unbooked -= 1;
        seats.check_invariants();
    }

    #[test]
    fn seats_given_back_leave_no_trace() {
        let mut used = seats(&[3, 17]);
        used.free_up(&[SeatId(17), SeatId(3)]);
        assert_eq!(used, seats(&[]));
    }

    #[test]
    fn a_seat_is_not_taken_twice() {
        let mut seats = seats(&[]);
        assert!(seats.try_hold(&[SeatId(1), SeatId(2)]));
        assert!(!seats.try_hold(&[SeatId(2)]));
        assert!(!seats.try_hold(&[SeatId(30)]), "no such seat");
        assert!(!seats.try_hold(&[SeatId(5), SeatId(5)]));
    }
}
