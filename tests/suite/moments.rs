//! Faults that wait for a moment: each strikes within it, at its node, and the same in every run.

use onsale_booking::Span;
use onsale_reports::FaultResult;
use onsale_scenarios::{
    Arrivals, Cut, Fault, MembersFault, Moment, NetworkFault, ProcessFault, Scenario, Target, When,
};
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, play, sale_with};

const AT: Span = Span::from_secs(20);
const DOWN: Span = Span::from_secs(4);

fn crash(when: When) -> Fault {
    Fault::new(AT, DOWN, ProcessFault::Crash { node: Target::There }).waiting(when)
}

fn faults(outcome: &Outcome) -> &[FaultResult] {
    &outcome.summary.facts.faults
}

/// Plays a sale with a crash at a moment, after these other faults; every oracle passes. Returns the row of the
/// crash.
fn struck_after(others: &[Fault], when: When, seed: u64) -> FaultResult {
    let mut all = others.to_vec();
    all.push(crash(when));
    let outcome = play(&sale_with(&all), seed);
    assert_eq!(complaint(&outcome), None);
    let row = faults(&outcome).iter().find(|row| row.moment.is_some());
    let row = row.expect("a fault that waits has a row").clone();
    assert!(row.struck(), "{} never came: {row:?}", when.moment);
    row
}

/// The crash of the leader, which brings about elections.
fn leader_dies() -> Fault {
    Fault::new(AT, DOWN, ProcessFault::Crash { node: Target::Leader })
}

fn micros(row: &FaultResult) -> u64 {
    (row.at_s * 1e6).round() as u64
}

/// A crash while a vote, a record, an expiry is being written finds it in flight.
#[test]
fn a_crash_at_a_write_finds_it_on_its_way_to_the_disk() {
    for moment in [Moment::Voting, Moment::Expiring, Moment::BetweenAppendAndFsync] {
        for seed in 1..=3 {
            let row = struck_after(&[leader_dies()], When::next(moment), seed);
            assert!(row.touched.writes > 0, "{moment}: {row:?}");
        }
    }
}

#[test]
fn a_phase_that_a_moment_begins_is_the_phase_that_its_crash_meets() {
    let phases = [
        (Moment::Voting, "electing"),
        (Moment::Electing, "electing"),
        (Moment::TakingOver, "taking-over"),
        (Moment::Replicating, "replicating"),
        (Moment::Asking, "asking"),
    ];
    for (moment, phase) in phases {
        let row = struck_after(&[leader_dies()], When::next(moment), 1);
        assert_eq!(row.phase, phase, "{moment}");
    }
}

/// A candidate and an elected leader die in the election that the loss of the leader brings about.
#[test]
fn an_election_is_struck_where_it_takes_place() {
    for moment in [Moment::Voting, Moment::Electing, Moment::TakingOver] {
        let row = struck_after(&[leader_dies()], When::next(moment), 2);
        let since = micros(&row) - AT.0;
        assert!((100_000..2_000_000).contains(&since), "{moment}: {since} us after the crash");
        let node = row.moment.as_ref().and_then(|moment| moment.node.clone()).expect("it came");
        assert!(row.what.contains(&format!("crash of {node}")), "{}", row.what);
        assert!(row.what.contains(&format!("(at {moment} of {node})")), "{}", row.what);
    }
}

/// Nothing of the turn leaves: the client hears nothing from that gateway, or the gateway nothing from the leader.
#[test]
fn an_answer_about_to_leave_never_does() {
    let row = struck_after(&[], When::next(Moment::BeforeReply), 1);
    assert!(row.touched.messages > 0, "{row:?}");
}

/// A node that starts dies again before it has served anybody.
#[test]
fn a_start_is_struck_at_once() {
    let row = struck_after(&[leader_dies()], When::next(Moment::Recovering), 1);
    assert_eq!(micros(&row), (AT + DOWN).0);
}

#[test]
fn a_lead_transfer_is_struck_when_it_begins() {
    let patience = Span::from_secs(2);
    let restart = ProcessFault::Restart { node: Target::Leader, patience };
    let row = struck_after(
        &[Fault::new(AT, patience + DOWN, restart)],
        When::next(Moment::HandingOver),
        1,
    );
    assert!(micros(&row) - AT.0 < 100_000, "{row:?}");
}

