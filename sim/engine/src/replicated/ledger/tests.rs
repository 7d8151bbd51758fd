//! Disks that disagree raise alarms, and legal histories do not.

use onsale_booking::NodeId;
use onsale_cluster::journal::ReplicaId;
use onsale_reports::Verdict;

use super::*;
use crate::judges::tests::settings;

const SHARD: ShardId = ShardId(0);

pub(super) fn entry(index: u64, epoch: u64) -> Frame<'static> {
    Frame::Entry { shard: SHARD, index, epoch: Epoch(epoch), record: &[] }
}

pub(super) fn commit(epoch: u64, commit: u64) -> Frame<'static> {
    Frame::HardState { shard: SHARD, epoch: Epoch(epoch), vote: None, commit, in_repair: false }
}

fn snapshot(index: u64, epoch: u64) -> Frame<'static> {
    Frame::Snapshot { shard: SHARD, index, epoch: Epoch(epoch), state: &[] }
}

/// The verdict of `lost-booking` once these frames are durable on these nodes.
fn verdict(written: &[(u16, &[Frame<'static>])]) -> Verdict {
    verdict_of("lost-booking", written)
}

fn verdict_of(oracle: &str, written: &[(u16, &[Frame<'static>])]) -> Verdict {
    verdict_after(oracle, written, None, &[])
}

/// The same, with a disk that is reread in between, and keeps these frames.
fn verdict_after(
    oracle: &str,
    written: &[(u16, &[Frame<'static>])],
    kept: Option<(u16, &[Frame<'static>])>,
    then: &[(u16, &[Frame<'static>])],
) -> Verdict {
    let (mut watch, mut judges) =
        (JournalWatch::of(&Placement::new(3, 3, 1, 3)), Judges::new(settings()));
    let bytes = |frames: &[Frame<'static>]| {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut bytes));
        bytes
    };
    for (node, frames) in written {
        watch.read(Instant::ZERO, Place::node(*node), &bytes(frames), false, &mut judges);
    }
    if let Some((node, frames)) = kept {
        let kept = bytes(frames);
        watch.crashed(Instant::ZERO, Place::node(node), [&kept[..]].into_iter(), &mut judges);
    }
    for (node, frames) in then {
        watch.read(Instant::ZERO, Place::node(*node), &bytes(frames), false, &mut judges);
    }
    watch.tell_the_rest(Instant::ZERO, &mut judges);
    let results = judges.finish(Instant::ZERO, &[]);
    results.iter().find(|result| result.name == oracle).expect("it is one of the oracles").verdict
}

#[test]
fn disks_that_agree_raise_no_alarm() {
    let log: &[_] = &[entry(1, 1), entry(2, 1), commit(1, 2)];
    assert_eq!(verdict(&[(1, log), (2, log), (3, log)]), Verdict::NotExercised);
}

#[test]
fn two_records_committed_at_one_index_are_found() {
    let (one, other): (&[_], &[_]) = (&[entry(1, 1), commit(1, 1)], &[entry(1, 2), commit(2, 1)]);
    assert_eq!(verdict(&[(1, one), (2, other)]), Verdict::Fail);
}

#[test]
fn an_overwritten_committed_record_is_found() {
    let log: &[_] = &[entry(1, 1), commit(1, 1)];
    assert_eq!(
        verdict(&[(1, log), (1, &[entry(1, 1)])]),
        Verdict::NotExercised,
        "a repeated record is the same record"
    );
    assert_eq!(verdict(&[(1, log), (1, &[entry(1, 2)])]), Verdict::Fail);
}

#[test]
fn two_records_of_one_epoch_are_found_before_any_is_committed() {
    let (one, other) =
        (entry(1, 1), Frame::Entry { shard: SHARD, index: 1, epoch: Epoch(1), record: b"other" });
    let single_writer = |written: &[(u16, &[Frame<'static>])]| verdict_of("single-writer", written);
    assert_eq!(single_writer(&[(1, &[one]), (2, &[other])]), Verdict::Fail);
    assert_eq!(single_writer(&[(1, &[one, commit(1, 1)]), (2, &[other])]), Verdict::Fail);
    assert_eq!(
        single_writer(&[(1, &[one]), (2, &[entry(1, 2)])]),
        Verdict::NotExercised,
        "one supersedes the other"
    );
}

#[test]
fn a_gap_is_found() {
    let log: &[_] = &[entry(1, 1), entry(3, 1), commit(1, 3)];
    assert_eq!(verdict_of("single-writer", &[(1, log), (2, log)]), Verdict::Fail);
    let whole: &[_] = &[entry(1, 1), entry(2, 1), entry(3, 1), commit(1, 3)];
    assert_eq!(verdict_of("single-writer", &[(1, log), (2, whole)]), Verdict::NotExercised);
}

/// n1 led e1 and wrote a second record that no other node has. It is deposed and gets its
/// successor's snapshot. Its own second record was never committed.
#[test]
fn a_snapshot_does_not_vouch_for_what_it_supersedes() {
    let deposed: &[_] = &[entry(1, 1), entry(2, 1), commit(1, 1)];
    let others: &[_] = &[entry(1, 1), entry(2, 2), entry(3, 2), commit(2, 3)];
    assert_eq!(
        verdict(&[(1, deposed), (1, &[snapshot(3, 2)]), (2, others), (3, others)]),
        Verdict::NotExercised
    );
}

/// A disk's own snapshot implies a commit index that was never written: all records before it were committed.
#[test]
fn a_snapshot_vouches_for_what_leads_to_it() {
    let own: &[_] = &[entry(1, 1), entry(2, 1), snapshot(2, 1)];
    let other: &[_] = &[entry(1, 1), entry(2, 2), commit(2, 2)];
    assert_eq!(verdict(&[(1, own), (2, other)]), Verdict::Fail);
}

/// n1 wrote a second record that no other node has, and then the one that superseded it. The disk
/// rots there: the first one is current again, uncommitted. It is a conflict only if the disk calls
/// it committed.
#[test]
fn a_record_brought_back_by_rot_is_committed_only_if_the_disk_says_so() {
    let others: &[_] = &[entry(1, 1), entry(2, 2), entry(3, 2), commit(2, 3)];
    let own: &[_] =
        &[entry(1, 1), entry(2, 1), commit(1, 1), entry(2, 2), entry(3, 2), commit(2, 3)];
    let kept = &own[..3];
    let after = |then: &[(u16, &[Frame<'static>])]| {
        let written = [(2, others), (3, others), (1, own)];
        verdict_after("lost-booking", &written, Some((1, kept)), then)
    };
    assert_eq!(after(&[(1, kept)]), Verdict::NotExercised, "as it begins a new segment");
    assert_eq!(after(&[(1, kept), (1, &others[1..])]), Verdict::NotExercised, "repaired");
    assert_eq!(after(&[(1, kept), (1, &[commit(2, 2)])]), Verdict::Fail);
}

/// The verdict of `lost-booking` where n1 and n2 hold three committed records, and n3 the first `survived`. If the first
/// two are `lost` for good, an operator has n3 go on alone; it then holds the first `held`.
fn verdict_of_recovery(survived: usize, held: usize, lost: bool) -> Verdict {
    let placement = Placement::new(3, 3, 1, 3).changing(1);
    let (mut watch, mut judges) = (JournalWatch::of(&placement), Judges::new(settings()));
    let mut read = |node, frames: &[Frame<'_>]| {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut bytes));
        watch.read(Instant::ZERO, Place::node(node), &bytes, false, &mut judges);
    };
    let log = [entry(1, 1), entry(2, 1), entry(3, 1)];
    [1, 2].into_iter().for_each(|node| read(node, &[&log[..], &[commit(1, 3)]].concat()));
    read(3, &log[..survived]);
    if lost {
        watch.on_loss(Instant::ZERO, &[Place::node(1), Place::node(2)], &mut judges);
    }
    let alone = Change::Recovers(ReplicaId::new(NodeId(3), 9)).encode();
    let index = held as u64 + 1;
    let recovers = Frame::Change { shard: SHARD, index, epoch: Epoch(9), change: &alone };
    let named = Frame::Replica { shard: SHARD, generation: 9, left: false };
    let mut bytes = Vec::new();
    for frame in [&[named], &log[..held], &[recovers, commit(9, index)]].concat() {
        frame.write(&mut bytes);
    }
    watch.read(Instant::ZERO, Place::node(3), &bytes, false, &mut judges);
    let results = judges.finish(Instant::ZERO, &[]);
    results.iter().find(|result| result.name == "lost-booking").expect("it is an oracle").verdict
}

/// What no surviving disk held may be given up, and nothing else.
#[test]
fn a_recovery_gives_up_what_only_lost_disks_held() {
    for survived in 0..=3 {
        for held in 0..=survived {
            let expected = if held < survived { Verdict::Fail } else { Verdict::NotExercised };
            let verdict = verdict_of_recovery(survived, held, true);
            assert_eq!(verdict, expected, "{held} of {survived}");
        }
    }
    assert_eq!(verdict_of_recovery(2, 2, false), Verdict::Fail, "no majority was lost");
    assert_eq!(verdict_of_recovery(3, 3, false), Verdict::NotExercised);
}
