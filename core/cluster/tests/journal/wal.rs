//! The write-ahead log under damage.

use onsale_booking::NodeId;
use onsale_cluster::journal::frame::{Damage, Frame};
use onsale_cluster::journal::{
    Change, Durable, Found, Members, RaftGroup, Ready, Recovered, ReplicaId, Settings, Wal, frame,
};
use onsale_cluster::{Epoch, PersistId, ShardId};
use proptest::prelude::*;

use crate::chance::Faults;
use crate::cluster::{Cluster, NODES, SHARDS};

/// A frame that owns its bytes.
#[derive(Clone, Debug)]
enum Owned {
    Entry(u32, u64, u64, Vec<u8>),
    HardState(u32, u64, (u16, u32), u64, bool),
    Snapshot(u32, u64, u64, Vec<u8>),
    Checkpoint(u32),
    Forgot(u64),
}

impl Owned {
    fn frame(&self) -> Frame<'_> {
        match self {
            Self::Entry(shard, index, epoch, record) => {
                Frame::Entry { shard: ShardId(*shard), index: *index, epoch: Epoch(*epoch), record }
            }
            Self::HardState(shard, epoch, vote, commit, in_repair) => Frame::HardState {
                shard: ShardId(*shard),
                epoch: Epoch(*epoch),
                vote: (vote.0 != 0).then(|| ReplicaId::new(NodeId(vote.0), vote.1)),
                commit: *commit,
                in_repair: *in_repair,
            },
            Self::Snapshot(shard, index, epoch, state) => Frame::Snapshot {
                shard: ShardId(*shard),
                index: *index,
                epoch: Epoch(*epoch),
                state,
            },
            Self::Checkpoint(groups) => Frame::Checkpoint { groups: *groups },
            Self::Forgot(incarnation) => Frame::Forgot { incarnation: *incarnation },
        }
    }
}

fn any_frame() -> impl Strategy<Value = Owned> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        (any::<u32>(), any::<u64>(), any::<u64>(), bytes())
            .prop_map(|(s, i, e, b)| Owned::Entry(s, i, e, b)),
        (any::<u32>(), any::<u64>(), any::<(u16, u32)>(), any::<u64>(), any::<bool>())
            .prop_map(|(s, e, v, c, d)| Owned::HardState(s, e, v, c, d)),
        (any::<u32>(), any::<u64>(), any::<u64>(), bytes())
            .prop_map(|(s, i, e, b)| Owned::Snapshot(s, i, e, b)),
        any::<u32>().prop_map(Owned::Checkpoint),
        any::<u64>().prop_map(Owned::Forgot),
    ]
}

/// A node's disk after some work, with segments and snapshots turning over.
fn busy_node(seed: u64, faults: Faults) -> Cluster {
    let mut cluster = Cluster::new(seed, faults);
    cluster.run_until(1_000_000);
    for round in 0..150 {
        cluster.propose(SHARDS[round % 2]);
        cluster.run_until(cluster.now + 3_000);
    }
    cluster.run_until(cluster.now + 1_000_000);
    cluster
}

fn disk(cluster: &Cluster, node: usize) -> Vec<(u32, Vec<u8>)> {
    cluster.nodes[node].disk.kept.clone().into_iter().collect()
}

/// All frames of a replica's state; a commit index that only lags counts as the same.
fn frames(group: &RaftGroup) -> Vec<String> {
    let mut bytes = Vec::new();
    group.checkpoint(&mut bytes);
    let say = |frame| match frame {
        Frame::HardState { epoch, vote, .. } => format!("{epoch} {vote:?}"),
        Frame::Entry { .. }
        | Frame::Snapshot { .. }
        | Frame::Change { .. }
        | Frame::Members { .. }
        | Frame::Replica { .. }
        | Frame::Checkpoint { .. }
        | Frame::Facts { .. }
        | Frame::Forgot { .. } => {
            format!("{frame:?}")
        }
    };
    frame::read(&bytes).map(say).collect()
}

/// The state recovered from these segments, where something was written before.
fn recover(segments: Vec<(u32, Vec<u8>)>) -> Recovered {
    Wal::recover(Found { has_written: true, segments })
}

fn boot(shard: ShardId, node: usize, recovered: &mut Recovered) -> RaftGroup {
    let durable = recovered.take(shard);
    RaftGroup::new(shard, NODES[node], &NODES, Settings::default(), durable)
}

