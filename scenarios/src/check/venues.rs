//! What makes venues sound, and leads that are drawn to them.
//!
//! Owns the rules between venues and zones. Refuses to know who is drawn where.

use super::Checks;
use crate::scenario::{Cluster, Sale};

impl Checks {
    pub(super) fn venues(&mut self, sale: &Sale, cluster: &Cluster) {
        let zones = cluster.zones;
        for (n, zone) in sale.venues.iter().enumerate() {
            let field = format!("sale.venues[{n}]");
            self.that_both((1..=zones).contains(zone), &field, "cluster.zones", || {
                let what = format!("there is no zone {zone}");
                (what, format!("the zones are 1 to {zones}"))
            });
        }
        let somewhere = !sale.venues.is_empty();
        let field = "cluster.leads.near-venue";
        self.that_both(!cluster.leads.near_venue || somewhere, field, "sale.venues", || {
            let what = "leads are drawn to venues, and no venue stands anywhere".to_owned();
            (what, "say in which zones they stand: `venues = [1]` under `[sale]`".into())
        });
    }
}
