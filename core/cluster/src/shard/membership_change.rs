//! Membership change: a leader brings its shard's journal to the members that the map wants.
//!
//! Owns the next step. It is derived each time from the journal's members, so it does not matter which leader took the
//! last one. Refuses to know why the map wants these members.

use std::sync::Arc;

use onsale_booking::{Instant, NodeId};

use super::Shard;
use crate::effect::Effects;
use crate::journal::{Change, Members, ReadId, ReplicaId};
use crate::observation::TransferReason;
use crate::placement::{Placement, Seats};

/// A replica that lacks at most this many records is as good as level: the rest is on its way.
pub(crate) const LEVEL: u64 = 64;

impl Shard {
    /// The latest committed version of the map, if this shard's records are its versions.
    pub(crate) fn map(&self) -> Option<&Arc<Placement>> {
        self.map.as_ref()
    }

    /// Proposes a version of the map.
    pub(crate) fn propose_map(&mut self, map: &Placement) -> bool {
        self.leader.is_some() && self.journal.propose(map.encode())
    }

    /// Takes the next step towards the members that the map wants, if this replica serves. Returns whether none is
    /// left: the journal has these members and no others. `ends` is when a lead transfer that the step needs is given
    /// up; none goes to a node that is `missed`.
    pub(crate) fn advance_membership_change(
        &mut self,
        map: &Placement,
        missed: impl Fn(NodeId) -> bool,
        ends: Instant,
        effects: &mut Effects,
    ) -> bool {
        let (seats, members) = (map.seats(self.id), self.journal.members());
        let newer = |member: ReplicaId| member.generation() > seats.generation;
        if self.leader.is_none() || members.is_joint() || members.each().any(newer) {
            return false;
        }
        let change = match next_step(map, seats, members, self.node) {
            Some(Change::Adds(_)) => {
                let learners: Vec<_> = self.journal.members().learners().to_vec();
                let is_level = |&new: &ReplicaId| self.is_level(new, map, &missed);
                match learners.into_iter().find(is_level) {
                    Some(new) => Change::Adds(new),
                    None => return false,
                }
            }
            Some(Change::Swaps { promoted, demoted }) => {
                if !self.is_level(promoted, map, &missed) {
                    return false;
                }
                // A leader that is the only voter changes places itself: the journal then passes the leadership on.
                let others = self.journal.members().voters().iter();
                if demoted.node() == self.node && others.clone().any(|it| it.node() != self.node) {
                    self.transfer_to_stay(map, seats, missed, ends, effects);
                    return false;
                }
                Change::Swaps { promoted, demoted }
            }
            Some(change) => change,
            None => {
                let came = |voter: &ReplicaId| voter.generation() == seats.generation;
                let has_come = members.voters().iter().any(came);
                return has_come || self.still_leads(seats.generation);
            }
        };
        self.journal.change_members(change);
        false
    }

    /// The replica to which a recovery cut the members down, if this one serves, and the map does not know yet: it still
    /// counts on replicas that are given up.
    pub(crate) fn recovered(&self, seats: &Seats) -> Option<ReplicaId> {
        let members = self.journal.members();
        let is_short = members.voters().len() < seats.members.len();
        if !is_short || self.leader.is_none() {
            return None;
        }
        let newest = members.voters().iter().max_by_key(|voter| voter.generation())?;
        (newest.generation() > seats.generation).then_some(*newest)
    }

    /// Whether a learner has answered, and is level. Otherwise the leader speaks to it, if it may have missed earlier
    /// messages.
    fn is_level(
        &mut self,
        learner: ReplicaId,
        map: &Placement,
        missed: impl Fn(NodeId) -> bool,
    ) -> bool {
        // A learner that has never answered may not have begun: it would have a vote without knowing it.
        let answers = |lag: &u64| *lag < self.journal.applied();
        let is_level = |lag| lag <= LEVEL;
        if self.journal.lag(learner).filter(answers).is_some_and(is_level) {
            return true;
        }
        // A node that forgot begins once it knows that it may. Until this journal fell asleep, any learner may have
        // missed all messages. So the leader speaks to a learner that is heard until it answers.
        let may_have_missed = !self.journal.awake() && !missed(learner.node());
        if may_have_missed || map.forgot_in(learner.node()).is_some() {
            self.journal.ping();
        }
        false
    }

    /// Transfers the leadership to a voter that stays, or to any that is heard: this replica is about to lose its vote.
    fn transfer_to_stay(
        &mut self,
        map: &Placement,
        seats: &Seats,
        missed: impl Fn(NodeId) -> bool,
        ends: Instant,
        effects: &mut Effects,
    ) {
        let voters = self.journal.members().voters().iter().copied();
        let there = voters.filter(|voter| {
            voter.node() != self.node && !missed(voter.node()) && !map.is_given_up(*voter)
        });
        let fitness = |&voter: &ReplicaId| {
            let stays = is_wanted(map, seats, voter);
            (!stays, self.failed_transfers_to(voter.node()), self.journal.lag(voter))
        };
        if let Some(to) = there.min_by_key(fitness) {
            self.transfer_lead(to.node(), TransferReason::Move, ends, effects);
        }
    }

