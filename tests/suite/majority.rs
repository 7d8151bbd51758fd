//! A majority of nodes that is lost for good: what an operator's recovery loses is counted and named, and nothing else is
//! lost.

use std::collections::BTreeMap;

use onsale_booking::{NodeId, Span};
use onsale_cluster::journal::Change;
use onsale_cluster::journal::frame::{self, Frame};
use onsale_reports::{Losses, Verdict};
use onsale_scenarios::{
    Arrivals, Fault, MembersFault, Moment, ProcessFault, Scenario, Target, When,
};
use onsale_sim::plan::Plan;
use onsale_sim::run::{Outcome, run_sabotaged};
use onsale_sim::sabotage::{Sabotage, Scribe};
use onsale_tests::{complaint, play, sale_with, verdict};
use serde_json::Value;

use crate::desk::Desk;

/// n1 and n2 are lost at 60 s, n4 and n5 come, and the order is given 20 s later.
fn majority_loss() -> Fault {
    let node = |number| Target::Node(NodeId(number));
    let (nodes, by) = ([1, 2].map(node).to_vec(), [4, 5].map(node).to_vec());
    let after = Span::from_secs(20);
    Fault::new(
        Span::from_secs(60),
        Span::from_secs(45),
        MembersFault::MajorityLoss { nodes, by, after },
    )
}

/// A sale on three nodes and two spares with these faults.
fn sale(faults: &[Fault]) -> Scenario {
    let mut sale = sale_with(faults);
    (sale.cluster.nodes, sale.cluster.spares) = (3, 2);
    sale.duration = Span::from_secs(200);
    sale
}

fn losses(outcome: &Outcome) -> &Losses {
    outcome.summary.facts.given_up.as_ref().expect("logs were recovered")
}

/// The bookings that clients heard of, by hold, with their seats; and those of the report.
#[test]
fn named_bookings_are_those_that_clients_were_told_of_and_the_ledger_lacks() {
    let desk = Desk::new("majority");
    let run = ["run", "fast/majority-lost", "--no-out", "--json", "--history", "h.jsonl"];
    let summary = desk.onsale(&run, 0).json();
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for line in desk.read("h.jsonl").lines() {
        let op: Value = serde_json::from_str(line).expect("a line is JSON");
        if op["f"] != "confirm" {
            continue;
        }
        assert_ne!(op["error"], "no-answer", "no booking is in doubt: {op}");
        if op["type"] == "ok" {
            let seats = op["value"]["seats"].as_array().map_or(0, Vec::len);
            told.insert(format!("h{}", op["value"]["hold"]), seats);
        }
    }
    let named = summary["given_up"]["told"].as_array().expect("something was lost");
    let bookings = named.iter().filter(|lost| lost["what"] == "booking");
    let lost: Vec<&str> = bookings.filter_map(|lost| lost["hold"].as_str()).collect();
    assert!(lost.len() > 10, "{lost:?}");
    let seats = |holds: &mut dyn Iterator<Item = &str>| -> usize {
        holds.map(|hold| told.get(hold).expect("a client was told of it")).sum()
    };
    let kept = seats(&mut told.keys().map(String::as_str)) - seats(&mut lost.into_iter());
    assert_eq!(summary["sold_seats"], kept, "what was told and is not named as lost is sold");
}

#[test]
fn nothing_is_lost_that_had_reached_the_survivor() {
    for seed in 1..=3 {
        let mut sale = sale(&[majority_loss()]);
        // The last people are gone before the loss.
        sale.crowd.arrivals = Arrivals::Constant { over: Span::from_secs(10) };
        sale.sale.hold = Span::from_secs(10);
        let outcome = play(&sale, seed);
        assert_eq!(complaint(&outcome), None);
        let Losses { logs, records, told, .. } = losses(&outcome);
        assert_eq!((*logs, *records, told.len()), (17, 0, 0));
    }
}

#[test]
fn the_survivor_may_lag_and_the_loss_may_wait_for_a_moment() {
    let crash = ProcessFault::Crash { node: Target::Node(NodeId(3)) };
    let down = Fault::new(Span::from_secs(40), Span::from_secs(30), crash);
    let when = When { within: Span::from_secs(30), ..When::next(Moment::Replicating) };
    let waiting = Fault { when: Some(when), ..majority_loss() };
    for loss in [majority_loss(), waiting] {
        let outcome = play(&sale(&[down.clone(), loss]), 1);
        assert_eq!(complaint(&outcome), None);
        let Losses { records, bookings, told, .. } = losses(&outcome);
        assert!(*records > 20 && *bookings > 5, "{records} records, {bookings} bookings");
        assert!(told.iter().all(|lost| lost.told_s > 40.0), "nothing that n3 had seen: {told:?}");
    }
}

/// A disk on which a recovery begins without the last record that its replica held.
fn forgetful() -> Sabotage {
    let recovers = |frame: &Frame<'_>| {
        let Frame::Change { shard, index, change, .. } = *frame else { return None };
        matches!(Change::decode(change), Some(Change::Recovers(_))).then_some((shard, index))
    };
    let scribe: Scribe = Box::new(move |_, bytes| {
        let ends: Vec<_> = frame::read(bytes).filter_map(|frame| recovers(&frame)).collect();
        let ends_at = |shard, index| ends.contains(&(shard, index));
        let mut kept = Vec::with_capacity(bytes.len());
        for mut frame in frame::read(bytes) {
            if let Frame::Entry { shard, index, .. } = frame
                && ends_at(shard, index + 1)
            {
                continue;
            }
            if let Frame::Change { shard, index, .. }
            | Frame::HardState { shard, commit: index, .. } = &mut frame
                && ends_at(*shard, *index)
            {
                *index -= 1;
            }
            frame.write(&mut kept);
        }
        *bytes = kept;
    });
    Sabotage { scribe: Some(scribe), ..Sabotage::default() }
}

#[test]
fn a_recovery_without_a_record_of_the_survivor_is_condemned() {
    let honest = sale(&[majority_loss()]);
    assert_eq!(complaint(&play(&honest, 1)), None, "nothing was broken");
    let broken = run_sabotaged(&Plan::new(&honest, 1), forgetful());
    assert_eq!(verdict(&broken, "lost-booking"), Verdict::Fail);
    let told = complaint(&broken).unwrap_or_default();
    assert!(told.contains("a recovery gave up the committed record"), "{told}");
}
