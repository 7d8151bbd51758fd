//! Replies that must not leave yet.
//!
//! Owns, for each record that the leader proposed, the replies that wait for its commit, and for each read index the
//! replies that wait for a quorum's confirmation and for the records that they rest on. Refuses to know what was
//! decided, and how a record is committed.

use std::collections::VecDeque;

use onsale_booking::NodeId;

use super::Answers;
use crate::journal::ReadId;
use crate::message::Answer;

/// The replies of one leader in one epoch that wait for its journal.
#[derive(Debug, Default)]
pub(super) struct PendingReplies {
    /// For each record that was proposed and not applied, in order, the replies that wait for it.
    proposed: VecDeque<Answers>,
    /// Number of this epoch's records that were applied.
    applied: u64,
    /// For each open read, in order: how many records have to be applied as well, and the replies that wait for both.
    reads: VecDeque<(ReadId, u64, Answers)>,
    /// The latest read that was confirmed.
    confirmed: Option<ReadId>,
}

impl PendingReplies {
    /// Number of records proposed and not applied.
    pub(super) fn records(&self) -> usize {
        self.proposed.len()
    }

    /// Number of records and reads with replies that have not left.
    pub(super) fn with_replies(&self) -> usize {
        let reads = self.reads.iter().map(|(_, _, replies)| replies);
        self.proposed.iter().chain(reads).filter(|replies| !replies.is_empty()).count()
    }

    /// Whether no reply waits for a record.
    pub(super) fn awaits_no_record(&self) -> bool {
        self.proposed.is_empty()
    }

    /// Whether no reply waits for a read.
    pub(super) fn awaits_no_read(&self) -> bool {
        self.reads.is_empty()
    }

    /// Whether a read was asked for and no quorum has confirmed it.
    pub(super) fn has_open_read(&self) -> bool {
        self.reads.back().is_some_and(|(read, ..)| Some(*read) > self.confirmed)
    }

    /// A record was proposed; these replies wait for it.
    pub(super) fn on_proposed(&mut self, replies: Answers) {
        self.proposed.push_back(replies);
    }

    /// A read was asked for; these replies wait for it and for every record proposed before it.
    pub(super) fn on_read_asked(&mut self, read: ReadId, replies: Answers) {
        let rest_on = self.applied + self.proposed.len() as u64;
        self.reads.push_back((read, rest_on, replies));
    }

    /// Takes the replies that wait for records, all but those for the last `behind`.
    pub(super) fn take_proposed(
        &mut self,
        behind: u64,
    ) -> impl Iterator<Item = (NodeId, Answer)> + '_ {
        let ahead = (self.proposed.len() as u64).saturating_sub(behind);
        self.proposed.iter_mut().take(ahead as usize).flat_map(|due| due.take().into_each())
    }

    /// The oldest proposed record is committed and applied. Returns its replies, `None` if nothing was proposed.
    pub(super) fn on_committed(&mut self) -> Option<Answers> {
        let due = self.proposed.pop_front()?;
        self.applied += 1;
        Some(due)
    }

    /// Whether a quorum has confirmed a read or a later one.
    pub(super) fn is_confirmed(&self, read: ReadId) -> bool {
        self.confirmed >= Some(read)
    }

    /// Notes confirmed reads, each of which confirms every earlier one. Appends the replies that need not wait any
    /// more.
    pub(super) fn on_confirmed(&mut self, reads: &[ReadId], answers: &mut Answers) {
        self.confirmed = self.confirmed.max(reads.iter().copied().max());
        while let Some((read, rest_on, _)) = self.reads.front() {
            if Some(*read) > self.confirmed || *rest_on > self.applied {
                return;
            }
            let due = self.reads.pop_front().map(|(_, _, due)| due).unwrap_or_default();
            answers.append(due);
        }
    }

    /// All pending replies: first those for records, then those for reads, each oldest first.
    pub(super) fn into_each(self) -> impl Iterator<Item = Answers> {
        let reads = self.reads.into_iter().map(|(_, _, replies)| replies);
        self.proposed.into_iter().chain(reads)
    }

    /// The invariants after every turn; cheap.
    pub(super) fn check_invariants(&self) {
        let rests = |(read, rest_on, _): &(ReadId, u64, Answers)| (*read, *rest_on);
        let (first, last) = (self.reads.front().map(rests), self.reads.back().map(rests));
        assert!(first <= last, "reads are answered in the order in which they were asked for");
        assert!(
            last.is_none_or(|(_, rests_on)| rests_on <= self.applied + self.proposed.len() as u64),
            "a reply rests on no record that was not proposed"
        );
        assert!(
            first.is_none_or(|(read, rests_on)| {
                Some(read) > self.confirmed || rests_on > self.applied
            }),
            "a reply that waits for nothing has left"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a reply rests on no record that was not proposed")]
    fn a_reply_that_rests_on_nothing_is_caught() {
        let mut pending = PendingReplies::default();
        pending.on_proposed(Answers::default());
        pending.on_read_asked(ReadId(1), Answers::default());
        pending.check_invariants();
        pending.proposed.clear();
        pending.check_invariants();
    }

    #[test]
    #[should_panic(expected = "a reply that waits for nothing has left")]
    fn a_reply_that_is_kept_back_is_caught() {
        let mut pending = PendingReplies::default();
        pending.on_read_asked(ReadId(1), Answers::default());
        pending.check_invariants();
        pending.confirmed = Some(ReadId(1));
        pending.check_invariants();
    }

    #[test]
    #[should_panic(expected = "reads are answered in the order in which they were asked for")]
    fn a_read_out_of_its_order_is_caught() {
        let mut pending = PendingReplies::default();
        pending.on_read_asked(ReadId(2), Answers::default());
        pending.on_read_asked(ReadId(1), Answers::default());
        pending.check_invariants();
    }
}
