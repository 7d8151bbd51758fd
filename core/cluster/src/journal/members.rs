//! The members of a log: its replicas, and how they change while the log grows.
//!
//! Owns the steps of a change and the effect of each on the members. A change is a record of the log like any other,
//! and counts from the moment at which it is applied. Refuses to know who wants a change, and when the next step is
//! due.
//!
//! One replica replaces another in four steps: it learns the log, without a vote; the two change places, and until that
//! is over the configuration is joint: a quorum of the old members *and* one of the new must agree; the old majority's
//! vote ends; the replica that lost its vote is dropped. A replica that comes back to a node is a new one with a number
//! of its own: so the promises of its predecessor do not bind it, and no replica is counted twice.
//!
//! Where a majority of the voters is lost for good, an operator makes one replica the only member, and the others come
//! to it one by one.

use std::fmt;

use onsale_booking::NodeId;
use raft::eraftpb::{
    ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2, ConfState,
};
use serde::{Deserialize, Serialize};

/// The identity of a replica: a node, and a generation that tells the node's successive replicas of a log apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReplicaId(u64);

impl ReplicaId {
    const NODE_BITS: u32 = 16;

    /// The replica of a node with a generation, which is 0 for the replicas that a log begins with.
    pub fn new(node: NodeId, generation: u32) -> Self {
        Self(u64::from(node.0) | u64::from(generation) << Self::NODE_BITS)
    }

    /// Its node.
    pub fn node(self) -> NodeId {
        NodeId(self.0 as u16)
    }

    /// Its generation.
    pub fn generation(self) -> u32 {
        (self.0 >> Self::NODE_BITS) as u32
    }

    pub(super) fn of(raft: u64) -> Self {
        Self(raft)
    }

    pub(super) fn raft(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation() {
            0 => self.node().fmt(f),
            generation => write!(f, "{}.{generation}", self.node()),
        }
    }
}

/// The members of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// The voters, in order.
    voters: Vec<ReplicaId>,
    /// The voters before the change under way: a quorum of these must agree too.
    outgoing: Vec<ReplicaId>,
    /// The learners, which are told everything and have no vote.
    learners: Vec<ReplicaId>,
    /// Voters that become learners once the outgoing majority's vote ends.
    demoted: Vec<ReplicaId>,
}

/// A step of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A replica begins to learn the log.
    Learns(ReplicaId),
    /// A learner and a voter change places, under both majorities.
    Swaps {
        /// The learner that gets a vote.
        promoted: ReplicaId,
        /// The voter that loses it.
        demoted: ReplicaId,
    },
    /// The outgoing majority's vote ends.
    Settles,
    /// A learner is dropped.
    Drops(ReplicaId),
    /// A learner gets a vote, and no other replica loses one: after a recovery the members are fewer than wanted.
    Adds(ReplicaId),
    /// An operator makes this replica, under a new number, the only member: the others' majority is lost for good.
    Recovers(ReplicaId),
}

impl Members {
    /// The members that a log begins with.
    pub fn initial(nodes: &[NodeId]) -> Self {
        let mut voters: Vec<_> = nodes.iter().map(|&node| ReplicaId::new(node, 0)).collect();
        voters.sort_unstable();
        Self { voters, ..Self::default() }
    }

    /// The members with a vote.
    pub fn voters(&self) -> &[ReplicaId] {
        &self.voters
    }

    /// The members without a vote.
    pub fn learners(&self) -> &[ReplicaId] {
        &self.learners
    }

    /// Whether the configuration is joint: two majorities must agree.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// The members before the change under way; if none is, these.
    pub fn before_change(&self) -> Self {
        match self.is_joint() {
            true => Self { voters: self.outgoing.clone(), ..Self::default() },
            false => self.clone(),
        }
    }

    /// Whether a member is on a node.
    pub fn are_on(&self, node: NodeId) -> bool {
        self.each().any(|member| member.node() == node)
    }

    /// Every member that receives appends; in a joint configuration some twice.
    pub fn each(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        [&self.voters, &self.outgoing, &self.learners].into_iter().flatten().copied()
    }

