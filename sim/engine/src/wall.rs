//! The wall: real time, real memory, and threads that a machine refuses to start.
//!
//! Owns the only readings of the machine in the project. They are told to people and
//! never decide anything inside a run.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{Scope, ScopedJoinHandle};
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

/// The machine starts no thread. It is thrown past all who can do nothing about it, without the words of a
/// panic, to whoever started the program and tells it.
#[derive(Debug)]
pub struct NoThread(pub io::Error);

/// Throws that the machine starts no thread.
pub fn no_thread(error: io::Error) -> ! {
    resume_unwind(Box::new(NoThread(error)))
}

/// More threads than this help nobody, whatever was asked for.
const THREADS_MAX: usize = 1_024;

/// Starts so many threads, at most 1,024, as long as `worker` has something for the next to do. Fewer if the
/// system has no more: the others do their work.
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

/// Waits for threads. What one of them threw is thrown on as it is, and not as a panic of their scope.
pub fn join(threads: Vec<ScopedJoinHandle<'_, ()>>) {
    let thrown: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().err()).collect();
    if let Some(thrown) = thrown.into_iter().next() {
        resume_unwind(thrown);
    }
}

/// The most memory that this process has had resident, in bytes; zero where the system does not tell.
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}
