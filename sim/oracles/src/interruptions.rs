//! Interruptions: the times in which requests may stay unanswered.
//!
//! Owns when each log must serve again, given what a system declares: faults that may delay everything, writers that
//! have stopped, and logs without a majority. Refuses to know their causes, and what becomes of a request.
//!
//! A request is *excused* if an interruption touches its time, from its first attempt to its end. An interruption lasts
//! from its cause until *recovery* after the cause is over: recovery is the time that detection, election and retries
//! take with the settings at hand, which the system derives. The start of a run is an interruption as well: no log has
//! had a writer yet.
//!
//! Overload is an interruption too, and needs no fault: the oracles hear of every attempt of a client, and know the most
//! work that one can make. As long as the work of all attempts, done one after the other by a single core, would make
//! them wait for longer than a leader takes requests, leaders may pass requests over. In truth many cores share it.
//!
//! A gateway that dies or stands still answers nobody, though all logs are served: a client that asks it, and gives up
//! before it asks another, goes without an answer. Clients learn of a silent gateway by health checks. So a request is
//! excused, too, if no more attempts were made at it than there are gateways whose interruption touches its time: from
//! the stop until recovery or the health checks are over, whichever is later, and from the next start until recovery is
//! over. Attempts go round the gateways, so one attempt more has met another one.
//!
//! Every interruption that has begun when a request ends began before that end. So the latest end of all of them
//! decides, and one instant a log is enough.

use onsale_booking::{Instant, NodeId, ShowId, Span};

/// The load under which requests may stay unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The most work that an attempt of a client can make, on one core.
    pub work: Span,
    /// The time that a request may wait for a core before it may be dropped.
    pub wait: Span,
}

/// The interruptions of all logs.
#[derive(Debug)]
pub struct Interruptions {
    /// Time from the end of a cause until requests must be answered again.
    recovery: Span,
    load: Load,
    /// Instant at which a single core would have done the work of all attempts so far.
    done: Instant,
    /// By show: the log of its records; a show beyond the list is in log 0.
    log_of: Vec<u32>,
    /// Whether something that may delay everything is in force.
    delays: bool,
    /// End of the latest interruption of everything.
    everything: Instant,
    /// By log: end of its latest interruption.
    logs: Vec<Instant>,
    /// Instant by which each node that has started or gone on has worked off what it found.
    nodes: Instant,
    /// Time from the stop of a gateway until no client asks it any more.
    unseen: Span,
    /// By node: end of the latest interruption of its gateway.
    gateways: Vec<Instant>,
}

impl Interruptions {
    pub(super) fn new(recovery: Span, unseen: Span, load: Load, log_of: Vec<u32>) -> Self {
        let everything = Instant::ZERO + recovery;
        Self {
            recovery,
            load,
            done: Instant::ZERO,
            log_of,
            delays: false,
            everything,
            logs: Vec::new(),
            nodes: everything,
            unseen,
            gateways: Vec::new(),
        }
    }

    /// Notes an attempt of a client.
    #[inline]
    pub(super) fn attempted(&mut self, at: Instant) {
        self.done = self.done.max(at) + self.load.work;
        if self.done > at + self.load.wait {
            self.everything = self.everything.max(self.done + self.recovery);
        }
    }

    /// Time from the end of a cause until requests must be answered again.
    pub const fn recovery(&self) -> Span {
        self.recovery
    }

    /// End of the latest interruption of everything.
    pub const fn everything(&self) -> Instant {
        if self.delays { Instant::MAX } else { self.everything }
    }

    /// End of the latest interruption of everything that is over, overload included.
    pub const fn settled(&self) -> Instant {
        self.everything
    }

    /// Declares the start of something that may delay everything, until it [ends](Self::delays_end).
    pub const fn delays_begin(&mut self) {
        self.delays = true;
    }

    /// Declares the end of everything that may delay everything.
    pub fn delays_end(&mut self, at: Instant) {
        if std::mem::take(&mut self.delays) {
            self.everything = self.everything.max(at + self.recovery);
        }
    }

    /// Declares that a log's writer may have stopped: another one may have to take over.
    pub fn writer_stops(&mut self, log: u32, at: Instant) {
        let serves = at + self.recovery;
        let until = self.log_mut(log);
        *until = serves.max(*until);
    }

    /// Declares that a log cannot commit, until it [can again](Self::can_commit).
    pub fn cannot_commit(&mut self, log: u32) {
        *self.log_mut(log) = Instant::MAX;
    }

    /// Declares that a log that could not commit can commit again.
    pub fn can_commit(&mut self, log: u32, at: Instant) {
        *self.log_mut(log) = at + self.recovery;
    }

    /// Whether a log cannot commit now.
    pub fn is_stuck(&self, log: u32) -> bool {
        self.logs.get(log as usize) == Some(&Instant::MAX)
    }

    /// Declares that a node starts, or goes on after it stood still.
    pub fn node_goes_on(&mut self, node: NodeId, at: Instant) {
        self.nodes = self.nodes.max(at + self.recovery);
        self.gateway_until(node, at + self.recovery);
    }

