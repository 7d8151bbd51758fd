//! A small fixed run for the goldens.
//!
//! Owns its numbers; nothing is random or measured.

use onsale_booking::{Instant, Span};

use crate::operation::{Ending, Operation};
use crate::recorder::{Recorder, RecorderSettings, Records};
use crate::run_facts::{
    Evidence, FailoverResult, FaultResult, LeadTransfers, MomentResult, OracleResult, OutageResult,
    Outages, RunFacts, Touched, Verdict,
};
use crate::summary::Summary;

const MS: u64 = 1_000;
const S: u64 = 1_000 * MS;

/// Ten virtual seconds, with a crash from 4 s to 7 s and a pause from 6 s to the end.
pub(crate) fn records() -> Records {
    let mut recorder = Recorder::new(RecorderSettings { duration: Span::from_secs(10) });
    for user in 0..1_000 {
        let arrived = Instant(user * 3 * MS);
        let admitted = Instant(user * 8 * MS + 500 * MS);
        recorder.arrived(arrived, 1);
        match admitted {
            Instant(4_004_000) => recorder.fault_began(Instant(4 * S), 0),
            Instant(6_004_000) => recorder.fault_began(Instant(6 * S), 1),
            Instant(7_004_000) => recorder.fault_ended(Instant(7 * S), 0),
            _ => {}
        }
        recorder.admitted(admitted, 1);
        recorder.ended(Operation::Queue, Ending::Granted, arrived, admitted);
        recorder.attempts(admitted, 1 + user % 3 / 2);
        purchase(&mut recorder, user, admitted);
    }
    recorder.unanswered(Operation::Hold, Instant(500 * MS), Instant(10 * S));
    recorder.unanswered(Operation::Hold, Instant(9 * S), Instant(10 * S));
    recorder.finish(Instant(10 * S))
}

fn purchase(recorder: &mut Recorder, user: u64, intended: Instant) {
    let held = intended + Span(4 * MS + user * user % 977);
    let ending = match user % 10 {
        0..=5 => Ending::Granted,
        6 => Ending::Refused,
        7 => Ending::Overloaded,
        8 => Ending::Unavailable,
        _ => Ending::GaveUp,
    };
    recorder.ended(Operation::Hold, ending, intended, held);
    if ending != Ending::Granted {
        return;
    }
    recorder.seats(held, 2, 0);
    let paid = held + Span::from_millis(700);
    let booked = paid + Span(6 * MS + user * 31 % 1_009);
    recorder.ended(Operation::Confirm, Ending::Granted, paid, booked);
    recorder.ended(Operation::Purchase, Ending::Granted, intended, booked);
    recorder.seats(booked, -2, 2);
}

/// A run without a failure.
pub(crate) fn passed() -> Summary {
    let mut facts = facts();
    facts.oracles[1] = oracle("payment", Verdict::Pass, 600);
    facts.must_exercise_misses.clear();
    facts.interrupted = false;
    Summary::new(facts, &records())
}

/// A run with a failure, a missed expectation, and an early end.
pub(crate) fn failed() -> Summary {
    Summary::new(facts(), &records())
}

fn facts() -> RunFacts {
    RunFacts {
        scenario: "fast/crash".to_owned(),
        title: "The hot show's leader crashes at the worst minute and no booking is lost"
            .to_owned(),
        seed: u64::MAX,
        code_version: "0.1.0+1759215".to_owned(),
        build_profile: "release".to_owned(),
        trace_hash: "9f2c61d04be77a13".to_owned(),
        users: 10_000_000,
        trace: None,
        admitted: 9_800_000,
        sold_seats: 1_200,
        seats: 50_000,
        held_at_end: 4,
        virtual_s: 80.0,
        wall_s: 4.2,
        peak_rss_bytes: 812 << 20,
        events: 50_400_000,
        messages: 1_234_567,
        replicas_replayed: 38,
        interrupted: true,
        stopped: None,
        oracles: oracles(),
        faults: faults(),
        is_one_process: false,
        outages: Outages {
            count: 4,
            shards: 4,
            total_s: 5.2,
            open: 1,
            longest: vec![
                outage("s5", (6.0, None), 4_000.0, Some(1)),
                outage("s0", (4.0, Some(4.412_25)), 412.25, Some(0)),
            ],
        },
        users_outcome: [
            ("booked", 600),
            ("sold out", 9_950_002),
            ("gave up", 33_332),
            ("abandoned", 0),
            ("declined", 1_204),
            ("no-show", 14_860),
            ("unanswered", 2),
        ]
        .map(|(outcome, users)| (outcome.to_owned(), users))
        .to_vec(),
        manners: [
            ("names-others", [("hold-lost", 3), ("not-yours", 12)]),
            ("pays-twice", [("booked", 1_400), ("unanswered", 2)]),
        ]
        .map(|(habit, answers)| {
            let named = answers.map(|(answer, count)| (answer.to_owned(), count));
            (habit.to_owned(), named.into())
        })
        .into(),
        assumptions: vec![(
            "crowd.session.think_median".to_owned(),
            "25s".to_owned(),
            "assumed: no published figure".to_owned(),
        )],
        reproduce: "onsale run fast/crash --seed 18446744073709551615".to_owned(),
        facts: None,
        lead_transfers: LeadTransfers::default(),
        given_up: None,
        calm_recovery_ms: Some(1_204.0),
        must_exercise_misses: vec!["fairness".to_owned()],
        marks: [("leader-deposed".to_owned(), 4), ("snapshot-installed".to_owned(), 1)].into(),
    }
}

