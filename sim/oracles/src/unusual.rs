//! Answers to unusual requests: about other users' holds, about holds that never were, and to repeated requests.
//!
//! Owns what a sale answers them, from the table of a show's fates and the time for which it remembers them. Its
//! failures are those of `linearizable`. Refuses to judge the ordinary requests of a hold's own user.
//!
//! A repeated request has two answers, both of which its client knows. If the repetition was sent after the first
//! answer, it was decided after it; a double click may have been decided in either order.
//!
//! **Why no alarm is false.** A booking is final, so a booked hold is never forgotten, and *sold out* stays true. An
//! ended hold is remembered for [`remember`](super::OracleSettings::remember) after its end, which is not before it was
//! asked for; a shard's time passes no faster than true clocks. So until `asked + remember` a hold that existed is
//! known, and a request has one outcome. Later, and wherever a clock may be wrong, it may be decided again.

use onsale_booking::{Command, HoldId, Instant, Outcome, Refusal, Request};
use onsale_reports::Oracle;

use super::evidence::same_seats;
use super::excuse::Excuse;
use super::known::Known;
use super::rule::Rule;

crate::rules! {
    Linearizable:
    /// A request about a hold that never was had an effect, or was told that the hold is another user's.
    NEVER_WAS = "never-was";
    /// A request about another user's hold had an effect, or was told that nobody has it.
    NOT_THEIRS = "not-theirs";
    /// A repeated request was answered otherwise than at first.
    ANSWERED_OTHERWISE = "answered-otherwise";
    /// A repeated request was told that its hold is lost while its time and grace ran.
    LOST_TO_REPETITION = "lost-to-repetition";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Linearizable,
        excused: "a request about an ended hold is answered as if the hold had never been",
        bound: "answer ≥ first attempt at the hold + time for which it is remembered − quantum; always where clocks may be wrong",
        beyond: "a_strangers_request_is_told_that_the_hold_is_lost_before_it_is_known_or_once_it_is_forgotten",
    },
    Excuse {
        oracle: Oracle::Linearizable,
        excused: "another user's hold is called lost as its grant is under way",
        bound: "sent ≤ the grant's answer + quantum",
        beyond: "a_microsecond_beyond_the_quantum_is_judged",
    },
    Excuse {
        oracle: Oracle::Linearizable,
        excused: "a request and its repetition are answered in the wrong order",
        bound: "repeated ≤ first answer + quantum",
        beyond: "a_repeated_hold_is_told_the_same",
    },
];

/// An unusual request, as its client knows it.
#[derive(Clone, Copy, Debug)]
pub enum Unusual<'a> {
    /// It names a hold that never was and never will be.
    NamesNothing,
    /// It names a hold that another user may have.
    NamesOthers,
    /// It is the repetition of a request with an answer.
    Repeats {
        /// Instant at which the request was first sent.
        asked: Instant,
        /// Instant of its first answer.
        told: Instant,
        /// Its first answer.
        first: &'a Outcome,
    },
}

/// Whether a recovery explains that an answer differs from what was told before: it gave up what the hold was, or bookings
/// of a show that was sold out.
pub(super) fn is_excused(
    known: &Known,
    at: Instant,
    request: &Request,
    unusual: Unusual<'_>,
) -> bool {
    let was_sold_out = |first: &Outcome| *first == Outcome::Refused(Refusal::SoldOut);
    match unusual {
        Unusual::NamesNothing => false,
        Unusual::NamesOthers => known.given_up.excuses(named(request), at),
        Unusual::Repeats { first, .. } => {
            let frees = was_sold_out(first) && known.given_up.frees(request.show);
            frees || known.given_up.excuses(named(request), at)
        }
    }
}

/// What is wrong with a leader's answer to an unusual request sent at `since` and answered at `at`.
pub(super) fn wrong(
    known: &Known,
    (since, at): (Instant, Instant),
    request: &Request,
    unusual: Unusual<'_>,
    answer: &Outcome,
) -> Option<(Rule, String)> {
    match (unusual, named(request)) {
        (Unusual::NamesNothing, _) => {
            let is_lost = *answer == Outcome::Refused(Refusal::HoldLost);
            (!is_lost).then(|| (NEVER_WAS, "which never was".to_owned()))
        }
        (Unusual::NamesOthers, hold) => {
            let wrong = of_another(known, (since, at), request, hold, answer);
            wrong.map(|wrong| (NOT_THEIRS, wrong))
        }
        (Unusual::Repeats { asked, told, first }, hold) => {
            let is_later = since > told + known.settings.quantum;
            let is_forgotten = may_be_forgotten(known, asked, at);
            let agrees = agree(known, request, (hold, is_forgotten), is_later, (first, answer));
            let is_lost = *answer == Outcome::Refused(Refusal::HoldLost);
            let granted = matches!(first, Outcome::Held { .. });
            if !agrees {
                Some((ANSWERED_OTHERWISE, format!("which was answered otherwise at {told}")))
            } else if is_lost && granted && known.is_promised(hold, request.user, at) {
                Some((LOST_TO_REPETITION, "while its time and grace ran".to_owned()))
            } else {
                None
            }
        }
    }
}

