//! Records that an operator's recovery gave up, and the holds that they were about.
//!
//! Owns the records of all logs, where a log may be recovered, and the fates of the holds that lost some. Refuses to
//! decide which records are given up, and to fold.

use onsale_booking::{
    Event, FixedMap, HoldId, Instant, NodeId, RequestId, SeatList, ShowId, UserId,
};

use super::clients::Settled;
use super::position::Position;

/// A committed record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) when: (Instant, Instant),
    pub(super) position: Position,
    pub(super) writer: Option<NodeId>,
    pub(super) events: Vec<(ShowId, Event)>,
    /// The requests behind its bookings and releases.
    pub(super) settled: Settled,
}

/// A hold that a given up record was about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Void {
    /// Instant of the recovery.
    pub(super) at: Instant,
    /// Whether its grant was given up, and not only its end.
    pub(super) is_whole: bool,
    /// The request whose booking was given up.
    pub(super) booked_by: Option<RequestId>,
}

/// A live hold or a booking that was given up, for reports.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) log: u32,
    pub(super) hold: HoldId,
    pub(super) user: UserId,
    pub(super) show: ShowId,
    pub(super) seats: SeatList,
    pub(super) is_booking: bool,
    /// When its client was told, if it was.
    pub(super) told: Option<Instant>,
}

/// What recoveries gave up.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    /// All committed records that are left; `None` where no log is ever recovered.
    pub(super) records: Option<Vec<Record>>,
    pub(super) voids: FixedMap<HoldId, Void>,
    /// Shows with a booking that was given up.
    pub(super) shows: Vec<ShowId>,
    /// Logs that went on by a recovery, and number of records that they lost.
    pub(super) logs: u64,
    pub(super) lost: u64,
    /// Number of releases that they gave up, whose holds count again.
    pub(super) releases: u64,
    pub(super) named: Vec<Named>,
}

impl GivenUp {
    /// Nothing given up; records are kept if a log may be recovered.
    pub(super) fn new(may_recover: bool) -> Self {
        Self { records: may_recover.then(Vec::new), ..Self::default() }
    }

    /// Keeps a record.
    pub(super) fn keep(
        &mut self,
        when: (Instant, Instant),
        position: Position,
        writer: Option<NodeId>,
        events: &[(ShowId, Event)],
        settled: Settled,
    ) {
        if let Some(records) = &mut self.records {
            records.push(Record { when, position, writer, events: events.to_vec(), settled });
        }
    }

    /// The last record of a log that is left, and the last one with a writer.
    pub(super) fn last(&self, log: u32) -> (Option<Position>, Option<(NodeId, Position)>) {
        let of_log = self.records.iter().flatten().rev().filter(|it| it.position.log == log);
        let mut wrote = of_log.clone().filter_map(|it| Some((it.writer?, it.position)));
        (of_log.map(|it| it.position).next(), wrote.next())
    }

    /// Instant from which the client of a hold no longer counts on it, because its grant was given up.
    pub(super) fn ends(&self, hold: HoldId) -> Option<Instant> {
        self.voids.get(&hold).filter(|void| void.is_whole).map(|void| void.at)
    }

    /// Whether an answer at `at` may differ from what was told of a hold before.
    pub(super) fn excuses(&self, hold: HoldId, at: Instant) -> bool {
        self.voids.get(&hold).is_some_and(|void| void.at <= at)
    }

    /// Whether the answer to a request about a hold, first sent at `asked`, may rest on what was given up.
    pub(super) fn explains(&self, hold: HoldId, asked: Instant) -> bool {
        self.voids.get(&hold).is_some_and(|void| asked <= void.at)
    }

    /// Whether a show lost a booking, so that it may have seats again.
    pub(super) fn frees(&self, show: ShowId) -> bool {
        self.shows.contains(&show)
    }

    /// Notes that a client is told of a booking that was given up.
    pub(super) fn on_void(&mut self, hold: HoldId, at: Instant) {
        if let Some(named) = self.named.iter_mut().find(|named| named.hold == hold) {
            named.told.get_or_insert(at);
        }
    }
}
