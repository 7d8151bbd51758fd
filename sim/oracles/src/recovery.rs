//! Recoveries by an operator: what clients were told and no longer holds.
//!
//! Owns the folds without the records that a recovery gave up: each is what it would be if these had never been. Refuses
//! to decide which they are: the system's ledger reads that off the disks, and bounds it by what survivors held.
//!
//! Why no alarm is false: a client that was told by a given up record counts on nothing from the recovery on, and the
//! journal is folded again without it. Why none is missed: no other record is left out, and no other hold excused. An
//! answer about a hold is excused only from the recovery on; a hold that is left and whose booking alone was given up is
//! still promised until its timer ends.

use onsale_booking::{Event, HoldId, Instant, RequestId};
use onsale_reports::{Losses, Lost, Oracle};

use super::evidence::seats;
use super::excuse::Excuse;
use super::free_seats::FreeSeats;
use super::given_up::{Named, Record, Void};
use super::journal::{Journal, State};
use super::known::Known;

/// The deviations that a recovery excuses.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::LostBooking,
        excused: "a booking that its client was told of is lost by an operator's recovery",
        bound: "its record is after all committed ones that a surviving disk held when a majority was lost for good",
        beyond: "a_booking_that_is_left_is_as_final_as_ever",
    },
    Excuse {
        oracle: Oracle::Hold,
        excused: "a hold is lost in its time, or the journal lacks what was told of it",
        bound: "a recovery gave up a record of it; told from then on, or asked before",
        beyond: "a_lost_hold_may_be_refused_from_the_recovery_on",
    },
    Excuse {
        oracle: Oracle::Linearizable,
        excused: "a hold ends without a request, or its booking does",
        bound: "a recovery gave up its grant, and it ends there; or the booking alone, and it ends as it expires",
        beyond: "the_hold_of_a_lost_booking_is_left_until_its_time_is_over",
    },
    Excuse {
        oracle: Oracle::FalseSoldOut,
        excused: "sold out is said after a recovery gave up bookings",
        bound: "first attempt ≤ the recovery + quantum",
        beyond: "sold_out_is_said_of_given_up_bookings_to_requests_sent_before_the_recovery",
    },
];

impl Known {
    /// Gives up the records of a log beyond the first `held`. Returns the holds that they were about, each with whether
    /// its grant was among them, if its client has to be excused. Excuses nothing where no log is ever recovered.
    pub(super) fn give_up(&mut self, at: Instant, log: u32, held: u64) -> Vec<(HoldId, bool)> {
        let Some(records) = self.given_up.records.take() else { return Vec::new() };
        let is_lost = |record: &Record| record.position.log == log && record.position.index > held;
        let (lost, stay): (Vec<Record>, Vec<Record>) = records.into_iter().partition(is_lost);
        self.given_up.logs += 1;
        self.given_up.lost += lost.len() as u64;
        if lost.is_empty() {
            self.given_up.records = Some(stay);
            return Vec::new();
        }
        let mut holds: Vec<(HoldId, bool)> = Vec::new();
        for (_, event) in lost.iter().flat_map(|record| &record.events) {
            let (Event::Held { hold, .. }
            | Event::Booked { hold, .. }
            | Event::Released { hold, .. }
            | Event::Expired { hold, .. }) = *event;
            let is_whole = matches!(event, Event::Held { .. });
            match holds.iter_mut().find(|(known, _)| *known == hold) {
                Some((_, whole)) => *whole |= is_whole,
                None => holds.push((hold, is_whole)),
            }
        }
        for &(hold, is_whole) in &holds {
            self.note_lost((at, log, held), hold, is_whole);
        }
        let settings = &self.settings;
        self.journal = Journal::new(settings.shows, settings.seats_per_show, settings.grace);
        let before = std::mem::replace(&mut self.seats, FreeSeats::new(settings));
        for Record { when, position, events, .. } in &stay {
            for (show, event) in events {
                self.fold(*show, event, *when, *position);
            }
        }
        self.seats.were(&before, at);
        for record in lost {
            self.clients.unsettle(record.settled);
        }
        self.given_up.records = Some(stay);
        let voids = &self.given_up.voids;
        let matters = |hold: &HoldId| voids.get(hold).map(|void| (void.is_whole, void.booked_by));
        holds.retain(|(hold, _)| matches!(matters(hold), Some((true, _) | (false, Some(_)))));
        holds
    }

