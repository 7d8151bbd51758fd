//! Random crashes, cuts and losses by seed, then calm.

use std::panic::{self, AssertUnwindSafe};

use crate::chance::{Chance, Faults};
use crate::cluster::{Cluster, NODES, SHARDS};

/// Further faults besides crashes, cuts and losses.
#[derive(Clone, Copy, PartialEq)]
enum Mishap {
    Nothing,
    /// One node's disk rots whenever the node crashes.
    Rot,
    LyingDisks,
}

fn storm(seed: u64, mishap: Mishap) -> Cluster {
    let mut chance = Chance::new(seed ^ 0x5707);
    let faults = Faults {
        drop_one_in: [0, 10, 50][chance.below(3) as usize],
        reorder: chance.one_in(2),
        lying_disks: mishap == Mishap::LyingDisks,
        rotting: (mishap == Mishap::Rot).then_some((seed % 3) as usize),
        ..Faults::default()
    };
    let mut cluster = Cluster::new(seed, faults);
    let power_loss = chance.one_in(3);
    for _ in 0..400 {
        cluster.run_until(cluster.now + chance.below(10_000));
        let shard = SHARDS[chance.below(2) as usize];
        match chance.below(60) {
            0..=29 => drop(cluster.propose(shard)),
            30..=39 => cluster.ask(shard),
            40 => cluster.transfer(shard, chance.below(3) as usize),
            41..=43 => {
                let first = chance.below(3) as usize;
                let count = if power_loss { 3 } else { 1 };
                for node in (0..count).map(|offset| (first + offset) % NODES.len()) {
                    cluster.crash(node, 1_000 + chance.below(400_000));
                }
            }
            44 => {
                let alone = chance.below(3) as usize;
                let others = (0..NODES.len()).filter(|node| *node != alone);
                match chance.below(3) {
                    0 => cluster.cut = others.map(|other| (alone, other)).collect(),
                    1 => cluster.cut = others.map(|other| (other, alone)).collect(),
                    _ => {
                        cluster.cut =
                            others.flat_map(|other| [(alone, other), (other, alone)]).collect()
                    }
                }
            }
            45..=47 => cluster.cut.clear(),
            _ => {}
        }
    }
    cluster.cut.clear();
    cluster.faults.drop_one_in = 0;
    cluster.faults.reorder = false;
    cluster.run_until(cluster.now + 3_000_000);
    cluster.check_live();
    cluster
}

/// Replicas apply the same records, no acknowledged record is lost, no answer is stale, nothing stays stuck, and all
/// fall asleep.
#[test]
fn storms_break_no_promise() {
    let (mut acked, mut answered, mut snapshots) = (0, 0, 0);
    for seed in 0..300 {
        let mut cluster = storm(seed, Mishap::Nothing);
        cluster.check_asleep();
        acked += cluster.acked.values().sum::<u64>();
        answered += cluster.answered;
        snapshots += cluster.snapshots_sent;
    }
    assert!(
        acked > 15_000 && answered > 3_000 && snapshots > 100,
        "{acked} {answered} {snapshots}"
    );
}

/// A node whose durable state rots is repaired from the others, and breaks no forgotten promise.
#[test]
fn rot_is_repaired_from_the_quorum() {
    let mut rotted = 0;
    for seed in 0..100 {
        let mut cluster = storm(seed, Mishap::Rot);
        cluster.check_asleep();
        rotted += cluster.rotted;
    }
    assert!(rotted > 300, "{rotted}");
}

/// The control: if the checks could not see lost promises, they would prove nothing. Not every lie breaks one: a leader
/// that outlives the liar tells it what it lacks.
#[test]
fn disks_that_lie_are_caught() {
    let caught = (0..60)
        .filter(|seed| {
            panic::catch_unwind(AssertUnwindSafe(|| storm(*seed, Mishap::LyingDisks))).is_err()
        })
        .count();

    assert!(caught > 25, "caught {caught} of 60");
}

#[test]
fn a_seed_gives_one_trace_in_every_thread() {
    let run = || {
        std::thread::scope(|scope| scope.spawn(|| storm(11, Mishap::Nothing).trace).join().unwrap())
    };
    assert_eq!(run(), run());
}
