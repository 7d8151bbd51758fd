//! The context of a fault while it is checked.
//!
//! Owns the rules that keys of several groups share. Refuses to know what the families do.

use std::ops::RangeInclusive;

use onsale_booking::Span;

use super::Target;
use crate::setting::{Checks, DAY};
use crate::settings::Cluster;

/// Most repetitions within one fault.
const TURNS_MAX: u64 = 10_000;
/// Bounds of each time down or up.
pub(super) const TURN: RangeInclusive<Span> = Span::from_millis(1)..=DAY;
/// Bounds of a slowdown factor.
pub(super) const FACTOR: RangeInclusive<u32> = 2..=1_000_000;

/// A fault's key in the scenario, its duration, whether it waits for a moment, and the cluster that it strikes.
pub(super) struct Site<'a> {
    pub(super) field: &'a str,
    pub(super) lasts: Span,
    pub(super) waits: bool,
    pub(super) cluster: &'a Cluster,
}

impl Site<'_> {
    /// The path of one of its keys.
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.field)
    }

    /// Checks that a target exists.
    pub(super) fn target(&self, checks: &mut Checks, key: &str, target: Target) {
        let (field, numbers) = (self.key(key), self.cluster.numbers());
        match target {
            Target::Node(node) => checks.that((1..=numbers).contains(&node.0), &field, || {
                (format!("there is no node {node}"), format!("the nodes are n1 to n{numbers}"))
            }),
            Target::Leader => {}
            Target::There => checks.that(self.waits, &field, || {
                let what = "`there` is where the moment of `when` comes, and it waits for none";
                (what.into(), "add `when`, or name a node, `leader` or `follower`".into())
            }),
            Target::Follower => checks.that(self.cluster.replicas > 1, &field, || {
                (
                    "with one replica there is no follower".into(),
                    "write `leader`, or `cluster.replicas = 3`".into(),
                )
            }),
        }
    }

    /// Checks a fault that goes and comes back repeatedly.
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
