//! The journal's side of the oracles' calls.
//!
//! Owns the order in which the oracles see a record and the folds take it in. Refuses to judge.

use onsale_booking::{Event, Instant, NodeId, ShowId};
use onsale_reports::Losses;

use super::Oracles;
use crate::clients::Settled;
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
        let mut settled = Settled::default();
        for (show, event) in events {
            self.judge(*show, event, (written, read), position, &mut settled);
            self.known.fold(*show, event, (written, read), position);
            if let Event::Held { hold, .. } = event {
                self.compare(*hold);
            }
        }
        for show in shows() {
            self.false_sold_out.after_record(&self.known, show, written);
        }
        for (_, event) in events {
            let findings = &mut self.hold.findings;
            self.claims.on_record(&self.known, findings, event.hold(), written);
        }
        self.known.given_up.keep((written, read), position, writer, events, settled);
    }

    /// Judges an event of a record, before it is folded in. Adds the request behind a booking or a release to `settled`.
    fn judge(
        &mut self,
        show: ShowId,
        event: &Event,
        (written, read): (Instant, Instant),
        position: Position,
        settled: &mut Settled,
    ) {
        match event {
            Event::Held { hold, user, seats, at, expires } => {
                let times = (written, read, *at, *expires);
                let grant = self.known.grant(*hold, *user, times, position);
                self.atomic.on_held(&self.known, *hold, show, seats, &grant);
                self.hold.on_held(&self.known, *hold, show, seats, &grant);
            }
            &Event::Booked { request, hold, payment, at } => {
                let asked = self.known.clients.confirm_committed(request);
                settled.confirmed.extend(asked.map(|asked| (request, asked)));
                self.hold.on_booked(&self.known, hold, request, asked, (at, payment), position);
                self.hold.on_ended(&self.known, hold, written, position);
                self.double_booking.on_committed(&self.known, hold, position);
            }
            &Event::Released { request, hold, at } => {
                let asked = self.known.clients.release_committed(request);
                settled.released.extend(asked.map(|asked| (request, asked)));
                self.hold.on_released(&self.known, hold, request, asked, (at, position));
                self.hold.on_ended(&self.known, hold, written, position);
            }
            &Event::Expired { hold, at: decided } => {
                self.hold.on_expired(&self.known, hold, decided, read, position);
                self.prompt.on_expired(&self.known, hold, written, position);
                self.hold.on_ended(&self.known, hold, written, position);
            }
        }
    }

    /// Notes a recovery that an operator ordered: of this log only the first `held` records are left, and it goes on
    /// after them. What clients were told by the others no longer holds. Exactly these records are excused, and
    /// none where the settings say that no log is ever recovered.
    pub fn given_up(&mut self, at: Instant, log: u32, held: u64) {
        for (hold, is_whole) in self.known.give_up(at, log, held) {
            self.linearizable.on_given_up(at, hold, is_whole);
        }
        if let Some(read) = self.read.get_mut(log as usize) {
            *read = (*read).min(held);
        }
        self.single_writer.on_given_up(log, self.known.given_up.last(log));
    }

    /// What recoveries gave up; `None` if there was none.
    pub fn losses(&self) -> Option<Losses> {
        self.known.losses()
    }

    /// Notes that two disks hold different records of one term in one place, committed or not; a failure of
    /// `single-writer`.
    pub fn journal_fork(&mut self, at: Instant, position: Position, detail: String) {
        self.single_writer.on_fork(at, position, detail);
    }

    /// Notes at the end that a disk knows all records up to `committed` to be committed, but the one at `index`
    /// was never found; a failure of `single-writer`.
    pub fn journal_gap(&mut self, at: Instant, log: u32, index: u64, committed: u64) {
        self.single_writer.on_gap(at, log, index, committed);
    }

    /// Notes that two disks' committed records in one place are of different terms, or one cannot be read; a failure of
    /// `lost-booking`.
    pub fn journal_conflict(&mut self, at: Instant, position: Position, detail: String) {
        self.lost_booking.on_conflict(at, position, detail);
    }

    /// Notes that a recovery gave up a committed record that a survivor's disk held: it held as many as `survived`; a
    /// failure of `lost-booking`.
    pub fn journal_dropped(&mut self, at: Instant, position: Position, survived: u64) {
        self.lost_booking.on_dropped(at, position, survived);
    }

    /// Notes at the end a committed record on less than a quorum of disks; a failure of `lost-booking`.
    pub fn journal_lost(&mut self, at: Instant, position: Position, holders: u16) {
        self.lost_booking.on_lost(at, position, holders);
    }
}