    /// Declares that a node dies or stands still.
    pub fn node_stops(&mut self, node: NodeId, at: Instant) {
        self.gateway_until(node, at + self.recovery.max(self.unseen));
    }

    /// The latest declaration decides: a gateway that goes on is asked with success once recovery is over.
    fn gateway_until(&mut self, node: NodeId, until: Instant) {
        let place = usize::from(node.0);
        if place >= self.gateways.len() {
            self.gateways.resize(place + 1, Instant::ZERO);
        }
        self.gateways[place] = until;
    }

    /// Whether every attempt of a request may have gone to an interrupted gateway: the first was at `since`.
    pub(super) fn excuse_attempts(&self, attempts: u8, since: Instant) -> bool {
        let interrupted = self.gateways.iter().filter(|&&until| since <= until).count();
        usize::from(attempts) <= interrupted
    }

    /// Instant by which each node that has started or gone on has worked off what it found.
    pub(super) const fn nodes(&self) -> Instant {
        self.nodes
    }

    /// The log of a show.
    #[inline]
    pub(super) fn log_of(&self, show: ShowId) -> u32 {
        self.log_of.get(show.0 as usize).copied().unwrap_or(0)
    }

    /// End of the latest interruption of a show's log: a request whose first attempt was later must be answered.
    #[inline]
    pub(super) fn until(&self, show: ShowId) -> Instant {
        match self.logs.is_empty() && !self.delays {
            true => self.everything,
            false => self.of_log(self.log_of(show)),
        }
    }

    /// End of the latest interruption of a log.
    pub(super) fn of_log(&self, log: u32) -> Instant {
        if self.delays {
            return Instant::MAX;
        }
        self.logs.get(log as usize).map_or(self.everything, |&until| until.max(self.everything))
    }

    /// End of the latest interruption of any log.
    pub(super) fn of_all(&self) -> Instant {
        self.logs.iter().copied().fold(self.everything(), Instant::max)
    }

    fn log_mut(&mut self, log: u32) -> &mut Instant {
        let place = log as usize;
        if place >= self.logs.len() {
            self.logs.resize(place + 1, Instant::ZERO);
        }
        &mut self.logs[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWS: [ShowId; 2] = [ShowId(0), ShowId(1)];

    fn secs(secs: u64) -> Instant {
        Instant(secs * 1_000_000)
    }

    /// Recovery takes 10 s, and clients ask a silent gateway for 20 s; show 1 is in log 3.
    fn interruptions() -> Interruptions {
        let load = Load { work: Span::from_millis(100), wait: Span::from_secs(1) };
        Interruptions::new(Span::from_secs(10), Span::from_secs(20), load, vec![0, 3])
    }

    fn until(interruptions: &Interruptions) -> [Instant; 2] {
        SHOWS.map(|show| interruptions.until(show))
    }

    #[test]
    fn the_start_of_a_run_and_each_delay_excuse_recovery() {
        let mut it = interruptions();
        assert_eq!(until(&it), [secs(10); 2]);
        it.delays_begin();
        assert_eq!(until(&it), [Instant::MAX; 2]);
        it.delays_end(secs(30));
        assert_eq!(until(&it), [secs(40); 2]);
    }

    /// Ten attempts at once are the work of a second.
    #[test]
    fn overload_excuses_until_its_work_is_done() {
        let mut it = interruptions();
        (0..10).for_each(|_| it.attempted(secs(20)));
        assert_eq!(until(&it), [secs(10); 2], "a core does it in time");
        it.attempted(secs(20));
        assert_eq!(until(&it), [Instant(31_100_000); 2]);
        it.attempted(secs(40));
        assert_eq!(until(&it), [Instant(31_100_000); 2], "the work is done");
    }

    #[test]
    fn a_log_without_a_writer_excuses_its_own_shows() {
        let mut it = interruptions();
        it.writer_stops(3, secs(50));
        assert_eq!(until(&it), [secs(10), secs(60)]);
        it.cannot_commit(3);
        it.writer_stops(3, secs(70));
        assert_eq!(until(&it), [secs(10), Instant::MAX]);
        it.can_commit(3, secs(80));
        assert_eq!(until(&it), [secs(10), secs(90)]);
    }

    #[test]
    fn as_many_attempts_as_silent_gateways_are_excused() {
        let mut it = interruptions();
        let excused = |it: &Interruptions, since| {
            [1, 2, 3].map(|attempts| it.excuse_attempts(attempts, secs(since)))
        };
        assert_eq!(excused(&it, 0), [false; 3]);
        it.node_stops(NodeId(4), secs(50));
        assert_eq!(excused(&it, 70), [true, false, false]);
        assert_eq!(excused(&it, 71), [false; 3], "nobody asks it any more");
        it.node_stops(NodeId(2), secs(60));
        assert_eq!(excused(&it, 70), [true, true, false]);
        it.node_goes_on(NodeId(4), secs(90));
        assert_eq!(excused(&it, 100), [true, false, false], "it may have withdrawn");
        assert_eq!(excused(&it, 101), [false; 3]);
    }
}
