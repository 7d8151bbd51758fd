//! The judges of the replicated cluster: the oracles of every system, and judges of its own promises.
//!
//! Owns the dispatch to its own judges: availability of shards, ends of moves, and facts as sessions read them.
//! Refuses to know where evidence comes from: the [ledger](crate::replicated::ledger) reads disks, and clients report
//! their answers.

pub mod availability;
pub mod durable;
mod excuses;
pub mod facts;
mod moves;
pub mod prompt;

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::journal::Members;
use onsale_cluster::{Epoch, Placement, ShardId};
pub use onsale_oracles::Excuse;
use onsale_oracles::{Asked, Findings, OracleSettings, Oracles, Own, Rule, Table};
use onsale_reports::OracleResult;

use self::availability::{Availability, Paces};
use self::durable::Durable;
use self::facts::{Bounds, Facts};
use self::moves::Moves;
use self::prompt::{Limits, Prompt, Why};

/// Facts about the sale, the cluster and the run that the judges use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeSettings {
    /// Settings of the oracles of every system.
    pub oracles: OracleSettings,
    /// Speed of the cluster without faults.
    pub paces: Paces,
    /// Whether the settings let every move end.
    pub moves_end: bool,
    /// The longest times without a leader, if the settings bound them.
    pub prompt: Option<Limits>,
    /// Time that nodes are granted to agree on facts, if there are facts.
    pub facts: Option<Bounds>,
    /// The replicas that each log begins with.
    pub replicas: Placement,
}

/// The deviations that the oracles excuse.
pub fn excuses() -> impl Iterator<Item = &'static Excuse> {
    let own =
        [excuses::AVAILABILITY, excuses::MOVES, excuses::DURABLE, facts::EXCUSES, prompt::EXCUSES];
    Oracles::EXCUSES.into_iter().chain(own).flatten()
}

/// The rules of the replicated cluster's own judges.
pub const RULES: [&[Rule]; 5] =
    [moves::RULES, prompt::RULES, durable::RULES, durable::raft::RULES, facts::RULES];

/// All judges of a run.
#[derive(Debug)]
pub struct Judges {
    /// The oracles of every system.
    pub oracles: Oracles,
    availability: Availability,
    moves: Moves,
    prompt: Prompt,
    /// The judge of facts, if there are any.
    pub facts: Option<Facts>,
    /// The judge of promises by what disks hold.
    pub durable: Durable,
}

impl Judges {
    /// The judges of a run before its first event.
    ///
    /// # Panics
    /// If a section or a row has no seats.
    pub fn new(settings: JudgeSettings) -> Self {
        let JudgeSettings { oracles, paces, moves_end, prompt, facts, replicas } = settings;
        let recovery = oracles.recovery;
        let oracles = Oracles::new(oracles);
        let facts = facts.map(|bounds| Facts::new(bounds, oracles.clock()));
        let durable = Durable::new(&replicas, oracles.clock());
        let (availability, prompt) = (Availability::new(paces), Prompt::new(prompt));
        let moves = Moves::new(moves_end, recovery);
        Self { oracles, availability, moves, prompt, facts, durable }
    }

    /// Notes that a node's process runs from now on, or no longer: it has died or stands still. `kept_by` gives the
    /// possible members of each shard, in order.
    pub fn process(
        &mut self,
        at: Instant,
        node: NodeId,
        is_up: bool,
        kept_by: impl Iterator<Item = Vec<Members>>,
    ) {
        self.availability.on_process(at, node, is_up, kept_by, self.oracles.excuses());
        self.facts.iter_mut().for_each(|facts| facts.on_process(at, node, is_up));
    }

    /// Notes the strike of a fault that may keep leaders from committing or messages from arriving, although
    /// processes run. `forgets` says whether disks may lose durable promises.
    pub fn trouble(&mut self, at: Instant, forgets: bool) {
        self.availability.on_trouble(at, forgets, self.oracles.excuses());
        self.facts.iter_mut().for_each(|facts| facts.on_trouble(at));
    }

    /// Notes that such a fault heals.
    pub fn trouble_over(&mut self, at: Instant) {
        self.availability.on_trouble_over(at, self.oracles.excuses());
        self.facts.iter_mut().for_each(|facts| facts.on_trouble_over(at));
    }

    /// Notes a committed version of the map, first on a disk at `written`, and read in rising order.
    pub fn map_changed(&mut self, (written, read): (Instant, Instant), map: Placement) {
        let mut shards = (0..map.shards()).map(ShardId);
        let moves = shards.any(|shard| !map.seats(shard).from.is_empty());
        self.availability.on_moves(read, moves, self.oracles.excuses());
        self.moves.on_map((written, read), map);
    }

    /// Notes that a shard is led again after it had no leader since an instant, which one cause alone explains.
    pub fn led_again(&mut self, now: Instant, shard: ShardId, since: Instant, why: Why<'_>) {
        self.prompt.on_led(now, shard, since, why, self.oracles.excuses().1);
    }

