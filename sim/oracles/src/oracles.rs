//! All oracles of a run, behind one set of calls.
//!
//! Owns the dispatch to the oracles, and the two folds that they judge by. Refuses to judge.

use onsale_booking::{
    Command, HoldId, Instant, Outcome, Refusal, Request, SeatList, ShowId, Span, Wish,
};
use onsale_reports::OracleResult;

use super::asked::{Asked, Tries};
use super::atomic::Atomic;
use super::claims::Claims;
use super::clients::{Acknowledged, Confirming, KnownHold};
use super::double_booking::DoubleBooking;
use super::evidence::{Clock, Findings, tell};
use super::excuse::Excuse;
use super::false_sold_out::FalseSoldOut;
use super::hold::Hold;
use super::interruptions::Interruptions;
use super::journal::{Grant, State};
use super::known::Known;
use super::linearizable::Linearizable;
use super::live::{Calm, Live};
use super::lost_booking::LostBooking;
use super::overdue::Overdue;
use super::own::Own;
use super::prompt::Prompt;
use super::reply::{Reply, Table};
use super::rule::Rule;
use super::settings::OracleSettings;
use super::single_writer::SingleWriter;
use super::unusual::Unusual;
use super::{
    atomic, double_booking, false_sold_out, hold, latency, linearizable, live, lost_booking,
    prompt, recovery, reply, single_writer, unusual,
};

mod records;

/// All oracles of a run.
#[derive(Debug)]
pub struct Oracles {
    known: Known,
    clock: Clock,
    /// By log, the index of the last record read.
    read: Vec<u64>,
    double_booking: DoubleBooking,
    lost_booking: LostBooking,
    atomic: Atomic,
    hold: Hold,
    claims: Claims,
    linearizable: Linearizable,
    false_sold_out: FalseSoldOut,
    single_writer: SingleWriter,
    live: Live,
    reply: Reply,
    prompt: Prompt,
}

impl Oracles {
    /// The rules of each oracle, in the order of reports.
    pub const RULES: [&[Rule]; 12] = [
        double_booking::RULES,
        lost_booking::RULES,
        atomic::RULES,
        hold::RULES,
        linearizable::RULES,
        unusual::RULES,
        false_sold_out::RULES,
        single_writer::RULES,
        live::RULES,
        reply::RULES,
        prompt::RULES,
        latency::RULES,
    ];

    /// The deviations that the oracles excuse.
    pub const EXCUSES: [&[Excuse]; 10] = [
        recovery::EXCUSES,
        atomic::EXCUSES,
        hold::EXCUSES,
        linearizable::EXCUSES,
        unusual::EXCUSES,
        false_sold_out::EXCUSES,
        single_writer::EXCUSES,
        live::EXCUSES,
        reply::EXCUSES,
        prompt::EXCUSES,
    ];

