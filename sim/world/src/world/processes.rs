//! Processes that start, pause, resume and die.
//!
//! Owns what else in the world changes with them. Refuses to know why.

use super::World;
use super::event::Event;
use crate::cargo::Cargo;
use crate::listener::Listener;
use crate::place::{Place, Process};
use crate::process::Death;

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// Starts a process: its host is told to boot.
    pub fn start(&mut self, node: Place) {
        let now = self.now;
        let machine = &mut self.machines[node];
        machine.life.start(now);
        machine.clock.start(now);
        let incarnation = machine.life.incarnation();
        machine.errand.stopping = machine.errand.leaves_for;
        let has_other_disk = std::mem::take(&mut machine.has_other_disk);
        if machine.errand.leaves_for.is_none() {
            self.rotation.open(node);
        }
        self.calendar.enter(now, Event::Boots { node, incarnation });
        for order in &self.machines[node].errand.orders {
            self.calendar
                .enter(now, Event::Told { node, incarnation, order: Box::new(order.clone()) });
        }
        self.ears.started(now, node, has_other_disk, &self.machines);
    }

    /// Kills a process, for a fault or by itself. Its disk keeps the synced bytes; what else it wrote is read back, or lost
    /// with its machine but for a prefix.
    pub fn kill(&mut self, node: Place, death: Death, by: Option<usize>) {
        let now = self.now;
        let machine = &mut self.machines[node];
        if let Some(fault) = by
            && machine.disk.in_flight().is_some()
        {
            self.touches.write(fault);
        }
        machine.life.die(now, by);
        machine.lose_what_was_not_durable(now, death, self.ears.disks_lose());
        self.ears.died(now, node, by, machine);
        self.reset_connections(node);
    }

    /// Lets a process die that asked for it.
    pub fn give_up(&mut self, node: Place) {
        let incarnation = self.machines[node].life.incarnation();
        self.calendar.enter(self.now, Event::Dies { node, incarnation });
    }

    /// Lets a process die whose release cannot run on its machine, until another one is installed.
    pub fn give_up_on_release(&mut self, node: Place) {
        self.machines[node].program.refuse();
        self.give_up(node);
    }

    /// Pauses a process, for a fault.
    pub fn pause(&mut self, node: Place, by: usize) {
        let life = &mut self.machines[node].life;
        life.pause(by);
        self.ears.paused(self.now, node, by, u64::from(life.incarnation()));
    }

    /// Resumes a process, with all turns that came during the pause.
    pub fn resume(&mut self, node: Place) {
        let machine = &mut self.machines[node];
        machine.life.resume();
        let incarnation = machine.life.incarnation();
        self.ears.resumed(self.now, node, u64::from(incarnation));
        for turn in std::mem::take(&mut machine.stalled) {
            let turn = Box::new(turn);
            self.calendar.enter(self.now, Event::Resumed { node, incarnation, turn });
        }
    }

    /// Whether a process is down and may be started.
    pub fn may_start(&self, node: Place) -> bool {
        let machine = &self.machines[node];
        machine.life.state() == Process::Down
            && !machine.errand.is_lost
            && !machine.program.has_refused()
    }
}
