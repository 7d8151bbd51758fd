//! What must have come to an end some time after calm: requests and holds.

use onsale_cluster::Placement;
use onsale_cluster::journal::{Change, Members, ReplicaId};

use super::*;

#[test]
fn after_calm_requests_get_answers() {
    let live = |act: &dyn Fn(&mut History), end: u64, open: &[Asked]| {
        let mut history = History::new();
        history.oracles.faults_over(secs(100));
        act(&mut history);
        verdict(&history.results(end, open), "live")
    };
    let ask = |history: &mut History, at: u64| {
        history.asks(at, &hold_request(1, 1, &[3]));
    };
    let refuse = |history: &mut History, since: u64, refusal| {
        ask(history, since);
        history.oracles.hold_refused(secs(since + 1), &asked(1, since), refusal);
    };
    assert_eq!(live(&|_| {}, 500, &[]), Verdict::NotExercised);
    assert_eq!(live(&|history| ask(history, 110), 500, &[]), Verdict::NotExercised);
    assert_eq!(live(&|history| refuse(history, 111, Refusal::Overloaded), 500, &[]), Verdict::Pass);
    assert_eq!(
        live(&|history| refuse(history, 111, Refusal::Unavailable), 500, &[]),
        Verdict::Fail
    );
    assert_eq!(
        live(&|history| refuse(history, 110, Refusal::Unavailable), 500, &[]),
        Verdict::NotExercised
    );
    assert_eq!(
        live(&|history| history.oracles.gave_up(secs(120), asked(1, 111), secs(111)), 500, &[]),
        Verdict::Fail
    );
    assert_eq!(
        live(
            &|history| history.oracles.gave_up(Instant(111_300_000), asked(1, 111), secs(111)),
            500,
            &[]
        ),
        Verdict::NotExercised,
        "nobody could have answered so soon"
    );
    assert_eq!(
        live(&|history| history.oracles.gave_up(secs(120), asked(1, 90), secs(90)), 500, &[]),
        Verdict::NotExercised
    );
    assert_eq!(live(&|history| ask(history, 495), 500, &[asked(1, 495)]), Verdict::Pass);
    assert_eq!(live(&|history| ask(history, 480), 500, &[asked(1, 480)]), Verdict::Fail);
    assert_eq!(live(&|_| {}, 109, &[asked(1, 50)]), Verdict::NotExercised);
    assert_eq!(live(&|_| {}, 111, &[asked(1, 50)]), Verdict::Fail);
}

/// A gateway that has too much to do answers: whoever asks it again has waited for the last attempt alone.
#[test]
fn who_was_turned_away_has_waited_since_the_last_attempt() {
    let live = |unheard_since| {
        let mut history = History::new();
        history.oracles.faults_over(secs(100));
        history.oracles.gave_up(secs(120), asked(1, 111), unheard_since);
        verdict(&history.results(500, &[]), "live")
    };
    assert_eq!(settings().slowest_answer, Some(Span::from_secs(1)));
    assert_eq!(live(Instant(119_000_001)), Verdict::NotExercised);
    assert_eq!(live(secs(119)), Verdict::Fail);
}

#[test]
fn who_asks_again_late_is_answered_late() {
    let live = |patience, slowest_answer, end: u64| {
        let patience = Span::from_secs(patience);
        let mut history = History::with(OracleSettings { patience, slowest_answer, ..settings() });
        history.oracles.faults_over(secs(100));
        verdict(&history.results(end, &[asked(1, 50)]), "live")
    };
    let answers = settings().slowest_answer;
    assert_eq!(live(0, answers, 111), Verdict::Fail);
    assert_eq!(live(30, answers, 132), Verdict::NotExercised);
    assert_eq!(live(30, answers, 133), Verdict::Fail);
    assert_eq!(live(0, None, 500), Verdict::NotExercised, "each answer may have been lost");
}

#[test]
fn after_calm_holds_come_to_an_end() {
    let live = |calm: u64, end: u64| {
        let mut history = History::new();
        history.oracles.faults_over(secs(calm));
        history.asks(200, &hold_request(1, 1, &[3])).held(200, 1, 1, &[3]);
        verdict(&history.results(end, &[]), "live")
    };
    assert_eq!(live(100, 509), Verdict::Pass);
    assert_eq!(live(100, 510), Verdict::Fail);
    // Calm does not begin the hold anew.
    assert_eq!(live(400, 509), Verdict::NotExercised);
    assert_eq!(live(400, 510), Verdict::Fail);
}

#[test]
fn recovery_is_the_first_decision_on_a_request_sent_after_calm() {
    let mut history = History::new();
    assert_eq!(history.oracles.recovery(), None);
    history.oracles.faults_over(secs(100));
    history.oracles.hold_refused(secs(101), &asked(1, 99), Refusal::SoldOut);
    history.oracles.hold_refused(secs(102), &asked(2, 101), Refusal::Overloaded);
    assert_eq!(history.oracles.recovery(), None);
    history.oracles.hold_refused(secs(104), &asked(3, 101), Refusal::NoneFree);
    history.gets((103, 104, 105), 4, 1, &[3]);
    assert_eq!(history.oracles.recovery(), Some(Span::from_secs(4)));
}

/// A cluster of three whose nodes come and go, and what its map says after so many seconds.
#[derive(Default)]
struct Mapped {
    versions: Vec<(u64, Placement)>,
    told: Vec<(u64, u16)>,
    /// Who has a say at the end, if not who the map says.
    voters: Option<[u16; 3]>,
}

