//! What makes a fault sound: it strikes what exists, while the run lasts, and does something.
//!
//! Owns the rules for faults and for the swarm. Refuses to know how they are carried out.

use onsale_booking::Span;

use super::{Checks, DAY};
use crate::fault::{Cut, Family, Fault, Swarm, Target};
use crate::ratio::Ratio;
use crate::scenario::{Cluster, Scenario};

/// Nothing goes and comes back more often in one fault.
const TURNS_MAX: u64 = 10_000;
/// Nor faster than this.
const SHORTEST_TURN: Span = Span::from_millis(1);

impl Checks {
    pub(super) fn fault(&mut self, field: &str, fault: &Fault, scenario: &Scenario) {
        let cluster = &scenario.cluster;
        let lasts_key = match fault {
            Fault::Crash { .. }
            | Fault::Restart { .. }
            | Fault::ZoneLoss { .. }
            | Fault::PowerLoss { .. }
            | Fault::TornTail { .. }
            | Fault::Wipe { .. } => "down",
            Fault::RollingRestart { .. }
            | Fault::Join { .. }
            | Fault::Leave { .. }
            | Fault::Replace { .. }
            | Fault::Pause { .. }
            | Fault::Partition { .. }
            | Fault::Loss { .. }
            | Fault::Duplicate { .. }
            | Fault::Reorder { .. }
            | Fault::SlowNetwork { .. }
            | Fault::SlowDisk { .. }
            | Fault::OneWayLoss { .. }
            | Fault::Congestion { .. }
            | Fault::Flapping { .. }
            | Fault::Swizzle { .. }
            | Fault::ClockDrift { .. }
            | Fault::ClockJump { .. }
            | Fault::Limp { .. }
            | Fault::CrashLoop { .. }
            | Fault::FsyncError { .. }
            | Fault::DiskStall { .. }
            | Fault::DiskFull { .. }
            | Fault::BitRot { .. }
            | Fault::LyingDisk { .. } => "lasts",
        };
        self.some_time(&format!("{field}.{lasts_key}"), fault.lasts());
        let (ends, end) = (fault.at() + fault.lasts(), scenario.duration);
        self.that_both(fault.at() < end, &format!("{field}.at"), "duration", || {
            let what = format!("the fault strikes at {}, but the run ends at {end}", fault.at());
            (what, "strike earlier, or lengthen `duration`".into())
        });
        self.that_both(
            fault.at() >= end || ends <= end,
            &format!("{field}.{lasts_key}"),
            "duration",
            || {
                let what = format!("the fault lasts until {ends}, but the run ends at {end}");
                let beside = if let Fault::Restart { patience, .. } = fault {
                    *patience
                } else {
                    Span::ZERO
                };
                let most = Span((end - fault.at()).0.saturating_sub(beside.0));
                (what, format!("at most `{lasts_key} = \"{most}\"`, or lengthen `duration`"))
            },
        );

        match fault {
            Fault::Crash { node, .. }
            | Fault::Pause { node, .. }
            | Fault::FsyncError { node, .. }
            | Fault::DiskStall { node, .. }
            | Fault::DiskFull { node, .. }
            | Fault::TornTail { node, .. }
            | Fault::BitRot { node, .. }
            | Fault::Wipe { node, .. }
            | Fault::LyingDisk { node, .. } => {
                self.target(&format!("{field}.node"), *node, cluster)
            }
            Fault::Restart { node, patience, down, .. } => {
                self.target(&format!("{field}.node"), *node, cluster);
                self.some_time(&format!("{field}.patience"), *patience);
                self.some_time(&format!("{field}.down"), *down);
            }
            Fault::RollingRestart { lasts, patience, down, .. } => {
                self.some_time(&format!("{field}.patience"), *patience);
                self.some_time(&format!("{field}.down"), *down);
                let (turn, needs) =
                    (lasts.0 / u64::from(cluster.numbers().max(1)), *patience + *down);
                self.that_both(turn > needs.0, &format!("{field}.lasts"), "cluster.nodes", || {
                    let nodes = cluster.numbers();
                    let what = format!(
                        "each of {nodes} nodes has {}, but may take {needs} to stop and start",
                        Span(turn)
                    );
                    let most = Span((needs.0 + 1_000_000) * u64::from(nodes));
                    (what, format!("at least `lasts = \"{most}\"`, or less `patience` or `down`"))
                });
            }
            Fault::Join { nodes, .. } | Fault::Leave { nodes, .. } => {
                let list = format!("{field}.nodes");
                self.movers(&list, nodes, matches!(fault, Fault::Join { .. }), cluster);
            }
            Fault::Replace { node, by, .. } => {
                self.target(&format!("{field}.node"), *node, cluster);
                self.mover(&format!("{field}.by"), *by, true, cluster);
            }
            Fault::SlowDisk { node, factor, .. } | Fault::Limp { node, factor, .. } => {
                self.target(&format!("{field}.node"), *node, cluster);
                self.within(&format!("{field}.factor"), *factor, 2..=1_000_000);
            }
            Fault::ZoneLoss { zone, .. } => {
                self.that((1..=cluster.zones).contains(zone), &format!("{field}.zone"), || {
                    (
                        format!("there is no zone {zone}"),
                        format!("the zones are 1 to {}", cluster.zones),
                    )
                })
            }
            Fault::PowerLoss { .. } => {}
            Fault::Partition { cut, .. } => self.cut(field, cut, cluster),
            Fault::Loss { chance, .. }
            | Fault::Duplicate { chance, .. }
            | Fault::Reorder { chance, .. } => self.some_chance(field, *chance),
            Fault::SlowNetwork { factor, .. } => {
                self.within(&format!("{field}.factor"), *factor, 2..=1_000_000)
            }
            Fault::OneWayLoss { node, chance, .. } => {
                self.target(&format!("{field}.node"), *node, cluster);
                self.some_chance(field, *chance);
            }
            Fault::Congestion { node, kib_per_s, .. } => {
                node.iter().for_each(|node| self.target(&format!("{field}.node"), *node, cluster));
                self.within(&format!("{field}.kib-per-s"), *kib_per_s, 1..=1_000_000);
            }
            Fault::Flapping { node, peer, .. } => {
                self.target(&format!("{field}.node"), *node, cluster);
                if let Some(peer) = peer {
                    self.target(&format!("{field}.peer"), *peer, cluster);
                    self.that(peer != node, &format!("{field}.peer"), || {
                        ("a node has no link with itself".into(), "name another node".into())
                    });
                }
                self.comes_and_goes(field, fault);
            }
            Fault::CrashLoop { node, .. } => {
                self.target(&format!("{field}.node"), *node, cluster);
                self.comes_and_goes(field, fault);
            }
            Fault::Swizzle { cut, mend, .. } => {
                self.nodes(&format!("{field}.cut"), cut, cluster);
                self.nodes(&format!("{field}.mend"), mend, cluster);
                let same = cut.len() == mend.len() && cut.iter().all(|node| mend.contains(node));
                self.that_both(same, &format!("{field}.mend"), &format!("{field}.cut"), || {
                    (
                        "not the nodes that are cut off come back".into(),
                        "name the same nodes in `cut` and `mend`, each once".into(),
                    )
                });
            }
            Fault::ClockDrift { node, by, .. } => {
                self.target(&format!("{field}.node"), *node, cluster);
                let by_half = by.den > 0 && u64::from(by.num) * 2 <= u64::from(by.den);
                self.that(!by.is_never() && by_half, &format!("{field}.by"), || {
                    (
                        format!("a clock does not drift by {by}"),
                        "write a share above 0 and up to `50%`, such as `1/1000`".into(),
                    )
                });
            }
            Fault::ClockJump { node, by, .. } => {
                self.target(&format!("{field}.node"), *node, cluster);
                self.span_within(&format!("{field}.by"), *by, Span(1)..=DAY);
            }
        }
    }

