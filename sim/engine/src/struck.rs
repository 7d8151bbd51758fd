//! The faults that have struck, and their cost.
//!
//! Owns the log: when each fault struck and healed, which leaders it took away, and how long shards had none.
//! Refuses to know how a fault works, and the world.

pub mod failover;
pub mod lead_transfer;
pub mod outages;
pub mod reached;

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::{Epoch, Mark, Phase, ShardId, TransferReason};

use self::failover::Failover;
use self::lead_transfer::{Balanced, Passage, TransferTimes};
use self::outages::{Before, Cause, Outage, Outages};
use self::reached::Marks;
use crate::awaited::Came;

/// Time after its strike for which even a healed fault can explain a lost leader: suspicion and an election take a
/// fraction of it.
const AFTERMATH: Span = Span::from_secs(2);

/// A fault that has struck.
#[derive(Clone, Debug)]
pub struct Struck {
    /// Number of the fault in the plan.
    pub index: usize,
    /// Description of what it did.
    pub what: String,
    /// Instant of the strike.
    pub at: Instant,
    /// Phase just before of the shard that its moment was about, else of the hot show's.
    pub phase: Phase,
    /// The moment that it waited for.
    pub moment: Option<Came>,
    /// Instant at which it healed.
    pub healed: Option<Instant>,
    /// Failover of the hot show, if it had a leader.
    pub(crate) failover: Option<Failover>,
    /// Lead transfers while it was the latest fault.
    pub lead_transfers: TransferTimes,
    /// Rare paths taken while it was the latest fault.
    pub marks: Marks,
    /// What it may do to leaders.
    pub effect: Effect,
}

/// What a fault may do to the leaders of shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: wrong clocks, and messages that come twice.
    Nothing,
    /// It ends or stops processes, a minority of each shard's replicas.
    Stops,
    /// It asks processes to stop, one at a time, and starts them again.
    Retires,
    /// It cuts links between nodes until it heals, and does nothing else.
    Cuts,
    /// It may delay or end anything until it heals.
    Delays,
    /// It may also take what replicas promised, or move them: its effects outlast it.
    Lasts,
}

impl Struck {
    /// Failover of the hot show, if it got a new leader while this was the latest fault.
    pub fn failover(&self) -> Option<&Failover> {
        self.failover.as_ref().filter(|failover| failover.happened())
    }

    /// Whether it can explain a change of leader now.
    fn is_due(&self, now: Instant) -> bool {
        self.healed.is_none_or(|healed| now <= healed.max(self.at + AFTERMATH))
    }
}

/// The faults that have struck, in order, and their cost.
#[derive(Clone, Debug, Default)]
pub struct FaultLog {
    pub(crate) struck: Vec<Struck>,
    /// The faults whose moment never came, with the ends of their windows.
    pub(crate) lapsed: Vec<(usize, Instant)>,
    /// Lead transfers in progress.
    handing_over: BTreeMap<ShardId, Passage>,
    /// Lead transfers without a fault.
    balanced: Balanced,
    /// Leaderless times of each shard.
    outages: Outages,
}

impl FaultLog {
    /// A log before any strike, with shards that were never led.
    pub fn new(shards: u32) -> Self {
        Self { outages: Outages::new(shards), ..Self::default() }
    }

    /// The faults that have struck, in order.
    pub fn struck(&self) -> &[Struck] {
        &self.struck
    }

    /// The faults whose moment never came, each with the end of its window.
    pub fn lapsed(&self) -> &[(usize, Instant)] {
        &self.lapsed
    }

    /// Lead transfers without a fault.
    pub fn balanced(&self) -> &Balanced {
        &self.balanced
    }

    /// All leaderless times, the longest first.
    pub fn outages(&self, end: Instant) -> Vec<Outage> {
        self.outages.finish(end)
    }

    /// Notes that a rare path was taken.
    #[inline]
    pub fn marked(&mut self, mark: Mark) {
        if let Some(latest) = self.struck.last_mut() {
            latest.marks.add(mark);
        }
    }

    /// Notes that a node's process died or was paused, by a fault or by itself.
    pub fn leader_stopped(&mut self, now: Instant, node: NodeId, by: Option<usize>) {
        self.outages.stopped(now, node, by.map_or(Cause::Unexplained, Cause::Fault));
    }

    /// Notes that a paused process resumes.
    pub fn leader_goes_on(&mut self, now: Instant, node: NodeId) {
        self.outages.goes_on(now, node);
    }

