//! What each value of a scenario rests on.
//!
//! Owns the sources of the defaults, so that a report can mark what is assumed. Refuses
//! to hold the defaults themselves.

use std::fmt;

use toml::{Table, Value};

use crate::defaults;
use crate::facts::Facts;
use crate::fault::Swarm;
use crate::ratio::Ratio;
use crate::scenario::{Arrivals, Scenario, WaitingRoom, Written};

/// One value of a scenario and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// Path of the key, as in `crowd.session.abandon`.
    pub field: String,
    /// The value as a scenario file writes it.
    pub value: String,
    /// What it rests on.
    pub basis: Basis,
}

/// What a value rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A default, within what this source reports.
    Sourced(&'static str),
    /// A default for which no source was found: calibrate it before trusting absolute numbers.
    Assumed,
    /// Chosen by the scenario, or a setting of the system rather than a claim about the world.
    Chosen,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sourced(source) => write!(f, "sourced: {source}"),
            Self::Assumed => f.write_str("assumed"),
            Self::Chosen => f.write_str("chosen"),
        }
    }
}

use Basis::{Assumed, Chosen, Sourced};

/// What every default rests on; a value that the scenario sets otherwise is chosen.
const BASES: [(&str, Basis); 131] = [
    ("duration", Chosen),
    ("calm", Chosen),
    ("quantum", Chosen),
    ("cluster.nodes", Chosen),
    ("cluster.spares", Chosen),
    ("cluster.partition-by", Chosen),
    ("cluster.zones", Chosen),
    ("cluster.shards", Chosen),
    ("cluster.replicas", Chosen),
    ("cluster.cores", Chosen),
    ("cluster.beat-every", Chosen),
    ("cluster.suspicion-phi", Sourced("Akka and Pekko cluster defaults")),
    ("cluster.acceptable-pause", Chosen),
    ("cluster.min-std-deviation", Chosen),
    ("cluster.tick-every", Chosen),
    ("cluster.election-ticks", Chosen),
    ("cluster.snapshot-every", Chosen),
    ("cluster.keep-records", Chosen),
    ("cluster.segment-bytes", Chosen),
    ("cluster.on-suspicion", Chosen),
    ("cluster.membership.static-quorum", Chosen),
    ("cluster.membership.stable-after", Chosen),
    ("cluster.leads.near-venue", Chosen),
    ("cluster.leads.by-load", Chosen),
    ("cluster.leads.rest", Chosen),
    ("cluster.clock-skew", Chosen),
    ("cluster.journal.promises", Chosen),
    ("cluster.owner.acknowledge", Chosen),
    ("cluster.owner.reads", Chosen),
    ("cluster.owner.decides-on", Chosen),
    ("cluster.owner.serves", Chosen),
    ("cluster.owner.deposed", Chosen),
    ("cluster.owner.reckoning", Chosen),
    ("cluster.owner.overdue", Chosen),
    ("cluster.gateway.tries", Chosen),
    ("cluster.gateway.try-timeout", Assumed),
    ("cluster.gateway.backoff-base", Assumed),
    ("cluster.gateway.backoff-cap", Assumed),
    ("cluster.gateway.retry-budget", Assumed),
    ("cluster.gateway.in-flight-per-shard", Chosen),
    ("cluster.facts.fanout", Chosen),
    ("cluster.facts.repair-every", Chosen),
    ("cluster.facts.accepted-drift", Chosen),
    ("cluster.facts.deletions-last", Chosen),
    ("cluster.facts.patience", Chosen),
    ("cluster.facts.sessions", Chosen),
    ("cluster.facts.forgets", Chosen),
    ("sale.shows", Chosen),
    ("sale.shows-per-event", Chosen),
    ("sale.venues", Chosen),
    ("sale.sections", Chosen),
    ("sale.rows", Chosen),
    ("sale.seats-per-row", Chosen),
    ("sale.hot-share", Assumed),
    (
        "sale.hold",
        Sourced(
            "holds of 4 to 30 min at BookMyShow, Ticket Tailor, TicketSwap and others; 5 min in Grokking",
        ),
    ),
    ("sale.grace", Sourced("Grokking the System Design Interview, ticket booking")),
    (
        "sale.seats-per-request",
        Sourced("caps of 4 to 8 at Ticketmaster and BookMyShow; 10 in Grokking"),
    ),
    ("sale.expiry", Chosen),
    ("sale.sweep-every", Chosen),
    ("sale.early", Chosen),
    ("sale.repeats", Chosen),
    ("sale.confirms", Chosen),
    ("sale.releases", Chosen),
    ("sale.orders", Chosen),
    ("crowd.users", Chosen),
    ("crowd.arrivals.constant.over", Chosen),
    ("crowd.arrivals.spike.decay", Assumed),
    ("crowd.arrivals.spike.share", Assumed),
    ("crowd.arrivals.on-sale.before", Assumed),
    ("crowd.arrivals.on-sale.rush-share", Assumed),
    ("crowd.arrivals.on-sale.rush", Assumed),
    ("crowd.arrivals.on-sale.decay", Assumed),
    ("crowd.waiting-room.opening", Chosen),
    ("crowd.waiting-room.release-per-minute", Chosen),
    ("crowd.waiting-room.no-show", Assumed),
    ("crowd.waiting-room.patience", Assumed),
    ("crowd.waiting-room.token-valid", Sourced("AWS Virtual Waiting Room template default")),
    ("crowd.session.pick-think", Assumed),
    ("crowd.session.checkout-think", Assumed),
    (
        "crowd.session.payment",
        Sourced("authorisation takes 1 to 3 s with a tail to 30 s (finantrix); spread assumed"),
    ),
    (
        "crowd.session.approval",
        Sourced("85 to 90% of cards approved (paymentsandrisk, retailtech)"),
    ),
    ("crowd.session.abandon", Assumed),
    ("crowd.session.release", Assumed),
    (
        "crowd.session.group-weights",
        Sourced("mean of 3 tickets an order (Ticketmaster, 2022); spread assumed"),
    ),
    ("crowd.session.best-available", Assumed),
    ("crowd.session.split", Assumed),
    ("crowd.session.zipf", Assumed),
    ("crowd.session.request-timeout", Assumed),
    ("crowd.session.tries", Sourced("at most 3 tries (Google SRE book)")),
    ("crowd.session.backoff-base", Assumed),
    ("crowd.session.backoff-cap", Assumed),
    ("crowd.session.refreshes", Assumed),
    ("crowd.session.refresh-min", Assumed),
    ("crowd.session.refresh-max", Assumed),
    ("crowd.health-check.every", Sourced("HAProxy default (inter)")),
    ("crowd.health-check.fall", Sourced("HAProxy default")),
    ("crowd.health-check.rise", Sourced("HAProxy default")),
    ("facts.events", Chosen),
    ("facts.admins", Chosen),
    ("facts.changes-per-minute", Assumed),
    ("facts.from", Chosen),
    ("facts.until", Chosen),
    ("facts.visitors", Chosen),
    ("facts.reads", Assumed),
    ("facts.agree-within", Chosen),
    ("network.within-zone", Assumed),
    ("network.between-zones", Assumed),
    ("network.client", Assumed),
    ("network.jitter", Assumed),
    ("network.tail", Assumed),
    ("network.tail-factor", Assumed),
    ("network.loss", Chosen),
    ("network.duplicate", Chosen),
    ("network.reorder", Chosen),
    ("disk.fsync", Assumed),
    ("disk.jitter", Assumed),
    ("disk.tail", Assumed),
    ("disk.tail-factor", Assumed),
    ("disk.mib-per-s", Assumed),
    ("disk.write-back", Chosen),
    ("disk.good-copies", Chosen),
    ("costs.route", Assumed),
    ("costs.decide", Assumed),
    ("costs.journal-message", Assumed),
    ("costs.beat", Assumed),
    ("costs.persisted", Assumed),
    ("costs.recover-mib", Assumed),
    ("swarm.families", Chosen),
    ("swarm.faults", Chosen),
    ("swarm.lasts", Chosen),
    ("swarm.mix", Chosen),
];

