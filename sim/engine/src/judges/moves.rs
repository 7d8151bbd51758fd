//! Moves, judged for `live`: no step makes a shard depend on a zone, and every move ends after
//! calm.
//!
//! Owns the latest committed version of the map, the start of each shard's move, the nodes told to leave the
//! cluster, each membership change of a journal, and the members at the end. Refuses to know how shards move,
//! and when calm begins.
//!
//! A step fails if a shard could lose any one zone before it and keep a quorum, and cannot after it. Why that is no
//! false alarm: a new node can always replace a replica in its own zone, or go to a zone without one, as long as the
//! staying nodes span as many zones as a shard has replicas. If they did not in some version of the map, no step is
//! judged. Why none is missed: every step is a committed record, and nothing else changes the members.
//!
//! Why no alarm about an end is false: a permanently lost node is removed by another node, and then no move waits for
//! it; every other node is whole when calm begins. So each planned move takes some steps of its journal, and each
//! step takes some beats. A shard has the bound for each of its moves, from its plan or from calm; a leaving node has
//! the bound from the last change of the map, so it may wait for all its moves. A node may stay if the others are too
//! few without it. Why none is missed: a planned move is in the map, a finished one is gone from it, and a node that
//! has left is not in it.
//!
//! The map itself comes to rest: a wish (a node joins, leaves or forgot) moves at most one replica of each shard, and
//! each move is settled by one version. So after calm there are at most *shards × (1 + wishes)* versions, where the one
//! stands for moves that calm finds under way. A node takes part in one move at a time, so all of them take at most
//! *shards / nodes* rounds, and the last version comes within *recovery × (1 + shards / nodes)*, from calm or from the
//! last wish. Why no alarm is false: a move takes some steps, and each step some beats, a fraction of recovery. Why none
//! is missed: each version is a committed record.

use onsale_booking::{Instant, NodeId, Span, ZoneId};
use onsale_cluster::journal::{Members, ReplicaId};
use onsale_cluster::{Placement, ShardId};

use onsale_oracles::live::Calm;
use onsale_oracles::{Rule, Story};

onsale_oracles::rules! {
    Live:
    /// A step of a move made a shard depend on a zone.
    NEEDS_A_ZONE = "needs-a-zone";
    /// A move never ended.
    UNENDED_MOVE = "unended-move";
    /// A shard is not where the map places it.
    MISPLACED = "misplaced";
    /// A node was told to leave and never left.
    NEVER_LEFT = "never-left";
    /// The map does not come to rest after calm.
    RESTLESS = "restless";
}

/// A committed membership change of a journal.
#[derive(Debug)]
struct MembershipChange {
    at: Instant,
    shard: ShardId,
    before: Members,
    after: Members,
}

#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Whether the settings let every move end.
    must_end: bool,
    /// Time in which all moves of one node at least take a step further: recovery.
    recovery: Span,
    /// The latest committed version; `None` before the second.
    map: Option<Placement>,
    /// Instants at which the versions were first on a disk.
    versions: Vec<Instant>,
    /// Instants of the wishes: a node was told to leave, has joined, or forgot.
    wishes: Vec<Instant>,
    changed: Instant,
    /// By shard: instant since which the map has wanted its current placement.
    since: Vec<Instant>,
    told: Vec<(NodeId, Instant)>,
    /// The membership changes of all moves.
    steps: Vec<MembershipChange>,
    /// Whether the staying nodes of some version of the map spanned fewer zones than a shard has replicas.
    too_few_zones: bool,
    /// By shard, at the end of the run: the members of its journal.
    members: Vec<Members>,
}

impl Moves {
    pub(super) fn new(must_end: bool, recovery: Span) -> Self {
        Self { must_end, recovery, ..Self::default() }
    }

    /// Notes a committed version of the map, first on a disk at `written`, and read later.
    pub(super) fn on_map(&mut self, (written, at): (Instant, Instant), map: Placement) {
        self.since.resize(map.shards() as usize, Instant::ZERO);
        for (shard, since) in (0..).map(ShardId).zip(&mut self.since) {
            let (before, seats) = (self.map.as_ref().map(|map| map.seats(shard)), map.seats(shard));
            let is_same = before.is_some_and(|before| {
                before.generation == seats.generation && before.from == seats.from
            });
            if !is_same {
                *since = at;
            }
        }
        self.note_wishes(at, &map);
        self.versions.push(written);
        let mut zones: Vec<_> = staying(&map).map(|node| map.zone_of(node)).collect();
        zones.sort_unstable();
        zones.dedup();
        self.too_few_zones |= zones.len() < map.replicas(ShardId(0)).len();
        (self.changed, self.map) = (at, Some(map));
    }

    /// Notes the wishes that a version fulfils: nodes that were not in the one before, or forgot since.
    fn note_wishes(&mut self, at: Instant, map: &Placement) {
        let is_new = |node: &NodeId| match &self.map {
            Some(before) => !before.has(*node) || before.forgot_in(*node) != map.forgot_in(*node),
            None => map.forgot_in(*node).is_some(),
        };
        let new = map.node_ids().filter(is_new).count().max(usize::from(self.map.is_none()));
        self.wishes.extend(std::iter::repeat_n(at, new));
    }

    /// Notes a committed membership change of a shard's journal, read from disks.
    pub(super) fn on_step(&mut self, at: Instant, shard: ShardId, before: Members, after: Members) {
        self.steps.push(MembershipChange { at, shard, before, after });
    }

