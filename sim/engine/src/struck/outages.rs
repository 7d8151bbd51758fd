//! Outages: the times in which a shard had no leader.
//!
//! Owns the measure, by shard. An outage ends when a leader serves. It begins when the leader's process dies or
//! pauses, or when it stops admitting requests for a lead transfer. If the leader lives and another is elected (it is
//! cut off or slow), the end of its lead is not visible: the outage begins when its successor last heard from it, or
//! with the first request since its last decision, if that is earlier; never before that decision or the strike of the
//! fault in force. Every outage counts, even one that outlasts its fault; one at the end of the run stays open.
//! Refuses to know what a fault does.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::ShardId;

/// An outage: a time in which a shard had no leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The shard.
    pub shard: ShardId,
    /// Start of the outage.
    pub since: Instant,
    /// End of the outage; `None` if it lasts to the end of the run.
    pub until: Option<Instant>,
    /// The cause.
    pub cause: Cause,
    /// Whether it was a pause, after which the same process goes on leading.
    pub stood_still: bool,
}

/// The cause of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No leader had been elected since the run began.
    NeverLed,
    /// This fault, by its number in the plan.
    Fault(usize),
    /// A lead transfer.
    HandedOver,
    /// No fault in force explains it.
    Unexplained,
}

impl Outage {
    /// Length of the outage; an open one is measured to `end`.
    pub fn length(&self, end: Instant) -> Span {
        self.until.unwrap_or(end).since(self.since)
    }
}

/// The outages of all shards.
#[derive(Clone, Debug, Default)]
pub struct Outages {
    /// State of each shard.
    courses: Vec<Course>,
    ended: Vec<Outage>,
}

/// Evidence on the time before a leader serves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before {
    /// Instant at which a leader's decision last reached a client.
    pub decided: Instant,
    /// Instant of the first request since then, if there was one.
    pub asked: Option<Instant>,
    /// Instant at which the new leader's node last heard from the old one's.
    pub heard: Instant,
    /// Instant at which the predecessor stopped admitting requests, for a lead transfer.
    pub handed_over: Option<Instant>,
}

/// State of one shard.
#[derive(Clone, Copy, Debug, Default)]
struct Course {
    /// The last leader, and the instant since which it serves.
    leader: Option<(NodeId, Instant)>,
    /// Instant at which another was elected since.
    elected: Option<Instant>,
    /// Start and cause of the current outage, as far as known.
    lost: Option<(Instant, Cause)>,
}

impl Outages {
    /// Shards that were never led.
    pub(super) fn new(shards: u32) -> Self {
        Self { courses: vec![Course::default(); shards as usize], ended: Vec::new() }
    }

    /// Notes that a node's process died or was paused: the shards that it leads have no leader.
    pub(super) fn stopped(&mut self, now: Instant, node: NodeId, cause: Cause) {
        for course in &mut self.courses {
            if course.leader.is_some_and(|(leader, _)| leader == node) {
                course.lost.get_or_insert((now, cause));
            }
        }
    }

    /// Notes that a paused process resumes: it still leads shards without a new leader.
    pub(super) fn goes_on(&mut self, now: Instant, node: NodeId) {
        for (shard, course) in (0..).map(ShardId).zip(&mut self.courses) {
            if let Some((leader, _)) = course.leader
                && leader == node
                && let Some((since, cause)) = course.lost.take()
            {
                self.ended.push(Outage {
                    shard,
                    since,
                    until: Some(now),
                    cause,
                    stood_still: true,
                });
            }
        }
    }

    /// The fault that took a shard's leader away, if the shard still has none.
    pub(super) fn lost_to(&self, shard: ShardId) -> Option<usize> {
        match self.courses[shard.0 as usize].lost {
            Some((_, Cause::Fault(fault))) => Some(fault),
            Some((_, Cause::NeverLed | Cause::HandedOver | Cause::Unexplained)) | None => None,
        }
    }

    /// The last leader that served, if any has.
    pub(super) fn leader(&self, shard: ShardId) -> Option<NodeId> {
        self.courses[shard.0 as usize].leader.map(|(leader, _)| leader)
    }

    /// Notes that a leader was elected, and does not serve yet.
    pub(super) fn elected(&mut self, now: Instant, shard: ShardId) {
        self.courses[shard.0 as usize].elected.get_or_insert(now);
    }

    /// Notes that a leader serves. `in_force` gives the fault in force since an instant, and its strike. Returns the
    /// outage that ends, if the shard was led before.
    pub(super) fn serves(
        &mut self,
        now: Instant,
        shard: ShardId,
        node: NodeId,
        before: Before,
        in_force: impl FnOnce(Instant) -> Option<(Instant, usize)>,
    ) -> Option<Outage> {
        let course = &mut self.courses[shard.0 as usize];
        let elected = course.elected.take().unwrap_or(now);
        let (_, served) = course.leader.replace((node, now))?;
        let (since, cause) = course.lost.take().unwrap_or_else(|| {
            let missed = before.heard.min(elected);
            let missed = before.asked.map_or(missed, |asked| asked.min(missed));
            let since = missed.max(before.decided).max(served);
            match (before.handed_over, in_force(since)) {
                (Some(since), _) => (since, Cause::HandedOver),
                (None, Some((at, fault))) => (since.max(at), Cause::Fault(fault)),
                (None, None) => (since, Cause::Unexplained),
            }
        });
        let outage = Outage { shard, since, until: Some(now), cause, stood_still: false };
        self.ended.push(outage);
        Some(outage)
    }

