//! Fault windows: when faults were on, and whether an operation met one.
//!
//! Owns the windows from a fault's strike to its healing. Refuses to know what a fault does.

use onsale_booking::Instant;

use crate::operation::Window;

/// The windows, filled as the run goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultWindows {
    /// Faults that are on: index and strike.
    open: Vec<(usize, Instant)>,
    /// Faults that have healed: strike and healing.
    closed: Vec<(Instant, Instant)>,
    /// Unions of overlapping windows, by rising strike; only the last can be open, and then
    /// ends at `Instant::MAX`.
    stretches: Vec<(Instant, Instant)>,
    latest_end: Instant,
}

impl FaultWindows {
    /// A fault strikes. Striking again while it is on has no effect.
    pub(crate) fn began(&mut self, at: Instant, index: usize) {
        if self.open.iter().any(|&(open, _)| open == index) {
            return;
        }
        self.open.push((index, at));
        match self.stretches.last_mut() {
            Some((began, ended)) if *ended >= at => {
                *began = at.min(*began);
                *ended = Instant::MAX;
            }
            Some(_) | None => self.stretches.push((at, Instant::MAX)),
        }
    }

    /// A fault heals. Healing a fault that is not on has no effect, so a final "heal everything" needs no
    /// bookkeeping.
    pub(crate) fn ended(&mut self, at: Instant, index: usize) {
        let Some(position) = self.open.iter().position(|&(open, _)| open == index) else {
            return;
        };
        let (_, began) = self.open.swap_remove(position);
        self.closed.push((began, at));
        self.latest_end = self.latest_end.max(at);
        if self.open.is_empty() {
            let last = self.stretches.last_mut().expect("an open fault stands in a stretch");
            last.1 = self.latest_end;
        }
    }

    /// The window of an operation that lasted from `intended` to `answered`, both included. Looks at one
    /// interval, or at two if `answered` lies just before the last strike.
    #[inline]
    pub(crate) fn window_of(&self, intended: Instant, answered: Instant) -> Window {
        for &(began, ended) in self.stretches.iter().rev() {
            if began <= answered {
                return if ended >= intended { Window::InFaults } else { Window::OutsideFaults };
            }
        }
        Window::OutsideFaults
    }

    /// Every window; those still open end at `end`.
    pub(crate) fn all(&self, end: Instant) -> impl Iterator<Item = (Instant, Instant)> {
        let open = self.open.iter().map(move |&(_, began)| (began, end.max(began)));
        self.closed.iter().copied().chain(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_in_faults_if_it_shares_an_instant_with_one() {
        let mut windows = FaultWindows::default();
        windows.began(Instant(100), 0);
        windows.began(Instant(150), 1);
        windows.ended(Instant(200), 0);
        windows.ended(Instant(250), 1);
        windows.ended(Instant(251), 1);
        windows.began(Instant(400), 0);

        let table = [
            (0, 99, Window::OutsideFaults),
            (0, 100, Window::InFaults),
            (0, 300, Window::InFaults),
            (220, 230, Window::InFaults),
            (250, 300, Window::InFaults),
            (251, 399, Window::OutsideFaults),
            (251, 400, Window::InFaults),
            (500, 600, Window::InFaults),
        ];
        for (intended, answered, window) in table {
            let found = windows.window_of(Instant(intended), Instant(answered));
            assert_eq!(found, window, "{intended}..{answered}");
        }
        let all: Vec<_> = windows.all(Instant(900)).map(|(a, b)| (a.0, b.0)).collect();
        assert_eq!(all, [(100, 200), (150, 250), (400, 900)]);
    }
}
