//! One shard on one node: a replica of its journal and the shows that result from it.
//!
//! Owns the committed state of the shard's shows, and the change from a replica that follows to a leader that serves,
//! and back. Refuses to know peers' health, routes and the disk: the node ticks, delivers and writes.

mod answers;
mod expiry;
mod fencing;
mod lead_transfer;
mod leader;
mod membership_change;
mod parked;
mod pending_replies;
mod recovery;
mod replay;
mod shard_clock;
mod stored_format;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;

use onsale_booking::{Instant, NodeId, Request, Show, ShowId};

pub(crate) use self::answers::Answers;
use self::lead_transfer::LeadTransfer;
use self::leader::Leader;
pub(crate) use self::membership_change::LEVEL;
use self::parked::Parked;
use self::shard_clock::ShardClock;
pub(crate) use self::shard_clock::TELL_EVERY;
use self::stored_format::StoredFormat;
pub use self::waiting::Waiting;
use crate::config::{Acknowledge, Serves, Setup};
use crate::effect::Effects;
use crate::id::{Epoch, ShardId};
use crate::journal::{JournalMessage, RaftGroup, ReadId, Ready, Ticket};
use crate::mark::Mark;
use crate::message::Answer;
use crate::observation::{Observation, Phase};
use crate::placement::Placement;
use crate::record::{self, Events, Format};
use crate::shard_time::ShardTime;

/// A replica of a shard and, while it leads, the shard itself.
#[derive(Debug)]
pub(crate) struct Shard {
    id: ShardId,
    node: NodeId,
    setup: Arc<Setup>,
    journal: RaftGroup,
    /// The fold of all applied records; a missing show was never touched.
    shows: BTreeMap<ShowId, Show>,
    applied: u64,
    /// The shard's time by the latest record that changed something.
    latest: Option<ShardTime>,
    /// Converts between this node's instants and the shard's.
    clock: ShardClock,
    /// Followers that have heard the time: they have answered since this replica serves and since they were last
    /// missed.
    told: Vec<NodeId>,
    /// The events of the record being applied; kept for its memory.
    events: Events,
    /// The format in which it writes.
    stored: StoredFormat,
    leader: Option<Leader>,
    /// The map, if this shard's records are its versions.
    map: Option<Arc<Placement>>,
    /// The lead transfer under way, if any.
    lead_transfer: Option<LeadTransfer>,
    /// The last epoch in which this replica was elected.
    elected: Epoch,
    /// Requests that came while this replica led but could not serve yet, or no longer.
    parked: Parked,
    /// Nodes to which this leader has failed to transfer the lead, and how often.
    failed_transfers: Vec<(NodeId, u32)>,
    /// Records proposed here in an epoch and not yet applied.
    outstanding: (Epoch, u64),
    /// Number of the latest read index asked of the journal; never repeats.
    reads: u64,
    /// The epoch and generation of the members for which a quorum was last asked whether this replica still leads.
    asked_for_move: Option<((Epoch, u32), ReadId)>,
}

impl Shard {
    /// A replica that has applied nothing yet, and writes in the `first` format until it applies a newer one.
    pub(crate) fn new(
        id: ShardId,
        node: NodeId,
        setup: Arc<Setup>,
        journal: RaftGroup,
        first: Format,
    ) -> Self {
        let is_map = setup.placement.map_shard() == Some(id);
        Self {
            id,
            node,
            map: is_map.then(|| Arc::clone(&setup.placement)),
            parked: Parked::new(setup.config.gateway.try_timeout),
            failed_transfers: Vec::new(),
            setup,
            journal,
            shows: BTreeMap::new(),
            applied: 0,
            latest: None,
            clock: ShardClock::default(),
            told: Vec::new(),
            events: Events::new(),
            stored: StoredFormat::new(first),
            leader: None,
            elected: Epoch(0),
            lead_transfer: None,
            outstanding: (Epoch(0), 0),
            reads: 0,
            asked_for_move: None,
        }
    }

