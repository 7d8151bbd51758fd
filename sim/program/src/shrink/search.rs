//! Candidates tried in parallel and taken in order.
//!
//! Owns the guarantee that the answer does not depend on the number of parallel attempts: it is the first
//! candidate in the given order that passes, and every candidate before it was tried to its end. Refuses to know
//! what a candidate is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use onsale_sim::wall;
use onsale_world::Progress;

/// Interval at which the waiting thread is asked whether to go on.
const PACE: Duration = Duration::from_millis(50);

/// The result of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// The first candidate that passes, and its number.
    Candidate(usize, T),
    /// No candidate passes.
    Nothing,
    /// The search was interrupted before it had an answer.
    CalledOff,
}

/// Tries the candidates 0 to `count`, `jobs` at once. `attempt` returns the result of a candidate that passes;
/// its progress is told to stop when its answer no longer matters. `goes_on` is asked now and then, on this
/// thread.
pub(super) fn first<T: Send>(
    jobs: usize,
    count: usize,
    attempt: &(dyn Fn(usize, &Arc<Progress>) -> Option<T> + Sync),
    goes_on: &mut dyn FnMut() -> bool,
) -> Found<T> {
    let search = Search {
        next: AtomicUsize::new(0),
        best: AtomicUsize::new(count),
        called_off: AtomicBool::new(false),
        under_way: Mutex::default(),
        passed: Mutex::new(None),
    };
    let (working, done) = channel::<()>();
    std::thread::scope(|scope| {
        let workers = wall::start(scope, jobs.min(count), || {
            let (search, working) = (&search, working.clone());
            Some(move || {
                search.work(attempt);
                drop(working);
            })
        });
        drop(working);
        while done.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
            if !goes_on() {
                search.called_off.store(true, Ordering::Relaxed);
                search.stop(|_| true);
            }
        }
        wall::join(workers);
    });
    match search.passed.into_inner().expect(UNBROKEN) {
        Some((index, came_to)) => Found::Candidate(index, came_to),
        None if search.called_off.into_inner() => Found::CalledOff,
        None => Found::Nothing,
    }
}

const UNBROKEN: &str = "nothing panics while it holds a lock of the search";

struct Search<T> {
    next: AtomicUsize,
    /// The first candidate that has passed so far; `count` if none has.
    best: AtomicUsize,
    called_off: AtomicBool,
    under_way: Mutex<Vec<(usize, Arc<Progress>)>>,
    passed: Mutex<Option<(usize, T)>>,
}

impl<T> Search<T> {
    /// Takes candidates in order until no remaining one matters.
    fn work(&self, attempt: &(dyn Fn(usize, &Arc<Progress>) -> Option<T> + Sync)) {
        while let Some((index, progress)) = self.begin() {
            let came_to = attempt(index, &progress);
            self.under_way().retain(|&(other, _)| other != index);
            let Some(came_to) = came_to.filter(|_| !progress.stop.load(Ordering::Relaxed)) else {
                continue;
            };
            let mut passed = self.passed.lock().expect(UNBROKEN);
            if index < self.best.fetch_min(index, Ordering::Relaxed) {
                *passed = Some((index, came_to));
            }
            drop(passed);
            self.stop(|other| other > index);
        }
    }

    /// The next candidate. It counts as running before another thread can look.
    fn begin(&self) -> Option<(usize, Arc<Progress>)> {
        let mut under_way = self.under_way();
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let matters = index < self.best.load(Ordering::Relaxed);
        if !matters || self.called_off.load(Ordering::Relaxed) {
            return None;
        }
        let progress = Arc::new(Progress::default());
        under_way.push((index, Arc::clone(&progress)));
        Some((index, progress))
    }

    fn stop(&self, whom: impl Fn(usize) -> bool) {
        for (_, progress) in self.under_way().iter().filter(|&&(index, _)| whom(index)) {
            progress.stop.store(true, Ordering::Relaxed);
        }
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<(usize, Arc<Progress>)>> {
        self.under_way.lock().expect(UNBROKEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_passes_is_found_however_many_are_tried_at_once() {
        for jobs in [1, 2, 7] {
            let odd_from_five = |index: usize, _: &Arc<Progress>| {
                // Later candidates are quicker.
                let work = (0..(20 - index) * 2_000).fold(index, |sum, n| sum ^ n);
                (std::hint::black_box(work) < usize::MAX && index >= 5 && index % 2 == 1)
                    .then_some(index * 10)
            };
            assert_eq!(first(jobs, 20, &odd_from_five, &mut || true), Found::Candidate(5, 50));
            assert_eq!(first(jobs, 5, &odd_from_five, &mut || true), Found::Nothing);
            assert_eq!(first(jobs, 0, &odd_from_five, &mut || true), Found::Nothing);
        }
    }

    #[test]
    fn a_search_that_is_called_off_stops_what_is_under_way() {
        let endless = |_: usize, progress: &Arc<Progress>| {
            while !progress.stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            Some(())
        };
        assert_eq!(first(2, 9, &endless, &mut || false), Found::CalledOff);
    }

    #[test]
    fn what_comes_after_the_first_is_stopped() {
        let endless_but_one = |index: usize, progress: &Arc<Progress>| {
            while index > 0 && !progress.stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            Some(index)
        };
        assert_eq!(first(3, 3, &endless_but_one, &mut || true), Found::Candidate(0, 0));
    }
}
