//! Moves must end within a bound after calm, and no step may make a shard depend on a zone.

use onsale_booking::NodeId;
use onsale_cluster::Placement;
use onsale_cluster::journal::{Change, Members, ReplicaId};
use onsale_oracles::rule::compare;
use onsale_reports::{OracleResult, Verdict};

use super::super::tests::{measures, secs, settings, verdict};
use super::super::{JudgeSettings, Judges};
use super::*;

/// A cluster of three whose nodes come and go, with versions of its map by second.
#[derive(Default)]
struct Mapped {
    versions: Vec<(u64, Placement)>,
    told: Vec<(u64, u16)>,
    /// The voters at the end, if they differ from the map's.
    voters: Option<[u16; 3]>,
}

impl Mapped {
    /// The verdict at the end; calm begins after a hundred seconds, and the bound is ten.
    fn judged(&self, end: u64) -> Verdict {
        self.judged_with(settings(), end)
    }

    fn judged_with(&self, settings: JudgeSettings, end: u64) -> Verdict {
        verdict(&self.results_with(settings, end), "live")
    }

    fn results_with(&self, settings: JudgeSettings, end: u64) -> Vec<OracleResult> {
        let mut judges = Judges::new(settings);
        judges.faults_over(secs(100));
        for &(at, node) in &self.told {
            judges.told_to_leave(secs(at), NodeId(node));
        }
        for (at, map) in &self.versions {
            judges.map_changed((secs(*at), secs(*at)), map.clone());
        }
        let (_, map) = self.versions.last().expect("the map has changed");
        for shard in (0..map.shards()).map(ShardId) {
            let wanted = map.replicas(shard).to_vec();
            let voters = self.voters.map_or(wanted, |voters| voters.map(NodeId).to_vec());
            judges.kept_by(&Members::initial(&voters));
        }
        judges.finish(secs(end), &[])
    }
}

#[test]
fn after_calm_moves_end() {
    let grown = Placement::new(3, 3, 8, 3).changing(2).with(NodeId(4)).unwrap();
    let moves = grown.moved().unwrap();
    let shard = (0..8).map(ShardId).find(|&shard| !moves.seats(shard).from.is_empty()).unwrap();
    let settled = moves.settled(shard, moves.seats(shard).generation).unwrap();
    let (fine, fails) = (Verdict::NotExercised, Verdict::Fail);

    let early = Mapped { versions: vec![(50, moves.clone())], ..Mapped::default() };
    assert_eq!((early.judged(110), early.judged(111)), (fine, fails), "the bound is from calm");
    let never = JudgeSettings { moves_end: false, ..settings() };
    assert_eq!(early.judged_with(never, 111), fine, "on a network that always loses messages");
    let late = Mapped { versions: vec![(150, moves.clone())], ..Mapped::default() };
    assert_eq!((late.judged(160), late.judged(161)), (fine, fails), "or from the plan of the move");
    let versions = vec![(50, moves.clone()), (150, moves.with(NodeId(5)).unwrap())];
    let unmoved = Mapped { versions, ..Mapped::default() };
    assert_eq!(unmoved.judged(111), fails, "another version does not prolong a move");
    let mut ended = Mapped { versions: vec![(50, moves), (60, settled)], ..Mapped::default() };
    assert_eq!(ended.judged(500), fine);
    ended.voters = Some([1, 2, 4]);
    assert_eq!(ended.judged(500), fails, "the map is wrong");
}

#[test]
fn after_calm_nodes_told_to_leave_have_left() {
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

/// Six nodes in zones 1, 2, 3, 1, 2, 3, of which three have joined.
fn grown() -> Placement {
    let first = Placement::new(3, 3, 8, 3).changing(3);
    [4, 5, 6].map(NodeId).iter().fold(first, |map, &node| map.with(node).unwrap())
}

/// The judgement of one node replacing another in a shard, under versions of the map.
fn swapped(versions: &[&Placement], voters: [u16; 3], comes: u16, goes: u16) -> Vec<OracleResult> {
    let mut judges = Judges::new(settings());
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
        judges.members_changed(secs(30), ShardId(5), members, next.clone());
        members = next;
    }
    for map in versions {
        judges.map_changed((secs(20), secs(20)), (*map).clone());
    }
    judges.finish(secs(90), &[])
}

