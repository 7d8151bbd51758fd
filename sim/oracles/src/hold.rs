//! `hold`: an acknowledged hold is exclusive until its client's timer ends.
//!
//! Owns the judgement over a hold between its grant and its end: from the journal, record by
//! record, and from the clients, window by window. Refuses to compare instants whose order it
//! cannot know.
//!
//! **Why no alarm from the journal is false.** Records are folded in the log's order, which
//! is the order in which they took effect; how late they were read does not matter. Rules about
//! the leader's decision take the time from the records themselves: a hold counts as over once a
//! later record's own instant has passed its time and grace, even if its end was not recorded.
//! Those instants are in the shard's time, which passes from leader to leader and may differ from
//! the calendar's by any amount. The calendar is used for ends alone: one that was read while the
//! client's timer still ran, for a record can be read late, never early; and one that was first on
//! a disk too late.
//!
//! **Why no alarm from the clients is false.** Let a window reach from the instant at which
//! a client learned of its hold to the earlier of its [timer](crate::timer)'s end and the instant at which it asked to
//! release it, or for ever once it learned of the booking. The leader took the seats before the client could learn of
//! it. It frees them at the earliest when the time and the grace are over, or when a release arrives, which was sent
//! before; and never once they are booked. So the time for which the leader keeps the seats contains the window, even
//! if answers and releases are late. A correct cluster keeps a seat for one hold at a time, so two windows on a seat
//! cannot overlap. This needs no bound on message delays, and no knowledge of when the other grant was decided: an
//! answer that comes minutes late opens a late and short window, or none. A client that gave up accepts no answer, so
//! it opens no window. Batched messages may blur the order of instants by up to the batching quantum, so only a longer
//! overlap counts.
//!
//! **An end that comes too late.** The record that ends a hold must be on a disk by the [limit](super::overdue), by the
//! calendar. `live` reports a hold that never ended, by the same limit.
//!
//! **A confirmation refused while time was left.** If a client is told that its hold is lost
//! before its timer and the grace are over, the leader decided even earlier; so the hold was lost
//! while it was promised. Where clocks may be wrong, two parts of the grace are not promised: the
//! part by which the client may have believed a clock that was ahead, and the part that the fastest
//! clock can use up. Not judged if the client had asked to release the hold. A second confirmation excuses nothing: the
//! first one's effect is a booking, which is confirmed to both.

use onsale_booking::{
    HoldId, Instant, PaymentId, Refusal, Request, RequestId, SeatList, ShowId, UserId,
};
use onsale_reports::{Oracle, OracleResult, human};

use super::clients::{Confirming, KnownHold};
use super::evidence::{Findings, Story, held, refused};
use super::journal::{Grant, State};
use super::known::Known;
use super::position::Position;
use super::register::Entry;
use super::rule::Rule;

crate::rules! {
    Hold:
    /// A hold's expiry is not its grant and the length of holds.
    OTHER_LENGTH = "other-length";
    /// A hold has no request of its user for as many seats in each section.
    HELD_UNASKED = "held-unasked";
    /// A seat was held while it was held or booked for another.
    TAKEN = "taken";
    /// A request booked what was not held.
    BOOKED_UNHELD = "booked-unheld";
    /// A request booked what was booked.
    BOOKED_AGAIN = "booked-again";
    /// A request booked a released hold.
    BOOKED_RELEASED = "booked-released";
    /// A request booked an expired hold.
    BOOKED_EXPIRED = "booked-expired";
    /// A request booked a hold whose seat had gone to another.
    BOOKED_GONE = "booked-gone";
    /// A booking has no request to confirm it.
    BOOKED_UNASKED = "booked-unasked";
    /// A request booked another hold than it named.
    BOOKED_OTHER = "booked-other";
    /// A request booked another user's hold.
    BOOKED_FOREIGN = "booked-foreign";
    /// A request booked a hold after its time and grace.
    BOOKED_LATE = "booked-late";
    /// A booking names another payment than its request.
    OTHER_PAYMENT = "other-payment";
    /// A request released a hold after its time and grace.
    RELEASED_LATE = "released-late";
    /// A release has no request of the hold's user to release it.
    RELEASED_UNASKED = "released-unasked";
    /// A hold ended twice.
    ENDED_TWICE = "ended-twice";
    /// A client was told of a hold that was not recorded by then.
    HELD_UNRECORDED = "held-unrecorded";
    /// A client was told of a release that was not recorded by then.
    RELEASE_UNRECORDED = "release-unrecorded";
    /// A client was told that a hold is lost that had not ended by then.
    NOT_LOST = "not-lost";
    /// A client was told that a hold is another user's, which it is not.
    NOT_FOREIGN = "not-foreign";
    /// A booking was released.
    RELEASED_BOOKED = "released-booked";
    /// A booking expired.
    EXPIRED_BOOKED = "expired-booked";
    /// A hold expired before its time and grace were over, by the records.
    EXPIRED_EARLY = "expired-early";
    /// A hold expired while its client's timer ran.
    EXPIRED_IN_TIME = "expired-in-time";
    /// A hold ended after its limit.
    ENDED_LATE = "ended-late";
    /// A client was told that its hold is lost while its time and grace ran.
    REFUSED_IN_TIME = "refused-in-time";
    /// The journal has another user for a hold than its client.
    OTHER_USER = "other-user";
    /// A client was told another expiry than the journal explains.
    OTHER_EXPIRY = "other-expiry";
    /// Two clients counted on one seat at once.
    PROMISED_TWICE = "promised-twice";
}

