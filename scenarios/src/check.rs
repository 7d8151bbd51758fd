//! What makes a scenario sound.
//!
//! Owns every rule between values and every bound on one. Refuses to know how the
//! scenario was written: a complaint names the field, the reader finds its place.

mod arrivals;
mod changes;
mod facts;
mod swarm;
mod timings;
mod venues;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use onsale_booking::Span;
use onsale_cluster::Mark;
use onsale_cluster::placement::REPLICAS_MAX;
use onsale_reports::Oracle;

use crate::human;
use crate::limit::{Part, Wait};
use crate::problem::Complaint;
use crate::ratio::Ratio;
use crate::scenario::{
    Arrivals, Cluster, Costs, Crowd, Disk, Gateway, HealthCheck, MustFail, Network, Sale, Scenario,
    Session, WaitingRoom,
};

/// Everything that makes the scenario unsound; nothing if it is sound.
pub(crate) fn complaints(scenario: &Scenario) -> Vec<Complaint> {
    let mut checks = Checks::default();
    checks.scenario(scenario);
    checks.cluster(&scenario.cluster);
    checks.gateway(&scenario.cluster.gateway);
    checks.facts_settings(&scenario.cluster.facts);
    checks.sale(&scenario.sale);
    checks.venues(&scenario.sale, &scenario.cluster);
    checks.crowd(&scenario.crowd, &scenario.sale, scenario.duration);
    if let Some(facts) = &scenario.facts {
        checks.facts(facts, scenario.duration);
    }
    checks.network(&scenario.network);
    checks.disk(&scenario.disk);
    checks.elections(&scenario.cluster, &scenario.disk);
    checks.costs(&scenario.costs);
    for (n, fault) in scenario.faults.iter().enumerate() {
        fault.check(&format!("fault[{n}].{}", fault.family()), scenario, &mut checks);
    }
    let may_break = !scenario.faults.is_empty() || scenario.swarm.is_some();
    checks.that(scenario.cluster.nodes >= 3 || !may_break, "cluster.nodes", || {
        let what = format!(
            "with {} of them there is nothing left to fail over to",
            scenario.cluster.nodes
        );
        (what, "have at least 3 nodes, or no faults".into())
    });
    if let Some(swarm) = &scenario.swarm {
        checks.swarm(swarm, scenario.duration);
        checks.drawn_loss(swarm, scenario);
    }
    if scenario.changes_nodes() {
        checks.changes(scenario);
    }
    checks.names(
        "expect.exercised",
        "oracle",
        &scenario.must_exercise,
        &Oracle::DEMANDABLE.map(Oracle::name),
    );
    let marks: Vec<&str> = Mark::ALL.iter().map(|mark| mark.name()).collect();
    checks.names("expect.marks", "mark", &scenario.must_mark, &marks);
    if let Some(must_fail) = &scenario.must_fail {
        checks.must_fail(must_fail);
    }
    checks.limits(scenario);
    checks.complaints
}

#[derive(Default)]
pub(crate) struct Checks {
    complaints: Vec<Complaint>,
}

/// The largest crowd.
pub(crate) const USERS_MAX: u32 = 100_000_000;
/// Longer than any run that makes sense.
pub(crate) const DAY: Span = Span::from_secs(24 * 3_600);

/// Longest quantum.
const QUANTUM_MAX: Span = Span::from_secs(1);

impl Checks {
    fn scenario(&mut self, scenario: &Scenario) {
        self.that(!scenario.title.trim().is_empty(), "title", || {
            (
                "the scenario has no title".into(),
                "say in one sentence what it shows: `title = \"…\"`".into(),
            )
        });
        self.some_time("duration", scenario.duration);
        self.some_time("calm", scenario.calm);
        self.span_within("quantum", scenario.quantum, Span::ZERO..=QUANTUM_MAX);
        // What people do within a quantum leaves together, ahead of the latest of them; it must not arrive
        // before that one has acted.
        self.that_both(
            scenario.quantum <= scenario.network.client.least() || scenario.quantum > QUANTUM_MAX,
            "quantum",
            "network.client",
            || {
                let (quantum, client) = (scenario.quantum, scenario.network.client.least());
                let what = format!(
                    "a quantum of {quantum} is longer than a client's way, which may be {client}"
                );
                (what, "keep it at or below the latency between clients and nodes".into())
            },
        );
    }

