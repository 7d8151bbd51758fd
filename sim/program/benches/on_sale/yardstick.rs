//! A yardstick for the machine: its current speed in bare events.
//!
//! Owns a loop that knows nothing of on-sales, so no change of the engine affects it: if it is slow, the machine
//! is. Refuses to judge, and to scale other figures.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use onsale_sim::wall::Stopwatch;
use onsale_world::stream::mix;

/// Events waiting in the heap at any time.
const WAITING: u64 = 10_000;
/// Events taken in one measurement.
const TAKEN: u64 = 2_000_000;
/// Measurements, of which the fastest counts: disturbances only slow one down.
const TIMES: u32 = 5;

/// The result of [`events_per_s`] on the kind of machine for which the targets were set.
pub(crate) const EXPECTED_EVENTS_PER_S: f64 = 15e6;

/// Events a second of a binary heap from which the earliest event is repeatedly taken and into which another is
/// entered.
pub(crate) fn events_per_s() -> f64 {
    (0..TIMES).map(|_| measure()).fold(0.0, f64::max)
}

fn measure() -> f64 {
    let mut heap: BinaryHeap<Reverse<(u64, u64)>> =
        (0..WAITING).map(|number| Reverse((delay(number), number))).collect();
    let watch = Stopwatch::start();
    let mut last = 0;
    for number in WAITING..WAITING + TAKEN {
        if let Some(Reverse((at, _))) = heap.pop() {
            assert!(at >= last, "events come in order");
            last = at;
            heap.push(Reverse((at + delay(number), number)));
        }
    }
    TAKEN as f64 / watch.elapsed_s()
}

fn delay(number: u64) -> u64 {
    mix(number) % 1_000_000
}