mod excuses;

pub(crate) use self::excuses::EXCUSES;

#[derive(Debug)]
pub(super) struct Hold {
    pub(super) findings: Findings,
    acknowledged: u64,
}

impl Hold {
    pub(super) fn new() -> Self {
        Self { findings: Findings::new(Oracle::Hold), acknowledged: 0 }
    }

    /// Judges a record of a hold, before it is folded in.
    pub(super) fn on_held(
        &mut self,
        known: &Known,
        hold: HoldId,
        show: ShowId,
        granted: &SeatList,
        grant: &Grant,
    ) {
        self.findings.checks();
        let record = || held(hold, show, granted, grant);
        if grant.expires != grant.at + known.settings.hold {
            self.findings.fail(OTHER_LENGTH, || Story {
                headline: format!(
                    "{hold} of {} does not last for {}",
                    grant.user, known.settings.hold
                ),
                lines: vec![record()],
            });
        }
        if !known.asked.has(RequestId(hold.0), grant.user, show, granted) {
            self.findings.fail(HELD_UNASKED, || Story {
                headline: format!("{hold} of {} answers no request", grant.user),
                lines: vec![record()],
            });
        }
        let taken = granted.iter().find_map(|&seat| {
            let other = known.journal.on_seat(show, seat)?;
            (other.hold != hold && other.known.is_alive(grant.at, known.settings.grace))
                .then_some((seat, other))
        });
        let Some((seat, other)) = taken else { return };
        self.findings.fail(TAKEN, || {
            let mut lines = known.about(other.hold);
            lines.push(record());
            let already = if other.known.is_booked() { "booked for" } else { "held for" };
            Story {
                headline: format!(
                    "{} was held for {} while {already} {}",
                    known.seat(show, seat),
                    grant.user,
                    other.known.user
                ),
                lines,
            }
        });
    }

    /// Judges a record of booking, before it is folded in; `asked` is the confirmation behind it, if any.
    pub(super) fn on_booked(
        &mut self,
        known: &Known,
        hold: HoldId,
        request: RequestId,
        asked: Option<Confirming>,
        (at, payment): (Instant, PaymentId),
        position: Position,
    ) {
        self.findings.checks();
        let wrong = match known.journal.get(hold) {
            None => Some((BOOKED_UNHELD, "which is not held".to_owned())),
            Some(entry) => match entry.known.state {
                State::Booked { position, .. } => {
                    Some((BOOKED_AGAIN, format!("which was booked at {position} already")))
                }
                State::Released { position, .. } => {
                    Some((BOOKED_RELEASED, format!("which was released at {position}")))
                }
                State::Expired { position, .. } => {
                    Some((BOOKED_EXPIRED, format!("which expired at {position}")))
                }
                State::Held => wrong_with_booking(known, entry, asked, (at, payment)),
            },
        };
        if let Some((rule, wrong)) = wrong {
            self.findings.fail(rule, || {
                let mut lines = known.about(hold);
                lines.push(format!("journal {position}: {request} books {hold}"));
                Story { headline: format!("{request} booked {hold}, {wrong}"), lines }
            });
        }
    }