    /// Notes that a node declares another one down.
    pub fn given_up(&mut self, now: Instant, by: NodeId, peer: NodeId) {
        let well = [by, peer].into_iter().all(|node| self.is_well(now, node));
        self.prompt.on_given_up(now, (by, peer), well, self.oracles.excuses().1);
    }

    /// Notes whether a node is reached by clients and by no more than half of the nodes, while nothing is felt but cut
    /// links.
    pub fn in_minority(&mut self, now: Instant, node: NodeId, is_it: bool) {
        self.prompt.on_minority(now, node, is_it);
    }

    /// Whether some node is in a minority.
    #[inline]
    pub const fn any_in_minority(&self) -> bool {
        self.prompt.any_in_minority()
    }

    /// Notes that a client's attempt at a gateway has ended, by an answer or without; the instants are those of both. To be
    /// called while some node is in a minority.
    pub fn attempt_ends(&mut self, times: (Instant, Instant), gateway: NodeId, asked: &Asked) {
        let started =
            self.availability.since(gateway).filter(|_| !self.availability.leaves(gateway));
        if let Some(started) = started {
            let interruptions = self.oracles.excuses().1;
            self.prompt.on_attempt_ends(times, (gateway, started), asked, interruptions);
        }
    }

    /// Whether nothing explains that a node is taken for dead: it has run for as long as recovery takes, was not told to
    /// leave, and the settings let its peers hear it.
    pub fn is_well(&self, now: Instant, node: NodeId) -> bool {
        let is_heard = self.prompt.peers_are_heard() && !self.availability.leaves(node);
        is_heard && self.availability.has_run(now, node, self.recovery())
    }

    /// Notes at the end of the run what waits in a table of a node.
    pub fn waits_at_the_end(&mut self, end: Instant, node: NodeId, table: Table) {
        if self.availability.has_run(end, node, self.recovery()) {
            self.oracles.waits_at_the_end(end, &node.to_string(), table);
        }
    }

    /// Time from the end of a fault until requests must be answered again.
    pub const fn recovery(&self) -> Span {
        self.oracles.recovery_takes()
    }

    /// Notes a committed membership change of a shard's journal, read from disks.
    pub fn members_changed(
        &mut self,
        read: Instant,
        shard: ShardId,
        before: Members,
        after: Members,
    ) {
        self.durable.members_changed(shard, &after);
        self.moves.on_step(read, shard, before, after);
    }

    /// Notes a recovery, read from disks, that gives up the committed records of a shard after `held`, the last of which
    /// is of epoch `of`.
    pub fn records_given_up(&mut self, at: Instant, shard: ShardId, (held, of): (u64, Epoch)) {
        self.durable.given_up(shard, (held, of));
        self.oracles.given_up(at, shard.0, held);
    }

    /// Notes the record by which a recovery makes one replica the only member of a shard, read from disks.
    pub fn recovered(&mut self, at: Instant, shard: ShardId, members: &Members) {
        self.durable.members_changed(shard, members);
        self.availability.on_recovery(at, shard.0, members, self.oracles.excuses());
    }

    /// Notes that a node was told to leave for good, or is lost and to be removed by another node.
    pub fn told_to_leave(&mut self, at: Instant, node: NodeId) {
        self.availability.on_told_to_leave(at, node, self.oracles.excuses());
        self.moves.on_told_to_leave(at, node);
    }

    /// Notes at the end of the run the members of a shard's journal; called for the shards in order.
    pub fn kept_by(&mut self, members: &Members) {
        self.moves.on_end(members);
    }

    /// Begins calm: the last fault has healed. In a run without faults that is its start; without
    /// this call `live` is not exercised.
    ///
    /// # Panics
    /// If it is called twice.
    pub fn faults_over(&mut self, at: Instant) {
        self.oracles.faults_over(at);
        self.facts.iter_mut().for_each(|facts| facts.on_calm(at));
    }

    /// Number of failures so far.
    pub fn failures(&self) -> u64 {
        self.findings().map(Findings::failures).sum()
    }

    /// The failures reported in full: the oracle, and its headline.
    pub fn headlines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.findings().flat_map(Findings::headlines)
    }

    fn findings(&self) -> impl Iterator<Item = &Findings> {
        let own = self.durable.findings();
        self.oracles.findings().chain(own).chain(self.facts.as_ref().map(Facts::findings))
    }

    /// The verdicts at the end of the run, given the open requests.
    pub fn finish(self, end: Instant, open: &[Asked]) -> Vec<OracleResult> {
        let live = self.moves.finish(end, self.oracles.calm());
        let own = Own { live, prompt: self.prompt.finish() };
        let mut results = self.oracles.finish(end, open, own);
        results.extend(self.durable.finish());
        results.extend(self.facts.map(Facts::finish));
        results
    }
}

#[cfg(test)]
pub(crate) mod tests;
