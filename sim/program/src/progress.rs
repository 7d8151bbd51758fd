//! Progress: a line that is redrawn while a run or a sweep goes on.
//!
//! Owns the line. It reads counters and can neither delay the work nor change it. Refuses to know what a run is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onsale_booking::Span;
use onsale_reports::{human, plain};
use onsale_scenarios::Scenario;
use onsale_sim::wall;
use onsale_world::Progress;

/// Interval at which the line is redrawn.
const PACE: Duration = Duration::from_millis(100);

/// Does the work and shows its progress. The line is removed at the end.
pub fn show<T>(
    scenario: &Scenario,
    progress: &Progress,
    coloured: bool,
    work: impl FnOnce() -> T,
) -> T {
    let bar = bar(&scenario.id, scenario.duration.micros(), coloured);
    watch(&bar, |wall_s| draw(&bar, scenario, progress, wall_s), work)
}

/// The counters of a running sweep.
#[derive(Debug, Default)]
pub struct Swept {
    /// Runs that are done.
    pub done: AtomicU64,
    /// Runs that failed.
    pub failed: AtomicU64,
}

/// The planned end of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// After about this many runs.
    Runs(u64),
    /// After this many seconds.
    Seconds(f64),
}

/// Does the work of a sweep and reports its progress: on a line that is removed at the end, or, without a
/// terminal, through `say` once a minute.
pub fn show_sweep<T>(
    goal: Goal,
    swept: &Swept,
    line: Option<Line>,
    say: impl Fn(&str) + Sync,
    work: impl FnOnce() -> T,
) -> T {
    let Some(Line { coloured }) = line else {
        let minutes = Minutes::default();
        let tick = |wall_s: f64| {
            if minutes.has_new_one(wall_s) {
                say(&format!("check: {}", goal.words(swept, wall_s)));
            }
        };
        return wall::every(Duration::from_secs(1), tick, work);
    };
    let length = match goal {
        Goal::Runs(runs) => runs,
        Goal::Seconds(seconds) => seconds.ceil() as u64,
    };
    let bar = bar("check", length, coloured);
    let draw = |wall_s: f64| {
        bar.set_position(match goal {
            Goal::Runs(_) => swept.done.load(Ordering::Relaxed).min(length),
            Goal::Seconds(_) => (wall_s as u64).min(length),
        });
        bar.set_message(goal.words(swept, wall_s));
    };
    watch(&bar, draw, work)
}

/// The progress line of a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Whether the line may have colour.
    pub coloured: bool,
}

/// A counter of minutes.
#[derive(Debug, Default)]
struct Minutes(AtomicU64);

impl Minutes {
    /// Whether another minute has passed since the last call.
    fn has_new_one(&self, wall_s: f64) -> bool {
        let minute = (wall_s / 60.0) as u64;
        self.0.swap(minute, Ordering::Relaxed) < minute
    }
}

impl Goal {
    /// Progress of a sweep after `elapsed_s` seconds, and the estimated time left: `94 of 470 seeds · 9.4
    /// seeds/s · 0 failed · 40.0 s left`.
    fn words(self, swept: &Swept, wall_s: f64) -> String {
        let (done, failed) =
            (swept.done.load(Ordering::Relaxed), swept.failed.load(Ordering::Relaxed));
        let rate = done as f64 / wall_s;
        let (total, left_s) = match self {
            Self::Runs(runs) => {
                let left_s = (done > 0).then(|| runs.saturating_sub(done) as f64 / rate);
                (format!(" of {}", human::count(runs)), left_s)
            }
            Self::Seconds(seconds) => (String::new(), Some((seconds - wall_s).max(0.0))),
        };
        let left = left_s.map(|left_s| format!(" · {} left", human::seconds(left_s.ceil())));
        format!(
            "{}{total} seeds · {} seeds/s · {} failed{}",
            human::count(done),
            human::rate(rate),
            human::count(failed),
            left.unwrap_or_default()
        )
    }
}

/// Redraws at the interval until the work is done.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_the_total_and_what_is_left() {
        let swept = Swept::default();
        assert_eq!(Goal::Runs(470).words(&swept, 1.0), "0 of 470 seeds · 0.0 seeds/s · 0 failed");
        swept.done.store(94, Ordering::Relaxed);
        swept.failed.store(2, Ordering::Relaxed);
        let words = "94 of 470 seeds · 9.4 seeds/s · 2 failed · 40.0 s left";
        assert_eq!(Goal::Runs(470).words(&swept, 10.0), words);
        let words = "94 seeds · 9.4 seeds/s · 2 failed · 50.0 s left";
        assert_eq!(Goal::Seconds(60.0).words(&swept, 10.0), words);
        // The planned number is an estimate if runs are dealt to slices.
        assert!(!Goal::Runs(90).words(&swept, 10.0).contains("-"));
    }

    #[test]
    fn a_minute_is_told_once() {
        let minutes = Minutes::default();
        let told: Vec<u32> =
            (1..300).filter(|&second| minutes.has_new_one(f64::from(second))).collect();
        assert_eq!(told, [60, 120, 180, 240]);
    }
}
