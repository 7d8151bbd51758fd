//! One node as a queue: everybody asks once, and only one kind of work takes time.
//!
//! Owns the scenario and how it is played and read. Refuses to know the expected results.

use std::io;
use std::sync::Arc;

use onsale_booking::{Instant, Span};
use onsale_reports::{Operation, Window};
use onsale_scenarios::{Arrivals, Scenario, Timing};
use onsale_sim::crowd::arrivals::Curve;
use onsale_sim::plan::Plan;
use onsale_sim::run;
use onsale_sim::run::Outcome;
use onsale_world::Tracing;

/// The mean service time.
pub(crate) const MEAN: Span = Span::from_millis(20);

/// The seeds pooled.
pub(crate) const SEEDS: [u64; 3] = [1, 2, 3];

/// A hall of one seat: all but the first are told that it is taken, which is a full decision, writes
/// nothing, and ends the visit.
const SCENARIO: &str = r#"
title = "One node is a queue"
duration = "999h"
calm = "1h"
[cluster]
nodes = 1
zones = 1
replicas = 1
shards = 1
beat-every = "1h"
acceptable-pause = "1h"
[cluster.gateway]
try-timeout = "1000h"
in-flight-per-shard = 10000000
[sale]
shows = 1
hot-share = "100%"
sections = 1
rows = 1
seats-per-row = 1
hold = "1000h"
[crowd.session]
pick-think = "0us"
group-weights = [1]
best-available = "100%"
abandon = "100%"
release = "0%"
refreshes = 0
request-timeout = "1000h"
tries = 1
[network]
client = "0us"
within-zone = "0us"
between-zones = "0us"
jitter = "0%"
tail = "0%"
[disk]
fsync = "0us"
jitter = "0%"
tail = "0%"
[costs]
route = "0us"
reply = "0us"
decide = "0us"
journal-message = "0us"
beat = "0us"
persisted = "0us"
recover-mib = "0us"
"#;

/// The servers that do the work.
#[derive(Clone, Debug)]
pub(crate) enum Servers {
    /// The leader of the only shard decides.
    Leader(Timing),
    /// This many cores route requests.
    Gateway(u16, Timing),
}

/// The scenario: `users` people in a Poisson stream that keeps the servers busy for the share `load`.
pub(crate) fn station(servers: Servers, mean_us: f64, load: f64, users: u32) -> Scenario {
    let none = |_: &str| Err(io::Error::other("no files"));
    let read = Scenario::from_toml("theory", "theory.toml", SCENARIO.as_bytes(), &none);
    let mut scenario = read.unwrap_or_else(|error| panic!("{error}"));
    let count = match servers {
        Servers::Leader(decide) => {
            scenario.cluster.cores = 1;
            scenario.costs.decide = decide;
            1
        }
        Servers::Gateway(cores, route) => {
            scenario.cluster.cores = cores + 1;
            scenario.costs.route = route;
            cores
        }
    };
    let over = f64::from(users) * mean_us / load / f64::from(count);
    let over = Span(over as u64);
    scenario.crowd.users = users;
    scenario.crowd.arrivals = Arrivals::Poisson { over };
    scenario.duration = over + over;
    let json = scenario.to_json();
    Scenario::from_json("theory.json", json.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// Waits of people, in units of the mean service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    pub(crate) count: u64,
    pub(crate) sojourn: f64,
    pub(crate) p99: f64,
}

/// Plays the scenario.
pub(crate) fn play(scenario: &Scenario, seed: u64) -> Outcome {
    run::run(&Plan::new(scenario, seed), &Arc::default(), Tracing::default())
}

/// Waits of people in a run.
pub(crate) fn met(outcome: &Outcome, mean_us: f64) -> Met {
    let holds = outcome.records.latencies(Operation::Hold, Window::Whole);
    assert_eq!(holds.unanswered(), 0);
    let of = |span: Option<Span>| span.expect("at least one person asked").0 as f64 / mean_us;
    Met { count: holds.count(), sojourn: of(holds.mean()), p99: of(holds.quantile(0.99)) }
}

/// The means over all seeds, played in parallel.
pub(crate) fn pooled(scenario: &Scenario, mean_us: f64) -> Met {
    let each: Vec<Met> = std::thread::scope(|scope| {
        let plays = SEEDS.map(|seed| scope.spawn(move || met(&play(scenario, seed), mean_us)));
        plays.into_iter().map(|play| play.join().expect("a run reports its panics")).collect()
    });
    let of = |figure: fn(&Met) -> f64| each.iter().map(figure).sum::<f64>() / SEEDS.len() as f64;
    let count = each.iter().map(|met| met.count).sum();
    Met { count, sojourn: of(|met| met.sojourn), p99: of(|met| met.p99) }
}

/// Arrivals of everybody in a run.
pub(crate) fn arrivals(scenario: &Scenario, seed: u64) -> Vec<Instant> {
    let crowd = &scenario.crowd;
    let plan = Plan::new(scenario, seed);
    let curve = Curve::new(&crowd.arrivals, crowd.users, plan.stream("demand"), false);
    (0..crowd.users).map(|user| curve.arrival(user)).collect()
}
