//! What watches a run: the oracles, the recorder, and whoever looks on.
//!
//! Owns nothing but the three, so that whoever tells one tells the others.

use onsale_core::Instant;
use onsale_reports::Recorder;

use crate::oracle::Oracles;
use crate::story::{Sight, Watch};

/// The oracles and the recorder of a run, and perhaps somebody who looks on.
#[derive(Debug)]
pub struct Witness {
    /// Judges.
    pub oracles: Oracles,
    /// Counts.
    pub recorder: Recorder,
    /// Looks on, and changes nothing by it.
    pub watch: Option<Box<Watch>>,
}

impl Witness {
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
            watch.see_verdicts(now, &self.oracles);
        }
    }
}

/// Puts a sight together, out of the way of the many runs at which nobody looks.
#[cold]
#[inline(never)]
fn show<'a>(watch: &mut Watch, now: Instant, sight: impl FnOnce() -> Sight<'a>) {
    watch.see(now, &sight());
}
