//! The watchdog of a sweep's threads: a turn that never ends is reported, not waited for.
//!
//! Owns when a run counts as stuck: it has shown no event at [`Watch::PATIENCE`] consecutive looks. Limits on
//! events and bytes end every other livelocked run, at the same event everywhere; inside one turn no event is
//! counted, and only the machine's clock is left. So the watchdog decides nothing about a run: its caller can
//! only give up, because a thread cannot be taken out of a turn. It counts looks and not seconds, so a suspended
//! program or a sleeping machine is no reason. Refuses to know how to give up.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use onsale_world::Progress;

use super::Item;

/// The running runs of a sweep.
#[derive(Debug, Default)]
pub struct Watch {
    runs: Mutex<Vec<Watched>>,
}

#[derive(Debug)]
struct Watched {
    item: Item,
    progress: Arc<Progress>,
    /// Events at the last look, and the number of looks with the same count.
    seen: Option<(u64, u32)>,
}

impl Watch {
    /// Number of consecutive looks without an event after which a run is stuck: two minutes. The longest
    /// legitimate silence is the end of a run, when millions of people are counted: a few seconds.
    pub const PATIENCE: u32 = 120;

    /// Interval between looks.
    pub const PACE: Duration = Duration::from_secs(1);

    /// Does the work of a run under the watchdog.
    pub fn over<T>(&self, item: Item, progress: &Arc<Progress>, work: impl FnOnce() -> T) -> T {
        self.runs().push(Watched { item, progress: Arc::clone(progress), seen: None });
        let result = work();
        self.runs().retain(|run| !Arc::ptr_eq(&run.progress, progress));
        result
    }

    /// Looks at all runs. Returns one that is stuck.
    pub fn look(&self) -> Option<Item> {
        let mut stuck = None;
        for run in self.runs().iter_mut() {
            let events = run.progress.events.load(Ordering::Relaxed);
            let looks = match run.seen {
                Some((seen, looks)) if seen == events => looks + 1,
                Some(_) | None => 0,
            };
            run.seen = Some((events, looks));
            if looks > Self::PATIENCE {
                stuck = stuck.or(Some(run.item));
            }
        }
        stuck
    }

    fn runs(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.runs.lock().expect("nobody panics while holding the list")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn item(seed: u64) -> Item {
        Item { number: 0, scenario: 0, seed }
    }

    #[test]
    fn a_run_without_events_is_told_once_patience_is_over() {
        let (watch, moving, still) = (Watch::default(), Arc::<Progress>::default(), Arc::default());
        let looks = |count| (0..count).find_map(|_| watch.look());
        watch.over(item(1), &moving, || {
            watch.over(item(2), &still, || {
                for events in 0..=Watch::PATIENCE {
                    moving.events.store(u64::from(events) * 256, Ordering::Relaxed);
                    assert_eq!(looks(1), None, "{events}");
                }
                assert_eq!(looks(1), Some(item(2)));
            });
            assert_eq!(looks(Watch::PATIENCE - 1), None, "that one came to an end after all");
            assert_eq!(looks(1), Some(item(1)));
        });
        assert_eq!(looks(1_000), None);
    }

    #[test]
    fn the_next_run_on_a_thread_starts_anew() {
        let (watch, progress) = (Watch::default(), Arc::default());
        for seed in 0..3 {
            watch.over(item(seed), &progress, || {
                assert!((0..Watch::PATIENCE).all(|_| watch.look().is_none()));
            });
        }
    }
}
