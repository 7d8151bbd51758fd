//! Holds by name and by seat.
//!
//! Owns the data structure of both folds. A seat remembers one hold, the last that was put on it;
//! a hold is forgotten once no seat remembers it and it has no pin. So memory is bounded by the
//! seats of the shows in use, plus the pins. Refuses to know what a hold means or when it ends.

use onsale_booking::{FixedMap, HoldId, SeatId, SeatList, ShowId};

const NOBODY: u32 = u32::MAX;

/// Holds by name and by seat, each with its fold's data.
#[derive(Debug)]
pub(super) struct Register<T> {
    seats_per_show: usize,
    /// By show and seat, the hold's index in `entries`; a show's list is empty until a seat is taken.
    seats: Vec<Vec<u32>>,
    entries: Vec<Option<Entry<T>>>,
    vacant: Vec<u32>,
    by_hold: FixedMap<HoldId, u32>,
}

/// One hold.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) hold: HoldId,
    pub(super) show: ShowId,
    pub(super) seats: SeatList,
    /// The fold's data about it.
    pub(super) known: T,
    /// Number of seats that remember it.
    remembered: u8,
    pins: u8,
}

impl<T> Register<T> {
    pub(super) fn new(shows: u32, seats_per_show: u32) -> Self {
        Self {
            seats_per_show: seats_per_show as usize,
            seats: (0..shows).map(|_| Vec::new()).collect(),
            entries: Vec::new(),
            vacant: Vec::new(),
            by_hold: FixedMap::default(),
        }
    }

    pub(super) fn get(&self, hold: HoldId) -> Option<&Entry<T>> {
        self.by_hold.get(&hold).map(|&place| self.entry(place))
    }

    pub(super) fn get_mut(&mut self, hold: HoldId) -> Option<&mut Entry<T>> {
        let place = *self.by_hold.get(&hold)?;
        self.entries[place as usize].as_mut()
    }

    /// The hold that a seat remembers; `None` also if the show or seat does not exist.
    pub(super) fn on_seat(&self, show: ShowId, seat: SeatId) -> Option<&Entry<T>> {
        let place = *self.seats.get(show.0 as usize)?.get(seat.0 as usize)?;
        (place != NOBODY).then(|| self.entry(place))
    }

    /// All known holds, in an order that depends on the history alone.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<T>> {
        self.entries.iter().flatten()
    }

    /// Adds a hold with one pin, on no seat yet.
    pub(super) fn insert(&mut self, hold: HoldId, show: ShowId, seats: SeatList, known: T) {
        let entry = Some(Entry { hold, show, seats, known, remembered: 0, pins: 1 });
        let place = if let Some(place) = self.vacant.pop() {
            self.entries[place as usize] = entry;
            place
        } else {
            self.entries.push(entry);
            u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 holds are known at once")
        };
        let before = self.by_hold.insert(hold, place);
        assert!(before.is_none(), "a hold is added once");
    }

    /// Puts a known hold on its seats: on free ones, and on those whose remembered hold `gives_way`. Seats that do not
    /// exist are skipped.
    pub(super) fn seat(&mut self, hold: HoldId, gives_way: impl Fn(&Entry<T>) -> bool) {
        let place = self.by_hold[&hold];
        let entry = self.entry(place);
        let (show, seats) = (entry.show, entry.seats.clone());
        let Some(row) = self.seats.get_mut(show.0 as usize) else { return };
        if row.is_empty() {
            row.resize(self.seats_per_show, NOBODY);
        }
        for &seat in &seats {
            let Some(&before) = self.seats[show.0 as usize].get(seat.0 as usize) else { continue };
            if before == place || (before != NOBODY && !gives_way(self.entry(before))) {
                continue;
            }
            self.seats[show.0 as usize][seat.0 as usize] = place;
            self.entry_mut(place).remembered += 1;
            if before != NOBODY {
                let other = self.entry_mut(before);
                assert!(other.remembered > 0, "a hold on a seat is remembered by it");
                other.remembered -= 1;
                self.forget_if_loose(before);
            }
        }
    }

    pub(super) fn pin(&mut self, hold: HoldId) {
        let place = self.by_hold[&hold];
        self.entry_mut(place).pins += 1;
    }

    /// Removes a pin; this may make the hold forgotten.
    pub(super) fn unpin(&mut self, hold: HoldId) {
        let place = self.by_hold[&hold];
        let entry = self.entry_mut(place);
        assert!(entry.pins > 0, "only an existing pin is removed");
        entry.pins -= 1;
        self.forget_if_loose(place);
    }

    /// Forgets a hold, even if seats remember it or it is pinned.
    pub(super) fn remove(&mut self, hold: HoldId) {
        let place = self.by_hold[&hold];
        let entry = self.entry(place);
        let (show, seats) = (entry.show, entry.seats.clone());
        for &seat in &seats {
            let row = self.seats.get_mut(show.0 as usize);
            if let Some(slot) = row.and_then(|row| row.get_mut(seat.0 as usize))
                && *slot == place
            {
                *slot = NOBODY;
            }
        }
        self.forget(place);
    }

    fn forget_if_loose(&mut self, place: u32) {
        let entry = self.entry(place);
        if entry.remembered == 0 && entry.pins == 0 {
            self.forget(place);
        }
    }

    fn forget(&mut self, place: u32) {
        let hold = self.entry(place).hold;
        assert_eq!(self.by_hold.remove(&hold), Some(place), "a hold has one name and one entry");
        self.entries[place as usize] = None;
        self.vacant.push(place);
    }

    fn entry(&self, place: u32) -> &Entry<T> {
        self.entries[place as usize].as_ref().expect("a referenced entry exists")
    }

    fn entry_mut(&mut self, place: u32) -> &mut Entry<T> {
        self.entries[place as usize].as_mut().expect("a referenced entry exists")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOW: ShowId = ShowId(0);

    fn seats(numbers: &[u32]) -> SeatList {
        numbers.iter().map(|&n| SeatId(n)).collect()
    }

    fn put(register: &mut Register<()>, hold: u64, numbers: &[u32]) {
        register.insert(HoldId(hold), SHOW, seats(numbers), ());
        register.seat(HoldId(hold), |_| true);
    }

    #[test]
    fn a_hold_without_seats_and_pins_is_forgotten() {
        let mut register = Register::new(1, 10);
        put(&mut register, 1, &[1, 2]);
        register.unpin(HoldId(1));
        put(&mut register, 2, &[1]);
        assert!(register.get(HoldId(1)).is_some(), "seat 2 still remembers it");
        put(&mut register, 3, &[2]);
        assert!(register.get(HoldId(1)).is_none());
        put(&mut register, 4, &[1, 2]);
        assert!(register.get(HoldId(2)).is_some(), "pinned");
        assert_eq!(register.on_seat(SHOW, SeatId(1)).map(|entry| entry.hold), Some(HoldId(4)));
        register.unpin(HoldId(2));
        assert!(register.get(HoldId(2)).is_none());
    }

    #[test]
    fn seats_that_do_not_exist_remember_nothing() {
        let mut register = Register::new(1, 10);
        put(&mut register, 1, &[10]);
        register.insert(HoldId(2), ShowId(1), seats(&[0]), ());
        register.seat(HoldId(2), |_| true);
        assert!(register.on_seat(SHOW, SeatId(10)).is_none());
        assert!(register.on_seat(ShowId(1), SeatId(0)).is_none());
    }
}
