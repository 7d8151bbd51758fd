//! Limits: what a run may use before it is stopped.
//!
//! Owns the two measures, events and bytes, and how often they are checked. Both are functions of
//! the plan and the code: a run is stopped at the same event on every machine. Refuses to read the
//! machine's clock or memory, so it does not see a turn that never ends (a watchdog outside the run
//! does), and to know what becomes of a stopped run.

use std::fmt;

use onsale_reports::human::count;
use serde::{Deserialize, Serialize};

/// Bytes that a pending event counts as. A message of a fault run takes about this; a batch of
/// thousands of requests takes more and counts the same.
pub(crate) const BYTES_PER_EVENT: u64 = 256;

/// Bytes that a replica of a running process counts as.
pub const BYTES_PER_REPLICA: u64 = 8 << 10;

/// Events between two counts of the bytes: counting walks the whole calendar.
const EVENTS_PER_COUNT: u64 = 1 << 16;

/// The limits of a run. Unlimited by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Upper bound of events, checked every 256 events and whenever a process starts; each of its replicas counts as one
    /// event.
    pub events_max: u64,
    /// Upper bound of bytes. Checked every 65,536 events: the bytes on all disks, and
    /// 256 for each pending event and each turn that waits for a paused process.
    /// Checked whenever a process starts: 8,192 for each replica of running processes.
    /// Other memory of the processes does not count.
    pub bytes_max: u64,
}

/// The limit that stopped a run. Under it alone, the run stops at the same event again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// A limit on events.
    MaxEvents(u64),
    /// A limit on bytes.
    MaxBytes(u64),
}

/// The limit that a run exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// The run reached its limit of events.
    Events {
        /// Its events.
        had: u64,
        /// The limit.
        limit: u64,
    },
    /// The run kept more than this many bytes.
    Bytes(u64),
}

impl Default for Limits {
    fn default() -> Self {
        Self { events_max: u64::MAX, bytes_max: u64::MAX }
    }
}

impl Limits {
    /// The limit that the start of a process would exceed, after `events` events, with `started` replicas started so
    /// far, of which `running` run.
    pub fn exceeded_by_start(self, events: u64, started: u64, running: u64) -> Option<Exceeded> {
        let done = events.saturating_add(started);
        if done >= self.events_max {
            return Some(Exceeded::Events { had: done, limit: self.events_max });
        }
        let is_too_large = running.saturating_mul(BYTES_PER_REPLICA) > self.bytes_max;
        is_too_large.then_some(Exceeded::Bytes(self.bytes_max))
    }

    /// Limits with this one alone, or none.
    pub fn only(limit: Option<Limit>) -> Self {
        match limit {
            None => Self::default(),
            Some(Limit::MaxEvents(events_max)) => Self { events_max, ..Self::default() },
            Some(Limit::MaxBytes(bytes_max)) => Self { bytes_max, ..Self::default() },
        }
    }

    /// The limit that `exceeded` names.
    pub const fn that(self, exceeded: Exceeded) -> Limit {
        match exceeded {
            Exceeded::Events { .. } => Limit::MaxEvents(self.events_max),
            Exceeded::Bytes(_) => Limit::MaxBytes(self.bytes_max),
        }
    }

    /// The limit that is exceeded after `events` events; `bytes` is called rarely.
    pub fn exceeded_by(self, events: u64, bytes: impl FnOnce() -> u64) -> Option<Exceeded> {
        if events >= self.events_max {
            return Some(Exceeded::Events { had: events, limit: self.events_max });
        }
        let counts = self.bytes_max < u64::MAX && events.is_multiple_of(EVENTS_PER_COUNT);
        (counts && bytes() > self.bytes_max).then_some(Exceeded::Bytes(self.bytes_max))
    }
}

impl fmt::Display for Limit {
    /// Formats the limit as the command line takes it: `--max-events 20000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxEvents(events) => write!(f, "--max-events {events}"),
            // The command line takes whole KiB.
            Self::MaxBytes(bytes) => write!(f, "--max-memory {}KiB", bytes >> 10),
        }
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events { had, limit } => {
                write!(f, "after {} events: the limit is {}", count(*had), count(*limit))
            }
            Self::Bytes(limit) => {
                write!(f, "because it keeps more than {} bytes, the limit", count(*limit))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_measures_end_a_run_and_neither_does_by_default() {
        let limits = Limits { events_max: 1 << 20, bytes_max: 100 };
        assert_eq!(limits.exceeded_by(256, || unreachable!("counted too often")), None);
        assert_eq!(limits.exceeded_by(EVENTS_PER_COUNT, || 100), None);
        assert_eq!(limits.exceeded_by(EVENTS_PER_COUNT, || 101), Some(Exceeded::Bytes(100)));
        assert_eq!(
            limits.exceeded_by(1 << 20, || 0),
            Some(Exceeded::Events { had: 1 << 20, limit: 1 << 20 })
        );
        assert_eq!(Limits::default().exceeded_by(u64::MAX - 1, || u64::MAX), None);
    }

    #[test]
    fn the_limit_that_stopped_a_run_stops_it_again() {
        let limits = Limits { events_max: 1 << 20, bytes_max: 100 << 10 };
        let table = [
            (Exceeded::Events { had: 1 << 20, limit: 1 << 20 }, "--max-events 1048576"),
            (Exceeded::Bytes(100 << 10), "--max-memory 100KiB"),
        ];
        for (exceeded, words) in table {
            let limit = limits.that(exceeded);
            assert_eq!(limit.to_string(), words);
            let again = Limits::only(Some(limit)).exceeded_by(1 << 20, || u64::MAX);
            assert_eq!(again, Some(exceeded));
        }
        assert_eq!(Limits::only(None), Limits::default());
    }

    #[test]
    fn the_start_of_a_process_counts() {
        let limits = Limits { events_max: 1_000, bytes_max: 100 << 20 };
        assert_eq!(limits.exceeded_by_start(0, 999, 999), None);
        assert_eq!(
            limits.exceeded_by_start(1, 999, 999),
            Some(Exceeded::Events { had: 1_000, limit: 1_000 })
        );
        let small = Limits { bytes_max: 1 << 20, ..limits };
        assert_eq!(small.exceeded_by_start(0, 128, 128), None);
        assert_eq!(small.exceeded_by_start(0, 129, 129), Some(Exceeded::Bytes(1 << 20)));
    }
}
