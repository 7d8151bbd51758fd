//! The audience: the listener of the world.
//!
//! Owns the judges, the ledger that reads disks, the recorder, the watch, and the notes for reports: the cost of faults,
//! the leaders of shards, the marks seen. It is notified at the instant of each event, in order, and changes nothing,
//! except for the sabotage of tests. Refuses to know when a turn comes, and what a host does with it.

mod faults;

use onsale_booking::{Instant, NodeId, ShowId};
use onsale_cluster::{Epoch, Mark, Phase, ShardId};
use onsale_oracles::Asked;
use onsale_reports::FactsResult;
use onsale_world::place::{Carried, Lost, Place, PlaceTable, Process};
use onsale_world::{Listener, Machine, Meddler, Passing, Write};

use super::{Ledger, System};
use crate::awaited::Awaited;
use crate::doing::Doing;
use crate::sabotage::Sabotage;
use crate::seen::fate::{Fates, Told};
use crate::seen::sight::Sight;
use crate::struck::FaultLog;
use crate::witness::Witness;

/// The world of a run.
pub type World<S> = onsale_world::World<S, Audience<S>>;

/// The listener of a run's world.
#[derive(Debug)]
pub struct Audience<S: System> {
    /// Judges, recorder and watch.
    pub witness: Witness,
    /// The ledger of the disks.
    pub ledger: S::Ledger,
    /// The node that has its turn, and what it does; `None` in other turns.
    pub doing: Option<Doing>,
    /// The log of faults.
    pub faults: FaultLog,
    /// By shard: the node that says it leads. For reports and for choosing victims.
    pub leaders: Vec<Option<(Epoch, NodeId)>>,
    /// Count of each mark, in the order of [`Mark::ALL`].
    pub marks: Vec<u64>,
    /// The shard of the hot show.
    pub hot: ShardId,
    /// The nodes of its replicas at first.
    pub hot_replicas: Vec<NodeId>,
    /// Its latest elected leader, which may not serve yet.
    pub elected: Option<(Epoch, NodeId)>,
    /// Phase of the shard that was last probed.
    pub phase: Phase,
    /// The moments that faults wait for.
    pub awaited: Awaited,
    /// Replicas whose state was compared with a replay of their disk at the end.
    pub replicas_replayed: u32,
    /// Requests open at the end of the run.
    pub open: Vec<Asked>,
    /// Fates of all people.
    pub fates: Fates,
    /// Requests that ill-mannered people added to their sessions.
    pub manners: Told,
    /// The report section on facts, if there are any.
    pub facts: Option<FactsResult>,
    /// Sabotage of the run; none outside the tests that prove the oracles.
    sabotage: Sabotage,
}

impl<S: System> Audience<S> {
    /// An audience before the first event.
    pub fn new(setup: &S::Setup, witness: Witness, sabotage: Sabotage) -> Self {
        let placement = S::placement(setup);
        Self {
            witness,
            ledger: S::Ledger::new(setup),
            doing: None,
            faults: FaultLog::new(placement.shards()),
            leaders: vec![None; placement.shards() as usize],
            marks: vec![0; Mark::ALL.len()],
            hot: placement.shard_of(ShowId(0)),
            hot_replicas: placement.replicas(placement.shard_of(ShowId(0))).to_vec(),
            elected: None,
            awaited: Awaited::default(),
            phase: Phase::Electing,
            replicas_replayed: 0,
            open: Vec::new(),
            fates: Fates::default(),
            manners: Told::new(),
            facts: None,
            sabotage,
        }
    }

    /// The leader of the hot show; before it has one, the first of its replicas.
    pub fn hot_leader(&self) -> Place {
        let leader = self.leaders[self.hot.0 as usize];
        Place::Node(leader.map_or(self.hot_replicas[0], |(_, node)| node))
    }

    /// Declares the remaining durable records at the end of the run.
    pub fn close_ledger(&mut self, now: Instant, machines: &PlaceTable<Machine<S>>) {
        self.ledger.finish(now, machines, &mut self.witness.judges);
    }

    fn shows_process(&mut self, now: Instant, node: Place, state: Process, boots: u64) {
        self.witness.sees(now, || Sight::Process { node, state, boots });
    }
}

impl<S: System> Listener<S> for Audience<S> {
    #[inline]
    fn goes_on(&mut self, from: Instant, to: Instant) {
        self.witness.sees_verdicts(from);
        self.doing = None;
        self.witness.judges.oracles.go_on_to(to);
    }

