//! What clients and gateways are told, by what a quorum of disks has held.
//!
//! Owns this rule of `durable`:
//!
//! - *reply*: an answer that grants, books or releases leaves its leader, and its gateway, only once a quorum of the
//!   members' disks has held the record of that grant, booking or release at one instant. An answer repeated later rests
//!   on the same record.
//!
//! Not judged: a refusal rests on many records and on their absence, and the oracles of every system judge it against
//! all records; that a leader still leads when it refuses is no durable state.
//!
//! The judge keeps the records that are on a disk and not known to be committed. The oracles keep the committed ones, and
//! forget a hold once many others have ended after it: an answer about a forgotten hold is not judged.

use onsale_booking::{Event, FixedMap, HoldId, Instant, NodeId, Outcome, Reply, ShowId};
use onsale_cluster::journal::claim::LogPosition;
use onsale_cluster::{Answer, Epoch, ShardId};
use onsale_oracles::{Oracles, Story};
use onsale_world::place::Place;

use super::{Durable, REPLY};

/// What becomes of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Granted,
    Booked,
    Released,
}

/// The steps of holds in records that are on some disk and not known to be committed.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The first such record of each step.
    first: FixedMap<(HoldId, Step), (ShardId, LogPosition)>,
    /// Further ones, of other epochs or where a step is repeated.
    further: Vec<((HoldId, Step), (ShardId, LogPosition))>,
}

impl Pending {
    fn all(&self, step: (HoldId, Step)) -> impl Iterator<Item = (ShardId, LogPosition)> + '_ {
        let further = self.further.iter().filter(move |&&(of, _)| of == step);
        self.first.get(&step).copied().into_iter().chain(further.map(|&(_, at)| at))
    }
}

impl Durable {
    /// Notes a record that is on a disk for the first time.
    pub fn record_written(
        &mut self,
        (shard, index, epoch): (ShardId, u64, Epoch),
        events: &[(ShowId, Event)],
    ) {
        for step in events.iter().filter_map(|(_, event)| step_of(event)) {
            let at = (shard, (index, epoch));
            if *self.pending.first.entry(step).or_insert(at) != at {
                self.pending.further.push((step, at));
            }
        }
    }

    /// Notes a record that is known to be committed: the oracles have it now.
    pub fn record_committed(&mut self, events: &[(ShowId, Event)]) {
        for step in events.iter().filter_map(|(_, event)| step_of(event)) {
            self.pending.first.remove(&step);
            if !self.pending.further.is_empty() {
                self.pending.further.retain(|&(of, _)| of != step);
            }
        }
    }

    #[inline]
    pub(super) fn on_answer(
        &mut self,
        now: Instant,
        way: (NodeId, Place),
        answer: &Answer,
        oracles: &Oracles,
    ) {
        if let Answer::Decided(reply) = answer {
            self.on_reply(now, way, reply, oracles);
        }
    }

    /// Judges a reply that a node hands to the network.
    #[inline]
    pub fn on_reply(
        &mut self,
        now: Instant,
        way: (NodeId, Place),
        reply: &Reply,
        oracles: &Oracles,
    ) {
        let step = match reply.outcome {
            Outcome::Refused(_) => return,
            Outcome::Held { hold, .. } => (hold, Step::Granted),
            Outcome::Booked { hold, .. } => (hold, Step::Booked),
            Outcome::Released { hold } => (hold, Step::Released),
        };
        self.judge_reply(now, way, reply, step, oracles);
    }

    fn judge_reply(
        &mut self,
        now: Instant,
        (from, to): (NodeId, Place),
        reply: &Reply,
        (hold, step): (HoldId, Step),
        oracles: &Oracles,
    ) {
        self.promises += 1;
        self.durable.checks();
        let records = || self.pending.all((hold, step));
        let on_quorum = |(shard, at): (ShardId, LogPosition)| {
            self.logs[shard.0 as usize].terms.was_on_quorum(at)
        };
        if records().any(on_quorum) || oracles.may_know(&reply.outcome) {
            return;
        }
        let step = match step {
            Step::Granted => "granted",
            Step::Booked => "booked",
            Step::Released => "released",
        };
        let found: Vec<String> = records()
            .map(|(shard, (index, epoch))| {
                let disks = self.disks_with(shard, (index, epoch));
                format!("record {index} of {shard} ({epoch}) says so, on the disk of {disks} alone")
            })
            .collect();
        self.durable.fail(REPLY, || Story {
            headline: format!(
                "{from} tells {to} that {hold} is {step}, and too few disks have held that"
            ),
            lines: std::iter::once(format!("at {now}, in answer to {}", reply.request))
                .chain(match found.is_empty() {
                    true => vec!["no disk has held a record that says so".to_owned()],
                    false => found,
                })
                .collect(),
        });
    }

    /// The nodes whose disks have a record, for evidence.
    fn disks_with(&self, shard: ShardId, at: LogPosition) -> String {
        let disks = self.disks.iter().enumerate();
        let with = disks.filter(|(_, disk)| disk.replicas[shard.0 as usize].covers(at));
        let nodes: Vec<String> = with.map(|(node, _)| NodeId(node as u16).to_string()).collect();
        nodes.join(", ")
    }
}

fn step_of(event: &Event) -> Option<(HoldId, Step)> {
    match event {
        Event::Held { hold, .. } => Some((*hold, Step::Granted)),
        Event::Booked { hold, .. } => Some((*hold, Step::Booked)),
        Event::Released { hold, .. } => Some((*hold, Step::Released)),
        Event::Expired { .. } => None,
    }
}
