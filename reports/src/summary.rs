//! The summary of a run, in one value and as JSON.
//!
//! Owns the schema of `summary.json`. Refuses to know how it looks at a terminal.

use std::collections::BTreeMap;

use onsale_booking::Span;
use serde::{Serialize, Serializer};

use crate::documented::{Field, documented};
use crate::json;
use crate::latency::Latencies;
use crate::operation::{Ending, Operation, Window};
use crate::recorder::Records;
use crate::run_facts::{
    Evidence, FactsResult, FailoverResult, FaultResult, LeadTransfers, Losses, Lost, MomentResult,
    OutageResult, Outages, RunFacts, Stopped, Touched, TraceResult, TransferTimes, Verdict,
};

/// The version of `summary.json`. Rises when the meaning of a key changes or a key is removed.
pub const SCHEMA: u32 = 3;

/// The facts of a run and the waits of its users.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The facts from the simulator.
    pub facts: RunFacts,
    /// By [`Operation`] and [`Window`].
    latency: [[LatencyRow; Window::ALL.len()]; Operation::ALL.len()],
}

/// One operation in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyRow {
    /// Number of operations that ended.
    pub count: u64,
    /// Number of operations by [`Ending`].
    pub endings: [u64; Ending::ALL.len()],
    /// Number of operations without an answer when the run was over; not included in `count`.
    pub unanswered: u64,
    /// The longest wait of an unanswered operation.
    pub unanswered_longest: Span,
    /// `None` if nothing ended.
    pub percentiles: Option<Percentiles>,
}

/// Latencies of the operations that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// The median.
    pub p50: Span,
    /// The 90th percentile.
    pub p90: Span,
    /// The 99th percentile.
    pub p99: Span,
    /// The 99.9th percentile.
    pub p99_9: Span,
    /// The slowest, exact.
    pub max: Span,
    /// The mean, exact.
    pub mean: Span,
}

impl LatencyRow {
    fn new(latencies: &Latencies) -> Self {
        Self {
            count: latencies.count(),
            endings: Ending::ALL.map(|ending| latencies.ended(ending)),
            unanswered: latencies.unanswered(),
            unanswered_longest: latencies.unanswered_longest(),
            percentiles: Percentiles::new(latencies),
        }
    }

    /// Whether the operation never occurred.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.unanswered == 0
    }
}

impl Percentiles {
    fn new(latencies: &Latencies) -> Option<Self> {
        Some(Self {
            p50: latencies.quantile(0.5)?,
            p90: latencies.quantile(0.9)?,
            p99: latencies.quantile(0.99)?,
            p99_9: latencies.quantile(0.999)?,
            max: latencies.max()?,
            mean: latencies.mean()?,
        })
    }
}

impl Summary {
    /// Combines facts and records.
    pub fn new(facts: RunFacts, records: &Records) -> Self {
        let latency = Operation::ALL.map(|operation| {
            Window::ALL.map(|window| LatencyRow::new(records.latencies(operation, window)))
        });
        Self { facts, latency }
    }

    /// The figures of an operation.
    pub fn latency(&self, operation: Operation, window: Window) -> &LatencyRow {
        &self.latency[operation as usize][window as usize]
    }

    /// The text of `summary.json` and of `--json`: indented, its keys in a fixed order, with a
    /// newline at its end.
    pub fn to_json(&self) -> String {
        json::pretty(&Document::new(self))
    }
}

