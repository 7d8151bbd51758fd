//! `linearizable`: each show's history of holds, bookings and releases has a legal order in
//! real time.
//!
//! Owns the search for that order, over what clients asked and were told alone. Refuses to look
//! at the journal, at wishes and at the grace.
//!
//! # The object
//!
//! One show. A seat is free, held or booked; a hold has a name, a user, seats and an instant
//! `expires`, and is live, booked, released or expired. An operation takes effect at one
//! point between its invocation and its answer; one that no leader answered (no answer,
//! `Overloaded`, `Unavailable`, `Minority`, `BadRequest`) at one point after its invocation, or
//! never. A request and its retries are one operation.
//!
//! | operation | legal at its point | answer |
//! |---|---|---|
//! | `Hold`, request r of user u | its seats are free; they become held by r, live, of u | `Held` |
//! | `Hold` | some section has fewer unbooked seats than a request may name | `SoldOut` |
//! | `Hold` | always | `SeatTaken`, `NoneFree`, `HoldLost` |
//! | `Confirm` of a live or booked hold | always; it becomes booked | `Booked`, with its seats |
//! | `Confirm` of a released or expired hold | always | `HoldLost` |
//! | `Release` of a live hold | always; it becomes released, its seats free | `Released` |
//! | `Release` of a released hold | always | `Released` or `HoldLost` |
//! | `Release` of a booked or expired hold | always | `HoldLost` |
//! | `Confirm`, `Release` by another than the hold's user | always | `NotYours`, `HoldLost` |
//! | internal: expiry of a live hold | `expires` has come; its seats become free | |
//!
//! Clients name a hold only after they were told of it; operations that name another one are not judged. `expires`
//! is the client's own estimate, counted from its request: it may be earlier than the answer.
//!
//! # Why one sweep decides it
//!
//! For a hold h that a client was told of, let D(h) be the latest point of its grant: its answer. Let L(h) be the
//! earliest point of its end: the earliest of `expires` and the invocations of releases that may have had effect;
//! without `expires`, if one was answered `Released`; never, if one confirmation was answered `Booked`. Clients release
//! only holds that they were told of, so D < L, unless the answer came after `expires`. Then h was certainly held at no
//! instant, and its user never counted on it: only its order with each hold alone is checked, and the following holds
//! for the others.
//!
//! - *The order on a seat is forced.* If h comes before k on a seat, then h ends before k
//!   begins: D(h) < L(h) ≤ D(k) < L(k). Every legal order goes by rising D.
//! - *What is checked is necessary.* In that order, L(h) ≤ D(k) for neighbours on a seat,
//!   and the answers about one hold leave room for its end at L or later.
//! - *And it is sufficient.* Grant each hold as early as its invocation and the ends before it
//!   on its seats allow, and end it at L if its answers or a successor require an end. Regardless of
//!   earlier holds, that grant is at or before D, and so before L: earlier holds never delay an end,
//!   no delay passes from hold to hold, and holds of several seats do not couple seats.
//!   Operations without effect fit in between.
//! - *`SoldOut` adds bookings, which never go.* It is easiest to explain at its answer, with each
//!   booking as early as its confirmation was invoked. An unanswered confirmation counts if no other hold
//!   got one of its seats later and no answer contradicts it: then it may have had effect without conflict. The
//!   `SoldOut` that was answered first is the hardest to explain, and the only one kept.
//!
//! So the check is sound for this object, complete except for answers that came too late, n log n in the granted
//! holds, with memory for those alone; a refusal costs one comparison.
//!
//! The batching quantum blurs instants. One instant counts as later than another only by more
//! than the quantum, and two holds conflict only if neither order is possible: alarms stay true,
//! and the order within a quantum is not judged.
//!
//! # Recoveries
//!
//! An operator's [recovery](super::recovery) at an instant `t` may give up the grant of a hold, or its booking. A hold whose
//! grant is given up ends at `t` at the latest, without an answer; one whose booking is given up is a hold again, until
//! `expires`. Both count as booked for a `SoldOut`, which may have been answered before.
//!
//! # What the object leaves out
//!
//! - When `SeatTaken`, `NoneFree` and `HoldLost` are right answers to a `Hold`. Refusals are not
//!   journaled, so a retry of a refused or abandoned request may be granted later without a waiting
//!   client, and that grant excuses every later refusal of its seats. Clients cannot tell, but the journal can: see
//!   `false_sold_out.rs` for refused seats (a `SeatTaken` that the journal contradicts is reported here), and
//!   `claims.rs` for lost holds.
//! - The seats that a wish allows: see `atomic`. The length of a hold, and the grace: see `hold`.

