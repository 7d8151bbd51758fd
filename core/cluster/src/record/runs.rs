//! The second format of records: differences and runs.
//!
//! Owns its bytes. Refuses to know which records are of this format.
//!
//! After the writer comes one event after another, up to the end of the record: a byte of flags, then the values that
//! the flags leave open, as variable-length integers. The show and the instant are those of the event before, at first
//! show 0 and instant 0, unless flags say that others follow. Numbers that are near another one are differences.

use onsale_booking::seat_list::SEATS_PER_REQUEST_MAX;
use onsale_booking::{
    Event, HoldId, Instant, NodeId, PaymentId, RequestId, SeatId, SeatList, ShowId, UserId,
};
use postcard::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Events, Format, VERSIONED};

const HELD: u8 = 0;
const BOOKED: u8 = 1;
const RELEASED: u8 = 2;
const EXPIRED: u8 = 3;
/// The bits of the kind of event.
const KIND: u8 = 3;
/// The show follows.
const OTHER_SHOW: u8 = 1 << 2;
/// The difference from the last instant follows.
const OTHER_INSTANT: u8 = 1 << 3;
/// The seats of a hold are consecutive: the first and the number of them follow.
const RUN: u8 = 1 << 4;
/// A hold lasts for whole seconds: their number follows.
const WHOLE_SECONDS: u8 = 1 << 5;

const SECOND: u64 = 1_000_000;

/// Encodes a record into `bytes`, which is empty.
pub(super) fn encode(writer: NodeId, events: &Events, mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend([VERSIONED, Format::RUNS.0]);
    let mut out = Writer(bytes);
    out.put(writer);
    let mut last = (ShowId(0), Instant::ZERO);
    for (show, event) in events {
        let at = event.at();
        let mut flags = kind_of(event);
        flags |= if *show == last.0 { 0 } else { OTHER_SHOW };
        flags |= if at == last.1 { 0 } else { OTHER_INSTANT };
        if let Event::Held { seats, expires, .. } = event {
            flags |= if is_run(seats) { RUN } else { 0 };
            flags |= if seconds(at, *expires).is_some() { WHOLE_SECONDS } else { 0 };
        }
        out.0.push(flags);
        if flags & OTHER_SHOW != 0 {
            out.put(show);
        }
        if flags & OTHER_INSTANT != 0 {
            out.difference(last.1.0, at.0);
        }
        last = (*show, at);
        out.event(event);
    }
    out.0
}

/// Decodes what follows the number of the format. Appends the events, and returns the writer.
pub(super) fn decode(bytes: &[u8], events: &mut Events) -> Result<NodeId, Error> {
    let mut reader = Reader(bytes);
    let writer = reader.take()?;
    let mut last = (ShowId(0), Instant::ZERO);
    while let Some((&flags, rest)) = reader.0.split_first() {
        reader.0 = rest;
        if flags & OTHER_SHOW != 0 {
            last.0 = reader.take()?;
        }
        if flags & OTHER_INSTANT != 0 {
            last.1 = Instant(reader.after(last.1.0)?);
        }
        events.push((last.0, reader.event(flags, last.1)?));
    }
    Ok(writer)
}

const fn kind_of(event: &Event) -> u8 {
    match event {
        Event::Held { .. } => HELD,
        Event::Booked { .. } => BOOKED,
        Event::Released { .. } => RELEASED,
        Event::Expired { .. } => EXPIRED,
    }
}

/// Whether seats are at least one, and each follows the one before.
fn is_run(seats: &[SeatId]) -> bool {
    !seats.is_empty() && seats.windows(2).all(|pair| pair[0].0.checked_add(1) == Some(pair[1].0))
}

/// The whole seconds between two instants; `None` if there is a rest, or the first is the later one.
fn seconds(from: Instant, until: Instant) -> Option<u64> {
    let micros = until.0.checked_sub(from.0)?;
    micros.is_multiple_of(SECOND).then_some(micros / SECOND)
}

struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, value: impl Serialize) {
        let bytes = std::mem::take(&mut self.0);
        self.0 = postcard::to_extend(&value, bytes).expect("memory holds a record");
    }

    fn difference(&mut self, from: u64, to: u64) {
        self.put(to.wrapping_sub(from).cast_signed());
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Held { hold, user, seats, at, expires } => {
                self.put((hold, user));
                if is_run(seats) {
                    self.put((seats[0], seats.len()));
                } else {
                    self.put(seats);
                }
                match seconds(*at, *expires) {
                    Some(seconds) => self.put(seconds),
                    None => self.difference(at.0, expires.0),
                }
            }
            Event::Booked { request, hold, payment, .. } => {
                self.put(hold);
                self.difference(hold.0, request.0);
                self.difference(request.0, payment.0);
            }
            Event::Released { request, hold, .. } => {
                self.put(hold);
                self.difference(hold.0, request.0);
            }
            Event::Expired { hold, .. } => self.put(hold),
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        let (value, rest) = postcard::take_from_bytes(self.0)?;
        self.0 = rest;
        Ok(value)
    }

    /// The number that differs from another by what follows.
    fn after(&mut self, from: u64) -> Result<u64, Error> {
        Ok(from.wrapping_add_signed(self.take()?))
    }

    fn event(&mut self, flags: u8, at: Instant) -> Result<Event, Error> {
        let kind = flags & KIND;
        if kind != HELD && flags & !(KIND | OTHER_SHOW | OTHER_INSTANT) != 0
            || flags & !(KIND | OTHER_SHOW | OTHER_INSTANT | RUN | WHOLE_SECONDS) != 0
        {
            return Err(Error::DeserializeBadEncoding);
        }
        let hold: HoldId = self.take()?;
        Ok(match kind {
            HELD => {
                let user: UserId = self.take()?;
                let seats = if flags & RUN != 0 { self.run()? } else { self.take()? };
                let expires = if flags & WHOLE_SECONDS != 0 {
                    let micros = self.take::<u64>()?.checked_mul(SECOND);
                    micros.and_then(|micros| at.0.checked_add(micros))
                } else {
                    Some(self.after(at.0)?)
                };
                let expires = Instant(expires.ok_or(Error::DeserializeBadEncoding)?);
                Event::Held { hold, user, seats, at, expires }
            }
            BOOKED => {
                let request = RequestId(self.after(hold.0)?);
                let payment = PaymentId(self.after(request.0)?);
                Event::Booked { request, hold, payment, at }
            }
            RELEASED => Event::Released { request: RequestId(self.after(hold.0)?), hold, at },
            _ => Event::Expired { hold, at },
        })
    }

    fn run(&mut self) -> Result<SeatList, Error> {
        let (first, count): (u32, u32) = self.take()?;
        let last = first.checked_add(count).ok_or(Error::DeserializeBadEncoding)?;
        if count as usize > SEATS_PER_REQUEST_MAX {
            return Err(Error::DeserializeBadEncoding);
        }
        Ok((first..last).map(SeatId).collect())
    }
}
