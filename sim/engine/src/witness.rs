//! What watches a run: the oracles, the recorder, and whoever looks on.
//!
//! Owns nothing but the three, and when each shard's leader was last heard of, so that whoever tells
//! one tells the others.

use onsale_booking::{Instant, Outcome, Refusal, Request, ShowId};
use onsale_cluster::{Placement, ShardId};
use onsale_oracles::Asked;
use onsale_reports::Recorder;

use crate::judges::Judges;
use crate::seen::sight::Sight;
use crate::story::Watch;

/// The oracles and the recorder of a run, and perhaps somebody who looks on.
#[derive(Debug)]
pub struct Witness {
    /// Judges.
    pub judges: Judges,
    /// Counts.
    pub recorder: Recorder,
    /// Looks on, and changes nothing by it.
    pub watch: Option<Box<Watch>>,
    /// Says how long shards had no leader.
    pub decided: Decided,
}

/// By shard, when a leader's decision last reached a client, and when it was next asked for one.
#[derive(Debug)]
pub struct Decided {
    placement: Placement,
    at: Vec<Instant>,
    /// When the first request since then was asked.
    asked: Vec<Option<Instant>>,
}

impl Decided {
    /// Nothing has been decided.
    pub fn new(placement: Placement) -> Self {
        let shards = placement.shards() as usize;
        Self { at: vec![Instant::ZERO; shards], asked: vec![None; shards], placement }
    }

    /// When a leader's decision about a show of this shard last reached a client; the beginning of the run
    /// if none has.
    pub fn last(&self, shard: ShardId) -> Instant {
        self.at[shard.0 as usize]
    }

    /// When the first request since then was asked, if any was.
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
    /// A client asks for something new.
    pub fn invoked(&mut self, now: Instant, request: &Request) {
        self.decided.note_asked(now, request.show);
        self.judges.oracles.invoked(now, request);
    }

    /// A leader's answer reaches its client, who has waited since `since`.
    pub fn answered(&mut self, now: Instant, since: Instant, request: &Request, outcome: &Outcome) {
        self.decided.note_decided(now, request.show);
        self.judges.oracles.answered(now, since, request, outcome);
    }

    /// A leader's refusal to hold seats reaches its client.
    pub fn hold_refused(&mut self, now: Instant, asked: &Asked, refusal: Refusal) {
        self.decided.note_decided(now, asked.show);
        self.judges.oracles.hold_refused(now, asked, refusal);
    }

    /// Whether somebody looks on.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    /// Shows something to whoever looks on; nothing is put together if nobody does.
    #[inline]
    pub fn sees<'a>(&mut self, now: Instant, sight: impl FnOnce() -> Sight<'a>) {
        if let Some(watch) = &mut self.watch {
            show(watch, now, sight);
        }
    }

    /// Shows what the oracles have found since they were last looked at.
    #[inline]
    pub fn sees_verdicts(&mut self, now: Instant) {
        if let Some(watch) = &mut self.watch {
            watch.see_verdicts(now, &self.judges);
        }
    }
}

/// Puts a sight together, out of the way of the many runs at which nobody looks.
#[cold]
#[inline(never)]
fn show<'a>(watch: &mut Watch, now: Instant, sight: impl FnOnce() -> Sight<'a>) {
    watch.see(now, &sight());
}
