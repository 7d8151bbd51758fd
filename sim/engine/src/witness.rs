//! The witnesses of a run: judges, recorder and watch.
//!
//! Owns the three, so that one call tells all, and the last decision of each shard's leader. Refuses to judge and to
//! count.

use onsale_booking::{Instant, Outcome, Refusal, Request, ShowId, Wish};
use onsale_cluster::{Placement, ShardId};
use onsale_oracles::{Asked, Unusual};
use onsale_reports::Recorder;

use crate::judges::Judges;
use crate::seen::sight::Sight;
use crate::story::Watch;

/// The judges and the recorder of a run, and perhaps a watch.
#[derive(Debug)]
pub struct Witness {
    /// The judges.
    pub judges: Judges,
    /// The recorder, which counts.
    pub recorder: Recorder,
    /// The watch, if the run is watched; it changes nothing.
    pub watch: Option<Box<Watch>>,
    /// The last decision of each shard's leader, to measure leaderless times.
    pub decided: Decided,
}

/// By shard, the instant at which a leader's decision last reached a client, and the first request after it.
#[derive(Debug)]
pub struct Decided {
    placement: Placement,
    at: Vec<Instant>,
    /// Instant of the first request since then.
    asked: Vec<Option<Instant>>,
}

impl Decided {
    /// No decision yet.
    pub fn new(placement: Placement) -> Self {
        let shards = placement.shards() as usize;
        Self { at: vec![Instant::ZERO; shards], asked: vec![None; shards], placement }
    }

    /// Instant at which a leader's decision of this shard last reached a client; the beginning of the run
    /// if none has.
    pub fn last(&self, shard: ShardId) -> Instant {
        self.at[shard.0 as usize]
    }

    /// Instant of the first request since then, if there was one.
    pub fn asked_since(&self, shard: ShardId) -> Option<Instant> {
        self.asked[shard.0 as usize]
    }

    fn note_asked(&mut self, now: Instant, show: ShowId) {
        self.asked[self.placement.shard_of(show).0 as usize].get_or_insert(now);
    }

    fn note_decided(&mut self, now: Instant, show: ShowId) {
        let shard = self.placement.shard_of(show).0 as usize;
        self.at[shard] = now;
        self.asked[shard] = None;
    }
}

impl Witness {
    /// Notes a client's new request.
    pub fn invoked(&mut self, now: Instant, request: &Request) {
        self.decided.note_asked(now, request.show);
        self.judges.oracles.invoked(now, request);
        self.sees(now, || Sight::Asks { request, again: false });
    }

    /// Notes that a leader's answer reaches its client, which has waited since `since`.
    pub fn answered(&mut self, now: Instant, since: Instant, request: &Request, outcome: &Outcome) {
        self.decided.note_decided(now, request.show);
        self.judges.oracles.answered(now, since, request, outcome);
        self.sees(now, || Sight::Told { request: request.id, again: false, outcome });
    }

    /// Notes that a leader's answer to an unusual request reaches its client.
    pub fn answered_unusual(
        &mut self,
        now: Instant,
        since: Instant,
        request: &Request,
        (unusual, outcome): (Unusual<'_>, &Outcome),
    ) {
        self.decided.note_decided(now, request.show);
        self.judges.oracles.answered_unusual((since, now), request, unusual, outcome);
        let again = matches!(unusual, Unusual::Repeats { .. });
        self.sees(now, || Sight::Told { request: request.id, again, outcome });
    }

    /// Notes that a leader's refusal of a hold reaches its client.
    pub fn hold_refused(
        &mut self,
        now: Instant,
        asked: &Asked,
        refusal: Refusal,
        wish: impl FnOnce() -> Wish,
    ) {
        self.decided.note_decided(now, asked.show);
        self.judges.oracles.hold_refused(now, asked, refusal, wish);
        let outcome = &Outcome::Refused(refusal);
        self.sees(now, || Sight::Told { request: asked.request, again: false, outcome });
    }

    /// Whether the run is watched.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    /// Shows a sight to the watch; it is built only if there is one.
    #[inline]
    pub fn sees<'a>(&mut self, now: Instant, sight: impl FnOnce() -> Sight<'a>) {
        if let Some(watch) = &mut self.watch {
            show(watch, now, sight);
        }
    }

    /// Shows the watch the failures found since the last call.
    #[inline]
    pub fn sees_verdicts(&mut self, now: Instant) {
        if let Some(watch) = &mut self.watch {
            watch.see_verdicts(now, &self.judges);
        }
    }
}

/// Builds and shows a sight, kept out of the hot path of runs that nobody watches.
#[cold]
#[inline(never)]
fn show<'a>(watch: &mut Watch, now: Instant, sight: impl FnOnce() -> Sight<'a>) {
    watch.see(now, &sight());
}