/// The hold that a request is about.
pub(super) fn named(request: &Request) -> HoldId {
    match &request.command {
        Command::Hold(_) => HoldId::from(request.id),
        Command::Confirm { hold, .. } | Command::Release { hold } => *hold,
    }
}

fn of_another(
    known: &Known,
    (since, at): (Instant, Instant),
    request: &Request,
    hold: HoldId,
    answer: &Outcome,
) -> Option<String> {
    match answer {
        Outcome::Refused(Refusal::NotYours) => None,
        // Unknown as yet, or forgotten.
        Outcome::Refused(Refusal::HoldLost) => {
            let entry = known.clients.get(hold)?;
            let was_known = entry.known.from + known.settings.quantum < since;
            let is_booked = entry.known.booked.is_some();
            let is_remembered = !may_be_forgotten(known, entry.known.asked, at);
            let is_wrong =
                entry.known.user != request.user && was_known && (is_booked || is_remembered);
            is_wrong.then(|| format!("of {}, as if it were nobody's", entry.known.user))
        }
        Outcome::Held { .. }
        | Outcome::Booked { .. }
        | Outcome::Released { .. }
        | Outcome::Refused(_) => Some("of another user".to_owned()),
    }
}

/// Whether a hold that ended, asked for at this instant, may be forgotten at `at`.
fn may_be_forgotten(known: &Known, asked: Instant, at: Instant) -> bool {
    let settings = &known.settings;
    settings.early.is_some() || at + settings.quantum >= asked + settings.remember
}

/// Whether two answers to one request can both be right; the second was decided later if `is_later`.
fn agree(
    known: &Known,
    request: &Request,
    (hold, is_forgotten): (HoldId, bool),
    is_later: bool,
    (first, again): (&Outcome, &Outcome),
) -> bool {
    use Outcome::{Booked, Held, Refused, Released};
    use Refusal::{HoldLost, NoneFree, SeatTaken, SoldOut};
    let is_booked = || known.clients.get(hold).is_some_and(|entry| entry.known.booked.is_some());
    match (&request.command, first, again) {
        (Command::Hold(_), Held { seats: one, .. }, Held { hold: named, seats: other, .. }) => {
            *named == hold && (same_seats(one, other) || is_forgotten && !is_booked())
        }
        (Command::Hold(_), Held { .. }, Refused(HoldLost)) => !is_booked(),
        (Command::Hold(_), Held { .. }, Refused(SeatTaken | NoneFree)) => {
            !is_later || is_forgotten && !is_booked()
        }
        (Command::Hold(_), Held { .. }, Refused(SoldOut)) => is_forgotten && !is_booked(),
        (Command::Hold(_), Refused(SoldOut), Refused(SoldOut)) => true,
        (Command::Hold(_), Refused(SoldOut), Refused(SeatTaken | NoneFree)) => !is_later,
        (Command::Hold(_), Refused(SoldOut), _) => is_forgotten && !is_later,
        (Command::Hold(_), Refused(SeatTaken | NoneFree), Held { hold: named, .. }) => {
            *named == hold
        }
        (
            Command::Hold(_),
            Refused(SeatTaken | NoneFree),
            Refused(SeatTaken | NoneFree | SoldOut | HoldLost),
        ) => true,
        (Command::Hold(_), Refused(HoldLost), Refused(HoldLost)) => true,
        (
            Command::Hold(_),
            Refused(HoldLost),
            Held { .. } | Refused(SeatTaken | NoneFree | SoldOut),
        ) => !is_later || is_forgotten,
        (Command::Confirm { .. }, Booked { seats: one, .. }, Booked { hold: named, seats }) => {
            *named == hold && same_seats(one, seats)
        }
        (Command::Release { .. }, Released { .. }, Released { hold: named }) => *named == hold,
        (Command::Release { .. }, Released { .. }, Refused(HoldLost))
        | (Command::Release { .. }, Refused(HoldLost), Released { .. }) => is_forgotten,
        (
            Command::Confirm { .. } | Command::Release { .. },
            Refused(HoldLost),
            Refused(HoldLost),
        ) => true,
        (
            Command::Hold(_) | Command::Confirm { .. } | Command::Release { .. },
            Held { .. } | Booked { .. } | Released { .. } | Refused(_),
            _,
        ) => false,
    }
}
