//! Watching a run: its story, told in words, and its trace, for tools that draw it.
//!
//! Owns whoever looks on while a run goes on. Looking changes nothing: everything is shown
//! after it was decided, and by reference. Refuses to judge; that is the oracles' business.

mod asked;
mod carried;
pub mod cast;
mod disks;
mod elections;
mod facts;
pub mod follow;
pub mod hazards;
mod leaders;
pub mod line;
pub mod moment;
mod moves;
mod observed;
pub mod page;
pub mod recording;
mod records;
mod requests;
pub mod telling;
mod waits;
mod words;

use std::collections::BTreeSet;

use cast::Cast;
use follow::Follow;
use onsale_booking::Instant;
use recording::Recording;

use crate::judges::Judges;
use crate::seen::sight::Sight;

/// Whoever looks on.
#[derive(Debug, Default)]
pub struct Watch {
    /// Finds out who belongs to a story.
    pub rehearsal: Option<Cast>,
    /// Tells it.
    pub follow: Option<Follow>,
    /// Records everything, for tools.
    pub recording: Option<Recording>,
    /// How many failures there were when the oracles were last looked at, and what was shown.
    failures: u64,
    judged: BTreeSet<String>,
}

impl Watch {
    /// One that finds out who belongs to a story.
    pub fn rehearsing(cast: Cast) -> Self {
        Self { rehearsal: Some(cast), ..Self::default() }
    }

    /// One that tells a story or keeps a trace; `None` if there is nothing to do.
    pub fn of(follow: Option<Follow>, recording: Option<Recording>) -> Option<Box<Self>> {
        let watches = follow.is_some() || recording.is_some();
        watches.then(|| Box::new(Self { follow, recording, ..Self::default() }))
    }

    /// Shows what happens.
    pub fn see(&mut self, now: Instant, sight: &Sight<'_>) {
        if let Some(cast) = &mut self.rehearsal {
            cast.rehearse(now, sight);
        }
        if let Some(follow) = &mut self.follow {
            follow.see(now, sight);
        }
        if let Some(recording) = &mut self.recording {
            recording.see(now, sight);
        }
    }

    /// Shows what the oracles have found since the last time.
    pub fn see_verdicts(&mut self, now: Instant, judges: &Judges) {
        let failures = judges.failures();
        if failures == self.failures {
            return;
        }
        self.failures = failures;
        for (oracle, headline) in judges.headlines() {
            if self.judged.insert(headline.to_owned()) {
                self.see(now, &Sight::Judged { oracle, headline });
            }
        }
    }
}
