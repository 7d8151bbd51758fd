//! Verdicts: whether a run kept its promises, seen from outside.
//!
//! Owns the oracles and what they share. They look at two things only: what clients asked
//! and were told, and what the disks hold as committed. Refuses to hear a node's own word,
//! and to know how the cluster works: a rival design that offers the same API and declares
//! what is durable is judged by the same oracles.
//!
//! Streaming: each call is judged when it comes, against two folds, the journal's and the
//! clients', whose memory is bounded by the seats of the shows in use. Calls come in the order of cause
//! and effect: a request is invoked before anything that it leads to is told. Their instants
//! may lag behind that order by as much as the batching quantum.

mod atomic;
mod clients;
mod double_booking;
mod evidence;
pub mod facts;
mod hold;
pub(crate) mod journal;
pub mod latency;
mod linearizable;
mod live;
mod lost_booking;
mod moves;
mod overdue;
mod register;
mod single_writer;
#[cfg(test)]
mod tests;

use crate::seen::asked::Asked;
use onsale_booking::{
    Command, Event, HoldId, Instant, NodeId, Outcome, Refusal, Request, SeatList, ShowId, Span,
};
use onsale_cluster::journal::Members;
use onsale_cluster::{Epoch, Placement, ShardId};
use onsale_reports::OracleResult;

use self::atomic::Atomic;
use self::clients::{Acknowledged, Confirming, Told};
use self::double_booking::DoubleBooking;
use self::evidence::{Clock, Findings, Known, seats};
use self::facts::{Bounds, Facts};
use self::hold::Hold;
use self::journal::{Grant, Position, State};
use self::linearizable::Linearizable;
use self::live::Live;
use self::lost_booking::LostBooking;
use self::moves::Moves;
pub use self::overdue::Lateness;
use self::single_writer::SingleWriter;
use crate::timer::Promise;

/// What the oracles must know of the sale and the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OracleSettings {
    /// How many shows there are; numbered from 0.
    pub shows: u32,
    /// How many seats each has; numbered from 0, section by section, row by row.
    pub seats_per_show: u32,
    /// How many seats each section has.
    pub seats_per_section: u32,
    /// How many seats each row has.
    pub seats_per_row: u32,
    /// The most seats that a request may have.
    pub seats_per_request: u8,
    /// How long a hold lasts for its user.
    pub hold: Span,
    /// How much longer the owner keeps it.
    pub grace: Span,
    /// Where clocks may be wrong, how much sooner than its time and grace a hold may end because one
    /// runs too fast; what is left of the grace keeps clients' timers safe. None where all are right.
    pub early: Option<Span>,
    /// How late a hold may end.
    pub lateness: Lateness,
    /// After so long at most a client whose attempt got no answer asks again.
    pub patience: Span,
    /// How soon after calm the cluster must be live again.
    pub live_bound: Span,
    /// How long an answer may take where nothing is wrong, if all that can be slow on its way is; none if the
    /// network or the settings may keep it from coming even then.
    pub slowest_answer: Option<Span>,
    /// Whether the settings let every move end.
    pub moves_end: bool,
    /// By how much the instants of cause and effect may be out of order: the quantum within
    /// which requests share a message.
    pub quantum: Span,
    /// What nodes are granted to agree on facts, if there are facts.
    pub facts: Option<Bounds>,
}

impl OracleSettings {
    /// What clients are promised about their holds.
    pub const fn promise(&self) -> Promise {
        Promise { hold: self.hold, grace: self.grace }
    }
}

/// All oracles of a run.
#[derive(Debug)]
pub struct Oracles {
    known: Known,
    clock: Clock,
    /// By shard, the index of the last record read.
    read: Vec<u64>,
    double_booking: DoubleBooking,
    lost_booking: LostBooking,
    atomic: Atomic,
    hold: Hold,
    linearizable: Linearizable,
    single_writer: SingleWriter,
    live: Live,
    moves: Moves,
    /// Judges facts, if there are any.
    pub facts: Option<Facts>,
}

impl Oracles {
    /// Oracles of a run that has not begun.
    ///
    /// # Panics
    /// If a section or a row has no seats.
    pub fn new(settings: OracleSettings) -> Self {
        assert!(settings.seats_per_section > 0, "a section has seats");
        assert!(settings.seats_per_row > 0, "a row has seats");
        let mut oracles = Self {
            clock: Clock::default(),
            read: Vec::new(),
            double_booking: DoubleBooking::new(),
            lost_booking: LostBooking::new(),
            atomic: Atomic::new(),
            hold: Hold::new(),
            linearizable: Linearizable::new(settings.shows, settings.quantum),
            single_writer: SingleWriter::new(),
            live: Live::new(settings.live_bound, settings.slowest_answer, settings.moves_end),
            moves: Moves::default(),
            facts: settings.facts.map(Facts::new),
            known: Known::new(settings),
        };
        let clock = oracles.clock.clone();
        oracles.findings_mut().for_each(|findings| findings.go_by(&clock));
        oracles
    }

