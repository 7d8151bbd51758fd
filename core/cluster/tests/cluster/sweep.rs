//! A crash at every place in every write of a move and of a repair, and then a split.
//!
//! A write holds several frames and several changes of a replica's state. For any part of it that a crash leaves, and
//! however the nodes are split before the replica has caught up, no two quorums may decide on their own. Random
//! schedules hit such a place about once in a thousand years of a storm: so each is visited here.

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId, Outcome, Refusal, Span};
use onsale_cluster::journal::frame;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::{Input, ShardId, Write};

use crate::harness::{Cluster, FSYNC};
use crate::sample::{confirm, hold};

/// The situation in which a node dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    /// A fourth node joins three, and shards move to it.
    Move,
    /// The disk of one of three nodes forgot, and the node replaces itself.
    Renewal,
    /// A disk forgot where members do not change: the node's replicas are repaired.
    Repair,
}

/// When a scene is over in the undisturbed run.
const LASTS: Span = Span::from_millis(1_500);

impl Scene {
    fn begin(self) -> Cluster {
        let mut cluster = match self {
            Self::Move | Self::Renewal => Cluster::changing(3, 1, 1),
            Self::Repair => Cluster::new(3, 1),
        };
        let (held, booked) = (hold(10, 0, &[399]), confirm(11, 0, 10));
        assert!(matches!(cluster.outcome(NodeId(1), held), Outcome::Held { .. }));
        assert!(matches!(cluster.outcome(NodeId(1), booked), Outcome::Booked { .. }));
        match self {
            Self::Move => self.start(&mut cluster, NodeId(4)),
            Self::Renewal | Self::Repair => {
                cluster.crash(NodeId(2));
                cluster.wipe(NodeId(2));
                self.start(&mut cluster, NodeId(2));
            }
        }
        cluster
    }

    fn start(self, cluster: &mut Cluster, node: NodeId) {
        cluster.start(node);
        if node == NodeId(4) {
            cluster.tell(node, Input::Join);
        }
    }

    fn nodes(self) -> Vec<NodeId> {
        let nodes = if self == Self::Move { 4 } else { 3 };
        (1..=nodes).map(NodeId).collect()
    }

    /// One side of each split of the nodes in two.
    fn splits(self) -> Vec<Vec<NodeId>> {
        let nodes = self.nodes();
        let pairs =
            nodes[1..].iter().map(|&other| vec![nodes[0], other]).filter(|_| nodes.len() == 4);
        pairs.chain(nodes.iter().map(|&node| vec![node])).collect()
    }

    /// The writes of the undisturbed run, and when each was begun.
    fn writes(self) -> Vec<(Instant, NodeId, Write)> {
        let mut cluster = self.begin();
        let before = cluster.begun.len();
        cluster.run_for(LASTS);
        cluster.begun.split_off(before)
    }
}

/// The grain of a sweep through a scene.
struct Grain {
    /// How long after the beginning of a write its node dies.
    instants: Vec<Span>,
    /// How long after that the nodes are split.
    until_split: Vec<Span>,
    /// Whether the node is up again before that, or only then.
    up_before: Vec<bool>,
}

/// How many bytes of a write a crash leaves: none, whole frames, and each frame in part.
fn cuts(write: &Write) -> Vec<usize> {
    let (mut cuts, mut frames) = (vec![0], frame::read(&write.bytes));
    while frames.next().is_some() {
        let (from, to) = (cuts[cuts.len() - 1], frames.offset());
        cuts.extend([from + (to - from) / 2, to]);
    }
    cuts
}

/// Sweeps through a scene; returns the number of crashes.
fn sweep(scene: Scene, grain: &Grain) -> usize {
    let mut crashes = 0;
    for (begun, node, write) in scene.writes() {
        let splits = scene.splits();
        for cut in cuts(&write) {
            for &after in &grain.instants {
                for &until_split in &grain.until_split {
                    for &up_before in &grain.up_before {
                        for side in &splits {
                            let crash =
                                Crash { at: begun + after, node, cut, up_before, until_split };
                            crash.play(scene, side);
                            crashes += 1;
                        }
                    }
                }
            }
        }
    }
    crashes
}

#[derive(Clone, Copy, Debug)]
struct Crash {
    at: Instant,
    node: NodeId,
    cut: usize,
    up_before: bool,
    until_split: Span,
}

