//! `atomic`: an order is all or nothing, within the limits, and takes effect once.
//!
//! Owns the comparison of request, answer and journal, seat by seat. Refuses to look at time or
//! at other orders.
//!
//! Why no alarm is false: each check compares one intention with its own answer and its own
//! record. A request's id names its hold, and a client accepts one answer a request, so even
//! a late answer is compared with its own seats. Each record is read once, so a second grant
//! under one name while the first is alive is a second effect. After the end of the first it
//! may be a late retry that came when the first was forgotten: harmless, as no client waits for
//! it. The system remembers an ended hold for a time that its settings name, so before that a
//! second grant is a failure. A request is ill-formed by the sale's settings alone. Why none is
//! missed: an acknowledged hold has the requested number of seats in each section and all the
//! picked ones; a booking has its hold's seats, in the clients' view by a check here, in the
//! journal's by construction, as a booking record names only its hold; the two views of a hold are
//! compared as soon as both exist.

use onsale_booking::{
    HoldId, Instant, Refusal, Request, SeatId, SeatList, SectionId, ShowId, Wish,
};
use onsale_reports::{Oracle, OracleResult};

use super::asked::Asked;
use super::clients::KnownHold;
use super::evidence::{Findings, Story, asks, held, refused, same_seats};
use super::excuse::{Excuse, MEASURED};
use super::journal::{Grant, State};
use super::known::Known;
use super::register::Entry;
use super::settings::OracleSettings;

