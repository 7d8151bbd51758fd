//! What a node makes of its log when it starts, where something in it had to be written anew.

use super::*;

fn stamp(node: u16, seconds: u64) -> Stamp {
    Stamp { at: Instant(seconds * SECOND), count: 0, node: NodeId(node) }
}

/// A write of node 1 in its log, as it follows on what that wrote before.
fn own(after: &[Stamp], stamp: Stamp, id: u32, text: &str) -> Vec<u8> {
    let version = Version { stamp, text: Some(text.into()) };
    let delta = Delta {
        base: Base::Since(after.iter().copied().collect()),
        until: [stamp].into_iter().collect(),
        written: vec![(price(id), version)],
    };
    postcard::to_stdvec(&delta).expect("a delta is plain data")
}

/// A whole copy of a node that has forgotten a deletion that may be later than what node 1 wrote.
fn copy_that_forgot(deletion: Stamp) -> Vec<u8> {
    let seen: Seen = [deletion].into_iter().collect();
    let delta =
        Delta { base: Base::Nothing { forgotten: seen.clone() }, until: seen, written: Vec::new() };
    postcard::to_stdvec(&delta).expect("a delta is plain data")
}

fn booted(log: &[Vec<u8>]) -> Facts {
    let mut town = Town::new(2, 0);
    town.now = Instant(9 * SECOND);
    town.disks[0] = log.to_vec();
    town.boot(1, 2, Start::Knows)
}

#[test]
fn what_was_made_anew_before_the_crash_is_not_made_anew_again() {
    // Or an old text would win over all that was written since, and stand for it: a peer that
    // lost the writes in between would believe that it has seen them (rare/facts-slow-disks, 326).
    let (first, anew) = (stamp(1, 1), stamp(1, 3));
    let facts = booted(&[
        own(&[], first, 1, "old"),
        copy_that_forgot(stamp(2, 2)),
        own(&[first], anew, 1, "old"),
        own(&[anew], stamp(1, 4), 1, "new"),
    ]);
    assert!(!facts.has_log(), "nothing is left to be written");
    let known = facts.replica.get(price(1)).expect("it is known");
    assert_eq!(known.text.as_deref(), Some("new"));
}

#[test]
fn what_is_made_anew_follows_on_all_that_the_log_holds() {
    let (first, second) = (stamp(1, 1), stamp(1, 4));
    let facts = booted(&[
        own(&[], first, 1, "old"),
        copy_that_forgot(stamp(2, 2)),
        own(&[first], second, 2, "two"),
    ]);
    let [write] = &facts.gathered[..] else { panic!("{:?}", facts.gathered) };
    assert_eq!(write.delta.base, Base::Since([second].into_iter().collect()));
    assert_eq!(write.delta.written[0].0, price(1));
    assert!(write.stamp > second);
}