    /// Judges a record of release, before it is folded in.
    pub(super) fn on_released(
        &mut self,
        known: &Known,
        hold: HoldId,
        request: RequestId,
        asked: Option<(HoldId, UserId)>,
        (at, position): (Instant, Position),
    ) {
        self.findings.checks();
        let Some(entry) = known.journal.get(hold) else { return };
        let (user, ends) = (entry.known.user, entry.known.expires + known.settings.grace);
        let wrong = match entry.known.state {
            State::Booked { .. } => {
                Some((RELEASED_BOOKED, format!("although {user} had booked it")))
            }
            State::Released { .. } | State::Expired { .. } => {
                Some((ENDED_TWICE, "although it had ended".to_owned()))
            }
            State::Held if asked != Some((hold, user)) => {
                Some((RELEASED_UNASKED, format!("without a request of {user}")))
            }
            State::Held if at >= ends => {
                Some((RELEASED_LATE, format!("at {at}: its time and grace were over at {ends}")))
            }
            State::Held => None,
        };
        if let Some((rule, wrong)) = wrong {
            self.findings.fail(rule, || {
                let mut lines = known.about(hold);
                lines.push(format!("journal {position}: {request} releases {hold} at {at}"));
                Story { headline: format!("{hold} was released {wrong}"), lines }
            });
        }
    }

    /// Judges a record of expiry, read at `read`, before it is folded in.
    pub(super) fn on_expired(
        &mut self,
        known: &Known,
        hold: HoldId,
        at: Instant,
        read: Instant,
        position: Position,
    ) {
        self.findings.checks();
        let Some(entry) = known.journal.get(hold) else { return };
        let (grant, settings) = (&entry.known, &known.settings);
        // A shard's time may lag behind true clocks, if it differs at all.
        let comes_soon = settings.early.is_none() && read + settings.quantum < grant.expires;
        let wrong = match grant.state {
            State::Booked { .. } => {
                Some((EXPIRED_BOOKED, format!("although {} had booked it", grant.user)))
            }
            State::Held if at < grant.expires + settings.grace => {
                let early = human::span((grant.expires + settings.grace).since(at));
                Some((EXPIRED_EARLY, format!("{early} before its time and grace were over")))
            }
            State::Held if known.timer_runs(hold, read) || comes_soon => {
                let ran = format!("on the disks at {read}, while its client's timer ran");
                Some((EXPIRED_IN_TIME, ran))
            }
            State::Released { .. } | State::Expired { .. } => {
                Some((ENDED_TWICE, "although it had ended".to_owned()))
            }
            State::Held => None,
        };
        if let Some((rule, wrong)) = wrong {
            self.findings.fail(rule, || {
                let mut lines = known.about(hold);
                lines.push(format!("journal {position}: {hold} expires at {at}"));
                Story { headline: format!("{hold} of {} expired {wrong}", grant.user), lines }
            });
        }
    }

    /// Judges how late a hold ends, by a record first on a disk at `written`, before it is folded
    /// in.
    pub(super) fn on_ended(
        &mut self,
        known: &Known,
        hold: HoldId,
        written: Instant,
        position: Position,
    ) {
        let Some(entry) = known.journal.get(hold) else { return };
        let (log, granted) = (position.log, entry.known.written);
        if entry.known.state != State::Held {
            return;
        }
        if let Some(limit) = known.overdue.is_overdue(log, granted, written) {
            self.findings.fail(ENDED_LATE, || {
                let mut lines = known.about(hold);
                lines.push(format!("on a disk since {granted}: it had to end by {limit}"));
                lines.push(format!("journal {position}: it ends; on a disk since {written}"));
                let late = written.since(granted + known.settings.hold + known.settings.grace);
                Story {
                    headline: format!(
                        "{hold} of {} outlived its time by {}",
                        entry.known.user,
                        Instant(late.0)
                    ),
                    lines,
                }
            });
        }
    }

    /// Judges the answer by which a client learns of its hold, before it is folded in.
    pub(super) fn on_granted(
        &mut self,
        known: &Known,
        request: &Request,
        (hold, granted): (HoldId, &SeatList),
        window: (Instant, Instant),
        told: &dyn Fn() -> String,
    ) {
        self.findings.checks();
        self.acknowledged += 1;
        self.check_window(known, request, (hold, granted), window, told);
    }

    /// Judges the answer by which a client learns that its hold is booked, before it is folded in: its window never
    /// ends.
    pub(super) fn on_acknowledged(
        &mut self,
        known: &Known,
        at: Instant,
        request: &Request,
        (hold, booked): (HoldId, &SeatList),
        told: &dyn Fn() -> String,
    ) {
        self.findings.checks();
        let from = known.clients.get(hold).map_or(at, |held| held.known.from);
        self.check_window(known, request, (hold, booked), (from, Instant::MAX), told);
    }

