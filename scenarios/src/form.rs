//! The form of a scenario file: its top-level keys and sections.
//!
//! Owns the top-level keys. Refuses to know what makes a scenario valid.

use onsale_booking::Span;

use crate::fault::{Fault, Swarm};
use crate::replay::Replay;
use crate::setting::{Kind, SOME_TIME, Section, Table, Value, settings};
use crate::settings::{Cluster, Costs, Crowd, Disk, Expect, Facts, Network, QUANTUM, Sale};
use crate::written::Written;

// Five nodes, 64 shards and 2,000 users over five minutes, without faults, id or title.
settings! {
    /// A scenario file.
    pub(crate) section ScenarioFile {
        /// The id, only in JSON; the id of a file is its path.
        id: Option<String>;
        /// One sentence that says what the scenario shows.
        title: String;
        /// How long the crowd acts, in virtual time.
        duration: Span = Span::from_secs(300), chosen, in SOME_TIME;
        // Longer than a hold with its grace, so that every hold can come to its end.
        /// Most time after the last fault until all requests are answered and all moves have ended; requests sooner if
        /// the settings let them.
        calm: Span = Span::from_secs(360), chosen, in SOME_TIME;
        /// Batching window: requests between the same two places within this span share a message; zero: one message each.
        quantum: Span = Span::ZERO, chosen, in QUANTUM;
        /// The booking cluster.
        cluster: Cluster;
        /// The shows for sale.
        sale: Sale;
        /// The people.
        crowd: Crowd;
        /// The people who read and change facts; by default there are none.
        facts: Option<Facts>;
        /// How messages travel.
        network: Network;
        /// How writes become durable.
        disk: Disk;
        /// CPU time of each kind of work.
        costs: Costs;
        /// Faults at fixed times, each with one key: its family.
        fault: Vec<Fault> = Vec::new(), chosen;
        /// Faults drawn from the seed; by default there are none.
        swarm: Option<Swarm>;
        /// The results that a run, or a sweep, must have to pass.
        expect: Expect;
        /// The seed under which the scenario once failed; only for a regression.
        replay: Option<Replay>;
        /// Keys that the file wrote, only in JSON.
        written: Written = Written::default(), chosen;
    }
}

/// Keys that exist only in the JSON of a plan.
const ONLY_IN_JSON: [&str; 2] = ["id", "written"];

/// All sections and keys of a scenario file.
pub fn settings() -> Section {
    let mut file = ScenarioFile::describe();
    file.keys.retain(|key| !ONLY_IN_JSON.contains(&key.name));
    file
}

/// The type of the setting at a path such as `fault[0].crash.node`.
pub(crate) fn kind_at(path: &str) -> Option<Kind> {
    let mut kind = ScenarioFile::kind(&());
    for part in path.split('.') {
        let (key, indices) = part.split_once('[').unwrap_or((part, ""));
        kind = kind.at_key(key)?;
        for index in indices.split(['[', ']']).filter_map(|index| index.parse().ok()) {
            kind = kind.at_index(index)?;
        }
    }
    Some(kind)
}
