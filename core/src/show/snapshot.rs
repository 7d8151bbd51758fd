//! A show as bytes and back.
//!
//! Owns the snapshot's content: what cannot be derived, in an order that does not
//! depend on how the show came to its state, so equal shows have equal bytes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::show::hall::Hall;
use crate::show::holds::Grant;
use crate::show::{Ended, Place, Rules, Show};

#[derive(Serialize)]
struct Portrait<'a> {
    seats: u32,
    live: Vec<&'a Grant>,
    bookings: &'a [Grant],
    ended: &'a VecDeque<Ended>,
}

#[derive(Deserialize)]
struct Memory {
    seats: u32,
    live: Vec<Grant>,
    bookings: Vec<Grant>,
    ended: VecDeque<Ended>,
}

/// Why bytes are no snapshot of a show in this hall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// The bytes cannot be decoded.
    Unreadable(postcard::Error),
    /// The content breaks a promise that every show keeps.
    Broken(&'static str),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "the snapshot cannot be decoded: {error}"),
            Self::Broken(promise) => write!(f, "the snapshot breaks a promise: {promise}"),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            Self::Broken(_) => None,
        }
    }
}

impl Show {
    /// The state as bytes. Equal shows have equal bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let portrait = Portrait {
            seats: self.hall().seats(),
            live: self.live.iter().collect(),
            bookings: &self.bookings,
            ended: &self.ended,
        };
        postcard::to_stdvec(&portrait).expect("memory holds a snapshot")
    }

    /// The show whose [`snapshot`](Self::snapshot) was taken, equal to it.
    ///
    /// # Errors
    /// If the bytes are not a snapshot of a show in this hall. Damage that leaves a
    /// possible state cannot be seen here: that is for the journal's checksums.
    pub fn restore(hall: Arc<Hall>, rules: Rules, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (memory, rest) =
            postcard::take_from_bytes::<Memory>(bytes).map_err(SnapshotError::Unreadable)?;
        check(rest.is_empty(), "nothing follows the snapshot")?;
        check(memory.seats == hall.seats(), "the show is in this hall")?;
        check(
            memory.live.is_sorted_by_key(|grant| grant.expires),
            "holds stand in the order of their ends",
        )?;

        let mut show = Self::new(hall, rules);
        for grant in memory.bookings {
            show.restore_seats(&grant)?;
            show.seats.book(&grant.seats);
            let place = Place::Booked(
                u32::try_from(show.bookings.len()).expect("there are fewer bookings than seats"),
            );
            check(show.index.insert(grant.hold, place).is_none(), "a hold has one fate")?;
            show.bookings.push(grant);
        }
        for grant in memory.live {
            show.restore_seats(&grant)?;
            let hold = grant.hold;
            let place = Place::Live(show.live.insert(grant));
            check(show.index.insert(hold, place).is_none(), "a hold has one fate")?;
        }
        for ended in memory.ended {
            let place = Place::Ended(ended.user, ended.ending);
            check(show.index.insert(ended.hold, place).is_none(), "a hold has one fate")?;
            show.ended.push_back(ended);
        }
        Ok(show)
    }

    fn restore_seats(&mut self, grant: &Grant) -> Result<(), SnapshotError> {
        check(!grant.seats.is_empty(), "a grant has seats")?;
        check(self.seats.try_hold(&grant.seats), "a seat exists and is granted once")
    }
}

fn check(kept: bool, promise: &'static str) -> Result<(), SnapshotError> {
    if kept { Ok(()) } else { Err(SnapshotError::Broken(promise)) }
}
