//! Questions whether a replica still leads.
//!
//! Owns which are open, and the words that carry them. A follower that answers a heartbeat in its
//! leader's epoch has not followed another since the heartbeat left: so an answer to a question
//! answers every earlier one too. The library has such questions itself, at ten times the cost.

use std::collections::VecDeque;

use raft::eraftpb::MessageType;

use super::{Follower, RaftGroup};
use crate::journal::ReadId;

/// The questions of one replica, in the order in which they were asked.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: VecDeque<Question>,
    /// The number of the latest question; never repeats.
    last: u64,
}

#[derive(Debug)]
struct Question {
    number: u64,
    /// What was committed when it was asked.
    index: u64,
    read: ReadId,
}

impl Questions {
    /// Opens a question.
    pub(super) fn ask(&mut self, index: u64, read: ReadId) {
        let number = self.number();
        self.open.push_back(Question { number, index, read });
    }

    /// The number of a question that somebody else keeps.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The words for the latest question, while one is open.
    pub(super) fn words(&self) -> Option<[u8; 8]> {
        self.open.back().map(|question| Self::words_for(question.number))
    }

    /// The words for a question.
    pub(super) fn words_for(number: u64) -> [u8; 8] {
        number.to_le_bytes()
    }

    /// The question that an answer's words name, if it was ever asked.
    pub(super) fn named(&self, words: &[u8]) -> Option<u64> {
        let number = u64::from_le_bytes(words.try_into().ok()?);
        (number <= self.last).then_some(number)
    }

    /// Closes every question that `confirms` says a quorum has confirmed, and hands over what it
    /// has to wait for.
    pub(super) fn close(
        &mut self,
        confirms: impl Fn(u64) -> bool,
        mut closed: impl FnMut(u64, ReadId),
    ) {
        while let Some(question) = self.open.front().filter(|front| confirms(front.number)) {
            closed(question.index, question.read);
            self.open.pop_front();
        }
    }

    /// Drops them: none outlives the lead under which it was asked.
    pub(super) fn drop_all(&mut self) {
        self.open.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

impl RaftGroup {
    /// Heartbeats since `before` carry the latest open question.
    pub(super) fn ask_again(&mut self, before: usize) {
        let Some(words) = self.questions.words() else { return };
        let said = &mut self.raft.raft.msgs[before..];
        for message in said.iter_mut().filter(|said| said.msg_type == MessageType::MsgHeartbeat) {
            message.context = words.to_vec().into();
        }
    }

    /// A follower has answered a heartbeat with these words.
    pub(super) fn on_confirmed(&mut self, from: u64, words: &[u8]) {
        let Some(number) = self.questions.named(words) else { return };
        if let Some(follower) = self.followers.iter_mut().find(|follower| follower.id == from) {
            follower.confirmed = follower.confirmed.max(number);
        }
        self.close_questions();
        self.propose_awaited(from, number);
    }

    /// Answers the questions that a quorum has confirmed.
    pub(super) fn close_questions(&mut self) {
        let (followers, me) = (&self.followers, self.raft.raft.id);
        let confirms = |number| {
            self.members.is_quorum(|member| {
                let says = |follower: &Follower| {
                    follower.id == member.raft() && follower.confirmed >= number
                };
                member.raft() == me || followers.iter().any(says)
            })
        };
        self.questions.close(confirms, |index, read| self.reads.push((index, read)));
    }
}
