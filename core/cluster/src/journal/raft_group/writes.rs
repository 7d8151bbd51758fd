//! A replica's frame batches, and the messages that wait until they are durable.
//!
//! Owns the count of frame batches, how far they are durable, and the messages that may leave only then: the promises.
//! Refuses to know the content of a batch, and the disk.

use std::collections::VecDeque;
use std::mem;

use raft::eraftpb::Message;

/// The frame batches of one replica, and the messages that wait for them.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Number of the last batch that has to be durable.
    written: u64,
    /// Number of the last durable batch; at most `written`.
    durable: u64,
    /// Pending writes, oldest first.
    pending: VecDeque<PendingWrite>,
    /// An emptied list, kept for its memory.
    spare: Vec<Message>,
}

/// The messages that wait for one batch.
#[derive(Debug)]
struct PendingWrite {
    /// The batch that has to be durable first.
    needs: u64,
    /// The index of its snapshot.
    snapshot: Option<u64>,
    /// Index and term of its last entry.
    last: Option<(u64, u64)>,
    messages: Vec<Message>,
}

/// The library's state that a finished write made durable.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Persisted {
    /// The index of the latest snapshot.
    pub(super) snapshot: Option<u64>,
    /// Index and term of the last entry behind it.
    pub(super) last: Option<(u64, u64)>,
}

impl Writes {
    /// Number of the last batch that has to be durable.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Number of the last durable batch.
    pub(super) fn durable(&self) -> u64 {
        self.durable
    }

    /// Whether everything that has to be durable is.
    pub(super) fn are_durable(&self) -> bool {
        self.written <= self.durable
    }

    /// Counts one more batch that has to be durable, though nothing waits for it. Returns its number.
    pub(super) fn add(&mut self) -> u64 {
        self.written += 1;
        self.written
    }

    /// Counts one more batch that has to be durable, with a snapshot at an index or entries up to an index and term.
    /// Returns its number.
    pub(super) fn push(&mut self, snapshot: Option<u64>, last: Option<(u64, u64)>) -> u64 {
        let needs = self.add();
        let messages = mem::take(&mut self.spare);
        self.pending.push_back(PendingWrite { needs, snapshot, last, messages });
        needs
    }

    /// The messages that wait for the last batch; `None` if nothing waits for a write.
    pub(super) fn last_messages(&mut self) -> Option<&mut Vec<Message>> {
        self.pending.back_mut().map(|pending| &mut pending.messages)
    }

    /// The batches up to a number are durable. Appends the messages that waited for them to `free`, in order. Returns
    /// the news for the library, `None` if it was known.
    ///
    /// # Panics
    ///
    /// If the batch was never written.
    pub(super) fn persisted(&mut self, upto: u64, free: &mut Vec<Message>) -> Option<Persisted> {
        assert!(upto <= self.written, "only what was written becomes durable");
        if upto <= self.durable {
            return None;
        }
        self.durable = upto;
        let mut persisted = Persisted::default();
        let ends = self.pending.partition_point(|pending| pending.needs <= upto);
        for mut pending in self.pending.drain(..ends) {
            if pending.snapshot.is_some() {
                persisted = Persisted { snapshot: pending.snapshot, last: None };
            }
            persisted.last = pending.last.or(persisted.last);
            free.append(&mut pending.messages);
            self.spare = pending.messages;
        }
        Some(persisted)
    }

    /// Drops all waiting messages: they never leave.
    pub(super) fn drop_pending(&mut self) {
        self.pending.clear();
    }

    /// The invariants after every step; cheap.
    pub(super) fn check_invariants(&self) {
        assert!(self.durable <= self.written, "only what was written is durable");
        assert!(
            self.pending.front().is_none_or(|first| first.needs > self.durable),
            "nothing waits for what is durable"
        );
        assert!(
            self.pending.back().is_none_or(|last| last.needs <= self.written),
            "every promise waits for a batch that was written"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_leave_in_order_once_their_batches_are_durable() {
        let (mut writes, mut free) = (Writes::default(), Vec::new());
        for term in 1..=3 {
            writes.push((term == 2).then_some(9), (term != 2).then_some((term, term)));
            let message = Message { term, ..Message::default() };
            writes.last_messages().expect("it was pushed just now").push(message);
        }
        let persisted = writes.persisted(2, &mut free).expect("it is news");
        assert_eq!((persisted.snapshot, persisted.last), (Some(9), None), "it replaces the entry");
        assert_eq!(free.iter().map(|message| message.term).collect::<Vec<_>>(), [1, 2]);
        assert!(writes.persisted(1, &mut free).is_none(), "a later batch included it");
        writes.check_invariants();
        assert!(!writes.are_durable());
    }

    #[test]
    #[should_panic(expected = "every promise waits for a batch that was written")]
    fn a_promise_without_a_write_is_caught() {
        let mut writes = Writes::default();
        writes.push(None, None);
        writes.written = 0;
        writes.check_invariants();
    }

    #[test]
    #[should_panic(expected = "nothing waits for what is durable")]
    fn a_promise_that_is_kept_back_is_caught() {
        let mut writes = Writes::default();
        writes.push(None, None);
        writes.durable = 1;
        writes.check_invariants();
    }

    #[test]
    #[should_panic(expected = "only what was written is durable")]
    fn a_durable_batch_that_was_never_written_is_caught() {
        Writes { durable: 1, ..Writes::default() }.check_invariants();
    }

    #[test]
    #[should_panic(expected = "only what was written becomes durable")]
    fn an_unwritten_batch_is_not_durable() {
        Writes::default().persisted(1, &mut Vec::new());
    }
}
