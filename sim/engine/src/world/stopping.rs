//! Processes that are told to stop, and do so in their own time.
//!
//! Owns the way of the word to the process and of its answer back. Refuses to know why it is
//! told, and who stops and starts it then.

use onsale_booking::{Instant, Span};
use onsale_cluster::Input;

use super::{Event, World};
use crate::seen::place::{Place, Process};

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
        self.touches.turn(index);
        self.rotation.close(node);
        self.tell(node, Input::Retire);
        self.enter_stage(self.now + patience, index, node, Stage::Stops);
    }

    /// A process starts, and is told now and whenever it starts again to join the cluster.
    pub fn start_to_join(&mut self, node: Place) {
        self.machines[node].orders = vec![Input::Join];
        self.rotation.joins(node);
        self.start(node);
    }

    /// A node is to leave the cluster, and then to stop for good, for a fault. It is told so
    /// whenever it starts; if it is dead, another one is told as well, if all are dead the first that stays
    /// once it starts.
    pub fn tell_to_leave(&mut self, index: usize, node: Place) {
        let input = Input::Leave(node.node_id());
        let machine = &mut self.machines[node];
        machine.leaves_for = Some(index);
        machine.orders = vec![input.clone()];
        self.rotation.close(node);
        self.rotation.leaves(node);
        self.witness.judges.told_to_leave(self.now, node.node_id());
        if machine.process != Process::Down {
            machine.stopping = Some(index);
            return self.tell(node, input);
        }
        let lives = |place: &Place| {
            self.machines[*place].process != Process::Down && self.rotation.is_open(*place)
        };
        if let Some(other) = self.layout().nodes().find(lives) {
            self.machines[other].orders.push(input.clone());
            return self.tell(other, input);
        }
        let stays = |place: &Place| {
            let machine = &self.machines[*place];
            machine.incarnation > 0 && !machine.is_lost && machine.leaves_for.is_none()
        };
        if let Some(other) = self.layout().nodes().find(stays) {
            self.machines[other].orders.push(input);
        }
    }

    /// A node that is dead is gone for good, and its disk with it; another one is told to have it
    /// struck off.
    pub fn lose(&mut self, index: usize, node: Place) {
        self.machines[node].is_lost = true;
        self.wipe(node);
        self.tell_of_lost_facts(node);
        self.tell_to_leave(index, node);
    }

    /// Whether a process is down and can be started.
    pub fn may_start(&self, node: Place) -> bool {
        let machine = &self.machines[node];
        machine.process == Process::Down && !machine.is_lost
    }

    fn tell(&mut self, node: Place, input: Input) {
        let incarnation = self.machines[node].incarnation;
        let input = Box::new(input);
        self.calendar.enter(self.now, Event::Told { node, incarnation, input });
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
