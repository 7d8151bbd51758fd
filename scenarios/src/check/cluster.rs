//! Validation of a cluster.
//!
//! Owns the rules between nodes, zones, replicas and quorums, and whether elections can settle. Refuses to know
//! how elections work.

use onsale_booking::Span;
use onsale_cluster::placement::REPLICAS_MAX;

use super::Checks;
use crate::settings::{Cluster, Disk, System};

/// Most nodes, spares included: up to here the order of their ids is that of their numbers.
const NODES_MAX: u16 = 99;

impl Checks {
    pub(super) fn cluster(&mut self, cluster: &Cluster) {
        if cluster.spares < NODES_MAX {
            let spares = 0..=NODES_MAX - cluster.nodes.min(NODES_MAX);
            self.within("cluster.spares", cluster.spares, spares);
        }
        if cluster.system == System::Solo {
            return;
        }
        self.that_both(
            (1..=cluster.nodes).contains(&cluster.zones)
                || !(1..=NODES_MAX).contains(&cluster.zones),
            "cluster.zones",
            "cluster.nodes",
            || {
                let noun = if cluster.nodes == 1 { "node" } else { "nodes" };
                let what = format!("{} {noun} cannot fill {} zones", cluster.nodes, cluster.zones);
                (what, "every zone needs a node, and every node a zone".into())
            },
        );
        self.replicas(cluster);
        self.quorum(cluster);
        let gateway = &cluster.gateway;
        self.ordered(
            "cluster.gateway",
            ("backoff-base", gateway.backoff_base),
            ("backoff-cap", gateway.backoff_cap),
        );
    }

    fn quorum(&mut self, cluster: &Cluster) {
        let Some(quorum) = cluster.membership.static_quorum else { return };
        let (nodes, numbers) = (cluster.nodes, cluster.numbers());
        let least = numbers / 2 + 1;
        let field = "cluster.membership.static-quorum";
        self.that_both(quorum >= least, field, "cluster.nodes", || {
            let what = format!("both sides of a split can see {quorum} of {numbers} nodes");
            let help = if least > nodes {
                "leave it out: then it is a majority of those who are of the cluster".into()
            } else if numbers > nodes {
                format!("at least {least}, more than half once all spare ones have joined")
            } else {
                format!("at least {least}, more than half of the nodes")
            };
            (what, help)
        });
        self.that_both(quorum <= nodes, field, "cluster.nodes", || {
            let what = format!("nobody ever sees {quorum} of {nodes} nodes");
            let help = if least > nodes {
                "leave it out: then it is a majority of those who are of the cluster".into()
            } else {
                format!("at most {nodes}; at {least} most nodes may be lost")
            };
            (what, help)
        });
    }

    fn replicas(&mut self, cluster: &Cluster) {
        let Cluster { replicas, nodes, zones, .. } = *cluster;
        let field = "cluster.replicas";
        let most = REPLICAS_MAX as u16;
        // The advice below says more than the bounds do.
        self.complaints.retain(|complaint| complaint.field != field);
        let room = zones.min(nodes).min(most);
        let fits = if room % 2 == 1 { room } else { room.saturating_sub(1) };
        let is_allowed = replicas % 2 == 1 && replicas <= most;
        self.that(is_allowed, field, || {
            let what = match replicas {
                0 => "a journal without replicas is nowhere".to_owned(),
                _ if replicas > most => {
                    format!("{replicas} replicas are more than a journal can have")
                }
                _ => format!("{replicas} replicas survive no more losses than {}", replicas - 1),
            };
            (what, "use 1, 3, 5 or 7: three survive the loss of a zone, five of two".into())
        });
        let may_fit = is_allowed && nodes > 0;
        self.that_both(!may_fit || replicas <= nodes, field, "cluster.nodes", || {
            let what = format!("{replicas} replicas need as many nodes, and there are {nodes}");
            (what, format!("use {fits}, or add nodes"))
        });
        self.that_both(
            !may_fit || replicas > nodes || replicas <= zones,
            field,
            "cluster.zones",
            || {
                let what = format!("{replicas} replicas need as many zones, and there are {zones}");
                (what, format!("use {fits}, or `zones = {replicas}`"))
            },
        );
    }

    /// Checks that elections can settle: a candidate writes that it stands, and a voter writes its vote. If that
    /// takes longer than other replicas wait before they stand themselves, nobody is ever elected.
    pub(super) fn elections(&mut self, cluster: &Cluster, disk: &Disk) {
        let patience = cluster.tick_every.0.saturating_mul(u64::from(cluster.election_ticks));
        let (num, den) = (u64::from(disk.jitter.num), u64::from(disk.jitter.den));
        if den == 0 || patience == 0 || cluster.replicas == 1 {
            return;
        }
        let takes = Span(disk.fsync.typical().0.saturating_mul(2 * (den + num)) / den);
        let settles = takes.0 <= patience;
        let others = ["cluster.election-ticks", "cluster.tick-every", "disk.jitter"];
        self.that_any(settles, "disk.fsync", &others, || {
            let what = format!(
                "a vote takes two writes, up to {takes}, and after {} without a leader others \
                 stand too: elections can't settle",
                Span(patience)
            );
            let (most, ticks) = (
                Span(patience.saturating_mul(den) / (2 * (den + num))),
                takes.0.div_ceil(cluster.tick_every.0),
            );
            let help = format!(
                "at most `fsync = \"{most}\"`, or at least `election-ticks = {ticks}`, or longer ticks"
            );
            (what, help)
        });
    }
}