documented! {
    /// The keys of `summary.json`, in their order.
    #[derive(Serialize)]
    struct Document<'a> {
        /// Version of this document; rises when the meaning of a key changes or a key is removed.
        schema: u32,
        /// The scenario's id.
        scenario: &'a str,
        /// The scenario's title.
        title: &'a str,
        /// The seed, as a string.
        #[serde(with = "json::seed")]
        seed: u64,
        /// Version of the code that ran.
        code_version: &'a str,
        /// The build profile: `release` or `dev`.
        build_profile: &'a str,
        /// Hash over all events: equal for equal runs.
        trace_hash: &'a str,
        /// Whether the run was stopped before its end, so that all figures cover a part.
        interrupted: bool,
        /// The state at the instant at which the run was stopped on purpose; absent otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        stopped: Option<&'a Stopped>,
        /// People of the scenario.
        users: u64,
        /// The trace of arrivals; absent without one.
        #[serde(skip_serializing_if = "Option::is_none")]
        trace: Option<&'a TraceResult>,
        /// People who were admitted.
        admitted: u64,
        /// Seats for sale.
        seats: u64,
        /// Seats booked at the end.
        sold_seats: u64,
        /// Seats on hold at the end.
        held_at_end: u64,
        /// Virtual time from start to end, in seconds.
        virtual_s: f64,
        /// Wall time from start to end, in seconds.
        wall_s: f64,
        /// Events simulated.
        events: u64,
        /// Messages delivered.
        messages: u64,
        /// Replicas whose state was compared at the end with the state rebuilt from their disk.
        replicas_replayed: u32,
        /// Peak resident memory of the process, in bytes; zero if unknown.
        peak_rss_bytes: u64,
        /// The result of each oracle, by its name.
        oracles: InOrder<&'a str, OracleDocument<'a>>,
        /// Expectations of the scenario that were not met: oracles to exercise, marks to see.
        must_exercise_misses: &'a [String],
        /// Number of times each rare path was taken, by its mark.
        marks: &'a BTreeMap<String, u64>,
        /// Number of people by fate.
        users_outcome: InOrder<&'a str, u64>,
        /// Requests that ill-mannered people added to their sessions, by habit and answer; absent if there were none.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        manners: &'a BTreeMap<String, BTreeMap<String, u64>>,
        /// Latencies of each operation, in milliseconds, by its name.
        latency_ms: InOrder<&'static str, OperationDocument>,
        /// The faults, in the order in which they struck.
        faults: &'a [FaultResult],
        /// The outages of shards.
        outages: &'a Outages,
        /// Lead transfers without a fault; absent if there were none.
        #[serde(skip_serializing_if = "Option::is_none")]
        lead_transfers: Option<&'a LeadTransfers>,
        /// What operators' recoveries gave up; absent if there were none.
        #[serde(skip_serializing_if = "Option::is_none")]
        given_up: Option<&'a Losses>,
        /// Results of the replicated facts; absent if there were none.
        #[serde(skip_serializing_if = "Option::is_none")]
        facts: Option<&'a FactsResult>,
        /// Time from the last fault's healing until the run was live again, in milliseconds; null if it never
        /// was, or without a fault.
        calm_recovery_ms: Option<f64>,
        /// The values of the scenario, with the basis of each.
        assumptions: Vec<AssumptionDocument<'a>>,
        /// The command line that plays this run again.
        reproduce: &'a str,
    }
}

documented! {
    #[derive(Serialize)]
    struct OracleDocument<'a> {
        /// `pass`, `fail` or `not-exercised`: there was nothing to check.
        verdict: Verdict,
        /// Number of checks made.
        checked: u64,
        /// The evidence of its failure; null unless it failed.
        evidence: Option<&'a Evidence>,
    }
}

documented! {
    #[derive(Serialize)]
    struct AssumptionDocument<'a> {
        /// Path of the key, as in `crowd.session.abandon`.
        field: &'a str,
        /// The value, as a scenario file writes it.
        value: &'a str,
        /// The basis of the value.
        basis: &'a str,
    }
}

