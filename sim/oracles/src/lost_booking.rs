//! `lost-booking`: every acknowledged booking is in the journal at the end.
//!
//! Owns the comparison of acknowledged bookings with the journal, and disagreements between the
//! journal's copies. Refuses to say when a booking must have become durable: an acknowledgement
//! may be seen before its records are read from disks, so the two are compared at the end, when
//! everything on a quorum has been read.
//!
//! Why no alarm is false: a rightly acknowledged booking had its record committed, a committed
//! record is never lost, and nothing ends a booking. Why none is missed: every acknowledged
//! booking is kept and compared, with its show, seats and user; a client that gave up was promised
//! nothing. A booking whose record an operator's [recovery](super::recovery) gave up is lost, and reported as such: it
//! is none any more, and excused if no survivor's disk held the record.

use onsale_booking::Instant;
use onsale_reports::{Oracle, OracleResult};

use super::clients::Acknowledged;
use super::evidence::{Findings, Story, same_seats};
use super::known::Known;
use super::position::Position;

crate::rules! {
    LostBooking:
    /// Two disks hold different committed records in one place.
    CONFLICT = "conflict";
    /// A committed record is on less than a quorum of disks.
    TOO_FEW_COPIES = "too-few-copies";
    /// A recovery gave up a committed record that a survivor's disk held.
    DROPPED = "dropped";
    /// A booking that a client was told of is not in the journal as told.
    NOT_RECORDED = "not-recorded";
}

#[derive(Debug)]
pub(super) struct LostBooking {
    pub(super) findings: Findings,
}

impl LostBooking {
    pub(super) fn new() -> Self {
        Self { findings: Findings::new(Oracle::LostBooking) }
    }

    /// Counts two disks with different committed records in one place: one has lost the other's
    /// record.
    pub(super) fn on_conflict(&mut self, at: Instant, position: Position, detail: String) {
        self.findings.fail(CONFLICT, || Story {
            headline: format!("two nodes keep different committed records at {position}"),
            lines: vec![format!("seen at {at}: {detail}")],
        });
    }

    /// Counts a committed record on less than a quorum of disks: one more loss may destroy it.
    pub(super) fn on_lost(&mut self, at: Instant, position: Position, holders: u16) {
        self.findings.fail(TOO_FEW_COPIES, || Story {
            headline: format!(
                "the committed record at {position} is no longer on a majority of disks"
            ),
            lines: vec![format!("at {at} it is on {holders}, or covered there by a snapshot")],
        });
    }

    /// Counts a recovery that gave up more than the lost disks alone held.
    pub(super) fn on_dropped(&mut self, at: Instant, position: Position, survived: u64) {
        self.findings.fail(DROPPED, || Story {
            headline: format!("a recovery gave up the committed record at {position}, which survived"),
            lines: vec![format!(
                "seen at {at}: a disk that was not lost held the first {survived} records at the loss"
            )],
        });
    }

    pub(super) fn finish(mut self, known: &Known) -> OracleResult {
        let mut lost = Vec::new();
        for told in known.clients.iter() {
            let Some(booking) = told.known.booked else { continue };
            self.findings.checks();
            let kept = known.journal.get(told.hold).is_some_and(|kept| {
                kept.known.is_booked()
                    && kept.known.user == booking.user
                    && kept.show == told.show
                    && same_seats(&kept.seats, &told.seats)
            });
            if !kept {
                lost.push((booking.at, booking, told));
            }
        }
        lost.sort_unstable_by_key(|&(at, _, told)| (at, told.hold));
        for (_, Acknowledged { user, .. }, told) in lost {
            self.findings.fail(NOT_RECORDED, || {
                let mut lines = known.about(told.hold);
                if let Some((seat, other)) = told.seats.iter().find_map(|&seat| {
                    let other = known.journal.on_seat(told.show, seat)?;
                    (other.hold != told.hold).then_some((seat, other))
                }) {
                    lines.push(format!(
                        "in the journal, {} went to {}:",
                        known.seat(told.show, seat),
                        other.known.user
                    ));
                    lines.extend(known.about(other.hold));
                }
                Story {
                    headline: format!(
                        "the booking {} that {user} was told of is not in the journal as told",
                        told.hold
                    ),
                    lines,
                }
            });
        }
        let exercised = self.findings.checked() > 0;
        self.findings.finish(exercised)
    }
}
