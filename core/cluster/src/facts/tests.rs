//! Nodes that gossip over a network that loses and delays messages, and that crash.

mod boots;
mod catching_up;
mod clocks;

use std::collections::VecDeque;

use onsale_booking::{ClientId, Span};

use super::*;
use crate::fact::{Base, FactKind, Version};
use crate::journal::frame::Frame;
use crate::message::Message;

const CLIENT: Endpoint = Endpoint::Client(ClientId(0));
const SECOND: u64 = 1_000_000;

/// A few nodes, in steps of ten milliseconds; a message arrives in the next step, or never.
struct Town {
    now: Instant,
    config: FactsConfig,
    nodes: Vec<Facts>,
    /// The disk of each node, as deltas.
    disks: Vec<Vec<Vec<u8>>>,
    under_way: VecDeque<(NodeId, Endpoint, FactsMessage)>,
    told: Vec<(NodeId, FactsAnswer)>,
    /// Nodes cut off from all others.
    apart: Vec<NodeId>,
    /// How far the first node's clock is ahead of the others.
    ahead: Span,
    sent: usize,
    draw: Draw,
    /// Whether each message is delivered twice.
    twice: bool,
    /// Percentage of messages lost.
    loss: u64,
    questions: u64,
    marks: Vec<Mark>,
}

impl Town {
    fn new(nodes: u16, loss: u64) -> Self {
        let mut town = Self {
            now: Instant(SECOND),
            config: FactsConfig::example(),
            nodes: Vec::new(),
            disks: vec![Vec::new(); usize::from(nodes)],
            under_way: VecDeque::new(),
            told: Vec::new(),
            apart: Vec::new(),
            ahead: Span::ZERO,
            sent: 0,
            draw: Draw::new(1),
            twice: false,
            loss,
            questions: 0,
            marks: Vec::new(),
        };
        town.nodes = (1..=nodes).map(|node| town.boot(node, 1, Start::Knows)).collect();
        town
    }

    fn boot(&self, node: u16, incarnation: u64, start: Start) -> Facts {
        let peers = (1..=self.disks.len() as u16).map(NodeId).filter(|peer| peer.0 != node);
        let draw = Draw::new(u64::from(node));
        let disk = &self.disks[usize::from(node) - 1];
        let (me, config) = ((NodeId(node), incarnation), self.config.clone());
        Facts::boot(me, start, config, peers, draw, disk, self.now)
    }

    fn restart(&mut self, node: u16) {
        self.start(node, Start::Knows);
    }

    /// A node loses its disk.
    fn wipe(&mut self, node: u16, start: Start) {
        self.disks[usize::from(node) - 1].clear();
        self.start(node, start);
    }

    fn start(&mut self, node: u16, start: Start) {
        self.nodes[usize::from(node) - 1] = self.boot(node, 2, start);
        let now = self.now;
        for (place, peer) in self.nodes.iter_mut().enumerate() {
            if place + 1 != usize::from(node) {
                peer.on_heard(now, NodeId(node), 2);
            }
        }
    }

    fn clock(&self, node: u16) -> Instant {
        if node == 1 { self.now + self.ahead } else { self.now }
    }

    fn ask(&mut self, node: u16, seen: &Seen, asked: Asked) {
        self.questions += 1;
        let question = Question { id: QuestionId(self.questions), seen: seen.clone(), asked };
        self.step(node, |facts, now, effects| {
            facts.on_message(now, CLIENT, FactsMessage::Question(question), effects);
        });
    }

    fn write(&mut self, node: u16, id: u32, text: &str) {
        let text = (!text.is_empty()).then(|| text.into());
        self.ask(node, &Seen::default(), Asked::Write(price(id), text));
    }

    fn step(&mut self, node: u16, act: impl FnOnce(&mut Facts, Instant, &mut Effects)) {
        let (me, place) = (NodeId(node), usize::from(node) - 1);
        let (now, mut effects) = (self.clock(node), Effects::default());
        act(&mut self.nodes[place], now, &mut effects);
        // Every write is durable at once, framed as the node's log keeps it.
        let bytes: Vec<u8> = self.nodes[place].drain_log().collect();
        for frame in crate::journal::frame::read(&bytes) {
            let Frame::Facts { delta } = frame else { panic!("{frame:?} is not about facts") };
            self.disks[place].push(delta.to_vec());
        }
        if !bytes.is_empty() {
            self.nodes[place].on_write_begun();
            self.nodes[place].on_persisted(now, &mut effects);
        }
        for observation in effects.observations.drain(..) {
            let Observation::Mark(mark) = observation else { panic!("{observation:?}") };
            self.marks.push(mark);
        }
        for sending in effects.sends.drain(..) {
            let Message::Facts(message) = sending.message else { panic!("{sending:?}") };
            match (*message, sending.to) {
                (FactsMessage::Told(FactsReply { answer, .. }), Endpoint::Client(_)) => {
                    self.told.push((me, answer));
                }
                (message, to) => {
                    self.sent += 1;
                    let lost = self.draw.below(100) < self.loss || self.apart.contains(&me);
                    if !lost {
                        self.under_way.push_back((me, to, message));
                    }
                }
            }
        }
    }