    /// Notes a hold that given up records were about, by the journal that still has them.
    fn note_lost(&mut self, (at, log, held): (Instant, u32, u64), hold: HoldId, is_whole: bool) {
        let (mut booked_by, mut named) = (None, None);
        if let Some(entry) = self.journal.get(hold) {
            let is_live = match entry.known.state {
                State::Booked { request, position, .. } if position.index > held => {
                    booked_by = Some(request);
                    true
                }
                State::Released { .. } if !is_whole => {
                    self.given_up.releases += 1;
                    false
                }
                State::Held => is_whole,
                State::Booked { .. } | State::Released { .. } | State::Expired { .. } => false,
            };
            let told = self.clients.get(hold).map(|entry| &entry.known);
            let told = told.and_then(|told| match booked_by {
                Some(_) => told.booked.map(|booking| booking.at),
                None => (told.until > at).then_some(told.from),
            });
            named = is_live.then(|| Named {
                log,
                hold,
                user: entry.known.user,
                show: entry.show,
                seats: entry.seats.clone(),
                is_booking: booked_by.is_some(),
                told,
            });
        }
        if let Some(named) = &named
            && named.is_booking
            && !self.given_up.shows.contains(&named.show)
        {
            self.given_up.shows.push(named.show);
        }
        self.given_up.named.extend(named);
        self.given_up.voids.insert(hold, Void { at, is_whole, booked_by });
        self.clients.give_up(hold, is_whole, booked_by.is_some());
    }

    /// Instant of the recovery that gave up the grant of a hold, if its request was sent before that and no record that is
    /// left grants it: its client no longer counts on it.
    pub(super) fn void_from(&self, hold: HoldId, asked: Instant) -> Option<Instant> {
        let ends = self.given_up.ends(hold).filter(|&at| asked <= at);
        ends.filter(|_| self.journal.get(hold).is_none())
    }

    /// Whether a client is told of a booking whose record was given up, and which no later record makes.
    pub(super) fn is_void(&self, hold: HoldId, request: RequestId) -> bool {
        let void = self.given_up.voids.get(&hold);
        let is_lost = void.is_some_and(|void| void.booked_by == Some(request));
        is_lost && !self.journal.get(hold).is_some_and(|entry| entry.known.is_booked())
    }

    /// What was given up, for reports.
    pub(super) fn losses(&self) -> Option<Losses> {
        let given_up = &self.given_up;
        if given_up.logs == 0 {
            return None;
        }
        let told = given_up.named.iter().filter_map(|named| {
            let told = named.told.or_else(|| {
                let late = given_up.voids.get(&named.hold).filter(|_| !named.is_booking)?;
                let from = self.clients.get(named.hold)?.known.from;
                (from > late.at).then_some(from)
            })?;
            Some(Lost {
                what: if named.is_booking { "booking" } else { "hold" }.to_owned(),
                log: named.log,
                hold: named.hold.to_string(),
                user: named.user.to_string(),
                seats: seats(named.show, &named.seats),
                told_s: told.as_secs_f64(),
            })
        });
        let count = |is_booking| {
            given_up.named.iter().filter(|named| named.is_booking == is_booking).count() as u64
        };
        Some(Losses {
            logs: given_up.logs,
            records: given_up.lost,
            bookings: count(true),
            holds: count(false),
            releases: given_up.releases,
            told: told.collect(),
        })
    }
}