fn all_frames(mut recovered: Recovered) -> Vec<String> {
    SHARDS.iter().flat_map(|shard| frames(&boot(*shard, 0, &mut recovered))).collect()
}

#[test]
fn replayed_segments_equal_the_live_state() {
    for seed in 0..10 {
        let faults = Faults { segment_bytes: 1_000, compact_after: u64::MAX, ..Faults::default() };
        let cluster = busy_node(seed, faults);
        for (at, node) in cluster.nodes.iter().enumerate() {
            let mut recovered = recover(disk(&cluster, at));
            assert_eq!(recovered.damage, None);
            assert!(recovered.next_segment > 2, "segments were closed and retired");
            for (shard, live) in &node.groups {
                assert_eq!(frames(&boot(*shard, at, &mut recovered)), frames(live));
            }
        }
    }
}

#[test]
fn closed_segments_are_retired_and_few_bytes_are_kept() {
    let cluster =
        busy_node(1, Faults { compact_after: 10, segment_bytes: 1_000, ..Faults::default() });
    for node in &cluster.nodes {
        assert_eq!(node.disk.kept.len(), 1);
    }
}

#[test]
fn one_write_is_in_flight_and_the_rest_waits() {
    let mut group =
        RaftGroup::new(SHARDS[0], NODES[0], &NODES[..1], Settings::default(), Durable::default());
    let mut wal = Wal::new(1 << 20, 4);
    let mut ready = Ready::default();
    group.campaign();
    group.poll(&mut ready);
    wal.gather(SHARDS[0], &ready);
    let first = wal.begin([&group]).unwrap();
    assert_eq!((first.segment, first.retire_below), (4, 4));
    assert_eq!(wal.begin([&group]), None, "one at a time");
    assert!(wal.persisted(PersistId(99)).is_empty(), "an answer to nothing");
    let durable = wal.persisted(first.id);
    assert_eq!(durable.len(), 1);
    assert_eq!(wal.begin([&group]), None, "nothing was gathered meanwhile");
    group.fsynced(durable[0].1);
    ready.clear();
    group.poll(&mut ready);
    assert!(group.is_leader(), "a single voter elects itself");
}

/// A crash in the middle of a checkpoint falls back on the segment before it.
#[test]
fn a_torn_checkpoint_is_not_used() {
    let cluster = busy_node(3, Faults::default());
    let mut segments = disk(&cluster, 0);
    let (number, whole) = segments.pop().unwrap();
    let mut torn = Vec::new();
    cluster.nodes[0].groups.values().for_each(|group| group.checkpoint(&mut torn));
    for cut in [0, 5, torn.len() / 2, torn.len()] {
        let found = vec![(number, whole.clone()), (number + 1, torn[..cut].to_vec())];
        let recovered = recover(found);
        assert_eq!(recovered.next_segment, number + 2);
        let damage = recovered.damage.map(|(segment, _, damage)| (segment, damage));
        assert_eq!(damage, Some((number + 1, Damage::Torn)));
        assert_eq!(all_frames(recovered), all_frames(recover(vec![(number, whole.clone())])));
    }
}

/// A disk writes sectors whole or not at all, in any order: a hole in the last write is no loss.
#[test]
fn a_missing_sector_is_a_torn_write_and_a_flipped_bit_is_not() {
    let mut segment = Vec::new();
    let record = [7; 300];
    for index in 1..10 {
        Frame::Entry { shard: SHARDS[0], index, epoch: Epoch(1), record: &record }
            .write(&mut segment);
    }
    for sector in 0..segment.len() / 512 {
        let mut torn = segment.clone();
        torn[sector * 512..(sector + 1) * 512].fill(0);
        let mut frames = frame::read(&torn);
        assert!(frames.by_ref().count() <= sector * 512 / 329 + 1);
        assert_eq!(frames.damage(), Some(Damage::Torn), "sector {sector}");
    }
    for bit in 0..segment.len() * 8 {
        segment[bit / 8] ^= 1 << (bit % 8);
        let mut frames = frame::read(&segment);
        frames.by_ref().for_each(drop);
        assert_eq!(frames.damage(), Some(Damage::Rotten), "bit {bit}");
        segment[bit / 8] ^= 1 << (bit % 8);
    }
}

