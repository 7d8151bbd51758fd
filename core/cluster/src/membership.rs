//! A node's table of the cluster's members, on which all nodes come to agree.
//!
//! Owns each member's state and incarnation, which of two rumours wins, and what a beat has to carry so that its
//! receiver learns of a change. Refuses to decide which member is down, which the [resolver](crate::resolver) does, and
//! what anything here means for a shard: no safety depends on the table.
//!
//! Rumours spread as in SWIM (Das et al., 2002): a suspicion is told, not acted upon, and its subject refutes it by a
//! higher incarnation. Of two rumours about a member, the higher incarnation wins; within one incarnation, the more
//! severe state wins. So rumours about a member have one total order, of which the greatest wins, and tables that have
//! heard the same rumours are equal, though they heard them in another order or more often.
//!
//! A beat shows its sender's view, a hash that equal tables share. A node adds its whole table to its beats to a peer
//! that last showed another view: a few times at once, and then once for each beat that still shows another view. So a
//! lost rumour is told again, and nodes that agree send beats alone.

use std::sync::Arc;

use onsale_booking::draw::mix;
use onsale_booking::{Instant, NodeId};

use crate::beat::Beat;

/// How often a table is told to a peer that has not sent a beat since.
const UNANSWERED_MAX: u8 = 4;

/// The incarnation of a member: a number that rises with each boot, and one that rises with each refutation of a rumour
/// about that boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation {
    /// The boot of the member's process, counted from 1.
    pub boot: u64,
    /// Number of refutations since that boot.
    pub round: u64,
}

/// The state of a member, from the best to the most severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It has started, or started again, and no node that sees a quorum has heard it yet.
    Joining,
    /// It is heard.
    Up,
    /// It is about to leave, and its silence will not be missed.
    Leaving,
    /// Some node has not heard it for too long.
    Suspect,
    /// A node that sees a quorum has declared it down. It comes back only as another incarnation.
    Down,
}

/// A rumour's content: incarnation and state. The greater rumour wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// The incarnation of the member.
    pub incarnation: Incarnation,
    /// The state in that incarnation.
    pub state: State,
}

/// A rumour about a member, as beats carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rumour {
    /// The member.
    pub node: NodeId,
    /// The incarnation and state that the rumour claims.
    pub member: Member,
}

/// The state of every member until a rumour arrives: up, in the first boot.
const FOUNDING: Member =
    Member { incarnation: Incarnation { boot: 1, round: 0 }, state: State::Up };

/// The effect of a rumour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// None: it was known, or overtaken.
    Nothing,
    /// The table has changed.
    Changed,
    /// This node was joining, and is admitted.
    Admitted,
    /// This node was suspect, and refutes it.
    Refuted,
    /// This node was declared down, and joins again.
    GivenUp,
    /// No node can know this: it is about no member, or about an incarnation of this node that has not been.
    Impossible,
}

/// One node's table.
#[derive(Clone, Debug)]
pub struct Membership {
    me: NodeId,
    /// By node number, less one.
    entries: Vec<Entry>,
    /// A hash of all entries; zero while every member is founding.
    view: u64,
    /// Whether all peers last showed this view, and no member waits to be admitted: then a beat with the same view
    /// brings no news.
    is_quiet: bool,
    /// The table as it is told, built when it is first asked for.
    told: Option<Arc<[Rumour]>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    member: Member,
    /// When this node learned of that.
    since: Instant,
    /// The view that the peer's last beat showed.
    shown: u64,
    /// How often the peer was told without an answering beat.
    unanswered: u8,
    /// Whether it is a member of the cluster, by the map. Rumours about others are kept, but no beat is expected of
    /// them.
    counts: bool,
}

impl Membership {
    /// The table of node `me` as it boots for the `boot`th time, in a cluster of `nodes` nodes.
    pub fn new(me: NodeId, boot: u64, nodes: u16, now: Instant) -> Self {
        let entry = Entry { member: FOUNDING, since: now, shown: 0, unanswered: 0, counts: true };
        let mut table = Self {
            me,
            entries: vec![entry; usize::from(nodes)],
            view: 0,
            is_quiet: true,
            told: None,
        };
        let incarnation = Incarnation { boot, round: 0 };
        if incarnation != FOUNDING.incarnation {
            table.set(me, Member { incarnation, state: State::Joining }, now);
        }
        table
    }