use onsale_booking::{
    Command, FixedMap, HoldId, Instant, Outcome, Refusal, Request, SeatId, SeatList, ShowId, Span,
};
use onsale_reports::{Oracle, OracleResult};

use super::asked::Asked;
use super::evidence::{Findings, Story, exchange, same_seats, seats};
use super::excuse::Excuse;
use super::known::Known;
use super::unusual::{self, Unusual};

use self::grant::{Answer, Grant, Kind, Life, Settling, conflict, later};

crate::rules! {
    Linearizable:
    /// A hold is not named after its request.
    OTHER_NAME = "other-name";
    /// A client was told that its own request's hold is another user's.
    OWN_IS_FOREIGN = "own-is-foreign";
    /// An answer about a hold fits none of its possible states.
    UNEXPLAINED = "unexplained";
    /// A hold was booked and ended unbooked.
    BOOKED_AND_LOST = "booked-and-lost";
    /// A hold was lost at a time when nothing can have ended it.
    LOST_IN_TIME = "lost-in-time";
    /// A hold could not be released at a time when nothing can have ended it.
    NOT_RELEASED = "not-released";
    /// Two holds had one seat, in any order.
    BOTH_HAVE_SEAT = "both-have-seat";
    /// A show was called sold out while every section had room.
    ROOM_LEFT = "room-left";
    /// A request was told that a seat is taken while the journal had each seat that it picked free.
    FREE_SEAT = "free-seat";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Linearizable,
        excused: "instants contradict the order of holds",
        bound: "quantum",
        beyond: "overlaps_within_the_quantum_are_not_judged",
    },
    Excuse {
        oracle: Oracle::Linearizable,
        excused: "a hold overlaps others, though its answer came after its expiry",
        bound: "one ends by the other's answer + quantum, in either order",
        beyond: "a_late_answer_may_be_of_a_late_grant",
    },
    Excuse {
        oracle: Oracle::Linearizable,
        excused: "a picked seat is refused that was free at some time",
        bound: "held or booked in [first attempt − quantum, answer + quantum]",
        beyond: "a_refusal_is_explained_by_its_interval",
    },
];

mod grant;
#[cfg(test)]
mod tests;

#[derive(Debug)]
pub(super) struct Linearizable {
    pub(super) findings: Findings,
    quantum: Span,
    /// Acknowledged holds, in the order in which clients were told.
    grants: Vec<Grant>,
    by_name: FixedMap<HoldId, u32>,
    /// By show, the first answer of `SoldOut`.
    sold_out: Vec<Option<(Instant, Asked)>>,
}

impl Linearizable {
    pub(super) fn new(shows: u32, quantum: Span) -> Self {
        Self {
            findings: Findings::new(Oracle::Linearizable),
            quantum,
            grants: Vec::new(),
            by_name: FixedMap::default(),
            sold_out: vec![None; shows as usize],
        }
    }

    /// Adds the grant by which a client learns of its hold.
    pub(super) fn on_granted(
        &mut self,
        (asked, told): (Instant, Instant),
        request: &Request,
        (hold, list): (HoldId, &SeatList),
        expires: Instant,
    ) {
        self.findings.checks();
        if hold != HoldId::from(request.id) {
            self.findings.fail(OTHER_NAME, || Story {
                headline: format!("{} was granted {hold}, which is not named after it", request.id),
                lines: vec![format!(
                    "client {}: asked {} at {asked}, told at {told} that {hold} is granted: {}",
                    request.user,
                    request.id,
                    seats(request.show, list)
                )],
            });
            return;
        }
        let place = u32::try_from(self.grants.len()).expect("a run grants fewer than 2^32 holds");
        let before = self.by_name.insert(hold, place);
        assert_eq!(before, None, "a client accepts one answer to a request");
        self.grants.push(Grant {
            hold,
            user: request.user,
            show: request.show,
            seats: list.clone(),
            asked,
            told,
            expires,
            settling: Vec::new(),
            given_up: None,
        });
    }

