//! Repeated writes: which writes this node was asked for, and the answer to each.
//!
//! Owns the memory by which a write that the network delivers twice is executed once and gets the same answer twice.
//! Refuses to know who asks, and what is written.
//!
//! A write executed a second time would be stamped a second time: it could win over another write in between, or be
//! made after its client was told that it was not. Nothing of this is durable: a connection ends with its process, so a
//! message to an earlier boot never reaches this one.

use std::collections::{BTreeMap, VecDeque};

use crate::fact::{FactsAnswer, QuestionId};

/// Number of writes remembered. Limited by number and not by time: a process that stood still for hours finds both
/// copies when it goes on.
const REMEMBERED_MAX: usize = 16_384;

/// Whether a write was asked for before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Not as far as this node remembers.
    No,
    /// Yes, and its answer is still to come.
    UnderWay,
    /// Yes, and this was the answer.
    Answered(FactsAnswer),
}

/// The latest writes that a node was asked for.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Writes with their answers, once they have one.
    answers: BTreeMap<QuestionId, Option<FactsAnswer>>,
    /// The writes, oldest first.
    order: VecDeque<QuestionId>,
}

impl Repeats {
    /// Notes that a write is asked for, and returns whether it was before.
    pub(super) fn on_write(&mut self, id: QuestionId) -> Repeat {
        match self.answers.get(&id) {
            Some(None) => return Repeat::UnderWay,
            Some(Some(answer)) => return Repeat::Answered(answer.clone()),
            None => {}
        }
        if self.order.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
        self.answers.insert(id, None);
        self.order.push_back(id);
        Repeat::No
    }

    /// Notes the answer to a question; if it was a write, a copy of it gets the same answer.
    pub(super) fn on_answer(&mut self, id: QuestionId, answer: &FactsAnswer) {
        if let Some(known) = self.answers.get_mut(&id) {
            *known = Some(answer.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_writes_are_remembered_with_their_answers_and_no_more() {
        let mut repeats = Repeats::default();
        let (first, second) = (QuestionId(1), QuestionId(2));
        repeats.on_answer(first, &FactsAnswer::Behind);
        assert_eq!(repeats.on_write(first), Repeat::No, "the answered question was no write");
        assert_eq!(repeats.on_write(first), Repeat::UnderWay);
        assert_eq!(repeats.on_write(second), Repeat::No);
        repeats.on_answer(first, &FactsAnswer::Behind);
        assert_eq!(repeats.on_write(first), Repeat::Answered(FactsAnswer::Behind));
        for id in 3..=REMEMBERED_MAX as u64 {
            assert_eq!(repeats.on_write(QuestionId(id)), Repeat::No);
        }
        assert_eq!(repeats.on_write(first), Repeat::Answered(FactsAnswer::Behind));
        assert_eq!(repeats.on_write(QuestionId(REMEMBERED_MAX as u64 + 1)), Repeat::No);
        assert_eq!(repeats.on_write(first), Repeat::No, "the oldest was forgotten");
        assert_eq!(repeats.answers.len(), REMEMBERED_MAX);
    }
}