    #[inline]
    fn is_watching(&self) -> bool {
        self.witness.is_watched()
    }

    fn sent(
        &mut self,
        now: Instant,
        Passing { from, to, message }: Passing<'_, S>,
        departs: Instant,
        carried: Carried,
        cut: bool,
    ) {
        let message = S::shown(message);
        self.witness.sees(now, || Sight::Sent { from, to, departs, message, carried, cut });
    }

    fn lost(&mut self, now: Instant, passing: Passing<'_, S>, why: Lost) {
        let Passing { from, to, message } = passing;
        let message = S::shown(message);
        self.witness.sees(now, || Sight::Lost { from, to, message, why });
    }

    fn arrived(&mut self, now: Instant, passing: Passing<'_, S>, waits: bool) {
        let Passing { from, to, message } = passing;
        let message = S::shown(message);
        self.witness.sees(now, || Sight::Arrived { from, to, message, waits });
    }

    #[inline]
    fn write_begins(&mut self, now: Instant, node: Place, write: &Write) {
        if self.is_watching() {
            let bytes = &write.bytes[..];
            let declared = S::Ledger::declared(bytes);
            let declared = declared.as_deref();
            self.witness.sees(now, || Sight::Writes { node, bytes, declared });
        }
    }

    fn write_failed(&mut self, now: Instant, node: Place) {
        self.witness.sees(now, || Sight::WriteFails { node });
    }

    fn written(&mut self, now: Instant, node: Place, bytes: &[u8], begin: bool) {
        if self.is_watching() {
            let declared = S::Ledger::declared(bytes);
            let declared = declared.as_deref();
            self.witness.sees(now, || Sight::Durable { node, bytes, declared });
        }
        self.ledger.written(now, node, bytes, begin, &mut self.witness.judges);
    }

    fn started(
        &mut self,
        now: Instant,
        node: Place,
        has_other_disk: bool,
        machines: &PlaceTable<Machine<S>>,
    ) {
        let judges = &mut self.witness.judges;
        self.ledger.started(now, node, has_other_disk, machines, judges);
        let boots = u64::from(machines[node].life.incarnation());
        self.shows_process(now, node, Process::Up, boots);
    }

    fn paused(&mut self, now: Instant, node: Place, by: usize, boots: u64) {
        self.faults.leader_stopped(now, node.node_id(), Some(by));
        self.ledger.paused(now, node, &mut self.witness.judges);
        self.shows_process(now, node, Process::Paused, boots);
    }

    fn resumed(&mut self, now: Instant, node: Place, boots: u64) {
        self.faults.leader_goes_on(now, node.node_id());
        self.ledger.resumed(now, node, &mut self.witness.judges);
        self.shows_process(now, node, Process::Up, boots);
    }

    fn died(&mut self, now: Instant, node: Place, by: Option<usize>, machine: &Machine<S>) {
        self.faults.leader_stopped(now, node.node_id(), by);
        self.ledger.died(now, node, machine, &mut self.witness.judges);
        let boots = u64::from(machine.life.incarnation());
        self.shows_process(now, node, Process::Down, boots);
    }

    fn disk_replaced(&mut self, now: Instant, node: Place, machine: &Machine<S>) {
        self.ledger.disk_replaced(now, node, machine, &mut self.witness.judges);
    }

    fn loses(&mut self, now: Instant, nodes: &[Place], _: &PlaceTable<Machine<S>>) {
        self.ledger.loses(now, nodes, &mut self.witness.judges);
    }

    fn gone_for_good(&mut self, now: Instant, node: Place, machines: &PlaceTable<Machine<S>>) {
        self.ledger.gone_for_good(now, node, machines, &mut self.witness.judges);
    }

    fn told_to_leave(&mut self, now: Instant, node: NodeId) {
        self.witness.judges.told_to_leave(now, node);
    }
}

impl<S: System> Meddler<S> for Audience<S> {
    #[inline]
    fn relays(&self) -> bool {
        self.sabotage.relay.is_some()
    }

    #[inline]
    fn relay(&mut self, now: Instant, from: Place, to: Place, message: &mut S::Message) -> bool {
        self.sabotage.relay(now, from, to, message)
    }

    #[inline]
    fn rewrite(&mut self, node: Place, bytes: &mut Vec<u8>) {
        self.sabotage.write(node, bytes);
    }

    fn disks_lose(&self) -> u64 {
        self.sabotage.disks_lose
    }
}