    fn some_chance(&mut self, field: &str, chance: Ratio) {
        let field = format!("{field}.chance");
        self.share(&field, chance);
        self.that(!chance.is_never(), &field, || {
            (
                "a fault with no chance does nothing".into(),
                "write a share above 0, such as `1/20`".into(),
            )
        });
    }

    /// A fault by which something goes and comes back again and again.
    fn comes_and_goes(&mut self, field: &str, fault: &Fault) {
        let (Fault::Flapping { lasts, down, up, .. } | Fault::CrashLoop { lasts, down, up, .. }) =
            fault
        else {
            return;
        };
        let (down_field, up_field) = (format!("{field}.down"), format!("{field}.up"));
        self.span_within(&down_field, *down, SHORTEST_TURN..=DAY);
        self.span_within(&up_field, *up, SHORTEST_TURN..=DAY);
        self.that_both(*down <= *lasts, &down_field, &format!("{field}.lasts"), || {
            let what = format!("it is down for {down}, but the fault lasts {lasts}");
            (what, format!("at most `down = \"{lasts}\"`, or lengthen `lasts`"))
        });
        let (turns, long) = (lasts.0 / (*down + *up).0.max(1), format!("{field}.lasts"));
        self.that(turns <= TURNS_MAX, &long, || {
            let what = format!("it comes and goes {turns} times");
            (what, format!("shorten `lasts` until it is at most {TURNS_MAX} times"))
        });
    }

    fn cut(&mut self, field: &str, cut: &Cut, cluster: &Cluster) {
        match cut {
            Cut::Isolate(targets) => {
                let list = format!("{field}.isolate");
                self.that(targets.len() < usize::from(cluster.nodes), &list, || {
                    let what = format!("all {} nodes are isolated from no other", cluster.nodes);
                    (what, "leave at least one node out".into())
                });
                self.nodes(&list, targets, cluster);
            }
            Cut::OneWay(target) => self.target(&format!("{field}.one-way"), *target, cluster),
            Cut::Halves | Cut::MajorityRing | Cut::Bridge => {}
        }
    }

