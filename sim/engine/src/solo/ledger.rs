//! The ledger: what the one disk declares.
//!
//! Owns the reading of the log: a durable line is committed, as there is no other copy. Declared lines must still be
//! there after each crash, and at the end. Refuses to trust the process's own claims.

use onsale_booking::{Instant, Span};
use onsale_oracles::Position;
use onsale_scenarios::GoodCopies;
use onsale_world::Machine;
use onsale_world::place::{Place, PlaceTable};

use super::log::{Line, lines, read};
use super::{Setup, Solo};
use crate::judges::Judges;
use crate::seen::declared::Declared;
use crate::system::Ledger;

/// The ledger of the one log.
#[derive(Debug)]
pub struct LogWatch {
    /// The most that it takes a starting process to read back a MiB of its log.
    recover_mib: Span,
    /// The most that it takes the disk to write a MiB, and besides to sync a write.
    write: (Span, Span),
    declared: Vec<Line>,
    /// Whether a declared line is gone: then nothing more is declared, as it would take the lost line's place.
    is_broken: bool,
}

impl LogWatch {
    /// The longest time from a process's start until it has read back a log of this many bytes, and written it once more.
    fn reads_back(&self, bytes: u64) -> Span {
        let (a_mib, sync) = self.write;
        Span((self.recover_mib + a_mib).0 * bytes / (1 << 20)) + sync
    }

    /// Declares a new line, or compares a known one.
    fn take(&mut self, now: Instant, node: Place, line: Line, judges: &mut Judges) {
        let at = Position { log: 0, index: line.index, term: line.term };
        if self.is_broken {
            return;
        }
        match self.declared.get(line.index as usize - 1) {
            Some(declared) if *declared == line => {}
            Some(declared) => {
                let detail = format!("{node} holds {line:?} where {declared:?} was durable");
                judges.oracles.journal_conflict(now, at, detail);
                self.is_broken = true;
            }
            None => {
                let (writer, events) = (Some(node.node_id()), &line.events);
                judges.oracles.committed((now, now), at, writer, events);
                self.declared.push(line);
            }
        }
    }

    /// Reads the disk from its beginning: all declared lines must be there.
    fn reread(&mut self, now: Instant, node: Place, machine: &Machine<Solo>, judges: &mut Judges) {
        let log = read(machine.disk.durable());
        if let Some(lost) = self.declared.get(log.len()).filter(|_| !self.is_broken) {
            let at = Position { log: 0, index: lost.index, term: lost.term };
            judges.oracles.journal_lost(now, at, 0);
            self.is_broken = true;
        }
        log.into_iter().for_each(|line| self.take(now, node, line, judges));
    }
}

/// Declares that the only process runs no longer: nothing is decided.
fn stops(now: Instant, judges: &mut Judges) {
    let (overdue, interruptions) = judges.oracles.excuses();
    overdue.gap_begins(0, now, Instant::MAX);
    interruptions.cannot_commit(0);
}

/// Declares that the only process decides again.
fn goes_on(now: Instant, judges: &mut Judges) {
    let (overdue, interruptions) = judges.oracles.excuses();
    overdue.gap_ends(0, now);
    interruptions.can_commit(0, now);
}

impl Ledger<Solo> for LogWatch {
    fn new(setup: &Setup) -> Self {
        Self {
            recover_mib: setup.recover_mib,
            write: setup.write,
            declared: Vec::new(),
            is_broken: false,
        }
    }

    fn written(&mut self, now: Instant, node: Place, bytes: &[u8], _: bool, judges: &mut Judges) {
        lines(bytes).for_each(|line| self.take(now, node, line, judges));
    }

    /// Declares the end of the gap: once its log is read back and written once more, a process ends holds like one that
    /// never died. Reading takes at most `recover-mib` for each MiB on the disk, and the write the disk's bandwidth and
    /// its longest sync.
    fn started(
        &mut self,
        now: Instant,
        node: Place,
        _: bool,
        machines: &PlaceTable<Machine<Solo>>,
        judges: &mut Judges,
    ) {
        goes_on(now + self.reads_back(machines[node].disk.bytes()), judges);
    }

