//! `false-sold-out`: no seat is refused that is free, and *sold out* is said where it is due.
//!
//! Owns the comparison of refused holds with the ledger: too few free seats, too few unbooked ones, and, for
//! `linearizable`, a taken seat. Refuses to look at other answers.
//!
//! A refused hold was decided at some instant between its first attempt, `asked`, and its answer, `told`, on the state
//! after some record. That record was first on a disk by `told`: answers wait for the records that they rest on. The
//! next one was first on a disk at `asked` or later: it was decided after the refusal. Both instants are blurred by the
//! quantum.
//!
//! | refused | what the state after such a record must have |
//! |---|---|
//! | `SeatTaken` | a picked seat that is held or booked |
//! | `NoneFree` | a section of which the best are wanted, with fewer free seats than wanted there |
//! | `SoldOut` | fewer unbooked seats than wanted, in such a section or in all |
//!
//! And the other way round: a request that was asked after the booking which makes it impossible was known to be
//! committed is refused as sold out, and not as one that may wait.
//!
//! Why no alarm is false: records may be read after the answer, so a refusal that none explains waits until one is read
//! that was first on a disk after the answer, or for the end. A leader confirms after its decision that it still leads,
//! so it has decided on everything that was committed before the request. Why none is missed: the free seats are those
//! of the ledger, whose instants are exact; and each refusal of a hold is reported, with its wish.
//!
//! A refusal for want of free seats may rest on a state that is a moment old, so nothing says how long a person must
//! wait; and an ill-formed request is judged by `atomic`.

use std::collections::VecDeque;

use onsale_booking::{Instant, Refusal, ShowId, Wish};
use onsale_reports::{Oracle, OracleResult};

use super::asked::Asked;
use super::evidence::{self, Findings, Story, asks};
use super::excuse::Excuse;
use super::known::Known;
use super::linearizable::FREE_SEAT;

crate::rules! {
    FalseSoldOut:
    /// A request was told that none are free while each section had enough free seats.
    ENOUGH_FREE = "enough-free";
    /// A request was told that it is sold out while enough seats were not booked.
    ENOUGH_UNBOOKED = "enough-unbooked";
    /// A request was told to wait although too few seats were left unbooked.
    NOT_SAID = "not-said";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::FalseSoldOut,
        excused: "seats are refused that were free at some time",
        bound: "short of free or unbooked seats in [first attempt − quantum, answer + quantum]",
        beyond: "a_microsecond_beyond_the_quantum_is_judged",
    },
    Excuse {
        oracle: Oracle::FalseSoldOut,
        excused: "a request is told to wait although it is sold out",
        bound: "first attempt ≤ last booking known to be committed + quantum",
        beyond: "sold_out_is_said_to_requests_that_follow_the_last_booking",
    },
    Excuse {
        oracle: Oracle::FalseSoldOut,
        excused: "a refusal waits for the record that explains it",
        bound: "until 65,536 later ones of its show wait as well: the oldest are forgotten",
        beyond: "a_refusal_is_excused_once_as_many_later_ones_wait_as_are_remembered",
    },
];

/// The most refusals of a show that wait for records; older ones are not judged.
const WAITING_MAX: usize = 1 << 16;

/// A refused hold that no record read so far explains.
#[derive(Debug)]
struct Refused {
    told: Instant,
    asked: Asked,
    wish: Wish,
    refusal: Refusal,
}

#[derive(Debug)]
pub(super) struct FalseSoldOut {
    pub(super) findings: Findings,
    /// By show, in the order of answers.
    waiting: Vec<VecDeque<Refused>>,
    /// Number of refusals for want of seats.
    refused: u64,
}

impl FalseSoldOut {
    pub(super) const fn new() -> Self {
        Self { findings: Findings::new(Oracle::FalseSoldOut), waiting: Vec::new(), refused: 0 }
    }

