//! Fencing: a leader whose epoch is over stops serving, and its unsent answers never leave.
//!
//! Owns when that is, and the end of the pending replies: their gateways are sent to the next leader. Refuses to know
//! which node that is; a writer is fenced by its journal's quorum, which takes no record of an earlier epoch.

use super::leader::Leader;
use super::{Answers, Shard};
use crate::config::Deposed;
use crate::effect::Effects;
use crate::mark::Mark;
use crate::message::Answer;
use crate::observation::Observation;

impl Shard {
    pub(super) fn depose_if_over(&mut self, answers: &mut Answers, effects: &mut Effects) {
        if self.is_over() {
            self.depose(answers, effects);
        }
    }

    /// Whether this replica serves in an epoch that is over.
    pub(super) fn is_over(&self) -> bool {
        let over =
            |leader: &Leader| !self.journal.is_leader() || self.journal.epoch() != leader.epoch();
        self.leader.as_ref().is_some_and(over)
    }

    #[cold]
    pub(super) fn depose(&mut self, answers: &mut Answers, effects: &mut Effects) {
        let Some(leader) = self.leader.take() else { return };
        self.failed_transfers.clear();
        effects.observe(Observation::LeaderDeposed { shard: self.id, epoch: leader.epoch() });
        if self.setup.config.leader.deposed == Deposed::Answers {
            return answers.extend(leader.into_pending());
        }
        let hint = self.journal.leader().map(|leader| (leader, self.journal.epoch()));
        let mut dropped = false;
        for (gateway, answer) in leader.into_pending() {
            dropped = true;
            answers.push((
                gateway,
                Answer::NotLeader { request: answer.request(), shard: self.id, leader: hint },
            ));
        }
        if dropped {
            effects.observe(Observation::Mark(Mark::DecisionsDropped));
        }
    }
}
