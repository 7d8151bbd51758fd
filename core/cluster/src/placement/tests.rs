//! The map's steps, one by one and at random.

use onsale_booking::Draw;

use super::*;

#[test]
fn replicas_stand_in_different_zones_while_zones_last() {
    // (nodes, zones, replicas, zones that each shard must span)
    let table =
        [(3, 3, 3, 3), (5, 3, 3, 3), (5, 2, 3, 2), (7, 5, 5, 5), (9, 1, 3, 1), (99, 3, 7, 3)];
    for (nodes, zones, replicas, spans) in table {
        let placement = Placement::new(nodes, zones, 64, replicas);
        for shard in (0..64).map(ShardId) {
            let mut nodes = placement.replicas(shard).to_vec();
            let mut zones: Vec<_> = nodes.iter().map(|&node| placement.zone_of(node)).collect();
            nodes.sort_unstable();
            nodes.dedup();
            assert_eq!(nodes.len(), usize::from(replicas), "a node twice in {shard}");
            zones.sort_unstable();
            zones.dedup();
            assert_eq!(zones.len(), spans, "{shard} of {nodes:?}");
        }
    }
}

#[test]
fn leaders_and_replicas_are_spread_evenly() {
    // (nodes, zones, shards, greatest spread of leaders, greatest replicas on one node per mille of the mean)
    let table = [
        (3, 3, 64, 1, 1_000),
        (5, 3, 64, 2, 1_700),
        (6, 3, 256, 2, 1_200),
        (12, 3, 1_024, 2, 1_200),
    ];
    for (nodes, zones, shards, spread, most) in table {
        let placement = Placement::new(nodes, zones, shards, 3);
        let (mut led, mut carried) =
            (vec![0u32; usize::from(nodes)], vec![0u32; usize::from(nodes)]);
        for shard in (0..shards).map(ShardId) {
            led[usize::from(placement.replicas(shard)[0].0) - 1] += 1;
            placement.replicas(shard).iter().for_each(|node| carried[usize::from(node.0) - 1] += 1);
        }
        let (least, greatest) = (led.iter().min().unwrap(), led.iter().max().unwrap());
        assert!(greatest - least <= spread, "leaders of {nodes} nodes: {led:?}");
        let per_mille = carried.iter().max().unwrap() * u32::from(nodes) * 1_000 / (shards * 3);
        assert!(per_mille <= most, "replicas of {nodes} nodes: {carried:?}");
    }
}

#[test]
fn a_new_node_takes_shards_and_moves_none_between_the_others() {
    let (before, after) = (Placement::new(8, 1, 256, 3), Placement::new(9, 1, 256, 3));
    for shard in (0..256).map(ShardId) {
        for node in after.replicas(shard) {
            assert!(
                node.0 == 9 || before.replicas(shard).contains(node),
                "{shard} moved to {node}"
            );
        }
    }
}

#[test]
fn a_map_grows_and_shrinks_by_moves_that_leave_a_node_alone_until_it_is_done() {
    let first = Placement::new(3, 3, 32, 3).changing(6);
    let mut map = first.clone();
    let settle = |mut map: Placement| {
        let mut rounds = 0;
        while let Some(next) = map.moved() {
            assert_eq!(next.version(), map.version() + 1);
            map = next;
            let unsettled: Vec<ShardId> = (0..map.shards())
                .map(ShardId)
                .filter(|&shard| !map.seats(shard).from.is_empty())
                .collect();
            for shard in unsettled {
                map = map.settled(shard, map.seats(shard).generation).unwrap();
            }
            rounds += 1;
            assert!(rounds < 200, "it never ends");
        }
        map
    };
    for node in (4..=9).map(NodeId) {
        map = map.with(node).unwrap();
        assert_eq!(map.with(node), None);
    }
    map = settle(map);
    let mut carried = [0; 10];
    for shard in (0..map.shards()).map(ShardId) {
        map.replicas(shard).iter().for_each(|node| carried[usize::from(node.0)] += 1);
    }
    assert!(carried[1..].iter().all(|&shards| shards >= 4), "{carried:?}");
    let mut first_in = [0; 10];
    (0..map.shards())
        .for_each(|shard| first_in[usize::from(map.replicas(ShardId(shard))[0].0)] += 1);
    assert!(first_in[1..].iter().all(|led| (2..=5).contains(led)), "{first_in:?}");
    for node in (4..=9).map(NodeId) {
        map = map.without(node).unwrap();
    }
    assert_eq!(map.without(NodeId(1)), None, "three replicas need three nodes");
    map = settle(map);
    assert!(map.node_ids().eq((1..=3).map(NodeId)));
    assert!((0..map.shards()).map(ShardId).all(|shard| map.replicas(shard).len() == 3));
    assert_eq!(map.shard_of(ShowId(7)), first.shard_of(ShowId(7)));
}

