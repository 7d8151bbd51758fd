//! Progress: a line that moves while a run goes on.
//!
//! Owns the line. It reads what the run tells in passing and can neither hold it up nor move it.
//! Refuses to know what a run is.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onsale_core::Span;
use onsale_reports::human;
use onsale_scenarios::Scenario;

use crate::wall::Stopwatch;
use crate::world::Progress;

/// How often the line is drawn anew.
const PACE: Duration = Duration::from_millis(100);

/// Does the work, and shows meanwhile how far it is. The line is gone at the end.
pub fn show<T>(
    scenario: &Scenario,
    progress: &Progress,
    coloured: bool,
    work: impl FnOnce() -> T,
) -> T {
    let (done, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let bar = bar(scenario, coloured);
            let stopwatch = Stopwatch::start();
            while ended.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                draw(&bar, scenario, progress, stopwatch.elapsed_s());
            }
            bar.finish_and_clear();
        });
        let result = work();
        drop(done);
        result
    })
}

fn bar(scenario: &Scenario, coloured: bool) -> ProgressBar {
    let template =
        if coloured { "{prefix:.bold} {bar:20.cyan/dim} {msg}" } else { "{prefix} {bar:20} {msg}" };
    let style = ProgressStyle::with_template(template)
        .expect("the template is sound")
        .progress_chars("━╸─");
    let bar = ProgressBar::with_draw_target(
        Some(scenario.duration.micros()),
        ProgressDrawTarget::stderr(),
    );
    bar.set_style(style);
    bar.set_prefix(scenario.id.clone());
    bar
}

fn draw(bar: &ProgressBar, scenario: &Scenario, progress: &Progress, wall_s: f64) {
    let now = Span(progress.now_us.load(Ordering::Relaxed));
    let events = progress.events.load(Ordering::Relaxed);
    let users = progress.users.load(Ordering::Relaxed);
    bar.set_position(now.micros().min(scenario.duration.micros()));
    bar.set_message(format!(
        "{} of {} · {} of {} users served · {} events/s",
        human::span(now),
        human::span(scenario.duration),
        human::count(users),
        human::count(u64::from(scenario.crowd.users)),
        human::rate(events as f64 / wall_s),
    ));
}