/// A segment is deleted only when the next one has a whole checkpoint. So if there is none at all, a durable write is
/// lost, unless there never was one.
#[test]
fn no_checkpoint_is_a_loss_wherever_something_was_written() {
    let cluster = busy_node(3, Faults::default());
    let (number, whole) = disk(&cluster, 0).pop().unwrap();
    let torn = |number| vec![(number, whole[..20].to_vec())];
    for segments in [Vec::new(), vec![(0, Vec::new())], torn(0), torn(1), torn(number)] {
        let new = Wal::recover(Found { has_written: false, segments: segments.clone() });
        assert!(!new.lost_promises() && !new.replaced, "{segments:?}");
        let mut lost = recover(segments.clone());
        assert!(lost.lost_promises() && boot(SHARDS[0], 0, &mut lost).is_in_repair());
        assert_eq!(lost.replaced, segments.iter().all(|(_, bytes)| bytes.is_empty()));
    }
    // A driver that died before it could remember the write finds it whole.
    let kept = Wal::recover(Found { has_written: false, segments: vec![(number, whole.clone())] });
    assert_eq!(all_frames(kept), all_frames(recover(vec![(number, whole)])));
}

/// The same holds on a node that carries no shard: its log has a checkpoint, too.
#[test]
fn a_torn_tail_is_no_loss_on_a_node_without_replicas() {
    let mut segment = Vec::new();
    Frame::Checkpoint { groups: 0 }.write(&mut segment);
    Frame::Facts { delta: b"facts" }.write(&mut segment);
    let whole = segment.len();
    Frame::Facts { delta: b"more facts" }.write(&mut segment);
    segment.truncate(segment.len() - 3);
    let recovered = recover(vec![(4, segment)]);
    assert_eq!(recovered.damage, Some((4, whole, Damage::Torn)));
    assert!(!recovered.lost_promises());
    assert_eq!(recovered.facts, [b"facts".to_vec()]);
}

/// However few bytes of a header stand in its first sector, a flipped bit in it is not read as a sector that was never
/// written, and such a sector is.
#[test]
fn a_flipped_bit_in_a_header_that_straddles_sectors_is_no_torn_write() {
    // Lengths whose low bytes are zeros, and one that has none.
    for length in [256, 512, 3 << 8, 1 << 16, 65_793] {
        for ahead in 1..12 {
            let mut segment = Vec::new();
            entry(512 - ahead - 12, 1).write(&mut segment);
            assert_eq!(segment.len(), 512 - ahead);
            entry(length, 2).write(&mut segment);
            entry(600, 3).write(&mut segment);
            for bit in (512 - ahead) * 8..(512 - ahead + 14) * 8 {
                segment[bit / 8] ^= 1 << (bit % 8);
                let mut frames = frame::read(&segment);
                assert_eq!(frames.by_ref().count(), 1);
                assert_eq!(frames.damage(), Some(Damage::Rotten), "{length}, {ahead}, bit {bit}");
                segment[bit / 8] ^= 1 << (bit % 8);
            }
            for missing in [512 - ahead..512, 512..1024] {
                let mut torn = segment.clone();
                torn[missing.clone()].fill(0);
                let mut frames = frame::read(&torn);
                frames.by_ref().for_each(drop);
                let what = if length > 600 || missing.end == 512 { Damage::Torn } else { continue };
                assert_eq!(frames.damage(), Some(what), "{length}, {ahead}, {missing:?}");
            }
        }
    }
}

/// An entry at an index with a payload of this length, in bytes.
fn entry(payload: usize, index: u64) -> Frame<'static> {
    static SEVENS: [u8; 1 << 17] = [7; 1 << 17];
    Frame::Entry { shard: SHARDS[0], index, epoch: Epoch(1), record: &SEVENS[..payload - 21] }
}

