//! A run in one value, and as JSON.
//!
//! Owns the schema of `summary.json`. Refuses to know how it looks at a terminal.

use std::collections::BTreeMap;

use onsale_booking::Span;
use serde::{Serialize, Serializer};

use crate::facts::{
    Evidence, FactsResult, FaultResult, LeadTransfers, Outages, RunFacts, Stopped, TraceResult,
    Verdict,
};
use crate::json;
use crate::latency::Latencies;
use crate::operation::{Ending, Operation, Window};
use crate::recorder::Records;

/// The version of `summary.json`. Rises when a key changes its meaning or goes away.
pub const SCHEMA: u32 = 3;

/// The facts of a run and what its users waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// What the simulator says.
    pub facts: RunFacts,
    /// By [`Operation`] and [`Window`].
    latency: [[LatencyRow; Window::ALL.len()]; Operation::ALL.len()],
}

/// One operation in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyRow {
    /// How many ended.
    pub count: u64,
    /// How many of them ended in each way, by [`Ending`].
    pub endings: [u64; Ending::ALL.len()],
    /// How many got no answer before the run was over; not among `count`.
    pub unanswered: u64,
    /// The longest that one of those had waited.
    pub unanswered_longest: Span,
    /// None if nothing ended.
    pub percentiles: Option<Percentiles>,
}

/// Latencies of those that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// The median.
    pub p50: Span,
    /// Nine in ten were faster.
    pub p90: Span,
    /// 99 in 100 were faster.
    pub p99: Span,
    /// 999 in 1,000 were faster.
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

    /// Whether the operation did not occur.
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
    /// Puts facts and records together.
    pub fn new(facts: RunFacts, records: &Records) -> Self {
        let latency = Operation::ALL.map(|operation| {
            Window::ALL.map(|window| LatencyRow::new(records.latencies(operation, window)))
        });
        Self { facts, latency }
    }

    /// How long an operation took.
    pub fn latency(&self, operation: Operation, window: Window) -> &LatencyRow {
        &self.latency[operation as usize][window as usize]
    }

    /// The text of `summary.json` and of `--json`: indented, its keys in a fixed order, with a
    /// newline at its end.
    pub fn to_json(&self) -> String {
        json::pretty(&Document::new(self))
    }
}

/// The keys of `summary.json`, in their order.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    scenario: &'a str,
    title: &'a str,
    #[serde(with = "json::seed")]
    seed: u64,
    code_version: &'a str,
    build_profile: &'a str,
    trace_hash: &'a str,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a Stopped>,
    users: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a TraceResult>,
    admitted: u64,
    seats: u64,
    sold_seats: u64,
    held_at_end: u64,
    virtual_s: f64,
    wall_s: f64,
    events: u64,
    messages: u64,
    replicas_replayed: u32,
    peak_rss_bytes: u64,
    oracles: InOrder<&'a str, OracleDocument<'a>>,
    must_exercise_misses: &'a [String],
    marks: &'a BTreeMap<String, u64>,
    users_outcome: InOrder<&'a str, u64>,
    latency_ms: InOrder<&'static str, OperationDocument>,
    faults: &'a [FaultResult],
    outages: &'a Outages,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead_transfers: Option<&'a LeadTransfers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<&'a FactsResult>,
    calm_recovery_ms: Option<f64>,
    assumptions: Vec<AssumptionDocument<'a>>,
    reproduce: &'a str,
}

#[derive(Serialize)]
struct OracleDocument<'a> {
    verdict: Verdict,
    checked: u64,
    evidence: Option<&'a Evidence>,
}

#[derive(Serialize)]
struct AssumptionDocument<'a> {
    field: &'a str,
    value: &'a str,
    basis: &'a str,
}

#[derive(Serialize)]
struct OperationDocument {
    count: u64,
    p50: Option<f64>,
    p90: Option<f64>,
    p99: Option<f64>,
    p99_9: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
    unanswered: u64,
    unanswered_longest: f64,
    endings: InOrder<&'static str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_faults: Option<Box<Self>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outside_faults: Option<Box<Self>>,
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
            latency_ms: Operation::ALL
                .map(|operation| (operation.name(), OperationDocument::new(summary, operation)))
                .into_iter()
                .collect(),
            faults: &facts.faults,
            outages: &facts.outages,
            lead_transfers: (!facts.lead_transfers.is_empty()).then_some(&facts.lead_transfers),
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

/// An object whose keys keep the order in which they were given.
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
    use crate::sample;

    #[test]
    fn json_keeps_its_keys_and_their_order() {
        insta::assert_snapshot!("summary.json", sample::failed().to_json());
    }

    #[test]
    fn json_names_what_programs_look_for() {
        let json: serde_json::Value = serde_json::from_str(&sample::passed().to_json()).unwrap();
        assert_eq!(json["schema"], 3);
        assert_eq!(json["seed"], u64::MAX.to_string());
        assert_eq!(json["oracles"]["double-booking"]["verdict"], "pass");
        assert_eq!(json["oracles"]["fairness"]["verdict"], "not-exercised");
        assert_eq!(json["latency_ms"]["hold"]["unanswered"], 2);
        assert_eq!(json["latency_ms"]["release"]["p99_9"], serde_json::Value::Null);
    }
}
