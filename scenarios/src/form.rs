//! The form of a scenario file: its top level, where sections, faults and expectations meet.
//!
//! Owns the keys of the top. Refuses to know what makes a scenario sound.

use onsale_booking::Span;

use crate::fault::{Fault, Swarm};
use crate::replay::Replay;
use crate::setting::{SOME_TIME, Section, Table, settings};
use crate::settings::{Cluster, Costs, Crowd, Disk, Expect, Facts, Network, QUANTUM, Sale};
use crate::written::Written;

// Five nodes, 64 shards and 2,000 users over five minutes, without faults, id or title.
settings! {
    /// A scenario, as a file has it.
    pub(crate) section ScenarioFile {
        /// Only in JSON: a file's id is its path.
        id: Option<String>;
        /// One sentence that says what the scenario shows.
        title: String = String::new(), chosen;
        /// How long the crowd acts, in virtual time.
        duration: Span = Span::from_secs(300), chosen, in SOME_TIME;
        // Longer than a hold with its grace, so that every hold can come to its end.
        /// How soon after the last fault, when everything heals, the run must be live again.
        calm: Span = Span::from_secs(360), chosen, in SOME_TIME;
        /// Requests that leave one place for another within this span share a message; zero: each has its own.
        quantum: Span = Span::ZERO, chosen, in QUANTUM;
        /// The booking cluster.
        cluster: Cluster;
        /// What is for sale.
        sale: Sale;
        /// The people who come.
        crowd: Crowd;
        /// The readers and writers of facts. Left out, there are none.
        facts: Option<Facts>;
        /// How messages travel.
        network: Network;
        /// How writes become durable.
        disk: Disk;
        /// What each kind of work costs a core.
        costs: Costs;
        /// Faults at fixed times, each with one key: its family.
        fault: Vec<Fault> = Vec::new(), chosen;
        /// Faults drawn from the seed. Left out, none is.
        swarm: Option<Swarm>;
        /// What has to come out of a run.
        expect: Expect;
        /// Seed under which the scenario once failed. Left out, it is no regression.
        replay: Option<Replay>;
        /// Only in JSON: of a file it is known.
        written: Written = Written::default(), chosen;
    }
}

/// Keys that no file has: a plan in JSON does.
const ONLY_IN_JSON: [&str; 2] = ["id", "written"];

/// A scenario file: all its sections with all their keys.
pub fn settings() -> Section {
    let mut file = ScenarioFile::describe();
    file.keys.retain(|key| !ONLY_IN_JSON.contains(&key.name));
    file
}
