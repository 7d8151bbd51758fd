//! Validation of a scenario.
//!
//! Owns every rule between values; the bounds of a single value are at its key. Refuses to know how the scenario
//! was written: a complaint names the field, and the reader finds its place.

mod arrivals;
mod changes;
mod cluster;
mod crowd;
mod facts;
mod sale;
mod swarm;
mod system;

use std::collections::BTreeSet;

use onsale_booking::Span;
use onsale_cluster::Mark;
use onsale_reports::Oracle;

use crate::form::ScenarioFile;
use crate::human;
use crate::limit::{Part, Wait};
use crate::problem::Complaint;
use crate::ratio::Ratio;
use crate::scenario::{MustFail, Scenario};
use crate::setting::{Checks, Table};
use crate::settings::{Network, QUANTUM, System};

/// All complaints about a scenario; empty if it is valid.
pub(crate) fn complaints(scenario: &Scenario) -> Vec<Complaint> {
    let mut checks = Checks::default();
    ScenarioFile::from(scenario.clone()).check_keys("", &mut checks);
    checks.scenario(scenario);
    checks.cluster(&scenario.cluster);
    checks.elections(&scenario.cluster, &scenario.disk);
    checks.sale(&scenario.sale, &scenario.cluster);
    checks.crowd(&scenario.crowd, &scenario.sale, scenario.duration);
    if let Some(facts) = &scenario.facts {
        checks.facts(facts, scenario.duration);
    }
    checks.network(&scenario.network);
    for (n, fault) in scenario.faults.iter().enumerate() {
        let field = format!("fault[{n}].{}", fault.family());
        fault.check_in(&field, &scenario.cluster, scenario.duration, &mut checks);
    }
    checks.system(scenario);
    let fails_over = scenario.cluster.system == System::Replicated;
    let may_break = fails_over && (!scenario.faults.is_empty() || scenario.swarm.is_some());
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

impl Checks {
    fn scenario(&mut self, scenario: &Scenario) {
        self.that(!scenario.title.trim().is_empty(), "title", || {
            (
                "the scenario has no title".into(),
                "say in one sentence what it shows: `title = \"…\"`".into(),
            )
        });
        // Requests within a batching window leave together, before the latest of them was made; they must not
        // arrive before that instant.
        self.that_both(
            scenario.quantum <= scenario.network.client.least()
                || !QUANTUM.contains(&scenario.quantum),
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

    fn network(&mut self, network: &Network) {
        self.that(network.loss != Ratio::ALWAYS, "network.loss", || {
            (
                "every message is lost, so nothing can happen".into(),
                "lose a part: `loss = \"1/200\"`".into(),
            )
        });
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
            ("`within` needs `fails`".into(), "add `fails = \"hold\"`".into())
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
            ("`fails` needs `within`".into(), "add `within = 20`, in seeds".into())
        });
    }

    /// A name that is known; `noun` is what it names.
    fn name(&mut self, field: &str, noun: &str, name: &str, known: &[&str]) {
        self.that(known.contains(&name), field, || {
            let help = human::advice(name, known, &format!("the {noun}s are"));
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
}
