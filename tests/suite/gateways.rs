//! Dead gateways as clients see them: a process that dies is noticed at once, a machine without power is silent
//! until its health checks have failed.

use onsale_booking::{NodeId, Span};
use onsale_reports::{Operation, Window};
use onsale_scenarios::{Cut, Fault, HealthCheck, NetworkFault, ProcessFault, Scenario, Target};
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, play, sale_with};

const AT: Span = Span::from_secs(45);
const LASTS: Span = Span::from_secs(40);
/// Timeout of one attempt of a client, in milliseconds.
const PATIENCE_MS: f64 = 5_000.0;

/// Plays it under a few seeds; all oracles must pass.
fn tell(scenario: &Scenario, then: impl Fn(&Outcome)) {
    for seed in 1..=3 {
        let outcome = play(scenario, seed);
        assert_eq!(complaint(&outcome), None, "seed {seed}");
        then(&outcome);
    }
}

/// The longest wait for a hold that ended in these seconds.
fn slowest_ms(outcome: &Outcome, from: usize, until: usize) -> f64 {
    let seconds = &outcome.records.timeline()[from..until];
    let slowest = seconds.iter().filter_map(|second| second.hold_max()).max();
    slowest.expect("somebody asked for a hold").as_millis_f64()
}

fn p90_in_faults_ms(outcome: &Outcome) -> f64 {
    let row = outcome.summary.latency(Operation::Hold, Window::InFaults);
    row.percentiles.expect("somebody asked for a hold").p90.as_millis_f64()
}

/// Two of five machines are without power: nothing answers in their place.
fn zone_without_power() -> Scenario {
    sale_with(&[Fault::new(AT, LASTS, ProcessFault::ZoneLoss { zone: 1 })])
}

/// The same two processes, dead on machines that have power.
fn two_dead_processes() -> Scenario {
    let dead =
        |node| Fault::new(AT, LASTS, ProcessFault::Crash { node: Target::Node(NodeId(node)) });
    sale_with(&[dead(1), dead(4)])
}

#[test]
fn a_process_that_dies_costs_its_clients_a_backoff_and_a_machine_without_power_their_patience() {
    tell(&zone_without_power(), |outcome| {
        assert!(slowest_ms(outcome, 45, 56) > PATIENCE_MS, "nobody told them");
    });
    tell(&two_dead_processes(), |outcome| {
        let slowest = slowest_ms(outcome, 45, 85);
        assert!(slowest < 2_000.0, "the kernel tells them: {slowest} ms");
        let p90 = p90_in_faults_ms(outcome);
        assert!(p90 < 600.0, "an election or a backoff: {p90} ms");
    });
}

/// A dead gateway refuses at once, as long as it is dead: here no health check ever removes it.
#[test]
fn a_dead_process_refuses_whoever_comes() {
    let mut scenario = two_dead_processes();
    scenario.crowd.health_check.every = Span::from_secs(3_600);
    let with_checks = play(&two_dead_processes(), 1);
    tell(&scenario, |outcome| {
        let slowest = slowest_ms(outcome, 45, 85);
        assert!(slowest < 2_000.0, "{slowest} ms");
    });
    let attempts = |outcome: &Outcome| {
        let seconds = &outcome.records.timeline()[60..80];
        seconds.iter().map(|second| second.attempts).sum::<u64>()
    };
    let (without, with) = (attempts(&play(&scenario, 1)), attempts(&with_checks));
    assert!(without > with + 10, "{without} attempts without checks, {with} with them");
}

/// Checks fail at three instants in a row, the last one when the next is due: eight seconds at most. A client that asked
/// before that waits for five.
#[test]
fn a_silent_gateway_is_taken_out_once_its_checks_have_failed() {
    let (out, patience) = (8, 6);
    let settled = 45 + out + patience;
    let silent = [
        zone_without_power(),
        sale_with(&[Fault::new(AT, LASTS, ProcessFault::Pause { node: Target::Node(NodeId(2)) })]),
        sale_with(&[Fault::new(
            AT,
            LASTS,
            NetworkFault::Partition { cut: Cut::Isolate(vec![Target::Node(NodeId(2))]) },
        )]),
    ];
    for scenario in silent {
        tell(&scenario, |outcome| {
            assert!(slowest_ms(outcome, 45, settled) > PATIENCE_MS);
            let slowest = slowest_ms(outcome, settled, 84);
            assert!(slowest < 2_000.0, "it is taken out: {slowest} ms");
        });
        let mut unchecked = scenario;
        unchecked.crowd.health_check =
            HealthCheck { every: Span::from_secs(3_600), ..HealthCheck::default() };
        tell(&unchecked, |outcome| {
            assert!(slowest_ms(outcome, settled, 84) > PATIENCE_MS, "it stays in");
        });
    }
}