#[test]
fn a_node_that_forgot_replaces_itself_and_gives_its_places_up_if_it_leaves() {
    let first = Placement::new(5, 3, 24, 3).changing(1);
    let (node, version) = (NodeId(2), 1);
    let map = first.forgotten(node, 3).unwrap();
    assert_eq!((map.version(), map.forgot_in(node)), (version, Some(3)));
    assert_eq!(map.forgotten(node, 3), None, "it is known");
    assert!(map.is_given_up(ReplicaId::new(node, 0)));
    assert!(!map.is_given_up(ReplicaId::new(node, 1)));
    assert!(!map.is_given_up(ReplicaId::new(NodeId(3), 0)));
    for shard in (0..map.shards()).map(ShardId) {
        let seats = map.seats(shard);
        assert_eq!(seats.members, first.replicas(shard), "{shard}: no node moves");
        let renews = seats.members.contains(&node);
        assert_eq!((seats.from == [node], seats.generation), (renews, u32::from(renews)));
    }
    assert_eq!(Placement::decode(&map.encode()), Some(map.clone()));
    assert_eq!(Placement::decode(&first.encode()), Some(first));
    assert_eq!(map.moved(), None, "others wait until it has its replicas");

    let again = map.forgotten(node, 4).unwrap();
    assert!(again.is_given_up(ReplicaId::new(node, 1)), "its newer replicas too");
    let left = again.without(node).unwrap();
    assert_eq!(left.moved(), None, "others wait");
    for shard in (0..left.shards()).map(ShardId) {
        let (seats, before) = (left.seats(shard), again.seats(shard));
        assert!(!seats.members.contains(&node), "{shard}: it may be dead");
        assert_eq!(seats.from, before.from);
        let moves = u64::from(seats.generation) == left.version();
        assert_eq!(moves, before.members.contains(&node), "{shard}");
    }
    assert!(left.has(node), "others have not taken its places yet");
}

#[test]
fn a_shard_on_its_way_to_a_node_that_is_to_leave_goes_to_another() {
    let grown = Placement::new(3, 3, 8, 3).changing(2).with(NodeId(4)).unwrap();
    let under_way = |map: &Placement| -> Vec<ShardId> {
        let shards = (0..map.shards()).map(ShardId);
        shards.filter(|&shard| !map.seats(shard).from.is_empty()).collect()
    };
    let map = grown.moved().unwrap();
    let [shard] = under_way(&map)[..] else { panic!("a node takes part in one move at a time") };
    let from = map.seats(shard).from.clone();

    let back = map.without(NodeId(4)).unwrap();
    assert!(back.moves_otherwise_than(&map));
    let seats = back.seats(shard);
    let mut members = seats.members.clone();
    members.sort_unstable();
    assert_eq!(members, [1, 2, 3].map(NodeId), "no other node is there");
    assert_eq!(seats.from, [from[0], NodeId(4)], "the member that was to go still has to");
    assert_eq!(back.settled(shard, map.seats(shard).generation), None, "it is another move");
    assert_eq!(back.moved(), None);
    let settled = back.settled(shard, seats.generation).unwrap();
    assert!(settled.moved().unwrap().node_ids().eq((1..=3).map(NodeId)), "it may be struck off");

    let again = map.with(NodeId(5)).unwrap().without(NodeId(4)).unwrap();
    let away = again.without(NodeId(5)).unwrap();
    assert!(!away.seats(shard).members.iter().any(|node| node.0 > 3), "{:?}", away.seats(shard));
    let third = back.without(NodeId(1));
    assert_eq!(third, None, "three replicas need three nodes");
}