/// A shard that moves to a new node: its steps and its snapshot.
#[test]
fn a_move_is_struck_in_each_of_its_steps() {
    let join = |scenario: &mut Scenario| {
        scenario.cluster.spares = 1;
        scenario.cluster.snapshot_every = 20;
        scenario.cluster.keep_records = 1;
        let join = MembersFault::Join { nodes: vec![Target::Node(onsale_booking::NodeId(6))] };
        scenario.faults.insert(0, Fault::new(AT, Span::from_secs(30), join));
    };
    let moments = [Moment::MovingSwap, Moment::MovingJoint, Moment::InstallingSnapshot];
    for moment in moments {
        let pause = ProcessFault::Pause { node: Target::There };
        let pause = Fault::new(AT, Span::from_secs(1), pause).waiting(When::next(moment));
        let mut scenario = sale_with(&[pause]);
        join(&mut scenario);
        let outcome = play(&scenario, 1);
        assert_eq!(complaint(&outcome), None);
        assert!(
            faults(&outcome).iter().all(FaultResult::struck),
            "{moment}: {:?}",
            faults(&outcome)
        );
    }
}

#[test]
fn a_mark_is_a_moment() {
    let mark = "mark:peer-suspected".parse().expect("there is such a mark");
    let row = struck_after(&[leader_dies()], When::next(mark), 1);
    assert!((micros(&row) - AT.0) < 1_000_000, "{row:?}");
}

#[test]
fn the_node_the_count_and_the_delay_decide_when_it_strikes() {
    let at = |when| micros(&struck_after(&[], when, 1));
    let first = When::next(Moment::Replicating);
    let delay = Span::from_millis(3);
    assert_eq!(at(When { delay, ..first }), at(first) + delay.0);
    assert!(at(When { count: 20, ..first }) > at(first));
    let leader = struck_after(&[], When { node: Some(Target::Leader), ..first }, 1);
    assert!(leader.what.contains("the leader of show0"), "{}", leader.what);
}

/// A fault whose moment never comes is told, touches nothing, and calm does not wait for it.
#[test]
fn a_moment_that_never_comes_touches_nothing_and_calm_comes_all_the_same() {
    let within = Span::from_secs(15);
    let when = When { within, ..When::next(Moment::MovingSwap) };
    let outcome = play(&sale_with(&[leader_dies(), crash(when)]), 1);
    assert_eq!(complaint(&outcome), None);
    let row = &faults(&outcome)[1];
    assert!(!row.struck() && row.touched.is_nothing(), "{row:?}");
    assert_eq!(micros(row), (AT + within).0);
    assert!(row.what.contains("its moment never came"), "{}", row.what);
    assert!(outcome.summary.facts.calm_recovery_ms.is_some());
}

/// Several faults wait at once; steps begin at the strike, and each heals its own span later.
#[test]
fn faults_that_wait_run_from_their_strikes() {
    let turn = Span::from_millis(500);
    let lasts = Span::from_secs(3);
    let crashes = ProcessFault::CrashLoop { node: Target::There, down: turn, up: turn };
    let cut = NetworkFault::Partition { cut: Cut::Isolate(vec![Target::There]) };
    let when = When::next(Moment::Replicating);
    let all = [
        Fault::new(AT, lasts, crashes).waiting(when),
        Fault::new(AT, lasts, cut).waiting(When { count: 2, ..when }),
    ];
    let outcome = play(&sale_with(&all), 1);
    assert_eq!(complaint(&outcome), None);
    for row in faults(&outcome) {
        let healed = row.healed_s.expect("it healed");
        assert!((healed - row.at_s - 3.0).abs() < 1e-6, "{row:?}");
    }
}

#[test]
fn one_process_has_moments_too() {
    let mut scenario = onsale_tests::scenario("fast/solo");
    scenario.faults.clear();
    scenario.must_exercise.clear();
    scenario.crowd.arrivals = Arrivals::Constant { over: Span::from_secs(60) };
    scenario.sale.hold = Span::from_secs(30);
    let moments =
        [Moment::Expiring, Moment::Recovering, Moment::BetweenAppendAndFsync, Moment::BeforeReply];
    for (at, moment) in [30, 30, 90, 100].into_iter().zip(moments) {
        let when = When { within: Span::from_secs(50), ..When::next(moment) };
        scenario.faults.push(Fault { at: Span::from_secs(at), ..crash(when) });
    }
    let outcome = play(&scenario, 1);
    assert!(faults(&outcome).iter().all(FaultResult::struck), "{:?}", faults(&outcome));
    assert_eq!(complaint(&outcome), None);
}

#[test]
fn a_run_resolves_its_moments_the_same_every_time() {
    let when = When { delay: Span(70), count: 3, ..When::next(Moment::Voting) };
    let scenario = sale_with(&[leader_dies(), crash(when)]);
    let [one, other] = [play(&scenario, 5), play(&scenario, 5)];
    assert_eq!(one.summary.facts.trace_hash, other.summary.facts.trace_hash);
    assert_eq!(faults(&one), faults(&other));
}