    /// Every member that receives appends, each once, in order.
    pub fn all(&self) -> Vec<ReplicaId> {
        let mut all: Vec<_> = self.each().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether the members that `agrees` accepts are a quorum.
    pub fn is_quorum(&self, agrees: impl Fn(ReplicaId) -> bool) -> bool {
        let majority = |side: &[ReplicaId]| {
            side.is_empty()
                || side.iter().filter(|&&member| agrees(member)).count() > side.len() / 2
        };
        majority(&self.voters) && majority(&self.outgoing)
    }

    /// The members after a step; `None` if the step does not follow, which changes nothing.
    pub fn after(&self, change: Change) -> Option<Self> {
        let mut next = self.clone();
        match change {
            Change::Learns(new) => {
                // A node that forgot may have a learner beside its older replica.
                let is_known = |member: ReplicaId| {
                    member.node() == new.node() && member.generation() >= new.generation()
                };
                if self.is_joint() || self.each().any(is_known) {
                    return None;
                }
                insert(&mut next.learners, new);
            }
            Change::Swaps { promoted, demoted } => {
                if self.is_joint() || !take(&mut next.learners, promoted) {
                    return None;
                }
                next.outgoing.clone_from(&self.voters);
                if !take(&mut next.voters, demoted) {
                    return None;
                }
                insert(&mut next.voters, promoted);
                next.demoted.push(demoted);
            }
            Change::Settles => {
                if !self.is_joint() {
                    return None;
                }
                next.outgoing.clear();
                let demoted = std::mem::take(&mut next.demoted);
                demoted.into_iter().for_each(|member| insert(&mut next.learners, member));
            }
            Change::Drops(old) => {
                if self.is_joint() || !take(&mut next.learners, old) {
                    return None;
                }
            }
            Change::Adds(new) => {
                if self.is_joint() || !take(&mut next.learners, new) {
                    return None;
                }
                insert(&mut next.voters, new);
            }
            Change::Recovers(replica) => next = Self::alone(replica),
        }
        Some(next)
    }

    /// The members of a log that one replica carries alone.
    pub fn alone(replica: ReplicaId) -> Self {
        Self { voters: vec![replica], ..Self::default() }
    }

    /// Encodes the members for a frame.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("memory holds the members")
    }

    /// Decodes the members; `None` if the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    pub(super) fn to_raft(&self) -> ConfState {
        let ids = |side: &[ReplicaId]| side.iter().map(|member| member.raft()).collect();
        ConfState {
            voters: ids(&self.voters),
            learners: ids(&self.learners),
            voters_outgoing: ids(&self.outgoing),
            learners_next: ids(&self.demoted),
            ..ConfState::default()
        }
    }

    pub(super) fn of_raft(state: &ConfState) -> Self {
        let side = |ids: &[u64]| {
            let mut members: Vec<_> = ids.iter().copied().map(ReplicaId::of).collect();
            members.sort_unstable();
            members
        };
        Self {
            voters: side(&state.voters),
            outgoing: side(&state.voters_outgoing),
            learners: side(&state.learners),
            demoted: side(&state.learners_next),
        }
    }
}

impl Change {
    /// Encodes the step for a frame.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("memory holds a change")
    }

    /// Decodes a step; `None` if the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    /// The replica that gets a vote, and without which nothing may be decided from then on.
    pub(super) fn promoted(self) -> Option<ReplicaId> {
        match self {
            Self::Swaps { promoted, .. } | Self::Adds(promoted) => Some(promoted),
            Self::Learns(_) | Self::Settles | Self::Drops(_) | Self::Recovers(_) => None,
        }
    }

    /// The library's changes that turn `members` into those after this step, in order.
    pub(super) fn to_raft(self, members: &Members) -> Vec<ConfChangeV2> {
        match self {
            Self::Learns(new) => vec![simple(ConfChangeType::AddLearnerNode, new)],
            Self::Swaps { promoted, demoted } => {
                let mut change = ConfChangeV2::default();
                change.set_transition(ConfChangeTransition::Explicit);
                let steps = vec![
                    single(ConfChangeType::AddNode, promoted),
                    single(ConfChangeType::AddLearnerNode, demoted),
                ];
                change.set_changes(steps.into());
                vec![change]
            }
            Self::Settles => vec![ConfChangeV2::default()],
            Self::Drops(old) => vec![simple(ConfChangeType::RemoveNode, old)],
            Self::Adds(new) => vec![simple(ConfChangeType::AddNode, new)],
            Self::Recovers(alone) => {
                // Only one voter may change at a time, and never the last one.
                let settles = members.is_joint().then(ConfChangeV2::default);
                let settled = members.after(Self::Settles).unwrap_or_else(|| members.clone());
                let comes = simple(ConfChangeType::AddNode, alone);
                let others = settled.all().into_iter().filter(|&member| member != alone);
                let go = others.map(|member| simple(ConfChangeType::RemoveNode, member));
                settles.into_iter().chain([comes]).chain(go).collect()
            }
        }
    }
}

fn simple(kind: ConfChangeType, member: ReplicaId) -> ConfChangeV2 {
    let mut change = ConfChangeV2::default();
    change.set_changes(vec![single(kind, member)].into());
    change
}

fn single(kind: ConfChangeType, member: ReplicaId) -> ConfChangeSingle {
    let mut single = ConfChangeSingle { node_id: member.raft(), ..ConfChangeSingle::default() };
    single.set_change_type(kind);
    single
}

fn insert(side: &mut Vec<ReplicaId>, member: ReplicaId) {
    if let Err(place) = side.binary_search(&member) {
        side.insert(place, member);
    }
}

