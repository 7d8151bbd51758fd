//! The progress of a run, and whether it may go on.
//!
//! Owns the counts of events and messages, the reasons to end a run early, and the exchange between a run and its
//! caller. Refuses to know what becomes of a stopped run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use onsale_booking::Instant;

use crate::limits::{Exceeded, Limits};
use crate::trace_hash::Trail;

/// Progress of a run in flight, shared with its caller, who can stop it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Current virtual time in microseconds.
    pub now_us: AtomicU64,
    /// Events processed so far.
    pub events: AtomicU64,
    /// People who have left.
    pub users: AtomicU64,
    /// Set by the caller to end the run.
    pub stop: AtomicBool,
}

/// Recording options for each event of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracing {
    /// Whether to keep the hash after each event.
    pub trail: bool,
    /// Number of an event to describe in words.
    pub describe: Option<usize>,
}

/// Progress, limits and early end of a run.
#[derive(Debug)]
pub struct Course {
    /// Events processed so far.
    pub events: u64,
    /// Messages delivered.
    pub messages: u64,
    /// The limits of the run.
    pub limits: Limits,
    /// The limit that ended the run.
    pub exceeded: Option<Exceeded>,
    /// Whether the caller ended the run.
    pub interrupted: bool,
    /// Instant at which it is to be stopped, if before its end.
    pub stops_at: Option<Instant>,
    /// Whether its end has been announced.
    pub(crate) ended: bool,
    /// Replicas that a starting process counts as.
    pub(crate) replicas_a_node: u64,
    replicas_started: u64,
    progress: Arc<Progress>,
    tracing: Tracing,
    /// The hash after each event, if kept.
    pub trail: Option<Trail>,
    /// Description of the event chosen by [`Tracing::describe`].
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

    /// Whether the run ended early: what has not happened in it might have.
    pub const fn is_cut_short(&self) -> bool {
        self.interrupted || self.stops_at.is_some() || self.exceeded.is_some()
    }

    /// Reports the number of people who have left.
    pub fn report_users(&self, users: u64) {
        self.progress.users.store(users, Ordering::Relaxed);
    }

    /// Reports progress. Returns whether the run is to end now.
    pub(crate) fn report(&mut self, now: Instant) -> bool {
        self.progress.now_us.store(now.0, Ordering::Relaxed);
        self.progress.events.store(self.events, Ordering::Relaxed);
        let stops = self.progress.stop.load(Ordering::Relaxed) && !self.interrupted && !self.ended;
        self.interrupted |= stops;
        stops
    }

    /// Whether the last counted event is to be described.
    pub(crate) fn describes(&self) -> bool {
        self.tracing.describe == Some(self.events as usize - 1)
    }

    /// Counts a process that starts while `running` others run. Returns whether that is within the limits, and whether
    /// the run ends instead.
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

    /// Whether the run ends because it exceeds a limit; `keeps` counts bytes, and is called rarely.
    pub(crate) fn exceeds(&mut self, keeps: impl FnOnce() -> u64) -> bool {
        if self.ended || self.exceeded.is_some() {
            return false;
        }
        self.exceeded = self.limits.exceeded_by(self.events, keeps);
        self.exceeded.is_some()
    }
}
