//! The wall: real time and real memory.
//!
//! Owns the only readings of the machine in the project. They are told to people and
//! never decide anything inside a run.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Measures wall time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the place that measures wall time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    pub fn elapsed_s(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Does the work, and calls `tick` meanwhile at the pace, on another thread, with the seconds
/// since the work began.
pub fn every<T>(pace: Duration, tick: impl Fn(f64) + Sync, work: impl FnOnce() -> T) -> T {
    let (done, ended) = channel::<()>();
    let tick = &tick;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let stopwatch = Stopwatch::start();
            while ended.recv_timeout(pace) == Err(RecvTimeoutError::Timeout) {
                tick(stopwatch.elapsed_s());
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// The most memory that this process has had resident, in bytes; zero where the system does not tell.
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}