documented! {
    #[derive(Serialize)]
    struct OperationDocument {
        /// Number of operations that ended.
        count: u64,
        /// The median.
        p50: Option<f64>,
        /// The 90th percentile.
        p90: Option<f64>,
        /// The 99th percentile.
        p99: Option<f64>,
        /// The 99.9th percentile.
        p99_9: Option<f64>,
        /// The longest, exact.
        max: Option<f64>,
        /// The mean, exact.
        mean: Option<f64>,
        /// Operations without an answer when the run was over; not included in `count`.
        unanswered: u64,
        /// The longest wait of an unanswered operation.
        unanswered_longest: f64,
        /// Number of operations by ending.
        endings: InOrder<&'static str, u64>,
        /// The same for operations that overlap a fault.
        #[serde(skip_serializing_if = "Option::is_none")]
        in_faults: Option<Box<Self>>,
        /// The same for the other operations.
        #[serde(skip_serializing_if = "Option::is_none")]
        outside_faults: Option<Box<Self>>,
    }
}

/// The objects of `summary.json`, each with its path and its fields.
pub fn documents() -> Vec<(&'static str, &'static [Field])> {
    vec![
        ("", Document::FIELDS),
        ("oracles.NAME", OracleDocument::FIELDS),
        ("oracles.NAME.evidence", Evidence::FIELDS),
        ("latency_ms.OPERATION", OperationDocument::FIELDS),
        ("faults[]", FaultResult::FIELDS),
        ("faults[].moment", MomentResult::FIELDS),
        ("faults[].touched", Touched::FIELDS),
        ("faults[].failover", FailoverResult::FIELDS),
        ("faults[].lead_transfers", TransferTimes::FIELDS),
        ("outages", Outages::FIELDS),
        ("outages.longest[]", OutageResult::FIELDS),
        ("lead_transfers", LeadTransfers::FIELDS),
        ("lead_transfers.near_venue", TransferTimes::FIELDS),
        ("lead_transfers.by_load", TransferTimes::FIELDS),
        ("given_up", Losses::FIELDS),
        ("given_up.told[]", Lost::FIELDS),
        ("facts", FactsResult::FIELDS),
        ("trace", TraceResult::FIELDS),
        ("stopped", Stopped::FIELDS),
        ("assumptions[]", AssumptionDocument::FIELDS),
    ]
}

impl<'a> Document<'a> {
    fn new(summary: &'a Summary) -> Self {
        let facts = &summary.facts;
        Self {
            schema: SCHEMA,
            scenario: &facts.scenario,
            title: &facts.title,
            seed: facts.seed,
            code_version: &facts.code_version,
            build_profile: &facts.build_profile,
            trace_hash: &facts.trace_hash,
            interrupted: facts.interrupted,
            stopped: facts.stopped.as_ref(),
            users: facts.users,
            trace: facts.trace.as_ref(),
            admitted: facts.admitted,
            seats: facts.seats,
            sold_seats: facts.sold_seats,
            held_at_end: facts.held_at_end,
            virtual_s: facts.virtual_s,
            wall_s: facts.wall_s,
            events: facts.events,
            messages: facts.messages,
            replicas_replayed: facts.replicas_replayed,
            peak_rss_bytes: facts.peak_rss_bytes,
            oracles: facts
                .oracles
                .iter()
                .map(|oracle| {
                    let document = OracleDocument {
                        verdict: oracle.verdict,
                        checked: oracle.checked,
                        evidence: oracle.evidence.as_ref(),
                    };
                    (oracle.name.as_str(), document)
                })
                .collect(),
            must_exercise_misses: &facts.must_exercise_misses,
            marks: &facts.marks,
            users_outcome: facts.users_outcome.iter().map(|(name, n)| (&**name, *n)).collect(),
            manners: &facts.manners,
            latency_ms: Operation::ALL
                .map(|operation| (operation.name(), OperationDocument::new(summary, operation)))
                .into_iter()
                .collect(),
            faults: &facts.faults,
            outages: &facts.outages,
            lead_transfers: (!facts.lead_transfers.is_empty()).then_some(&facts.lead_transfers),
            given_up: facts.given_up.as_ref(),
            facts: facts.facts.as_ref(),
            calm_recovery_ms: facts.calm_recovery_ms,
            assumptions: facts
                .assumptions
                .iter()
                .map(|(field, value, basis)| AssumptionDocument { field, value, basis })
                .collect(),
            reproduce: &facts.reproduce,
        }
    }
}

