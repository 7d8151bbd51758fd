//! What a cluster whose nodes come and go cannot take yet.
//!
//! Owns the refusals: the repair of a replica asks the members that it knows, who may be others by
//! now. Refuses to know how nodes move.

use super::Checks;
use crate::fault::Family;
use crate::scenario::Scenario;

/// What these do to a disk may take back a replica's promises.
const FORGET: [Family; 3] = [Family::BitRot, Family::Wipe, Family::LyingDisk];

impl Checks {
    pub(super) fn changes(&mut self, scenario: &Scenario) {
        for (n, fault) in scenario.faults.iter().enumerate() {
            let family = fault.family();
            self.keeps(family, &format!("fault[{n}].{family}"));
        }
        for family in scenario.swarm.iter().flat_map(|swarm| &swarm.families) {
            self.keeps(*family, "swarm.families");
        }
    }

    fn keeps(&mut self, family: Family, field: &str) {
        self.that_both(!FORGET.contains(&family), field, "cluster.spares", || {
            let what = format!("{family} takes what members promised that may have moved since");
            (what, "leave it out where nodes come and go".into())
        });
    }
}