    /// Takes the cluster's members from a map.
    pub fn count(&mut self, is_of_cluster: impl Fn(NodeId) -> bool) {
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.counts = is_of_cluster(node_at(place));
        }
        self.is_quiet = false;
    }

    /// The incarnation and state of a member; `None` for a node that is not one.
    pub fn member(&self, node: NodeId) -> Option<Member> {
        self.place(node).map(|place| self.entries[place].member)
    }

    /// A hash of the table: equal for equal tables, and hardly ever for different ones.
    pub fn view(&self) -> u64 {
        self.view
    }

    /// Every suspect member, and since when this node knows it.
    pub fn suspects(&self) -> impl Iterator<Item = (NodeId, Instant)> {
        let is_suspect = |it: &Entry| it.counts && it.member.state == State::Suspect;
        let suspects = self.entries.iter().enumerate().filter(move |(_, it)| is_suspect(it));
        suspects.map(|(place, entry)| (node_at(place), entry.since))
    }

    /// This node stood still until `now`: every suspicion is counted from now on.
    pub fn excuse(&mut self, now: Instant) {
        self.entries.iter_mut().for_each(|entry| entry.since = now);
    }

    /// Takes a beat that came straight from a peer; other senders are ignored. Returns whether its sender waits to be
    /// admitted.
    #[inline]
    pub fn on_beat(&mut self, from: NodeId, beat: Beat) -> bool {
        if self.is_quiet && beat.view == self.view {
            return false;
        }
        self.on_view(from, beat)
    }

    fn on_view(&mut self, from: NodeId, beat: Beat) -> bool {
        let Some(place) = self.place(from).filter(|_| from != self.me) else { return false };
        let entry = &mut self.entries[place];
        (entry.shown, entry.unanswered) = (beat.view, 0);
        let Member { incarnation, state } = entry.member;
        let (me, view) = (self.own_place(), self.view);
        let is_quiet = |(place, entry): (usize, &Entry)| {
            let agrees = place == me || entry.shown == view;
            !entry.counts || entry.member.state != State::Joining && agrees
        };
        self.is_quiet = self.entries.iter().enumerate().all(is_quiet);
        state == State::Joining && incarnation.boot == u64::from(beat.incarnation)
    }

    /// Whether the next beat to a peer carries this node's table. Counts as told.
    #[inline]
    pub fn has_news_for(&mut self, peer: NodeId) -> bool {
        if self.is_quiet {
            return false;
        }
        let Some(place) = self.place(peer) else { return false };
        let entry = &mut self.entries[place];
        if entry.shown == self.view || entry.unanswered == UNANSWERED_MAX {
            return false;
        }
        entry.unanswered += 1;
        true
    }

    /// Number of peers that last showed this node's view.
    pub fn agreeing(&self) -> u16 {
        let me = self.own_place();
        let peers = self.entries.iter().enumerate().filter(|&(place, _)| place != me);
        peers.filter(|(_, entry)| entry.counts && entry.shown == self.view).count() as u16
    }

    /// The table as rumours, without members that are as when the cluster was founded.
    pub fn told(&mut self) -> Arc<[Rumour]> {
        let entries = &self.entries;
        let told = self.told.get_or_insert_with(|| {
            let changed = entries.iter().enumerate().filter(|(_, entry)| entry.member != FOUNDING);
            changed
                .map(|(place, entry)| Rumour { node: node_at(place), member: entry.member })
                .collect()
        });
        Arc::clone(told)
    }

    /// Takes a rumour.
    pub fn on_rumour(&mut self, rumour: Rumour, now: Instant) -> Heard {
        let Rumour { node, member: said } = rumour;
        let Some(place) = self.place(node) else { return Heard::Impossible };
        let known = self.entries[place].member;
        if node == self.me {
            return self.on_rumour_about_me(said, now);
        }
        if said <= known {
            return Heard::Nothing;
        }
        self.set(node, said, now);
        Heard::Changed
    }

    /// A peer has been silent for too long. Returns whether that is news; about a peer that has announced that it
    /// leaves it is not.
    pub fn suspect(&mut self, peer: NodeId, now: Instant) -> bool {
        let leaves = self.member(peer).is_some_and(|member| member.state == State::Leaving);
        !leaves && self.worsen(peer, State::Suspect, now)
    }

    /// Makes this node say that it is leaving, once it is admitted.
    pub fn leave(&mut self, now: Instant) {
        if self.member(self.me).is_some_and(|member| member.state == State::Up) {
            self.worsen(self.me, State::Leaving, now);
        }
    }

    /// Declares a peer down, as the resolver has decided. Returns whether that is news.
    pub fn down(&mut self, peer: NodeId, now: Instant) -> bool {
        self.worsen(peer, State::Down, now)
    }

    /// Admits a joining peer that was heard; this node must see a quorum. Returns whether that is news.
    pub fn admit(&mut self, peer: NodeId, now: Instant) -> bool {
        let joins = self.member(peer).is_some_and(|member| member.state == State::Joining);
        joins && self.worsen(peer, State::Up, now)
    }

    /// Takes a rumour about this node, which knows more about its own incarnation than any other, except whether it was
    /// admitted. It accepts that it was declared down even if it has just refuted a suspicion: so a node that is not
    /// heard learns that from the nodes that it hears.
    fn on_rumour_about_me(&mut self, said: Member, now: Instant) -> Heard {
        let mine = self.entries[self.own_place()].member;
        let Incarnation { boot, round } = mine.incarnation;
        let next = Incarnation { boot, round: round + 1 };
        let unheard = said.incarnation.boot == boot
            && said.incarnation.round + 1 == round
            && mine.state != State::Joining;
        if said.incarnation > mine.incarnation {
            return Heard::Impossible;
        }
        let (member, heard) = match said.state {
            State::Down if said > mine || unheard => {
                (Member { incarnation: next, state: State::Joining }, Heard::GivenUp)
            }
            _ if said <= mine => return Heard::Nothing,
            State::Suspect => (Member { incarnation: next, ..mine }, Heard::Refuted),
            State::Joining | State::Up => (said, Heard::Admitted),
            State::Leaving | State::Down => (said, Heard::Changed),
        };
        self.set(self.me, member, now);
        heard
    }

    fn worsen(&mut self, node: NodeId, state: State, now: Instant) -> bool {
        let Some(member) = self.member(node).filter(|member| member.state < state) else {
            return false;
        };
        self.set(node, Member { state, ..member }, now);
        true
    }

    fn set(&mut self, node: NodeId, member: Member, now: Instant) {
        let Some(place) = self.place(node) else { return };
        let entry = &mut self.entries[place];
        assert!(
            member.incarnation >= entry.member.incarnation,
            "{node} never goes back to an earlier incarnation"
        );
        self.view ^= weight(node, entry.member) ^ weight(node, member);
        (entry.member, entry.since) = (member, now);
        self.told = None;
        self.is_quiet = false;
        // Earlier tellings do not count.
        self.entries.iter_mut().for_each(|entry| entry.unanswered = 0);
    }

    fn own_place(&self) -> usize {
        usize::from(self.me.0) - 1
    }

    #[inline]
    fn place(&self, node: NodeId) -> Option<usize> {
        let place = usize::from(node.0).checked_sub(1)?;
        (place < self.entries.len()).then_some(place)
    }
}

fn node_at(place: usize) -> NodeId {
    NodeId(place as u16 + 1)
}

/// A member's part of a view's hash; zero while it is as when the cluster was founded.
fn weight(node: NodeId, member: Member) -> u64 {
    if member == FOUNDING {
        return 0;
    }
    let Member { incarnation: Incarnation { boot, round }, state } = member;
    let who = mix(u64::from(node.0) << 8 | state as u64);
    mix(mix(mix(boot) ^ round) ^ who)
}

#[cfg(test)]
mod tests;
