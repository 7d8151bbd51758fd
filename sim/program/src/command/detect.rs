//! `onsale check --unsafe`: how soon the oracles see what unsafe settings break.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use onsale_reports::{Detection, Detections, terminal as page};
use onsale_scenarios::{MustFail, Scenario};
use onsale_world::Progress;

use super::{Failure, stop_on_signals};
use crate::capsule;
use crate::cli::check::CheckArgs;
use crate::detection::{STARTS, seeds_to_failure, unmeasured};
use crate::exit::Exit;
use crate::progress::{self, Goal, Swept};
use crate::sweep::pool::{self, Stop};
use crate::terminal::Terminal;

/// The version of the format of the facts.
const SCHEMA: u32 = 1;

/// Measures each scenario from every start and prints the table.
pub(super) fn detect(
    scenarios: &[Scenario],
    arguments: &CheckArgs,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let doomed: Vec<(&Scenario, &MustFail)> = scenarios
        .iter()
        .map(|scenario| Ok((scenario, must_fail(scenario)?)))
        .collect::<Result<_, Failure>>()?;
    let stop = Arc::new(Stop::default());
    let asked = Arc::clone(&stop);
    stop_on_signals(terminal, "the measurement", move || asked.ask());

    let mut detections: Vec<Detection> =
        doomed.iter().map(|(scenario, must_fail)| unmeasured(scenario, must_fail)).collect();
    let items = (0..doomed.len()).flat_map(|place| (0..STARTS).map(move |start| (place, start)));
    let swept = Swept::default();
    let measure = || {
        let work = |(place, start): (usize, u32), progress: &Arc<Progress>| {
            let (scenario, must_fail) = doomed[place];
            let seeds = seeds_to_failure(scenario, must_fail, start, progress).ok()?;
            Some((place, seeds))
        };
        pool::in_order(arguments.jobs(), items, &stop, work, |(place, seeds)| {
            detections[place].seeds.push(seeds);
            swept.done.fetch_add(1, Ordering::Relaxed);
            swept.failed.fetch_add(u64::from(seeds.is_none()), Ordering::Relaxed);
            ControlFlow::Continue(())
        });
    };
    let goal = Goal::Runs(doomed.len() as u64 * u64::from(STARTS));
    let line = terminal.line();
    progress::show_sweep(goal, &swept, line, |words| terminal.note(words), measure);
    if stop.asked() {
        terminal.warn("interrupted: an incomplete measurement means nothing");
        return Ok(Exit::Interrupted);
    }

    let code_version = capsule::code_version().to_owned();
    let facts = Detections { schema: SCHEMA, code_version, starts: STARTS, detections };
    if arguments.report.json {
        terminal.data(&facts.to_json())?;
    } else {
        terminal.page(|colour| page::detection::render(&facts, colour))?;
    }
    Ok(if facts.are_complete() { Exit::Passed } else { Exit::OracleFailed })
}

fn must_fail(scenario: &Scenario) -> Result<&MustFail, Failure> {
    scenario.must_fail.as_ref().ok_or_else(|| {
        Failure::Usage(format!(
            "{} does not say what must fail: name scenarios of the folder unsafe, or add `fails` \
             and `within` to its `[expect]`",
            scenario.id
        ))
    })
}