    /// The run has reached this instant: what is found from now on is dated by it.
    #[inline]
    pub fn go_on_to(&self, now: Instant) {
        self.clock.set(now);
    }

    /// A client sends the first attempt of an intention. Not to be repeated for retries.
    pub fn invoked(&mut self, at: Instant, request: &Request) {
        self.live.on_invoked(at);
        self.linearizable.on_settling(at, request);
        match &request.command {
            Command::Hold(_) => {}
            &Command::Confirm { hold, .. } => {
                self.known
                    .clients
                    .confirm_invoked(request.id, Confirming { hold, user: request.user });
            }
            &Command::Release { hold } => {
                self.known.clients.release_invoked(at, hold, request.user)
            }
        }
    }

    /// A client accepts the answer to a request that it first sent at `since`. Once a
    /// request: what comes after it gave up, or a second time, it does not accept.
    pub fn answered(&mut self, at: Instant, since: Instant, request: &Request, outcome: &Outcome) {
        let told = || {
            format!(
                "client {}: told at {at} about {}: {}",
                request.user,
                request.id,
                tell(request.show, outcome)
            )
        };
        let mut mismatched = true;
        match outcome {
            Outcome::Refused(refusal) => {
                self.refused(at, since, request, *refusal);
                self.linearizable.on_settled((since, at), request, outcome);
                return;
            }
            Outcome::Held { hold, seats, expires } => {
                if let Command::Hold(wish) = &request.command {
                    mismatched = false;
                    self.atomic.on_granted(&self.known, request, wish, (*hold, seats), &told);
                    self.granted((since, at), request, (*hold, seats), *expires, &told);
                }
            }
            Outcome::Booked { hold, seats } => {
                if let &Command::Confirm { hold: paid, .. } = &request.command {
                    mismatched = false;
                    self.atomic.on_booked(&self.known, request, (paid, *hold), seats, &told);
                    self.booked(at, request, (*hold, seats), &told);
                }
            }
            Outcome::Released { hold } => {
                if let Command::Release { hold: asked } = &request.command {
                    mismatched = asked != hold;
                }
            }
        }
        self.linearizable.on_settled((since, at), request, outcome);
        if mismatched {
            self.atomic.on_mismatch(request, &told);
        }
        self.live.on_decided(at, since);
    }

    /// The same as [`answered`](Self::answered) for a refused `Hold`, the most frequent of
    /// answers, with less to gather.
    pub fn hold_refused(&mut self, at: Instant, asked: &Asked, refusal: Refusal) {
        self.live.on_refused(at, asked, refusal);
        self.linearizable.on_hold_refused(at, asked, refusal);
    }

    /// A client stops waiting: what became of the request it will never know. It has heard nothing since it first
    /// asked or, if it was turned away meanwhile, since it asked last.
    pub fn gave_up(&mut self, at: Instant, asked: Asked, unheard_since: Instant) {
        self.live.on_given_up(at, asked, unheard_since);
    }

