//! The exchange of facts between nodes.
//!
//! Owns the answers to digests and deltas: each delta is taken, kept until its time comes, repaired or passed on.
//! Refuses to know which peers to speak to, and when: gossip says.

use onsale_booking::{Endpoint, Instant, NodeId};

use super::Facts;
use super::early::Arrival;
use crate::effect::Effects;
use crate::fact::{Base, Delta, FactsMessage, Seen, Wanted};
use crate::mark::Mark;
use crate::observation::Observation;

impl Facts {
    pub(super) fn on_digest(
        &mut self,
        now: Instant,
        from: NodeId,
        knows: u64,
        (seen, wanted): (&Seen, Wanted),
        effects: &mut Effects,
    ) {
        self.gossip.on_digest(from, knows == self.incarnation, seen, self.replica.seen());
        // A fact that is being rewritten is not given away before; another round will come.
        let lacks = wanted != Wanted::Nothing && !seen.includes(self.replica.seen());
        if lacks && !self.own.repeat_another() {
            let (incarnation, delta) = (self.incarnation, self.replica.delta_since(seen));
            effects.facts(Endpoint::Node(from), FactsMessage::Repair { incarnation, delta });
        }
        if wanted == Wanted::RepairAndDigest {
            self.tell_seen(from, Wanted::Repair, effects);
        }
        self.gossip.plan(now, self.replica.seen());
        self.answer_waiting(now, effects);
        self.write_off(now, effects);
    }

    /// Another node tells what it has seen, or what was written just now.
    pub(super) fn on_delta(&mut self, now: Instant, arrival: Arrival, effects: &mut Effects) {
        let Arrival { from, delta, is_news } = &arrival;
        if *is_news && self.replica.seen().includes(&delta.until) {
            return;
        }
        let is_near_from = delta.until.stamps().map(|stamp| self.clock.accepts_from(stamp)).max();
        if let Some(at) = is_near_from.filter(|&at| at > now) {
            effects.observe(Observation::Mark(Mark::FactsFromTheFuture));
            return self.early.keep(self.replica.seen(), at, arrival);
        }
        if !self.take(now, delta, effects) {
            return;
        }
        if *is_news {
            self.spread(*from, delta, effects);
        } else {
            self.tell_seen(*from, Wanted::Nothing, effects);
        }
    }

    /// Takes another node's delta. Returns whether it could.
    fn take(&mut self, now: Instant, delta: &Delta, effects: &mut Effects) -> bool {
        if self.replica.seen().includes(&delta.until) {
            return true;
        }
        let Ok(late) = self.replica.merge(delta) else {
            effects.observe(Observation::Mark(Mark::FactsGap));
            return false;
        };
        if matches!(delta.base, Base::Nothing { .. }) {
            effects.observe(Observation::Mark(Mark::FactsCopied));
        }
        self.own.log(delta);
        self.hear(delta);
        for (key, version) in late {
            effects.observe(Observation::Mark(Mark::FactsRewritten));
            self.write(now, key, version.text, None);
        }
        self.gossip.plan(now, self.replica.seen());
        self.answer_waiting(now, effects);
        true
    }

    pub(super) fn tell_seen(&self, to: NodeId, wanted: Wanted, effects: &mut Effects) {
        let digest = FactsMessage::Digest {
            incarnation: self.incarnation,
            knows: self.gossip.boot_of(to),
            seen: self.replica.seen().clone(),
            wanted,
        };
        effects.facts(Endpoint::Node(to), digest);
    }

    pub(super) fn spread(&mut self, from: NodeId, news: &Delta, effects: &mut Effects) {
        for node in self.gossip.listeners(from) {
            let (incarnation, delta) = (self.incarnation, news.clone());
            effects.facts(Endpoint::Node(node), FactsMessage::News { incarnation, delta });
        }
    }
}
