//! Where a fault stands while it is checked.
//!
//! Owns the rules that keys of several groups have in common. Refuses to know what the families do.

use std::ops::RangeInclusive;

use onsale_booking::Span;

use super::Target;
use crate::setting::{Checks, DAY};
use crate::settings::Cluster;

/// Nothing goes and comes back more often in one fault.
const TURNS_MAX: u64 = 10_000;
/// For how long something is down or up in turn.
pub(super) const TURN: RangeInclusive<Span> = Span::from_millis(1)..=DAY;
/// How many times slower something may become.
pub(super) const FACTOR: RangeInclusive<u32> = 2..=1_000_000;

/// A fault's place in the scenario: its key, how long it lasts, and the cluster that it strikes.
pub(super) struct Site<'a> {
    pub(super) field: &'a str,
    pub(super) lasts: Span,
    pub(super) cluster: &'a Cluster,
}

impl Site<'_> {
    /// The path of one of its keys.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.field)
    }

    /// A target exists.
    pub(super) fn target(&self, checks: &mut Checks, key: &str, target: Target) {
        let (field, numbers) = (self.key(key), self.cluster.numbers());
        match target {
            Target::Node(node) => checks.that((1..=numbers).contains(&node.0), &field, || {
                (format!("there is no node {node}"), format!("the nodes are n1 to n{numbers}"))
            }),
            Target::Leader => {}
            Target::Follower => checks.that(self.cluster.replicas > 1, &field, || {
                (
                    "with one replica there is no follower".into(),
                    "write `leader`, or `cluster.replicas = 3`".into(),
                )
            }),
        }
    }

    /// Something goes and comes back again and again.
    pub(super) fn comes_and_goes(&self, checks: &mut Checks, down: Span, up: Span) {
        let (lasts, length) = (self.lasts, self.key("lasts"));
        checks.that_both(down <= lasts, &self.key("down"), &length, || {
            let what = format!("it is down for {down}, but the fault lasts {lasts}");
            (what, format!("at most `down = \"{lasts}\"`, or lengthen `lasts`"))
        });
        let turns = lasts.0 / (down + up).0.max(1);
        checks.that(turns <= TURNS_MAX, &length, || {
            let what = format!("it comes and goes {turns} times");
            (what, format!("shorten `lasts` until it is at most {TURNS_MAX} times"))
        });
    }
}