    /// Failures of steps after which the loss of one zone would cost a shard its quorum, but not before.
    fn needing_a_zone(&self) -> Vec<(Rule, Story)> {
        let Some(map) = self.map.as_ref().filter(|_| !self.too_few_zones) else {
            return Vec::new();
        };
        let needed = |step: &MembershipChange| {
            let (before, after) = (zones_needed(&step.before, map), zones_needed(&step.after, map));
            let zone = after.into_iter().find(|_| before.is_empty())?;
            let story = Story {
                headline: format!("{} depends on zone {} while it moves", step.shard, zone.0),
                lines: vec![
                    format!("before {} it was kept by {}", step.at, voters(&step.before)),
                    format!("from then on it was kept by {}", voters(&step.after)),
                    format!(
                        "without zone {} they are no quorum, although the staying nodes span enough zones",
                        zone.0
                    ),
                ],
            };
            Some((NEEDS_A_ZONE, story))
        };
        self.steps.iter().filter_map(needed).collect()
    }

    /// Notes that a node is told to leave for good, or is lost and to be removed.
    pub(super) fn on_told_to_leave(&mut self, at: Instant, node: NodeId) {
        self.told.push((node, at));
        self.wishes.push(at);
    }

    /// Notes at the end of the run the members of a shard's journal; called for the shards in order.
    pub(super) fn on_end(&mut self, members: &Members) {
        self.members.push(members.clone());
    }

    /// The failures to report under `live`.
    pub(super) fn finish(&self, end: Instant, calm: Option<Calm>) -> Vec<(Rule, Story)> {
        let mut stories = self.needing_a_zone();
        if let Some(calm) = calm.filter(|_| self.must_end) {
            let mut unended = self.unended(end, |since| calm.is_overdue(since, end));
            unended.iter_mut().for_each(|(_, story)| story.lines.insert(0, calm.to_string()));
            stories.extend(unended);
            stories.extend(self.without_rest(calm));
        }
        stories
    }

    /// The failure of a map that changes too often after calm, or for too long.
    fn without_rest(&self, calm: Calm) -> Option<(Rule, Story)> {
        let map = self.map.as_ref()?;
        let (shards, nodes) = (u64::from(map.shards()), map.node_ids().count().max(1) as u64);
        let after = self.versions.iter().filter(|&&at| at > calm.from).count() as u64;
        let most = shards * (1 + self.wishes.len() as u64);
        let last_wish = self.wishes.iter().copied().max().unwrap_or(calm.from);
        let rounds = 1 + shards.div_ceil(nodes);
        let by = calm.from.max(last_wish) + Span(rounds * self.recovery.0);
        let last = self.versions.last().copied()?;
        let is_late = last > by;
        let story = || Story {
            headline: "the map does not come to rest".to_owned(),
            lines: vec![
                calm.to_string(),
                format!("{after} versions after calm; {} wishes explain {most}", self.wishes.len()),
                format!("the last at {last}; all moves had to end by {by}"),
            ],
        };
        (after > most || is_late).then(|| (RESTLESS, story()))
    }

    /// Failures of overdue moves and leaves.
    fn unended(&self, end: Instant, overdue: impl Fn(Instant) -> bool) -> Vec<(Rule, Story)> {
        let Some(map) = &self.map else { return Vec::new() };
        let mut stories = Vec::new();
        let late = (0..).map(ShardId).zip(&self.since).filter(|&(_, &since)| overdue(since));
        for (shard, since) in late {
            let (seats, members) = (map.seats(shard), self.members.get(shard.0 as usize));
            let wanted = listed(&seats.members);
            let lines = vec![
                format!("wanted on {wanted} since {since}, instead of on {}", listed(&seats.from)),
                format!(
                    "kept by {} at the end, {end}",
                    listed(&members.map(Members::all).unwrap_or_default())
                ),
            ];
            if !seats.from.is_empty() {
                let headline = format!("the move of {shard} to {wanted} never ended");
                stories.push((UNENDED_MOVE, Story { headline, lines }));
            } else if members.is_some_and(|members| !is_kept_by(members, &seats.members)) {
                let headline = format!("{shard} is not where the map places it, {wanted}");
                stories.push((MISPLACED, Story { headline, lines }));
            }
        }
        let can_be_missed = staying(map).count() > map.replicas(ShardId(0)).len();
        for &(node, at) in self.told.iter().filter(|&&(node, _)| map.has(node)) {
            if overdue(at.max(self.changed)) && (map.is_leaving(node) || can_be_missed) {
                let headline = format!("{node} was told to leave and never left");
                let lines = vec![
                    format!("told at {at}; the map last changed at {}", self.changed),
                    format!("it is still in the cluster at the end, {end}"),
                ];
                stories.push((NEVER_LEFT, Story { headline, lines }));
            }
        }
        stories
    }
}

fn staying(map: &Placement) -> impl Iterator<Item = NodeId> + '_ {
    map.node_ids().filter(|&node| !map.is_leaving(node))
}

/// The zones whose loss costs these members their quorum.
fn zones_needed(members: &Members, map: &Placement) -> Vec<ZoneId> {
    let zone_of = |member: &ReplicaId| map.zone_of(member.node());
    let mut zones: Vec<ZoneId> = members.all().iter().map(zone_of).collect();
    zones.sort_unstable();
    zones.dedup();
    zones.retain(|&zone| !members.is_quorum(|member| zone_of(&member) != zone));
    zones
}

/// The phrase for the voters, with the old ones of a joint configuration.
fn voters(members: &Members) -> String {
    let now = listed(members.voters());
    match members.is_joint() {
        true => format!("{now}, together with {}", listed(members.before_change().voters())),
        false => now,
    }
}

/// Whether exactly these nodes are the voters.
fn is_kept_by(members: &Members, nodes: &[NodeId]) -> bool {
    let voters = members.voters();
    voters.len() == nodes.len() && voters.iter().all(|voter| nodes.contains(&voter.node()))
}

fn listed<T: ToString>(members: &[T]) -> String {
    members.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