    fn cluster(&mut self, cluster: &Cluster) {
        self.within("cluster.nodes", cluster.nodes, 1..=99);
        self.within("cluster.spares", cluster.spares, 0..=99 - cluster.nodes.min(99));
        self.that_both(
            (1..=cluster.nodes).contains(&cluster.zones),
            "cluster.zones",
            "cluster.nodes",
            || {
                let what =
                    format!("{} nodes can't stand in {} zones", cluster.nodes, cluster.zones);
                (what, "every zone needs a node, and every node a zone".into())
            },
        );
        self.within("cluster.shards", cluster.shards, 1..=65_536);
        self.replicas(cluster);
        self.within("cluster.cores", cluster.cores, 1..=1_024);
        self.some_time("cluster.beat-every", cluster.beat_every);
        self.within("cluster.suspicion-phi", cluster.suspicion_phi, 1..=100);
        self.some_time("cluster.min-std-deviation", cluster.min_std_deviation);
        self.some_time("cluster.tick-every", cluster.tick_every);
        self.within("cluster.election-ticks", cluster.election_ticks, 2..=10_000);
        self.within("cluster.snapshot-every", cluster.snapshot_every, 1..=u32::MAX);
        self.within("cluster.segment-bytes", cluster.segment_bytes, 4_096..=1 << 30);
        self.quorum(cluster);
        self.some_time("cluster.membership.stable-after", cluster.membership.stable_after);
        self.some_time("cluster.leads.rest", cluster.leads.rest);
        self.span_within("cluster.clock-skew", cluster.clock_skew, Span::ZERO..=DAY);
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
        self.that(replicas <= most, field, || {
            let what = format!("{replicas} replicas are more than a journal can have");
            (what, format!("at most {most}; three survive the loss of a zone, five of two"))
        });
        let room = zones.min(nodes).min(most);
        let fits = if room % 2 == 1 { room } else { room.saturating_sub(1) };
        self.that(replicas % 2 == 1, field, || {
            let what = format!("{replicas} replicas survive no more losses than one fewer would");
            let help = if replicas > 1 {
                format!("use an odd number: {} or {}", replicas - 1, replicas.saturating_add(1))
            } else {
                "use 3".into()
            };
            (what, help)
        });
        self.that_both(replicas % 2 == 0 || replicas <= nodes, field, "cluster.nodes", || {
            let what = format!("{replicas} replicas need as many nodes, and there are {nodes}");
            (what, format!("use {fits}, or add nodes"))
        });
        self.that_both(
            replicas % 2 == 0 || replicas > nodes || replicas <= zones,
            field,
            "cluster.zones",
            || {
                let what = format!("{replicas} replicas need as many zones, and there are {zones}");
                (what, format!("use {fits}, or `zones = {replicas}`"))
            },
        );
    }

    fn gateway(&mut self, gateway: &Gateway) {
        self.within("cluster.gateway.tries", gateway.tries, 1..=100);
        self.some_time("cluster.gateway.try-timeout", gateway.try_timeout);
        self.ordered(
            "cluster.gateway",
            ("backoff-base", gateway.backoff_base),
            ("backoff-cap", gateway.backoff_cap),
        );
        self.share("cluster.gateway.retry-budget", gateway.retry_budget);
        self.within(
            "cluster.gateway.in-flight-per-shard",
            gateway.in_flight_per_shard,
            1..=u32::MAX,
        );
    }

    fn sale(&mut self, sale: &Sale) {
        self.within("sale.shows", sale.shows, 1..=100_000);
        self.within("sale.shows-per-event", sale.shows_per_event, 1..=100_000);
        self.within("sale.sections", sale.sections, 1..=u16::MAX);
        self.within("sale.rows", sale.rows, 1..=u16::MAX);
        self.within("sale.seats-per-row", sale.seats_per_row, 1..=64);
        let seats = u64::from(sale.sections) * u64::from(sale.rows) * u64::from(sale.seats_per_row);
        self.that(seats <= 1_000_000, "sale.sections", || {
            let what = format!("the hall has {seats} seats");
            (what, "a hall holds at most 1000000: fewer sections, rows or seats a row".into())
        });
        self.share("sale.hot-share", sale.hot_share);
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
        self.some_time("sale.hold", sale.hold);
        self.some_time("sale.grace", sale.grace);
        self.within("sale.seats-per-request", sale.seats_per_request, 1..=10);
        self.some_time("sale.sweep-every", sale.sweep_every);
        self.that_both(sale.early <= sale.hold + sale.grace, "sale.early", "sale.hold", || {
            let (early, whole) = (sale.early, sale.hold + sale.grace);
            (
                format!("a hold of {whole}, grace included, can't end {early} early"),
                format!("at most `early = \"{whole}\"`"),
            )
        });
    }

