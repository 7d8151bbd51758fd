//! Watching a run: its story, told in words, and its trace, for tools that draw it.
//!
//! Owns the observers of a run. Watching changes nothing: everything is shown after it was
//! decided, and by reference. Refuses to judge; that is the oracles' job.

mod asked;
mod carried;
pub mod cast;
mod disks;
mod elections;
mod facts;
pub mod follow;
pub mod hazards;
pub mod history;
mod leaders;
pub mod line;
mod moves;
mod observed;
pub mod page;
pub mod recording;
mod records;
mod requests;
pub mod telling;
mod waits;
mod words;
pub mod written_instant;

use std::collections::BTreeSet;

use cast::Cast;
use follow::Follow;
use history::History;
use onsale_booking::Instant;
use recording::Recording;

use crate::judges::Judges;
use crate::seen::sight::Sight;

/// The observers of one run.
#[derive(Debug, Default)]
pub struct Watch {
    /// Finds the people, requests and places that belong to a story.
    pub rehearsal: Option<Cast>,
    /// Tells the story.
    pub follow: Option<Follow>,
    /// Records everything, for tools.
    pub recording: Option<Recording>,
    /// Writes what clients asked and were told.
    pub history: Option<History>,
    /// Failures counted when the oracles were last read.
    failures: u64,
    /// Headlines already shown.
    judged: BTreeSet<String>,
}

impl Watch {
    /// A watch that finds the cast of a story.
    pub fn rehearsing(cast: Cast) -> Self {
        Self { rehearsal: Some(cast), ..Self::default() }
    }

    /// A watch that tells a story, records a trace or writes a history; `None` if it has none of them to do.
    pub fn of(
        follow: Option<Follow>,
        recording: Option<Recording>,
        history: Option<History>,
    ) -> Option<Box<Self>> {
        let watches = follow.is_some() || recording.is_some() || history.is_some();
        watches.then(|| Box::new(Self { follow, recording, history, ..Self::default() }))
    }

    /// Shows the observers what happened.
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
        if let Some(history) = &mut self.history {
            history.see(now, sight);
        }
    }

    /// Shows the observers the failures found since the last call.
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
