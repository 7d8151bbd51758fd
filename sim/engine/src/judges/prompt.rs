//! What the cluster itself must do soon, judged for `prompt`: a shard is led again, and no healthy node is given up.
//!
//! Owns the bounds and the comparison. Refuses to know which faults strike: the listener says whether one alone explains
//! that a shard had no leader.
//!
//! - *Failover.* A leader's process dies or stands still, a majority is left, and nothing else is wrong: another leader
//!   serves within detection (acceptable pause, two beats, 22 deviations), two election time-outs and three rounds of
//!   messages and writes. With the defaults that is 1.9 s.
//! - *Lead transfer.* From the instant at which the old leader admits no more requests another one serves within two
//!   election time-outs, after which the old one would go on, a beat and two rounds. With the defaults: 1.2 s.
//! - *Health.* Nodes declare down only a node that may look dead: its process has died, stood still or started, or
//!   something delays everything, within recovery.
//! - *Refusal in a minority.* A gateway that no more than half of the nodes reach lets no client wait: within
//!   recovery it has withdrawn, and shards with a quorum on its side have a leader there. From then on, or from the
//!   attempt, it answers within the slowest answer.
//!
//! Why no alarm is false: a fault is compared only if nothing else has struck within recovery, and no fault before it may
//! have taken what a replica promised, or moves replicas. Why none is missed: each new leader of a shard is reported when
//! it serves, and the time before it counts from the death of the old one.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::ShardId;
use onsale_oracles::{Asked, Excuse, Interruptions, Rule, Story};
use onsale_reports::{Oracle, human};

onsale_oracles::rules! {
    Prompt:
    /// A shard got another leader later than the death of its leader explains.
    SLOW_FAILOVER = "slow-failover";
    /// A shard got another leader later than a lead transfer explains.
    SLOW_TRANSFER = "slow-transfer";
    /// A gateway in a minority let a client wait.
    SLOW_MINORITY = "slow-minority";
    /// A node that nothing was wrong with was declared down.
    HEALTHY_GIVEN_UP = "healthy-given-up";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Prompt,
        excused: "a shard has no leader after the death of one",
        bound: "acceptable pause + 2 beats + 22 deviations of the beat + 2 election time-outs + 3 rounds, each of two \
                messages and two writes; unless another fault is in force, or was within recovery",
        beyond: "each_rule_of_prompt_is_broken_by_its_own_history_alone",
    },
    Excuse {
        oracle: Oracle::Prompt,
        excused: "a shard has no leader during a lead transfer",
        bound: "2 election time-outs + a beat + 2 rounds; unless another fault is in force, or was within recovery",
        beyond: "each_rule_of_prompt_is_broken_by_its_own_history_alone",
    },
    Excuse {
        oracle: Oracle::Prompt,
        excused: "a gateway in a minority lets a client wait",
        bound: "the later of the attempt, and the cut + recovery; + the slowest answer; any while another fault than a \
                partition is felt",
        beyond: "each_rule_of_prompt_is_broken_by_its_own_history_alone",
    },
    Excuse {
        oracle: Oracle::Prompt,
        excused: "a node is declared down",
        bound: "it or the node that says so has started, stood still, or was told to leave, or everything may be \
                delayed; + recovery",
        beyond: "each_rule_of_prompt_is_broken_by_its_own_history_alone",
    },
];

/// The longest times without a leader, if the settings bound them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the death of a leader to its successor.
    pub failover: Span,
    /// From the beginning of a lead transfer to its end.
    pub transfer: Span,
    /// Whether a live peer is never silent for as long as the acceptable pause.
    pub peers_are_heard: bool,
    /// From the attempt of a client to its answer; `None` if a node may serve alone.
    pub answer: Option<Span>,
}

/// Why a shard had no leader, if one cause alone explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why<'a> {
    /// A fault took the leader; its description.
    Fault(&'a str),
    /// A lead transfer.
    Transfer,
}

#[derive(Debug)]
pub(super) struct Prompt {
    limits: Option<Limits>,
    /// By node: since when it is in a minority.
    minority: Vec<Option<Instant>>,
    any_in_minority: bool,
    checks: u64,
    found: Vec<(Rule, Story)>,
}

