//! What a node knows of the cluster's members: a table that all nodes come to agree on.
//!
//! Owns each member's state and incarnation, which of two rumours prevails, and what a beat has
//! to carry so that its receiver learns of a change. Refuses to decide who is down, which is the
//! [resolver](crate::resolver)'s, and what anything here means for a shard: no safety rests on
//! the table.
//!
//! Rumours spread as in SWIM (Das et al., 2002): a suspicion is told, not acted upon, and
//! whom it concerns refutes it by a higher incarnation. Of two words about a member the one with
//! the higher incarnation prevails, and within an incarnation the graver one. So the word
//! that prevails is the greater in one order, and tables that have heard the same words are equal,
//! in whatever order, and however often, they were heard.
//!
//! A beat shows its sender's view, a number that equal tables share. A node tells its whole table
//! along with its beats to whoever last showed another view: at once a few times, and
//! then once for each sign that the other one lives and still disagrees. So a lost rumour is told
//! again, and nodes that agree say nothing.

use std::sync::Arc;

use onsale_booking::draw::mix;
use onsale_booking::{Instant, NodeId};

use crate::beat::Beat;

/// How often a table is told to a peer that gives no sign of having heard it.
const UNANSWERED_MAX: u8 = 4;

/// A member's life so far: a number that rises with each boot, and one that rises with each
/// refutation of what is said about that boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation {
    /// Which boot of the member's process; the first is 1.
    pub boot: u64,
    /// How often it has answered back since.
    pub round: u64,
}

/// How a member is, from the best to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It has come, or come back, and nobody who sees a quorum has heard it yet.
    Joining,
    /// It is heard.
    Up,
    /// It is about to go, and is not missed when it is gone.
    Leaving,
    /// Somebody has not heard it for too long.
    Suspect,
    /// A node that sees a quorum has given it up. It comes back only as another incarnation.
    Down,
}

/// What is known of a member. The greater rumour wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Which life of the member is meant.
    pub incarnation: Incarnation,
    /// How it is in that life.
    pub state: State,
}

/// A word about a member, as beats carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rumour {
    /// The member that it is about.
    pub node: NodeId,
    /// What is said.
    pub member: Member,
}

/// Every member is taken for this until something else is said: the first boot of a member of
/// the first hour.
const FOUNDING: Member =
    Member { incarnation: Incarnation { boot: 1, round: 0 }, state: State::Up };

/// What came of a rumour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was known, or overtaken.
    Nothing,
    /// The table has changed.
    Changed,
    /// This node was joining, and is admitted.
    Admitted,
    /// This node was suspect, and answers back.
    Refuted,
    /// This node was given up, and joins again.
    GivenUp,
    /// Nobody can know this: it is of a node that is no member, or of a life of this node that
    /// has not been.
    Impossible,
}

/// One node's table.
#[derive(Clone, Debug)]
pub struct Membership {
    me: NodeId,
    /// By node number, less one.
    entries: Vec<Entry>,
    /// Stands for all entries; zero for a table of founding members.
    view: u64,
    /// Whether all peers last showed this view, and nobody waits to be admitted: then a beat
    /// that shows it too says nothing new.
    is_quiet: bool,
    /// The table as it is told, put together when it is first asked for.
    told: Option<Arc<[Rumour]>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    member: Member,
    /// When this node learned of it.
    since: Instant,
    /// The view that the peer's last beat showed.
    shown: u64,
    /// How often the peer was told and gave no sign.
    unanswered: u8,
    /// Whether it is of the cluster, by the map. Of others the table is kept, and nothing is expected.
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

    /// There is a map by which these nodes and no others are of the cluster.
    pub fn count(&mut self, is_of_cluster: impl Fn(NodeId) -> bool) {
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.counts = is_of_cluster(node_at(place));
        }
        self.is_quiet = false;
    }

    /// What is known of a member; none of who is no member.
    pub fn member(&self, node: NodeId) -> Option<Member> {
        self.place(node).map(|place| self.entries[place].member)
    }

    /// A number that equal tables share, and different ones hardly ever.
    pub fn view(&self) -> u64 {
        self.view
    }

    /// Every member that is suspect, and since when this node knows it.
    pub fn suspects(&self) -> impl Iterator<Item = (NodeId, Instant)> {
        let is_suspect = |it: &Entry| it.counts && it.member.state == State::Suspect;
        let suspects = self.entries.iter().enumerate().filter(move |(_, it)| is_suspect(it));
        suspects.map(|(place, entry)| (node_at(place), entry.since))
    }

    /// This node stood still until `now`: what is suspected is suspected from now on.
    pub fn excuse(&mut self, now: Instant) {
        self.entries.iter_mut().for_each(|entry| entry.since = now);
    }

    /// A beat came straight from a peer; from anybody else it says nothing. Whether its sender
    /// waits to be admitted.
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
        state == State::Joining && incarnation.boot == beat.incarnation
    }

    /// Whether a peer is to be told this node's table with the next beat. Counts as told.
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

    /// How many peers last showed this node's view.
    pub fn agreeing(&self) -> u16 {
        let me = self.own_place();
        let peers = self.entries.iter().enumerate().filter(|&(place, _)| place != me);
        peers.filter(|(_, entry)| entry.counts && entry.shown == self.view).count() as u16
    }

    /// The table, less those members that are as they were when the cluster was founded.
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

    /// Somebody says something about a member.
    pub fn on_rumour(&mut self, rumour: Rumour, now: Instant) -> Heard {
        let Rumour { node, member: said } = rumour;
        let Some(place) = self.place(node) else { return Heard::Impossible };
        let known = self.entries[place].member;
        if node == self.me {
            return self.on_word_about_me(said, now);
        }
        if said <= known {
            return Heard::Nothing;
        }
        self.set(node, said, now);
        Heard::Changed
    }

    /// A peer has been silent for too long. Whether that is news; of one that said that it goes it is
    /// none.
    pub fn suspect(&mut self, peer: NodeId, now: Instant) -> bool {
        let leaves = self.member(peer).is_some_and(|member| member.state == State::Leaving);
        !leaves && self.worsen(peer, State::Suspect, now)
    }

    /// This node is about to go, and says so once it is admitted.
    pub fn leave(&mut self, now: Instant) {
        if self.member(self.me).is_some_and(|member| member.state == State::Up) {
            self.worsen(self.me, State::Leaving, now);
        }
    }

    /// A peer is given up, as the resolver has decided. Whether that is news.
    pub fn down(&mut self, peer: NodeId, now: Instant) -> bool {
        self.worsen(peer, State::Down, now)
    }

    /// A peer that joins is heard by a node that sees a quorum. Whether that is news.
    pub fn admit(&mut self, peer: NodeId, now: Instant) -> bool {
        let joins = self.member(peer).is_some_and(|member| member.state == State::Joining);
        joins && self.worsen(peer, State::Up, now)
    }

    /// Of an incarnation of its own this node knows more than anybody else, up to whether it was
    /// admitted. It is given up even if it has just answered back to a suspicion: so whoever is
    /// not heard learns that from those whom it hears.
    fn on_word_about_me(&mut self, said: Member, now: Instant) -> Heard {
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
        // What a peer was told before does not count.
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

/// What a member adds to a view; nothing as it was when the cluster was founded.
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
