//! The messages, writes and turns that each fault changed.
//!
//! Owns the counts, by the fault's number in the plan. They affect no outcome: a fault that touched
//! nothing proves nothing, and reports say so. Refuses to know what faults do.

use std::collections::BTreeMap;

use onsale_reports::Touched;

/// The counts of one part of the world.
#[derive(Clone, Debug, Default)]
pub struct Touches(BTreeMap<usize, Touched>);

impl Touches {
    /// Counts a message that the fault lost, delayed, duplicated or reordered.
    #[cold]
    pub fn message(&mut self, fault: usize) {
        self.0.entry(fault).or_default().messages += 1;
    }

    /// Counts a write that the fault slowed, failed, refused, tore, lost or damaged.
    #[cold]
    pub fn write(&mut self, fault: usize) {
        self.0.entry(fault).or_default().writes += 1;
    }

    /// Counts a turn that the fault delayed or slowed, or that used a wrong clock.
    #[cold]
    pub fn turn(&mut self, fault: usize) {
        self.0.entry(fault).or_default().turns += 1;
    }

    /// The counts of one fault.
    pub(crate) fn of(&self, fault: usize) -> Touched {
        self.0.get(&fault).copied().unwrap_or_default()
    }
}
