//! A hold as its client saw it, and the possible instants of its grant and end.
//!
//! Owns the conclusions from the answers about one hold. Refuses to compare holds, except to describe two that no order
//! explains.

use onsale_booking::{HoldId, Instant, RequestId, SeatId, SeatList, ShowId, Span, UserId};

use super::super::evidence::{Story, seats};
use super::super::known::Known;
use super::super::rule::Rule;
use super::{BOOKED_AND_LOST, LOST_IN_TIME, NOT_RELEASED};

/// An acknowledged hold, with the later requests and answers about it.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) hold: HoldId,
    pub(super) user: UserId,
    pub(super) show: ShowId,
    pub(super) seats: SeatList,
    pub(super) asked: Instant,
    pub(super) told: Instant,
    pub(super) expires: Instant,
    /// Confirmations and releases by the hold's own user; others change nothing.
    pub(super) settling: Vec<Settling>,
    /// Instant of a recovery that gave up its booking, and whether its grant too.
    pub(super) given_up: Option<(Instant, bool)>,
}

/// A confirmation or a release.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settling {
    pub(super) request: RequestId,
    pub(super) kind: Kind,
    pub(super) asked: Instant,
    /// Instant of its answer; `MAX` if unanswered.
    pub(super) told: Instant,
    pub(super) answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Confirm,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// No answer, or one that leaves its effect open.
    Unknown,
    /// `Booked` or `Released`.
    Done,
    /// `HoldLost`.
    Lost,
}

/// The bounds on a hold's grant and end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// D: it was granted at this instant or earlier.
    pub(super) granted_by: Instant,
    /// L: it ended at this instant or later; `MAX` if it never ended.
    pub(super) held_until: Instant,
    /// Earliest instant of its booking, if it is or may be booked.
    pub(super) booked_from: Option<Instant>,
}

impl Grant {
    /// Bounds on its grant and end, or how its answers contradict each other.
    pub(super) fn life(&self, quantum: Span) -> Result<Life, (Rule, String)> {
        let asked = |kind, answers: &[Answer]| {
            let wanted = |op: &&Settling| op.kind == kind && answers.contains(&op.answer);
            self.settling.iter().filter(wanted).map(|op| op.asked).min().unwrap_or(Instant::MAX)
        };
        let told = |kind, answer| {
            let wanted = |op: &&Settling| op.kind == kind && op.answer == answer;
            self.settling.iter().filter(wanted).map(|op| op.told).min().unwrap_or(Instant::MAX)
        };
        let Self { hold, user, expires, .. } = self;
        let confirm_asked = asked(Kind::Confirm, &[Answer::Unknown, Answer::Done]);
        let release_asked = asked(Kind::Release, &[Answer::Unknown, Answer::Done]);
        let (booked, refused_booking) =
            (told(Kind::Confirm, Answer::Done), told(Kind::Confirm, Answer::Lost));
        let (released, refused_release) =
            (told(Kind::Release, Answer::Done), told(Kind::Release, Answer::Lost));

        let granted_by = self.told;
        if let Some((at, is_whole)) = self.given_up {
            let until = if is_whole { at.min(*expires) } else { *expires };
            let held_until = release_asked.min(until);
            if later(held_until, refused_booking, quantum) {
                let lost =
                    format!("{hold} was lost to {user} at a time when nothing can have ended it");
                return Err((LOST_IN_TIME, lost));
            }
            let booked_from = (confirm_asked < Instant::MAX).then_some(confirm_asked);
            return Ok(Life { granted_by, held_until, booked_from });
        }
        let may_be_booked = released == Instant::MAX
            && refused_booking == Instant::MAX
            && confirm_asked < Instant::MAX
            && !later(confirm_asked, refused_release, quantum);
        let as_booked =
            Life { granted_by, held_until: Instant::MAX, booked_from: Some(confirm_asked) };
        if booked < Instant::MAX {
            return if may_be_booked {
                Ok(as_booked)
            } else {
                Err((
                    BOOKED_AND_LOST,
                    format!("{hold} of {user} was booked, and yet ended unbooked"),
                ))
            };
        }

        let held_until =
            if released < Instant::MAX { release_asked } else { release_asked.min(*expires) };
        if later(held_until, released.min(refused_booking), quantum) {
            let lost =
                format!("{hold} was lost to {user} at a time when nothing can have ended it");
            return Err((LOST_IN_TIME, lost));
        }
        if later(held_until, refused_release, quantum) {
            // Only a booking explains a failed release.
            return if may_be_booked {
                Ok(as_booked)
            } else {
                let kept = format!(
                    "{hold} of {user} could not be released while nothing can have ended it"
                );
                Err((NOT_RELEASED, kept))
            };
        }
        let booked_from = may_be_booked.then_some(confirm_asked);
        Ok(Life { granted_by, held_until, booked_from })
    }

    /// Evidence: what its client asked and was told, one line an operation.
    pub(super) fn tell(&self) -> Vec<String> {
        let Self { hold, user, .. } = self;
        let mut lines = vec![format!(
            "client {user}: asked {} at {}, told at {} that it grants {hold} until {}: {}",
            RequestId(hold.0),
            self.asked,
            self.told,
            self.expires,
            seats(self.show, &self.seats)
        )];
        lines.extend(self.settling.iter().map(|op| {
            let (what, done) = match op.kind {
                Kind::Confirm => ("confirm", "booked"),
                Kind::Release => ("release", "released"),
            };
            let answer = match op.answer {
                Answer::Unknown => "never told".to_owned(),
                Answer::Done => format!("told at {} that it is {done}", op.told),
                Answer::Lost => format!("told at {} that it is lost", op.told),
            };
            format!(
                "client {user}: asked {} at {} to {what} {hold}, {answer}",
                op.request, op.asked
            )
        }));
        lines
    }
}

/// Whether `a` is certainly later than `b`: by more than the quantum.
pub(super) fn later(a: Instant, b: Instant, quantum: Span) -> bool {
    a.since(b) > quantum
}

/// The failure of two holds of one seat, neither of which can have come first.
pub(super) fn conflict(known: &Known, seat: SeatId, pair: [(Life, &Grant); 2]) -> Story {
    let [(_, one), (_, other)] = pair;
    let mut lines = Vec::new();
    for (_, grant) in pair {
        lines.extend(grant.tell());
    }
    for ((life, grant), (other, after)) in [(pair[0], pair[1]), (pair[1], pair[0])] {
        let ends = if life.held_until == Instant::MAX {
            "is booked for good".to_owned()
        } else {
            format!("ended at {} or later", life.held_until)
        };
        lines.push(format!(
            "{} not before {}: {} {ends}, {} was granted at {} or earlier",
            grant.hold, after.hold, grant.hold, after.hold, other.granted_by
        ));
    }
    let seat = known.seat(one.show, seat);
    Story {
        headline: format!(
            "no order lets {} of {} and {} of {} both have {seat}",
            one.hold, one.user, other.hold, other.user
        ),
        lines,
    }
}