    /// Whether a quorum has confirmed, since this replica first knew of a generation, that it still leads; asks if need
    /// be. A leader deposed without its knowledge may see an old list of members, and mistake it for the wanted one,
    /// where that has no replica that came with the wish.
    fn still_leads(&mut self, generation: u32) -> bool {
        let asks = (self.journal.epoch(), generation);
        if let Some((asked, read)) = self.asked_for_move
            && asked == asks
        {
            return self.leader.as_ref().is_some_and(|leader| leader.is_confirmed(read));
        }
        self.reads += 1;
        let read = ReadId(self.reads);
        self.asked_for_move = self.journal.confirm_leadership(read).then_some((asks, read));
        false
    }

    /// Whether this leader's own question whether it still leads is open.
    pub(super) fn asks_whether_it_leads(&self) -> bool {
        let asked = self.asked_for_move.map(|(_, read)| read).zip(self.leader.as_ref());
        asked.is_some_and(|(read, leader)| !leader.is_confirmed(read))
    }

    /// Drops the replica if the map says that it is no longer one: the journal has settled on others since it came, and
    /// it never comes back under its number. A leader that still counts itself among the members was deposed without its
    /// knowledge: the others refuse its messages, so it would keep its clients' answers for ever. One that does not has
    /// given its place away, and stays until the new members know.
    pub(crate) fn leave_if_moved(&mut self, seats: &Seats) -> bool {
        let newer = self.journal.replica().generation() > seats.generation;
        let gone = seats.from.is_empty() && !newer && !seats.members.contains(&self.node);
        let gives_way = self.journal.is_leader() && !self.journal.members().are_on(self.node);
        gone && !gives_way && self.leave()
    }

    /// Drops the replica, which never comes back under its number. Returns whether it was there.
    pub(super) fn leave(&mut self) -> bool {
        if self.journal.has_left() {
            return false;
        }
        self.journal.leave();
        self.shows.clear();
        true
    }
}

/// Whether a replica is one that the map wants.
fn is_wanted(map: &Placement, seats: &Seats, member: ReplicaId) -> bool {
    seats.members.contains(&member.node()) && !map.is_given_up(member)
}

/// The next step from `members` to those that the map wants, for the leader on node `me`; `None` if none is left.
fn next_step(map: &Placement, seats: &Seats, members: &Members, me: NodeId) -> Option<Change> {
    let wanted = |member: &ReplicaId| is_wanted(map, seats, *member);
    let surplus = members.voters().iter().copied().filter(|voter| !wanted(voter));
    let votes =
        |node: &NodeId| members.voters().iter().any(|voter| voter.node() == *node && wanted(voter));
    let missing = seats.members.iter().copied().find(|node| !votes(node));
    let idle = members.learners().iter().copied().find(|learner| !wanted(learner));
    let learner = members.learners().iter().copied().find(wanted);
    if idle.is_none() && members.voters().len() < seats.members.len() {
        // After a recovery: all learn at once, and get their votes as soon as they are level.
        let learns = |node: &NodeId| members.learners().iter().any(|it| it.node() == *node);
        let mut missing = seats.members.iter().copied().filter(|node| !votes(node));
        let unheard = missing.find(|node| !learns(node));
        let begins = unheard.map(|node| Change::Learns(ReplicaId::new(node, seats.generation)));
        return begins.or_else(|| learner.map(Change::Adds));
    }
    // No node has two voters, and no zone more than it must. A replica that is gone goes first, the leader last: it
    // needs a member to transfer the leadership to.
    let goes_first = |voter: &ReplicaId| {
        let beside = learner.is_some_and(|learner| learner.node() == voter.node());
        let stay = members.voters().iter().filter(|other| *other != voter).chain(&learner);
        let crowding = map.pairs_in_one_zone(stay.map(|member| member.node()));
        (!beside, crowding, !map.is_given_up(*voter), voter.node() == me)
    };
    let surplus = surplus.min_by_key(goes_first);
    match (idle, missing, learner, surplus) {
        (Some(idle), ..) => Some(Change::Drops(idle)),
        (None, Some(node), None, Some(_)) => {
            Some(Change::Learns(ReplicaId::new(node, seats.generation)))
        }
        (None, Some(_), Some(promoted), Some(demoted)) => Some(Change::Swaps { promoted, demoted }),
        (None, ..) => None,
    }
}