impl Crash {
    fn play(self, scene: Scene, side: &[NodeId]) {
        let what = format!("{scene:?}, {self:?}, split {side:?}");
        let mut cluster = scene.begin();
        cluster.run_until(self.at);
        cluster.crash_keeping(self.node, |write| self.cut.min(write.bytes.len()));
        if self.up_before {
            scene.start(&mut cluster, self.node);
        }
        cluster.run_for(self.until_split);
        cluster.split(side);
        if !self.up_before {
            scene.start(&mut cluster, self.node);
        }
        // A client asks for a seat at every node, again and again, until one grants it.
        let mut asked = BTreeMap::new();
        for round in 0..4 {
            for node in scene.nodes() {
                let seat = u32::from(node.0) * 10 + round;
                let id = 1_000 + u64::from(seat) * 10;
                cluster.ask(node, hold(id, 0, &[seat]));
                asked.insert(id, seat);
            }
            cluster.run_for(Span::from_millis(500));
        }
        check_one_log(&cluster, &scene.nodes(), &what);
        cluster.heal();
        cluster.run_for(Span::from_secs(3));
        let replies = cluster.replies.iter();
        let granted = replies.filter(|(_, outcome)| matches!(outcome, Outcome::Held { .. }));
        let granted: Vec<u32> =
            granted.filter_map(|(id, _)| asked.get(&id.0).copied()).chain([399]).collect();
        for (n, seat) in (0..).zip(granted) {
            let node = scene.nodes()[n % scene.nodes().len()];
            let again = cluster.outcome(node, hold(9_000 + 10 * n as u64, 0, &[seat]));
            assert_eq!(again, Outcome::Refused(Refusal::SeatTaken), "seat {seat}: {what}");
        }
        let fresh = cluster.outcome(NodeId(1), hold(8_000, 0, &[300]));
        assert!(matches!(fresh, Outcome::Held { .. }), "{fresh:?}: {what}");
        check_one_log(&cluster, &scene.nodes(), &what);
    }
}

/// All disks hold the same committed records, as far as they hold any.
fn check_one_log(cluster: &Cluster, nodes: &[NodeId], what: &str) {
    let mut chosen = BTreeMap::new();
    for &node in nodes {
        for ((shard, index), record) in committed(&cluster.disk(node)) {
            let first = chosen.entry((shard, index)).or_insert_with(|| record.clone());
            assert_eq!(*first, record, "{node} holds another record at {shard} {index}: {what}");
        }
    }
}

type Records = BTreeMap<(ShardId, u64), (u64, Vec<u8>)>;

fn committed(disk: &[(u32, Vec<u8>)]) -> Records {
    let (mut records, mut commits) = (Records::new(), BTreeMap::new());
    let mut put = |shard, index, epoch: onsale_cluster::Epoch, record: &[u8]| {
        records.insert((shard, index), (epoch.0, record.to_vec()));
    };
    let batches = disk.iter().flat_map(|(_, bytes)| frame::read_batches(bytes).frames());
    for frame in batches {
        match frame {
            Frame::Entry { shard, index, epoch, record } => put(shard, index, epoch, record),
            Frame::Change { shard, index, epoch, change } => put(shard, index, epoch, change),
            Frame::HardState { shard, commit, .. } => {
                commits.insert(shard, commit);
            }
            Frame::Snapshot { .. }
            | Frame::Members { .. }
            | Frame::Replica { .. }
            | Frame::Checkpoint { .. }
            | Frame::Facts { .. }
            | Frame::Forgot { .. } => {}
        }
    }
    records.retain(|(shard, index), _| commits.get(shard).is_some_and(|commit| index <= commit));
    records
}

/// Crashes as a write is about to end, and a split before the next step.
fn coarse() -> Grain {
    Grain {
        instants: vec![Span(FSYNC.0 - 50)],
        until_split: [2, 25].map(Span::from_millis).to_vec(),
        up_before: vec![false],
    }
}

fn fine() -> Grain {
    Grain {
        instants: (0..FSYNC.0 / 50).map(|step| Span(50 * step)).collect(),
        until_split: [0, 25, 60, 110].map(Span::from_millis).to_vec(),
        up_before: vec![false, true],
    }
}

#[test]
fn a_crash_in_any_write_of_a_move_and_a_split_make_no_second_quorum() {
    let crashes = sweep(Scene::Move, &coarse());
    assert!(crashes > 1_500, "{crashes} crashes");
}

#[test]
fn a_crash_in_any_write_of_a_renewal_and_a_split_make_no_second_quorum() {
    let crashes = sweep(Scene::Renewal, &coarse());
    assert!(crashes > 300, "{crashes} crashes");
}

#[test]
fn a_crash_in_any_write_of_a_repair_and_a_split_make_no_second_quorum() {
    let crashes = sweep(Scene::Repair, &coarse());
    assert!(crashes > 200, "{crashes} crashes");
}

/// All scenes every 50 µs, with each split, sooner and later. Run it by `cargo test --release -p onsale-cluster --test
/// cluster -- --ignored every_50_us`.
#[test]
#[ignore = "takes minutes: the nightly workflow runs it"]
fn a_crash_every_50_us_of_a_move_a_renewal_and_a_repair() {
    for scene in [Scene::Repair, Scene::Renewal, Scene::Move] {
        let crashes = sweep(scene, &fine());
        assert!(crashes > 9_000, "{scene:?}: {crashes} crashes");
    }
}