    /// A committed record is read from the disks: each index of a shard once, in rising order,
    /// with or without those that carry no events and name no writer. It may be read long after it was committed, and after
    /// clients were told what it says; before [`finish`](Self::finish), everything that a quorum
    /// keeps must have been read. It first stood on a disk at `written`.
    ///
    /// # Panics
    /// If the index does not rise.
    pub fn committed(
        &mut self,
        (written, read): (Instant, Instant),
        shard: ShardId,
        index: u64,
        epoch: Epoch,
        writer: Option<NodeId>,
        events: &[(ShowId, Event)],
    ) {
        let place = shard.0 as usize;
        if place >= self.read.len() {
            self.read.resize(place + 1, 0);
        }
        assert!(
            index > self.read[place],
            "the records of a shard are read in the log's order, each once"
        );
        self.read[place] = index;

        let position = Position { shard, index, epoch };
        self.single_writer.on_committed(position, writer);
        for (show, event) in events {
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
                    };
                    self.held(*hold, *show, seats, grant);
                }
                &Event::Booked { request, hold, at, .. } => {
                    let asked = self.known.clients.confirm_committed(request);
                    self.hold.on_booked(&self.known, hold, request, asked, position);
                    self.hold.on_ended(&self.known, hold, written, position);
                    self.double_booking.on_committed(&self.known, hold, position);
                    self.known.journal.booked(hold, request, at, position);
                }
                &Event::Released { request, hold, at } => {
                    self.hold.on_released(&self.known, hold, request, position);
                    self.hold.on_ended(&self.known, hold, written, position);
                    self.known.journal.ended(hold, State::Released { request, at, position });
                }
                &Event::Expired { hold, at: decided } => {
                    self.hold.on_expired(&self.known, hold, decided, read, position);
                    self.hold.on_ended(&self.known, hold, written, position);
                    self.known.journal.ended(hold, State::Expired { at: decided, position });
                }
            }
        }
    }

    /// Two disks hold records of one epoch in one place that differ, committed or not: told by
    /// `single-writer`.
    pub fn journal_fork(
        &mut self,
        at: Instant,
        shard: ShardId,
        index: u64,
        epoch: Epoch,
        detail: String,
    ) {
        self.single_writer.on_fork(at, Position { shard, index, epoch }, detail);
    }

    /// At the end, a disk knows all up to `committed` to be committed, and the record at `index` was
    /// never found: told by `single-writer`.
    pub fn journal_gap(&mut self, at: Instant, shard: ShardId, index: u64, committed: u64) {
        self.single_writer.on_gap(at, shard, index, committed);
    }

    /// Two disks' committed records in one place are of different epochs, or one cannot be read:
    /// told by `lost-booking`.
    pub fn journal_conflict(
        &mut self,
        at: Instant,
        shard: ShardId,
        index: u64,
        epoch: Epoch,
        detail: String,
    ) {
        self.lost_booking.on_conflict(at, Position { shard, index, epoch }, detail);
    }

    /// At the end, fewer disks than a majority hold a record that was committed: told by `lost-booking`.
    pub fn journal_lost(
        &mut self,
        at: Instant,
        shard: ShardId,
        index: u64,
        epoch: Epoch,
        holders: u16,
    ) {
        self.lost_booking.on_lost(at, Position { shard, index, epoch }, holders);
    }

    /// A node's process starts or ends; by whom each shard may be kept is told in order.
    pub fn process(
        &mut self,
        at: Instant,
        node: NodeId,
        is_up: bool,
        kept_by: impl Iterator<Item = Vec<Members>>,
    ) {
        self.known.overdue.on_process(at, node, is_up, kept_by);
    }

    /// A fault strikes that may keep leaders from committing, or words from arriving, though processes
    /// are up; what it does to disks may make them forget what they promised.
    pub fn trouble(&mut self, at: Instant, forgets: bool) {
        self.known.overdue.on_trouble(at, forgets);
    }

    /// It heals.
    pub fn trouble_over(&mut self, at: Instant) {
        self.known.overdue.on_trouble_over(at);
    }

    /// A committed version of the map is read from the disks, in rising order.
    pub fn map_changed(&mut self, read: Instant, map: Placement) {
        let mut shards = (0..map.shards()).map(ShardId);
        let moves = shards.any(|shard| !map.seats(shard).from.is_empty());
        self.known.overdue.on_moves(read, moves);
        self.moves.on_map(read, map);
    }

    /// A committed record that changes the members of a shard's journal is read from the disks.
    pub fn members_changed(
        &mut self,
        read: Instant,
        shard: ShardId,
        before: Members,
        after: Members,
    ) {
        self.moves.on_step(read, shard, before, after);
    }

    /// A node was told to leave for good, or is lost and is to be struck off by another's word.
    pub fn told_to_leave(&mut self, at: Instant, node: NodeId) {
        self.moves.on_told_to_leave(at, node);
    }

    /// At the end of the run: the members of a shard's journal; shards are told in order.
    pub fn kept_by(&mut self, members: &Members) {
        self.moves.on_end(members);
    }

    /// The last fault is over and everything is healed: calm begins. In a run without faults
    /// that is its start; without this call `live` is not exercised.
    ///
    /// # Panics
    /// If it is called twice.
    pub fn faults_over(&mut self, at: Instant) {
        self.live.on_calm(at);
        self.facts.iter_mut().for_each(|facts| facts.on_calm(at));
    }

    /// From calm to the first decision of an owner that a client learned of, on a request
    /// that was sent after calm began. A refusal counts, but not one that a gateway can
    /// give without the owner. None if there was no calm or no such decision.
    pub fn recovery(&self) -> Option<Span> {
        self.live.recovery()
    }

    /// Seats that the journal says are booked, and seats that it says are on hold.
    pub fn seats(&self) -> (u64, u64) {
        self.known.journal.seats()
    }

    /// How many promises were found broken so far.
    pub fn failures(&self) -> u64 {
        self.findings().map(Findings::failures).sum()
    }

    /// What those that are told in full are about: the oracle, and one sentence.
    pub fn headlines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.findings().flat_map(Findings::headlines)
    }

    fn findings(&self) -> impl Iterator<Item = &Findings> {
        [
            &self.double_booking.findings,
            &self.lost_booking.findings,
            &self.atomic.findings,
            &self.hold.findings,
            &self.linearizable.findings,
            &self.single_writer.findings,
            &self.live.findings,
        ]
        .into_iter()
        .chain(self.facts.as_ref().map(|facts| &facts.findings))
    }

    fn findings_mut(&mut self) -> impl Iterator<Item = &mut Findings> {
        [
            &mut self.double_booking.findings,
            &mut self.lost_booking.findings,
            &mut self.atomic.findings,
            &mut self.hold.findings,
            &mut self.linearizable.findings,
            &mut self.single_writer.findings,
            &mut self.live.findings,
        ]
        .into_iter()
        .chain(self.facts.as_mut().map(|facts| &mut facts.findings))
    }

    /// The verdicts at the end of the run, given what clients still wait for.
    pub fn finish(self, end: Instant, open: &[Asked]) -> Vec<OracleResult> {
        let mut results = vec![
            self.double_booking.finish(),
            self.lost_booking.finish(&self.known),
            self.atomic.finish(),
            self.hold.finish(),
            self.linearizable.finish(&self.known),
            self.single_writer.finish(),
            self.live.finish(&self.known, end, open, &self.moves),
        ];
        results.extend(self.facts.map(Facts::finish));
        results
    }

    fn held(&mut self, hold: HoldId, show: ShowId, seats: &SeatList, grant: Grant) {
        self.atomic.on_held(&self.known, hold, show, seats, &grant);
        self.hold.on_held(&self.known, hold, show, seats, &grant);
        self.known.journal.held(hold, show, seats.clone(), grant);
        self.compare(hold);
    }

    fn granted(
        &mut self,
        (since, at): (Instant, Instant),
        request: &Request,
        (hold, seats): (HoldId, &SeatList),
        expires: Instant,
        told: &dyn Fn() -> String,
    ) {
        let timer = self.known.settings.promise().timer(since, expires);
        self.hold.on_granted(&self.known, request, (hold, seats), (at, timer), told);
        self.linearizable.on_granted((since, at), request, (hold, seats), timer);
        if self.known.clients.get(hold).is_some() {
            return;
        }
        let told = Told {
            user: request.user,
            request: request.id,
            from: at,
            until: timer,
            expires: timer,
            as_told: expires,
            asked: since,
            released: None,
            confirms: 0,
            booked: None,
        };
        self.known.clients.held(hold, request.show, seats.clone(), told);
        self.compare(hold);
    }

    fn booked(
        &mut self,
        at: Instant,
        request: &Request,
        (hold, seats): (HoldId, &SeatList),
        told: &dyn Fn() -> String,
    ) {
        self.double_booking.on_acknowledged(&self.known, hold, request.show, seats, told);
        self.hold.on_acknowledged(&self.known, at, request, (hold, seats), told);
        let booking = Acknowledged { user: request.user, request: request.id, at };
        self.known.clients.booked(hold, request.show, seats, booking);
    }

    fn refused(&mut self, at: Instant, since: Instant, request: &Request, refusal: Refusal) {
        let asked = Asked { request: request.id, user: request.user, show: request.show, since };
        self.live.on_refused(at, &asked, refusal);
        match request.command {
            Command::Hold(_) => self.linearizable.on_hold_refused(at, &asked, refusal),
            Command::Release { .. } => {}
            Command::Confirm { hold, .. } => {
                self.hold.on_confirm_refused(&self.known, at, request, hold, refusal);
            }
        }
    }

    /// Once both views of a hold are there, they must agree. A grant decided after the client
    /// learned of the hold is another one, given to a repeat so late that the first was
    /// forgotten: nobody waits for it.
    fn compare(&mut self, hold: HoldId) {
        if let (Some(kept), Some(told)) =
            (self.known.journal.get(hold), self.known.clients.get(hold))
            && kept.known.at.min(kept.known.read) <= told.known.from + self.known.settings.quantum
        {
            self.atomic.compare(&self.known, kept, told);
            self.hold.compare(&self.known, kept, told);
        }
    }
}

/// An answer in a few words.
fn tell(show: ShowId, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Held { hold, seats: list, expires } => {
            format!("{hold} is granted until {expires}: {}", seats(show, list))
        }
        Outcome::Booked { hold, seats: list } => format!("{hold} is booked: {}", seats(show, list)),
        Outcome::Released { hold } => format!("{hold} is released"),
        Outcome::Refused(refusal) => format!("refused: {refusal:?}"),
    }
}
