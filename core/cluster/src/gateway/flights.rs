//! The requests in flight: each has a place, and is found by that or by its id.
//!
//! Owns the places and the index of ids. Data that every answer reads are kept apart from data that only another
//! attempt needs, and the index holds no ids: so the table of a busy gateway stays in a fast cache; otherwise one
//! look-up after another would wait for memory. Refuses to know the outcome of a request.

use std::hint::black_box;
use std::iter::repeat;
use std::ops::{Index, IndexMut};

use onsale_booking::{Command, Endpoint, NodeId, Request, RequestId};

use crate::id::{Epoch, ShardId};

/// A pending request, without its content; on one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Flight {
    pub(super) id: RequestId,
    pub(super) reply_to: Endpoint,
    pub(super) shard: ShardId,
    /// The epoch of the believed leader at the last attempt.
    pub(super) epoch: Epoch,
    /// The target of the last attempt.
    pub(super) target: NodeId,
    pub(super) tries: u8,
    pub(super) phase: Phase,
    /// Rises with every change of phase, so that alarms set before it are recognised as stale.
    pub(super) moves: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// An attempt is under way.
    Asked,
    /// The next attempt waits for its backoff.
    BackingOff,
    /// The place is free.
    Landed,
}

/// The requests in flight.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights {
    flights: Vec<Flight>,
    /// The requests by place.
    requests: Vec<Kept>,
    free: Vec<u32>,
    /// Open addressing by linear probing, at most half full; its length is a power of two.
    index: Vec<Entry>,
}

/// The request that another attempt repeats; on one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Kept(Request);

