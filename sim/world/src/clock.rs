//! A node's clocks: the machine's wall clock, and the clock that its process uses.
//!
//! Owns both, and the conversion between true instants and those of the process. A process reads
//! the wall clock when it starts, and then counts evenly, as the monotonic clocks of real machines
//! do: it drifts with its machine and never jumps. Refuses to know why a clock is wrong.

use onsale_booking::{Instant, Span};
use onsale_scenarios::Ratio;

use crate::place::Place;

use crate::touches::Touches;

/// Unit of drift rates: a rate of 1 is one part in this many.
const PARTS: i128 = 1_000_000_000;

/// The clocks of one node.
#[derive(Clone, Debug)]
pub struct Clock {
    reading: Reading,
    /// Offset of the wall clock without faults, in microseconds.
    ahead: i64,
    /// Jumps in force: the fault, and the jump in microseconds.
    jumps: Vec<(usize, i64)>,
    /// Drifts in force: the fault, its start, and its rate in [`PARTS`].
    drifts: Vec<(usize, Instant, i64)>,
    /// Turns that used a drifting clock, and starts that read a clock that had jumped.
    pub(crate) touches: Touches,
}

/// The rate of a process's clock, valid until the next change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// True instant in microseconds at which it read `reads`.
    since: i64,
    /// Reading at `since`, in microseconds.
    reads: i64,
    /// Parts in [`PARTS`] gained since.
    gains: i64,
}

impl Clock {
    /// The clock of a place without faults: the first node's is true, that of the last of `members` is `skew`
    /// ahead, those between are evenly spaced, and spares are like the last.
    pub fn of(skew: Span, members: u16, place: Place) -> Self {
        let last = (u64::from(members) - 1).max(1);
        let before = u64::from(place.number().saturating_sub(1));
        Self::new(Span(skew.0 * before.min(last) / last))
    }

    /// A clock that is ahead by a constant.
    fn new(ahead: Span) -> Self {
        let ahead = ahead.0 as i64;
        let reading = Reading { since: 0, reads: ahead, gains: 0 };
        Self { reading, ahead, jumps: Vec::new(), drifts: Vec::new(), touches: Touches::default() }
    }

    /// The reading of the process's clock for the turn that begins.
    #[inline]
    pub fn reading(&mut self) -> Reading {
        self.drifts.iter().for_each(|&(fault, ..)| self.touches.turn(fault));
        self.reading
    }

    /// Sets the clock of a starting process to the wall clock.
    pub fn start(&mut self, now: Instant) {
        self.jumps.iter().for_each(|&(fault, _)| self.touches.turn(fault));
        let wall = self.wall(now);
        self.reading = Reading { since: now.0 as i64, reads: wall, gains: self.gains() };
    }

    /// Makes the wall clock jump.
    pub fn jump(&mut self, fault: usize, by: Span, back: bool) {
        let by = by.0 as i64;
        self.jumps.push((fault, if back { -by } else { by }));
    }

    /// Makes both clocks drift.
    pub fn drift(&mut self, now: Instant, fault: usize, by: Ratio, slow: bool) {
        let rate = (i128::from(by.num) * PARTS / i128::from(by.den)) as i64;
        self.drifts.push((fault, now, if slow { -rate } else { rate }));
        self.change_rate(now);
    }

    /// Undoes a fault: its drift ends, and the wall clock loses the error that it caused.
    pub fn put_right(&mut self, now: Instant, fault: usize) {
        self.jumps.retain(|&(of, _)| of != fault);
        self.drifts.retain(|&(of, ..)| of != fault);
        self.change_rate(now);
    }

    /// The wall clock in microseconds, at least 0.
    fn wall(&self, now: Instant) -> i64 {
        let jumped: i64 = self.jumps.iter().map(|&(_, by)| by).sum();
        let gained = |&(_, since, rate): &(usize, Instant, i64)| gained(now.since(since).0, rate);
        let drifted: i64 = self.drifts.iter().map(gained).sum();
        (now.0 as i64 + self.ahead + jumped + drifted).max(0)
    }

    fn gains(&self) -> i64 {
        self.drifts.iter().map(|&(.., rate)| rate).sum::<i64>().max(-(PARTS as i64) / 2)
    }