/// Removes a member; returns whether it was there.
fn take(side: &mut Vec<ReplicaId>, member: ReplicaId) -> bool {
    let place = side.binary_search(&member);
    place.is_ok_and(|place| side.remove(place) == member)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(node: u16, generation: u32) -> ReplicaId {
        ReplicaId::new(NodeId(node), generation)
    }

    #[test]
    fn one_replica_takes_the_place_of_another_in_four_steps() {
        let begin = Members::initial(&[NodeId(3), NodeId(1), NodeId(2)]);
        let (new, old) = (id(4, 7), id(2, 0));
        let learns = begin.after(Change::Learns(new)).unwrap();
        assert!(learns.is_quorum(|member| [id(1, 0), old].contains(&member)));
        assert!(!learns.is_quorum(|member| [id(1, 0), new].contains(&member)), "it has no vote");
        let joint = learns.after(Change::Swaps { promoted: new, demoted: old }).unwrap();
        assert!(!joint.is_quorum(|member| [id(1, 0), old].contains(&member)), "the new side too");
        assert!(!joint.is_quorum(|member| [id(1, 0), new].contains(&member)), "the old side too");
        assert!(joint.is_quorum(|member| [id(1, 0), id(3, 0)].contains(&member)));
        let settled = joint.after(Change::Settles).unwrap();
        assert_eq!((settled.voters().len(), settled.learners()), (3, &[old][..]));
        let end = settled.after(Change::Drops(old)).unwrap();
        assert_eq!(end.all(), [id(1, 0), id(3, 0), new]);
    }

    #[test]
    fn a_replica_that_forgot_gives_way_to_another_on_its_node() {
        let begin = Members::initial(&[NodeId(1), NodeId(2), NodeId(3)]);
        let (new, old) = (id(2, 9), id(2, 0));
        let learns = begin.after(Change::Learns(new)).unwrap();
        assert!(!learns.is_quorum(|member| [id(1, 0), new].contains(&member)), "it has no vote");
        let joint = learns.after(Change::Swaps { promoted: new, demoted: old }).unwrap();
        assert!(
            !joint.is_quorum(|member| [id(1, 0), new].contains(&member)),
            "nor for the old one"
        );
        assert!(joint.is_quorum(|member| [id(1, 0), id(3, 0)].contains(&member)));
        assert_eq!(joint.after(Change::Learns(id(2, 10))), None, "one at a time");
        let settled = joint.after(Change::Settles).unwrap();
        assert_eq!(settled.after(Change::Learns(id(2, 8))), None, "it would be older");
        assert_eq!(settled.after(Change::Drops(old)).unwrap().all(), [id(1, 0), id(3, 0), new]);
    }

    #[test]
    fn a_replica_that_goes_on_alone_gets_others_one_by_one() {
        let (alone, new) = (id(3, 1_000_007), id(4, 1_000_008));
        let begin = Members::initial(&[NodeId(1), NodeId(2), NodeId(3)]);
        let learns = begin.after(Change::Learns(id(4, 7))).unwrap();
        let joint = learns.after(Change::Swaps { promoted: id(4, 7), demoted: id(2, 0) }).unwrap();
        for members in [&begin, &learns, &joint] {
            assert_eq!(members.after(Change::Recovers(alone)), Some(Members::alone(alone)));
        }
        let recovered = Members::alone(alone);
        assert_eq!(recovered.after(Change::Adds(new)), None, "it has not learned the log");
        let learns = recovered.after(Change::Learns(new)).unwrap();
        assert!(learns.is_quorum(|member| member == alone));
        let two = learns.after(Change::Adds(new)).unwrap();
        assert_eq!((two.voters(), two.learners()), (&[alone, new][..], &[][..]));
        assert!(!two.is_quorum(|member| member == alone), "both votes count");
    }

    #[test]
    fn a_step_that_does_not_follow_changes_nothing() {
        let begin = Members::initial(&[NodeId(1), NodeId(2), NodeId(3)]);
        let learns = begin.after(Change::Learns(id(4, 7))).unwrap();
        let joint = learns.after(Change::Swaps { promoted: id(4, 7), demoted: id(2, 0) }).unwrap();
        for (members, change) in [
            (&begin, Change::Settles),
            (&begin, Change::Learns(id(2, 0))),
            (&begin, Change::Drops(id(2, 0))),
            (&begin, Change::Swaps { promoted: id(4, 7), demoted: id(2, 0) }),
            (&learns, Change::Swaps { promoted: id(4, 7), demoted: id(5, 0) }),
            (&joint, Change::Learns(id(5, 8))),
            (&joint, Change::Adds(id(4, 7))),
            (&begin, Change::Adds(id(4, 7))),
            (&joint, Change::Swaps { promoted: id(5, 8), demoted: id(1, 0) }),
        ] {
            assert_eq!(members.after(change), None, "{change:?}");
        }
        assert_eq!(Members::of_raft(&joint.to_raft()), joint);
        assert_eq!(Members::decode(&joint.encode()), Some(joint));
    }
}
