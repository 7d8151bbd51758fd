//! Which rumour wins, and that all tables agree in the end.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const ME: NodeId = NodeId(1);
const PEER: NodeId = NodeId(2);
const NOW: Instant = Instant(7);

fn table(me: NodeId) -> Membership {
    Membership::new(me, 1, 3, Instant::ZERO)
}

fn member(boot: u64, round: u64, state: State) -> Member {
    Member { incarnation: Incarnation { boot, round }, state }
}

fn said(node: NodeId, boot: u64, round: u64, state: State) -> Rumour {
    Rumour { node, member: member(boot, round, state) }
}

#[test]
fn the_higher_incarnation_wins_and_within_one_the_more_severe_state() {
    // In the order in which they win.
    let words = [
        (1, 0, State::Up),
        (1, 0, State::Suspect),
        (1, 0, State::Down),
        (1, 1, State::Joining),
        (1, 1, State::Up),
        (1, 1, State::Leaving),
        (1, 7, State::Suspect),
        (2, 0, State::Joining),
        (2, 0, State::Down),
    ];
    for (low, &(boot, round, state)) in words.iter().enumerate() {
        for (high, &(other_boot, other_round, other_state)) in words.iter().enumerate() {
            let mut table = table(ME);
            table.on_rumour(said(PEER, boot, round, state), NOW);
            let heard = table.on_rumour(said(PEER, other_boot, other_round, other_state), NOW);
            let expected = if high > low { Heard::Changed } else { Heard::Nothing };
            assert_eq!(heard, expected, "{:?} after {:?}", words[high], words[low]);
        }
    }
}

#[test]
fn a_node_that_announced_its_leave_is_not_missed() {
    let (mut leaver, mut peer) = (table(PEER), table(ME));
    leaver.leave(NOW);
    for rumour in leaver.told().iter() {
        assert_eq!(peer.on_rumour(*rumour, NOW), Heard::Changed);
    }
    assert_eq!(peer.member(PEER), Some(member(1, 0, State::Leaving)));
    assert!(!peer.suspect(PEER, NOW), "it has left as announced");
    assert_eq!(peer.suspects().count(), 0);
    // A node that does not know that yet suspects it: it refutes that, and goes on leaving.
    assert_eq!(leaver.on_rumour(said(PEER, 1, 0, State::Suspect), NOW), Heard::Refuted);
    assert_eq!(leaver.member(PEER), Some(member(1, 1, State::Leaving)));
    // A node that was declared down joins again first.
    assert_eq!(leaver.on_rumour(said(PEER, 1, 1, State::Down), NOW), Heard::GivenUp);
    leaver.leave(NOW);
    assert_eq!(leaver.member(PEER), Some(member(1, 2, State::Joining)));
    assert_eq!(leaver.on_rumour(said(PEER, 1, 2, State::Up), NOW), Heard::Admitted);
    leaver.leave(NOW);
    assert_eq!(leaver.member(PEER), Some(member(1, 2, State::Leaving)));
}

#[test]
fn a_node_refutes_false_rumours() {
    // (rumour about a node that is up, its effect, the node's state afterwards)
    let table_of_words = [
        (member(1, 0, State::Up), Heard::Nothing, member(1, 0, State::Up)),
        (member(1, 0, State::Suspect), Heard::Refuted, member(1, 1, State::Up)),
        (member(1, 0, State::Down), Heard::GivenUp, member(1, 1, State::Joining)),
        (member(1, 1, State::Suspect), Heard::Impossible, member(1, 0, State::Up)),
        (member(9, 0, State::Down), Heard::Impossible, member(1, 0, State::Up)),
    ];
    for (word, heard, then) in table_of_words {
        let mut table = table(ME);
        assert_eq!(table.on_rumour(Rumour { node: ME, member: word }, NOW), heard, "{word:?}");
        assert_eq!(table.member(ME), Some(then), "{word:?}");
    }
    let mut unheard = table(ME);
    for (word, heard) in [
        (State::Suspect, Heard::Refuted),
        (State::Down, Heard::GivenUp),
        (State::Down, Heard::Nothing),
    ] {
        assert_eq!(unheard.on_rumour(said(ME, 1, 0, word), NOW), heard, "{word:?}");
    }
    let mut table = table(ME);
    assert_eq!(table.on_rumour(said(NodeId(0), 1, 0, State::Down), NOW), Heard::Impossible);
    assert_eq!(table.on_rumour(said(NodeId(4), 1, 0, State::Down), NOW), Heard::Impossible);
}

fn beat(incarnation: u64, view: u64) -> Beat {
    Beat { incarnation: incarnation as u32, view, ..Beat::default() }
}

#[test]
fn a_node_that_restarts_is_joining_until_a_peer_admits_it() {
    let mut back = Membership::new(PEER, 2, 3, NOW);
    assert_eq!(back.member(PEER), Some(member(2, 0, State::Joining)));
    let mut admits = table(ME);
    assert!(!admits.admit(PEER, NOW), "a node that is up is not admitted again");
    admits.on_rumour(back.told()[0], NOW);
    assert!(!admits.on_beat(PEER, beat(1, 0)), "a beat from before");
    assert!(admits.on_beat(PEER, beat(2, 0)));
    assert!(admits.admit(PEER, NOW));
    assert_eq!(back.on_rumour(admits.told()[0], NOW), Heard::Admitted);
    assert_eq!(back.view(), admits.view());
}

