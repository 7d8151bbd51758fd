//! Operators' orders to processes: to join, to stop, to leave, each in the process's own time.
//!
//! Owns the delivery of an order and of the process's answer. Refuses to know why an order is given, and what stops and
//! starts the process.

use onsale_booking::{Instant, Span};

use super::World;
use super::event::Event;
use crate::cargo::Cargo;
use crate::listener::Listener;
use crate::machine::Machine;
use crate::place::{Place, Process};
use crate::turn::{Order, Stage};

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// Enters a stage of a restart at an instant.
    pub fn enter_stage(&mut self, at: Instant, fault: usize, node: Place, stage: Stage) {
        self.calendar.enter(at, Event::Stage { fault, node, stage });
    }

    /// Tells a process to stop within `patience`, for a fault. Does nothing if it is dead, or has been
    /// told already.
    pub fn tell_to_stop(&mut self, fault: usize, node: Place, patience: Span) {
        let machine = &mut self.machines[node];
        if machine.life.state() == Process::Down || machine.errand.stopping.is_some() {
            return;
        }
        machine.errand.stopping = Some(fault);
        self.touches.turn(fault);
        self.rotation.close(node);
        self.tell(node, Order::Retire);
        self.enter_stage(self.now + patience, fault, node, Stage::Stops);
    }

    /// Starts a process, and tells it to join the cluster, now and at every later start.
    pub fn start_to_join(&mut self, node: Place) {
        self.machines[node].errand.orders = vec![Order::Join];
        self.rotation.joins(node);
        self.start(node);
    }

    /// Tells a node to leave the cluster and then to stop for good, for a fault. It is told again at every start. If it
    /// is dead, another node is told as well; if all are dead, the first that stays, once it starts.
    pub fn tell_to_leave(&mut self, fault: usize, node: Place) {
        let order = Order::Leave(node.node_id());
        let machine = &mut self.machines[node];
        machine.errand.leaves_for = Some(fault);
        machine.errand.orders = vec![order.clone()];
        self.rotation.close(node);
        self.rotation.leaves(node);
        self.ears.told_to_leave(self.now, node.node_id());
        if machine.life.state() != Process::Down {
            machine.errand.stopping = Some(fault);
            return self.tell(node, order);
        }
        let lives = |place: &Place| {
            self.machines[*place].life.state() != Process::Down && self.rotation.is_open(*place)
        };
        if let Some(other) = self.layout().nodes().find(lives) {
            self.machines[other].errand.orders.push(order.clone());
            return self.tell(other, order);
        }
        let stays = |place: &Place| {
            let machine: &Machine<C> = &self.machines[*place];
            machine.life.incarnation() > 0 && machine.stays()
        };
        if let Some(other) = self.layout().nodes().find(stays) {
            self.machines[other].errand.orders.push(order);
        }
    }

    /// Loses dead nodes and their disks for good, all at one instant; another node is told to have them removed.
    pub fn lose(&mut self, fault: usize, nodes: &[Place]) {
        self.ears.loses(self.now, nodes, &self.machines);
        for &node in nodes {
            self.machines[node].errand.is_lost = true;
        }
        for &node in nodes {
            self.wipe(node);
            self.machines[node].has_other_disk = false;
        }
        for &node in nodes {
            self.ears.gone_for_good(self.now, node, &self.machines);
        }
        nodes.iter().for_each(|&node| self.tell_to_leave(fault, node));
    }

    /// Gives an order to a node that stays, now or, if it is down, when it starts.
    pub fn order(&mut self, node: Place, order: Order) {
        if self.machines[node].life.state() == Process::Down {
            return self.machines[node].errand.orders.push(order);
        }
        self.tell(node, order);
    }

    /// Whether a process is still about to stop for this fault.
    pub fn is_stopping(&self, fault: usize, node: Place) -> bool {
        self.machines[node].errand.stopping == Some(fault)
    }

    /// Notes that a process has no work left and may be stopped.
    pub fn may_stop(&mut self, node: Place) {
        if let Some(fault) = self.machines[node].errand.stopping {
            self.enter_stage(self.now, fault, node, Stage::Stops);
        }
    }

    fn tell(&mut self, node: Place, order: Order) {
        let incarnation = self.machines[node].life.incarnation();
        let order = Box::new(order);
        self.calendar.enter(self.now, Event::Told { node, incarnation, order });
    }
}
