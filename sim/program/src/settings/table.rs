//! Every setting, and what may be drawn for it.
//!
//! Owns which values a setting may have here: what its declaration allows, but for those in `NARROWER`. Refuses
//! to know how values are drawn and which must fit each other.

use std::sync::LazyLock;

use onsale_scenarios::{Choice, HAZARDS, Kind, SPAN_MAX, Section, settings};

/// What a setting may be.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// One of these, as a file has it.
    Of(&'static [&'static str]),
    /// One of these names, as a file has it.
    Named(Vec<String>),
    /// A whole number, both ends included; each order of magnitude is as likely as any other.
    Number(u64, u64),
    /// A number in thousandths, likewise.
    Thousandths(u64, u64),
    /// A span in microseconds, likewise.
    Micros(u64, u64),
    /// A share.
    Share,
    /// A lognormal span with a median of at most this many microseconds.
    LogNormal(u64),
    /// Drawn with others that it must fit.
    Together,
    /// Always the default; of a section, always left out.
    AtDefault,
}

use Values::{AtDefault, LogNormal, Micros, Named, Number, Of, Share, Thousandths, Together};

pub(super) const SECOND: u64 = 1_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Settings of which less may be drawn than their declaration allows, or that it cannot tell how to draw: each with what
/// is drawn instead, and why.
pub(super) const NARROWER: &[(&str, Values)] = &[
    ("title", Together),
    // Long enough for the faults and for a calm behind them.
    ("duration", Together),
    // What the other settings need.
    ("calm", Together),
    // Nobody expects anything of a drawn scenario but that it is safe, and none has failed before.
    ("expect", AtDefault),
    ("replay", AtDefault),
    // Those that are written fit the nodes that there are; the others are the swarm's.
    ("fault", AtDefault),
    // Another takes few of these settings.
    ("cluster.system", AtDefault),
    // Nodes, zones, replicas and spares fit each other.
    ("cluster.nodes", Together),
    ("cluster.spares", Together),
    ("cluster.zones", Together),
    ("cluster.replicas", Together),
    // More, and a run is nothing but journals.
    ("cluster.shards", Number(1, 512)),
    // More often, and a run is nothing but beats and ticks; more rarely, and it ends before much has happened.
    ("cluster.beat-every", Micros(10_000, 2 * SECOND)),
    ("cluster.tick-every", Micros(5_000, SECOND)),
    ("cluster.facts.repair-every", Micros(10_000, 10 * SECOND)),
    ("cluster.election-ticks", Number(2, 100)),
    ("cluster.acceptable-pause", Micros(0, 5 * SECOND)),
    ("cluster.min-std-deviation", Micros(1, SECOND)),
    ("cluster.membership.stable-after", Micros(1, MINUTE)),
    // Of the nodes that there are.
    ("cluster.membership.static-quorum", Together),
    // Longer than any way, or nothing ever gets through.
    ("cluster.gateway.try-timeout", Micros(1_000, MINUTE)),
    ("cluster.facts.accepted-drift", Micros(1_000, HOUR)),
    ("cluster.facts.patience", Micros(1_000, 5 * SECOND)),
    // The base is at most the cap.
    ("cluster.gateway.backoff-base", Micros(0, 20_000)),
    ("cluster.gateway.backoff-cap", Micros(20_000, MINUTE)),
    // More are hardly more nodes than there are.
    ("cluster.facts.fanout", Number(1, 8)),
    // Longer than a run: what is forgotten while a node is cut off is another matter.
    ("cluster.facts.deletions-last", Micros(10 * MINUTE, 24 * HOUR)),
    // Sizes end where a run would take minutes.
    ("sale.shows", Number(2, 100)),
    ("sale.shows-per-event", Number(1, 100)),
    ("sale.sections", Number(1, 8)),
    ("sale.rows", Number(1, 30)),
    ("crowd.users", Number(1, 500)),
    // Of the zones that there are.
    ("sale.venues", Together),
    // One of them.
    ("crowd.arrivals.constant", Together),
    ("crowd.arrivals.poisson", Together),
    ("crowd.arrivals.ramp", Together),
    ("crowd.arrivals.spike", Together),
    ("crowd.arrivals.on-sale", Together),
    // A file of its own, and people by name: both are somebody's, not chance's.
    ("crowd.arrivals.trace", AtDefault),
    ("crowd.arrivals.named", AtDefault),
    ("crowd.waiting-room.opening", Together),
    // Fewer, and nobody is let in before the end.
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
    // More often, and a run is nothing but looks.
    ("crowd.health-check.every", Micros(1_000, HOUR)),
    // Longer ways, writes and work, and a run sees few of them.
    ("network.within-zone", Micros(1, 10_000)),
    ("network.between-zones", Micros(1, 100_000)),
    ("network.client", Micros(1_000, 500_000)),
    ("network.tail-factor", Number(1, 20)),
    // More, and next to nothing arrives.
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
    // Sizes end where a run would take minutes.
    ("facts.events", Number(1, 50)),
    ("facts.admins", Number(1, 5)),
    ("facts.changes-per-minute", Number(1, 600)),
    ("facts.visitors", Number(1, 100)),
    ("facts.reads", Number(1, 10)),
    // Within the run, and long enough for all that was drawn.
    ("facts.from", Together),
    ("facts.until", Together),
    ("facts.agree-within", Together),
    // Faults heal before the calm.
    ("swarm.families", Together),
    ("swarm.faults", Together),
    ("swarm.from", Together),
    ("swarm.until", Together),
    ("swarm.lasts", Together),
];

/// A section's path, and its settings with what may be drawn for them.
pub(super) type Drawn = (String, Vec<(&'static str, Values)>);

/// Every section of a file in its order.
pub(super) static TABLE: LazyLock<Vec<Drawn>> = LazyLock::new(|| {
    let mut table = Vec::new();
    add("", &settings(), &mut table);
    table
});

/// Adds a section, and those within it behind it.
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

/// What the declaration of a setting allows, but for what breaks a promise. A span without a bound lasts an hour at most.
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

    /// A range beside a declaration must not outlive it, nor leave it.
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

    /// The type of the setting with a path, where no list or shape is on the way.
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
