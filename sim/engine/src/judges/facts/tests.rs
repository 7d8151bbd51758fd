//! Broken promises about facts are found, and legal look-alikes raise no alarm.

use onsale_cluster::fact::FactKind;
use onsale_oracles::rule::compare;
use onsale_reports::Verdict;

use super::super::tests::measures;
use super::*;

const PRICE: FactKey = FactKey { kind: FactKind::Price, id: 3 };
const ADMIN: SessionId = SessionId(0);
const VISITOR: SessionId = SessionId(7);

/// Two nodes, calm from the tenth second on, with five seconds to agree.
struct Town(Facts);

fn second(at: u64) -> Instant {
    Instant::ZERO + Span::from_secs(at)
}

fn stamp(at: u64) -> Stamp {
    Stamp { at: second(at), count: 0, node: NodeId(1) }
}

fn version(at: u64, text: &str) -> Option<Version> {
    Some(Version { stamp: stamp(at), text: (!text.is_empty()).then(|| text.into()) })
}

/// Tombstones last for two seconds, and a question takes at most one.
const BOUNDS: Bounds = Bounds {
    agree_within: Span::from_secs(5),
    clocks_apart: Span::ZERO,
    may_go_unanswered: false,
    may_lose_patience: false,
    clocks_wrong: Span::ZERO,
    accepted_drift: Span::ZERO,
    deletions_last: Span::from_secs(2),
    slowest: Span::from_secs(1),
    recovery: Span::from_secs(3),
    repair_every: Span::from_secs(1),
};

const BOTH: [NodeId; 2] = [NodeId(1), NodeId(2)];

impl Town {
    fn new() -> Self {
        Self::with_clocks_apart(Span::ZERO)
    }

    fn with_clocks_apart(clocks_apart: Span) -> Self {
        let agree_within = Span::from_secs(5) - clocks_apart;
        Self::within(Bounds { agree_within, clocks_apart, ..BOUNDS })
    }

    fn within(bounds: Bounds) -> Self {
        let mut oracle = Facts::new(bounds, &Clock::default());
        oracle.on_calm(second(10));
        Self(oracle)
    }

    /// Node 1 acknowledges a write.
    fn write(mut self, at: u64, text: &str) -> Self {
        let text: Option<FactText> = (!text.is_empty()).then(|| text.into());
        let id = QuestionId(at);
        self.0.on_write((second(at), NodeId(1)), (id, PRICE), text);
        self.0.on_written((second(at), second(at)), ADMIN, (id, PRICE), NodeId(1), stamp(at));
        self
    }

    fn read(mut self, at: u64, node: u16, found: Option<Version>) -> Self {
        let facts = [(PRICE, found)];
        self.0.on_read(Reading {
            asked: second(at),
            at: second(at),
            session: Some(VISITOR),
            node: NodeId(node),
            facts: &facts,
        });
        self
    }

    fn survey(mut self, at: u64, node: u16, found: Option<Version>) -> Self {
        let (at, facts) = (second(at), [(PRICE, found)]);
        self.0.on_survey(Reading {
            asked: at,
            at,
            session: None,
            node: NodeId(node),
            facts: &facts,
        });
        self
    }

    /// A node's disk loses everything; other disks hold node 1's writes up to `kept`.
    fn lose(mut self, at: u64, node: u16, kept: u64) -> Self {
        let (left, kept) = (Seen::default(), [stamp(kept)].into_iter().collect());
        self.0.on_disk_lost(NodeId(node), Loss { at: second(at), left, kept });
        self
    }

    /// A node gives no answer to a question of second 16.
    fn silent(mut self, node: u16) -> Self {
        self.0.on_unanswered(second(16), second(17), NodeId(node), "gave no answer");
        self
    }

    /// Node 2 acknowledges a write with the stamp of a second.
    fn written_by_another(mut self, at: u64, text: &str, stamped: u64) -> Self {
        let id = QuestionId(100 + at);
        self.0.on_write((second(at), NodeId(2)), (id, PRICE), Some(text.into()));
        let times = (second(at), second(at));
        self.0.on_written(times, ADMIN, (id, PRICE), NodeId(2), stamp(stamped));
        self
    }

    fn says(self, words: &str) {
        let result = self.0.finish();
        let evidence = result.evidence.map(|evidence| evidence.headline).unwrap_or_default();
        assert!(evidence.contains(words), "not {words:?} but {evidence:?}");
        assert_eq!(result.verdict, if words.is_empty() { Verdict::Pass } else { Verdict::Fail });
    }
}

