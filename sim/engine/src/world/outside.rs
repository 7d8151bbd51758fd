//! What passes between a run and whoever started it.
//!
//! Owns what is told while a run goes on, and how much of it is remembered. Refuses to know
//! what becomes of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Event, World};

/// What a run tells while it goes on, and the one thing it is told.
#[derive(Debug, Default)]
pub struct Progress {
    /// Virtual time in microseconds.
    pub now_us: AtomicU64,
    /// Events so far.
    pub events: AtomicU64,
    /// People whose story has ended.
    pub users: AtomicU64,
    /// Set from outside: end the run now.
    pub stop: AtomicBool,
}

/// How much of a run is remembered event by event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracing {
    /// Keep the hash after each event.
    pub trail: bool,
    /// Put this event into words.
    pub describe: Option<usize>,
}

impl World {
    /// Says how far the run is, and ends it if that is wanted.
    pub(super) fn report_progress(&mut self) {
        self.progress.now_us.store(self.now.0, Ordering::Relaxed);
        self.progress.events.store(self.events, Ordering::Relaxed);
        if self.progress.stop.load(Ordering::Relaxed) && !self.interrupted && !self.ended {
            self.interrupted = true;
            self.calendar.enter(self.now, Event::End);
        }
        self.check_limits();
    }

    /// Whether the run ends before its time: what has not happened in it might have.
    pub fn is_cut_short(&self) -> bool {
        self.interrupted || self.stops_at.is_some() || self.exceeded.is_some()
    }

    /// How many people's stories have ended, for whoever watches.
    pub fn report_users(&self, users: u64) {
        self.progress.users.store(users, Ordering::Relaxed);
    }
}