    fn run(&mut self, span: Span) {
        let end = self.now + span;
        while self.now < end {
            self.now += Span::from_millis(10);
            for (from, to, message) in mem::take(&mut self.under_way) {
                let Endpoint::Node(to) = to else { panic!("{to} is no node") };
                if !self.apart.contains(&to) {
                    for _ in 0..1 + usize::from(self.twice) {
                        let message = message.clone();
                        self.step(to.0, |facts, now, effects| {
                            facts.on_message(now, Endpoint::Node(from), message, effects);
                        });
                    }
                }
            }
            for node in 1..=self.nodes.len() as u16 {
                let due = self.nodes[usize::from(node) - 1].next_deadline();
                if due.is_some_and(|at| at <= self.clock(node)) {
                    self.step(node, Facts::on_deadline);
                }
            }
        }
    }

    /// Each node's text of a price; empty if it is deleted or not known.
    fn prices(&self, id: u32) -> Vec<String> {
        let text = |facts: &Facts| facts.replica.get(price(id))?.text.clone();
        self.nodes.iter().map(|facts| text(facts).unwrap_or_default().to_string()).collect()
    }
}

fn price(id: u32) -> FactKey {
    FactKey { kind: FactKind::Price, id }
}

#[test]
fn news_reach_every_node_and_then_there_is_silence() {
    let mut town = Town::new(20, 0);
    town.write(7, 1, "49.50");
    assert_eq!(town.told.len(), 1, "a write is acknowledged by its node alone");
    town.run(Span::from_secs(60));
    assert_eq!(town.prices(1), vec!["49.50"; 20]);
    let sent = town.sent;
    assert!(sent < 20 * 19 * 4, "{sent} messages for one write");
    town.run(Span::from_secs(3_600));
    assert_eq!(town.sent, sent, "nodes that have seen the same are silent");
    assert!(town.nodes.iter().all(|facts| facts.next_deadline().is_none()));
}

#[test]
fn a_town_without_facts_never_wakes() {
    let mut town = Town::new(5, 0);
    assert!(town.nodes.iter().all(|facts| facts.next_deadline().is_none()));
    town.restart(3);
    assert!(town.nodes.iter().all(|facts| facts.next_deadline().is_none()));
}

#[test]
fn lost_messages_are_repaired() {
    let mut town = Town::new(9, 60);
    for id in 0..30 {
        town.write(1 + (id % 9) as u16, id % 7, &format!("v{id}"));
        town.run(Span::from_millis(30));
    }
    town.run(Span::from_secs(120));
    for id in 0..7 {
        let prices = town.prices(id);
        assert!(
            !prices[0].is_empty() && prices.iter().all(|price| *price == prices[0]),
            "{prices:?}"
        );
    }
}

#[test]
fn a_node_that_comes_back_keeps_what_it_wrote_and_hears_what_it_missed() {
    let mut town = Town::new(5, 0);
    town.apart = vec![NodeId(2)];
    town.write(2, 1, "mine");
    town.write(3, 2, "theirs");
    town.run(Span::from_secs(5));
    town.apart.clear();
    town.restart(2);
    town.run(Span::from_secs(10));
    assert_eq!(
        (town.prices(1), town.prices(2)),
        (vec!["mine".to_owned(); 5], vec!["theirs".to_owned(); 5])
    );
}

#[test]
fn a_node_that_was_away_for_too_long_takes_a_copy_and_says_so() {
    let mut town = Town::new(5, 0);
    town.write(1, 1, "soon gone");
    town.write(1, 2, "stays");
    town.run(Span::from_secs(10));
    town.apart = vec![NodeId(4)];
    town.write(1, 1, "");
    town.run(town.config.deletions_last + Span::from_secs(10));
    assert!(town.marks.contains(&Mark::FactsForgotten));
    assert_eq!(town.prices(1)[3], "soon gone");
    town.apart.clear();
    town.run(Span::from_secs(10));
    assert!(town.marks.contains(&Mark::FactsCopied));
    assert_eq!(town.prices(1), vec![""; 5]);
    assert_eq!(town.prices(2), vec!["stays"; 5]);
}