    /// All outages of a run, the longest first, then the earliest, then by shard.
    pub fn finish(&self, end: Instant) -> Vec<Outage> {
        let open = (0..).map(ShardId).zip(&self.courses).filter_map(|(shard, course)| {
            let (since, cause) = match (course.leader, course.lost) {
                (None, _) => (Instant::ZERO, Cause::NeverLed),
                (Some(_), lost) => lost?,
            };
            Some(Outage { shard, since, until: None, cause, stood_still: false })
        });
        let mut all: Vec<Outage> = self.ended.iter().copied().chain(open).collect();
        let order =
            |outage: &Outage| (std::cmp::Reverse(outage.length(end)), outage.since, outage.shard);
        all.sort_by_key(order);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: ShardId = ShardId(1);

    fn secs(secs: u64) -> Instant {
        Instant(secs * 1_000_000)
    }

    /// Two shards, both led by n1 since the first second.
    fn led() -> Outages {
        let mut outages = Outages::new(2);
        for shard in [ShardId(0), SHARD] {
            outages.serves(secs(1), shard, NodeId(1), Before::default(), |_| None);
        }
        outages
    }

    fn outage(shard: ShardId, since: u64, until: Option<u64>, cause: Cause) -> Outage {
        let until = until.map(secs);
        Outage { shard, since: secs(since), until, cause, stood_still: false }
    }

    #[test]
    fn an_outage_lasts_from_the_leader_s_death_to_the_next_leader_even_after_its_fault() {
        let mut outages = led();
        outages.stopped(secs(60), NodeId(1), Cause::Fault(3));
        // The fault is over and another has struck before a leader serves.
        outages.stopped(secs(80), NodeId(1), Cause::Fault(4));
        assert_eq!(outages.lost_to(SHARD), Some(3));
        let in_force = |_| Some((secs(80), 4));
        outages.serves(secs(91), SHARD, NodeId(2), Before::default(), in_force);
        assert_eq!(outages.lost_to(SHARD), None);
        let expected = [
            outage(ShardId(0), 60, None, Cause::Fault(3)),
            outage(SHARD, 60, Some(91), Cause::Fault(3)),
        ];
        assert_eq!(outages.finish(secs(100)), expected);
    }

    #[test]
    fn a_living_leader_s_outage_begins_when_its_successor_or_a_client_misses_it() {
        // Last decision, first request since, last heard by the successor; and the start of the outage.
        let table = [
            // Cut off at 60, without requests.
            ((20, None, 60), 60),
            // Its beats come, and it decides nothing.
            ((62, Some(63), 72), 63),
            // Without requests, its beats come, and another is elected: no more is known.
            ((20, None, 72), 72),
            // Its successor missed it for a while, and it went on deciding with others.
            ((71, None, 61), 71),
            // A request was open before the strike: the fault is not its cause.
            ((20, Some(30), 65), 60),
        ];
        for ((decided, asked, heard), since) in table {
            let mut outages = led();
            outages.elected(secs(73), SHARD);
            let before = Before {
                decided: secs(decided),
                asked: asked.map(secs),
                heard: secs(heard),
                handed_over: None,
            };
            outages.serves(secs(75), SHARD, NodeId(2), before, |_| Some((secs(60), 0)));
            let expected = outage(SHARD, since, Some(75), Cause::Fault(0));
            assert_eq!(outages.finish(secs(80)), [expected]);
        }
    }

    #[test]
    fn a_pause_ends_when_the_leader_resumes_or_another_serves() {
        let mut outages = led();
        outages.stopped(secs(10), NodeId(1), Cause::Fault(0));
        outages.serves(secs(12), SHARD, NodeId(2), Before::default(), |_| None);
        outages.goes_on(secs(15), NodeId(1));
        let expected = [
            Outage { stood_still: true, ..outage(ShardId(0), 10, Some(15), Cause::Fault(0)) },
            outage(SHARD, 10, Some(12), Cause::Fault(0)),
        ];
        assert_eq!(outages.finish(secs(20)), expected);
    }

    #[test]
    fn a_lead_transfer_counts_and_so_does_a_shard_that_was_never_led() {
        let mut outages = led();
        let before = Before { handed_over: Some(secs(8)), ..Before::default() };
        outages.serves(secs(9), SHARD, NodeId(2), before, |_| Some((secs(5), 7)));
        assert_eq!(outages.finish(secs(9)), [outage(SHARD, 8, Some(9), Cause::HandedOver)]);
        let never = Outages::new(1).finish(secs(9));
        assert_eq!(never, [outage(ShardId(0), 0, None, Cause::NeverLed)]);
    }
}