    /// Adds the refusal of a client's hold.
    pub(super) fn on_hold_refused(&mut self, at: Instant, asked: &Asked, refusal: Refusal) {
        match refusal {
            Refusal::SoldOut => {
                if let Some(first @ None) = self.sold_out.get_mut(asked.show.0 as usize) {
                    *first = Some((at, *asked));
                }
            }
            Refusal::NotYours => self.findings.fail(OWN_IS_FOREIGN, || Story {
                headline: format!("{} was told that its own hold is another user's", asked.request),
                lines: vec![format!(
                    "client {}: asked {} at {}, told at {at}: {refusal:?}",
                    asked.user, asked.request, asked.since
                )],
            }),
            Refusal::SeatTaken
            | Refusal::NoneFree
            | Refusal::HoldLost
            | Refusal::BadRequest
            | Refusal::Overloaded
            | Refusal::Unavailable
            | Refusal::Minority => {}
        }
    }

    /// A hold's booking was given up in a recovery, or its grant.
    pub(super) fn on_given_up(&mut self, at: Instant, hold: HoldId, is_whole: bool) {
        if let Some(grant) = self.grant_mut(hold) {
            grant.given_up = Some((at, is_whole));
        }
    }

    /// Adds a client's request to confirm or to release a hold.
    pub(super) fn on_settling(&mut self, at: Instant, request: &Request) {
        let (hold, kind) = match request.command {
            Command::Hold(_) => return,
            Command::Confirm { hold, .. } => (hold, Kind::Confirm),
            Command::Release { hold } => (hold, Kind::Release),
        };
        if let Some(grant) = self.grant_mut(hold).filter(|grant| grant.user == request.user) {
            grant.settling.push(Settling {
                request: request.id,
                kind,
                asked: at,
                told: Instant::MAX,
                answer: Answer::Unknown,
            });
        }
    }

    /// Adds the answer to a confirmation or release.
    pub(super) fn on_settled(
        &mut self,
        (asked, told): (Instant, Instant),
        request: &Request,
        outcome: &Outcome,
    ) {
        let (Command::Confirm { hold, .. } | Command::Release { hold }) = request.command else {
            return;
        };
        let Some(grant) = self.grant_mut(hold) else { return };
        // Its name may have been granted again, with other seats.
        if grant.given_up.is_some_and(|(at, is_whole)| is_whole && at < told) {
            return;
        }
        let op = grant.settling.iter_mut().find(|op| op.request == request.id);
        let is_lost = matches!(outcome, Outcome::Refused(Refusal::HoldLost));
        let is_legal = match (op, outcome) {
            (
                _,
                Outcome::Refused(
                    Refusal::BadRequest
                    | Refusal::Overloaded
                    | Refusal::Unavailable
                    | Refusal::Minority,
                ),
            ) => return,
            // Requested before the client was told of the hold.
            (None, _) if grant.user == request.user => return,
            // The hold may be forgotten: then nobody knows whose it was.
            (None, _) => {
                matches!(outcome, Outcome::Refused(Refusal::NotYours | Refusal::HoldLost))
            }
            (Some(op), Outcome::Booked { hold: booked, seats })
                if op.kind == Kind::Confirm
                    && *booked == hold
                    && same_seats(seats, &grant.seats) =>
            {
                (op.told, op.answer) = (told, Answer::Done);
                true
            }
            (Some(op), Outcome::Released { hold: released })
                if op.kind == Kind::Release && *released == hold =>
            {
                (op.told, op.answer) = (told, Answer::Done);
                true
            }
            (Some(op), _) if is_lost => {
                (op.told, op.answer) = (told, Answer::Lost);
                true
            }
            (Some(_), _) => false,
        };
        self.findings.checks();
        if !is_legal {
            let told_before = self.grant_mut(hold).map_or_else(Vec::new, |grant| grant.tell());
            self.findings.fail(UNEXPLAINED, || {
                let mut lines = told_before;
                lines.push(exchange(request, (asked, told), outcome));
                Story {
                    headline: format!(
                        "{} of {} about {hold} has an answer that no order explains",
                        request.id, request.user
                    ),
                    lines,
                }
            });
        }
    }

