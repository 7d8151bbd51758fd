//! The range of values drawn for every setting.
//!
//! Owns the ranges: those of the declarations, except for the settings in `NARROWER`. Refuses to know how values
//! are drawn and which must fit each other.

use std::sync::LazyLock;

use onsale_scenarios::{Choice, HAZARDS, Kind, SPAN_MAX, Section, settings};

/// The values drawn for a setting.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// One of these values, as written in a file.
    Of(&'static [&'static str]),
    /// One of these names, as written in a file.
    Named(Vec<String>),
    /// A whole number, both ends included; each order of magnitude is equally likely.
    Number(u64, u64),
    /// A number in thousandths, drawn in the same way.
    Thousandths(u64, u64),
    /// A span in microseconds, drawn in the same way.
    Micros(u64, u64),
    /// A share.
    Share,
    /// A lognormal span with a median of at most this many microseconds.
    LogNormal(u64),
    /// Drawn together with other settings that it must fit.
    Together,
    /// Always the default; a section is always left out.
    AtDefault,
}

use Values::{AtDefault, LogNormal, Micros, Named, Number, Of, Share, Thousandths, Together};

pub(super) const SECOND: u64 = 1_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Settings with a range narrower than their declaration, or with a declaration that gives no range: each with
/// its range and the reason.
pub(super) const NARROWER: &[(&str, Values)] = &[
    ("title", Together),
    // Long enough for the faults and for calm after them.
    ("duration", Together),
    // Depends on the other settings.
    ("calm", Together),
    // A drawn scenario has no expectations beyond safety, and none has failed before.
    ("expect", AtDefault),
    ("replay", AtDefault),
    // Faults at fixed times fit the existing nodes; the others are the swarm's.
    ("fault", AtDefault),
    // Other systems have few of these settings.
    ("cluster.system", AtDefault),
    // Nodes, zones, replicas and spares fit each other.
    ("cluster.nodes", Together),
    ("cluster.spares", Together),
    ("cluster.zones", Together),
    ("cluster.replicas", Together),
    // With more, a run would consist of journals only.
    ("cluster.shards", Number(1, 512)),
    // With shorter intervals, a run would consist of heartbeats and ticks only; with longer ones, it would end
    // before much happens.
    ("cluster.beat-every", Micros(10_000, 2 * SECOND)),
    ("cluster.tick-every", Micros(5_000, SECOND)),
    ("cluster.facts.repair-every", Micros(10_000, 10 * SECOND)),
    ("cluster.election-ticks", Number(2, 100)),
    ("cluster.acceptable-pause", Micros(0, 5 * SECOND)),
    ("cluster.min-std-deviation", Micros(1, SECOND)),
    ("cluster.membership.stable-after", Micros(1, MINUTE)),
    // At most the existing nodes.
    ("cluster.membership.static-quorum", Together),
    // Longer than any one-way latency, or nothing ever arrives.
    ("cluster.gateway.try-timeout", Micros(1_000, MINUTE)),
    ("cluster.facts.accepted-drift", Micros(1_000, HOUR)),
    ("cluster.facts.patience", Micros(1_000, 5 * SECOND)),
    // The base is at most the cap.
    ("cluster.gateway.backoff-base", Micros(0, 20_000)),
    ("cluster.gateway.backoff-cap", Micros(20_000, MINUTE)),
    // There are hardly more nodes.
    ("cluster.facts.fanout", Number(1, 8)),
    // Longer than a run: dropping tombstones while a node is cut off is another matter.
    ("cluster.facts.deletions-last", Micros(10 * MINUTE, 24 * HOUR)),
    // Sizes are limited to runs shorter than minutes.
    ("sale.shows", Number(2, 100)),
    ("sale.shows-per-event", Number(1, 100)),
    ("sale.sections", Number(1, 8)),
    ("sale.rows", Number(1, 30)),
    ("crowd.users", Number(1, 500)),
    // One of the existing zones.
    ("sale.venues", Together),
    // One of the shapes.
    ("crowd.arrivals.constant", Together),
    ("crowd.arrivals.poisson", Together),
    ("crowd.arrivals.ramp", Together),
    ("crowd.arrivals.spike", Together),
    ("crowd.arrivals.on-sale", Together),
    // Trace files and named people belong to a particular scenario.
    ("crowd.arrivals.trace", AtDefault),
    ("crowd.arrivals.named", AtDefault),
    ("crowd.waiting-room.opening", Together),
    // With fewer, nobody is admitted before the end.
    ("crowd.waiting-room.release-per-minute", Number(60, u32::MAX as u64)),
    (
        "crowd.session.group-weights",
        Of(&[
            "[1]",
            "[0, 0, 1]",
            "[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]",
            "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
        ]),
    ),
    ("crowd.session.request-timeout", Micros(1_000, MINUTE)),
    ("crowd.session.refreshes", Number(0, 50)),
    // The base is at most the cap, and the shortest pause at most the longest.
    ("crowd.session.backoff-base", Micros(0, 200_000)),
    ("crowd.session.backoff-cap", Micros(200_000, MINUTE)),
    ("crowd.session.refresh-min", Micros(0, 3 * SECOND)),
    ("crowd.session.refresh-max", Micros(3 * SECOND, MINUTE)),
    // The earliest instant is at most the latest.
    ("crowd.manners.quiet-from", Micros(1, MINUTE)),
    ("crowd.manners.quiet-by", Micros(MINUTE, HOUR)),
    // With more reads, a run would consist of nothing else.
    ("crowd.health-check.every", Micros(1_000, HOUR)),
    // With longer latencies, writes and work, a run would see few of them.
    ("network.within-zone", Micros(1, 10_000)),
    ("network.between-zones", Micros(1, 100_000)),
    ("network.client", Micros(1_000, 500_000)),
    ("network.tail-factor", Number(1, 20)),
    // With more, next to nothing arrives.
    ("network.loss", Of(&["\"1/1000\"", "\"1%\"", "\"10%\"", "\"30%\""])),
    ("disk.fsync", Micros(1, 10_000)),
    ("disk.tail", Of(&["\"0%\"", "\"1%\"", "\"10%\""])),
    ("disk.tail-factor", Number(1, 50)),
    ("costs.route", Micros(0, 1_000)),
    ("costs.reply", Micros(0, 1_000)),
    ("costs.decide", Micros(0, 5_000)),
    ("costs.journal-message", Micros(0, 1_000)),
    ("costs.beat", Micros(0, 1_000)),
    ("costs.persisted", Micros(0, 1_000)),
    ("costs.recover-mib", Micros(0, SECOND)),
    // Sizes are limited to runs shorter than minutes.
    ("facts.events", Number(1, 50)),
    ("facts.admins", Number(1, 5)),
    ("facts.changes-per-minute", Number(1, 600)),
    ("facts.visitors", Number(1, 100)),
    ("facts.reads", Number(1, 10)),
    // Within the run, and long enough for all draws.
    ("facts.from", Together),
    ("facts.until", Together),
    ("facts.agree-within", Together),
    // Faults heal before calm.
    ("swarm.families", Together),
    ("swarm.faults", Together),
    ("swarm.from", Together),
    ("swarm.until", Together),
    ("swarm.lasts", Together),
];