    /// Some nodes, each once.
    fn nodes(&mut self, list: &str, targets: &[Target], cluster: &Cluster) {
        self.that(!targets.is_empty(), list, || {
            let key = list.rsplit_once('.').map_or(list, |(_, key)| key);
            let what = if key == "isolate" { "isolated" } else { "named" };
            (format!("no node is {what}"), format!("name at least one: `{key} = [\"owner\"]`"))
        });
        for (n, target) in targets.iter().enumerate() {
            let item = format!("{list}[{n}]");
            self.target(&item, *target, cluster);
            self.that(!targets[..n].contains(target), &item, || {
                (format!("`{target}` is named twice"), "name each node once".into())
            });
        }
    }

    /// Nodes that join or leave: named, each once, and spares if they join.
    fn movers(&mut self, list: &str, nodes: &[Target], joins: bool, cluster: &Cluster) {
        let last = cluster.numbers();
        self.that(!nodes.is_empty(), list, || {
            ("no node is named".into(), format!("name at least one: `nodes = [\"n{last}\"]`"))
        });
        for (n, target) in nodes.iter().enumerate() {
            let item = format!("{list}[{n}]");
            self.mover(&item, *target, joins, cluster);
            self.that(!nodes[..n].contains(target), &item, || {
                (format!("`{target}` is named twice"), "name each node once".into())
            });
        }
    }

    fn mover(&mut self, field: &str, target: Target, joins: bool, cluster: &Cluster) {
        let (first, last) = (if joins { cluster.nodes + 1 } else { 1 }, cluster.numbers());
        let fits = matches!(target, Target::Node(node) if (first..=last).contains(&node.0));
        self.that(fits, field, || {
            let help = if first > last {
                "let there be some: `cluster.spares = 1`".to_owned()
            } else {
                format!("one of n{first} to n{last}")
            };
            let what = if joins { "no spare node" } else { "no node by number" };
            (format!("`{target}` is {what}"), help)
        });
    }

    fn target(&mut self, field: &str, target: Target, cluster: &Cluster) {
        match target {
            Target::Node(node) => {
                self.that((1..=cluster.numbers()).contains(&node.0), field, || {
                    (
                        format!("there is no node {node}"),
                        format!("the nodes are n1 to n{}", cluster.numbers()),
                    )
                })
            }
            Target::Owner => {}
            Target::Follower => self.that(cluster.replicas > 1, field, || {
                (
                    "with one replica there is no follower".into(),
                    "write `owner`, or `cluster.replicas = 3`".into(),
                )
            }),
        }
    }

    pub(super) fn swarm(&mut self, swarm: &Swarm, duration: Span) {
        let families = &swarm.families;
        self.that(!families.is_empty(), "swarm.families", || {
            let all: Vec<_> = Family::ALL.iter().map(|family| family.name()).collect();
            (
                "no family may strike".into(),
                format!("name some, or leave the key out for all: {}", all.join(", ")),
            )
        });
        for (n, family) in families.iter().enumerate() {
            self.that(family.may_be_drawn(), &format!("swarm.families[{n}]"), || {
                (format!("`{family}` is never drawn"), "write it as a `[[fault]]`".into())
            });
            self.that(!families[..n].contains(family), &format!("swarm.families[{n}]"), || {
                (format!("`{family}` is named twice"), "name each family once".into())
            });
        }
        let Swarm { faults_min, faults_max, from, until, lasts_min, lasts_max, .. } = *swarm;
        self.that(faults_min <= faults_max, "swarm.faults", || {
            (
                format!("the least number, {faults_min}, is above the greatest, {faults_max}"),
                format!("write `faults = [{faults_max}, {faults_min}]`"),
            )
        });
        self.that((1..=1_000).contains(&faults_max), "swarm.faults", || {
            (format!("up to {faults_max} faults are drawn"), "draw at most 1 to 1000".into())
        });
        self.that(lasts_min <= lasts_max, "swarm.lasts", || {
            (
                format!("the shortest, {lasts_min}, is above the longest, {lasts_max}"),
                format!("write `lasts = [\"{lasts_max}\", \"{lasts_min}\"]`"),
            )
        });
        self.some_time("swarm.lasts", lasts_min);
        self.that_both(from < until, "swarm.until", "swarm.from", || {
            (
                format!("the faults end by {until}, before they begin at {from}"),
                "let `from` be before `until`".into(),
            )
        });
        self.that_both(until <= duration, "swarm.until", "duration", || {
            let what = format!("the faults go on until {until}, but the run ends at {duration}");
            (what, format!("at most `until = \"{duration}\"`, or lengthen `duration`"))
        });
        self.that(from >= until || lasts_max <= until - from, "swarm.lasts", || {
            let window = until - from;
            (
                format!("a fault of {lasts_max} doesn't fit between {from} and {until}"),
                format!("a fault lasts at most {window} there"),
            )
        });
    }
}
