//! `onsale run`: a scenario and a seed.

use onsale_scenarios::reading::Reach;
use onsale_sim::plan::Plan;
use onsale_sim::run::reproduce;

use super::looking::Looking;
use super::{Failure, Play, dir_of_run, scenario_of};
use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::files::Claims;
use crate::terminal::Terminal;

/// Plays a scenario, or prints its plan.
pub(super) fn run(arguments: &RunArgs, reach: Reach, terminal: Terminal) -> Result<Exit, Failure> {
    let scenario = scenario_of(&arguments.scenario, arguments.seed.unwrap_or(1), reach)?;
    let replayed = scenario.replay.as_ref().map(|replay| replay.seed.0);
    let plan = Plan::new(&scenario, arguments.seed.or(replayed).unwrap_or(1));
    if arguments.plan_only {
        terminal.data(&plan.to_json())?;
        return Ok(Exit::Passed);
    }
    let mut claims = Claims::default();
    claims.reads_scenario(&scenario);
    let dir = dir_of_run(&mut claims, &plan, &arguments.play, "")?;
    let reproduce = reproduce::reproduce(&plan) + &arguments.play.limits.words();
    let play = Play {
        plan: &plan,
        arguments: &arguments.play,
        limits: arguments.play.limits.or(None),
        looking: Looking::default().with_history(arguments.play.history.as_deref())?,
        dir,
        reproduce,
        terminal,
    };
    Ok(play.carry_out()?.exit)
}