/// The path of a section, and its settings with their ranges.
pub(super) type Drawn = (String, Vec<(&'static str, Values)>);

/// Every section of a file, in order.
pub(super) static TABLE: LazyLock<Vec<Drawn>> = LazyLock::new(|| {
    let mut table = Vec::new();
    add("", &settings(), &mut table);
    table
});

/// Adds a section, followed by its subsections.
fn add(path: &str, section: &Section, table: &mut Vec<Drawn>) {
    let place = table.len();
    table.push((path.to_owned(), Vec::new()));
    for key in &section.keys {
        let path = join(path, key.name);
        match (narrower(&path), &key.kind) {
            (Some(AtDefault), Kind::Table(_)) => {}
            (None, Kind::Table(within)) => add(&path, within, table),
            (None, Kind::OneOf(shapes)) => {
                let values = |shape: &str| {
                    let path = join(&path, shape);
                    narrower(&path)
                        .unwrap_or_else(|| panic!("{path}: say in `NARROWER` how it is drawn"))
                };
                let shapes = shapes.iter().map(|&(shape, _)| (shape, values(shape))).collect();
                table.push((path, shapes));
            }
            (Some(values), _) => table[place].1.push((key.name, values)),
            (None, kind) => table[place].1.push((key.name, allowed(&path, kind))),
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn narrower(path: &str) -> Option<Values> {
    let found = NARROWER.iter().find(|(narrower, _)| *narrower == path);
    found.map(|(_, values)| values.clone())
}

/// The range declared for a setting, without values that break a promise. A span without a bound is at most an
/// hour.
fn allowed(path: &str, kind: &Kind) -> Values {
    let hazards = || HAZARDS.iter().filter(|hazard| hazard.key == path);
    match kind {
        Kind::Span { .. } if hazards().next().is_some() => AtDefault,
        Kind::Whole { least, most } => Number(*least, *most),
        Kind::Decimal { least_milli, most_milli } => {
            Thousandths(u64::from(*least_milli), u64::from(*most_milli))
        }
        Kind::Flag => Of(&["true", "false"]),
        Kind::Span { least, most: SPAN_MAX } => Micros(least.0, HOUR),
        Kind::Span { least, most } => Micros(least.0, most.0),
        Kind::Share => Share,
        Kind::Timing { most } => LogNormal(most.0.min(MINUTE)),
        Kind::Name(choices) => {
            let is_safe =
                |choice: &&Choice| hazards().all(|hazard| hazard.value != Some(&choice.name));
            let safe: Vec<_> =
                choices.iter().filter(is_safe).map(|choice| format!("{:?}", choice.name)).collect();
            if safe.len() > 1 { Named(safe) } else { AtDefault }
        }
        Kind::Scale
        | Kind::Text { .. }
        | Kind::TextOrTable { .. }
        | Kind::List(_)
        | Kind::Pair(..)
        | Kind::Table(_)
        | Kind::OneOf(_) => {
            panic!("{path}: its type does not tell what may be drawn for it: say it in `NARROWER`")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use onsale_booking::Span;

    use super::*;

    fn paths() -> BTreeSet<String> {
        let keys = |(section, keys): &Drawn| {
            keys.iter().map(|(key, _)| join(section, key)).collect::<Vec<_>>()
        };
        TABLE.iter().flat_map(keys).collect()
    }

    /// A range in `NARROWER` must not outlive its declaration, nor exceed it.
    #[test]
    fn what_is_narrower_is_of_a_setting_and_within_what_it_allows() {
        let drawn = paths();
        for (path, values) in NARROWER {
            let kind = kind(path);
            assert!(kind.is_some() || drawn.contains(*path), "there is no setting {path}");
            if let (Number(least, most), Some(Kind::Whole { least: from, most: to }))
            | (Micros(least, most), Some(Kind::Span { least: Span(from), most: Span(to) })) =
                (values, kind)
            {
                assert!(from <= *least && *most <= to, "{path}: {values:?} leaves {from} to {to}");
                assert!((from, to) != (*least, *most), "{path}: its declaration says as much");
            }
        }
    }

    /// The type of the setting with a path that leads through no list or shape.
    fn kind(path: &str) -> Option<Kind> {
        let mut section = settings();
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            let key = section.keys.into_iter().find(|key| key.name == name)?;
            if names.peek().is_none() {
                return Some(key.kind);
            }
            let Kind::Table(within) = key.kind else { return None };
            section = within;
        }
        None
    }
}
