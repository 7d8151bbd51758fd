//! The real machine: wall time, memory, and threads.
//!
//! Owns the project's only readings of the machine. They are shown to people. Refuses to let them
//! affect a run.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// Measures wall time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// A stopwatch started now.
    #[expect(clippy::disallowed_methods, reason = "this is the place that measures wall time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    pub fn elapsed_s(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Does the work, and calls `tick` once per `pace` on another thread with the seconds since the
/// work began.
pub fn every<T>(pace: Duration, tick: impl Fn(f64) + Sync, work: impl FnOnce() -> T) -> T {
    let (done, ended) = channel::<()>();
    let tick = &tick;
    std::thread::scope(|scope| {
        let ticks = move || {
            let stopwatch = Stopwatch::start();
            while ended.recv_timeout(pace) == Err(RecvTimeoutError::Timeout) {
                tick(stopwatch.elapsed_s());
            }
        };
        let thread = std::thread::Builder::new().spawn_scoped(scope, ticks);
        thread.unwrap_or_else(|error| no_thread(error));
        let result = work();
        drop(done);
        result
    })
}

/// Panic payload: the machine starts no thread. It unwinds without a panic message to the program's entry,
/// which reports it.
#[derive(Debug)]
pub struct NoThread(pub io::Error);

/// Unwinds with [`NoThread`].
pub fn no_thread(error: io::Error) -> ! {
    resume_unwind(Box::new(NoThread(error)))
}

/// Upper bound of threads: more do not help.
const THREADS_MAX: usize = 1_024;

/// Starts `count` threads, at most 1,024, while `worker` has work for the next. Fewer if the system has no
/// more: the started ones do the work.
///
/// # Panics
/// With [`NoThread`] if the system starts none.
pub fn start<'scope, W: FnOnce() + Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    count: usize,
    mut worker: impl FnMut() -> Option<W>,
) -> Vec<ScopedJoinHandle<'scope, ()>> {
    let mut started = Vec::new();
    while started.len() < count.min(THREADS_MAX)
        && let Some(worker) = worker()
    {
        match std::thread::Builder::new().spawn_scoped(scope, worker) {
            Ok(thread) => started.push(thread),
            Err(error) if started.is_empty() => no_thread(error),
            Err(_) => break,
        }
    }
    started
}

/// Joins threads. A panic of one of them is resumed with its own payload, not as a panic of their scope.
pub fn join(threads: Vec<ScopedJoinHandle<'_, ()>>) {
    let thrown: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().err()).collect();
    if let Some(thrown) = thrown.into_iter().next() {
        resume_unwind(thrown);
    }
}

/// Peak resident memory of this process, in bytes; 0 where the system does not report it.
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}
