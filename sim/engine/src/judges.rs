//! What judges the replicated cluster: the oracles of every system, and what this one promises besides.
//!
//! Owns which of its own judges hears what: when a shard may have no leader, whether moves come to their end, and
//! what sessions read of facts. Refuses to know how evidence is come by: the [ledger](crate::replicated::ledger) reads disks, and
//! clients tell what they were told.

pub mod availability;
pub mod facts;
mod moves;

use onsale_booking::{Instant, NodeId};
use onsale_cluster::journal::Members;
use onsale_cluster::{Placement, ShardId};
use onsale_oracles::{Asked, Findings, OracleSettings, Oracles};
use onsale_reports::OracleResult;

use self::availability::{Availability, Paces};
use self::facts::{Bounds, Facts};
use self::moves::Moves;

/// What the judges must know of the sale, the cluster and the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeSettings {
    /// What the oracles of every system must know.
    pub oracles: OracleSettings,
    /// How fast the cluster is where nothing is wrong.
    pub paces: Paces,
    /// Whether the settings let every move end.
    pub moves_end: bool,
    /// What nodes are granted to agree on facts, if there are facts.
    pub facts: Option<Bounds>,
}

/// All judges of a run.
#[derive(Debug)]
pub struct Judges {
    /// The oracles of every system.
    pub oracles: Oracles,
    availability: Availability,
    moves: Moves,
    /// Judges facts, if there are any.
    pub facts: Option<Facts>,
}

impl Judges {
    /// Judges of a run that has not begun.
    ///
    /// # Panics
    /// If a section or a row has no seats.
    pub fn new(settings: JudgeSettings) -> Self {
        let JudgeSettings { oracles, paces, moves_end, facts } = settings;
        let oracles = Oracles::new(oracles);
        let facts = facts.map(|bounds| Facts::new(bounds, oracles.clock()));
        let availability = Availability::new(paces);
        Self { oracles, availability, moves: Moves::new(moves_end), facts }
    }

    /// A node's process starts or ends; by whom each shard may be kept is told in order.
    pub fn process(
        &mut self,
        at: Instant,
        node: NodeId,
        is_up: bool,
        kept_by: impl Iterator<Item = Vec<Members>>,
    ) {
        self.availability.on_process(at, node, is_up, kept_by, self.oracles.overdue());
    }

    /// A fault strikes that may keep leaders from committing, or words from arriving, though processes
    /// are up; what it does to disks may make them forget what they promised.
    pub fn trouble(&mut self, at: Instant, forgets: bool) {
        self.availability.on_trouble(at, forgets, self.oracles.overdue());
    }

    /// It heals.
    pub fn trouble_over(&mut self, at: Instant) {
        self.availability.on_trouble_over(at, self.oracles.overdue());
    }

    /// A committed version of the map is read from the disks, in rising order.
    pub fn map_changed(&mut self, read: Instant, map: Placement) {
        let mut shards = (0..map.shards()).map(ShardId);
        let moves = shards.any(|shard| !map.seats(shard).from.is_empty());
        self.availability.on_moves(read, moves, self.oracles.overdue());
        self.moves.on_map(read, map);
    }

    /// A committed record that changes the members of a shard's journal is read from the disks.
    pub fn members_changed(
        &mut self,
        read: Instant,
        shard: ShardId,
        before: Members,
        after: Members,
    ) {
        self.moves.on_step(read, shard, before, after);
    }

    /// A node was told to leave for good, or is lost and is to be struck off by another's word.
    pub fn told_to_leave(&mut self, at: Instant, node: NodeId) {
        self.moves.on_told_to_leave(at, node);
    }

    /// At the end of the run: the members of a shard's journal; shards are told in order.
    pub fn kept_by(&mut self, members: &Members) {
        self.moves.on_end(members);
    }

    /// The last fault is over and everything is healed: calm begins. In a run without faults
    /// that is its start; without this call `live` is not exercised.
    ///
    /// # Panics
    /// If it is called twice.
    pub fn faults_over(&mut self, at: Instant) {
        self.oracles.faults_over(at);
        self.facts.iter_mut().for_each(|facts| facts.on_calm(at));
    }

    /// How many promises were found broken so far.
    pub fn failures(&self) -> u64 {
        self.findings().map(Findings::failures).sum()
    }

    /// What those that are told in full are about: the oracle, and one sentence.
    pub fn headlines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.findings().flat_map(Findings::headlines)
    }

    fn findings(&self) -> impl Iterator<Item = &Findings> {
        self.oracles.findings().chain(self.facts.as_ref().map(Facts::findings))
    }

    /// The verdicts at the end of the run, given what clients still wait for.
    pub fn finish(self, end: Instant, open: &[Asked]) -> Vec<OracleResult> {
        let own = self.moves.finish(end, self.oracles.calm());
        let mut results = self.oracles.finish(end, open, own);
        results.extend(self.facts.map(Facts::finish));
        results
    }
}

#[cfg(test)]
pub(crate) mod tests;
