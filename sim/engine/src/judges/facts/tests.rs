//! Broken promises about facts are found, and legal look-alikes raise no alarm.

use onsale_cluster::fact::FactKind;
use onsale_reports::Verdict;

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

const BOTH: [NodeId; 2] = [NodeId(1), NodeId(2)];

impl Town {
    fn new() -> Self {
        Self::with_clocks_apart(Span::ZERO)
    }

    fn with_clocks_apart(clocks_apart: Span) -> Self {
        let agree_within = Span::from_secs(5) - clocks_apart;
        Self::within(Bounds {
            agree_within,
            clocks_apart,
            may_go_unanswered: false,
            may_lose_patience: false,
        })
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
        self.0.on_write(id, PRICE, text);
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
    town.0.on_write(QuestionId(1), PRICE, Some("ten".into()));
    let town = town.read(2, 1, version(1, "ten")).survey(20, 2, None);
    town.says("n2 does not know what n1 said");
}

#[test]
fn a_write_older_than_its_writer_s_last_read_is_found() {
    let mut town = Town::new().write(5, "ten");
    town.0.on_write(QuestionId(9), PRICE, Some("twelve".into()));
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
    let agree_within = Span::from_secs(5);
    let bounds = Bounds {
        agree_within,
        clocks_apart: Span::ZERO,
        may_go_unanswered: true,
        may_lose_patience: false,
    };
    let town = Town::within(bounds);
    let town = town.write(1, "ten").read(2, 1, version(1, "ten"));
    let mut town = town.read(16, 2, version(1, "ten"));
    town.0.on_unanswered(second(16), second(17), NodeId(2), "gave no answer");
    town.0.on_behind(second(16), second(17), Some(VISITOR), NodeId(2));
    town.says("");
    for (may_lose_patience, words) in [(true, ""), (false, "n2 said that it was behind")] {
        let town = Town::within(Bounds { may_go_unanswered: false, may_lose_patience, ..bounds });
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

#[test]
fn a_check_without_its_subject_is_not_exercised() {
    let quiet = Town::new().write(1, "ten").survey(20, 1, version(1, "ten"));
    assert_eq!(quiet.0.finish().verdict, Verdict::NotExercised);
}
