//! The process on a machine: its state and its incarnation.
//!
//! Owns when it started and died, the faults that caused it, whether its machine has power, and when it is to be
//! woken. Refuses to know what it does.

use onsale_booking::Instant;

use crate::place::{Lost, Process};

/// What falls when a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The process alone: its machine keeps what it wrote in the page cache.
    Process,
    /// The machine with it: what was not synced is lost.
    Machine,
}

/// The process on one machine.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    state: Process,
    /// Number of boots so far.
    incarnation: u32,
    /// Instant of the last boot: messages that left earlier were sent to another incarnation, and are lost.
    booted: Instant,
    /// Instant at which the previous incarnation died.
    died: Instant,
    /// The fault that last killed it, if one did.
    killed_by: Option<usize>,
    /// The fault that paused it.
    paused_by: Option<usize>,
    /// Number of faults that keep it without power.
    dark: u16,
    /// The earliest pending wake-up.
    wake: Option<Instant>,
}

impl Life {
    /// A process that was never started, or one that always runs.
    pub(crate) const fn new(state: Process) -> Self {
        Self {
            state,
            incarnation: 0,
            booted: Instant::ZERO,
            died: Instant::ZERO,
            killed_by: None,
            paused_by: None,
            dark: 0,
            wake: None,
        }
    }

    /// State of the process.
    #[inline]
    pub const fn state(&self) -> Process {
        self.state
    }

    /// Incarnation of the process: the number of boots so far.
    #[inline]
    pub const fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// The fault that last killed it, if one did.
    pub(crate) const fn killed_by(&self) -> Option<usize> {
        self.killed_by
    }

    /// The fault that paused it, if it is paused.
    pub(crate) const fn paused_by(&self) -> Option<usize> {
        self.paused_by
    }

    pub(crate) fn start(&mut self, now: Instant) {
        assert_eq!(self.state, Process::Down, "only a dead process is started");
        self.state = Process::Up;
        self.incarnation += 1;
        self.booted = now;
        self.wake = None;
    }

    pub(crate) fn die(&mut self, now: Instant, by: Option<usize>) {
        assert_ne!(self.state, Process::Down, "only a live process dies");
        self.state = Process::Down;
        self.died = now;
        self.killed_by = by;
        self.wake = None;
    }

    pub(crate) fn pause(&mut self, by: usize) {
        assert_eq!(self.state, Process::Up, "only a running process is paused");
        self.state = Process::Paused;
        self.paused_by = Some(by);
    }

    pub(crate) fn resume(&mut self) {
        assert_eq!(self.state, Process::Paused, "only a paused process is resumed");
        self.state = Process::Up;
    }

    pub(crate) const fn has_power(&self) -> bool {
        self.dark == 0
    }

    pub(crate) fn cut_power(&mut self) {
        self.dark += 1;
    }

    pub(crate) fn restore_power(&mut self) {
        self.dark = self.dark.checked_sub(1).expect("only power that was cut is restored");
    }

    /// Notes a wake-up at `at`. Returns whether to enter it in the calendar: not if an earlier one is pending.
    #[inline]
    pub(crate) fn wakes_at(&mut self, at: Instant) -> bool {
        let is_sooner = self.wake.is_none_or(|wake| at < wake);
        if is_sooner {
            self.wake = Some(at);
        }
        is_sooner
    }

    /// Notes that a wake-up of this incarnation is due. Returns whether it still counts.
    #[inline]
    pub(crate) fn wakes(&mut self, now: Instant, incarnation: u32) -> bool {
        let counts = self.incarnation == incarnation && self.wake == Some(now);
        if counts {
            self.wake = None;
        }
        counts
    }

    /// Why a message that left this process, then in incarnation `sender`, does not arrive at `target` now, as far as
    /// the state of the processes decides it.
    #[inline]
    pub(crate) fn why_lost(&self, target: &Self, departed: Instant, sender: u32) -> Option<Lost> {
        // A process that died before the message was to leave never sent it.
        let died_before = self.incarnation != sender || self.state == Process::Down;
        if died_before && departed > self.died {
            Some(Lost::NeverLeft)
        } else if target.state == Process::Down {
            Some(Lost::Down)
        } else if departed < target.booted {
            Some(Lost::Restarted)
        } else {
            None
        }
    }
}