    fn crowd(&mut self, crowd: &Crowd, sale: &Sale, duration: Span) {
        self.within("crowd.users", crowd.users, 1..=USERS_MAX);
        if let Arrivals::Named { people } = &crowd.arrivals {
            let (named, users) = (people.len(), crowd.users);
            let agree = named == users as usize || users == 0;
            let field = "crowd.arrivals.named.people";
            self.that_both(agree, "crowd.users", field, || {
                (
                    format!("{named} people are named, but {users} are to come"),
                    format!("write `users = {named}`"),
                )
            });
        }
        self.arrivals(&crowd.arrivals, duration);
        if let Some(room) = &crowd.waiting_room {
            self.waiting_room(room, &crowd.arrivals, duration);
        }
        self.session(&crowd.session, sale);
        let HealthCheck { every, fall, rise } = crowd.health_check;
        self.some_time("crowd.health-check.every", every);
        self.within("crowd.health-check.fall", fall, 1..=100);
        self.within("crowd.health-check.rise", rise, 1..=100);
    }

    fn waiting_room(&mut self, room: &WaitingRoom, arrivals: &Arrivals, duration: Span) {
        let field = "crowd.waiting-room.opening";
        match arrivals {
            Arrivals::OnSale { opening, .. } => self.that_both(
                room.opening == *opening,
                field,
                "crowd.arrivals.on-sale.opening",
                || {
                    let what = format!(
                        "the doors open at {}, but the crowd comes for {opening}",
                        room.opening
                    );
                    (what, format!("write `opening = \"{opening}\"` in both places"))
                },
            ),
            Arrivals::Constant { .. }
            | Arrivals::Poisson { .. }
            | Arrivals::Ramp { .. }
            | Arrivals::Spike { .. }
            | Arrivals::Trace { .. }
            | Arrivals::Named { .. } => {
                self.before(field, room.opening, duration, "the end of the run");
            }
        }
        self.within("crowd.waiting-room.release-per-minute", room.release_per_minute, 1..=u32::MAX);
        self.share("crowd.waiting-room.no-show", room.no_show);
        self.some_time("crowd.waiting-room.patience", room.patience);
        self.some_time("crowd.waiting-room.token-valid", room.token_valid);
    }

    fn session(&mut self, session: &Session, sale: &Sale) {
        self.timing("crowd.session.pick-think", &session.pick_think, DAY);
        self.timing("crowd.session.checkout-think", &session.checkout_think, DAY);
        self.timing("crowd.session.payment", &session.payment, DAY);
        self.share("crowd.session.approval", session.approval);
        self.share("crowd.session.abandon", session.abandon);
        self.share("crowd.session.release", session.release);
        self.share("crowd.session.best-available", session.best_available);
        self.share("crowd.session.split", session.split);

        let groups = &session.group_weights;
        let weight: u64 = groups.iter().map(|weight| u64::from(*weight)).sum();
        let field = "crowd.session.group-weights";
        self.that(weight > 0, field, || {
            (
                "nobody comes in a group of any size".into(),
                "give a weight to groups of 1, 2, 3 …: `[20, 50, 10, 20]`".into(),
            )
        });
        self.that(weight <= u64::from(u32::MAX), field, || {
            (
                format!("the weights add up to {weight}"),
                "use smaller weights: only their proportions matter".into(),
            )
        });
        let largest = groups.iter().rposition(|weight| *weight > 0).map_or(0, |index| index + 1);
        self.that_both(
            largest <= usize::from(sale.seats_per_request),
            field,
            "sale.seats-per-request",
            || {
                let limit = sale.seats_per_request;
                let what =
                    format!("groups of {largest} come, but a request is for {limit} seats at most");
                (what, format!("give at most {limit} weights, or raise `sale.seats-per-request`"))
            },
        );
        self.that(groups.len() <= 10, field, || {
            (format!("{} weights are given", groups.len()), "a group has at most ten people".into())
        });

        self.some_time("crowd.session.request-timeout", session.request_timeout);
        self.within("crowd.session.tries", session.tries, 1..=100);
        self.ordered(
            "crowd.session",
            ("backoff-base", session.backoff_base),
            ("backoff-cap", session.backoff_cap),
        );
        self.ordered(
            "crowd.session",
            ("refresh-min", session.refresh_min),
            ("refresh-max", session.refresh_max),
        );
        self.within("crowd.session.zipf", session.zipf_milli, 0..=10_000);
    }

