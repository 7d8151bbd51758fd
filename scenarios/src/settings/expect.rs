//! `[expect]`: what has to come out of a run.
//!
//! Owns the keys. Refuses to know how a run is judged.

use onsale_cluster::Mark;
use onsale_reports::Oracle;

use crate::limit::Limit;
use crate::setting::{Choice, settings};

fn oracles() -> Vec<Choice> {
    let choice = |oracle: Oracle| Choice { name: oracle.name().to_owned(), doc: oracle.meaning() };
    Oracle::DEMANDABLE.map(choice).into()
}

fn marks() -> Vec<Choice> {
    Mark::ALL
        .iter()
        .map(|mark| Choice { name: mark.name().to_owned(), doc: mark.meaning() })
        .collect()
}

settings! {
    /// What has to come out of a run.
    pub(crate) section Expect {
        /// Oracles that must have been exercised, by name: a check whose subject never happened is no pass.
        exercised: Vec<String> = Vec::new(), chosen, in Some(oracles);
        /// Marks that must have been seen, by name: nor is a run that never took a rare path.
        marks: Vec<String> = Vec::new(), chosen, in Some(marks);
        /// Limits on what people wait.
        latency: Vec<Limit> = Vec::new(), chosen;
        /// With an unsafe setting: the oracle that must fail.
        fails: Option<String>, in Some(oracles);
        /// Seeds, whichever the first is, in one of which it fails.
        within: Option<u32>, unit "seeds";
    }
}