    fn change_rate(&mut self, now: Instant) {
        let reads = self.reading.at(now).0 as i64;
        self.reading = Reading { since: now.0 as i64, reads, gains: self.gains() };
    }
}

impl Reading {
    /// Whether it shows true time.
    pub fn is_true(self) -> bool {
        self.since == self.reads && self.gains == 0
    }

    /// The instant shown at a true instant.
    #[inline]
    pub fn at(self, now: Instant) -> Instant {
        let passed = now.0 as i64 - self.since;
        let gained = if self.gains == 0 { 0 } else { gained(passed.max(0) as u64, self.gains) };
        Instant((self.reads + passed + gained).max(0) as u64)
    }

    /// The first true instant at which it shows `shows` or later.
    #[inline]
    pub fn when(self, shows: Instant) -> Instant {
        let ahead = shows.0.min(i64::MAX as u64 / 2) as i64 - self.reads;
        if self.gains == 0 || ahead <= 0 {
            return Instant((self.since + ahead).max(0) as u64);
        }
        let rate = PARTS + i128::from(self.gains);
        let passed = (i128::from(ahead) * PARTS).div_euclid(rate) as i64;
        let mut at = Instant((self.since + passed) as u64);
        while self.at(at) < shows {
            at += Span(1);
        }
        at
    }
}

fn gained(passed: u64, rate: i64) -> i64 {
    (i128::from(passed) * i128::from(rate)).div_euclid(PARTS) as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PERCENT: Ratio = Ratio { num: 1, den: 100 };

    fn secs(secs: u64) -> Instant {
        Instant(secs * 1_000_000)
    }

    #[test]
    fn only_processes_that_start_during_a_jump_see_it() {
        let mut clock = Clock::new(Span::ZERO);
        clock.start(secs(5));
        clock.jump(0, Span::from_secs(300), false);
        assert_eq!(clock.reading().at(secs(10)), secs(10));
        assert!(clock.reading().is_true());
        clock.start(secs(20));
        assert_eq!(clock.reading().at(secs(25)), secs(325));
        clock.put_right(secs(30), 0);
        assert_eq!(clock.reading().at(secs(31)), secs(331), "a running process does not jump");
        clock.start(secs(40));
        assert!(clock.reading().is_true());
    }

    #[test]
    fn a_jump_back_goes_back_no_further_than_the_origin() {
        let mut clock = Clock::new(Span::from_secs(2));
        clock.jump(0, Span::from_secs(15), true);
        clock.start(secs(20));
        assert_eq!(clock.reading().at(secs(21)), secs(8));
        clock.jump(1, Span::from_secs(300), true);
        clock.start(secs(30));
        assert_eq!(clock.reading().at(secs(31)), secs(1));
    }

    #[test]
    fn a_drift_gains_or_loses_its_share_and_ends() {
        for (slow, shows) in [(false, 101), (true, 99)] {
            let mut clock = Clock::new(Span::ZERO);
            clock.drift(Instant::ZERO, 3, PERCENT, slow);
            assert_eq!(clock.reading().at(secs(100)), secs(shows));
            clock.put_right(secs(100), 3);
            assert_eq!(
                clock.reading().at(secs(200)),
                secs(shows + 100),
                "the process's clock does not jump"
            );
            clock.start(secs(200));
            assert!(clock.reading().is_true(), "the wall clock was put right");
        }
    }

    proptest! {
        /// A deadline is reached when the clock shows it, not a microsecond earlier.
        #[test]
        fn the_way_back_is_the_first_instant_that_shows_it(
            (since, ahead, passes) in (0_u64..1 << 40, 0_u64..1 << 40, 1_u64..1 << 40),
            (num, slow) in (0_u32..500, any::<bool>()),
        ) {
            let mut clock = Clock::new(Span(ahead));
            clock.start(Instant(since));
            clock.drift(Instant(since), 0, Ratio { num, den: 1_000 }, slow);
            let reading = clock.reading();
            let shows = Instant(since + ahead + passes);
            let at = reading.when(shows);
            prop_assert!(reading.at(at) >= shows);
            prop_assert!(reading.at(Instant(at.0 - 1)) < shows);
        }
    }
}
