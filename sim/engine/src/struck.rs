//! What faults have struck, and what they cost.
//!
//! Owns the log of them: when each struck and healed, which leaders it took away and how long they were missed.
//! Refuses to know how a fault does its harm, and the world that it does it to.

pub mod failover;
pub mod hand_over;
pub mod outages;

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::{Epoch, Phase, ShardId, TransferReason};

use self::failover::Failover;
use self::hand_over::{Balanced, HandOvers, Passage};
use self::outages::{Before, Cause, Outage, Outages};

/// A fault that healed at once can still cost a leader for this long: suspicion and an election take a fraction of it.
const AFTERMATH: Span = Span::from_secs(2);

/// A fault that has struck.
#[derive(Clone, Debug)]
pub struct Struck {
    /// Its number in the plan.
    pub index: usize,
    /// What it did, for people.
    pub what: String,
    /// When it struck.
    pub at: Instant,
    /// What the hot show's shard was doing just before.
    pub phase: Phase,
    /// When it healed.
    pub healed: Option<Instant>,
    /// The way to the hot show's next leader, if it had one.
    pub(crate) failover: Option<Failover>,
    /// Shards that were handed over while it was the latest fault.
    pub hand_overs: HandOvers,
}

impl Struck {
    /// The way to the hot show's next leader, if it got another while this was the latest fault.
    pub fn failover(&self) -> Option<&Failover> {
        self.failover.as_ref().filter(|failover| failover.happened())
    }

    /// Whether it can be why a leader changes now.
    fn is_due(&self, now: Instant) -> bool {
        self.healed.is_none_or(|healed| now <= healed.max(self.at + AFTERMATH))
    }
}

/// Every fault that has struck, in order.
#[derive(Clone, Debug, Default)]
pub struct FaultLog {
    pub(crate) struck: Vec<Struck>,
    /// Shards whose leaders admit no more requests.
    handing_over: BTreeMap<ShardId, Passage>,
    /// Shards that no fault made anybody hand over.
    balanced: Balanced,
    /// How long each shard was without a leader.
    outages: Outages,
}

impl FaultLog {
    /// Nothing has struck, and none of the shards has been led.
    pub fn new(shards: u32) -> Self {
        Self { outages: Outages::new(shards), ..Self::default() }
    }

    /// Every fault that has struck, in order.
    pub fn struck(&self) -> &[Struck] {
        &self.struck
    }

    /// Shards that were handed over although nothing was wrong.
    pub fn balanced(&self) -> &Balanced {
        &self.balanced
    }

    /// All times in which a shard had no leader, the longest first.
    pub fn outages(&self, end: Instant) -> Vec<Outage> {
        self.outages.finish(end)
    }

    /// A node's process died or stands still, by a fault unless by itself.
    pub fn leader_stopped(&mut self, now: Instant, node: NodeId, by: Option<usize>) {
        self.outages.stopped(now, node, by.map_or(Cause::Unexplained, Cause::Fault));
    }

    /// A process that stood still goes on.
    pub fn leader_goes_on(&mut self, now: Instant, node: NodeId) {
        self.outages.goes_on(now, node);
    }

    /// A shard's leader changed: unless it was for balance, the latest fault is held to account.
    pub fn leader_changed(
        &mut self,
        now: Instant,
        shard: ShardId,
        leader: NodeId,
        mut before: Before,
    ) {
        let passage = self.handing_over.remove(&shard).filter(|passage| passage.to == leader);
        before.handed_over = passage.as_ref().map(|passage| passage.since);
        let struck = &self.struck;
        self.outages.serves(now, shard, leader, before, |since| in_force(struck, since));
        if let Some(passage) = passage {
            let latest = self.struck.last_mut();
            let noted = match passage.reason {
                TransferReason::Venue => Some(&mut self.balanced.near_venue),
                TransferReason::Load => Some(&mut self.balanced.by_load),
                TransferReason::Retirement | TransferReason::Move => {
                    latest.map(|latest| &mut latest.hand_overs)
                }
            };
            noted.into_iter().for_each(|it| it.note(shard, now.since(passage.since)));
        }
    }

    /// A node suspects another.
    pub fn suspected(&mut self, now: Instant, hot: ShardId, peer: NodeId) {
        self.failover(now, hot).into_iter().for_each(|failover| failover.on_suspected(now, peer));
    }

    /// A shard's last leader, if it has had one.
    pub fn last_leader(&self, shard: ShardId) -> Option<NodeId> {
        self.outages.leader(shard)
    }

    /// A shard's leader was elected.
    pub fn elected(&mut self, now: Instant, shard: ShardId) {
        self.outages.elected(now, shard);
    }

    /// A leader of the hot show was elected.
    pub fn hot_elected(&mut self, now: Instant, hot: ShardId, epoch: Epoch, leader: NodeId) {
        let is_called = self.handing_over.get(&hot).is_some_and(|passage| passage.to == leader);
        let Some(failover) = self.failover(now, hot) else { return };
        if is_called {
            failover.on_handed_over(epoch, leader);
        } else {
            failover.on_elected(now, epoch);
        }
    }

    /// A leader of the hot show has begun to serve.
    pub fn serves(&mut self, now: Instant, hot: ShardId, epoch: Epoch) {
        self.failover(now, hot).into_iter().for_each(|failover| failover.on_serving(now, epoch));
    }

    /// The way to the hot show's next leader after the latest fault, if that can be why it is missed: it is
    /// in force still, or it took away the leader that the show has lacked ever since.
    fn failover(&mut self, now: Instant, hot: ShardId) -> Option<&mut Failover> {
        let lost_to = self.outages.lost_to(hot);
        let latest = self.struck.last_mut()?;
        let is_why = latest.is_due(now) || lost_to == Some(latest.index);
        latest.failover.as_mut().filter(|_| is_why)
    }

    /// A shard's leader admits no more requests, to hand it over.
    pub fn hand_over_began(
        &mut self,
        since: Instant,
        shard: ShardId,
        to: NodeId,
        reason: TransferReason,
    ) {
        self.handing_over.insert(shard, Passage { since, to, reason });
    }

    /// It goes on after all.
    pub fn hand_over_given_up(&mut self, shard: ShardId) {
        self.handing_over.remove(&shard);
    }
}

/// The fault that can be why a leader has been missed since an instant: of those whose time it was the latest that had
/// struck, else the first that struck after it. With it, when it struck.
fn in_force(struck: &[Struck], since: Instant) -> Option<(Instant, usize)> {
    let mut due = struck.iter().filter(|struck| struck.is_due(since));
    let before = due.clone().rfind(|struck| struck.at <= since);
    before.or_else(|| due.next()).map(|struck| (struck.at, struck.index))
}