    /// Takes a request that a gateway wants decided.
    pub(crate) fn on_request(
        &mut self,
        now: Instant,
        from: NodeId,
        request: &Request,
        answers: &mut Answers,
    ) {
        match &mut self.leader {
            _ if self.lead_transfer.is_some() => self.parked.add(now, from, request.clone()),
            Some(leader) => {
                let now = (self.clock.at(now), now);
                answers.extend(leader.decide(now, from, request, &self.setup, &self.shows));
            }
            None if self.journal.is_leader() => self.parked.add(now, from, request.clone()),
            None => answers.push((from, self.not_leader(request))),
        }
    }

    /// Prefetches what decisions on these requests, for this show, will read.
    pub(crate) fn read_ahead<'a>(&self, show: ShowId, requests: impl Iterator<Item = &'a Request>) {
        if let Some(leader) = &self.leader {
            leader.read_ahead(show, requests);
        }
    }

    pub(crate) fn on_message(&mut self, now: Instant, message: JournalMessage) {
        let (time, from) = (message.time(), message.from());
        let is_heard = self.journal.step(message);
        if is_heard && self.leader.is_some() && !self.told.contains(&from) {
            self.told.push(from);
        }
        // While it leads, only its own clock carries the shard's time.
        if let Some(time) = time.filter(|_| is_heard && (self.leader.is_none() || self.is_over())) {
            self.clock.hear(now, time);
        }
    }

    pub(crate) fn on_tick(&mut self) {
        self.journal.tick();
    }

    pub(crate) fn on_fsynced(&mut self, upto: Ticket) {
        self.journal.fsynced(upto);
    }

    /// A peer that replicates this shard was silent, or has restarted, and is heard again.
    pub(crate) fn on_peer_heard(&mut self, peer: NodeId) {
        self.told.retain(|&told| told != peer);
        self.journal.ping();
    }

    /// Tells the followers the time by which holds are measured, if this node leads, holds are live, and not every
    /// follower has heard it. Returns whether it did.
    pub(crate) fn tell_time(&mut self) -> bool {
        let has_holds =
            self.leader.as_ref().is_some_and(|leader| leader.expires_at() < Instant::MAX);
        let knows = |node: NodeId| node == self.node || self.told.contains(&node);
        let tells = has_holds && !self.journal.members().each().all(|it| knows(it.node()));
        if tells {
            self.journal.speak();
        }
        tells
    }

    /// Treats a peer as dead.
    pub(crate) fn strike_off(&mut self, peer: NodeId) {
        self.journal.strike_off(peer);
    }

    /// Asks another replica to lead, if this one leads, without waiting for anything.
    pub(crate) fn call_to_lead(&mut self, to: NodeId) {
        self.journal.transfer(to);
    }

    pub(crate) fn campaign(&mut self) {
        self.journal.campaign();
    }

    /// Records the ends of holds whose time and grace are over.
    pub(crate) fn on_deadline(&mut self, now: Instant) {
        if let Some(leader) = self.leader.as_mut().filter(|_| self.lead_transfer.is_none()) {
            leader.expire(self.clock.at(now), &self.setup, &self.shows);
        }
    }

    /// Closes the turn: proposes its decisions to the journal, and takes the journal's output. `ready` is cleared
    /// first; the node gathers its frames.
    pub(crate) fn settle(
        &mut self,
        now: Instant,
        ready: &mut Ready,
        answers: &mut Answers,
        effects: &mut Effects,
    ) {
        self.depose_if_over(answers, effects);
        if self.lead_transfer.is_some() {
            self.advance_transfer(now, answers, effects);
        }
        self.propose(answers, effects);
        if !ready.is_empty() {
            ready.clear();
        }
        if !self.journal.is_idle() {
            let in_repair = self.journal.is_in_repair();
            self.journal.poll(ready);
            if in_repair && !self.journal.is_in_repair() {
                effects.observe(Observation::Mark(Mark::ReplicaRepaired));
            }
            self.depose_if_over(answers, effects);
            // Messages for the replica that this node had before it forgot are dropped.
            if !ready.messages.is_empty() {
                let time = self.clock.time(now);
                for mut message in ready.messages.drain(..) {
                    if message.to() != self.node {
                        message.tell_time(time);
                        effects.journal(message.to(), self.id, message);
                    }
                }
            }
            if !ready.refused.is_empty() {
                for reason in ready.refused.drain(..) {
                    effects.observe(Observation::Refused { shard: self.id, reason });
                }
            }
            self.apply(now, ready, answers, effects);
            self.confirm(&ready.reads, answers);
        }
        self.acknowledge_early(answers);
        self.activate_if_due(now, answers, effects);
        if self.journal.uncompacted() >= u64::from(self.setup.config.snapshot_every) {
            self.compact(effects);
        }
        self.check_invariants();
    }

    /// The invariants after every turn; cheap.
    fn check_invariants(&self) {
        let (id, epoch) = (self.id, self.journal.epoch());
        assert!(self.elected <= epoch, "{id}: epochs rise");
        let Some(leader) = &self.leader else { return };
        assert!(
            self.journal.is_leader() && leader.epoch() == epoch,
            "{id}: only the leader of an epoch serves in it"
        );
        let (proposed_in, outstanding) = self.outstanding;
        assert!(
            proposed_in != epoch || leader.proposed_records() as u64 == outstanding,
            "{id}: every record that is proposed and not applied has its answers waiting"
        );
        leader.check_invariants();
    }

    /// When `on_deadline` has something to do; may be too early, never too late.
    #[inline]
    pub(crate) fn next_deadline(&self) -> Instant {
        match (&self.lead_transfer, &self.leader) {
            (Some(transfer), _) => transfer.ends,
            (None, Some(leader)) => self.clock.own_at(leader.expires_at()),
            (None, None) => Instant::MAX,
        }
    }

    pub(crate) fn journal(&self) -> &RaftGroup {
        &self.journal
    }

    /// The epoch in which this replica serves the shard as its leader; `None` if it does not.
    pub(crate) fn serves(&self) -> Option<Epoch> {
        self.leader.as_ref().map(Leader::epoch)
    }

    /// The epoch in which this replica serves, and how many requests it has decided in it; the count wraps.
    pub(crate) fn work(&self) -> Option<(Epoch, u32)> {
        self.leader.as_ref().map(|leader| (leader.epoch(), leader.decided()))
    }

    /// The phase of this replica.
    pub(crate) fn phase(&self) -> Phase {
        match &self.leader {
            Some(leader) if leader.awaits_commit() => Phase::Replicating,
            Some(leader) if leader.awaits_confirmation() => Phase::Asking,
            Some(_) if self.journal.is_trailed() => Phase::Trailed,
            Some(_) => Phase::Serving,
            None if self.journal.is_leader() => Phase::TakingOver,
            None if self.journal.leader().is_some() => Phase::Following,
            None => Phase::Electing,
        }
    }

    /// The committed state of a show; `None` if it was never touched.
    pub(crate) fn show(&self, show: ShowId) -> Option<&Show> {
        self.shows.get(&show)
    }

    fn not_leader(&self, request: &Request) -> Answer {
        let leader = self.journal.leader().map(|leader| (leader, self.journal.epoch()));
        Answer::NotLeader { request: request.id, shard: self.id, leader }
    }

    fn propose(&mut self, answers: &mut Answers, effects: &mut Effects) {
        let Some(leader) = &mut self.leader else { return };
        leader.marks().for_each(|mark| effects.observe(Observation::Mark(mark)));
        let epoch = leader.epoch();
        let taken = match leader.close_turn() {
            leader::Turn::Idle => return,
            leader::Turn::Changed(record) => {
                let bytes = record::encode(self.stored.get(), self.node, record);
                record.last().into_iter().for_each(|(_, event)| self.clock.stamp(event.at()));
                let taken = self.journal.propose(bytes);
                if taken {
                    if self.outstanding.0 != epoch {
                        self.outstanding = (epoch, 0);
                    }
                    self.outstanding.1 += 1;
                    leader.proposed();
                }
                taken
            }
            leader::Turn::Asked => {
                self.reads += 1;
                let taken = self.journal.confirm_leadership(ReadId(self.reads));
                if taken {
                    leader.asked(ReadId(self.reads));
                } else if !self.journal.may_serve() {
                    // It serves before it may: the read index is asked once it may.
                    return;
                }
                taken
            }
        };
        if !taken {
            effects.observe(Observation::Mark(Mark::DeposedAppendRefused));
            self.depose(answers, effects);
        }
    }

    fn confirm(&mut self, reads: &[ReadId], answers: &mut Answers) {
        if let Some(leader) = &mut self.leader {
            leader.confirmed(reads, answers);
        }
    }

    /// Sends the answers of proposed records, where those need not be committed.
    fn acknowledge_early(&mut self, answers: &mut Answers) {
        let Some(leader) = &mut self.leader else { return };
        match self.setup.config.leader.acknowledge {
            Acknowledge::Quorum => {}
            Acknowledge::OwnDisk => answers.extend(leader.take_proposed(self.journal.undurable())),
            Acknowledge::Proposal => answers.extend(leader.take_proposed(0)),
        }
    }

    fn activate_if_due(&mut self, now: Instant, answers: &mut Answers, effects: &mut Effects) {
        if self.leader.is_none() {
            let epoch = self.journal.epoch();
            if self.journal.is_leader() && self.elected < epoch {
                self.elected = epoch;
                effects.observe(Observation::Elected { shard: self.id, epoch });
            }
            let settled = self.outstanding.0 != epoch || self.outstanding.1 == 0;
            let may_serve = match self.setup.config.leader.serves {
                Serves::CaughtUp => self.journal.may_serve(),
                Serves::Elected => self.journal.is_leader(),
            };
            if may_serve && settled {
                self.activate(now, answers, effects);
            } else if !self.journal.is_leader() && !self.awaits_successor() {
                self.note_waiting(effects);
                self.lead_transfer = None;
                self.turn_away(answers);
            }
        }
    }

    /// Begins to serve.
    #[cold]
    fn activate(&mut self, own: Instant, answers: &mut Answers, effects: &mut Effects) {
        let epoch = self.journal.epoch();
        self.clock.lead(own, epoch, self.setup.config.leader.reckoning);
        self.told.clear();
        let now = self.clock.at(own);
        if own.since(now).max(now.since(own)) > self.setup.rules.grace {
            effects.observe(Observation::Mark(Mark::ClocksApart));
        }
        let mut leader = Leader::new(self.id, epoch, now, &self.setup, &self.shows);
        effects.observe(Observation::LeaderActivated { shard: self.id, epoch });
        if !self.parked.is_empty() {
            effects.observe(Observation::Mark(Mark::WaitedForLeader));
        }
        self.lead_transfer = None;
        for (from, request) in self.parked.take(own) {
            answers.extend(leader.decide((now, own), from, &request, &self.setup, &self.shows));
        }
        self.leader = Some(leader);
    }

    /// Whether decisions wait for the next `settle`.
    pub(crate) fn is_unsettled(&self) -> bool {
        // A leader that serves before it may has no quorum to ask yet.
        let closes = self.leader.as_ref().is_some_and(Leader::has_to_close);
        closes && self.journal.may_serve() || self.must_call_successor()
    }

    fn turn_away(&mut self, answers: &mut Answers) {
        for (from, request) in self.parked.take_all() {
            answers.push((from, self.not_leader(&request)));
        }
    }
}