#[test]
fn a_session_is_not_answered_from_an_older_copy() {
    let mut town = Town::new(3, 0);
    town.apart = vec![NodeId(3)];
    town.write(1, 1, "new");
    town.run(Span::from_secs(1));
    let seen = town.nodes[0].seen().clone();
    town.told.clear();

    town.ask(3, &seen, Asked::Read(vec![price(1)]));
    assert_eq!(town.told, [], "it waits");
    town.run(Span::from_secs(1));
    assert_eq!(town.told, [(NodeId(3), FactsAnswer::Behind)]);

    town.apart.clear();
    town.ask(3, &seen, Asked::Read(vec![price(1)]));
    town.run(Span::from_millis(100));
    let Some((NodeId(3), FactsAnswer::Read(facts))) = town.told.get(1) else {
        panic!("it was fetched: {:?}", town.told)
    };
    assert_eq!(facts[0].1.as_ref().and_then(|version| version.text.as_deref()), Some("new"));
}

/// A copy of a write gets the answer of the write, and is not executed: it would win over a write in between.
#[test]
fn a_write_that_is_delivered_twice_is_executed_once() {
    let mut town = Town::new(2, 0);
    let asked = |id: u64, text: &str| Question {
        id: QuestionId(id),
        seen: Seen::default(),
        asked: Asked::Write(price(1), Some(text.into())),
    };
    let ask = |town: &mut Town, node, question: &Question| {
        let question = FactsMessage::Question(question.clone());
        town.step(node, |facts, now, effects| facts.on_message(now, CLIENT, question, effects));
    };
    let (first, second) = (asked(101, "first"), asked(102, "second"));
    ask(&mut town, 1, &first);
    town.run(Span::from_secs(1));
    ask(&mut town, 2, &second);
    town.run(Span::from_secs(1));
    ask(&mut town, 1, &first);
    town.run(Span::from_secs(5));
    assert_eq!(town.prices(1), vec!["second"; 2]);
    assert_eq!(town.told.len(), 3);
    assert_eq!(town.told[0], town.told[2], "the copy gets the same answer");
    assert!(town.marks.contains(&Mark::FactsRepeated));

    // A write that was not made is not made by its copy either: its client was told so.
    let seen = [Stamp { at: town.now + Span(1), count: 0, node: NodeId(2) }].into_iter().collect();
    let third = Question { seen, ..asked(103, "third") };
    ask(&mut town, 1, &third);
    ask(&mut town, 1, &third);
    town.run(Span::from_secs(1));
    assert_eq!(town.told[3..], [(NodeId(1), FactsAnswer::Behind)], "one waits, the other does not");
    town.write(2, 1, "fourth");
    town.run(Span::from_secs(1));
    ask(&mut town, 1, &third);
    town.run(Span::from_secs(5));
    assert_eq!(town.told[5..], [(NodeId(1), FactsAnswer::Behind)]);
    assert_eq!(town.prices(1), vec!["fourth"; 2]);
}

#[test]
fn no_node_waits_for_one_that_has_left_and_its_writes_stay() {
    let mut town = Town::new(3, 0);
    town.apart = vec![NodeId(3)];
    town.write(3, 1, "last words");
    town.step(3, |facts, _, effects| facts.on_leave(effects));
    town.ask(3, &Seen::default(), Asked::Read(vec![price(1)]));
    assert_eq!(town.told.last(), Some(&(NodeId(3), FactsAnswer::Behind)), "it sends clients away");
    for node in [1, 2] {
        let stay = [1, 2].map(NodeId).into_iter().filter(move |peer| peer.0 != node);
        town.step(node, |facts, now, _| facts.on_peers(now, stay));
    }
    town.run(Span::from_secs(5));
    assert!(!town.nodes[2].is_told());
    town.write(1, 2, "news");
    town.run(Span::from_secs(10));
    assert!(town.nodes[..2].iter().all(|facts| facts.next_deadline().is_none()));
    town.apart.clear();
    town.run(Span::from_secs(10));
    assert!(town.nodes[2].is_told(), "it may go");
    assert_eq!(town.prices(1)[..2], ["last words", "last words"]);
}

