//! A list of seats, of one request, hold or booking.
//!
//! Owns its bound and its size of three words: most requests pick no seats and most answers grant none, and those are
//! moved about by the million. Refuses to know whether a seat exists.

use std::fmt;
use std::ops::{Deref, DerefMut};

use arrayvec::ArrayVec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::SeatId;

/// The most seats that one request may name (requirement 4 of the seed documents:
/// "restrict users from booking more than 10 seats at a time").
pub const SEATS_PER_REQUEST_MAX: usize = 10;
/// Number of seats that fit into the list itself.
const FEW: usize = 5;

type Seats = ArrayVec<SeatId, SEATS_PER_REQUEST_MAX>;

/// Seats in the order in which they were named; at most [`SEATS_PER_REQUEST_MAX`].
///
/// A list of up to five allocates nothing: groups are rarely larger.
pub struct SeatList(Kept);

#[derive(Clone)]
enum Kept {
    Here(Few),
    Apart(Box<Seats>),
}

/// A short list as plain bytes, which are copied at once.
#[derive(Clone, Copy, Default)]
struct Few {
    count: Count,
    /// The default beyond `count`.
    seats: [SeatId; FEW],
}

/// Number of seats in a short list: an integer would leave no spare value to tell the two kinds of lists apart.
#[derive(Clone, Copy, Default)]
enum Count {
    #[default]
    Zero,
    One,
    Two,
    Three,
    Four,
    Five,
}

impl SeatList {
    /// Adds a seat at the end.
    ///
    /// # Panics
    /// If the list is full.
    pub fn push(&mut self, seat: SeatId) {
        match &mut self.0 {
            Kept::Here(few) => match few.count.next() {
                Some(next) => {
                    few.seats[few.count as usize] = seat;
                    few.count = next;
                }
                None => {
                    let all = few.seats.iter().copied().chain([seat]).collect();
                    self.0 = Kept::Apart(Box::new(all));
                }
            },
            Kept::Apart(seats) => seats.push(seat),
        }
    }
}

impl Count {
    const fn next(self) -> Option<Self> {
        match self {
            Self::Zero => Some(Self::One),
            Self::One => Some(Self::Two),
            Self::Two => Some(Self::Three),
            Self::Three => Some(Self::Four),
            Self::Four => Some(Self::Five),
            Self::Five => None,
        }
    }
}

impl Clone for SeatList {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }

    /// Copies a short list in place.
    #[inline]
    fn clone_from(&mut self, source: &Self) {
        match (&mut self.0, &source.0) {
            (Kept::Here(few), Kept::Here(source)) => *few = *source,
            (kept, source) => *kept = source.clone(),
        }
    }
}

impl Default for SeatList {
    fn default() -> Self {
        Self(Kept::Here(Few::default()))
    }
}

impl Deref for SeatList {
    type Target = [SeatId];

    #[inline]
    fn deref(&self) -> &[SeatId] {
        match &self.0 {
            Kept::Here(few) => &few.seats[..few.count as usize],
            Kept::Apart(seats) => seats,
        }
    }
}

impl DerefMut for SeatList {
    fn deref_mut(&mut self) -> &mut [SeatId] {
        match &mut self.0 {
            Kept::Here(few) => &mut few.seats[..few.count as usize],
            Kept::Apart(seats) => seats,
        }
    }
}

impl FromIterator<SeatId> for SeatList {
    /// # Panics
    /// If there are too many seats.
    fn from_iter<I: IntoIterator<Item = SeatId>>(seats: I) -> Self {
        let mut list = Self::default();
        list.extend(seats);
        list
    }
}

impl Extend<SeatId> for SeatList {
    /// # Panics
    /// If there are too many seats.
    fn extend<I: IntoIterator<Item = SeatId>>(&mut self, seats: I) {
        seats.into_iter().for_each(|seat| self.push(seat));
    }
}

impl<'a> IntoIterator for &'a SeatList {
    type Item = &'a SeatId;
    type IntoIter = std::slice::Iter<'a, SeatId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for SeatList {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SeatList {}

impl fmt::Debug for SeatList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Serialize for SeatList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SeatList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seats::deserialize(deserializer).map(|seats| seats.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Reply, Request};
    use crate::time::Timed;

    fn list(seats: &[u32]) -> SeatList {
        seats.iter().copied().map(SeatId).collect()
    }

    #[test]
    fn a_list_is_small() {
        assert_eq!(size_of::<SeatList>(), 24);
        assert!(size_of::<Timed<Request>>() <= 72);
        assert!(size_of::<Timed<Reply>>() <= 56);
    }

    #[test]
    fn it_is_written_as_a_sequence_and_bounded_when_it_is_read() {
        for seats in
            [&[][..], &[7], &[3, 1, 2, 9, 8], &[3, 1, 2, 9, 8, 0], &[5; SEATS_PER_REQUEST_MAX]]
        {
            let bytes = postcard::to_stdvec(&list(seats)).unwrap();
            assert_eq!(bytes, postcard::to_stdvec(&seats.to_vec()).unwrap());
            assert_eq!(postcard::from_bytes::<SeatList>(&bytes).unwrap(), list(seats));
        }
        let eleven = postcard::to_stdvec(&vec![0_u32; SEATS_PER_REQUEST_MAX + 1]).unwrap();
        assert!(postcard::from_bytes::<SeatList>(&eleven).is_err());
    }

    #[test]
    #[should_panic(expected = "CapacityError")]
    fn a_full_list_takes_no_more() {
        let mut seats = list(&[0; SEATS_PER_REQUEST_MAX]);
        seats.push(SeatId(1));
    }
}
