//! The pace of a disk: how much slower faults make it, and when the write in flight is due.
//!
//! Owns the faults that slow the disk, and the due instant. Refuses to know how long a write takes without faults, and
//! what it does when it is due.

use onsale_booking::{Instant, Span};

use crate::touches::Touches;

/// The pace of one disk.
#[derive(Debug, Default)]
pub(super) struct Pace {
    slow: Vec<(usize, u32)>,
    /// The factor by which the write in flight is slower, at least 1 while there is one.
    factor: u64,
    /// The instant at which the write in flight began.
    begun: Instant,
    /// The instant at which the write in flight is due; `None` without one, and while it waits for a stall to end.
    due: Option<Instant>,
}

impl Pace {
    /// Begins a write that takes this long without faults. Returns how long it takes with those in force, of which the
    /// worst counts.
    pub(super) fn begin(&mut self, at: Instant, takes: Span, touches: &mut Touches) -> Span {
        self.slow.iter().for_each(|&(fault, _)| touches.write(fault));
        self.factor = self.worst();
        let takes = Span(takes.0.saturating_mul(self.factor));
        (self.begun, self.due) = (at, Some(at + takes));
        takes
    }

    /// Whether the write in flight is due at this instant; true once for each due instant.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due == now).is_some()
    }

    /// Makes the write in flight due at an instant: what it waited for is over.
    pub(super) fn make_due(&mut self, now: Instant) {
        self.due = Some(now);
    }

    /// Makes the disk `factor` times slower, for a fault. A write in flight is not concerned.
    pub(super) fn slow_down(&mut self, fault: usize, factor: u32) {
        self.slow.push((fault, factor));
    }

    /// Ends the slowness of a fault. The rest of the write in flight takes as much less time as the worst factor in force
    /// is lower than the one it has had. Returns its new due instant, if it has one.
    pub(super) fn speed_up(&mut self, now: Instant, fault: usize) -> Option<Instant> {
        self.slow.retain(|&(of, _)| of != fault);
        let factor = self.worst();
        let (due, from) = (self.due?, now.max(self.begun));
        if factor >= self.factor || due <= from {
            return None;
        }
        let rest = u128::from(due.since(from).0) * u128::from(factor);
        let rest = Span(rest.div_ceil(u128::from(self.factor)) as u64);
        self.factor = factor;
        let sooner = from + rest;
        (sooner < due).then(|| *self.due.insert(sooner))
    }

    /// The worst factor in force, at least 1.
    fn worst(&self) -> u64 {
        self.slow.iter().map(|&(_, factor)| u64::from(factor)).max().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant(1_000_000);

    /// A pace with these slow-downs, and a write of 100 s that is under way.
    fn writing(factors: &[u32]) -> Pace {
        let mut pace = Pace::default();
        (0..).zip(factors).for_each(|(fault, &factor)| pace.slow_down(fault, factor));
        let takes = Span(100_000_000 / u64::from(*factors.iter().max().expect("one is in force")));
        let mut touches = Touches::default();
        assert_eq!(pace.begin(START, takes, &mut touches), Span::from_secs(100));
        assert!((0..factors.len()).all(|fault| touches.of(fault).writes == 1), "all touch it");
        pace
    }

    #[test]
    fn a_heal_in_the_middle_of_a_write_ends_it_in_its_usual_time() {
        let mut pace = writing(&[50]);
        let heals = START + Span::from_secs(50);
        assert_eq!(pace.speed_up(heals, 0), Some(heals + Span::from_secs(1)));
        assert!(!pace.is_due(START + Span::from_secs(100)), "the old instant is void");
        assert!(pace.is_due(heals + Span::from_secs(1)));
        assert!(!pace.is_due(heals + Span::from_secs(1)), "it is due once");
        assert_eq!(pace.speed_up(heals, 0), None, "the write has ended");
    }

    #[test]
    fn the_worst_of_overlapping_faults_counts() {
        let mut pace = writing(&[20, 100]);
        let first = START + Span::from_secs(50);
        assert_eq!(pace.speed_up(first, 1), Some(first + Span::from_secs(10)), "20 of 100");
        let second = first + Span::from_secs(5);
        assert_eq!(pace.speed_up(second, 0), Some(second + Span(250_000)), "1 of 20");
        let mut other = writing(&[20, 100]);
        assert_eq!(other.speed_up(first, 0), None, "the worst is in force");
    }

    #[test]
    fn a_fault_that_strikes_during_a_write_neither_delays_nor_hastens_it() {
        let mut pace = writing(&[10]);
        pace.slow_down(1, 100);
        let heals = START + Span::from_secs(50);
        assert_eq!(pace.speed_up(heals, 1), None);
        assert_eq!(pace.speed_up(heals, 0), Some(heals + Span::from_secs(5)));
    }

    #[test]
    fn a_write_that_has_yet_to_begin_is_hastened_from_its_beginning() {
        let mut pace = writing(&[50]);
        assert_eq!(pace.speed_up(Instant::ZERO, 0), Some(START + Span::from_secs(2)));
    }

    #[test]
    fn a_write_that_waits_for_a_stall_keeps_waiting() {
        let mut pace = writing(&[50]);
        let due = START + Span::from_secs(100);
        assert!(pace.is_due(due));
        assert_eq!(pace.speed_up(due, 0), None);
        pace.make_due(due + Span(7));
        assert!(!pace.is_due(due) && pace.is_due(due + Span(7)));
    }
}