#[test]
fn copies_that_agree_raise_no_alarm() {
    let town =
        Town::new().write(1, "ten").read(2, 1, version(1, "ten")).read(3, 2, version(1, "ten"));
    // Before the bound, a node may be behind for other sessions.
    let town = town.write(4, "twelve").survey(11, 2, version(1, "ten")).survey(
        11,
        1,
        version(4, "twelve"),
    );
    assert_eq!(town.0.agreement(&BOTH), None);
    let town = town.survey(12, 2, version(4, "twelve")).read(16, 2, version(4, "twelve"));
    assert_eq!(town.0.agreement(&BOTH), Some(Span::from_secs(2)));
    town.says("");
}

#[test]
fn a_stale_read_is_found() {
    let town = Town::new().write(1, "ten").write(2, "twelve");
    town.read(3, 1, version(2, "twelve"))
        .read(4, 2, version(1, "ten"))
        .says("read price 3 back in time");
}

#[test]
fn a_fact_that_disappears_without_a_deletion_is_found() {
    let town = Town::new().write(1, "ten").read(3, 1, version(1, "ten"));
    town.read(4, 2, None).says("read price 3 back in time");
}

#[test]
fn a_dropped_tombstone_is_not_a_vanished_write() {
    let town = Town::new().write(1, "ten").read(2, 1, version(1, "ten")).write(3, "");
    let town = town.read(4, 2, version(3, "")).read(5, 1, None).survey(20, 1, None);
    town.survey(20, 2, None).says("");
}

/// Written at 1 and deleted at 3: the tombstone may be dropped at 5, or earlier by clocks that are ahead.
#[test]
fn a_deletion_excuses_an_unknown_fact_only_once_its_tombstone_may_be_dropped() {
    for (wrong, at, words) in
        [(0, 4, "back in time"), (0, 5, ""), (1, 3, "back in time"), (1, 4, "")]
    {
        let town = Town::within(Bounds { clocks_wrong: Span::from_secs(wrong), ..BOUNDS });
        let town = town.write(1, "ten").read(2, 1, version(1, "ten")).write(3, "");
        town.read(at, 2, None).survey(20, 1, None).says(words);
    }
}

/// A deletion that was asked for at a second and never acknowledged.
fn deleted_silently(mut town: Town, asked: u64) -> Town {
    town.0.on_write((second(asked), NodeId(1)), (QuestionId(99), PRICE), None);
    town
}

#[test]
fn an_unanswered_deletion_excuses_versions_that_it_may_have_deleted() {
    let back = "back in time";
    // Asked, clocks wrong by, drift accepted, and read at; of a version of second 5.
    let cases = [
        (4, 0, 0, 7, ""),
        (4, 0, 0, 6, back),
        (6, 0, 0, 7, back),
        (6, 0, 0, 8, ""),
        (3, 0, 0, 9, back),
        (3, 1, 0, 9, ""),
        (3, 0, 1, 9, ""),
        (2, 0, 1, 9, back),
        (1, 2, 1, 9, ""),
    ];
    for (asked, wrong, drift, at, words) in cases {
        let (clocks_wrong, accepted_drift) = (Span::from_secs(wrong), Span::from_secs(drift));
        let town = Town::within(Bounds { clocks_wrong, accepted_drift, ..BOUNDS });
        let town = deleted_silently(town, asked).write(5, "ten").read(5, 1, version(5, "ten"));
        let read = town.read(at, 2, None).survey(20, 1, None);
        read.says(words);
    }
}

#[test]
fn faults_delay_an_unanswered_deletion_of_their_node_by_their_length_and_recovery() {
    for (down, ends, words) in [(1, 2, ""), (1, 1, "back in time"), (2, 2, "back in time")] {
        let mut town = deleted_silently(Town::new(), 1);
        town.0.on_process(second(1), NodeId(down), false);
        town.0.on_process(second(ends), NodeId(down), true);
        let town = town.write(6, "ten").read(6, 1, version(6, "ten"));
        town.read(9, 2, None).survey(20, 1, None).says(words);
    }
}

#[test]
fn a_late_acknowledgement_says_what_a_deletion_excuses() {
    let back = "back in time";
    for (stamped, at, words) in [(4, 9, back), (6, 7, back), (6, 8, "")] {
        let mut town = deleted_silently(Town::new(), 5);
        town.0.on_written_late(second(6), (QuestionId(99), PRICE), NodeId(1), stamp(stamped));
        let town = town.write(5, "ten").read(5, 1, version(5, "ten"));
        town.read(at, 2, None).survey(20, 1, version(6, "")).says(words);
    }
    let mut town = Town::new();
    town.0.on_write((second(1), NodeId(1)), (QuestionId(99), PRICE), Some("ten".into()));
    town.0.on_written_late(second(6), (QuestionId(99), PRICE), NodeId(1), stamp(5));
    town.survey(20, 2, None).says("n2 does not know what n1 said");
}

