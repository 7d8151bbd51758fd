//! A shard's time, which measures its holds whichever node leads it.
//!
//! Owns the conversion between a node's own clock and the shard's time. Refuses to compare the clocks of two nodes:
//! they may be any distance apart.
//!
//! The first leader's clock sets the shard's time. Each replica keeps the best [reading](ShardTime) that it has heard
//! or found in a record, and when, on its own clock, it heard it; since then it counts by its own clock. Every message
//! between replicas of a shard carries what the sender knows. So a candidate hears the time with the votes, and a
//! replica that was away hears it with the leader's first message. A leader fixes its clock when it begins to serve,
//! and hears no other time as long as it leads.

use onsale_booking::{Instant, Span};

use crate::config::Reckoning;
use crate::id::Epoch;
use crate::shard_time::ShardTime;

/// A replica's knowledge of its shard's time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ShardClock {
    heard: Option<Heard>,
}

/// A reading, and this node's clock when it was heard.
#[derive(Clone, Copy, Debug)]
struct Heard {
    time: ShardTime,
    own: Instant,
}

impl ShardClock {
    /// Takes a reading, heard when this node's clock shows `own`, if it is better than the known one.
    pub(super) fn hear(&mut self, own: Instant, time: ShardTime) {
        if self.time(own).is_none_or(|known| known < time) {
            self.heard = Some(Heard { time, own });
        }
    }

    /// Begins to lead in `epoch`: this node's clock alone carries the time on, and sets it if none was ever heard.
    pub(super) fn lead(&mut self, own: Instant, epoch: Epoch, reckoning: Reckoning) {
        let at = match reckoning {
            Reckoning::Elapsed => self.at(own),
            Reckoning::Instants => own,
        };
        self.heard = Some(Heard { time: ShardTime::stamped(epoch, at), own });
    }

    /// Notes that the leader stamps a record with this instant of the shard's time.
    pub(super) fn stamp(&mut self, at: Instant) {
        if let Some(Heard { time, .. }) = &mut self.heard {
            time.since = time.since.max(at);
        }
    }

    /// The reading to tell others when this node's clock shows `own`.
    pub(super) fn time(&self, own: Instant) -> Option<ShardTime> {
        let heard = self.heard?;
        Some(ShardTime { at: heard.time.at + own.since(heard.own), ..heard.time })
    }

    /// The shard's time when this node's clock shows `own`; `own` itself where nothing was heard.
    pub(super) fn at(&self, own: Instant) -> Instant {
        self.time(own).map_or(own, |time| time.at)
    }

    /// The instant on this node's clock for an instant of the shard's time.
    pub(super) fn own_at(&self, at: Instant) -> Instant {
        match self.heard {
            Some(heard) if at < Instant::MAX => heard.own + at.since(heard.time.at),
            Some(_) | None => at,
        }
    }
}

/// How often the leader of a shard with live holds tells its followers the time while one of them has not answered. A
/// replica that has just started is told at once; this covers the loss of that message.
pub(crate) const TELL_EVERY: Span = Span::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn told(epoch: u64, since: u64, at: u64) -> ShardTime {
        ShardTime { epoch: Epoch(epoch), since: Instant(since), at: Instant(at) }
    }

    #[test]
    fn time_goes_on_from_what_was_heard_by_the_nodes_own_clock() {
        for own in [40, 1_000, 90_000].map(Instant) {
            let mut clock = ShardClock::default();
            clock.hear(own, told(1, 900, 1_000));
            assert_eq!(clock.at(Instant(own.0 + 7)), Instant(1_007));
            assert_eq!(clock.own_at(Instant(1_007)), Instant(own.0 + 7));
            assert_eq!(clock.own_at(Instant::MAX), Instant::MAX);
        }
    }

    #[test]
    fn where_nothing_was_heard_the_leaders_clock_sets_the_time() {
        let mut clock = ShardClock::default();
        assert_eq!(clock.time(Instant(7)), None);
        clock.lead(Instant(7), Epoch(3), Reckoning::Elapsed);
        assert_eq!(clock.time(Instant(9)), Some(told(3, 7, 9)));
        assert_eq!(clock.own_at(Instant(12)), Instant(12));
    }

    #[test]
    fn a_record_read_back_from_a_disk_yields_to_a_later_reading() {
        let mut clock = ShardClock::default();
        clock.hear(Instant(5), told(1, 1_000, 1_000));
        clock.hear(Instant(6), told(1, 1_000, 61_000));
        assert_eq!(clock.at(Instant(6)), Instant(61_000));
        clock.hear(Instant(7), told(1, 1_000, 1_000));
        assert_eq!(clock.at(Instant(7)), Instant(61_001), "late news takes no time back");
    }

    /// A replica's clock runs fast while nothing is on hold. It must not measure a later hold.
    #[test]
    fn time_counted_before_a_grant_does_not_count_after_it() {
        let mut clock = ShardClock::default();
        clock.hear(Instant(0), told(1, 100, 100));
        assert_eq!(clock.at(Instant(90_000)), Instant(90_100));
        clock.hear(Instant(90_000), ShardTime::stamped(Epoch(1), Instant(80_000)));
        assert_eq!(clock.at(Instant(90_010)), Instant(80_010));
    }

    #[test]
    fn a_deposed_leader_is_not_believed() {
        let mut clock = ShardClock::default();
        clock.hear(Instant(0), told(2, 500, 500));
        clock.hear(Instant(1), told(1, 400, 9_000));
        assert_eq!(clock.at(Instant(1)), Instant(501));
        clock.lead(Instant(10), Epoch(3), Reckoning::Elapsed);
        assert_eq!(clock.time(Instant(10)), Some(told(3, 510, 510)));
        clock.stamp(Instant(515));
        clock.hear(Instant(20), told(3, 515, 519));
        assert_eq!(
            clock.time(Instant(20)),
            Some(told(3, 515, 520)),
            "its own reading comes back to it"
        );
    }
}