#[test]
fn the_map_comes_to_rest_though_nodes_are_lost_on_the_way() {
    // Nodes join, leave, forget and are lost for good at random, and a shard settles only if its new replicas are on
    // live nodes. Once the lost nodes are struck off, no move may stay under way for ever.
    let mut redirected = 0;
    for seed in 0..300 {
        let mut draw = Draw::new(seed);
        let mut map = Placement::new(4, 3, 12, 3).changing(5);
        let (mut lost, mut boots) = (Vec::new(), 1);
        // By shard, the nodes on which its journal has replicas that remember their promises.
        let mut has: Vec<Vec<NodeId>> =
            (0..map.shards()).map(|shard| map.replicas(ShardId(shard)).to_vec()).collect();
        let settle = |map: &Placement, has: &mut [Vec<NodeId>], lost: &[NodeId], shard: u32| {
            let seats = map.seats(ShardId(shard));
            let has = &mut has[shard as usize];
            let begins = |node: &&NodeId| !has.contains(node);
            if seats.members.iter().filter(begins).any(|node| lost.contains(node)) {
                return None;
            }
            let next = map.settled(ShardId(shard), seats.generation)?;
            has.clone_from(&seats.members);
            Some(next)
        };
        for _ in 0..80 {
            let node = NodeId(1 + draw.below(9) as u16);
            let (lives, is_in) = (!lost.contains(&node), map.has(node));
            let step = match draw.below(9) {
                0 | 1 if lives => map.with(node),
                // A node that stays can be spared, twice.
                2 if map.staying().count() > 5 => {
                    let left = map.without(node);
                    let moves = |left: &Placement| left.moves_otherwise_than(&map);
                    redirected += u32::from(left.as_ref().is_some_and(moves));
                    left
                }
                3 if lives && is_in => {
                    boots += 1;
                    has.iter_mut().for_each(|nodes| nodes.retain(|&other| other != node));
                    map.forgotten(node, boots)
                }
                4 if lives && is_in && lost.len() < 2 => {
                    lost.push(node);
                    None
                }
                5 | 6 => {
                    let shard = draw.below(u64::from(map.shards())) as u32;
                    settle(&map, &mut has, &lost, shard)
                }
                _ => map.moved(),
            };
            map = step.unwrap_or(map);
        }
        for round in 0.. {
            assert!(round < 200, "seed {seed}: it never ends");
            let before = map.version();
            for node in (1..=9).map(NodeId) {
                let wish = if lost.contains(&node) { map.without(node) } else { map.with(node) };
                map = wish.unwrap_or(map);
            }
            for shard in 0..map.shards() {
                map = settle(&map, &mut has, &lost, shard).unwrap_or(map);
            }
            map = map.moved().unwrap_or(map);
            if map.version() == before {
                break;
            }
        }
        assert!(map.shards.iter().all(|seats| seats.from.is_empty()), "seed {seed}: {map:?}");
        assert!(map.leaving.is_empty(), "seed {seed}: {map:?}");
        for seats in &map.shards {
            let mut members = seats.members.clone();
            members.sort_unstable();
            members.dedup();
            assert_eq!(members.len(), 3, "seed {seed}: {seats:?}");
            assert!(members.iter().all(|node| map.has(*node) && !lost.contains(node)));
        }
    }
    assert!(redirected > 100, "{redirected} redirected");
}

/// The shards that are to have two replicas in one zone by this map.
fn crowded(map: &Placement) -> Vec<ShardId> {
    let is_crowded =
        |shard: &ShardId| map.pairs_in_one_zone(map.seats(*shard).members.iter().copied()) > 0;
    (0..map.shards()).map(ShardId).filter(is_crowded).collect()
}

