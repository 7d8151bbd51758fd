//! Validation of membership changes.
//!
//! Owns the refusals: only a leader can know what a disk has lost without a trace, and leaders change with the
//! members; and a fixed quorum must stay reachable. Refuses to know how nodes move.

use onsale_booking::Span;

use super::Checks;
use crate::fault::{Family, Fault, Swarm, What};
use crate::scenario::Scenario;

impl Checks {
    pub(super) fn changes(&mut self, scenario: &Scenario) {
        for (n, fault) in scenario.faults.iter().enumerate() {
            let family = fault.family();
            self.keeps(family, &format!("fault[{n}].{family}"));
        }
        for family in scenario.swarm.iter().flat_map(|swarm| &swarm.families) {
            self.keeps(*family, "swarm.families");
        }
        let lost = scenario.faults.iter().map(Fault::family).enumerate();
        let second = lost.filter(|&(_, family)| family == Family::Replace).nth(1);
        let field = second.map(|(n, _)| format!("fault[{n}].replace")).unwrap_or_default();
        self.that(second.is_none(), &field, || {
            let what = "a second node is lost for good, perhaps with the last good copy".to_owned();
            (what, "let one node be lost at most; others may `crash`, and `leave`".into())
        });
        self.fixed_quorum(scenario);
    }

    /// A node that a seed may lose for good is replaced by a spare that nothing else uses, and is the only one.
    pub(super) fn drawn_loss(&mut self, swarm: &Swarm, scenario: &Scenario) {
        let place = swarm.families.iter().position(|&family| family == Family::Replace);
        let Some(field) = place.map(|n| format!("swarm.families[{n}]")) else { return };
        self.that_both(scenario.spare_at_hand().is_some(), &field, "cluster.spares", || {
            let what = "no spare is left to take the place of a node that is lost".to_owned();
            (what, "let there be one more than join: `cluster.spares`".into())
        });
        let second = scenario.faults.iter().any(|fault| fault.family() == Family::Replace);
        self.that(!second, &field, || {
            let what =
                "a second node may be lost for good, perhaps with the last good copy".to_owned();
            (what, "let one node be lost at most: by a `[[fault]]`, or by the swarm".into())
        });
    }

    /// A fixed quorum is not reduced when nodes have left.
    fn fixed_quorum(&mut self, scenario: &Scenario) {
        let Some(quorum) = scenario.cluster.membership.static_quorum else { return };
        let mut moves: Vec<(Span, i32)> = scenario.faults.iter().filter_map(change).collect();
        moves.sort_unstable();
        let mut nodes = i32::from(scenario.cluster.nodes);
        let fewest = moves.into_iter().map(|(_, change)| {
            nodes += change;
            nodes
        });
        let fewest = fewest.min().unwrap_or_else(|| i32::from(quorum));
        let field = "cluster.membership.static-quorum";
        self.that(i32::from(quorum) <= fewest, field, || {
            let what = format!("nobody sees {quorum} nodes where only {fewest} are left");
            (
                what,
                "let fewer leave, or leave it out: then it is a majority of those who are there"
                    .into(),
            )
        });
    }

    fn keeps(&mut self, family: Family, field: &str) {
        self.that_both(family != Family::LyingDisk, field, "cluster.spares", || {
            let what = format!("{family} takes back without a trace what members promised");
            (
                what,
                "leave it out where nodes come and go; `wipe` and `bit-rot` leave a trace".into(),
            )
        });
    }
}

/// Number of nodes by which a cluster grows, and from when on. Nodes that wait for a moment may leave at once, and may
/// never join.
fn change(fault: &Fault) -> Option<(Span, i32)> {
    let What::Members(change) = &fault.what else { return None };
    let most = if fault.when.is_some() { 0 } else { i32::MAX };
    Some((fault.at, change.grows_by().min(most))).filter(|&(_, by)| by != 0)
}
