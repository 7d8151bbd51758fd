//! A node restarts with a log in which a fact had to be written again.

use super::*;

fn stamp(node: u16, seconds: u64) -> Stamp {
    Stamp { at: Instant(seconds * SECOND), count: 0, node: NodeId(node) }
}

fn bytes(delta: &Delta) -> Vec<u8> {
    postcard::to_stdvec(delta).expect("a delta is plain data")
}

/// A write of node 1 in its log, and the write of its own that it follows on.
fn own(after: &[Stamp], stamp: Stamp, id: u32, text: &str) -> Vec<u8> {
    let version = Version { stamp, text: Some(text.into()) };
    bytes(&Delta {
        base: Base::Since(after.iter().copied().collect()),
        until: [stamp].into_iter().collect(),
        written: vec![(price(id), version)],
    })
}

/// A whole copy of a node that has dropped a tombstone that may be later than node 1's write.
fn copy_that_forgot(deletion: Stamp) -> Vec<u8> {
    let seen: Seen = [deletion].into_iter().collect();
    bytes(&Delta {
        base: Base::Nothing { forgotten: seen.clone() },
        until: seen,
        written: Vec::new(),
    })
}

fn booted(log: &[Vec<u8>]) -> Facts {
    let mut town = Town::new(2, 0);
    town.now = Instant(9 * SECOND);
    town.disks[0] = log.to_vec();
    town.boot(1, 2, Start::Knows)
}

#[test]
fn a_fact_that_the_log_rewrote_is_not_rewritten_on_restart() {
    // Otherwise the old text replaces later ones, and a peer that lost the writes in between believes that it has seen
    // them (rare/facts-slow-disks, 326).
    let (first, again) = (stamp(1, 1), stamp(1, 3));
    let facts = booted(&[
        own(&[], first, 1, "old"),
        copy_that_forgot(stamp(2, 2)),
        own(&[first], again, 1, "old"),
        own(&[again], stamp(1, 4), 1, "new"),
    ]);
    assert!(!facts.has_log(), "nothing is left to be written");
    let known = facts.replica.get(price(1)).expect("it is known");
    assert_eq!(known.text.as_deref(), Some("new"));
}

#[test]
fn a_rewrite_on_restart_follows_on_the_last_write_of_the_log() {
    let (first, second) = (stamp(1, 1), stamp(1, 4));
    let facts = booted(&[
        own(&[], first, 1, "old"),
        copy_that_forgot(stamp(2, 2)),
        own(&[first], second, 2, "two"),
    ]);
    let [write] = facts.own.gathered() else { panic!("{:?}", facts.own) };
    assert_eq!(write.delta.base, Base::Since([second].into_iter().collect()));
    assert_eq!(write.delta.written[0].0, price(1));
    assert!(write.stamp > second);
}
