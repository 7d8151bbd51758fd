//! The format in which a replica stores the shard's records and snapshots.
//!
//! Owns which one that is, and the record that activates a newer one. Refuses to know which nodes read it: the node
//! says so.
//!
//! A replica writes in the newest format that it has applied, in a record or by a snapshot. So the change to a format
//! is a fact of the journal: every later leader has applied it before it serves, and no replica forgets it.

use onsale_booking::NodeId;

use super::Shard;
use crate::effect::Effects;
use crate::id::Epoch;
use crate::mark::Mark;
use crate::observation::Observation;
use crate::record::{self, Events, Format};

/// The format that a replica writes.
#[derive(Debug)]
pub(super) struct StoredFormat {
    newest: Format,
    /// The epoch in which this replica proposed the record that activates a newer one.
    proposed: Option<Epoch>,
}

impl StoredFormat {
    /// That of a replica that has applied nothing yet.
    pub(super) const fn new(first: Format) -> Self {
        Self { newest: first, proposed: None }
    }

    /// The format for records and snapshots.
    #[inline]
    pub(super) const fn get(&self) -> Format {
        self.newest
    }

    /// A record or a snapshot of this format was applied.
    #[inline]
    pub(super) fn applied(&mut self, format: Format) {
        self.newest = self.newest.max(format);
    }
}

impl Shard {
    /// Proposes the record that activates a format, once an epoch, if this replica serves, the format is newer, and
    /// every member of the journal `reads` it. Returns whether it did.
    pub(crate) fn activate_format(
        &mut self,
        format: Format,
        reads: impl Fn(NodeId) -> bool,
    ) -> bool {
        let Some(epoch) = self.serves().filter(|_| !self.is_over()) else { return false };
        let Self { stored, journal, .. } = self;
        if format <= stored.newest
            || stored.proposed == Some(epoch)
            || !journal.members().each().all(|member| reads(member.node()))
        {
            return false;
        }
        let is_proposed = journal.propose(record::encode(format, self.node, &Events::new()));
        if is_proposed {
            stored.proposed = Some(epoch);
        }
        is_proposed
    }

    /// Observes that a format is active, if this replica proposed that in the epoch of the applied record.
    #[cold]
    pub(super) fn note_activation(&mut self, epoch: Epoch, effects: &mut Effects) {
        if self.stored.proposed.take_if(|proposed| *proposed == epoch).is_some() {
            effects.observe(Observation::Mark(Mark::FormatActivated));
        }
    }
}
