//! What a scenario says, validated, with every default filled in.
//!
//! Owns the parameters of a run as one value, and the way from and to what a file has. Past this type nothing validates
//! again. Refuses to know how a file is read or how a run is made.

use onsale_booking::{NodeId, Span};
use toml::Table;

use crate::fault::{Family, Fault, Swarm, Target};
use crate::form::ScenarioFile;
use crate::limit::Limit;
use crate::replay::Replay;
use crate::setting::Writable;
use crate::settings::{Cluster, Costs, Crowd, Disk, Expect, Facts, Network, Sale};
use crate::written::Written;

/// A whole scenario. Each setting's meaning and default is documented at its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Catalogue path without extension (`fast/crash`), or the file's path as given.
    pub id: String,
    /// One sentence that says what the scenario shows.
    pub title: String,
    /// How long the crowd acts: virtual time from the start to the last arrival's horizon.
    pub duration: Span,
    /// Most time after the last fault until all requests are answered and all moves have ended; requests sooner if the
    /// settings let them.
    pub calm: Span,
    /// Batching window: requests between the same two places within this span share a message; zero: one message a
    /// request.
    pub quantum: Span,
    /// The booking cluster.
    pub cluster: Cluster,
    /// The shows for sale.
    pub sale: Sale,
    /// The crowd.
    pub crowd: Crowd,
    /// The people who read and change facts, if there are any.
    pub facts: Option<Facts>,
    /// How messages travel.
    pub network: Network,
    /// How writes become durable.
    pub disk: Disk,
    /// CPU time of each kind of work.
    pub costs: Costs,
    /// Faults at fixed times.
    pub faults: Vec<Fault>,
    /// Faults drawn from the seed.
    pub swarm: Option<Swarm>,
    /// Oracles that must have been exercised, by name.
    pub must_exercise: Vec<String>,
    /// Limits on how long people wait.
    pub limits: Vec<Limit>,
    /// Marks that must have been seen, by name.
    pub must_mark: Vec<String>,
    /// The expected failure, with an unsafe setting.
    pub must_fail: Option<MustFail>,
    /// Seed under which it once failed; `None` for a scenario that is no regression.
    pub replay: Option<Replay>,
    /// Keys with a default that the file writes nonetheless.
    pub written: Written,
}

/// An expected failure, and within how many seeds it must be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MustFail {
    /// The oracle that must fail.
    pub oracle: String,
    /// Number of consecutive seeds within which it must fail, whatever the first seed.
    pub within: u32,
}

impl Default for Scenario {
    /// Every setting at its default; neither id nor title.
    fn default() -> Self {
        ScenarioFile::default().into()
    }
}

impl Scenario {
    /// Whether members may change, so that shards have to be moved.
    pub fn changes_nodes(&self) -> bool {
        let leaves = |fault: &Fault| fault.family() == Family::Leave;
        self.cluster.spares > 0 || self.faults.iter().any(leaves)
    }

    /// The spares that no fault in the list lets join.
    pub fn spares_at_hand(&self) -> impl Iterator<Item = Target> + '_ {
        let joins =
            move |spare: &Target| self.faults.iter().any(|fault| fault.joining().contains(spare));
        let spares = self.cluster.nodes + 1..=self.cluster.numbers();
        spares.map(|number| Target::Node(NodeId(number))).filter(move |spare| !joins(spare))
    }

    /// Serializes it as a file with every default filled in. Files have no id.
    pub(crate) fn to_table(&self) -> Table {
        let file = ScenarioFile { id: None, written: Written::default(), ..self.clone().into() };
        Table::try_from(Writable(&file)).expect("every field of a scenario has a form in TOML")
    }
}

impl From<Scenario> for ScenarioFile {
    fn from(scenario: Scenario) -> Self {
        let must_fail = scenario.must_fail.map(|MustFail { oracle, within }| (oracle, within));
        let (fails, within) = must_fail.unzip();
        Self {
            id: Some(scenario.id),
            title: scenario.title,
            duration: scenario.duration,
            calm: scenario.calm,
            quantum: scenario.quantum,
            cluster: scenario.cluster,
            sale: scenario.sale,
            crowd: scenario.crowd,
            facts: scenario.facts,
            network: scenario.network,
            disk: scenario.disk,
            costs: scenario.costs,
            fault: scenario.faults,
            swarm: scenario.swarm,
            expect: Expect {
                exercised: scenario.must_exercise,
                marks: scenario.must_mark,
                latency: scenario.limits,
                fails,
                within,
            },
            replay: scenario.replay,
            written: scenario.written,
        }
    }
}

/// Reads it as written, without checks.
impl From<ScenarioFile> for Scenario {
    fn from(file: ScenarioFile) -> Self {
        let Expect { exercised, marks, latency, fails, within } = file.expect;
        // Where one of the two keys is missing, its value is sure to be complained about.
        let must_fail = (fails.is_some() || within.is_some()).then(|| MustFail {
            oracle: fails.unwrap_or_default(),
            within: within.unwrap_or_default(),
        });
        Self {
            id: file.id.unwrap_or_default(),
            title: file.title,
            duration: file.duration,
            calm: file.calm,
            quantum: file.quantum,
            cluster: file.cluster,
            sale: file.sale,
            crowd: file.crowd,
            facts: file.facts,
            network: file.network,
            disk: file.disk,
            costs: file.costs,
            faults: file.fault,
            swarm: file.swarm,
            must_exercise: exercised,
            limits: latency,
            must_mark: marks,
            must_fail,
            replay: file.replay,
            written: file.written,
        }
    }
}
