//! Processes that are told to stop, and do so in their own time.
//!
//! Owns the way of the word to the process and of its answer back. Refuses to know why it is
//! told, and who stops and starts it then.

use onsale_core::{Instant, Span};

use super::network::Place;
use super::{Event, Process, World};

/// What happens next to a node in the course of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is told to stop.
    Told,
    /// It stops: it said that it may, or it has had its time.
    Stops,
    /// It starts again.
    Starts,
}

impl World {
    /// A fault reaches a stage at an instant.
    pub fn enter_stage(&mut self, at: Instant, index: usize, node: Place, stage: Stage) {
        self.calendar.enter(at, Event::Stage { index, node, stage });
    }

    /// Tells a process to stop, for a fault; it may take so long. Nothing if it is dead, or has
    /// been told already.
    pub fn tell_to_stop(&mut self, index: usize, node: Place, patience: Span) {
        let machine = &mut self.machines[node];
        if machine.process == Process::Down || machine.stopping.is_some() {
            return;
        }
        machine.stopping = Some(index);
        let incarnation = machine.incarnation;
        self.rotation.close(node);
        self.calendar.enter(self.now, Event::Told { node, incarnation });
        self.enter_stage(self.now + patience, index, node, Stage::Stops);
    }

    /// Whether a process is still about to stop for this fault.
    pub fn is_stopping(&self, index: usize, node: Place) -> bool {
        self.machines[node].stopping == Some(index)
    }

    /// The process says that nothing is left for it to do.
    pub(super) fn may_stop(&mut self, node: Place) {
        if let Some(index) = self.machines[node].stopping {
            self.enter_stage(self.now, index, node, Stage::Stops);
        }
    }
}
