//! Work on all cores, with results in order.
//!
//! Owns the threads; their number cannot be told from the results. Refuses to know what the work is.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use onsale_sim::wall;
use onsale_world::Progress;

/// Ends a sweep from outside: no new run begins, and running ones are cut short.
#[derive(Debug, Default)]
pub struct Stop {
    asked: AtomicBool,
    runs: Mutex<Vec<Arc<Progress>>>,
}

impl Stop {
    /// Asks for the end. Returns whether it had been asked for before.
    pub fn ask(&self) -> bool {
        let before = self.asked.swap(true, Ordering::SeqCst);
        self.cut_short();
        before
    }

    /// Whether the end was asked for.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Running work is no longer needed.
    fn cut_short(&self) {
        for run in self.runs().iter() {
            run.stop.store(true, Ordering::Relaxed);
        }
    }

    /// The handle of the runs of one thread.
    fn handle(&self) -> Arc<Progress> {
        let progress = Arc::new(Progress::default());
        self.runs().push(Arc::clone(&progress));
        // A request made before the handle was listed did not reach it.
        if self.asked() {
            progress.stop.store(true, Ordering::Relaxed);
        }
        progress
    }

    fn runs(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Progress>>> {
        self.runs.lock().expect("nobody panics while holding the list")
    }
}

/// Works on the items on `threads` threads, and passes the results on in the order of the items, on the caller's
/// thread. Ends when there are no more items, when `take` breaks, when `stop` is asked for, or at work without a
/// result; items behind that are neither begun nor passed on. So the results always belong to a first part of
/// the items. Starts no more threads than there are items, and fewer if the system has no more.
///
/// # Panics
/// If the work does, or with [`NoThread`](onsale_sim::wall::NoThread) if the system starts none.
pub fn in_order<I: Send, R: Send>(
    jobs: NonZeroUsize,
    items: impl Iterator<Item = I> + Send,
    stop: &Stop,
    work: impl Fn(I, &Arc<Progress>) -> Option<R> + Sync,
    mut take: impl FnMut(R) -> ControlFlow<()>,
) {
    let items = Mutex::new(items.enumerate().peekable());
    let is_left = || items.lock().expect("taking an item does not panic").peek().is_some();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (results, done) = mpsc::channel();
        let workers = wall::start(scope, jobs.get(), || {
            let (results, items, over, work) = (results.clone(), &items, &over, &work);
            is_left().then_some(move || {
                let progress = stop.handle();
                let _guard = EndsAll(over);
                while !over.load(Ordering::Relaxed) && !stop.asked() {
                    let next = items.lock().expect("taking an item does not panic").next();
                    let Some((number, item)) = next else { return };
                    // The receiver is gone once all results that matter were passed on.
                    let _ = results.send((number, work(item, &progress)));
                }
            })
        });
        drop(results);

        let mut early = BTreeMap::new();
        let mut next = 0;
        'all: for (number, result) in done {
            early.insert(number, result);
            while let Some(result) = early.remove(&next) {
                next += 1;
                if result.is_none_or(|result| take(result).is_break()) {
                    over.store(true, Ordering::Relaxed);
                    stop.cut_short();
                    break 'all;
                }
            }
        }
        wall::join(workers);
    });
}

/// A panic of one worker ends all: the result of its item will never come.
struct EndsAll<'a>(&'a AtomicBool);

impl Drop for EndsAll<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(jobs: usize) -> NonZeroUsize {
        NonZeroUsize::new(jobs).expect("a test has jobs")
    }

    /// Later items finish sooner, so the order cannot be a coincidence.
    fn slow_first(item: u64) -> u64 {
        (0..(40 - item) * 2_000).fold(item, |sum, step| onsale_world::stream::mix(sum ^ step))
    }

    #[test]
    fn results_come_in_order_for_any_number_of_threads() {
        let run = |jobs| {
            let mut seen = Vec::new();
            let work = |item, _: &Arc<Progress>| Some((item, slow_first(item)));
            in_order(threads(jobs), 0..40, &Stop::default(), work, |result| {
                seen.push(result);
                ControlFlow::Continue(())
            });
            seen
        };
        let alone = run(1);
        assert_eq!(alone.len(), 40);
        assert!(alone.iter().map(|&(item, _)| item).eq(0..40));
        assert_eq!(run(2), alone);
        assert_eq!(run(16), alone);
    }

    #[test]
    fn what_lies_behind_a_break_or_a_void_is_not_handed_over() {
        for jobs in [1, 3] {
            let mut seen = Vec::new();
            let work =
                |item, _: &Arc<Progress>| (item != 20).then(|| slow_first(item)).map(|_| item);
            in_order(threads(jobs), 0..40, &Stop::default(), work, |item| {
                seen.push(item);
                ControlFlow::Continue(())
            });
            assert!(seen.iter().copied().eq(0..20), "{seen:?}");

            seen.clear();
            let work = |item, _: &Arc<Progress>| Some(item);
            in_order(threads(jobs), 0.., &Stop::default(), work, |item| {
                seen.push(item);
                if item == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert!(seen.iter().copied().eq(0..=7), "{seen:?}");
        }
    }

    #[test]
    fn threads_are_no_more_than_anybody_needs() {
        let (most, now) = (std::sync::atomic::AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let work = |item: u64, _: &Arc<Progress>| {
            let mut threads = now.lock().unwrap();
            *threads.entry(format!("{:?}", std::thread::current().id())).or_insert(0) += 1;
            most.fetch_max(threads.len(), Ordering::Relaxed);
            Some(item)
        };
        let mut seen = 0;
        in_order(threads(1_000_000_000), 0..9, &Stop::default(), work, |_| {
            seen += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(seen, 9);
        assert!(most.load(Ordering::Relaxed) <= 9);
    }

    #[test]
    fn what_a_worker_throws_arrives_as_it_is() {
        let stop = Stop::default();
        let thrown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let work = |item: u64, _: &Arc<Progress>| {
                if item == 3 {
                    wall::no_thread(std::io::Error::other("no more"));
                }
                Some(item)
            };
            in_order(threads(2), 0.., &stop, work, |_| ControlFlow::Continue(()));
        }));
        let thrown = thrown.expect_err("the work ends, though its items do not");
        assert!(thrown.downcast_ref::<wall::NoThread>().is_some());
    }

    #[test]
    fn an_end_from_outside_reaches_what_runs() {
        let stop = Stop::default();
        let mut seen = 0;
        let work = |item: u64, progress: &Arc<Progress>| {
            if item == 5 {
                assert!(!stop.ask(), "it was asked for once");
                assert!(progress.stop.load(Ordering::Relaxed), "a run hears of it");
            }
            (item < 5).then_some(item)
        };
        in_order(threads(2), 0.., &stop, work, |_| {
            seen += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(seen, 5);
        assert!(stop.ask(), "it had been asked for");
        assert!(stop.handle().stop.load(Ordering::Relaxed), "a run that begins late hears of it");
    }
}