    /// Judges a leader's answer to an unusual request.
    pub(super) fn on_unusual(
        &mut self,
        known: &Known,
        (asked, told): (Instant, Instant),
        request: &Request,
        unusual: Unusual<'_>,
        outcome: &Outcome,
    ) {
        self.findings.checks();
        if unusual::is_excused(known, told, request, unusual) {
            return;
        }
        let Some((rule, wrong)) = unusual::wrong(known, (asked, told), request, unusual, outcome)
        else {
            return;
        };
        let hold = unusual::named(request);
        self.findings.fail(rule, || {
            let mut lines = known.about(hold);
            if let Unusual::Repeats { asked, told, first } = unusual {
                lines.push(exchange(request, (asked, told), first));
            }
            lines.push(exchange(request, (asked, told), outcome));
            Story {
                headline: format!(
                    "{} of {} about {hold}, {wrong}, has an answer that no order explains",
                    request.id, request.user
                ),
                lines,
            }
        });
    }

    /// The verdict, once all answers are known.
    pub(super) fn finish(mut self, known: &Known) -> OracleResult {
        let grants = std::mem::take(&mut self.grants);
        let mut lives = Vec::with_capacity(grants.len());
        for grant in &grants {
            match grant.life(self.quantum) {
                Ok(life) => lives.push((life, grant)),
                Err((rule, headline)) => {
                    self.findings.fail(rule, || Story { headline, lines: grant.tell() });
                }
            }
        }
        lives.sort_unstable_by_key(|(life, grant)| {
            (grant.show, life.granted_by, life.held_until, grant.hold)
        });
        for show in lives.chunk_by_mut(|(_, one), (_, other)| one.show == other.show) {
            self.judge_seats(known, show);
        }
        self.judge_sold_out(known, &lives);
        self.findings.finish(!grants.is_empty())
    }

    /// Judges the holds of one show, in their forced order.
    fn judge_seats(&mut self, known: &Known, show: &mut [(Life, &Grant)]) {
        // By seat, the earlier hold that keeps it longest.
        let mut keepers: FixedMap<SeatId, usize> = FixedMap::default();
        for next in 0..show.len() {
            let (life, grant) = show[next];
            for &seat in &grant.seats {
                self.findings.checks();
                if let Some(&keeper) = keepers.get(&seat).filter(|&&keeper| keeper != next) {
                    let (before, _) = show[keeper];
                    if later(life.held_until, before.granted_by, self.quantum) {
                        // The seat passed from the one to the other, so the one did not book it, or not for good.
                        if show[keeper].1.given_up.is_none() {
                            show[keeper].0.booked_from = None;
                        }
                        if later(before.held_until, life.granted_by, self.quantum) {
                            let pair = [show[keeper], (life, grant)];
                            self.findings.fail(BOTH_HAVE_SEAT, || conflict(known, seat, pair));
                        }
                    }
                    if before.held_until > life.held_until {
                        continue;
                    }
                }
                keepers.insert(seat, next);
            }
        }
    }

    /// Judges the first `SoldOut` of each show: whether enough seats may have been booked by then.
    fn judge_sold_out(&mut self, known: &Known, lives: &[(Life, &Grant)]) {
        let settings = &known.settings;
        for (show, first) in (0..).map(ShowId).zip(std::mem::take(&mut self.sold_out)) {
            let Some((at, asked)) = first else { continue };
            self.findings.checks();
            let from = lives.partition_point(|(_, grant)| grant.show < show);
            let of_show = lives[from..].iter().take_while(|(_, grant)| grant.show == show);
            let mut booked: FixedMap<u32, u32> = FixedMap::default();
            let mut most = 0;
            for (life, grant) in of_show {
                if life.booked_from.is_some_and(|from| !later(from, at, self.quantum)) {
                    for seat in &grant.seats {
                        let section =
                            booked.entry(seat.0 / settings.seats_per_section).or_default();
                        *section += 1;
                        most = most.max(*section);
                    }
                }
            }
            if most + u32::from(settings.seats_per_request) <= settings.seats_per_section {
                self.findings.fail(ROOM_LEFT, || Story {
                    headline: format!("{show} is called sold out while every section has room"),
                    lines: vec![
                        format!(
                            "client {}: asked {} at {}, told at {at} that it is sold out",
                            asked.user, asked.request, asked.since
                        ),
                        format!(
                            "no section can have had more than {most} of its {} seats booked by then",
                            settings.seats_per_section
                        ),
                    ],
                });
            }
        }
    }

    fn grant_mut(&mut self, hold: HoldId) -> Option<&mut Grant> {
        let place = *self.by_name.get(&hold)?;
        self.grants.get_mut(place as usize)
    }
}