fn oracles() -> Vec<OracleResult> {
    let details = [
        "00:04.103 n2 sends p1 to the provider, epoch e3",
        "00:04.350 n2 crashes; n4 leads s0 from e4 and replays the journal up to the hold, not to the payment",
        "00:04.351 n4 sends p2 to the provider",
    ];
    let evidence = Evidence {
        headline: "u17 was charged twice for h99, which books two seats of show0 once".to_owned(),
        rules: vec!["charged-once".to_owned()],
        details: details.map(str::to_owned).to_vec(),
        follow: vec!["hold:99".to_owned(), "user:17".to_owned()],
        found_us: Some(4_351_000),
    };
    vec![
        oracle("double-booking", Verdict::Pass, 1_204_211),
        OracleResult { evidence: Some(evidence), ..oracle("payment", Verdict::Fail, 600) },
        oracle("single-writer", Verdict::Pass, 1),
        oracle("fairness", Verdict::NotExercised, 0),
    ]
}

fn faults() -> Vec<FaultResult> {
    let fault = |index, kind: &str, what: &str, at_s, phase: &str, touched| FaultResult {
        index,
        kind: kind.to_owned(),
        what: what.to_owned(),
        at_s,
        healed_s: None,
        phase: phase.to_owned(),
        moment: None,
        touched,
        shards_lost_leader: 0,
        recovery_ms: None,
        failover: None,
        lead_transfers: None,
        marks: Vec::new(),
    };
    let touched = |messages, writes, turns| Touched { messages, writes, turns };
    let failover = FailoverResult {
        suspected_ms: Some(231.5),
        elected_ms: Some(262.125),
        serving_ms: Some(264.0),
    };
    let crash = "crash of n2, the leader of show0";
    vec![
        FaultResult {
            healed_s: Some(7.0),
            shards_lost_leader: 3,
            recovery_ms: Some(412.25),
            failover: Some(failover),
            marks: vec!["leader-deposed".to_owned(), "repeat-answered".to_owned()],
            ..fault(0, "crash", crash, 4.0, "replicating", touched(1_204, 1, 0))
        },
        FaultResult {
            shards_lost_leader: 1,
            ..fault(1, "pause", "pause of n3", 6.0, "electing", touched(0, 0, 96))
        },
        FaultResult {
            healed_s: Some(9.75),
            moment: Some(MomentResult { name: "voting".to_owned(), node: Some("n1".to_owned()) }),
            ..fault(2, "slow-disk", "slow disk of n1", 9.5, "serving", Touched::default())
        },
    ]
}

fn oracle(name: &str, verdict: Verdict, checked: u64) -> OracleResult {
    OracleResult { name: name.to_owned(), verdict, checked, evidence: None }
}

fn outage(
    shard: &str,
    (from_s, to_s): (f64, Option<f64>),
    lasted_ms: f64,
    fault: Option<usize>,
) -> OutageResult {
    let why = if fault == Some(0) { "crash of n2, the leader of show0" } else { "pause of n3" };
    OutageResult { shard: shard.to_owned(), from_s, to_s, lasted_ms, fault, why: why.to_owned() }
}