    /// Judges a refused hold, unless its records are still to be read.
    pub(super) fn on_refused(
        &mut self,
        known: &Known,
        told: Instant,
        asked: &Asked,
        wish: &Wish,
        refusal: Refusal,
    ) {
        self.findings.checks();
        self.refused += u64::from(refusal != Refusal::SeatTaken);
        let refused = || Refused { told, asked: *asked, wish: wish.clone(), refusal };
        if refusal != Refusal::SoldOut {
            let due = known.seats.sold_out_from(asked.show, wish);
            if due < Instant::MAX && due + known.settings.quantum < asked.since {
                self.findings.fail(NOT_SAID, || {
                    let what = "is told to wait although it is sold out";
                    let mut story = refused().tell(known, what);
                    story.lines.push(format!("too few seats were left unbooked from {due} on"));
                    story
                });
            }
        }
        if !is_explained(known, asked, wish, refusal) {
            let show = asked.show.0 as usize;
            if show >= self.waiting.len() {
                self.waiting.resize_with(show + 1, VecDeque::new);
            }
            let waiting = &mut self.waiting[show];
            if waiting.len() == WAITING_MAX {
                waiting.pop_front();
            }
            waiting.push_back(refused());
        }
    }

    /// Judges the refusals of a show that were told before a record of it was first on a disk, at `written`, before the
    /// record is folded in: no later state explains them. `linearizable` counts those without a taken seat.
    pub(super) fn before_record(
        &mut self,
        known: &Known,
        linearizable: &mut Findings,
        show: ShowId,
        written: Instant,
    ) {
        let Some(waiting) = self.waiting.get_mut(show.0 as usize) else { return };
        let quantum = known.settings.quantum;
        let late = waiting.partition_point(|refused| refused.told + quantum < written);
        for refused in waiting.drain(..late) {
            refused.judge(known, &mut self.findings, linearizable);
        }
    }

    /// Drops the refusals of a show that a record of it explains, once it is folded in: not those that were asked after
    /// it was first on a disk, as the next record may contradict them.
    pub(super) fn after_record(&mut self, known: &Known, show: ShowId, written: Instant) {
        let Some(waiting) = self.waiting.get_mut(show.0 as usize) else { return };
        let until = written + known.settings.quantum;
        waiting.retain(|refused| refused.asked.since > until || !refused.is_explained(known));
    }

    /// Judges the refusals that wait for a record, once all are read. `linearizable` counts those without a taken seat.
    pub(super) fn on_end(&mut self, known: &Known, linearizable: &mut Findings) {
        for refused in self.waiting.drain(..).flatten() {
            refused.judge(known, &mut self.findings, linearizable);
        }
    }

    pub(super) fn finish(self) -> OracleResult {
        self.findings.finish(self.refused > 0)
    }
}

impl Refused {
    fn is_explained(&self, known: &Known) -> bool {
        is_explained(known, &self.asked, &self.wish, self.refusal)
    }

    /// Counts the refusal if no record explains it.
    fn judge(&self, known: &Known, findings: &mut Findings, linearizable: &mut Findings) {
        if self.is_explained(known) {
            return;
        }
        match self.refusal {
            Refusal::NoneFree => findings.fail(ENOUGH_FREE, || {
                self.tell(known, "is told that none are free while enough are")
            }),
            Refusal::SoldOut => findings.fail(ENOUGH_UNBOOKED, || {
                self.tell(known, "is told that it is sold out while enough seats are not booked")
            }),
            Refusal::SeatTaken => linearizable.fail(FREE_SEAT, || {
                self.tell(known, "is told that a seat is taken while all that it picks are free")
            }),
            Refusal::HoldLost
            | Refusal::NotYours
            | Refusal::BadRequest
            | Refusal::Overloaded
            | Refusal::Unavailable
            | Refusal::Minority => {}
        }
    }

    /// The story of the refusal.
    fn tell(&self, known: &Known, wrong: &str) -> Story {
        let Self { told, asked: Asked { request, user, show, since }, wish, refusal } = self;
        let mut lines = vec![
            format!("{}, first at {since}", asks(*user, *request, *show, wish)),
            evidence::refused(*user, *request, *told, *refusal),
        ];
        lines.extend(known.free(*show, wish));
        Story { headline: format!("{request} of {user} {wrong}"), lines }
    }
}

/// Whether a record read so far explains the refusal of a hold.
fn is_explained(known: &Known, asked: &Asked, wish: &Wish, refusal: Refusal) -> bool {
    let since = Instant(asked.since.0.saturating_sub(known.settings.quantum.0));
    match refusal {
        Refusal::SeatTaken => known.seats.was_taken(asked.show, wish, since),
        Refusal::NoneFree => known.seats.was_short(asked.show, wish, since),
        Refusal::SoldOut => known.seats.was_sold_out(asked.show, wish, since),
        Refusal::HoldLost
        | Refusal::NotYours
        | Refusal::BadRequest
        | Refusal::Overloaded
        | Refusal::Unavailable
        | Refusal::Minority => true,
    }
}
