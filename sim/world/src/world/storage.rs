//! Disks in the world: how a write begins and ends, and how faults damage them.
//!
//! Owns what a process is told about a failing disk. Refuses to know which disks faults strike and what is on them.

use onsale_booking::{Instant, Span};

use super::World;
use super::event::Event;
use crate::cargo::Cargo;
use crate::disk::Answer;
use crate::listener::Listener;
use crate::place::Place;
use crate::turn::{NodeTurn, Turn};
use crate::write::{Write, WriteId};

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// Begins a process's write at an instant; a process whose write is to tear dies during it.
    pub fn begin_write(&mut self, node: Place, at: Instant, mut write: Write) {
        self.ears.rewrite(node, &mut write.bytes);
        self.fingerprint.fold(write.id.0);
        self.fingerprint.fold_bytes(&write.bytes);
        self.ears.write_begins(self.now, node, &write);
        let (id, machine) = (write.id, &mut self.machines[node]);
        let takes = machine.disk.begin(at, write);
        let incarnation = machine.life.incarnation();
        if machine.disk.armed_by().is_some() {
            let midst = at + Span(takes.0 / 2);
            self.calendar.enter(midst, Event::Dies { node, incarnation });
        }
        self.calendar.enter(at + takes, Event::Durable { node, incarnation, id });
    }

    /// Ends a write that is due: its process gets the disk's answer, if there is one. A write that faults have delayed
    /// has several such events, of which one is at its due instant.
    pub(super) fn write_ends(&mut self, node: Place, id: WriteId) -> Option<Turn<C>> {
        let (now, machine) = (self.now, &mut self.machines[node]);
        if !machine.disk.is_due(now, id) {
            return None;
        }
        let answer = machine.disk.answer();
        if matches!(answer, Answer::Failed | Answer::Full) {
            self.ears.write_failed(now, node);
        }
        match answer {
            Answer::Silent => None,
            Answer::Durable => {
                machine.note_written();
                let begin = machine.disk.begins_segment();
                let bytes = machine.disk.complete(now, id);
                self.ears.written(now, node, bytes, begin);
                self.give(node, NodeTurn::Persisted(id))
            }
            // How much of it is on the disk shows once the process is dead.
            Answer::Failed => self.give(node, NodeTurn::WriteFailed(id)),
            Answer::Full => {
                let write = machine.disk.refuse();
                self.give(node, NodeTurn::WriteRefused(Box::new(write)))
            }
        }
    }

    /// Ends what a fault did to a disk.
    pub fn cure_disk(&mut self, node: Place, fault: usize) {
        let disk = &mut self.machines[node].disk;
        disk.write_again(fault);
        disk.make_room(fault);
        disk.disarm(fault);
        disk.keep_word(fault);
        self.go_on_writing(node, fault);
        self.scrub(node, fault);
    }

    /// Ends a fault's stall: a write that waits for it ends now.
    fn go_on_writing(&mut self, node: Place, fault: usize) {
        let machine = &mut self.machines[node];
        if let Some(id) = machine.disk.go_on(self.now, fault) {
            let incarnation = machine.life.incarnation();
            self.calendar.enter(self.now, Event::Durable { node, incarnation, id });
        }
    }

    /// Ends a fault's slowness of a disk, also for the rest of the write in flight. A process whose write is to tear dies
    /// in the middle of that rest.
    pub fn speed_up_disk(&mut self, node: Place, fault: usize) {
        let (now, machine) = (self.now, &mut self.machines[node]);
        let Some((id, due)) = machine.disk.speed_up(now, fault) else { return };
        let incarnation = machine.life.incarnation();
        if machine.disk.armed_by().is_some() {
            let midst = now + Span(due.since(now).0 / 2);
            self.calendar.enter(midst, Event::Dies { node, incarnation });
        }
        self.calendar.enter(due, Event::Durable { node, incarnation, id });
    }

    /// Scrubs the disk: a live process is told if the fault's damage is still there. A starting process
    /// looks for itself.
    fn scrub(&mut self, node: Place, fault: usize) {
        let machine = &mut self.machines[node];
        if machine.disk.scrub(fault) {
            let incarnation = machine.life.incarnation();
            self.calendar.enter(self.now, Event::Scrubbed { node, incarnation });
        }
    }

    /// Replaces the disk of a dead process by an empty one.
    pub fn wipe(&mut self, node: Place) {
        let machine = &mut self.machines[node];
        machine.has_other_disk = true;
        machine.disk.wipe();
        self.ears.disk_replaced(self.now, node, machine);
    }
}
