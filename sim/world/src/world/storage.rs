//! Disks in the world: how a write begins and ends, and what faults do to what is on them.
//!
//! Owns what the process is told of a disk that fails. Refuses to know whom faults strike and what is on a disk.

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
    /// A process writes at an instant; one whose write is to tear dies in its midst.
    pub fn begin_write(&mut self, node: Place, at: Instant, mut write: Write) {
        self.ears.rewrite(node, &mut write.bytes);
        self.fingerprint.fold(write.id.0);
        self.fingerprint.fold_bytes(&write.bytes);
        self.ears.write_begins(self.now, node, &write);
        let (id, machine) = (write.id, &mut self.machines[node]);
        let takes = machine.disk.begin(write);
        let incarnation = machine.life.incarnation();
        if machine.disk.armed_by().is_some() {
            let midst = at + Span(takes.0 / 2);
            self.calendar.enter(midst, Event::Dies { node, incarnation });
        }
        self.calendar.enter(at + takes, Event::Durable { node, incarnation, id });
    }

    /// A write's time has come: its process hears what became of it, if the disk says anything.
    pub(super) fn write_ends(&mut self, node: Place, id: WriteId) -> Option<Turn<C>> {
        let (now, machine) = (self.now, &mut self.machines[node]);
        let answer = machine.disk.answer();
        if matches!(answer, Answer::Failed | Answer::Full) {
            self.ears.write_failed(now, node);
        }
        match answer {
            Answer::Silent => None,
            Answer::Durable => {
                machine.note_written();
                let bytes = machine.disk.complete(now, id);
                self.ears.written(now, node, bytes);
                self.give(node, NodeTurn::Persisted(id))
            }
            // What of it is on the disk shows once the process is dead.
            Answer::Failed => self.give(node, NodeTurn::WriteFailed(id)),
            Answer::Full => {
                let write = machine.disk.refuse();
                self.give(node, NodeTurn::WriteRefused(Box::new(write)))
            }
        }
    }

    /// What a fault did to a disk is over.
    pub fn cure_disk(&mut self, node: Place, fault: usize) {
        let disk = &mut self.machines[node].disk;
        disk.write_again(fault);
        disk.make_room(fault);
        disk.disarm(fault);
        disk.keep_word(fault);
        self.go_on_writing(node, fault);
        self.scrub(node, fault);
    }

    /// A disk stalls no longer for this fault: a write that waits for it ends now.
    fn go_on_writing(&mut self, node: Place, fault: usize) {
        let machine = &mut self.machines[node];
        if machine.disk.go_on(fault)
            && let Some(id) = machine.disk.in_flight()
        {
            let incarnation = machine.life.incarnation();
            self.calendar.enter(self.now, Event::Durable { node, incarnation, id });
        }
    }

    /// The disk is read through: a live process hears if what that fault made rot is still there. One that
    /// starts looks for itself.
    fn scrub(&mut self, node: Place, fault: usize) {
        let machine = &mut self.machines[node];
        if machine.disk.scrub(fault) {
            let incarnation = machine.life.incarnation();
            self.calendar.enter(self.now, Event::Scrubbed { node, incarnation });
        }
    }

    /// Another disk stands where a dead process had its own.
    pub fn wipe(&mut self, node: Place) {
        let machine = &mut self.machines[node];
        machine.has_other_disk = true;
        machine.disk.wipe();
        self.ears.disk_replaced(self.now, node, machine);
    }
}