impl Prompt {
    pub(super) const fn new(limits: Option<Limits>) -> Self {
        Self { limits, minority: Vec::new(), any_in_minority: false, checks: 0, found: Vec::new() }
    }

    /// Notes that a shard is led again after it had no leader since an instant.
    pub(super) fn on_led(
        &mut self,
        now: Instant,
        shard: ShardId,
        since: Instant,
        why: Why<'_>,
        interruptions: &Interruptions,
    ) {
        let Some(Limits { failover, transfer, .. }) = self.limits else { return };
        if interruptions.everything() >= since || interruptions.is_stuck(shard.0) {
            return;
        }
        let (rule, within, cause) = match why {
            Why::Fault(what) => (SLOW_FAILOVER, failover, what),
            Why::Transfer => (SLOW_TRANSFER, transfer, "a lead transfer"),
        };
        self.checks += 1;
        let took = now.since(since);
        if took > within {
            let headline = format!("{shard} had no leader for {}", human::span(took));
            let lines = vec![
                format!("none since {since}, after {cause}; the next serves at {now}"),
                format!(
                    "a majority was left and nothing else was wrong: that explains {}",
                    human::span(within)
                ),
            ];
            self.found.push((rule, Story { headline, lines }));
        }
    }

    /// Notes that a node declares another one down; `well` says that both have run for long enough.
    pub(super) fn on_given_up(
        &mut self,
        now: Instant,
        (by, peer): (NodeId, NodeId),
        well: bool,
        interruptions: &Interruptions,
    ) {
        if self.limits.is_none() {
            return;
        }
        self.checks += 1;
        if well && interruptions.everything() < now {
            let headline = format!("{by} declared {peer} down, and nothing was wrong with it");
            let lines = vec![format!(
                "at {now}; both ran, and the last thing that may delay messages ended by {}",
                interruptions.everything()
            )];
            self.found.push((HEALTHY_GIVEN_UP, Story { headline, lines }));
        }
    }

    /// Notes whether a node is reached by clients and by no more than half of the nodes.
    pub(super) fn on_minority(&mut self, now: Instant, node: NodeId, is_it: bool) {
        let place = usize::from(node.0);
        self.minority.resize(self.minority.len().max(place + 1), None);
        let since = &mut self.minority[place];
        *since = is_it.then(|| since.unwrap_or(now));
        self.any_in_minority = self.minority.iter().any(Option::is_some);
    }

    /// Whether the settings let nodes hear each other, so that no live one is suspected.
    pub(super) fn peers_are_heard(&self) -> bool {
        self.limits.is_some_and(|limits| limits.peers_are_heard)
    }

    pub(super) const fn any_in_minority(&self) -> bool {
        self.any_in_minority
    }

    /// Notes that a client's attempt has ended; its gateway's process has run since `started`.
    pub(super) fn on_attempt_ends(
        &mut self,
        (sent, ends): (Instant, Instant),
        (gateway, started): (NodeId, Instant),
        asked: &Asked,
        interruptions: &Interruptions,
    ) {
        let answer = self.limits.and_then(|limits| limits.answer);
        let since = self.minority.get(usize::from(gateway.0)).copied().flatten();
        let (Some(answer), Some(since)) = (answer, since) else { return };
        if sent <= interruptions.settled() {
            return;
        }
        self.checks += 1;
        let withdrawn = since.max(started) + interruptions.recovery();
        let limit = sent.max(withdrawn) + answer;
        if ends > limit {
            let headline = format!("{gateway} is in a minority and let {} wait", asked.user);
            let lines = vec![
                format!(
                    "no majority has reached {gateway} since {since}: it had withdrawn by {withdrawn}"
                ),
                asked.sent(),
                format!(
                    "client {}: its attempt of {sent} had to be told by {limit}; that ended at {ends}",
                    asked.user
                ),
            ];
            self.found.push((SLOW_MINORITY, Story { headline, lines }));
        }
    }

    /// The checks and the failures.
    pub(super) fn finish(self) -> (u64, Vec<(Rule, Story)>) {
        (self.checks, self.found)
    }
}

#[cfg(test)]
mod tests;
