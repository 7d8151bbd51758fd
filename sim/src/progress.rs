//! Progress: a line that moves while a run or a sweep goes on.
//!
//! Owns the line. It reads what is told in passing and can neither hold it up nor move it.
//! Refuses to know what a run is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onsale_core::Span;
use onsale_reports::{human, plain};
use onsale_scenarios::Scenario;

use crate::wall;
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
    let bar = bar(&scenario.id, scenario.duration.micros(), coloured);
    watch(&bar, |wall_s| draw(&bar, scenario, progress, wall_s), work)
}

/// What a sweep tells while it goes on.
#[derive(Debug, Default)]
pub struct Swept {
    /// Runs that are done.
    pub done: AtomicU64,
    /// Of them, failed.
    pub failed: AtomicU64,
}

/// When a sweep will be over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// After about so many runs.
    Runs(u64),
    /// After so many seconds.
    Seconds(f64),
}

/// Does the work of a sweep, and shows meanwhile how far it is. The line is gone at the end.
pub fn show_sweep<T>(goal: Goal, swept: &Swept, coloured: bool, work: impl FnOnce() -> T) -> T {
    let length = match goal {
        Goal::Runs(runs) => runs,
        Goal::Seconds(seconds) => seconds.ceil() as u64,
    };
    let bar = bar("check", length, coloured);
    let draw = |wall_s: f64| {
        let (done, failed) =
            (swept.done.load(Ordering::Relaxed), swept.failed.load(Ordering::Relaxed));
        bar.set_position(match goal {
            Goal::Runs(_) => done.min(length),
            Goal::Seconds(_) => (wall_s as u64).min(length),
        });
        bar.set_message(format!(
            "{} seeds · {} seeds/s · {} failed",
            human::count(done),
            human::rate(done as f64 / wall_s),
            human::count(failed)
        ));
    };
    watch(&bar, draw, work)
}

/// Draws at the pace until the work is done.
fn watch<T>(bar: &ProgressBar, draw: impl Fn(f64) + Sync, work: impl FnOnce() -> T) -> T {
    let result = wall::every(PACE, draw, work);
    bar.finish_and_clear();
    result
}

fn bar(name: &str, length: u64, coloured: bool) -> ProgressBar {
    let template =
        if coloured { "{prefix:.bold} {bar:20.cyan/dim} {msg}" } else { "{prefix} {bar:20} {msg}" };
    let style = ProgressStyle::with_template(template)
        .expect("the template is sound")
        .progress_chars("━╸─");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar.set_prefix(plain::line(name).into_owned());
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