#[test]
fn a_deleted_fact_that_lives_on_is_found() {
    let town = Town::new().write(1, "ten").write(3, "");
    town.survey(20, 2, version(1, "ten")).says("n2 does not know what n1 said about price 3");
}

#[test]
fn a_vanished_write_is_found() {
    Town::new().write(1, "ten").survey(20, 1, None).says("n1 does not know what n1 said");
}

#[test]
fn disagreeing_nodes_are_found_even_without_an_acknowledged_write() {
    let mut town = Town::new();
    town.0.on_write((second(1), NodeId(1)), (QuestionId(1), PRICE), Some("ten".into()));
    let town = town.read(2, 1, version(1, "ten")).survey(20, 2, None);
    town.says("n2 does not know what n1 said");
}

#[test]
fn a_write_older_than_its_writer_s_last_read_is_found() {
    let mut town = Town::new().write(5, "ten");
    town.0.on_write((second(9), NodeId(2)), (QuestionId(9), PRICE), Some("twelve".into()));
    let at = (second(9), second(9));
    town.0.on_written(at, ADMIN, (QuestionId(9), PRICE), NodeId(2), stamp(4));
    town.says("with an older version than its writer had seen");
}

#[test]
fn text_that_was_never_written_is_found() {
    let town = Town::new().write(1, "ten").write(2, "twelve");
    town.read(3, 1, version(4, "a gift")).says("told a text of price 3 that was never written");
    let town = Town::new().write(1, "ten").write(2, "twelve");
    town.read(3, 2, version(2, "ten")).says("told a text of price 3 that was never written");
}

#[test]
fn silence_is_a_failure_only_after_calm() {
    for (at, words) in [(12, ""), (16, "n2 gave no answer although the cluster was whole")] {
        let town = Town::new().write(1, "ten").read(2, 1, version(1, "ten"));
        let mut town = town.read(16, 2, version(1, "ten"));
        town.0.on_unanswered(second(at), second(at + 1), NodeId(2), "gave no answer");
        town.says(words);
    }
}

#[test]
fn silence_is_excused_on_lossy_networks_and_being_behind_on_slow_ones() {
    let town = Town::within(Bounds { may_go_unanswered: true, ..BOUNDS });
    let town = town.write(1, "ten").read(2, 1, version(1, "ten"));
    let mut town = town.read(16, 2, version(1, "ten"));
    town.0.on_unanswered(second(16), second(17), NodeId(2), "gave no answer");
    town.0.on_behind(second(16), second(17), Some(VISITOR), NodeId(2));
    town.says("");
    for (may_lose_patience, words) in [(true, ""), (false, "n2 said that it was behind")] {
        let town = Town::within(Bounds { may_lose_patience, ..BOUNDS });
        let town = town.write(1, "ten").read(2, 1, version(1, "ten"));
        let mut town = town.read(16, 2, version(1, "ten"));
        town.0.on_behind(second(16), second(17), Some(VISITOR), NodeId(2));
        town.says(words);
    }
}

/// The visitor read at 19 a version first told at `told`, and is sent away at 20.
#[test]
fn a_session_with_a_new_version_may_be_sent_away_while_clocks_explain_it() {
    let behind = "n2 said that it was behind";
    let cases = [
        (2, 19, VISITOR, ""),
        (2, 18, VISITOR, behind),
        (2, 2, VISITOR, behind),
        (0, 19, VISITOR, behind),
        (2, 19, SessionId(8), behind),
    ];
    for (apart, told, session, words) in cases {
        let apart = Span::from_secs(apart);
        let town =
            Town::with_clocks_apart(apart).write(told, "ten").read(19, 1, version(told, "ten"));
        let mut town = town.read(25, 2, version(told, "ten"));
        town.0.on_behind(second(20), second(21), Some(session), NodeId(2));
        town.says(words);
    }
    let mut town = Town::with_clocks_apart(Span::from_secs(2)).write(19, "ten");
    town.0.on_behind(second(20), second(21), None, NodeId(2));
    town.says(behind);
}

/// Two writes before the loss of their node's disk; other disks hold the first.
fn told_by(nodes: &[u16]) -> Town {
    let town = Town::new().write(1, "ten").read(2, 2, version(1, "ten")).write(3, "twelve");
    nodes.iter().fold(town, |town, &node| town.read(4, node, version(3, "twelve")))
}