#[test]
fn no_step_of_a_move_makes_a_shard_depend_on_a_zone() {
    let grown = grown();
    let judged = |versions: &[&Placement], voters, comes, goes| {
        verdict(&swapped(versions, voters, comes, goes), "live")
    };
    let (fine, fails) = (Verdict::NotExercised, Verdict::Fail);
    assert_eq!(judged(&[&grown], [1, 2, 3], 4, 1), fine, "each in its own zone");
    assert_eq!(judged(&[&grown], [1, 2, 3], 4, 2), fails, "1 and 4 are in zone 1");
    assert_eq!(judged(&[&grown], [1, 4, 3], 6, 3), fine, "it was no better before");
    assert_eq!(judged(&[&grown], [1, 4, 3], 5, 4), fine, "it is better then");
    let thin = grown.without(NodeId(2)).and_then(|map| map.without(NodeId(5))).unwrap();
    assert_eq!(judged(&[&grown, &thin], [1, 2, 3], 4, 2), fine, "nobody stays in zone 2");
    let enough = grown.without(NodeId(2)).unwrap();
    assert_eq!(judged(&[&grown, &enough], [1, 2, 3], 4, 2), fails, "5 stays there");
}

/// Three nodes, eight shards and the map's own: two wishes, so at most 27 versions after calm, and the last within four
/// times recovery, 40 s, of the later of calm and the last wish.
#[test]
fn after_calm_the_map_comes_to_rest() {
    let (fine, fails) = (Verdict::NotExercised, Verdict::Fail);
    let calm = Placement::new(3, 3, 8, 3).changing(2);
    let judged = |times: &[u64]| {
        let versions = times.iter().map(|&at| (at, calm.clone())).collect();
        Mapped { versions, told: vec![(50, 5)], voters: None }.judged(1_000)
    };
    let often = |versions: u64| (101..101 + versions).map(|at| at.min(120)).collect::<Vec<_>>();
    assert_eq!((judged(&often(27)), judged(&often(28))), (fine, fails));
    assert_eq!(
        (judged(&[101, 140]), judged(&[101, 142])),
        (fine, fails),
        "the last comes too late"
    );
}

/// The verdicts on versions of the map, and on the voters at the end.
fn mapped(
    versions: Vec<(u64, Placement)>,
    voters: Option<[u16; 3]>,
    end: u64,
) -> Vec<OracleResult> {
    Mapped { versions, told: Vec::new(), voters }.results_with(settings(), end)
}

/// A version of the map in which a shard moves to a fourth node, and the one in which it has.
fn moving() -> (Placement, Placement) {
    let grown = Placement::new(3, 3, 8, 3).changing(1).with(NodeId(4)).unwrap();
    let moves = grown.moved().unwrap();
    let moving = |shard: &ShardId| !moves.seats(*shard).from.is_empty();
    let settled = (0..moves.shards())
        .map(ShardId)
        .filter(moving)
        .fold(moves.clone(), |map, shard| map.settled(shard, map.seats(shard).generation).unwrap());
    (moves, settled)
}

/// A node was told to leave at 50, and the map of 105 has it leaving.
fn leaving(end: u64) -> Vec<OracleResult> {
    let map = Placement::new(4, 3, 8, 3).changing(0).without(NodeId(4)).unwrap();
    Mapped { versions: vec![(105, map)], told: vec![(50, 4)], voters: None }
        .results_with(settings(), end)
}

#[test]
fn each_rule_has_a_history_that_it_alone_condemns() {
    let measures = measures! {
        std::convert::identity;
        NEEDS_A_ZONE: |ok| swapped(&[&grown()], [1, 2, 3], 4, if ok { 1 } else { 2 }),
        UNENDED_MOVE: |ok| mapped(vec![(50, moving().0)], None, if ok { 110 } else { 111 }),
        MISPLACED: |ok| {
            let (moves, settled) = moving();
            mapped(vec![(50, moves), (60, settled)], Some([1, 2, 4]).filter(|_| !ok), 500)
        },
        NEVER_LEFT: |ok| leaving(if ok { 115 } else { 116 }),
        RESTLESS: |ok| {
            let still = Placement::new(3, 3, 8, 3).changing(2);
            let last = if ok { 140 } else { 142 };
            mapped(vec![(101, still.clone()), (last, still)], None, 1_000)
        },
    };
    compare(RULES, &measures);
}
