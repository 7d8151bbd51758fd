//! Answers about holds, compared with the journal; judged for `hold`.
//!
//! Owns what clients were told about a hold until the journal has what explains it. Refuses to judge timers: an answer
//! may be explained by the journal and still break the promise of time.
//!
//! | told | what the journal must have, first on a disk by then |
//! |---|---|
//! | `Held` | the hold |
//! | `Released` | its release |
//! | `HoldLost`, to a request to confirm it | its end without a booking, or that it never was |
//! | `HoldLost`, to a request to release it | its end or its booking, or that it never was |
//! | `HoldLost`, to a request for a hold | the end of the hold that the request was granted |
//! | `NotYours`, to a request to confirm or release it | that it is another user's |
//!
//! A hold that was granted after the request was first sent may have been unknown when it was decided.
//!
//! Why no alarm is false: an answer waits until the records that it rests on are durable, so they were on a disk by then;
//! if they are not read yet, the answer waits here for them, and at most for the end. Holds that ended long ago are
//! forgotten by the journal's fold: once it has forgotten any, an unknown hold is not judged. A hold that was granted
//! again under its name is not judged either, nor an answer to a request that was sent before a recovery gave up a record
//! of the hold. Why none is missed: each answer is reported, and the journal is the one of
//! the disks.

use onsale_booking::{
    Command, FixedMap, HoldId, Instant, Outcome, Refusal, Request, RequestId, UserId,
};

use super::asked::Asked;
use super::evidence::{Findings, Story};
use super::hold::{HELD_UNRECORDED, NOT_FOREIGN, NOT_LOST, RELEASE_UNRECORDED};
use super::journal::State;
use super::known::Known;
use super::register::Entry;
use super::rule::Rule;

/// An answer about a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Told {
    Held,
    Released,
    /// Lost, to a request to confirm it.
    Unbookable,
    /// Lost, to a request to release it.
    Unreleasable,
    /// Lost, to its own request.
    Over,
    NotYours,
}

/// An answer that the journal does not explain yet.
#[derive(Clone, Copy, Debug)]
struct Claim {
    asked: Instant,
    told: Instant,
    request: RequestId,
    user: UserId,
}

/// Whether the journal explains an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    Yes,
    No,
    /// A later record may.
    Open,
}

/// The answers that wait for the journal; of equal answers about one hold the first, which is the hardest to explain.
#[derive(Debug, Default)]
pub(super) struct Claims {
    waiting: FixedMap<(HoldId, Told), Claim>,
}

impl Told {
    const ALL: [Self; 6] = [
        Self::Held,
        Self::Released,
        Self::Unbookable,
        Self::Unreleasable,
        Self::Over,
        Self::NotYours,
    ];

    /// The hold that an answer is about, if it says something about one.
    fn of(request: &Request, outcome: &Outcome) -> Option<(HoldId, Self)> {
        use Refusal::{HoldLost, NotYours};
        match (&request.command, outcome) {
            (Command::Hold(_), &Outcome::Held { hold, .. }) => Some((hold, Self::Held)),
            (&Command::Release { hold }, Outcome::Released { .. }) => Some((hold, Self::Released)),
            (&Command::Confirm { hold, .. }, Outcome::Refused(HoldLost)) => {
                Some((hold, Self::Unbookable))
            }
            (&Command::Release { hold }, Outcome::Refused(HoldLost)) => {
                Some((hold, Self::Unreleasable))
            }
            (
                &(Command::Confirm { hold, .. } | Command::Release { hold }),
                Outcome::Refused(NotYours),
            ) => Some((hold, Self::NotYours)),
            (Command::Hold(_) | Command::Confirm { .. } | Command::Release { .. }, _) => None,
        }
    }

    /// Whether the journal explains the answer of `claim` about a hold, as far as it is read; all of it `is_end`.
    fn fits(self, known: &Known, hold: HoldId, claim: &Claim, is_end: bool) -> Sense {
        let open = if is_end { Sense::No } else { Sense::Open };
        let is_gone = || {
            let ends = known.given_up.ends(hold).filter(|&at| at <= claim.told);
            ends.is_some() && known.journal.get(hold).is_none()
        };
        let is_lost = matches!(self, Self::Unbookable | Self::Unreleasable | Self::Over);
        if known.given_up.explains(hold, claim.asked) || is_lost && is_gone() {
            return Sense::Yes;
        }
        let Some(Entry { known: grant, .. }) = known.journal.get(hold) else {
            let never_was = match self {
                Self::Unbookable | Self::Unreleasable => true,
                Self::Held | Self::Released | Self::Over | Self::NotYours => {
                    known.journal.has_forgotten()
                }
            };
            return if is_end && never_was { Sense::Yes } else { open };
        };
        let is_young = grant.written + known.settings.quantum >= claim.asked;
        match (self, grant.state) {
            _ if grant.again => Sense::Yes,
            (Self::Held, _) => Sense::Yes,
            (Self::NotYours, _) if grant.user == claim.user => Sense::No,
            (Self::NotYours, _) => Sense::Yes,
            (Self::Released, State::Released { .. }) => Sense::Yes,
            (Self::Unbookable | Self::Unreleasable, _) if is_young => Sense::Yes,
            (
                Self::Unbookable | Self::Unreleasable | Self::Over,
                State::Released { .. } | State::Expired { .. },
            ) => Sense::Yes,
            (Self::Unreleasable, State::Booked { .. }) => Sense::Yes,
            (_, State::Held) => open,
            (_, _) => Sense::No,
        }
    }

