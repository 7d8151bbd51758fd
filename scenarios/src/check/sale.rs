//! Validation of a sale, and of leaders that move to its venues.
//!
//! Owns the rules between halls, shows, holds, venues and zones. Refuses to know how leaders move.

use super::Checks;
use crate::ratio::Ratio;
use crate::settings::{Cluster, Sale};

impl Checks {
    pub(super) fn sale(&mut self, sale: &Sale, cluster: &Cluster) {
        let seats = u64::from(sale.sections) * u64::from(sale.rows) * u64::from(sale.seats_per_row);
        self.that(seats <= 1_000_000, "sale.sections", || {
            let what = format!("the hall has {seats} seats");
            (what, "a hall holds at most 1000000: fewer sections, rows or seats a row".into())
        });
        self.that_both(
            sale.shows != 1 || sale.hot_share == Ratio::ALWAYS,
            "sale.hot-share",
            "sale.shows",
            || {
                let what = format!(
                    "{} want the hot show, but there is no other for the rest",
                    sale.hot_share
                );
                (what, "with one show, write `hot-share = \"100%\"`".into())
            },
        );
        self.that_both(sale.early <= sale.hold + sale.grace, "sale.early", "sale.hold", || {
            let (early, whole) = (sale.early, sale.hold + sale.grace);
            (
                format!("a hold of {whole}, grace included, can't end {early} early"),
                format!("at most `early = \"{whole}\"`"),
            )
        });
        self.venues(sale, cluster);
    }

    fn venues(&mut self, sale: &Sale, cluster: &Cluster) {
        let zones = cluster.zones;
        for (n, zone) in sale.venues.iter().enumerate() {
            let field = format!("sale.venues[{n}]");
            self.that_both((1..=zones).contains(zone), &field, "cluster.zones", || {
                let what = format!("there is no zone {zone}");
                (what, format!("the zones are 1 to {zones}"))
            });
        }
        let somewhere = !sale.venues.is_empty();
        let field = "cluster.leader-placement.near-venue";
        self.that_both(
            !cluster.leader_placement.near_venue || somewhere,
            field,
            "sale.venues",
            || {
                let what = "leaders are drawn to venues, and no venue stands anywhere".to_owned();
                (what, "say in which zones they stand: `venues = [1]` under `[sale]`".into())
            },
        );
    }
}
