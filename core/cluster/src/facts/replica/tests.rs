//! Copies come to agree, in any order of messages, and though they drop tombstones.

use onsale_booking::NodeId;
use proptest::prelude::*;

use super::*;
use crate::fact::{FactKind, FactText};

const COPIES: usize = 4;

#[derive(Clone, Debug)]
enum CopyOp {
    /// A copy writes a key, or deletes it.
    Write(usize, u32, bool),
    /// A copy gives another the writes that it lacks.
    Give(usize, usize),
    /// A copy gives another an earlier delta once more.
    GiveAgain(usize, prop::sample::Index),
    /// A copy drops tombstones up to an age.
    Forget(usize, u64),
}

fn steps(forgets: u32) -> impl Strategy<Value = Vec<CopyOp>> {
    let copy = 0..COPIES;
    let step = prop_oneof![
        3 => (copy.clone(), 0..4_u32, any::<bool>())
            .prop_map(|(copy, key, deletes)| CopyOp::Write(copy, key, deletes)),
        3 => (copy.clone(), copy.clone()).prop_map(|(from, to)| CopyOp::Give(from, to)),
        1 => (copy.clone(), any::<prop::sample::Index>())
            .prop_map(|(to, delta)| CopyOp::GiveAgain(to, delta)),
        forgets => (copy, 0..10_u64).prop_map(|(copy, age)| CopyOp::Forget(copy, age)),
    ];
    prop::collection::vec(step, 1..120)
}

/// Copies that write, tell each other and forget; their clocks agree.
#[derive(Default)]
struct Copies {
    copies: Vec<Replica>,
    /// Every write in the order of the stamps, with its key; `None` for a deletion.
    writes: Vec<(FactKey, Version)>,
    given: Vec<Delta>,
}

impl Copies {
    fn new() -> Self {
        Self { copies: vec![Replica::default(); COPIES], ..Self::default() }
    }

    fn write(&mut self, copy: usize, key: FactKey, text: Option<FactText>) {
        let node = NodeId(copy as u16);
        let stamp = Stamp { at: Instant(self.writes.len() as u64), count: 0, node };
        let before = self.copies[copy].seen().of(node);
        let version = Version { stamp, text };
        self.writes.push((key, version.clone()));
        let delta = Delta {
            base: Base::Since(before.into_iter().collect()),
            until: [stamp].into_iter().collect(),
            written: vec![(key, version)],
        };
        assert_eq!(self.copies[copy].merge(&delta), Ok(Vec::new()), "own writes follow each other");
    }

    fn take(&mut self, to: usize, delta: &Delta) {
        if let Ok(late) = self.copies[to].merge(delta) {
            late.into_iter().for_each(|(key, version)| self.write(to, key, version.text));
        }
    }

    fn step(&mut self, step: CopyOp) {
        match step {
            CopyOp::Write(copy, id, deletes) => {
                let text = (!deletes).then(|| format!("{}", self.writes.len()).into());
                self.write(copy, FactKey { kind: FactKind::Price, id }, text);
            }
            CopyOp::Give(from, to) => {
                let delta = self.copies[from].delta_since(self.copies[to].seen());
                self.given.push(delta.clone());
                self.take(to, &delta);
            }
            CopyOp::GiveAgain(to, delta) if !self.given.is_empty() => {
                let delta = delta.get(&self.given).clone();
                self.take(to, &delta);
            }
            CopyOp::GiveAgain(..) => {}
            CopyOp::Forget(copy, age) => {
                let before = Instant((self.writes.len() as u64).saturating_sub(age));
                self.copies[copy].forget(before, true);
            }
        }
    }

    /// Every copy tells every other, until none lacks anything.
    fn settle(&mut self) {
        for _ in 0..2 * COPIES {
            for from in 0..COPIES {
                (0..COPIES).for_each(|to| self.step(CopyOp::Give(from, to)));
            }
        }
    }

    fn alive(&self, copy: usize) -> Vec<(FactKey, FactText)> {
        let facts = self.copies[copy].facts.iter();
        facts.filter_map(|(key, version)| Some((*key, version.text.clone()?))).collect()
    }

    /// The text of the last write on each key.
    fn winners(&self) -> Vec<(FactKey, FactText)> {
        let last: BTreeMap<FactKey, &Version> =
            self.writes.iter().map(|(key, version)| (*key, version)).collect();
        let alive = last.into_iter();
        alive.filter_map(|(key, version)| Some((key, version.text.clone()?))).collect()
    }
}