    /// What the answer says of the hold.
    const fn said(self) -> &'static str {
        match self {
            Self::Held => "granted",
            Self::Released => "released",
            Self::Unbookable | Self::Unreleasable | Self::Over => "lost",
            Self::NotYours => "another user's",
        }
    }

    /// The rule that an unexplained answer breaks, and its words.
    fn broken(self) -> (Rule, &'static str) {
        match self {
            Self::Held => (HELD_UNRECORDED, "is told of a hold that was not recorded by then"),
            Self::Released => {
                (RELEASE_UNRECORDED, "is told of a release that was not recorded by then")
            }
            Self::Unbookable | Self::Unreleasable | Self::Over => {
                (NOT_LOST, "is told that a hold is lost that had not ended by then")
            }
            Self::NotYours => {
                (NOT_FOREIGN, "is told that a hold is another user's, which it is not")
            }
        }
    }
}

impl Claims {
    /// Compares an answer with the journal, as far as it is read.
    pub(super) fn on_answer(
        &mut self,
        known: &Known,
        findings: &mut Findings,
        (asked, told): (Instant, Instant),
        request: &Request,
        outcome: &Outcome,
    ) {
        if let Some((hold, what)) = Told::of(request, outcome) {
            let claim = Claim { asked, told, request: request.id, user: request.user };
            self.take(known, findings, hold, what, claim);
        }
    }

    /// The same for a request for a hold that is told that its hold is lost.
    pub(super) fn on_hold_lost(
        &mut self,
        known: &Known,
        findings: &mut Findings,
        told: Instant,
        asked: &Asked,
    ) {
        let &Asked { request, user, since, .. } = asked;
        let claim = Claim { asked: since, told, request, user };
        self.take(known, findings, HoldId::from(request), Told::Over, claim);
    }

    fn take(
        &mut self,
        known: &Known,
        findings: &mut Findings,
        hold: HoldId,
        what: Told,
        claim: Claim,
    ) {
        match what.fits(known, hold, &claim, false) {
            Sense::Yes => {}
            Sense::No => claim.fail(known, findings, hold, what),
            Sense::Open => {
                self.waiting.entry((hold, what)).or_insert(claim);
            }
        }
    }

    /// Compares the answers about a hold again, once a record about it is folded in, first on a disk at `written`.
    pub(super) fn on_record(
        &mut self,
        known: &Known,
        findings: &mut Findings,
        hold: HoldId,
        written: Instant,
    ) {
        if self.waiting.is_empty() {
            return;
        }
        for what in Told::ALL {
            let Some(&claim) = self.waiting.get(&(hold, what)) else { continue };
            let sense = match written > claim.told + known.settings.quantum {
                true => Sense::No,
                false => what.fits(known, hold, &claim, false),
            };
            if sense != Sense::Open {
                self.waiting.remove(&(hold, what));
            }
            if sense == Sense::No {
                claim.fail(known, findings, hold, what);
            }
        }
    }

    /// Judges what waits at the end, in the order of answers.
    pub(super) fn on_end(&mut self, known: &Known, findings: &mut Findings) {
        let mut unexplained: Vec<(HoldId, Told, Claim)> = self
            .waiting
            .drain()
            .filter(|((hold, what), claim)| what.fits(known, *hold, claim, true) == Sense::No)
            .map(|((hold, what), claim)| (hold, what, claim))
            .collect();
        unexplained.sort_unstable_by_key(|&(hold, what, claim)| (claim.told, hold, what));
        for (hold, what, claim) in unexplained {
            claim.fail(known, findings, hold, what);
        }
    }
}

impl Claim {
    /// Counts an answer that the journal does not explain.
    fn fail(&self, known: &Known, findings: &mut Findings, hold: HoldId, what: Told) {
        let Self { asked, told, request, user } = self;
        let (rule, words) = what.broken();
        findings.fail(rule, || {
            let mut lines = known.about(hold);
            let said = what.said();
            lines.push(format!(
                "client {user}: asked {request} at {asked}, told at {told} that {hold} is {said}"
            ));
            Story { headline: format!("{request} of {user} {words}"), lines }
        });
    }
}