    fn network(&mut self, network: &Network) {
        self.timing("network.within-zone", &network.within_zone, human::SPAN_MAX);
        self.timing("network.between-zones", &network.between_zones, human::SPAN_MAX);
        self.timing("network.client", &network.client, human::SPAN_MAX);
        self.share("network.jitter", network.jitter);
        self.share("network.tail", network.tail);
        self.within("network.tail-factor", network.tail_factor, 1..=100_000);
        self.share("network.duplicate", network.duplicate);
        self.share("network.reorder", network.reorder);
        self.share("network.loss", network.loss);
        self.that(network.loss != Ratio::ALWAYS, "network.loss", || {
            (
                "every message is lost, so nothing can happen".into(),
                "lose a part: `loss = \"1/200\"`".into(),
            )
        });
    }

    fn disk(&mut self, disk: &Disk) {
        self.timing("disk.fsync", &disk.fsync, DAY);
        self.share("disk.jitter", disk.jitter);
        self.share("disk.tail", disk.tail);
        self.within("disk.tail-factor", disk.tail_factor, 1..=100_000);
        self.within("disk.mib-per-s", disk.mib_per_s, 1..=1_000_000);
        self.span_within("disk.write-back", disk.write_back, Span::ZERO..=DAY);
    }

    /// Whoever stands for election writes that it does, and whoever votes for it writes that. If
    /// that takes longer than others wait before they stand themselves, nobody is ever elected.
    fn elections(&mut self, cluster: &Cluster, disk: &Disk) {
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

    fn costs(&mut self, costs: &Costs) {
        let Costs { route, reply, decide, journal_message, beat, persisted, recover_mib } = costs;
        let each = [
            ("route", route),
            ("reply", reply.as_ref().unwrap_or(route)),
            ("decide", decide),
            ("journal-message", journal_message),
            ("beat", beat),
            ("persisted", persisted),
            ("recover-mib", recover_mib),
        ];
        for (name, cost) in each {
            if name != "reply" || reply.is_some() {
                self.timing(&format!("costs.{name}"), cost, Span::from_secs(60));
            }
        }
    }

    fn limits(&mut self, scenario: &Scenario) {
        let has_faults = !scenario.faults.is_empty() || scenario.swarm.is_some();
        for (n, limit) in scenario.limits.iter().enumerate() {
            let field = format!("expect.latency[{n}]");
            self.that(has_faults || limit.part != Part::InFaults, &field, || {
                ("the scenario has no faults to wait in".into(), "leave `in faults` away".into())
            });
            self.that(
                scenario.crowd.waiting_room.is_some() || limit.wait != Wait::Queue,
                &field,
                || {
                    let what = "nobody queues: the scenario has no waiting room".into();
                    (what, "add `[crowd.waiting-room]`, or limit another wait".into())
                },
            );
        }
        let demanded =
            scenario.must_exercise.iter().position(|oracle| oracle == Oracle::Latency.name());
        if let Some(n) = demanded.filter(|_| scenario.limits.is_empty()) {
            self.that(false, &format!("expect.exercised[{n}]"), || {
                let what = "there is no limit for `latency` to check".into();
                (what, "add one: `latency = [\"hold p99 < 500ms\"]`".into())
            });
        }
    }

    fn must_fail(&mut self, must_fail: &MustFail) {
        self.that_both(!must_fail.oracle.is_empty(), "expect.fails", "expect.within", || {
            ("`within` says how soon, but not what".into(), "add `fails = \"hold\"`".into())
        });
        if !must_fail.oracle.is_empty() {
            self.name(
                "expect.fails",
                "oracle",
                &must_fail.oracle,
                &Oracle::DEMANDABLE.map(Oracle::name),
            );
        }
        self.that_both(must_fail.within > 0, "expect.within", "expect.fails", || {
            ("`fails` says what, but not how soon".into(), "add `within = 20`, in seeds".into())
        });
    }

    /// A name that is known; `noun` is what it names.
    fn name(&mut self, field: &str, noun: &str, name: &str, known: &[&str]) {
        self.that(known.contains(&name), field, || {
            let help = match human::closest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the {noun}s are {}", known.join(", ")),
            };
            (format!("there is no {noun} {name:?}"), help)
        });
    }

