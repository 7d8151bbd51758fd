//! What faults touched: the messages, writes and turns that each changed.
//!
//! Owns the counts, by the fault's number in the plan. Refuses to know what faults do. Nothing here
//! decides anything: a fault that touched nothing proves nothing, and reports say so.

use std::collections::BTreeMap;

use onsale_reports::Touched;

/// The counts of one part of the world.
#[derive(Clone, Debug, Default)]
pub struct Touches(BTreeMap<usize, Touched>);

impl Touches {
    /// The fault lost, delayed, doubled or reordered a message.
    #[cold]
    pub fn message(&mut self, fault: usize) {
        self.0.entry(fault).or_default().messages += 1;
    }

    /// The fault slowed, failed, refused, tore or lost a write, or damaged what was written.
    #[cold]
    pub fn write(&mut self, fault: usize) {
        self.0.entry(fault).or_default().writes += 1;
    }

    /// The fault delayed or slowed a process's turn, or made it go by a wrong clock.
    #[cold]
    pub fn turn(&mut self, fault: usize) {
        self.0.entry(fault).or_default().turns += 1;
    }

    /// What the fault touched here.
    pub(crate) fn of(&self, fault: usize) -> Touched {
        self.0.get(&fault).copied().unwrap_or_default()
    }
}
