//! A list of seats: of one request, one hold or one booking.
//!
//! Owns its bound, and that it takes one word wherever it travels: most requests pick no seats and
//! most answers grant none, and those are moved about by the million. Refuses to know whether a seat
//! exists.

use std::fmt;
use std::ops::{Deref, DerefMut};

use arrayvec::ArrayVec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::SeatId;
use crate::request::SEATS_PER_REQUEST_MAX;

type Seats = ArrayVec<SeatId, SEATS_PER_REQUEST_MAX>;

/// Seats in the order in which they were named; at most [`SEATS_PER_REQUEST_MAX`].
///
/// An empty list allocates nothing.
#[derive(Clone, Default)]
pub struct SeatList(Option<Box<Seats>>);

impl SeatList {
    /// Adds a seat at the end.
    ///
    /// # Panics
    /// If the list is full.
    pub fn push(&mut self, seat: SeatId) {
        self.0.get_or_insert_default().push(seat);
    }

    fn of(seats: Seats) -> Self {
        Self((!seats.is_empty()).then(|| Box::new(seats)))
    }
}

impl Deref for SeatList {
    type Target = [SeatId];

    fn deref(&self) -> &[SeatId] {
        self.0.as_deref().map_or(&[], |seats| seats)
    }
}

impl DerefMut for SeatList {
    fn deref_mut(&mut self) -> &mut [SeatId] {
        self.0.as_deref_mut().map_or(&mut [], |seats| seats)
    }
}

impl FromIterator<SeatId> for SeatList {
    /// # Panics
    /// If there are too many seats.
    fn from_iter<I: IntoIterator<Item = SeatId>>(seats: I) -> Self {
        Self::of(seats.into_iter().collect())
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
        Seats::deserialize(deserializer).map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Answer, Timed};
    use crate::request::{Reply, Request};

    fn list(seats: &[u32]) -> SeatList {
        seats.iter().copied().map(SeatId).collect()
    }

    #[test]
    fn what_travels_by_the_million_is_small() {
        assert_eq!(size_of::<SeatList>(), 8);
        assert!(size_of::<Timed<Request>>() <= 64, "a request shares no second cache line");
        assert!(size_of::<Timed<Answer>>() <= 56);
        assert!(size_of::<Timed<Reply>>() <= 48);
    }

    #[test]
    fn it_is_written_as_a_sequence_and_bounded_when_it_is_read() {
        for seats in [&[][..], &[7], &[3, 1, 2]] {
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