impl Kept {
    /// Copies a request over the kept one, part by part: a copy that is built elsewhere and then moved whole would wait
    /// for its own small writes.
    #[inline]
    fn overwrite(&mut self, request: &Request) {
        let kept = &mut self.0;
        (kept.id, kept.user, kept.show) = (request.id, request.user, request.show);
        match (&mut kept.command, &request.command) {
            (Command::Hold(kept), Command::Hold(wish)) => {
                kept.picked.clone_from(&wish.picked);
                kept.best = wish.best;
            }
            (kept, command) => kept.clone_from(command),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    /// The place of the flight; [`NOWHERE`] if the entry is vacant.
    place: u32,
}

const NOWHERE: u32 = u32::MAX;
const VACANT: Entry = Entry { hash: 0, place: NOWHERE };
/// The least length of the index.
const INDEX_MIN: usize = 16;

impl Flights {
    /// Number of requests in flight.
    pub(super) fn len(&self) -> usize {
        self.flights.len() - self.free.len()
    }

    /// Every place, taken or free.
    pub(super) fn places(&self) -> std::ops::Range<u32> {
        0..self.flights.len() as u32
    }

    /// The place of the request with this id, if it is in flight.
    pub(super) fn find(&self, id: RequestId) -> Option<u32> {
        self.entry_of(id).map(|entry| self.index[entry].place)
    }

    /// The request at a place.
    pub(super) fn request(&self, place: u32) -> &Request {
        &self.requests[place as usize].0
    }

    /// Prefetches what `find` reads for each of these ids, so that the cache misses overlap. Changes nothing but the
    /// time it takes.
    pub(super) fn read_ahead(&self, ids: impl Iterator<Item = RequestId>) {
        let Some(mask) = self.index.len().checked_sub(1) else { return };
        let touched = ids.fold(0, |touched, id| {
            let entry = self.index[hash(id) as usize & mask];
            touched ^ self.flights.get(entry.place as usize).map_or(0, |flight| flight.moves)
        });
        black_box(touched);
    }

    /// Prefetches for requests that are about to take off in this order, none of which is in flight.
    pub(super) fn read_ahead_of_take_off(&self, ids: impl Iterator<Item = RequestId>) {
        let Some(mask) = self.index.len().checked_sub(1) else { return };
        let places = self.free.iter().rev().map(Some).chain(repeat(None));
        let touched = ids.zip(places).fold(0, |touched, (id, place)| {
            let kept = place.map_or(0, |&place| self.requests[place as usize].0.show.0);
            touched ^ self.index[hash(id) as usize & mask].hash ^ kept
        });
        black_box(touched);
    }

    /// Starts the flight of a request without an attempt yet. Its id must not be in flight. Returns its place.
    pub(super) fn take_off(
        &mut self,
        request: &Request,
        reply_to: Endpoint,
        shard: ShardId,
    ) -> u32 {
        let place = match self.free.pop() {
            Some(place) => {
                let flight = &mut self[place];
                (flight.id, flight.reply_to, flight.shard) = (request.id, reply_to, shard);
                (flight.tries, flight.phase) = (0, Phase::BackingOff);
                self.requests[place as usize].overwrite(request);
                place
            }
            None => {
                self.flights.push(Flight {
                    id: request.id,
                    reply_to,
                    shard,
                    epoch: Epoch(0),
                    target: NodeId(0),
                    tries: 0,
                    phase: Phase::BackingOff,
                    moves: 0,
                });
                self.requests.push(Kept(request.clone()));
                self.flights.len() as u32 - 1
            }
        };
        if self.index.len() < 2 * self.flights.len() {
            self.grow();
        } else {
            enter(&mut self.index, Entry { hash: hash(request.id), place });
        }
        place
    }

    /// Ends the flight of the request with this id, if it is in flight and may land, and frees its place. Returns the
    /// flight as it was, or the one that goes on.
    #[inline]
    pub(super) fn land(
        &mut self,
        id: RequestId,
        may_land: impl FnOnce(&Flight) -> bool,
    ) -> Option<Result<Flight, Flight>> {
        let entry = self.entry_of(id)?;
        let place = self.index[entry].place;
        if !may_land(&self[place]) {
            return Some(Err(self[place]));
        }
        self.vacate(entry);
        self.free.push(place);
        let flight = &mut self[place];
        let landed = *flight;
        flight.phase = Phase::Landed;
        flight.moves = flight.moves.wrapping_add(1);
        Some(Ok(landed))
    }

    fn entry_of(&self, id: RequestId) -> Option<usize> {
        let hash = hash(id);
        let mask = self.index.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let entry = self.index[at];
            if entry.place == NOWHERE {
                return None;
            }
            if entry.hash == hash && self[entry.place].id == id {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// Removes an entry from the index, and moves those behind it up where they may.
    fn vacate(&mut self, entry: usize) {
        let mask = self.index.len() - 1;
        let (mut gap, mut at) = (entry, entry);
        loop {
            at = (at + 1) & mask;
            let next = self.index[at];
            if next.place == NOWHERE {
                break;
            }
            let from_home = at.wrapping_sub(next.hash as usize) & mask;
            if from_home >= at.wrapping_sub(gap) & mask {
                self.index[gap] = next;
                gap = at;
            }
        }
        self.index[gap] = VACANT;
    }

    fn grow(&mut self) {
        let mut index = vec![VACANT; (4 * self.flights.len()).next_power_of_two().max(INDEX_MIN)];
        for (place, flight) in (0..).zip(&self.flights) {
            if flight.phase != Phase::Landed {
                enter(&mut index, Entry { hash: hash(flight.id), place });
            }
        }
        self.index = index;
    }
}

impl Index<u32> for Flights {
    type Output = Flight;

    fn index(&self, place: u32) -> &Flight {
        &self.flights[place as usize]
    }
}

impl IndexMut<u32> for Flights {
    fn index_mut(&mut self, place: u32) -> &mut Flight {
        &mut self.flights[place as usize]
    }
}

fn enter(index: &mut [Entry], entry: Entry) {
    let mask = index.len() - 1;
    let mut at = entry.hash as usize & mask;
    while index[at].place != NOWHERE {
        at = (at + 1) & mask;
    }
    index[at] = entry;
}

/// The upper half of the product with the odd number nearest to 2^64 divided by the golden ratio, which spreads
/// consecutive ids.
fn hash(id: RequestId) -> u32 {
    (id.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use onsale_booking::{ClientId, HoldId, ShowId, UserId};
    use proptest::prelude::*;

    use super::*;

    fn request(id: u64) -> Request {
        let command = Command::Release { hold: HoldId(id) };
        Request { id: RequestId(id), user: UserId(0), show: ShowId(0), command }
    }

    proptest! {
        /// Ids are few, so that they come back; multiples of 2^40 all want the same entry of the index.
        #[test]
        fn each_request_in_flight_is_found_and_no_other(
            steps in prop::collection::vec((0_u64..40, any::<bool>(), any::<bool>()), 1..400),
        ) {
            let client = Endpoint::Client(ClientId(0));
            let (mut flights, mut model) = (Flights::default(), BTreeMap::new());
            for (number, crowded, lands) in steps {
                let id = if crowded { number << 40 } else { number };
                match model.get(&id).copied() {
                    Some(place) if lands => {
                        let landed = flights.land(RequestId(id), |_| true).and_then(Result::ok);
                        prop_assert_eq!(landed.map(|flight| flight.id), Some(RequestId(id)));
                        prop_assert_eq!(flights[place].phase, Phase::Landed);
                        model.remove(&id);
                    }
                    Some(_) => {}
                    None => {
                        model.insert(id, flights.take_off(&request(id), client, ShardId(0)));
                    }
                }
                prop_assert_eq!(flights.len(), model.len());
                for id in (0..40).flat_map(|number| [number, number << 40]) {
                    prop_assert_eq!(flights.find(RequestId(id)), model.get(&id).copied());
                }
                for (&id, &place) in &model {
                    prop_assert_eq!(flights.request(place), &request(id));
                }
            }
        }
    }

    #[test]
    fn a_flight_lands_once() {
        let mut flights = Flights::default();
        flights.take_off(&request(1), Endpoint::Client(ClientId(0)), ShardId(0));
        let stays = flights.land(RequestId(1), |_| false);
        assert!(stays.is_some_and(|flight| flight.is_err()) && flights.len() == 1);
        assert!(flights.land(RequestId(1), |_| true).is_some_and(|flight| flight.is_ok()));
        assert!(flights.land(RequestId(1), |_| true).is_none());
    }
}
