//! The journal's side of the oracles' calls.
//!
//! Owns the order in which the oracles see a record and the folds take it in. Refuses to judge.

use onsale_booking::{Event, HoldId, Instant, NodeId, SeatList, ShowId};

use super::Oracles;
use crate::journal::{Grant, State};
use crate::position::Position;

impl Oracles {
    /// Notes a committed record that the system declares durable: each index of a log once, in rising order; records
    /// without events and writer may be left out. It may be read long after it was committed, and after clients were
    /// told of it; before [`finish`](Self::finish), every record safe from the loss of a minority must have been read.
    /// It was first on a disk at `written`.
    ///
    /// # Panics
    /// If the index does not rise, or the record was read before it was written.
    pub fn committed(
        &mut self,
        (written, read): (Instant, Instant),
        position: Position,
        writer: Option<NodeId>,
        events: &[(ShowId, Event)],
    ) {
        assert!(written <= read, "a record cannot be read before it is written");
        let place = position.log as usize;
        if place >= self.read.len() {
            self.read.resize(place + 1, 0);
        }
        assert!(
            position.index > self.read[place],
            "the records of a log are read in its order, each once"
        );
        self.read[place] = position.index;
        self.single_writer.on_committed(position, writer);
        let shows = || events.chunk_by(|(one, _), (other, _)| one == other).map(|them| them[0].0);
        for show in shows() {
            let linearizable = &mut self.linearizable.findings;
            self.false_sold_out.before_record(&self.known, linearizable, show, written);
        }
        for (show, event) in events {
            self.fold(*show, event, (written, read), position);
        }
        for show in shows() {
            self.false_sold_out.after_record(&self.known, show, written);
        }
        for (_, event) in events {
            let findings = &mut self.hold.findings;
            self.claims.on_record(&self.known, findings, event.hold(), written);
        }
    }

    /// Judges an event of a record, and folds it in.
    fn fold(
        &mut self,
        show: ShowId,
        event: &Event,
        (written, read): (Instant, Instant),
        position: Position,
    ) {
        match event {
            Event::Held { hold, user, seats, at, expires } => {
                let grant = Grant {
                    user: *user,
                    written,
                    read,
                    at: *at,
                    expires: *expires,
                    held: position,
                    state: State::Held,
                    again: self.known.journal.get(*hold).is_some(),
                };
                self.held(*hold, show, seats, grant);
            }
            &Event::Booked { request, hold, payment, at } => {
                let asked = self.known.clients.confirm_committed(request);
                self.hold.on_booked(&self.known, hold, request, asked, (at, payment), position);
                self.hold.on_ended(&self.known, hold, written, position);
                self.double_booking.on_committed(&self.known, hold, position);
                self.known.booked(hold, request, (at, read), position);
            }
            &Event::Released { request, hold, at } => {
                let asked = self.known.clients.release_committed(request);
                self.hold.on_released(&self.known, hold, request, asked, (at, position));
                self.hold.on_ended(&self.known, hold, written, position);
                self.known.ended(hold, State::Released { request, at, position }, written);
            }
            &Event::Expired { hold, at: decided } => {
                self.hold.on_expired(&self.known, hold, decided, read, position);
                self.prompt.on_expired(&self.known, hold, written, position);
                self.hold.on_ended(&self.known, hold, written, position);
                self.known.ended(hold, State::Expired { at: decided, position }, written);
            }
        }
    }

    fn held(&mut self, hold: HoldId, show: ShowId, seats: &SeatList, grant: Grant) {
        self.atomic.on_held(&self.known, hold, show, seats, &grant);
        self.hold.on_held(&self.known, hold, show, seats, &grant);
        self.known.seats.take(show, seats);
        self.known.journal.held(hold, show, seats.clone(), grant);
        self.compare(hold);
    }
}