/// Sectors of zeros in a state do not prove that a write was torn.
#[test]
fn a_flipped_bit_beside_zeros_is_no_torn_write() {
    let mut segment = Vec::new();
    let mut state = vec![7; 100];
    state.resize(2_000, 0);
    Frame::Snapshot { shard: SHARDS[0], index: 1, epoch: Epoch(1), state: &state }
        .write(&mut segment);
    for bit in 0..segment.len() * 8 {
        segment[bit / 8] ^= 1 << (bit % 8);
        let mut frames = frame::read(&segment);
        frames.by_ref().for_each(drop);
        assert_eq!(frames.damage(), Some(Damage::Rotten), "bit {bit}");
        segment[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Of a write that is cut anywhere only whole batches count: a replica starts in a state that it was in.
#[test]
fn a_batch_counts_as_a_whole_or_not_at_all() {
    let hard_state = |epoch, commit| Frame::HardState {
        shard: SHARDS[0],
        epoch: Epoch(epoch),
        vote: None,
        commit,
        in_repair: false,
    };
    let members = Members::initial(&[NodeId(1), NodeId(4)]).encode();
    let batches: [&[Frame<'_>]; 4] = [
        &[entry(30, 1), hard_state(1, 0)],
        &[entry(30, 2), entry(30, 3), hard_state(2, 2)],
        &[hard_state(3, 2)],
        &[
            Frame::Members { shard: SHARDS[0], members: &members },
            Frame::Snapshot { shard: SHARDS[0], index: 9, epoch: Epoch(3), state: b"state" },
            entry(30, 10),
            hard_state(3, 9),
        ],
    ];
    let mut segment = Vec::new();
    Frame::Checkpoint { groups: 0 }.write(&mut segment);
    let mut ends = vec![segment.len()];
    for batch in batches {
        batch.iter().for_each(|frame| frame.write(&mut segment));
        ends.push(segment.len());
    }
    for cut in ends[0]..=segment.len() {
        let whole = *ends.iter().rfind(|&&end| end <= cut).unwrap();
        let mut recovered = recover(vec![(0, segment[..cut].to_vec())]);
        let torn = (whole < cut).then_some((0, whole, Damage::Torn));
        assert_eq!(recovered.damage, torn);
        let only_whole = recover(vec![(0, segment[..whole].to_vec())]).take(SHARDS[0]);
        assert_eq!(recovered.take(SHARDS[0]), only_whole, "cut at {cut}");
    }
    let read: Vec<_> = frame::read_batches(&segment[..segment.len() - 1]).frames().collect();
    assert_eq!(read[1..], batches[..3].concat());
}

/// No replica is ever in such a state at the end of a batch: so no crash can have caused it.
#[test]
fn a_state_that_no_replica_can_have_been_in_is_damage() {
    let (shard, epoch) = (SHARDS[0], Epoch(1));
    let hard_state = |epoch, commit| Frame::HardState {
        shard,
        epoch: Epoch(epoch),
        vote: None,
        commit,
        in_repair: false,
    };
    let learns = Change::Learns(ReplicaId::new(NodeId(4), 1)).encode();
    let change = |index| Frame::Change { shard, index, epoch, change: &learns };
    let members = Members::initial(&NODES).encode();
    for (frames, is_sound) in [
        (vec![change(1), entry(30, 2), change(3), hard_state(1, 0)], false),
        (vec![change(1), entry(30, 2), change(3), hard_state(1, 1)], true),
        (vec![entry(30, 1), hard_state(0, 0)], false),
        (vec![entry(30, 1), hard_state(1, 2)], false),
        (vec![Frame::Members { shard, members: &members }, hard_state(1, 0)], false),
        (vec![entry(30, 1), Frame::Checkpoint { groups: 1 }], false),
    ] {
        let mut segment = Vec::new();
        Frame::Checkpoint { groups: 0 }.write(&mut segment);
        frames.iter().for_each(|frame| frame.write(&mut segment));
        assert_eq!(recover(vec![(0, segment)]).lost_promises(), !is_sound, "{frames:?}");
    }
}

/// A snapshot without members has those at the beginning of the log, not those of the snapshot before it.
#[test]
fn a_snapshot_does_not_inherit_the_members_of_an_earlier_one() {
    let shard = SHARDS[0];
    let learner = Change::Learns(ReplicaId::new(NodeId(4), 1));
    let initial = Members::initial(&NODES);
    let members = initial.after(learner).unwrap().encode();
    let mut segment = Vec::new();
    Frame::Checkpoint { groups: 0 }.write(&mut segment);
    for (index, members) in [(3, Some(&members)), (5, None)] {
        if let Some(members) = members {
            Frame::Members { shard, members }.write(&mut segment);
        }
        Frame::Snapshot { shard, index, epoch: Epoch(1), state: b"state" }.write(&mut segment);
        let (epoch, vote, commit, in_repair) = (Epoch(1), None, index, false);
        Frame::HardState { shard, epoch, vote, commit, in_repair }.write(&mut segment);
    }
    let mut recovered = recover(vec![(0, segment)]);
    assert_eq!(*boot(shard, 0, &mut recovered).members(), initial);
}

/// Damage found while a node runs is rewritten from memory, even if there is nothing else to write.
#[test]
fn a_renewed_log_needs_no_earlier_segment() {
    let cluster = busy_node(4, Faults::default());
    let groups: Vec<&RaftGroup> = cluster.nodes[0].groups.values().collect();
    let mut wal = Wal::new(1 << 20, 7);
    assert_eq!(wal.begin(groups.iter().copied()), None);
    wal.renew();
    let write = wal.begin(groups.iter().copied()).expect("it is due at once");
    assert_eq!((write.segment, write.retire_below), (7, 7));
    assert!(wal.persisted(write.id).is_empty());
    let live: Vec<String> = groups.iter().flat_map(|group| frames(group)).collect();
    assert_eq!(all_frames(recover(vec![(7, write.bytes)])), live);
    wal.renew();
    let write = wal.begin(groups.iter().copied()).expect("and again");
    assert_eq!(write.segment, 8);
}

/// Frames of no group are rewritten as well.
#[test]
fn a_renewed_log_inherits_the_frames_of_no_group() {
    let mut wal = Wal::new(1 << 20, 7);
    wal.renew();
    assert!(wal.segment_is_due());
    wal.inherits(|out| Frame::Facts { delta: b"facts" }.write(out));
    let write = wal.begin(std::iter::empty::<&RaftGroup>()).expect("it is due at once");
    assert_eq!(recover(vec![(7, write.bytes)]).facts, [b"facts".to_vec()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frames_read_back_as_written(owned in prop::collection::vec(any_frame(), 0..8)) {
        let mut bytes = Vec::new();
        owned.iter().for_each(|frame| frame.frame().write(&mut bytes));
        let mut read = frame::read(&bytes);
        prop_assert_eq!(read.by_ref().collect::<Vec<_>>(), owned.iter().map(Owned::frame).collect::<Vec<_>>());
        prop_assert_eq!((read.damage(), read.offset()), (None, bytes.len()));
    }

    #[test]
    fn a_changed_byte_ends_the_reading(owned in prop::collection::vec(any_frame(), 1..8), at: prop::sample::Index, flip in 1..=255_u8) {
        let mut bytes = Vec::new();
        owned.iter().for_each(|frame| frame.frame().write(&mut bytes));
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let mut read = frame::read(&bytes);
        let survivors = read.by_ref().count();
        prop_assert_eq!(read.damage(), Some(Damage::Rotten));
        prop_assert!(survivors < owned.len() && read.offset() <= at, "only frames before the damage are read");
    }

    #[test]
    fn a_cut_loses_only_a_suffix(owned in prop::collection::vec(any_frame(), 1..8), at: prop::sample::Index) {
        let mut bytes = Vec::new();
        owned.iter().for_each(|frame| frame.frame().write(&mut bytes));
        bytes.truncate(at.index(bytes.len()));
        let mut read = frame::read(&bytes);
        let survivors: Vec<_> = read.by_ref().collect();
        prop_assert!(survivors.iter().zip(&owned).all(|(read, written)| *read == written.frame()));
        prop_assert_eq!(read.damage().is_some(), read.offset() < bytes.len());
        prop_assert!(read.damage().is_none_or(|damage| damage == Damage::Torn));
    }

    #[test]
    fn noise_is_never_served(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(frame::read(&bytes).count(), 0);
        prop_assert_eq!(recover(vec![(0, bytes)]).shards().count(), 0);
    }

    #[test]
    fn recovery_serves_a_prefix_and_reports_rot(seed in 0..8_u64, at: prop::sample::Index, flip in 1..=255_u8) {
        let cluster = busy_node(seed, Faults::default());
        let segments = disk(&cluster, 0);
        let (number, whole) = segments.last().unwrap().clone();
        let mut rotten = whole.clone();
        rotten[at.index(whole.len())] ^= flip;
        let recovered = recover(vec![(number, rotten)]);
        let (segment, offset, damage) = recovered.damage.expect("every change is noticed");
        prop_assert_eq!((segment, damage), (number, Damage::Rotten));
        prop_assert_eq!(all_frames(recovered), all_frames(recover(vec![(number, whole[..offset].to_vec())])));
    }
}
