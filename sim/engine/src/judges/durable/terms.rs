//! The epochs of one log: where each begins, which replica leads in it, and how far its records were on a quorum's disks.
//!
//! Owns the tree of epochs. If logs match as Raft has it, then all logs with a record of an epoch agree on where the
//! epoch begins and on the record before: so the path of epochs below a record tells the whole log before it, and takes
//! one entry an epoch. Refuses to judge.

use onsale_cluster::Epoch;
use onsale_cluster::journal::ReplicaId;
use onsale_cluster::journal::claim::LogPosition;

/// The epochs of one log, in order.
#[derive(Debug, Default)]
pub(super) struct Terms(Vec<Term>);

/// An epoch of a log.
#[derive(Clone, Copy, Debug, Default)]
struct Term {
    epoch: Epoch,
    /// The index of its first record, and the epoch of the record before it; `None` before it has one.
    begins: Option<LogPosition>,
    /// The replica that leads in it.
    leader: Option<ReplicaId>,
    /// The greatest index of its records that a quorum of disks has held at one instant.
    quorum: u64,
}

impl Terms {
    /// An epoch.
    #[inline]
    fn at(&mut self, epoch: Epoch) -> &mut Term {
        let after = self.0.iter().rposition(|term| term.epoch <= epoch);
        let place = match after {
            Some(place) if self.0[place].epoch == epoch => place,
            Some(place) => self.insert(place + 1, epoch),
            None => self.insert(0, epoch),
        };
        &mut self.0[place]
    }

    #[cold]
    fn insert(&mut self, place: usize, epoch: Epoch) -> usize {
        self.0.insert(place, Term { epoch, ..Term::default() });
        place
    }

    fn get(&self, epoch: Epoch) -> Option<&Term> {
        self.0.iter().rev().find(|term| term.epoch == epoch)
    }

    /// The replica that leads in an epoch.
    pub(super) fn leader(&self, epoch: Epoch) -> Option<ReplicaId> {
        self.get(epoch)?.leader
    }

    /// Notes where an epoch begins.
    ///
    /// # Errors
    /// If it is known to begin elsewhere: there.
    pub(super) fn begins(&mut self, epoch: Epoch, begins: LogPosition) -> Result<(), LogPosition> {
        let known = *self.at(epoch).begins.get_or_insert(begins);
        if known == begins { Ok(()) } else { Err(known) }
    }

    /// The epoch of the record at an index in a log that ends in this epoch; `None` if it is not known.
    pub(super) fn epoch_at(&self, mut epoch: Epoch, index: u64) -> Option<Epoch> {
        loop {
            let (first, before) = self.get(epoch)?.begins?;
            if index >= first {
                return Some(epoch);
            }
            if before >= epoch {
                return None;
            }
            epoch = before;
        }
    }

    /// Whether a quorum of disks has held a record at one instant.
    #[inline]
    pub(super) fn was_on_quorum(&self, (index, epoch): LogPosition) -> bool {
        self.get(epoch).is_some_and(|term| term.quorum >= index)
    }

    /// Notes that a quorum holds the records of an epoch up to an index. Returns whether that is news.
    pub(super) fn on_quorum(&mut self, (index, epoch): LogPosition) -> bool {
        let term = self.at(epoch);
        let is_news = term.quorum < index;
        term.quorum = term.quorum.max(index);
        is_news
    }

    /// Notes that a replica leads in an epoch.
    pub(super) fn leads(&mut self, epoch: Epoch, leader: ReplicaId) {
        self.at(epoch).leader = Some(leader);
    }

    /// The later epochs in which a replica leads.
    pub(super) fn led_after(&self, epoch: Epoch) -> impl Iterator<Item = (Epoch, ReplicaId)> + '_ {
        let later = self.0.iter().rev().take_while(move |term| term.epoch > epoch);
        later.filter_map(|term| Some((term.epoch, term.leader?)))
    }
}
