//! `single-writer`: no two leaders commit in one epoch, and the journal has no gaps.
//!
//! Owns the judgement over the writers of each epoch, from the records on disks. Refuses to
//! listen to nodes that believe they lead: many may, only one can commit.
//!
//! A record names its proposer, its index in the log, and the epoch in which it was proposed.
//! Four things show two writers, or a broken log:
//! - two nodes wrote committed records of one epoch;
//! - two disks hold different records at one index of one epoch, committed or not;
//! - a committed record is of an earlier epoch than the one before it: a deposed leader wrote
//!   after its successor;
//! - a disk has a commit index beyond the records found without a gap.
//!
//! Why no alarm is false: an epoch has one leader, only a leader proposes, at each index
//! once, and followers copy its log. Records of two epochs at one index are legal until one
//! of them is committed; `lost-booking` reports one that supersedes a committed record. Why
//! none is missed: every byte of every disk is read when it becomes durable, and every
//! committed record was durable on a majority of disks.
//!
//! Exercised once a shard has committed events in two epochs: a single leader has no
//! predecessor to be kept out.

use onsale_booking::{Instant, NodeId};
use onsale_reports::{Oracle, OracleResult};

use super::evidence::{Findings, Story};
use super::excuse::{Excuse, MEASURED};
use super::position::{Position, log_name};

crate::rules! {
    SingleWriter:
    /// A committed record is of an earlier term than the one before it.
    DEPOSED_WRITER = "deposed-writer";
    /// Two nodes wrote committed records of one term.
    TWO_WRITERS = "two-writers";
    /// Two disks hold different records of one term in one place.
    FORK = "fork";
    /// A committed record was never found.
    GAP = "gap";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::SingleWriter,
        excused: "two nodes wrote committed records of one term",
        bound: "all records without events, which name no writer",
        beyond: "two_writers_of_one_term",
    },
    Excuse {
        oracle: Oracle::SingleWriter,
        excused: "two disks hold different records in one place",
        bound: "of different terms, and not both committed",
        beyond: MEASURED,
    },
];

#[derive(Debug)]
pub(super) struct SingleWriter {
    pub(super) findings: Findings,
    /// The logs, by number.
    logs: Vec<Log>,
    /// Number of times that events were committed in a newer epoch than before.
    changes: u64,
}

/// The end of a log's committed records.
#[derive(Clone, Debug, Default)]
struct Log {
    last: Option<Position>,
    /// The writer of the latest record with events.
    wrote: Option<(NodeId, Position)>,
}

impl SingleWriter {
    pub(super) fn new() -> Self {
        Self { findings: Findings::new(Oracle::SingleWriter), logs: Vec::new(), changes: 0 }
    }

    /// Judges the next committed record of a log; it has no writer if it has no events.
    pub(super) fn on_committed(&mut self, position: Position, writer: Option<NodeId>) {
        let place = position.log as usize;
        if place >= self.logs.len() {
            self.logs.resize(place + 1, Log::default());
        }
        let log = &mut self.logs[place];
        self.findings.checks();
        if let Some(last) = log.last.replace(position)
            && last.term > position.term
        {
            self.findings.fail(DEPOSED_WRITER, || Story {
                headline: format!(
                    "a deposed leader of {} wrote after its successor",
                    position.log_name()
                ),
                lines: vec![
                    format!("journal {last}: committed"),
                    format!("journal {position}: committed after it, in an earlier epoch"),
                ],
            });
        }
        let Some(writer) = writer else { return };
        let Some((before, at)) = log.wrote.replace((writer, position)) else { return };
        self.changes += u64::from(at.term < position.term);
        if at.term == position.term && before != writer {
            self.findings.fail(TWO_WRITERS, || Story {
                headline: format!(
                    "{before} and {writer} both wrote to {} in e{}",
                    position.log_name(),
                    position.term
                ),
                lines: vec![
                    format!("journal {at}: committed, written by {before}"),
                    format!("journal {position}: committed, written by {writer}"),
                ],
            });
        }
    }

    /// Goes on after a recovery, from the last record of a log that is left, and the last one with a writer.
    pub(super) fn on_given_up(
        &mut self,
        log: u32,
        (last, wrote): (Option<Position>, Option<(NodeId, Position)>),
    ) {
        if let Some(log) = self.logs.get_mut(log as usize) {
            *log = Log { last, wrote };
        }
    }

    /// Counts two disks with different records at one index of one epoch.
    pub(super) fn on_fork(&mut self, at: Instant, position: Position, detail: String) {
        self.findings.fail(FORK, || Story {
            headline: format!("two records were written to {position}"),
            lines: vec![format!("seen at {at}: {detail}")],
        });
    }

    /// Counts a gap: a disk knows all records up to `committed` to be committed, but the one at
    /// `index` was on no such disk, nor on a majority.
    pub(super) fn on_gap(&mut self, at: Instant, log: u32, index: u64, committed: u64) {
        self.findings.fail(GAP, || Story {
            headline: format!("the journal of {} has a gap at {index}", log_name(log)),
            lines: vec![format!(
                "at {at} a disk knows all up to {committed} to be committed, but not that record"
            )],
        });
    }

    pub(super) fn finish(self) -> OracleResult {
        let exercised = self.changes > 0;
        self.findings.finish(exercised)
    }
}