proptest! {
    /// The last writer wins on every copy, in any order of the writes.
    #[test]
    fn copies_come_to_agree_on_the_last_write(steps in steps(0)) {
        let mut copies = Copies::new();
        steps.into_iter().for_each(|step| copies.step(step));
        copies.settle();
        for copy in 0..COPIES {
            prop_assert_eq!(copies.alive(copy), copies.winners());
            prop_assert_eq!(&copies.copies[copy], &copies.copies[0]);
        }
    }

    /// The last writer wins also where some copies drop tombstones at any time and others do not: nothing that was
    /// deleted comes back unless it was written again.
    #[test]
    fn forgetting_brings_nothing_back(steps in steps(2)) {
        let mut copies = Copies::new();
        steps.into_iter().for_each(|step| copies.step(step));
        copies.settle();
        for copy in 0..COPIES {
            prop_assert_eq!(copies.alive(copy), copies.winners());
        }
    }

    /// To take a delta twice is to take it once, and the order of two does not matter. The writes to be rewritten are
    /// left out: they depend on which copy has dropped which tombstones.
    #[test]
    fn merging_is_idempotent_and_commutative(steps in steps(1)) {
        let mut copies = Copies::new();
        steps.into_iter().for_each(|step| copies.step(step));
        let seen = copies.copies[0].seen();
        let [one, other] = [1, 2].map(|copy| copies.copies[copy].delta_since(seen));
        let merged = |deltas: &[&Delta]| {
            let mut copies = Copies { copies: vec![copies.copies[0].clone()], ..Copies::default() };
            let late: Vec<_> = deltas.iter().map(|delta| copies.copies[0].merge(delta)).collect();
            let anew = late.into_iter().flatten().flatten().count() > 0;
            (!anew).then(|| (copies.alive(0), copies.copies[0].seen().clone()))
        };
        prop_assert_eq!(merged(&[&one, &one]), merged(&[&one]));
        if let (Some(forth), Some(back)) = (merged(&[&one, &other]), merged(&[&other, &one])) {
            prop_assert_eq!(forth, back);
        }
    }
}

fn price(id: u32) -> FactKey {
    FactKey { kind: FactKind::Price, id }
}

#[test]
fn a_delta_that_begins_later_is_not_taken() {
    let mut copies = Copies::new();
    copies.write(0, price(1), Some("one".into()));
    let seen = copies.copies[0].seen().clone();
    copies.write(0, price(2), Some("two".into()));
    let second = copies.copies[0].delta_since(&seen);
    assert_eq!(copies.copies[1].merge(&second), Err(Gap));
    assert!(copies.copies[1].is_empty() && copies.copies[1].seen().is_empty());
}

#[test]
fn a_copy_that_missed_a_dropped_tombstone_gets_a_whole_copy_and_drops_what_is_not_in_it() {
    let mut copies = Copies::new();
    copies.write(0, price(1), Some("one".into()));
    copies.step(CopyOp::Give(0, 1));
    copies.write(0, price(1), None);
    assert_eq!(copies.copies[0].forget(Instant::MAX, true), 1);
    assert!(copies.copies[0].is_empty());

    let delta = copies.copies[0].delta_since(copies.copies[1].seen());
    assert!(matches!(delta.base, Base::Nothing { .. }), "{delta:?}");
    copies.take(1, &delta);
    assert!(copies.copies[1].is_empty(), "{:?}", copies.copies[1]);
}

#[test]
fn a_write_that_may_be_older_than_a_dropped_tombstone_is_rewritten() {
    let mut copies = Copies::new();
    copies.write(0, price(1), Some("one".into()));
    copies.step(CopyOp::Give(0, 1));
    copies.write(1, price(1), Some("two".into()));
    copies.write(0, price(1), None);
    copies.copies[0].forget(Instant::MAX, true);
    let delta = copies.copies[1].delta_since(copies.copies[0].seen());
    let late = copies.copies[0].merge(&delta).expect("it begins where the copy ends");
    let [(key, version)] = &late[..] else { panic!("{late:?}") };
    assert_eq!((*key, version.text.as_deref()), (price(1), Some("two")));
}
