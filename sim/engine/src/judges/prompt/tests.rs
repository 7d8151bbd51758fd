//! Each rule: a history that it alone condemns, and the nearest legal one. A failover may take 2 s, a transfer 1 s, an
//! answer 2 s, and recovery 10 s.

use onsale_booking::{NodeId, RequestId, ShowId, UserId};
use onsale_cluster::ShardId;
use onsale_cluster::journal::Members;
use onsale_oracles::rule::{Measure, compare};
use onsale_reports::OracleResult;

use super::super::tests::{secs, settings};
use super::super::{JudgeSettings, Judges};
use super::*;

const MEASURES: &[Measure] = &[
    Measure {
        rule: SLOW_FAILOVER,
        also: &[],
        condemned: || led(103, Why::Fault("crash of n1"), false),
        legal: || led(102, Why::Fault("crash of n1"), false),
    },
    Measure {
        rule: SLOW_TRANSFER,
        also: &[],
        condemned: || led(102, Why::Transfer, false),
        legal: || led(101, Why::Transfer, false),
    },
    Measure {
        rule: SLOW_MINORITY,
        also: &[],
        condemned: || attempt(113, true),
        legal: || attempt(112, true),
    },
    Measure {
        rule: HEALTHY_GIVEN_UP,
        also: &[],
        condemned: || given_up(111),
        legal: || given_up(110),
    },
];

#[test]
fn each_rule_of_prompt_is_broken_by_its_own_history_alone() {
    compare(RULES, MEASURES);
}

fn judges() -> Judges {
    let limits = Limits {
        failover: Span::from_secs(2),
        transfer: Span::from_secs(1),
        peers_are_heard: true,
        answer: Some(Span::from_secs(2)),
    };
    let mut judges = Judges::new(JudgeSettings { prompt: Some(limits), ..settings() });
    let nodes = [1, 2, 3].map(NodeId);
    for node in nodes {
        let kept_by = std::iter::once(vec![Members::initial(&nodes)]);
        judges.process(secs(0), node, true, kept_by);
    }
    judges
}

/// A shard without a leader from 100 on.
fn led(again: u64, why: Why<'_>, strikes: bool) -> Vec<OracleResult> {
    let mut judges = judges();
    if strikes {
        judges.trouble(secs(95), false);
        judges.trouble_over(secs(96));
    }
    judges.led_again(secs(again), ShardId(0), secs(100), why);
    judges.finish(secs(1_000), &[])
}

/// n3 dies at 90 and starts at 100; n1 declares it down later.
fn given_up(at: u64) -> Vec<OracleResult> {
    let mut judges = judges();
    let nodes = [1, 2, 3].map(NodeId);
    for (at, is_up) in [(90, false), (100, true)] {
        let kept_by = std::iter::once(vec![Members::initial(&nodes)]);
        judges.process(secs(at), NodeId(3), is_up, kept_by);
    }
    judges.given_up(secs(at), NodeId(1), NodeId(3));
    judges.finish(secs(1_000), &[])
}

/// An attempt of 101 at n1, which is in a minority from 100 on, ends.
fn attempt(ends: u64, minority: bool) -> Vec<OracleResult> {
    let mut judges = judges();
    judges.in_minority(secs(100), NodeId(1), minority);
    let (request, user, show) = (RequestId(1), UserId(1), ShowId(0));
    let asked = Asked { request, user, show, since: secs(101) };
    judges.attempt_ends((secs(101), secs(ends)), NodeId(1), &asked);
    judges.finish(secs(1_000), &[])
}

#[test]
fn another_fault_excuses_a_gateway_that_lets_clients_wait() {
    let results = attempt(200, false);
    assert!(results.iter().all(|result| result.evidence.is_none()), "{results:#?}");
}

#[test]
fn another_fault_within_recovery_excuses_a_slow_failover() {
    let results = led(150, Why::Fault("crash of n1"), true);
    assert!(results.iter().all(|result| result.evidence.is_none()), "{results:#?}");
}