impl OperationDocument {
    fn new(summary: &Summary, operation: Operation) -> Self {
        let of = |window| Self::of_row(summary.latency(operation, window));
        Self {
            in_faults: Some(Box::new(of(Window::InFaults))),
            outside_faults: Some(Box::new(of(Window::OutsideFaults))),
            ..of(Window::Whole)
        }
    }

    fn of_row(row: &LatencyRow) -> Self {
        let millis = |of: fn(&Percentiles) -> Span| {
            row.percentiles.as_ref().map(of).map(Span::as_millis_f64)
        };
        Self {
            count: row.count,
            p50: millis(|percentiles| percentiles.p50),
            p90: millis(|percentiles| percentiles.p90),
            p99: millis(|percentiles| percentiles.p99),
            p99_9: millis(|percentiles| percentiles.p99_9),
            max: millis(|percentiles| percentiles.max),
            mean: millis(|percentiles| percentiles.mean),
            unanswered: row.unanswered,
            unanswered_longest: row.unanswered_longest.as_millis_f64(),
            endings: Ending::ALL
                .map(|ending| (ending.name(), row.endings[ending as usize]))
                .into_iter()
                .collect(),
            in_faults: None,
            outside_faults: None,
        }
    }
}

/// An object whose keys keep their order.
struct InOrder<K, V>(Vec<(K, V)>);

impl<K, V> FromIterator<(K, V)> for InOrder<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<K: Serialize, V: Serialize> Serialize for InOrder<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::documents;
    use crate::sample;

    /// Objects whose keys are names, with a placeholder for the name.
    const MAPS: [(&str, &str); 7] = [
        ("oracles", "NAME"),
        ("latency_ms", "OPERATION"),
        ("latency_ms.OPERATION.endings", "ENDING"),
        ("marks", "MARK"),
        ("users_outcome", "OUTCOME"),
        ("manners", "HABIT"),
        ("manners.HABIT", "ANSWER"),
    ];

    /// Every object in a document has its fields listed.
    fn check(place: &str, value: &Value) {
        if let Some(items) = value.as_array() {
            items.iter().for_each(|item| check(&format!("{place}[]"), item));
        }
        let place = place.trim_end_matches(".in_faults").trim_end_matches(".outside_faults");
        let Some(object) = value.as_object() else { return };
        let name = MAPS.iter().find(|(map, _)| *map == place).map(|(_, name)| *name);
        let documents = documents();
        let fields = documents.iter().find(|(known, _)| *known == place);
        for (key, value) in object {
            let is_known = fields.is_some_and(|(_, fields)| fields.iter().any(|it| it.name == key));
            assert!(name.is_some() || is_known, "nothing tells of {place}: {key}");
            let step = name.unwrap_or(key);
            let inner = if place.is_empty() { step.to_owned() } else { format!("{place}.{step}") };
            check(&inner, value);
        }
    }

    #[test]
    fn every_field_is_told_of() {
        for summary in [sample::passed(), sample::failed()] {
            check("", &serde_json::from_str(&summary.to_json()).unwrap());
        }
        for (place, fields) in documents() {
            for field in fields {
                assert!(!field.doc.is_empty(), "{place}: what is {}?", field.name);
            }
        }
    }

    #[test]
    fn json_keeps_its_keys_and_their_order() {
        insta::assert_snapshot!("summary.json", sample::failed().to_json());
    }

    #[test]
    fn json_names_what_programs_look_for() {
        let json: Value = serde_json::from_str(&sample::passed().to_json()).unwrap();
        assert_eq!(json["schema"], 3);
        assert_eq!(json["seed"], u64::MAX.to_string());
        assert_eq!(json["oracles"]["double-booking"]["verdict"], "pass");
        assert_eq!(json["oracles"]["fairness"]["verdict"], "not-exercised");
        assert_eq!(json["latency_ms"]["hold"]["unanswered"], 2);
        assert_eq!(json["latency_ms"]["release"]["p99_9"], Value::Null);
    }
}