    /// Declares a gap: no hold ends until the process starts again.
    fn died(&mut self, now: Instant, node: Place, machine: &Machine<Solo>, judges: &mut Judges) {
        self.reread(now, node, machine, judges);
        stops(now, judges);
    }

    fn paused(&mut self, now: Instant, _: Place, judges: &mut Judges) {
        stops(now, judges);
    }

    fn resumed(&mut self, now: Instant, _: Place, judges: &mut Judges) {
        goes_on(now, judges);
    }

    fn disk_replaced(
        &mut self,
        now: Instant,
        node: Place,
        machine: &Machine<Solo>,
        judges: &mut Judges,
    ) {
        self.reread(now, node, machine, judges);
    }

    fn loses(&mut self, _: Instant, _: &[Place], _: &mut Judges) {}

    fn gone_for_good(
        &mut self,
        _: Instant,
        _: Place,
        _: &PlaceTable<Machine<Solo>>,
        _: &mut Judges,
    ) {
    }

    fn finish(&mut self, now: Instant, machines: &PlaceTable<Machine<Solo>>, judges: &mut Judges) {
        let node = Place::node(1);
        self.reread(now, node, &machines[node], judges);
    }

    /// There is only one copy: a disk that must keep good copies is never damaged.
    fn endangers(
        &self,
        _: &Setup,
        _: &PlaceTable<Machine<Solo>>,
        _: Place,
        good_copies: GoodCopies,
    ) -> Option<u32> {
        match good_copies {
            GoodCopies::Majority => Some(0),
            GoodCopies::Any => None,
        }
    }

    fn declared(bytes: &[u8]) -> Option<Vec<Declared>> {
        let told = |line: Line| Declared {
            at: Position { log: 0, index: line.index, term: line.term },
            events: line.events,
        };
        Some(lines(bytes).map(told).collect())
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::{Event, HoldId, SeatId, ShowId, UserId};
    use onsale_reports::Verdict;

    use super::*;
    use crate::judges::tests::{secs, settings};

    /// Reading takes two seconds a MiB, writing one, and a sync one: seven seconds for two MiB.
    #[test]
    fn a_process_that_has_read_its_log_back_ends_holds_in_time() {
        let watch = LogWatch {
            recover_mib: Span::from_secs(2),
            write: (Span::from_secs(1), Span::from_secs(1)),
            declared: Vec::new(),
            is_broken: false,
        };
        // A hold of 100 is due at 405; the process dies at 400 and starts at 420, and the slack is four seconds.
        for (expires, verdict) in [(431, Verdict::NotExercised), (432, Verdict::Fail)] {
            let mut judges = Judges::new(settings());
            let (hold, user, seats) = (HoldId(1), UserId(1), [SeatId(3)].into_iter().collect());
            let (at, until) = (secs(100), secs(400));
            let held = Event::Held { hold, user, seats, at, expires: until };
            judges.oracles.invoked(secs(100), &crate::judges::tests::asked());
            let record = |judges: &mut Judges, at: u64, index, event| {
                let position = Position { log: 0, index, term: 1 };
                let times = (secs(at), secs(at));
                judges.oracles.committed(times, position, None, &[(ShowId(0), event)]);
            };
            record(&mut judges, 100, 1, held);
            stops(secs(400), &mut judges);
            goes_on(secs(420) + watch.reads_back(2 << 20), &mut judges);
            record(&mut judges, expires, 2, Event::Expired { hold, at: secs(405) });
            let results = judges.finish(secs(500), &[]);
            let hold = results.iter().find(|result| result.name == "hold").expect("it judges");
            assert_eq!(hold.verdict, verdict, "{:?}", hold.evidence);
        }
    }
}
