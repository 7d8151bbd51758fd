//! Folds the events of a run into histograms, tables and files.
//!
//! The simulator reports to a [`Recorder`] while the run goes on, turns it into [`Records`] at the end, and adds
//! the [`RunFacts`] that only it knows. Both make a [`Summary`], the source of all output for people and
//! programs:
//!
//! | for | by |
//! |---|---|
//! | a person at a terminal | [`terminal::render`] |
//! | a program, `summary.json` and `--json` | [`Summary::to_json`] |
//! | a spreadsheet | [`csv::latency`], [`csv::timeline`] |
//! | HdrHistogram's tools | [`hlog::write`] |
//! | tools that draw a trace | [`trace::TraceWriter`] |
//! | checkers of histories, such as Jepsen's | [`history::HistoryWriter`] |
//! | later reading, as a directory | [`directory::write`] |
//!
//! The results of a sweep of many seeds are [`SweepFacts`]; they are written as a page ([`terminal::sweep`]), as
//! JSON, as JUnit XML ([`junit`]), as [`annotations`] and as a [`step_summary`].
//!
//! This crate judges nothing: verdicts come in with the facts and go out unchanged. All output is a function of
//! the records and the facts alone.

pub mod annotations;
pub mod csv;
pub mod detection;
pub mod directory;
pub mod history;
pub mod hlog;
pub mod human;
pub mod json;
pub mod junit;
pub mod latency;
pub mod operation;
pub mod oracle;
pub mod plain;
pub mod recorder;
pub mod run_facts;
pub mod step_summary;
pub mod summary;
pub mod sweep;
pub mod terminal;
pub mod timeline;
pub mod trace;

mod documented;
mod fault_windows;
mod histogram;
#[cfg(test)]
mod sample;

pub use detection::{Detection, Detections};
pub use directory::ReportError;
pub use documented::Field;
pub use latency::{Judged, Latencies};
pub use operation::{Ending, Operation, Window};
pub use oracle::Oracle;
pub use recorder::{Recorder, RecorderSettings, Records};
pub use run_facts::{
    Evidence, FactsResult, FailoverResult, FaultResult, LeadTransfers, Losses, Lost, MomentResult,
    OracleResult, OutageResult, Outages, RunFacts, Stopped, Touched, TraceResult, TransferTimes,
    Verdict,
};
pub use summary::{LatencyRow, Percentiles, Summary};
pub use sweep::SweepFacts;
pub use timeline::Second;