/// Every value of the scenario with what it rests on, in the order of the file; faults and title aside.
pub fn assumptions(scenario: &Scenario) -> Vec<Assumption> {
    let defaults = leaves(&with_defaults(scenario));
    let assumption = |(field, value): (String, String)| {
        let is_default = defaults.iter().any(|(path, default)| *path == field && *default == value);
        let known = BASES.iter().find(|(path, _)| *path == field);
        let left_out = is_default && !scenario.written.0.contains(&field);
        let basis = known.filter(|_| left_out).map_or(Chosen, |(_, basis)| *basis);
        Assumption { field, value, basis }
    };
    leaves(scenario).into_iter().map(assumption).collect()
}

/// Which keys a file wrote although their defaults rest on something: they are chosen, whatever their values.
pub(crate) fn written(file: &Table) -> Written {
    let is_there = |path: &&str| {
        let mut keys = path.split('.');
        let first = keys.next().and_then(|key| file.get(key));
        keys.try_fold(first?, |value, key| value.get(key)).map(drop)
    };
    let based = BASES.iter().filter(|(_, basis)| *basis != Chosen).map(|(path, _)| *path);
    Written(based.filter(|path| is_there(path).is_some()).map(str::to_owned).collect())
}

/// The scenario's shape with every value at its default: what is optional is there if the scenario has it.
fn with_defaults(scenario: &Scenario) -> Scenario {
    let swarm = scenario.swarm.as_ref().map(|_| Swarm::default());
    let facts = scenario.facts.as_ref().map(|_| Facts::default());
    let mut plain = Scenario { swarm, facts, ..Scenario::default() };
    plain.crowd.waiting_room = scenario.crowd.waiting_room.as_ref().map(|_| WaitingRoom::default());
    match &scenario.crowd.arrivals {
        Arrivals::Constant { .. } => {}
        Arrivals::Spike { over, at, .. } => {
            let share: Ratio = defaults::spike_share();
            plain.crowd.arrivals =
                Arrivals::Spike { over: *over, at: *at, decay: defaults::decay(), share };
        }
        Arrivals::OnSale { opening, over, .. } => {
            plain.crowd.arrivals = Arrivals::OnSale {
                opening: *opening,
                over: *over,
                before: defaults::before(),
                rush_share: defaults::rush_share(),
                rush: defaults::rush(),
                decay: defaults::decay(),
            };
        }
        Arrivals::Poisson { .. }
        | Arrivals::Ramp { .. }
        | Arrivals::Trace { .. }
        | Arrivals::Named { .. } => plain.crowd.arrivals = scenario.crowd.arrivals.clone(),
    }
    plain
}

