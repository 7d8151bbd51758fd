//! `onsale replay`: plays a run again and compares it with the recorded one.

use std::path::{Path, PathBuf};

use onsale_scenarios::reading::Reach;
use onsale_sim::plan::Plan;
use onsale_sim::run::{Outcome, reproduce};
use onsale_world::limits::Limits;

use super::looking::Looking;
use super::{Failure, Play, Played, dir_of_run, half_named, scenario_of, shown};
use crate::capsule::{self, Capsule, PlanIs};
use crate::cli::{ReplayArgs, Subject};
use crate::exit::Exit;
use crate::files::{self, Claims};
use crate::terminal::Terminal;

/// Plays a seed, a capsule or a plan again.
pub(super) fn replay(
    arguments: &ReplayArgs,
    reach: Reach,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    match (&arguments.subject, &arguments.scenario) {
        (Subject::Seed(seed), Some(scenario)) => {
            let plan = Plan::new(&scenario_of(scenario, *seed, reach)?, *seed);
            replay_seed(&plan, arguments, terminal)
        }
        (Subject::File(file), None) => replay_file(file, arguments, terminal),
        (Subject::Seed(_), None) | (Subject::File(_), Some(_)) => {
            Err(half_named(&arguments.subject, "replay"))
        }
    }
}

fn replay_seed(plan: &Plan, arguments: &ReplayArgs, terminal: Terminal) -> Result<Exit, Failure> {
    let mut claims = Claims::default();
    claims.reads_scenario(&plan.scenario);
    let dir = room(&mut claims, plan, arguments)?;
    let reproduce = reproduce::reproduce(plan) + &arguments.play.limits.words();
    let looking = Looking::new(arguments, plan)?;
    let looking = looking.with_history(arguments.play.history.as_deref())?;
    let limits = arguments.play.limits.or(None);
    let arguments = &arguments.play;
    let play = Play { plan, arguments, limits, looking, dir, reproduce, terminal };
    Ok(play.carry_out()?.exit)
}

fn replay_file(file: &Path, arguments: &ReplayArgs, terminal: Terminal) -> Result<Exit, Failure> {
    let capsule = capsule::read(file)?;
    let plan = &capsule.plan;
    let mut claims = Claims::default();
    claims.reads("the input", file);
    let dir = room(&mut claims, plan, arguments)?;
    let looking = Looking::new(arguments, plan)?;
    let looking = looking.with_history(arguments.play.history.as_deref())?;
    let other_code = capsule.mismatch();
    if let Some(mismatch) = &other_code {
        terminal.warn(&format!("other code: {mismatch}; the run may differ from the recorded one"));
    }
    if capsule.plan_is == PlanIs::Edited {
        terminal.warn(
            "the capsule's hash shows that its plan was edited; the trace hash is not compared",
        );
    }
    let arguments = &arguments.play;
    let limits = arguments.limits.or(capsule.limit);
    let reproduce = reproduce::replay_line(&shown(file)) + &arguments.limits.words();
    let play = Play { plan, arguments, limits, looking, dir, reproduce, terminal };
    let Played { outcome, exit } = play.carry_out()?;
    if limits != Limits::only(capsule.limit) {
        terminal.note("other limits than recorded: nothing is compared with the recorded run");
        return Ok(exit);
    }
    if outcome.summary.facts.interrupted {
        terminal.note("the run did not reach its end: nothing is compared with the recorded run");
        return Ok(exit);
    }
    Ok(compare(&capsule, &outcome, other_code.is_some(), exit, terminal))
}

/// The directory for the files of a replay, checked for permission.
fn room(
    claims: &mut Claims,
    plan: &Plan,
    arguments: &ReplayArgs,
) -> Result<Option<PathBuf>, Failure> {
    let dir = dir_of_run(claims, plan, &arguments.play, "-replay")?;
    if let Some(trace) = &arguments.trace {
        claims.writes("--trace", trace, files::is_trace)?;
    }
    Ok(dir)
}

/// Says whether the replay matches the recorded run. On the same code it must.
fn compare(
    capsule: &Capsule,
    outcome: &Outcome,
    other_code: bool,
    exit: Exit,
    terminal: Terminal,
) -> Exit {
    let (failed, facts) = (outcome.failed(), &outcome.summary.facts);
    let recorded: Vec<&str> = capsule.failed.iter().map(String::as_str).collect();
    if !recorded.is_empty() && recorded == failed {
        terminal.note(&format!("the same oracles failed as recorded: {}", named(&failed)));
    } else if !recorded.is_empty() {
        terminal.warn(&format!(
            "recorded as failed: {}; failed now: {}",
            named(&recorded),
            named(&failed)
        ));
    }
    if capsule.plan_is == PlanIs::Edited || capsule.trace_hash.is_empty() {
        return exit;
    }
    if capsule.trace_hash == facts.trace_hash {
        terminal.note(&format!("the trace hash matches the recorded one: {}", facts.trace_hash));
        return exit;
    }
    let differ =
        format!("the trace hash is {}, recorded was {}", facts.trace_hash, capsule.trace_hash);
    if other_code {
        terminal.warn(&format!("{differ}: on this code the plan plays out differently"));
        return exit;
    }
    terminal.error(&format!(
        "{differ}: the code says it is the same, so a run is not a function of its plan"
    ));
    Exit::Internal
}

fn named(oracles: &[&str]) -> String {
    if oracles.is_empty() { "none".to_owned() } else { oracles.join(", ") }
}
