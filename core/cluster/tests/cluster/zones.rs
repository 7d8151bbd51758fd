//! Zones that are lost while shards move in a small cluster in memory. Each test opens with its story.

use onsale_booking::{NodeId, Outcome, Span};
use onsale_cluster::journal::ReplicaId;
use onsale_cluster::{Input, ShardId};

use crate::forgets::join;
use crate::harness::Cluster;
use crate::moves::{SHOWS, book_a_seat_each};
use crate::sample::hold;

/// Nodes 1 to 6 are in zones 1, 2, 3, 1, 2, 3.
const ZONES: u16 = 3;

fn zone_of(node: NodeId) -> u16 {
    (node.0 - 1) % ZONES + 1
}

/// What nodes do while a zone is lost. All stories leave as many zones as there are replicas.
#[derive(Clone, Copy, Debug)]
enum Story {
    Join,
    Leave,
    /// Some nodes join while others leave.
    Exchange,
    /// One node is dead, and another one in its zone replaces it: their zone is lost.
    Replace,
}

impl Story {
    fn begin(self) -> Cluster {
        let mut cluster = Cluster::changing(3, 3, 8);
        book_a_seat_each(&mut cluster);
        match self {
            Self::Join => (4..=6).for_each(|node| join(&mut cluster, node)),
            Self::Leave => {
                (4..=6).for_each(|node| join(&mut cluster, node));
                cluster.run_for(Span::from_secs(30));
                for node in [1, 5, 6].map(NodeId) {
                    cluster.tell(node, Input::Leave(node));
                }
            }
            Self::Exchange => {
                (4..=6).for_each(|node| join(&mut cluster, node));
                cluster.run_for(Span::from_millis(400));
                for node in [1, 2, 6].map(NodeId) {
                    cluster.tell(node, Input::Leave(node));
                }
            }
            Self::Replace => {
                cluster.crash(NodeId(1));
                cluster.wipe(NodeId(1));
                cluster.run_for(Span::from_secs(1));
                (4..=5).for_each(|node| join(&mut cluster, node));
                cluster.tell(NodeId(2), Input::Leave(NodeId(1)));
            }
        }
        cluster
    }

    /// How long its moves take at least.
    fn lasts(self) -> u64 {
        match self {
            Self::Join => 3_000,
            Self::Leave | Self::Exchange => 4_000,
            Self::Replace => 3_000,
        }
    }

    /// The zones of which one may be lost.
    fn zones(self) -> &'static [u16] {
        match self {
            Self::Join | Self::Leave | Self::Exchange => &[1, 2, 3],
            Self::Replace => &[1],
        }
    }
}

const STORIES: [Story; 4] = [Story::Join, Story::Leave, Story::Exchange, Story::Replace];

#[test]
fn at_every_instant_of_every_move_any_zone_could_be_lost() {
    // After each millisecond, for all replicas and their knowledge of the members: without any one zone they are a
    // quorum, of both sides where two change places.
    for story in STORIES {
        let (mut cluster, mut joint, mut moved) = (story.begin(), 0, 0);
        for ms in 0..story.lasts() + 6_000 {
            for node in (1..=6).map(NodeId).filter(|&node| cluster.is_up(node)) {
                let node = cluster.node(node);
                for shard in (0..node.map().shards()).map(ShardId) {
                    let Some(members) = node.members(shard) else { continue };
                    joint += u32::from(members.is_joint());
                    moved += u32::from(!members.learners().is_empty());
                    for &zone in story.zones() {
                        let stands = |member: ReplicaId| zone_of(member.node()) != zone;
                        assert!(
                            members.is_quorum(stands),
                            "{story:?}, after {ms} ms: {shard} needs zone {zone}: {members:?}"
                        );
                    }
                }
            }
            cluster.run_for(Span::from_millis(1));
        }
        assert!(joint > 10 && moved > 100, "{story:?}: {joint} joint, {moved} moved");
    }
}

#[test]
fn a_zone_is_lost_at_any_instant_of_any_move() {
    // Two seconds later every shard is served, the map's own among them, and sells.
    for story in STORIES {
        for step in 0..story.lasts() / 47 {
            let zones = story.zones();
            let zone = zones[step as usize % zones.len()];
            let mut cluster = story.begin();
            cluster.run_for(Span::from_millis(47 * step + step % 7));
            for node in (1..=6).map(NodeId).filter(|&node| zone_of(node) == zone) {
                if cluster.is_up(node) {
                    cluster.crash(node);
                }
            }
            cluster.run_for(Span::from_secs(2));
            let gateway = NodeId(if zone == 2 { 3 } else { 2 });
            for show in 0..SHOWS {
                let granted = cluster.outcome(gateway, hold(500_000 + u64::from(show), show, &[7]));
                assert!(
                    matches!(granted, Outcome::Held { .. }),
                    "{story:?}, step {step}, zone {zone}, show {show}: {granted:?}"
                );
            }
            let map = ShardId(cluster.node(gateway).map().shards() - 1);
            let up = (1..=6).map(NodeId).filter(|&node| cluster.is_up(node));
            let serve = up.filter(|&node| cluster.node(node).serves(map).is_some());
            assert_eq!(
                serve.count(),
                1,
                "{story:?}, step {step}, zone {zone}: no node serves the map"
            );
        }
    }
}