    /// Notes a change of a shard's leader: unless it was for balance, it is attributed to the latest fault. Returns the
    /// outage that it ends, if the shard was led before.
    pub fn leader_changed(
        &mut self,
        now: Instant,
        shard: ShardId,
        leader: NodeId,
        mut before: Before,
    ) -> Option<Outage> {
        let passage = self.handing_over.remove(&shard).filter(|passage| passage.to == leader);
        before.handed_over = passage.as_ref().map(|passage| passage.since);
        let struck = &self.struck;
        let outage =
            self.outages.serves(now, shard, leader, before, |since| in_force(struck, since));
        if let Some(passage) = passage {
            let latest = self.struck.last_mut();
            let noted = match passage.reason {
                TransferReason::Venue => Some(&mut self.balanced.near_venue),
                TransferReason::Load => Some(&mut self.balanced.by_load),
                TransferReason::Retirement | TransferReason::Move => {
                    latest.map(|latest| &mut latest.lead_transfers)
                }
            };
            noted.into_iter().for_each(|it| it.note(shard, now.since(passage.since)));
        }
        outage
    }

    /// The one cause that explains an outage which has just ended, if nothing else has struck within `recovery` before
    /// it, and no fault whose effects last: the description of a fault that stopped its leader, or `None` for a lead
    /// transfer.
    pub fn sole_cause(&self, outage: &Outage, recovery: Span) -> Option<Option<&str>> {
        let is_felt = |struck: &&Struck| match struck.effect {
            Effect::Nothing => false,
            Effect::Lasts => true,
            Effect::Stops | Effect::Retires | Effect::Cuts | Effect::Delays => {
                struck.healed.is_none_or(|healed| healed + recovery >= outage.since)
            }
        };
        let mut felt = self.struck.iter().filter(is_felt);
        let (first, more) = (felt.next(), felt.next().is_some());
        match (outage.cause, first) {
            (_, _) if more => None,
            (Cause::HandedOver, None) => Some(None),
            (Cause::HandedOver, Some(struck)) => (struck.effect == Effect::Retires).then_some(None),
            (Cause::Fault(index), Some(struck)) => {
                let is_it = struck.index == index && struck.effect == Effect::Stops;
                is_it.then_some(Some(struck.what.as_str()))
            }
            (Cause::Fault(_) | Cause::NeverLed | Cause::Unexplained, _) => None,
        }
    }

    /// Whether nothing but cut links is felt: every other fault has healed more than `recovery` ago.
    pub fn only_cuts(&self, now: Instant, recovery: Span) -> bool {
        self.struck.iter().all(|struck| match struck.effect {
            Effect::Nothing | Effect::Cuts => true,
            Effect::Lasts => false,
            Effect::Stops | Effect::Retires | Effect::Delays => {
                struck.healed.is_some_and(|healed| healed + recovery < now)
            }
        })
    }

    /// Notes that a node is suspected.
    pub fn suspected(&mut self, now: Instant, hot: ShardId, peer: NodeId) {
        self.failover(now, hot).into_iter().for_each(|failover| failover.on_suspected(now, peer));
    }

    /// The last leader of a shard, if it has had one.
    pub fn last_leader(&self, shard: ShardId) -> Option<NodeId> {
        self.outages.leader(shard)
    }

    /// Notes the election of a shard's leader.
    pub fn elected(&mut self, now: Instant, shard: ShardId) {
        self.outages.elected(now, shard);
    }

    /// Notes the election of a leader of the hot show.
    pub fn hot_elected(&mut self, now: Instant, hot: ShardId, epoch: Epoch, leader: NodeId) {
        let is_called = self.handing_over.get(&hot).is_some_and(|passage| passage.to == leader);
        let Some(failover) = self.failover(now, hot) else { return };
        if is_called {
            failover.on_handed_over(epoch, leader);
        } else {
            failover.on_elected(now, epoch);
        }
    }

    /// Notes that a leader of the hot show begins to serve.
    pub fn serves(&mut self, now: Instant, hot: ShardId, epoch: Epoch) {
        self.failover(now, hot).into_iter().for_each(|failover| failover.on_serving(now, epoch));
    }

    /// The failover of the hot show after the latest fault, if the fault can explain it: it is still in
    /// force, or it took away the leader, and the show has had none since.
    fn failover(&mut self, now: Instant, hot: ShardId) -> Option<&mut Failover> {
        let lost_to = self.outages.lost_to(hot);
        let latest = self.struck.last_mut()?;
        let is_why = latest.is_due(now) || lost_to == Some(latest.index);
        latest.failover.as_mut().filter(|_| is_why)
    }

    /// Notes that a leader begins to transfer its lead, and admits no more requests.
    pub fn lead_transfer_began(
        &mut self,
        since: Instant,
        shard: ShardId,
        to: NodeId,
        reason: TransferReason,
    ) {
        self.handing_over.insert(shard, Passage { since, to, reason });
    }

    /// Notes that a leader gives up its transfer and goes on.
    pub fn lead_transfer_given_up(&mut self, shard: ShardId) {
        self.handing_over.remove(&shard);
    }
}

/// The fault that can explain a leader missed since an instant, with the instant of its strike: the latest of those in
/// force then, else the first that struck later.
fn in_force(struck: &[Struck], since: Instant) -> Option<(Instant, usize)> {
    let mut due = struck.iter().filter(|struck| struck.is_due(since));
    let before = due.clone().rfind(|struck| struck.at <= since);
    before.or_else(|| due.next()).map(|struck| (struck.at, struck.index))
}
