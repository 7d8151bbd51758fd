//! Snapshots: a show as bytes and back.
//!
//! Owns the snapshot's content: all that cannot be derived, in an order that does not depend on the show's history, so
//! equal shows have equal bytes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::show::checks::Unfit;
use crate::show::hall::Hall;
use crate::show::holds::Grant;
use crate::show::seats::Seats;
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

/// A suffix where records need not fit: there, holds do not determine which seats are taken.
#[derive(Serialize, Deserialize)]
struct Appendix {
    free: Vec<u64>,
    booked: Vec<u64>,
    /// The grants of ended holds, in order of their ends.
    lapsed: Vec<Grant>,
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
    /// Encodes the state. Equal shows have equal bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let portrait = Portrait {
            seats: self.hall().seats(),
            live: self.live.iter().collect(),
            bookings: &self.bookings,
            ended: &self.ended,
        };
        let mut bytes = postcard::to_stdvec(&portrait).expect("memory holds a snapshot");
        if self.rules.checks.unfit == Unfit::Overwrites {
            let (free, booked) = self.seats.bits();
            let lapsed = self.ended.iter().filter_map(|ended| self.lapsed.get(&ended.hold));
            let appendix = Appendix {
                free: free.to_vec(),
                booked: booked.to_vec(),
                lapsed: lapsed.cloned().collect(),
            };
            bytes = postcard::to_extend(&appendix, bytes).expect("memory holds a snapshot");
        }
        bytes
    }

    /// Decodes a [`snapshot`](Self::snapshot) into a show equal to the original.
    ///
    /// # Errors
    /// If the bytes are not a snapshot of a show in this hall. Damage that leaves a possible state cannot be detected
    /// here: the journal's checksums detect it.
    pub fn restore(hall: Arc<Hall>, rules: Rules, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (memory, rest) =
            postcard::take_from_bytes::<Memory>(bytes).map_err(SnapshotError::Unreadable)?;
        let appendix = match rules.checks.unfit {
            Unfit::IsBroken => None,
            Unfit::Overwrites => Some(postcard::take_from_bytes::<Appendix>(rest)),
        };
        let (appendix, rest) = match appendix.transpose().map_err(SnapshotError::Unreadable)? {
            Some((appendix, rest)) => (Some(appendix), rest),
            None => (None, rest),
        };
        check(rest.is_empty(), "nothing follows the snapshot")?;
        check(memory.seats == hall.seats(), "the show is in this hall")?;
        check(
            memory.live.is_sorted_by_key(|grant| grant.expires),
            "holds stand in the order of their ends",
        )?;

        let derived = appendix.is_none();
        let mut show = Self::new(hall, rules);
        if let Some(Appendix { free, booked, lapsed }) = appendix {
            let seats = Seats::of_bits(Arc::clone(show.hall()), &free, &booked);
            show.seats = seats.ok_or(SnapshotError::Broken("a seat is in one state"))?;
            show.lapsed = lapsed.into_iter().map(|grant| (grant.hold, grant)).collect();
        }
        for grant in memory.bookings {
            if derived {
                show.restore_seats(&grant)?;
                show.seats.book(&grant.seats);
            }
            let place = Place::Booked(
                u32::try_from(show.bookings.len()).expect("there are fewer bookings than seats"),
            );
            check(show.index.insert(grant.hold, place).is_none(), "a hold has one fate")?;
            show.bookings.push(grant);
        }
        for grant in memory.live {
            if derived {
                show.restore_seats(&grant)?;
            }
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