impl Mapped {
    /// The verdict at the end; calm begins after a hundred seconds, and the bound is ten.
    fn judged(&self, end: u64) -> Verdict {
        self.judged_with(settings(), end)
    }

    fn judged_with(&self, settings: OracleSettings, end: u64) -> Verdict {
        let mut history = History::with(settings);
        history.oracles.faults_over(secs(100));
        for &(at, node) in &self.told {
            history.oracles.told_to_leave(secs(at), NodeId(node));
        }
        for (at, map) in &self.versions {
            history.oracles.map_changed(secs(*at), map.clone());
        }
        let (_, map) = self.versions.last().expect("the map has changed");
        for shard in (0..map.shards()).map(ShardId) {
            let wanted = map.replicas(shard).to_vec();
            let voters = self.voters.map_or(wanted, |voters| voters.map(NodeId).to_vec());
            history.oracles.kept_by(&Members::initial(&voters));
        }
        verdict(&history.results(end, &[]), "live")
    }
}

#[test]
fn after_calm_moves_come_to_an_end() {
    let grown = Placement::new(3, 3, 8, 3).changing(2).with(NodeId(4)).unwrap();
    let moves = grown.moved().unwrap();
    let shard = (0..8).map(ShardId).find(|&shard| !moves.seats(shard).from.is_empty()).unwrap();
    let settled = moves.settled(shard, moves.seats(shard).generation).unwrap();
    let (fine, fails) = (Verdict::NotExercised, Verdict::Fail);

    let early = Mapped { versions: vec![(50, moves.clone())], ..Mapped::default() };
    assert_eq!((early.judged(110), early.judged(111)), (fine, fails), "the bound is from calm");
    let never = OracleSettings { moves_end: false, ..settings() };
    assert_eq!(early.judged_with(never, 111), fine, "on a network that always loses messages");
    let late = Mapped { versions: vec![(150, moves.clone())], ..Mapped::default() };
    assert_eq!((late.judged(160), late.judged(161)), (fine, fails), "or from the wish");
    let versions = vec![(50, moves.clone()), (150, moves.with(NodeId(5)).unwrap())];
    let unmoved = Mapped { versions, ..Mapped::default() };
    assert_eq!(unmoved.judged(111), fails, "another version does not prolong a move");
    let mut ended = Mapped { versions: vec![(50, moves), (60, settled)], ..Mapped::default() };
    assert_eq!(ended.judged(500), fine);
    ended.voters = Some([1, 2, 4]);
    assert_eq!(ended.judged(500), fails, "the map says what is not so");
}

#[test]
fn after_calm_who_was_told_to_leave_has_left() {
    let four = Placement::new(4, 3, 8, 3).changing(0);
    let leaving = four.without(NodeId(4)).unwrap();
    let other = four.without(NodeId(3)).unwrap();
    let (fine, fails) = (Verdict::NotExercised, Verdict::Fail);
    let told = vec![(50, 4)];
    let judged = |map: &Placement, end| {
        Mapped { versions: vec![(105, map.clone())], told: told.clone(), voters: None }.judged(end)
    };
    assert_eq!(
        (judged(&leaving, 115), judged(&leaving, 116)),
        (fine, fails),
        "from the last change"
    );
    assert_eq!(judged(&other, 500), fine, "the others are too few to do without");
    let heard_by_nobody = Placement::new(4, 3, 8, 3).changing(1).with(NodeId(5)).unwrap();
    assert_eq!(judged(&heard_by_nobody, 500), fails);
}

#[test]
fn no_step_of_a_move_makes_a_shard_depend_on_a_zone() {
    // Nodes 1 to 6 stand in zones 1, 2, 3, 1, 2, 3. One comes to a shard in the place of another.
    let first = Placement::new(3, 3, 8, 3).changing(3);
    let grown =
        [4, 5, 6].map(NodeId).iter().fold(first.clone(), |map, &node| map.with(node).unwrap());
    let judged = |versions: &[&Placement], voters: [u16; 3], comes: u16, goes: u16| {
        let mut history = History::new();
        let replica = |node| ReplicaId::new(NodeId(node), 0);
        let (promoted, demoted) = (ReplicaId::new(NodeId(comes), 1), replica(goes));
        let mut members = Members::initial(&voters.map(NodeId));
        for change in [
            Change::Learns(promoted),
            Change::Swaps { promoted, demoted },
            Change::Settles,
            Change::Drops(demoted),
        ] {
            let next = members.after(change).expect("the steps follow");
            history.oracles.members_changed(secs(30), ShardId(5), members, next.clone());
            members = next;
        }
        for map in versions {
            history.oracles.map_changed(secs(20), (*map).clone());
        }
        verdict(&history.results(90, &[]), "live")
    };
    let (fine, fails) = (Verdict::NotExercised, Verdict::Fail);
    assert_eq!(judged(&[&grown], [1, 2, 3], 4, 1), fine, "each in its own zone");
    assert_eq!(judged(&[&grown], [1, 2, 3], 4, 2), fails, "1 and 4 stand in zone 1");
    assert_eq!(judged(&[&grown], [1, 4, 3], 6, 3), fine, "it was no better before");
    assert_eq!(judged(&[&grown], [1, 4, 3], 5, 4), fine, "it is better then");
    let thin = grown.without(NodeId(2)).and_then(|map| map.without(NodeId(5))).unwrap();
    assert_eq!(judged(&[&grown, &thin], [1, 2, 3], 4, 2), fine, "nobody stays in zone 2");
    let enough = grown.without(NodeId(2)).unwrap();
    assert_eq!(judged(&[&grown, &enough], [1, 2, 3], 4, 2), fails, "5 stays there");
}
