//! `[expect]`: the results that a scenario requires.
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
    /// The results that a run, or a sweep, must have to pass.
    pub(crate) section Expect {
        /// Oracles that must have been exercised: a check that had nothing to check is not a pass.
        exercised: Vec<String> = Vec::new(), chosen, in Some(oracles);
        /// Marks that must have been seen: a run that never took these rare paths is not a pass.
        marks: Vec<String> = Vec::new(), chosen, in Some(marks);
        /// Limits on how long people wait.
        latency: Vec<Limit> = Vec::new(), chosen;
        /// The oracle that must fail, with an unsafe setting.
        fails: Option<String>, in Some(oracles);
        /// Number of consecutive seeds within which that oracle must fail, whatever the first seed.
        within: Option<u32>, unit "seeds";
    }
}