    /// The oracles of a run before its first event.
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
            claims: Claims::default(),
            linearizable: Linearizable::new(settings.shows, settings.quantum),
            false_sold_out: FalseSoldOut::new(),
            single_writer: SingleWriter::new(),
            live: Live::new(settings.live_bound),
            reply: Reply::new(),
            prompt: Prompt::new(),
            known: Known::new(settings),
        };
        let clock = oracles.clock.clone();
        oracles.findings_mut().for_each(|findings| findings.go_by(&clock));
        oracles
    }

    /// Sets the current instant, by which findings are dated.
    #[inline]
    pub fn go_on_to(&self, now: Instant) {
        self.clock.set(now);
    }

    /// Notes that a client sends the first attempt of a request. Not to be called for retries.
    pub fn invoked(&mut self, at: Instant, request: &Request) {
        self.live.on_invoked(at);
        self.linearizable.on_settling(at, request);
        match &request.command {
            Command::Hold(wish) => {
                self.known.asked.add(request.id, request.user, request.show, wish);
            }
            &Command::Confirm { hold, payment } => {
                self.known
                    .clients
                    .confirm_invoked(request.id, Confirming { hold, user: request.user, payment });
            }
            &Command::Release { hold } => {
                self.known.clients.release_invoked(at, request.id, hold, request.user);
            }
        }
    }

    /// Notes that a client sends an attempt of a request, the first or a retry.
    #[inline]
    pub fn attempted(&mut self, at: Instant, show: ShowId) {
        self.known.interruptions.attempted(at);
        self.known.attempts.note(self.known.interruptions.log_of(show), at);
    }

    /// Notes that a client hears the reply number `heard` to a request that it has sent in `attempts` attempts. Returns
    /// whether these explain it.
    #[inline]
    pub fn explains_reply(&mut self, heard: u8, attempts: u8) -> bool {
        self.reply.explains(heard, attempts, self.known.settings.copies())
    }

    /// Notes that a client hears more replies to a request than its attempts explain.
    pub fn answered_too_often(&mut self, at: Instant, asked: &Asked) {
        self.reply.on_too_many(at, asked);
    }

    /// Notes that a client hears a reply to a request that it has not made.
    pub fn heard_unasked(&mut self, at: Instant, asked: &Asked) {
        self.reply.on_unasked(at, asked);
    }

    /// Notes that a gateway tells a client *overloaded*.
    pub fn overloaded(&mut self, at: Instant, asked: &Asked) {
        self.prompt.on_overloaded(at, asked, &self.known);
    }

    /// Notes at the end of the run what waits in a table of a running node.
    pub fn waits_at_the_end(&mut self, end: Instant, node: &str, table: Table) {
        self.reply.on_table(end, node, table, &self.known);
    }

    /// Notes that a client accepts the answer to a request first sent at `since`. At most once a
    /// request: it accepts no second answer, and none after it gave up.
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
                self.refused((since, at), request, *refusal, &told);
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
        self.claim((since, at), request, outcome);
        self.linearizable.on_settled((since, at), request, outcome);
        if mismatched {
            self.atomic.on_mismatch(request, &told);
        }
        let asked = Asked::of(request, since);
        self.decided(at, &asked);
    }

    /// Notes that a leader's answer to an unusual request reaches its client, who does not count on it. It was sent at
    /// `since`; a repeated request is not invoked again.
    pub fn answered_unusual(
        &mut self,
        (since, at): (Instant, Instant),
        request: &Request,
        unusual: Unusual<'_>,
        outcome: &Outcome,
    ) {
        self.linearizable.on_unusual(&self.known, (since, at), request, unusual, outcome);
        let asked = Asked::of(request, since);
        self.decided(at, &asked);
    }

    /// The same as [`answered`](Self::answered) for a refused `Hold`, the most frequent answer, with less to collect.
    pub fn hold_refused(
        &mut self,
        at: Instant,
        asked: &Asked,
        refusal: Refusal,
        wish: impl FnOnce() -> Wish,
    ) {
        if self.live.on_refused(at, asked, refusal, &self.known) {
            self.prompt.on_decided(at, asked, &self.known);
        }
        match refusal {
            Refusal::SeatTaken | Refusal::NoneFree | Refusal::SoldOut | Refusal::BadRequest => {
                let wish = wish();
                if self.atomic.on_hold_refused(&self.known, at, asked, &wish, refusal) {
                    self.false_sold_out.on_refused(&self.known, at, asked, &wish, refusal);
                }
            }
            Refusal::HoldLost => {
                self.claims.on_hold_lost(&self.known, &mut self.hold.findings, at, asked);
            }
            Refusal::NotYours | Refusal::Overloaded | Refusal::Unavailable | Refusal::Minority => {}
        }
        self.linearizable.on_hold_refused(at, asked, refusal);
    }

    /// Notes that a client gives up on a request, and will never know its outcome.
    pub fn gave_up(&mut self, at: Instant, asked: Asked, tries: Tries) {
        self.live.on_given_up(at, asked, tries, &self.known);
    }

    /// The gaps and troubles that may make holds end late, and the interruptions that may leave requests unanswered,
    /// which a system declares here.
    pub const fn excuses(&mut self) -> (&mut Overdue, &mut Interruptions) {
        (&mut self.known.overdue, &mut self.known.interruptions)
    }

    /// Begins calm: the last fault has healed. In a run without faults that is its start; without
    /// this call `live` is not exercised.
    ///
    /// # Panics
    /// If it is called twice.
    pub fn faults_over(&mut self, at: Instant) {
        self.live.on_calm(at);
    }

    /// Calm, once it has begun.
    pub fn calm(&self) -> Option<Calm> {
        self.live.calm()
    }

    /// The clock that dates findings: a system's own judges use it too.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Time from the end of an interruption's cause until requests must be answered again.
    pub const fn recovery_takes(&self) -> Span {
        self.known.settings.recovery
    }

    /// Recovery time: from calm to the first leader's decision, as a client learns of it, on a
    /// request sent after calm. A refusal counts, unless a gateway can give it without the leader.
    /// `None` if there was no calm or no such decision.
    pub fn recovery(&self) -> Option<Span> {
        self.live.recovery()
    }

    /// Number of booked seats, and number of held seats, in the journal.
    pub fn seats(&self) -> (u64, u64) {
        self.known.journal.seats()
    }

    /// Whether the journal has what an answer grants, books or releases; also if it may have and forgot it.
    pub fn may_know(&self, outcome: &Outcome) -> bool {
        let journal = &self.known.journal;
        let (hold, is_it): (_, fn(&Grant) -> bool) = match outcome {
            Outcome::Held { hold, .. } => (hold, |_| true),
            Outcome::Booked { hold, .. } => (hold, Grant::is_booked),
            Outcome::Released { hold } => {
                (hold, |grant| matches!(grant.state, State::Released { .. }))
            }
            Outcome::Refused(_) => return true,
        };
        let known = journal.get(*hold);
        known.map_or_else(|| journal.has_forgotten(), |entry| is_it(&entry.known))
    }

    /// The findings of each oracle so far, in the order of reports.
    pub fn findings(&self) -> impl Iterator<Item = &Findings> {
        [
            &self.double_booking.findings,
            &self.lost_booking.findings,
            &self.atomic.findings,
            &self.hold.findings,
            &self.linearizable.findings,
            &self.false_sold_out.findings,
            &self.single_writer.findings,
            &self.live.findings,
            &self.reply.findings,
            &self.prompt.findings,
        ]
        .into_iter()
    }

    fn findings_mut(&mut self) -> impl Iterator<Item = &mut Findings> {
        [
            &mut self.double_booking.findings,
            &mut self.lost_booking.findings,
            &mut self.atomic.findings,
            &mut self.hold.findings,
            &mut self.linearizable.findings,
            &mut self.false_sold_out.findings,
            &mut self.single_writer.findings,
            &mut self.live.findings,
            &mut self.reply.findings,
            &mut self.prompt.findings,
        ]
        .into_iter()
    }

    /// The verdicts at the end of the run, in the order of reports, given the open requests and what a
    /// system's own judges add.
    pub fn finish(mut self, end: Instant, open: &[Asked], own: Own) -> Vec<OracleResult> {
        self.false_sold_out.on_end(&self.known, &mut self.linearizable.findings);
        self.claims.on_end(&self.known, &mut self.hold.findings);
        vec![
            self.double_booking.finish(),
            self.lost_booking.finish(&self.known),
            self.atomic.finish(),
            self.hold.finish(),
            self.linearizable.finish(&self.known),
            self.false_sold_out.finish(),
            self.single_writer.finish(),
            self.live.finish(&self.known, end, open, own.live),
            self.reply.finish(),
            self.prompt.finish(own.prompt),
        ]
    }

    /// Notes a leader's decision.
    fn decided(&mut self, at: Instant, asked: &Asked) {
        if self.live.on_decided(at, asked, &self.known) {
            self.prompt.on_decided(at, asked, &self.known);
        }
    }

    /// Compares an answer about a hold with the journal.
    fn claim(&mut self, times: (Instant, Instant), request: &Request, outcome: &Outcome) {
        self.claims.on_answer(&self.known, &mut self.hold.findings, times, request, outcome);
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
        let void = self.known.void_from(hold, since);
        let until = void.map_or(timer, |at| at.min(timer));
        self.hold.on_granted(&self.known, request, (hold, seats), (at, until), told);
        self.linearizable.on_granted((since, at), request, (hold, seats), timer);
        if self.known.clients.get(hold).is_some() {
            return;
        }
        let told = KnownHold {
            user: request.user,
            request: request.id,
            from: at,
            until,
            expires: timer,
            as_told: expires,
            asked: since,
            released: None,
            booked: None,
        };
        self.known.clients.held(hold, request.show, seats.clone(), told);
        if let Some(lost) = void {
            self.linearizable.on_given_up(lost, hold, true);
        }
        self.compare(hold);
    }

    fn booked(
        &mut self,
        at: Instant,
        request: &Request,
        (hold, seats): (HoldId, &SeatList),
        told: &dyn Fn() -> String,
    ) {
        if self.known.is_void(hold, request.id) {
            self.known.given_up.on_void(hold, at);
            return;
        }
        self.double_booking.on_acknowledged(&self.known, hold, request.show, seats, told);
        self.hold.on_acknowledged(&self.known, at, request, (hold, seats), told);
        let booking = Acknowledged { user: request.user, request: request.id, at };
        self.known.clients.booked(hold, request.show, seats, booking);
    }

    fn refused(
        &mut self,
        (since, at): (Instant, Instant),
        request: &Request,
        refusal: Refusal,
        told: &dyn Fn() -> String,
    ) {
        let asked = Asked::of(request, since);
        if let Command::Hold(wish) = &request.command {
            return self.hold_refused(at, &asked, refusal, || wish.clone());
        }
        let outcome = Outcome::Refused(refusal);
        if self.live.on_refused(at, &asked, refusal, &self.known) {
            self.prompt.on_decided(at, &asked, &self.known);
        }
        self.atomic.on_settling_refused(&self.known, request, refusal, told);
        if let Command::Confirm { hold, .. } = request.command {
            self.hold.on_confirm_refused(&self.known, at, request, hold, refusal);
        }
        self.claim((since, at), request, &outcome);
        self.linearizable.on_settled((since, at), request, &outcome);
    }

    /// Compares the two views of a hold once both exist. A grant decided after the client learned of the hold is
    /// another one, for a retry so late that the first was forgotten: no client waits for it.
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