    /// Judges the refusal of a confirmation.
    pub(super) fn on_confirm_refused(
        &mut self,
        known: &Known,
        at: Instant,
        request: &Request,
        hold: HoldId,
        refusal: Refusal,
    ) {
        match refusal {
            Refusal::HoldLost | Refusal::NotYours => {}
            Refusal::SeatTaken
            | Refusal::NoneFree
            | Refusal::SoldOut
            | Refusal::BadRequest
            | Refusal::Overloaded
            | Refusal::Unavailable
            | Refusal::Minority => return,
        }
        self.findings.checks();
        if known.is_promised(hold, request.user, at) {
            self.findings.fail(REFUSED_IN_TIME, || {
                let mut lines = known.about(hold);
                lines.push(refused(request.user, request.id, at, refusal));
                Story {
                    headline: format!(
                        "{} was refused {hold} while its time and grace ran",
                        request.user
                    ),
                    lines,
                }
            });
        }
    }

    /// Compares the two views of a hold, once both exist.
    pub(super) fn compare(&mut self, known: &Known, kept: &Entry<Grant>, told: &Entry<KnownHold>) {
        let (grant, promise, settings) = (&kept.known, &told.known, &known.settings);
        // By true clocks: decided between request and answer, and not before the shard's time allows.
        let least = grant.expires.max(promise.asked + settings.hold);
        let most = promise.from + settings.hold + settings.quantum;
        let is_right = promise.as_told + settings.quantum >= least && promise.as_told <= most;
        let broken = if grant.user != promise.user {
            Some(OTHER_USER)
        } else {
            (settings.early.is_none() && !is_right).then_some(OTHER_EXPIRY)
        };
        if let Some(rule) = broken {
            self.findings.fail(rule, || Story {
                headline: format!(
                    "the journal has {} for another user or expiry than {} was told",
                    kept.hold, promise.user
                ),
                lines: known.about(kept.hold),
            });
        }
    }

    fn check_window(
        &mut self,
        known: &Known,
        request: &Request,
        (hold, list): (HoldId, &SeatList),
        (from, until): (Instant, Instant),
        told: &dyn Fn() -> String,
    ) {
        let shared = list.iter().find_map(|&seat| {
            let other = known.clients.on_seat(request.show, seat)?;
            let overlap = other.known.overlap(from, until);
            (other.hold != hold && overlap > known.settings.quantum).then_some((seat, other))
        });
        let Some((seat, other)) = shared else { return };
        self.findings.fail(PROMISED_TWICE, || {
            let mut lines = known.about(other.hold);
            lines.extend(known.about(hold));
            lines.push(told());
            let seat = known.seat(request.show, seat);
            Story {
                headline: format!(
                    "{seat} was promised to {} and to {} at once",
                    other.known.user, request.user
                ),
                lines,
            }
        });
    }

    pub(super) fn finish(self) -> OracleResult {
        self.findings.finish(self.acknowledged > 0)
    }
}

/// What is wrong with a booking of a live hold.
fn wrong_with_booking(
    known: &Known,
    entry: &Entry<Grant>,
    asked: Option<Confirming>,
    (at, payment): (Instant, PaymentId),
) -> Option<(Rule, String)> {
    let &Entry { hold, show, ref seats, known: ref grant, .. } = entry;
    let gone = seats.iter().find_map(|&seat| {
        let other = known.journal.on_seat(show, seat)?;
        (other.hold != hold).then_some((seat, other.hold))
    });
    if let Some((seat, other)) = gone {
        return Some((BOOKED_GONE, format!("whose {} went to {other}", known.seat(show, seat))));
    }
    let Some(asked) = asked else {
        return Some((BOOKED_UNASKED, "without a request to confirm it".to_owned()));
    };
    let ends = grant.expires + known.settings.grace;
    if asked.hold != hold {
        Some((BOOKED_OTHER, format!("while it asked for {}", asked.hold)))
    } else if asked.user != grant.user {
        Some((BOOKED_FOREIGN, format!("which does not belong to {}, who asked", asked.user)))
    } else if asked.payment != payment {
        Some((OTHER_PAYMENT, format!("with {payment} instead of {}", asked.payment)))
    } else if at >= ends {
        Some((BOOKED_LATE, format!("whose time and grace were over at {ends}, at {at}")))
    } else {
        None
    }
}