/// Every value with its path; what a file writes on one line in braces is one value, but for arrivals.
pub(crate) fn leaves(scenario: &Scenario) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    collect(&mut leaves, "", &scenario.to_table());
    leaves
}

fn collect(leaves: &mut Vec<(String, String)>, path: &str, table: &Table) {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let is_aside = ["title", "fault", "expect", "crowd.arrivals.trace", "crowd.arrivals.named"]
            .contains(&path.as_str());
        match value {
            Value::Table(_) | Value::Array(_) if is_aside => {}
            Value::String(_) if is_aside => {}
            Value::Table(inner) if !is_drawn(inner) => collect(leaves, &path, inner),
            Value::String(text) => leaves.push((path, text.clone())),
            Value::Table(_)
            | Value::Array(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => {
                leaves.push((path, value.to_string()));
            }
        }
    }
}

/// Whether a table says how a span is drawn, and so is one value.
fn is_drawn(table: &Table) -> bool {
    ["mean", "sigma", "quantiles"].iter().any(|key| table.contains_key(*key))
}

#[cfg(test)]
mod tests {
    use onsale_booking::Span;

    use super::*;

    #[test]
    fn every_default_has_a_basis_and_every_basis_a_default() {
        let mut fields: Vec<String> = Vec::new();
        for arrivals in [
            Scenario::default().crowd.arrivals,
            Arrivals::Spike {
                over: Span(9),
                at: Span(1),
                decay: defaults::decay(),
                share: defaults::spike_share(),
            },
            Arrivals::OnSale {
                opening: Span(1),
                over: Span(9),
                before: defaults::before(),
                rush_share: defaults::rush_share(),
                rush: defaults::rush(),
                decay: defaults::decay(),
            },
        ] {
            let mut scenario = Scenario { swarm: Some(Swarm::default()), ..Scenario::default() };
            scenario.crowd.waiting_room = Some(WaitingRoom::default());
            scenario.facts = Some(Facts::default());
            scenario.cluster.membership.static_quorum = Some(2);
            scenario.crowd.arrivals = arrivals;
            fields.extend(assumptions(&scenario).into_iter().map(|assumption| assumption.field));
        }
        for (field, _) in BASES {
            assert!(fields.iter().any(|known| known == field), "no such value: {field}");
        }
        // Times that only the scenario can know have no default.
        let given = ["over", "at", "opening", "from", "until"];
        for field in &fields {
            let is_given = given.iter().any(|name| field.ends_with(&format!(".{name}")));
            assert!(is_given || BASES.iter().any(|(known, _)| known == field), "no basis: {field}");
        }
    }

    #[test]
    fn what_a_scenario_sets_is_chosen() {
        let mut scenario = Scenario::default();
        scenario.crowd.session.abandon = Ratio::percent(31);
        let all = assumptions(&scenario);
        let of = |field: &str| all.iter().find(|assumption| assumption.field == field).unwrap();
        assert_eq!(of("crowd.session.abandon").basis, Chosen);
        assert_eq!(of("crowd.session.abandon").value, "31%");
        assert_eq!(of("disk.fsync").basis, Assumed);
        assert_eq!(of("crowd.session.pick-think").value, "{ median = \"25s\", sigma = 0.8 }");
        assert!(matches!(of("sale.grace").basis, Sourced(_)));
    }

    #[test]
    fn what_a_file_writes_is_chosen_though_it_is_the_default() {
        let text =
            "title = \"t\"\n[crowd.session]\nabandon = \"ABANDON\"\n[disk]\nfsync = \"FSYNC\"\n";
        let plain = Scenario::default();
        let text = text
            .replace("ABANDON", &plain.crowd.session.abandon.to_string())
            .replace("FSYNC", &plain.disk.fsync.typical().to_string());
        let read = |_: &str| Err(std::io::Error::other("none"));
        let scenario = Scenario::from_toml("x", "x.toml", text.as_bytes(), &read).unwrap();
        // A plan remembers what the file wrote.
        let again = Scenario::from_json("x.json", scenario.to_json().as_bytes()).unwrap();
        for scenario in [scenario, again] {
            let all = assumptions(&scenario);
            let basis = |field: &str| all.iter().find(|it| it.field == field).unwrap().basis;
            assert_eq!(basis("crowd.session.abandon"), Chosen);
            assert_eq!(basis("disk.fsync"), Chosen);
            assert_eq!(basis("disk.jitter"), Assumed);
        }
    }
}
