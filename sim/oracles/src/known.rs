//! The input of a judgement: the settings, the folds, and what a system declares.
//!
//! Owns the changes that touch two folds at once, and the questions that several oracles ask of them. Refuses to say
//! what breaks a promise.

use onsale_booking::{Event, HoldId, Instant, RequestId, ShowId, UserId};

use super::asked_for::AskedFor;
use super::attempts::Attempts;
use super::clients::Clients;
use super::free_seats::FreeSeats;
use super::given_up::GivenUp;
use super::interruptions::Interruptions;
use super::journal::{Grant, Journal, State};
use super::overdue::Overdue;
use super::position::Position;
use super::settings::OracleSettings;

/// The input of a judgement.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) settings: OracleSettings,
    pub(super) journal: Journal,
    pub(super) clients: Clients,
    pub(super) overdue: Overdue,
    pub(super) interruptions: Interruptions,
    /// The requests for holds.
    pub(super) asked: AskedFor,
    /// Free and unbooked seats, by the journal.
    pub(super) seats: FreeSeats,
    /// The attempts of clients of the recent past.
    pub(super) attempts: Attempts,
    /// What recoveries gave up.
    pub(super) given_up: GivenUp,
}

impl Known {
    pub(super) fn new(settings: OracleSettings) -> Self {
        Self {
            journal: Journal::new(settings.shows, settings.seats_per_show, settings.grace),
            clients: Clients::new(settings.shows, settings.seats_per_show),
            overdue: Overdue::new(settings.lateness),
            attempts: Attempts::new(settings.flight),
            interruptions: Interruptions::new(
                settings.recovery,
                settings.unseen,
                settings.load,
                settings.log_of.clone(),
            ),
            seats: FreeSeats::new(&settings),
            asked: AskedFor::new(settings.seats_per_section),
            given_up: GivenUp::new(settings.may_recover),
            settings,
        }
    }

    /// Folds in an event of a record.
    pub(super) fn fold(
        &mut self,
        show: ShowId,
        event: &Event,
        (written, read): (Instant, Instant),
        position: Position,
    ) {
        match event {
            Event::Held { hold, user, seats, at, expires } => {
                let grant = self.grant(*hold, *user, (written, read, *at, *expires), position);
                self.seats.take(show, seats);
                self.journal.held(*hold, show, seats.clone(), grant);
            }
            &Event::Booked { request, hold, at, .. } => {
                self.booked(hold, request, (at, read), position);
            }
            &Event::Released { request, hold, at } => {
                self.ended(hold, State::Released { request, at, position }, written);
            }
            &Event::Expired { hold, at } => {
                self.ended(hold, State::Expired { at, position }, written);
            }
        }
    }

    /// A hold by its record, which was first on a disk at `written` and read at `read`.
    pub(super) fn grant(
        &self,
        hold: HoldId,
        user: UserId,
        (written, read, at, expires): (Instant, Instant, Instant, Instant),
        held: Position,
    ) -> Grant {
        let again = self.journal.get(hold).is_some();
        Grant { user, written, read, at, expires, held, state: State::Held, again }
    }

    /// Folds in a booking by a record that was read at `read`.
    fn booked(
        &mut self,
        hold: HoldId,
        request: RequestId,
        (at, read): (Instant, Instant),
        position: Position,
    ) {
        self.journal.booked(hold, request, at, position);
        if let Some(entry) = self.journal.get(hold) {
            self.seats.book(entry.show, &entry.seats, read);
        }
    }

    /// Folds in the end of a hold that is not booked, by a record first on a disk at `written`. Its seats are given
    /// back, unless another hold has them.
    fn ended(&mut self, hold: HoldId, state: State, written: Instant) {
        if let Some(entry) = self.journal.get(hold).filter(|entry| entry.known.state == State::Held)
        {
            for &seat in &entry.seats {
                if self.journal.on_seat(entry.show, seat).is_some_and(|last| last.hold == hold) {
                    self.seats.give_back(entry.show, seat, written);
                }
            }
        }
        self.journal.ended(hold, state);
    }

    /// Whether the client of a hold counts on it at `at`.
    pub(super) fn timer_runs(&self, hold: HoldId, at: Instant) -> bool {
        let told = self.clients.get(hold);
        told.is_some_and(|told| at + self.settings.quantum < told.known.expires)
    }

    /// Whether a user who was told at `at` that its hold is lost was told so while its time and grace ran: less the part
    /// of the grace that wrong clocks may use up, and not once the user had asked to release it.
    pub(super) fn is_promised(&self, hold: HoldId, user: UserId, at: Instant) -> bool {
        let Some(entry) = self.clients.get(hold) else { return false };
        let (told, promise) = (&entry.known, self.settings.promise());
        let wrong = self.settings.early.map(|early| promise.believed() + early);
        let ends = told.expires + (promise.grace - wrong.unwrap_or_default());
        let alone = told.user == user && told.released.is_none() && told.booked.is_none();
        let is_void = self.given_up.ends(hold).is_some_and(|lost| lost <= at);
        alone && !is_void && at + self.settings.quantum < ends
    }
}