#[test]
fn a_version_lost_with_the_only_disk_need_not_be_known() {
    let mut town = told_by(&[1]).lose(5, 1, 1).read(6, 2, version(1, "ten"));
    assert_eq!(town.0.lost(), 1);
    town.0.on_behind(second(16), second(17), Some(VISITOR), NodeId(2));
    town.survey(20, 1, version(1, "ten")).read(20, 2, version(1, "ten")).says("");
    // An answer that was on its way when the disk was lost does not show more.
    let mut town = told_by(&[]).lose(5, 1, 1);
    let facts = [(PRICE, version(3, "twelve"))];
    let (asked, at) = (second(5), second(6));
    let (session, node) = (Some(VISITOR), NodeId(1));
    town.0.on_read(Reading { asked, at, session, node, facts: &facts });
    town.survey(20, 1, version(1, "ten")).read(20, 2, version(1, "ten")).says("");
}

#[test]
fn versions_before_the_lost_one_still_count() {
    told_by(&[1]).lose(5, 1, 1).survey(20, 2, None).says("n2 does not know what n1 said");
    told_by(&[1]).lose(5, 1, 1).read(6, 2, None).says("read price 3 back in time");
}

#[test]
fn a_version_known_elsewhere_or_not_lost_must_not_vanish() {
    let vanished = "back in time";
    let goes_back = |town: Town| town.read(6, 2, version(1, "ten"));
    goes_back(told_by(&[1])).says(vanished);
    goes_back(told_by(&[1]).lose(5, 2, 1)).says(vanished);
    goes_back(told_by(&[1]).lose(5, 1, 3)).says(vanished);
    goes_back(told_by(&[1, 3]).lose(5, 1, 1)).says(vanished);
    goes_back(told_by(&[1, 3]).lose(5, 1, 1).lose(5, 3, 1))
        .survey(20, 1, version(1, "ten"))
        .says("");
}

#[test]
fn a_version_told_again_was_not_lost() {
    let town = told_by(&[1]).lose(5, 1, 1).survey(11, 3, version(3, "twelve"));
    assert_eq!(town.0.lost(), 0);
    town.survey(20, 2, version(1, "ten")).says("n2 does not know what n1 said");
}

#[test]
fn only_sessions_that_met_a_lost_version_may_be_sent_away_for_it() {
    for (session, words) in [(VISITOR, ""), (SessionId(8), "n2 said that it was behind")] {
        let mut town = told_by(&[1]).lose(5, 1, 1).read(16, 2, version(1, "ten"));
        town.0.on_behind(second(16), second(17), Some(session), NodeId(2));
        town.says(words);
    }
}

/// Calm from 10, to agree by 15, and three rounds of a second.
#[test]
fn a_lost_version_excuses_its_writer_for_three_rounds_and_others_until_it_is_written_off() {
    let behind = "said that it was behind";
    let sent_away = |mut town: Town, at, node| {
        town.0.on_behind(second(at), second(at + 1), Some(VISITOR), NodeId(node));
        town
    };
    let lost = || told_by(&[1]).lose(5, 1, 1).read(16, 2, version(1, "ten"));
    sent_away(lost(), 17, 1).says("");
    sent_away(lost(), 18, 1).says(behind);
    sent_away(lost(), 30, 2).says("");
    // The writer restarts: recovery takes three seconds, and the rounds come after it.
    for (at, words) in [(25, ""), (26, behind)] {
        let mut town = lost();
        town.0.on_process(second(19), NodeId(1), false);
        town.0.on_process(second(20), NodeId(1), true);
        sent_away(town, at, 1).says(words);
    }
    // It serves the session at 17, so that all others must from 22 on.
    for (at, words) in [(21, ""), (22, behind)] {
        sent_away(lost().read(17, 1, version(1, "ten")), at, 2).says(words);
    }
}

#[test]
fn a_check_without_its_subject_is_not_exercised() {
    let quiet = Town::new().write(1, "ten").survey(20, 1, version(1, "ten"));
    assert_eq!(quiet.0.finish().verdict, Verdict::NotExercised);
}

fn one() -> Town {
    Town::new().write(1, "ten").read(2, 1, version(1, "ten"))
}

#[test]
fn each_rule_has_a_history_that_it_alone_condemns() {
    let measures = measures! {
        |town: Town| vec![town.0.finish()];
        OLDER_WRITE: |ok| one().written_by_another(9, "twelve", if ok { 2 } else { 0 }),
        UNANSWERED: |ok| if ok { one() } else { one().silent(2) },
        BACK_IN_TIME: |ok| {
            let found = if ok { version(3, "twelve") } else { version(1, "ten") };
            one().write(3, "twelve").read(4, 1, version(3, "twelve")).read(5, 2, found)
        },
        NOT_AGREED: |ok| one().survey(20, 2, if ok { version(1, "ten") } else { None }),
        UNWRITTEN_TEXT: |ok| one().read(5, 2, version(4, if ok { "ten" } else { "a gift" })),
    };
    compare(RULES, &measures);
}
