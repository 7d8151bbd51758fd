//! Answers on their way to gateways, this node's own among them.
//!
//! Owns their order, which is that of the decisions. Consecutive answers for one gateway are stored as they will leave:
//! a busy leader's leave in batches. Refuses to know when they may.

use onsale_booking::{Instant, NodeId, Outcome, Refusal, Reply, RequestId, Timed};

use crate::message::Answer;

/// Answers in order.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    runs: Vec<Run>,
    /// Length of the longest recent run; the next run reserves a little more than that.
    room: usize,
}

/// Consecutive answers for one gateway. Their instants are set when they leave.
type Run = (NodeId, Vec<Timed<Answer>>);

impl Answers {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds an answer at the end.
    pub(crate) fn push(&mut self, (to, item): (NodeId, Answer)) {
        self.run(to).push(Timed { at: Instant::ZERO, item });
    }

    /// Adds a refusal at the end: by far the most frequent answer, so it is not moved about with the room for seats.
    #[inline]
    pub(crate) fn refuse(&mut self, to: NodeId, request: RequestId, why: Refusal) {
        let reply = Reply { request, outcome: Outcome::Refused(why) };
        self.run(to).push(Timed { at: Instant::ZERO, item: Answer::Decided(reply) });
    }

    /// Appends the answers of `others`.
    pub(crate) fn append(&mut self, mut others: Self) {
        if self.runs.is_empty() {
            self.runs = others.runs;
        } else {
            self.runs.append(&mut others.runs);
        }
    }

    /// Takes all, and reserves for as many.
    pub(crate) fn take(&mut self) -> Self {
        Self { runs: self.take_runs(), room: 0 }
    }

    /// Takes all, in runs.
    pub(crate) fn take_runs(&mut self) -> Vec<Run> {
        let longest = self.runs.iter().map(|(_, batch)| batch.len()).max();
        self.room = longest.unwrap_or(0).max(self.room - self.room.div_ceil(16));
        std::mem::take(&mut self.runs)
    }

    /// All answers, one by one.
    pub(crate) fn into_each(self) -> impl Iterator<Item = (NodeId, Answer)> {
        let runs = self.runs.into_iter();
        runs.flat_map(|(to, batch)| batch.into_iter().map(move |timed| (to, timed.item)))
    }

    /// The batch that an answer for this gateway is added to.
    #[inline]
    fn run(&mut self, to: NodeId) -> &mut Vec<Timed<Answer>> {
        if self.runs.last().is_none_or(|run| run.0 != to) {
            self.runs.push((to, Vec::with_capacity(self.room + self.room / 4)));
        }
        let last = self.runs.len() - 1;
        &mut self.runs[last].1
    }
}

impl Extend<(NodeId, Answer)> for Answers {
    fn extend<I: IntoIterator<Item = (NodeId, Answer)>>(&mut self, answers: I) {
        answers.into_iter().for_each(|answer| self.push(answer));
    }
}
