//! `double-booking`: no seat has two live bookings at once.
//!
//! Owns the judgement over bookings of one seat, once from the journal and once from what
//! clients were told. Refuses to look at holds.
//!
//! Why no alarm is false: nothing gives a booking back, so two booking records of one seat, or
//! two clients told of one, are two live bookings, in any order of reading and answering. A
//! booking acknowledged twice, or a repeated record, names the same hold and is one booking. Why
//! none is missed: a booked seat remembers its first booking to the end of the run. The two views
//! are kept apart, so a journal that forgets one of the bookings does not hide it.

use onsale_booking::{HoldId, SeatList, ShowId};
use onsale_reports::{Oracle, OracleResult};

use super::evidence::{Findings, Story};
use super::known::Known;
use super::position::Position;

crate::rules! {
    DoubleBooking:
    /// Two bookings of one seat are in the journal.
    BOOKED_TWICE = "booked-twice";
    /// Two clients were told that one seat is booked for them.
    PROMISED_TWICE = "promised-twice";
}

#[derive(Debug)]
pub(super) struct DoubleBooking {
    pub(super) findings: Findings,
    acknowledged: u64,
}

impl DoubleBooking {
    pub(super) fn new() -> Self {
        Self { findings: Findings::new(Oracle::DoubleBooking), acknowledged: 0 }
    }

    /// Judges a record of booking, before it is folded in.
    pub(super) fn on_committed(&mut self, known: &Known, hold: HoldId, position: Position) {
        self.findings.checks();
        let Some(entry) = known.journal.get(hold) else { return };
        let other = entry.seats.iter().find_map(|&seat| {
            let other = known.journal.on_seat(entry.show, seat)?;
            (other.hold != hold && other.known.is_booked()).then_some((seat, other))
        });
        let Some((seat, other)) = other else { return };
        self.findings.fail(BOOKED_TWICE, || {
            let mut lines = known.about(other.hold);
            lines.extend(known.about(hold));
            lines.push(format!("journal {position}: {hold} is booked as well"));
            let seat = known.seat(entry.show, seat);
            Story {
                headline: format!(
                    "{seat} is booked for {} and for {}",
                    other.known.user, entry.known.user
                ),
                lines,
            }
        });
    }

    /// Judges the answer by which a client learns of its booking, before it is folded in.
    pub(super) fn on_acknowledged(
        &mut self,
        known: &Known,
        hold: HoldId,
        show: ShowId,
        seats: &SeatList,
        told: &dyn Fn() -> String,
    ) {
        self.findings.checks();
        self.acknowledged += 1;
        let other = seats.iter().find_map(|&seat| {
            let other = known.clients.on_seat(show, seat)?;
            let booking = other.known.booked?;
            (other.hold != hold).then_some((seat, other.hold, booking.user))
        });
        let Some((seat, other, user)) = other else { return };
        self.findings.fail(PROMISED_TWICE, || {
            let mut lines = known.about(other);
            lines.extend(known.about(hold));
            lines.push(told());
            Story {
                headline: format!(
                    "{} was promised to {user} and to another as booked",
                    known.seat(show, seat)
                ),
                lines,
            }
        });
    }

    pub(super) fn finish(self) -> OracleResult {
        self.findings.finish(self.acknowledged > 0)
    }
}
