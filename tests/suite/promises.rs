//! `durable` and `raft` see broken promises in whole runs.
//!
//! Disks drop what they call durable: so nodes speak too early without knowing it. And the catalogue's unsafe settings
//! have nodes speak too early on purpose. Each rule by itself is measured beside the oracles.

use onsale_cluster::journal::frame::{self, Frame};
use onsale_reports::Verdict;
use onsale_scenarios::{Facts, Fault, ProcessFault, Scenario};
use onsale_sim::plan::Plan;
use onsale_sim::run::{Outcome, run_sabotaged};
use onsale_sim::sabotage::{Sabotage, Scribe};
use onsale_tests::{complaint, play, sale_with, scenario, small_sale, verdict};
use onsale_world::place::Place;

use onsale_booking::Span;

/// A disk that says of every write that it is durable, and keeps only what `keeps` leaves of it.
fn disk(keeps: impl Fn(Place, Frame<'_>) -> Option<Frame<'_>> + Send + 'static) -> Sabotage {
    let scribe: Scribe = Box::new(move |node, bytes| {
        let mut kept = Vec::with_capacity(bytes.len());
        let frames = frame::read(bytes).filter_map(|frame| keeps(node, frame));
        frames.for_each(|frame| frame.write(&mut kept));
        *bytes = kept;
    });
    Sabotage { scribe: Some(scribe), ..Sabotage::default() }
}

/// The broken rules of an oracle.
fn broken<'a>(outcome: &'a Outcome, oracle: &str) -> &'a [String] {
    let results = &outcome.summary.facts.oracles;
    let result = results.iter().find(|result| result.name == oracle).expect("it judged");
    result.evidence.as_ref().map_or(&[], |evidence| &evidence.rules)
}

/// Checks that a rule is broken in the first run of a scenario once this is sabotaged, and that nothing is otherwise.
#[track_caller]
fn breaks(oracle: &str, rule: &str, scenario: &Scenario, sabotage: Sabotage) {
    let honest = play(scenario, 1);
    assert_eq!(complaint(&honest), None, "nothing was broken");
    let sabotaged = run_sabotaged(&Plan::new(scenario, 1), sabotage);
    let rules = broken(&sabotaged, oracle);
    assert!(rules.iter().any(|broken| broken == rule), "{rules:?}: {:?}", complaint(&sabotaged));
}

#[test]
fn votes_of_which_the_disk_knows_nothing_are_seen() {
    let no_votes = disk(|_, mut frame| {
        if let Frame::HardState { vote, .. } = &mut frame {
            *vote = None;
        }
        Some(frame)
    });
    breaks("durable", "vote", &small_sale(), no_votes);
}

#[test]
fn acknowledgements_of_records_that_one_disk_lacks_are_seen() {
    let none_on_n2 = disk(|node, frame| {
        let drops = node == Place::node(2) && matches!(frame, Frame::Entry { .. });
        (!drops).then_some(frame)
    });
    breaks("durable", "acknowledgement", &small_sale(), none_on_n2);
}

#[test]
fn answers_and_commits_without_records_on_a_quorum_are_seen() {
    let no_records = || disk(|_, frame| (!matches!(frame, Frame::Entry { .. })).then_some(frame));
    breaks("durable", "reply", &small_sale(), no_records());
    breaks("durable", "commit-told", &small_sale(), no_records());
}

#[test]
fn facts_that_are_told_and_not_written_are_seen() {
    let no_facts = disk(|_, frame| (!matches!(frame, Frame::Facts { .. })).then_some(frame));
    let mut scenario = small_sale();
    scenario.facts =
        Some(Facts { events: 5, until: Span::from_secs(60), visitors: 100, ..Facts::default() });
    breaks("durable", "fact", &scenario, no_facts);
}

/// Each disk loses the end of its log with the power, committed records among it, and some disk leads without them.
#[test]
fn leaders_that_lack_committed_records_are_seen() {
    let lying = Sabotage { disks_lose: 2_000, ..Sabotage::default() };
    let dark = Fault::new(Span::from_secs(60), Span::from_secs(5), ProcessFault::PowerLoss {});
    breaks("raft", "leader-completeness", &sale_with(&[dark]), lying);
}

#[test]
fn settings_that_speak_too_early_are_seen_in_their_first_run() {
    let settings = [
        ("unsafe/promise-before-write", "acknowledgement"),
        ("unsafe/promise-before-write", "vote"),
        ("unsafe/acknowledge-own-disk", "reply"),
        ("unsafe/acknowledge-proposal", "reply"),
        ("unsafe/deposed-answers", "reply"),
        ("unsafe/suspicion-down", "commit-written"),
    ];
    for (id, rule) in settings {
        let outcome = play(&scenario(id), 1);
        assert_eq!(verdict(&outcome, "durable"), Verdict::Fail, "{id}");
        let rules = broken(&outcome, "durable");
        assert!(rules.iter().any(|broken| broken == rule), "{id}: {rules:?}");
    }
}
