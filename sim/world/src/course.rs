//! How far a run has come, and whether it may go on.
//!
//! Owns the counts of events and messages, what ends a run before its time, and what passes between a run and whoever
//! started it. Refuses to know what becomes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use onsale_booking::Instant;

use crate::fingerprint::Trail;
use crate::limits::{Exceeded, Limits};

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

/// The course of a run.
#[derive(Debug)]
pub struct Course {
    /// Events so far.
    pub events: u64,
    /// Messages delivered.
    pub messages: u64,
    /// How much the run may do.
    pub limits: Limits,
    /// The limit that ended the run.
    pub exceeded: Option<Exceeded>,
    /// Whether the run was ended from outside.
    pub interrupted: bool,
    /// Where it is to be stopped, if before its end.
    pub stops_at: Option<Instant>,
    /// Whether its end was given out.
    pub(crate) ended: bool,
    /// A process that starts counts for this many replicas.
    pub(crate) replicas_a_node: u64,
    replicas_started: u64,
    progress: Arc<Progress>,
    tracing: Tracing,
    /// The hash after each event, if it is kept.
    pub trail: Option<Trail>,
    /// The event that was to be put into words.
    pub described: Option<String>,
}

impl Course {
    pub(crate) fn new(replicas_a_node: u64, progress: Arc<Progress>, tracing: Tracing) -> Self {
        Self {
            events: 0,
            messages: 0,
            limits: Limits::default(),
            exceeded: None,
            interrupted: false,
            stops_at: None,
            ended: false,
            replicas_a_node,
            replicas_started: 0,
            progress,
            trail: tracing.trail.then(Trail::default),
            described: None,
            tracing,
        }
    }

    /// Whether the run ends before its time: what has not happened in it might have.
    pub const fn is_cut_short(&self) -> bool {
        self.interrupted || self.stops_at.is_some() || self.exceeded.is_some()
    }

    /// How many people's stories have ended, for whoever watches.
    pub fn report_users(&self, users: u64) {
        self.progress.users.store(users, Ordering::Relaxed);
    }

    /// Says how far the run is. Whether it is to be ended now, because that is wanted.
    pub(crate) fn report(&mut self, now: Instant) -> bool {
        self.progress.now_us.store(now.0, Ordering::Relaxed);
        self.progress.events.store(self.events, Ordering::Relaxed);
        let stops = self.progress.stop.load(Ordering::Relaxed) && !self.interrupted && !self.ended;
        self.interrupted |= stops;
        stops
    }

    /// Whether the event that has just been counted is to be put into words.
    pub(crate) fn describes(&self) -> bool {
        self.tracing.describe == Some(self.events as usize - 1)
    }

    /// A process starts while so many run; says whether that is within the limits, and whether the run ends instead.
    pub(crate) fn affords_start(&mut self, running: u64) -> (bool, bool) {
        self.replicas_started += self.replicas_a_node;
        let running = self.replicas_a_node.saturating_mul(running);
        let exceeded = self.limits.exceeded_by_start(self.events, self.replicas_started, running);
        let ends = exceeded.is_some() && self.exceeded.is_none();
        if ends {
            self.exceeded = exceeded;
        }
        (self.exceeded.is_none(), ends)
    }

    /// Whether the run ends because it has done more than it may; `keeps` is asked now and then.
    pub(crate) fn exceeds(&mut self, keeps: impl FnOnce() -> u64) -> bool {
        if self.ended || self.exceeded.is_some() {
            return false;
        }
        self.exceeded = self.limits.exceeded_by(self.events, keeps);
        self.exceeded.is_some()
    }
}
