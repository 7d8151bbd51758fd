//! Validation of membership changes.
//!
//! Owns the refusals: only a leader can know what a disk has lost without a trace, and leaders change with the
//! members; and a fixed quorum must stay reachable. Refuses to know how nodes move.

use onsale_booking::Span;

use super::Checks;
use crate::fault::{Family, Fault, ORDER, Swarm, What, majority};
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
        let second = lost.filter(|&(_, family)| family.loses_nodes()).nth(1);
        let field = second.map(|(n, family)| format!("fault[{n}].{family}"));
        self.that(second.is_none(), &field.unwrap_or_default(), || {
            let what = "more nodes are lost for good, perhaps with the last good copy".to_owned();
            let help = "let one fault lose nodes for good; others may `crash`, and `leave`. Several \
                        that are lost at once are a `majority-loss`: an operator then recovers the \
                        rest";
            (what, help.to_owned())
        });
        self.fixed_quorum(scenario);
    }

    /// Nodes that a seed may lose for good are replaced by spares that nothing else uses, and are the only ones.
    pub(super) fn drawn_loss(&mut self, swarm: &Swarm, scenario: &Scenario) {
        let mut named = swarm.families.iter().enumerate().filter(|(_, it)| it.loses_nodes());
        let Some((place, &family)) = named.next() else { return };
        let field = format!("swarm.families[{place}]");
        let spares = scenario.spares_at_hand().count();
        self.that_both(spares > 0, &field, "cluster.spares", || {
            let what = "no spare is left to take the place of a node that is lost".to_owned();
            (what, "let there be one more than join: `cluster.spares`".into())
        });
        let written = scenario.faults.iter().any(|fault| fault.family().loses_nodes());
        self.that(!written && named.next().is_none(), &field, || {
            let what =
                "more nodes may be lost for good, perhaps with the last good copy".to_owned();
            (what, "let one fault lose nodes for good: a `[[fault]]`, or one of the swarm".into())
        });
        if family == Family::MajorityLoss {
            self.drawn_majority(&field, swarm, scenario, spares);
        }
    }

    /// A majority that a seed may lose leaves one replica of each shard, as many nodes as a shard has replicas, and the
    /// time for an order.
    fn drawn_majority(&mut self, field: &str, swarm: &Swarm, scenario: &Scenario, spares: usize) {
        let replicas = usize::from(scenario.cluster.replicas);
        let lost = majority(scenario.cluster.replicas);
        self.that_both(lost < replicas, field, "cluster.replicas", || {
            let what = format!("{lost} nodes may be all {replicas} replicas of a shard");
            (what, "let there be 3 at least: then one survives".into())
        });
        let left = usize::from(scenario.cluster.nodes) + spares.min(lost);
        self.that_both(left >= lost + replicas, field, "cluster.spares", || {
            let what = format!("too few nodes are left to carry {replicas} replicas of each shard");
            (what, "let there be more spares that nothing else uses".into())
        });
        let least = Span(2 * ORDER.start().0);
        self.that_both(swarm.lasts_min >= least, field, "swarm.lasts", || {
            let what = "a fault may be over before an operator's order".to_owned();
            (what, format!("let faults last for {least} at least"))
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
