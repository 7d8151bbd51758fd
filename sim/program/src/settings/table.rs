//! Every setting, and what may be drawn for it.
//!
//! Owns the ranges. Refuses to know how values are drawn and which must fit each other.

/// What a setting may be. Not here are lists of people, files of arrivals, and what a scenario expects.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values {
    /// One of these, as a file has it.
    Of(&'static [&'static str]),
    /// A whole number, both ends included; each order of magnitude is as likely as any other.
    Number(u64, u64),
    /// A span in microseconds, likewise.
    Micros(u64, u64),
    /// A share.
    Share,
    /// A lognormal span with a median of at most this many microseconds.
    LogNormal(u64),
    /// Drawn with others that it must fit; the reason stands beside it.
    Together,
    /// Always the default: any other value breaks a promise, or names a system that takes few of these settings.
    Safe,
}

use Values::{LogNormal, Micros, Number, Of, Safe, Share, Together};

pub(super) const SECOND: u64 = 1_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A section and its settings. Every setting of every section is here, in the order of a file.
pub(super) const TABLE: [(&str, &[(&str, Values)]); 19] = [
    (
        "",
        &[
            ("title", Together),
            // Long enough for the faults and for a calm behind them.
            ("duration", Together),
            // What the other settings need.
            ("calm", Together),
            ("quantum", Micros(0, SECOND)),
        ],
    ),
    (
        "cluster",
        &[
            ("system", Safe),
            // Nodes, zones, replicas and spares fit each other.
            ("nodes", Together),
            ("spares", Together),
            ("zones", Together),
            ("replicas", Together),
            ("shards", Number(1, 512)),
            ("partition-by", Of(&["\"show\"", "\"event\""])),
            ("cores", Number(1, 1_024)),
            ("beat-every", Micros(10_000, 2 * SECOND)),
            ("suspicion-phi", Number(1, 100)),
            ("acceptable-pause", Micros(0, 5 * SECOND)),
            ("min-std-deviation", Micros(1, SECOND)),
            ("tick-every", Micros(5_000, SECOND)),
            ("election-ticks", Number(2, 100)),
            ("snapshot-every", Number(1, u32::MAX as u64)),
            ("keep-records", Number(0, u32::MAX as u64)),
            ("segment-bytes", Number(4_096, 1 << 30)),
            ("on-suspicion", Safe),
            ("clock-skew", Micros(0, 24 * HOUR)),
        ],
    ),
    ("cluster.membership", &[("static-quorum", Together), ("stable-after", Micros(1, MINUTE))]),
    (
        "cluster.leader-placement",
        &[
            ("near-venue", Of(&["true", "false"])),
            ("by-load", Of(&["true", "false"])),
            ("rest", Micros(1, HOUR)),
        ],
    ),
    ("cluster.journal", &[("promises", Safe)]),
    (
        "cluster.leader",
        &[
            ("acknowledge", Safe),
            ("reads", Safe),
            ("decides-on", Safe),
            ("serves", Safe),
            ("deposed", Safe),
            ("reckoning", Safe),
            ("overdue", Of(&["\"passed-over\"", "\"decided\""])),
        ],
    ),
    (
        "cluster.gateway",
        &[
            ("tries", Number(1, 100)),
            ("try-timeout", Micros(1_000, MINUTE)),
            ("backoff-base", Micros(0, 20_000)),
            ("backoff-cap", Micros(20_000, MINUTE)),
            ("retry-budget", Share),
            ("in-flight-per-shard", Number(1, u32::MAX as u64)),
        ],
    ),
    (
        "cluster.facts",
        &[
            ("fanout", Number(1, 8)),
            ("repair-every", Micros(10_000, 10 * SECOND)),
            ("accepted-drift", Micros(1_000, HOUR)),
            ("deletions-last", Micros(10 * MINUTE, 24 * HOUR)),
            ("patience", Micros(1_000, 5 * SECOND)),
            ("sessions", Safe),
            ("forgets", Safe),
        ],
    ),
    (
        "sale",
        &[
            ("shows", Number(2, 100)),
            ("shows-per-event", Number(1, 100)),
            // Of the zones that there are.
            ("venues", Together),
            ("sections", Number(1, 8)),
            ("rows", Number(1, 30)),
            ("seats-per-row", Number(1, 64)),
            ("hot-share", Share),
            ("hold", Micros(1, 24 * HOUR)),
            ("grace", Micros(1, HOUR)),
            ("seats-per-request", Number(1, 10)),
            ("expiry", Safe),
            ("sweep-every", Micros(1, HOUR)),
            ("early", Safe),
            ("repeats", Safe),
            ("confirms", Safe),
            ("releases", Safe),
            ("orders", Safe),
        ],
    ),
    ("crowd", &[("users", Number(1, 500))]),
    (
        "crowd.arrivals",
        &[
            // One of them.
            ("constant", Together),
            ("ramp", Together),
            ("spike", Together),
            ("on-sale", Together),
        ],
    ),
    (
        "crowd.waiting-room",
        &[
            ("opening", Together),
            ("release-per-minute", Number(60, u32::MAX as u64)),
            ("no-show", Share),
            ("patience", Micros(1, HOUR)),
            ("token-valid", Micros(1, HOUR)),
        ],
    ),
    (
        "crowd.session",
        &[
            ("pick-think", LogNormal(MINUTE)),
            ("checkout-think", LogNormal(MINUTE)),
            ("payment", LogNormal(MINUTE)),
            ("approval", Share),
            ("abandon", Share),
            ("release", Share),
            (
                "group-weights",
                Of(&[
                    "[1]",
                    "[0, 0, 1]",
                    "[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]",
                    "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
                ]),
            ),
            ("best-available", Share),
            ("split", Share),
            ("zipf", Of(&["0.0", "0.5", "2.0", "10.0"])),
            ("request-timeout", Micros(1_000, MINUTE)),
            ("tries", Number(1, 100)),
            ("backoff-base", Micros(0, 200_000)),
            ("backoff-cap", Micros(200_000, MINUTE)),
            ("refreshes", Number(0, 50)),
            ("refresh-min", Micros(0, 3 * SECOND)),
            ("refresh-max", Micros(3 * SECOND, MINUTE)),
        ],
    ),
    (
        "crowd.health-check",
        &[
            // More often, and a run is nothing but looks.
            ("every", Micros(1_000, HOUR)),
            ("fall", Number(1, 100)),
            ("rise", Number(1, 100)),
        ],
    ),
    (
        "network",
        &[
            ("within-zone", Micros(1, 10_000)),
            ("between-zones", Micros(1, 100_000)),
            ("client", Micros(1_000, 500_000)),
            ("jitter", Share),
            ("tail", Share),
            ("tail-factor", Number(1, 20)),
            ("loss", Of(&["\"1/1000\"", "\"1%\"", "\"10%\"", "\"30%\""])),
            ("duplicate", Share),
            ("reorder", Share),
        ],
    ),
    (
        "disk",
        &[
            ("fsync", Micros(1, 10_000)),
            ("jitter", Share),
            ("tail", Of(&["\"0%\"", "\"1%\"", "\"10%\""])),
            ("tail-factor", Number(1, 50)),
            ("mib-per-s", Number(1, 1_000_000)),
            ("write-back", Safe),
            ("good-copies", Safe),
        ],
    ),
    (
        "costs",
        &[
            ("route", Micros(0, 1_000)),
            ("reply", Micros(0, 1_000)),
            ("decide", Micros(0, 5_000)),
            ("journal-message", Micros(0, 1_000)),
            ("beat", Micros(0, 1_000)),
            ("persisted", Micros(0, 1_000)),
            ("recover-mib", Micros(0, SECOND)),
        ],
    ),
    (
        "facts",
        &[
            ("events", Number(1, 50)),
            ("admins", Number(1, 5)),
            ("changes-per-minute", Number(1, 600)),
            ("from", Together),
            ("until", Together),
            ("visitors", Number(1, 100)),
            ("reads", Number(1, 10)),
            ("agree-within", Together),
        ],
    ),
    (
        "swarm",
        &[
            ("families", Together),
            ("faults", Together),
            ("from", Together),
            ("until", Together),
            ("lasts", Together),
            ("mix", Of(&["true", "false"])),
        ],
    ),
];