#[test]
fn a_peer_without_a_sign_of_life_is_told_a_few_times() {
    let mut table = table(ME);
    assert!(!table.has_news_for(PEER), "founding members agree");
    assert!(table.suspect(PEER, NOW));
    assert!(!table.suspect(PEER, NOW), "a suspicion is news once");
    let told = (0..100).filter(|_| table.has_news_for(PEER)).count();
    assert_eq!(told, usize::from(UNANSWERED_MAX));
    table.on_beat(PEER, beat(1, 5));
    assert!(table.has_news_for(PEER), "it lives, and shows another view");
    table.on_beat(PEER, beat(1, table.view()));
    assert!(!table.has_news_for(PEER), "it agrees");
    assert_eq!(table.suspects().collect::<Vec<_>>(), [(PEER, NOW)]);
}

/// A beat under way, and the rumours with it.
type Flying = (NodeId, NodeId, Beat, Option<Arc<[Rumour]>>);

/// A few nodes that use their tables as nodes do.
struct Village {
    tables: Vec<Membership>,
    boots: Vec<u64>,
    flying: Vec<Flying>,
}

impl Village {
    fn new(nodes: u16) -> Self {
        let tables = (1..=nodes).map(|node| Membership::new(NodeId(node), 1, nodes, NOW));
        Self { tables: tables.collect(), boots: vec![1; usize::from(nodes)], flying: Vec::new() }
    }

    fn send(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        let table = &mut self.tables[from];
        let beat = beat(self.boots[from], table.view());
        let news = table.has_news_for(node_at(to)).then(|| table.told());
        self.flying.push((node_at(from), node_at(to), beat, news));
    }

    fn arrive(&mut self, (from, to, beat, news): Flying) {
        let table = &mut self.tables[usize::from(to.0) - 1];
        for &rumour in news.iter().flat_map(|news| news.iter()) {
            assert_ne!(table.on_rumour(rumour, NOW), Heard::Impossible, "no node invents rumours");
        }
        let known = table.member(from).map_or(0, |member| member.incarnation.boot);
        if u64::from(beat.incarnation) >= known && table.on_beat(from, beat) {
            table.admit(from, NOW);
        }
    }

    fn restart(&mut self, node: usize) {
        self.boots[node] += 1;
        let nodes = self.tables.len() as u16;
        self.tables[node] = Membership::new(node_at(node), self.boots[node], nodes, NOW);
    }

    /// One thing that can happen, chosen by numbers.
    fn happen(&mut self, (what, one, other): (u8, usize, usize)) {
        let (nodes, flying) = (self.tables.len(), self.flying.len());
        let (one, other, any) = (one % nodes, other % nodes, one.checked_rem(flying));
        match what {
            0 if one != other => {
                self.tables[one].suspect(node_at(other), NOW);
            }
            1 if one != other => {
                self.tables[one].down(node_at(other), NOW);
            }
            2 => self.restart(one),
            3..=5 => self.send(one, other),
            6 => {
                any.map(|any| self.flying.swap_remove(any));
            }
            7 => any.into_iter().for_each(|any| self.arrive(self.flying[any].clone())),
            _ => {
                if let Some(any) = any {
                    let arrives = self.flying.swap_remove(any);
                    self.arrive(arrives);
                }
            }
        }
    }

    /// A round in which each node beats to each, and every beat arrives. Returns how many beats carried news.
    fn round(&mut self) -> usize {
        let nodes = self.tables.len();
        (0..nodes).for_each(|from| (0..nodes).for_each(|to| self.send(from, to)));
        let flying = std::mem::take(&mut self.flying);
        let told = flying.iter().filter(|(.., news)| news.is_some()).count();
        flying.into_iter().for_each(|beat| self.arrive(beat));
        told
    }
}

proptest! {
    /// Members are suspected, declared down and restarted, and beats are lost, repeated and overtaken: once beats
    /// arrive again, all tables agree that every member is up, and then beats carry nothing.
    #[test]
    fn all_tables_agree_in_the_end(
        nodes in 2_u16..7,
        story in prop::collection::vec((0_u8..12, 0_usize..64, 0_usize..64), 0..300),
    ) {
        let mut village = Village::new(nodes);
        story.into_iter().for_each(|step| village.happen(step));
        let rounds = (1..=12).find(|_| village.round() == 0);
        prop_assert!(rounds.is_some(), "the gossip never ends");
        let views: BTreeSet<u64> = village.tables.iter().map(Membership::view).collect();
        prop_assert_eq!(views.len(), 1);
        for node in (0..usize::from(nodes)).map(node_at) {
            let known: BTreeSet<_> =
                village.tables.iter().map(|table| table.member(node)).collect();
            prop_assert_eq!(known.len(), 1, "{} is known differently", node);
            let known = known.into_iter().flatten().next().unwrap();
            prop_assert_eq!(known.state, State::Up, "{}", node);
            prop_assert_eq!(known.incarnation.boot, village.boots[usize::from(node.0) - 1]);
        }
    }
}

#[test]
#[should_panic(expected = "n2 never goes back to an earlier incarnation")]
fn an_earlier_incarnation_is_caught() {
    let mut table = table(ME);
    table.set(PEER, member(2, 0, State::Up), NOW);
    table.set(PEER, member(1, 9, State::Up), NOW);
}