#[test]
fn no_move_puts_two_replicas_into_one_zone_while_the_nodes_that_stay_span_enough() {
    // Nodes join and leave at random, so that the nodes that stay always span three zones, and moves are redirected
    // meanwhile.
    let mut moves = 0;
    for seed in 0..200 {
        let mut draw = Draw::new(seed);
        let mut map = Placement::new(3, 3, 24, 3).changing(9);
        for _ in 0..120 {
            let node = NodeId(1 + draw.below(12) as u16);
            let step = match draw.below(8) {
                0 | 1 => map.with(node),
                2 => map.without(node).filter(|map| {
                    let zones = map.staying().map(|node| map.zone_of(node));
                    zones.collect::<std::collections::BTreeSet<_>>().len() == 3
                }),
                3..6 => {
                    let shard = ShardId(draw.below(u64::from(map.shards())) as u32);
                    map.settled(shard, map.seats(shard).generation)
                }
                _ => map.moved(),
            };
            moves += u32::from(step.as_ref().is_some_and(|next| next.shards != map.shards));
            map = step.unwrap_or(map);
            assert_eq!(crowded(&map), [], "seed {seed}: {map:?}");
        }
    }
    assert!(moves > 1_000, "{moves} moves");
}

#[test]
fn a_shard_can_always_come_nearer_to_where_it_belongs() {
    // In all zones, and however crowded they are: unless nodes are busy, some move puts no more replicas into one zone
    // than there are before or in the end.
    for seed in 0..2_000 {
        let mut draw = Draw::new(seed);
        let (zones, replicas) = (1 + draw.below(6) as u16, [1, 3, 5][draw.below(3) as usize]);
        let mut pick = |from: &mut Vec<NodeId>| from.remove(draw.below(from.len() as u64) as usize);
        let mut nodes: Vec<NodeId> = (1..=12).map(NodeId).collect();
        let mut members: Vec<NodeId> = (0..replicas).map(|_| pick(&mut nodes)).collect();
        let mut all: Vec<NodeId> = (1..=12).map(NodeId).collect();
        let gone: Vec<NodeId> = (0..5).map(|_| pick(&mut all)).collect();
        let target = choose(7, &all, zones, replicas);
        let busy = vec![false; 13];
        let most = |members: &[NodeId]| {
            let pairs = |nodes: &[NodeId]| pairs_in_one_zone(zones, nodes.iter().copied());
            pairs(members).max(pairs(&target))
        };
        for _ in 0..replicas {
            if target.iter().all(|node| members.contains(node)) {
                break;
            }
            let before = most(&members);
            let (comes, goes) = exchange(zones, &members, &target, &busy)
                .unwrap_or_else(|| panic!("seed {seed}: {members:?} to {target:?}, not {gone:?}"));
            members[goes] = comes;
            assert!(most(&members) <= before, "seed {seed}");
        }
        assert!(target.iter().all(|node| members.contains(node)), "seed {seed}: one each");
    }
}

#[test]
fn a_shard_is_at_home_where_most_of_its_venues_are() {
    let placement = Placement::new(3, 3, 1, 3).changing(1);
    let venues = |zones: &[u16]| {
        let venues = (0..).map(ShowId).zip(zones.iter().copied().map(ZoneId));
        placement.homes(venues.collect::<Vec<_>>().into_iter())
    };
    assert_eq!(venues(&[3, 2, 2]), [Some(ZoneId(2)), None]);
    assert_eq!(venues(&[3, 2, 1]), [Some(ZoneId(1)), None]);
    assert_eq!(venues(&[]), [None, None]);
}

#[test]
fn shows_spread_over_shards_and_stay_there() {
    let placement = Placement::new(3, 3, 16, 3);
    let mut shows = [0u32; 16];
    for show in 0..1_600 {
        shows[placement.shard_of(ShowId(show)).0 as usize] += 1;
    }
    assert!(shows.iter().all(|&count| (60..145).contains(&count)), "{shows:?}");
    assert_eq!(Placement::new(3, 3, 1, 3).shard_of(ShowId(77)), ShardId(0));
    let together = Placement::new(3, 3, 16, 3).together(8);
    let shards: Vec<_> = (0..32).map(|show| together.shard_of(ShowId(show))).collect();
    assert!(shards.chunks(8).all(|event| event.iter().all(|shard| *shard == event[0])));
    assert!(shards.iter().any(|shard| *shard != shards[0]));
}