/// Two nodes drop a tombstone that a third has not heard of, and the third has written the deleted key meanwhile: while
/// that is rewritten, a session that has seen the deletion is told nothing older.
#[test]
fn a_rewritten_fact_is_not_read_before_it_is_written() {
    let mut town = Town::new(3, 0);
    town.write(1, 1, "first");
    town.run(Span::from_secs(10));
    town.apart = vec![NodeId(3)];
    town.write(3, 1, "late");
    town.run(Span::from_secs(1));
    town.write(1, 1, "");
    town.run(town.config.deletions_last + Span::from_secs(10));
    let delta = town.nodes[2].replica.delta_since(town.nodes[0].replica.seen());
    let question = |id, seen: &Seen| {
        let asked = Asked::Read(vec![price(1)]);
        FactsMessage::Question(Question { id: QuestionId(id), seen: seen.clone(), asked })
    };

    let (now, mut effects) = (town.now, Effects::default());
    let facts = &mut town.nodes[0];
    let seen = facts.seen().clone();
    facts.on_message(
        now,
        Endpoint::Node(NodeId(3)),
        FactsMessage::Repair { incarnation: 1, delta },
        &mut effects,
    );
    facts.on_message(now, CLIENT, question(1, &seen), &mut effects);
    let told = |effects: &Effects| effects.sends.iter().filter(|sent| sent.to == CLIENT).count();
    assert_eq!(told(&effects), 0, "{effects:?}");
    facts.drain_log();
    facts.on_write_begun();
    facts.on_persisted(now, &mut effects);
    assert_eq!(told(&effects), 1, "{effects:?}");
    let version = facts.replica.get(price(1)).expect("it was rewritten");
    assert_eq!(version.text.as_deref(), Some("late"));
    assert!(!seen.covers(version.stamp) && version.stamp.node == NodeId(1));
}

#[test]
fn a_checkpoint_holds_the_whole_log() {
    let mut town = Town::new(2, 0);
    town.write(1, 1, "one");
    town.write(2, 2, "two");
    town.run(Span::from_secs(5));
    let mut bytes = Vec::new();
    town.nodes[0].checkpoint(&mut bytes);
    town.disks[0].clear();
    for frame in crate::journal::frame::read(&bytes) {
        let Frame::Facts { delta } = frame else { panic!("{frame:?} is not about facts") };
        town.disks[0].push(delta.to_vec());
    }
    let before = town.nodes[0].replica.clone();
    town.restart(1);
    assert_eq!(town.nodes[0].replica, before);
}

#[test]
fn a_question_or_text_that_is_too_large_is_refused() {
    let mut town = Town::new(2, 0);
    town.write(1, 1, &"x".repeat(TEXT_BYTES_MAX + 1));
    town.ask(1, &Seen::default(), Asked::Read(vec![price(1); KEYS_MAX + 1]));
    assert_eq!(
        town.told,
        [(NodeId(1), FactsAnswer::BadQuestion), (NodeId(1), FactsAnswer::BadQuestion)]
    );
}

/// A disk may take longer than tombstones are kept: a write that may be older than one dropped before it is durable is
/// not lost on its own node.
#[test]
fn a_write_that_is_durable_late_is_acknowledged_as_it_can_be_read() {
    let mut town = Town::new(2, 0);
    let mut effects = Effects::default();
    let question = Question {
        id: QuestionId(99),
        seen: Seen::default(),
        asked: Asked::Write(price(7), Some("late".into())),
    };
    town.nodes[0].on_message(town.now, CLIENT, FactsMessage::Question(question), &mut effects);
    town.nodes[0].drain_log().for_each(drop);
    town.nodes[0].on_write_begun();

    town.now += Span::from_secs(1);
    let deletion = Stamp { at: town.now, count: 0, node: NodeId(2) };
    let delta = Delta {
        base: Base::Since(Seen::default()),
        until: [deletion].into_iter().collect(),
        written: vec![(price(1), Version { stamp: deletion, text: None })],
    };
    let news = FactsMessage::News { incarnation: 1, delta };
    town.nodes[0].on_message(town.now, Endpoint::Node(NodeId(2)), news, &mut effects);
    town.now += town.config.deletions_last;
    town.nodes[0].on_deadline(town.now, &mut effects);

    for _ in 0..2 {
        town.nodes[0].on_persisted(town.now, &mut effects);
        town.nodes[0].on_write_begun();
    }
    let written = effects.sends.iter().find_map(|sending| {
        let Message::Facts(message) = &sending.message else { return None };
        let FactsMessage::Told(told) = &**message else { return None };
        if let FactsAnswer::Written(stamp) = told.answer { Some(stamp) } else { None }
    });
    let known = town.nodes[0].replica.get(price(7)).cloned();
    assert!(written.is_some());
    assert_eq!(known.map(|version| version.stamp), written);
}

/// There is always something new, and every message is delivered twice: the answers to answers end.
#[test]
fn nodes_do_not_answer_each_other_for_ever() {
    let mut town = Town::new(3, 0);
    town.twice = true;
    town.ask(2, &Seen::default(), Asked::Read(vec![price(1)]));
    let mut sent = Vec::new();
    for second in 0..4 {
        for step in 0..50 {
            town.write(1, 1, &format!("{second}.{step}"));
            town.run(Span::from_millis(20));
        }
        sent.push(mem::take(&mut town.sent));
    }
    // Fifty writes a second, told to two peers that pass them on, and rounds.
    assert!(sent.iter().all(|&sent| sent < 1_000), "{sent:?}");
}
