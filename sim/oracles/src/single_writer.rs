//! `single-writer`: no two leaders commit in one epoch, and the journal has no gaps.
//!
//! Owns the judgement over who wrote what in which epoch, from the records that the disks
//! hold. Refuses to hear who believes to be a leader: many may, only one can commit.
//!
//! A record names the node that proposed it, and stands in the log under its index and the
//! epoch in which it was proposed. Four things show two writers, or a log that is not one:
//! - two nodes wrote committed records of one epoch;
//! - two disks hold different records at one index of one epoch, committed or not;
//! - a committed record is of an earlier epoch than the one before it: a deposed leader wrote
//!   after its successor;
//! - a disk knows more to be committed than there are records without a gap.
//!
//! Why no alarm is false: an epoch has one leader, only a leader proposes, at each index
//! once, and followers take its log as it is. Records of two epochs at one index are
//! legal until one of them is committed; what supersedes a committed one is told by
//! `lost-booking`. Why none is missed: every byte of every disk is read when it becomes
//! durable, and all that is committed was durable on a majority of disks.
//!
//! Exercised once a shard has committed events in two epochs: where one leader served from
//! start to end, there was nobody to keep out.

use onsale_booking::{Instant, NodeId};
use onsale_reports::{Oracle, OracleResult};

use super::evidence::{Findings, Story};
use super::position::{Position, log_name};

#[derive(Debug)]
pub(super) struct SingleWriter {
    pub(super) findings: Findings,
    /// By number.
    logs: Vec<Log>,
    /// How often events were committed in a newer epoch than those before.
    changes: u64,
}

/// The end of a committed log.
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

    /// The next committed record of a log; without a writer if it has no events.
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
            self.findings.fail(|| Story {
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
            self.findings.fail(|| Story {
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

    /// Two disks hold different records in one place of one epoch.
    pub(super) fn on_fork(&mut self, at: Instant, position: Position, detail: String) {
        self.findings.fail(|| Story {
            headline: format!("two records were written to {position}"),
            lines: vec![format!("seen at {at}: {detail}")],
        });
    }

    /// A disk knows all up to `committed` to be committed, and the record at `index` was on no
    /// disk that knew so, nor on a majority.
    pub(super) fn on_gap(&mut self, at: Instant, log: u32, index: u64, committed: u64) {
        self.findings.fail(|| Story {
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