crate::rules! {
    Atomic:
    /// One request was granted twice.
    GRANTED_TWICE = "granted-twice";
    /// A record grants a list of seats that nobody may have.
    MALFORMED_RECORD = "malformed-record";
    /// A client was told of a hold under the name of an earlier one.
    NAMED_TWICE = "named-twice";
    /// A client was told of a list of seats that nobody may have.
    MALFORMED_GRANT = "malformed-grant";
    /// A client was told of other seats than it asked for.
    UNASKED_SEATS = "unasked-seats";
    /// A request that is ill-formed was granted.
    ILL_FORMED_GRANTED = "ill-formed-granted";
    /// A request that is ill-formed was refused for another reason.
    ILL_FORMED_JUDGED = "ill-formed-judged";
    /// A request that is well-formed was refused as ill-formed.
    WELL_FORMED_REFUSED = "well-formed-refused";
    /// A client was told of the booking of another hold than it paid for.
    OTHER_HOLD = "other-hold";
    /// A client was told of other seats in its booking than in its hold.
    OTHER_SEATS = "other-seats";
    /// A client was told of a booking with a list of seats that nobody may have.
    MALFORMED_BOOKING = "malformed-booking";
    /// A client got an answer of another kind than its request.
    OTHER_KIND = "other-kind";
    /// The journal has other seats for a hold than its client was told.
    TOLD_OTHER_SEATS = "told-other-seats";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[Excuse {
    oracle: Oracle::Atomic,
    excused: "a request is granted again",
    bound: "end of its first hold + time for which it is remembered",
    beyond: MEASURED,
}];

#[derive(Debug)]
pub(super) struct Atomic {
    pub(super) findings: Findings,
    acknowledged: u64,
}

impl Atomic {
    pub(super) fn new() -> Self {
        Self { findings: Findings::new(Oracle::Atomic), acknowledged: 0 }
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
        let remembered = |before: &Entry<Grant>| match before.known.state {
            State::Held | State::Booked { .. } => true,
            State::Released { at, .. } | State::Expired { at, .. } => {
                grant.at < at + known.settings.remember
            }
        };
        let wrong = if known.journal.get(hold).is_some_and(remembered) {
            Some((
                GRANTED_TWICE,
                "was granted again while it is remembered: one request took effect twice",
            ))
        } else {
            malformed(&known.settings, show, granted).map(|wrong| (MALFORMED_RECORD, wrong))
        };
        if let Some((rule, wrong)) = wrong {
            self.findings.fail(rule, || {
                let mut lines = known.about(hold);
                lines.push(held(hold, show, granted, grant));
                Story { headline: format!("{hold} of {} {wrong}", grant.user), lines }
            });
        }
    }

    /// Judges the answer by which a client learns of its hold.
    pub(super) fn on_granted(
        &mut self,
        known: &Known,
        request: &Request,
        wish: &Wish,
        (hold, granted): (HoldId, &SeatList),
        told: &dyn Fn() -> String,
    ) {
        self.findings.checks();
        self.acknowledged += 1;
        let wrong = if ill_formed(&known.settings, request.show, wish).is_some() {
            Some((ILL_FORMED_GRANTED, "answers an ill-formed request"))
        } else if known.clients.get(hold).is_some() {
            Some((NAMED_TWICE, "has the name of an earlier grant"))
        } else {
            let unasked = || unasked(wish, granted, known.settings.seats_per_section);
            malformed(&known.settings, request.show, granted)
                .map(|wrong| (MALFORMED_GRANT, wrong))
                .or_else(|| unasked().map(|wrong| (UNASKED_SEATS, wrong)))
        };
        if let Some((rule, wrong)) = wrong {
            self.findings.fail(rule, || Story {
                headline: format!("the hold that {} got by {} {wrong}", request.user, request.id),
                lines: vec![asks(request.user, request.id, request.show, wish), told()],
            });
        }
    }

    /// Judges the refusal of a hold: an ill-formed request is refused as such, before its seats are looked at, and no
    /// other. Returns whether the request is well-formed.
    pub(super) fn on_hold_refused(
        &mut self,
        known: &Known,
        at: Instant,
        asked: &Asked,
        wish: &Wish,
        refusal: Refusal,
    ) -> bool {
        self.findings.checks();
        let &Asked { request, user, show, since } = asked;
        let ill_formed = ill_formed(&known.settings, show, wish);
        let wrong = match (ill_formed, refusal == Refusal::BadRequest) {
            (Some(why), false) => {
                Some((ILL_FORMED_JUDGED, format!("{why}, and was refused for another reason")))
            }
            (None, true) => {
                Some((WELL_FORMED_REFUSED, "is well-formed, and was refused as ill-formed".into()))
            }
            (Some(_), true) | (None, false) => None,
        };
        if let Some((rule, wrong)) = wrong {
            self.findings.fail(rule, || Story {
                headline: format!("{request} of {user} {wrong}"),
                lines: vec![
                    format!("{}, first at {since}", asks(user, request, show, wish)),
                    refused(user, request, at, refusal),
                ],
            });
        }
        ill_formed.is_none()
    }

    /// Judges the refusal of a request to confirm or release a hold: if its show exists, it is well-formed.
    pub(super) fn on_settling_refused(
        &mut self,
        known: &Known,
        request: &Request,
        refusal: Refusal,
        told: &dyn Fn() -> String,
    ) {
        if refusal == Refusal::BadRequest && request.show.0 < known.settings.shows {
            self.findings.fail(WELL_FORMED_REFUSED, || Story {
                headline: format!(
                    "{} of {} is well-formed, and was refused as ill-formed",
                    request.id, request.user
                ),
                lines: vec![format!("asked: {:?}", request.command), told()],
            });
        }
    }

    /// Judges the answer by which a client learns that its hold is booked.
    pub(super) fn on_booked(
        &mut self,
        known: &Known,
        request: &Request,
        (paid, hold): (HoldId, HoldId),
        booked: &SeatList,
        told: &dyn Fn() -> String,
    ) {
        self.findings.checks();
        self.acknowledged += 1;
        let wrong = if paid != hold {
            Some((OTHER_HOLD, "is of another hold than the one paid for"))
        } else if known.clients.get(hold).is_some_and(|held| !same_seats(&held.seats, booked)) {
            Some((OTHER_SEATS, "has other seats than its hold"))
        } else {
            malformed(&known.settings, request.show, booked).map(|wrong| (MALFORMED_BOOKING, wrong))
        };
        if let Some((rule, wrong)) = wrong {
            self.findings.fail(rule, || {
                let mut lines = known.about(paid);
                lines.push(told());
                Story {
                    headline: format!(
                        "the booking that {} got by {} {wrong}",
                        request.user, request.id
                    ),
                    lines,
                }
            });
        }
    }

    /// Counts an answer of a kind that the request does not have.
    pub(super) fn on_mismatch(&mut self, request: &Request, told: &dyn Fn() -> String) {
        self.findings.checks();
        self.findings.fail(OTHER_KIND, || Story {
            headline: format!("{} of {} got an answer of another kind", request.id, request.user),
            lines: vec![format!("asked: {:?}", request.command), told()],
        });
    }

    /// Compares the two views of a hold, once both exist.
    pub(super) fn compare(&mut self, known: &Known, kept: &Entry<Grant>, told: &Entry<KnownHold>) {
        if kept.show != told.show || !same_seats(&kept.seats, &told.seats) {
            self.findings.fail(TOLD_OTHER_SEATS, || Story {
                headline: format!(
                    "the journal has other seats for {} than {} was told",
                    kept.hold, told.known.user
                ),
                lines: known.about(kept.hold),
            });
        }
    }

    pub(super) fn finish(self) -> OracleResult {
        self.findings.finish(self.acknowledged > 0)
    }
}

/// What makes a wish ill-formed.
fn ill_formed(settings: &OracleSettings, show: ShowId, wish: &Wish) -> Option<&'static str> {
    let (picked, best) = (&*wish.picked, &*wish.best);
    let sections = settings.seats_per_show / settings.seats_per_section;
    let twice = || picked.iter().enumerate().any(|(n, seat)| picked[..n].contains(seat));
    let section_twice = || {
        let names = |n: usize, section| best[..n].iter().any(|(other, _)| *other == section);
        best.iter().enumerate().any(|(n, &(section, _))| names(n, section))
    };
    if show.0 >= settings.shows {
        Some("is for a show that does not exist")
    } else if wish.seats() == 0 || best.iter().any(|&(_, count)| count == 0) {
        Some("asks for no seat")
    } else if wish.seats() > usize::from(settings.seats_per_request) {
        Some("asks for more seats than a request may name")
    } else if picked.iter().any(|seat| seat.0 >= settings.seats_per_show)
        || best.iter().any(|(section, _)| u32::from(section.0) >= sections)
    {
        Some("names a seat or section that does not exist")
    } else if twice() || section_twice() {
        Some("names a seat or section twice")
    } else {
        None
    }
}

