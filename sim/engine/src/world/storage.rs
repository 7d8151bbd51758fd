//! Disks in the world: how a write begins and ends, and what faults do to what is on them.
//!
//! Owns what the journal's watch and the process are told of a disk that fails. Refuses to know
//! whom faults strike and what is on a disk.

use onsale_booking::{Instant, Span};
use onsale_cluster::facts::remembered;
use onsale_cluster::journal::Wal;
use onsale_cluster::{Found, PersistId, Write};

use super::disk::Answer;
use super::{Event, Machine, Turn, World};
use crate::judges::facts::Loss;
use crate::seen::place::Place;
use crate::seen::sight::Sight;

impl Machine {
    /// What its process finds on its disk when it starts.
    pub(super) fn found(&self) -> Found {
        Found { has_written: self.has_written, segments: self.disk.contents() }
    }
}

impl World {
    /// A process writes at an instant; one whose write is to tear dies in its midst.
    pub(super) fn begin_write(&mut self, node: Place, at: Instant, mut write: Write) {
        self.sabotage.write(node, &mut write.bytes);
        self.fingerprint.fold(write.id.0);
        self.fingerprint.fold_bytes(&write.bytes);
        self.witness.sees(self.now, || Sight::Writes { node, write: &write });
        let (id, machine) = (write.id, &mut self.machines[node]);
        let takes = machine.disk.begin(write);
        let incarnation = machine.incarnation;
        if machine.disk.armed_by().is_some() {
            let midst = at + Span(takes.0 / 2);
            self.calendar.enter(midst, Event::Dies { node, incarnation });
        }
        self.calendar.enter(at + takes, Event::Durable { node, incarnation, id });
    }

    /// A write's time has come: its process hears what became of it, if the disk says anything.
    pub(super) fn write_ends(&mut self, node: Place, id: PersistId) -> Option<(Place, Turn)> {
        let (now, disk) = (self.now, &mut self.machines[node].disk);
        let answer = disk.answer();
        if matches!(answer, Answer::Failed | Answer::Full) {
            self.witness.sees(now, || Sight::WriteFails { node });
        }
        match answer {
            Answer::Silent => None,
            Answer::Durable => {
                self.machines[node].has_written = true;
                let bytes = self.machines[node].disk.complete(now, id);
                self.witness.sees(now, || Sight::Durable { node, bytes });
                self.journal.read(now, node, bytes, &mut self.witness.judges);
                self.give(node, Turn::Persisted(id))
            }
            // What of it is on the disk shows once the process is dead.
            Answer::Failed => self.give(node, Turn::WriteFailed(id)),
            Answer::Full => {
                let write = disk.refuse();
                self.give(node, Turn::WriteRefused(Box::new(write)))
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
            let incarnation = machine.incarnation;
            self.calendar.enter(self.now, Event::Durable { node, incarnation, id });
        }
    }

    /// The disk is read through: a live process hears if what that fault made rot is still there. One that
    /// starts looks for itself.
    fn scrub(&mut self, node: Place, fault: usize) {
        let machine = &mut self.machines[node];
        if machine.disk.scrub(fault) {
            let incarnation = machine.incarnation;
            self.calendar.enter(self.now, Event::Scrubbed { node, incarnation });
        }
    }

    /// A process starts, or never will: the oracle of facts hears what is left of them, if a fault has
    /// damaged its disk or put another in its place. What disks lose by themselves nothing excuses.
    pub(super) fn tell_of_lost_facts(&mut self, node: Place) {
        let machine = &mut self.machines[node];
        let has_other_disk = std::mem::take(&mut machine.has_other_disk);
        if self.witness.judges.facts.is_none() {
            return;
        }
        let found = Wal::recover(machine.found());
        if !has_other_disk && !found.lost_promises() {
            return;
        }
        let left = remembered(&found.facts);
        let mut kept = left.clone();
        let stays = |machine: &&Machine| !machine.is_lost && machine.leaves_for.is_none();
        for machine in self.machines.values().filter(stays) {
            kept.merge(&remembered(&Wal::recover(machine.found()).facts));
        }
        if let Some(oracle) = &mut self.witness.judges.facts {
            oracle.on_disk_lost(node.node_id(), Loss { at: self.now, left, kept });
        }
    }

    /// Another disk stands where a dead process had its own.
    pub fn wipe(&mut self, node: Place) {
        let machine = &mut self.machines[node];
        machine.has_other_disk = true;
        let disk = &mut machine.disk;
        disk.wipe();
        self.journal.crashed(self.now, node, disk.segments(), &mut self.witness.judges);
    }
}
