//! Recovery by an operator: what a replica does once a majority of its shard's voters is lost for good.
//!
//! Owns the two orders: one replica goes on alone with all that it holds, the others are given up. Refuses to know which
//! of them holds most, and why the nodes are lost.

use std::sync::Arc;

use onsale_booking::NodeId;

use super::{Answers, Shard};
use crate::effect::Effects;
use crate::mark::Mark;
use crate::observation::Observation;

impl Shard {
    /// Goes on alone under a new generation, unless the members in force have a quorum without the lost nodes. What it
    /// was asked and has not answered goes back to the gateways. Returns whether it does.
    pub(crate) fn recover(
        &mut self,
        generation: u32,
        is_lost: impl Fn(NodeId) -> bool,
        answers: &mut Answers,
        effects: &mut Effects,
    ) -> bool {
        let first = self.setup.placement.replicas(self.id);
        let Some(journal) = self.journal.alone(first, generation, is_lost) else { return false };
        self.end_service(answers, effects);
        // The time that has passed is the same for both, and so is the format that their log has activated.
        let (clock, format) = (self.clock, self.stored.get());
        let setup = Arc::clone(&self.setup);
        *self = Self { clock, ..Self::new(self.id, self.node, setup, journal, format) };
        effects.observe(Observation::Mark(Mark::RecoveredAlone));
        true
    }

    /// Drops this replica for good, because another one goes on alone. Returns whether it was there.
    pub(crate) fn give_up(&mut self, answers: &mut Answers, effects: &mut Effects) -> bool {
        self.end_service(answers, effects);
        let was_there = self.leave();
        if was_there {
            effects.observe(Observation::Mark(Mark::GivenUpInRecovery));
        }
        was_there
    }

    fn end_service(&mut self, answers: &mut Answers, effects: &mut Effects) {
        self.depose(answers, effects);
        self.lead_transfer = None;
        self.turn_away(answers);
    }
}