/// What is wrong with a list of seats on its own.
fn malformed(settings: &OracleSettings, show: ShowId, list: &SeatList) -> Option<&'static str> {
    let twice = || list.iter().enumerate().any(|(n, seat)| list[..n].contains(seat));
    if list.is_empty() {
        Some("has no seats")
    } else if list.len() > usize::from(settings.seats_per_request) {
        Some("has more seats than a request may have")
    } else if show.0 >= settings.shows || list.iter().any(|seat| seat.0 >= settings.seats_per_show)
    {
        Some("has a seat that does not exist")
    } else if twice() {
        Some("has a seat twice")
    } else {
        None
    }
}

/// How the granted seats differ from the wish.
fn unasked(wish: &Wish, granted: &SeatList, seats_per_section: u32) -> Option<&'static str> {
    let section = |seat: &SeatId| seat.0 / seats_per_section;
    let wanted_in = |here: u32| {
        let best = |&(SectionId(there), count): &(SectionId, u8)| {
            if u32::from(there) == here { usize::from(count) } else { 0 }
        };
        wish.picked.iter().filter(|seat| section(seat) == here).count()
            + wish.best.iter().map(best).sum::<usize>()
    };
    let granted_in = |here: u32| granted.iter().filter(|seat| section(seat) == here).count();
    if granted.len() != wish.seats() {
        Some("has the wrong number of seats")
    } else if !wish.picked.iter().all(|seat| granted.contains(seat)) {
        Some("lacks a picked seat")
    } else if granted.iter().map(section).any(|here| granted_in(here) != wanted_in(here)) {
        Some("has the wrong number of seats in a section")
    } else {
        None
    }
}