    /// A list of names, each known and named once; `noun` is what is named.
    fn names(&mut self, list: &str, noun: &str, names: &[String], known: &[&str]) {
        let mut named = BTreeSet::new();
        for (n, name) in names.iter().enumerate() {
            let field = format!("{list}[{n}]");
            self.name(&field, noun, name, known);
            self.that(named.insert(name), &field, || {
                (format!("{name:?} is named twice"), format!("name each {noun} once"))
            });
        }
    }

    fn over(&mut self, field: &str, over: Span, duration: Span) {
        self.some_time(field, over);
        self.that_both(over <= duration, field, "duration", || {
            let what = format!("people come until {over}, but the run ends at {duration}");
            (what, format!("at most `over = \"{duration}\"`, or lengthen `duration`"))
        });
    }

    fn before(&mut self, field: &str, at: Span, end: Span, of_what: &str) {
        self.that(at < end, field, || {
            (format!("{at} is not before {of_what} at {end}"), "choose an earlier time".into())
        });
    }

    pub(crate) fn some_time(&mut self, field: &str, span: Span) {
        self.that(span > Span::ZERO, field, || {
            ("no time at all".into(), "write a span above zero, such as `5s`".into())
        });
    }

    pub(crate) fn share(&mut self, field: &str, share: Ratio) {
        self.that(share.den > 0 && share.num <= share.den, field, || {
            (
                format!("{}/{} is no share", share.num, share.den),
                "a share is between `0%` and `100%`".into(),
            )
        });
    }

    fn ordered(&mut self, table: &str, (min_key, min): (&str, Span), (max_key, max): (&str, Span)) {
        self.that_both(
            min <= max,
            &format!("{table}.{min_key}"),
            &format!("{table}.{max_key}"),
            || {
                (
                    format!("{min} is above `{max_key}`, {max}"),
                    format!("`{min_key}` is at most `{max_key}`"),
                )
            },
        );
    }

    pub(crate) fn span_within(&mut self, field: &str, span: Span, range: RangeInclusive<Span>) {
        self.that(range.contains(&span), field, || {
            (
                format!("{span} is out of bounds"),
                format!("write {} to {}", range.start(), range.end()),
            )
        });
    }

    pub(crate) fn within<N: PartialOrd + Display>(
        &mut self,
        field: &str,
        value: N,
        range: RangeInclusive<N>,
    ) {
        self.that(range.contains(&value), field, || {
            (
                format!("{value} is out of bounds"),
                format!("write a number from {} to {}", range.start(), range.end()),
            )
        });
    }

    /// Complains about a field unless all is well; the closure says what is wrong and what would be right.
    pub(crate) fn that(
        &mut self,
        all_is_well: bool,
        field: &str,
        complaint: impl FnOnce() -> (String, String),
    ) {
        self.that_any(all_is_well, field, &[], complaint);
    }

    /// The same of two fields that clash.
    pub(crate) fn that_both(
        &mut self,
        all_is_well: bool,
        field: &str,
        other: &str,
        complaint: impl FnOnce() -> (String, String),
    ) {
        self.that_any(all_is_well, field, &[other], complaint);
    }

    /// The same of several.
    fn that_any(
        &mut self,
        all_is_well: bool,
        field: &str,
        others: &[&str],
        complaint: impl FnOnce() -> (String, String),
    ) {
        if !all_is_well {
            let (what, help) = complaint();
            let others = others.iter().map(|&other| other.to_owned()).collect();
            self.complaints.push(Complaint { others, ..Complaint::new(field, what, help) });
        }
    }
}
