//! `onsale scenarios`: lists, shows and validates scenarios.

use onsale_reports::json;
use onsale_scenarios::Scenario;
use onsale_scenarios::catalogue::{self, LoadError};
use onsale_scenarios::reading::Reach;
use serde::Serialize;

use super::{Failure, reference};
use crate::cli::ScenariosVerb;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Lists, shows or checks scenarios.
pub(super) fn scenarios(
    verb: &ScenariosVerb,
    reach: Reach,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    match verb {
        ScenariosVerb::List { json } => list(*json, terminal),
        ScenariosVerb::Show { scenario, json } => show(scenario, *json, reach, terminal),
        ScenariosVerb::Schema => print(&json::pretty(&onsale_scenarios::schema()), terminal),
        ScenariosVerb::Reference => print(&reference::page(), terminal),
        ScenariosVerb::Validate { files, json } => validate(files, *json, reach, terminal),
    }
}

#[derive(Serialize)]
struct Listed {
    id: &'static str,
    title: String,
}

fn list(json: bool, terminal: Terminal) -> Result<Exit, Failure> {
    let entries = catalogue::all().iter();
    let listed: Vec<_> =
        entries.map(|entry| Listed { id: entry.id, title: entry.title() }).collect();
    if json {
        terminal.data(&json::pretty(&listed))?;
    } else {
        let width = listed.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
        let lines = listed.iter().map(|entry| format!("{:width$}  {}\n", entry.id, entry.title));
        terminal.data(&lines.collect::<String>())?;
    }
    Ok(Exit::Passed)
}

fn show(name: &str, json: bool, reach: Reach, terminal: Terminal) -> Result<Exit, Failure> {
    let scenario = catalogue::load_within(name, reach)?;
    let text = if json { json::pretty(&scenario) } else { scenario.to_commented_toml() };
    print(&text, terminal)
}

fn print(text: &str, terminal: Terminal) -> Result<Exit, Failure> {
    terminal.data(text)?;
    Ok(Exit::Passed)
}

#[derive(Serialize)]
struct Checked<'a> {
    file: &'a str,
    ok: bool,
    problems: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    line: Option<usize>,
    column: Option<usize>,
    field: &'a str,
    what: String,
    help: &'a str,
}

fn validate(
    files: &[String],
    json: bool,
    reach: Reach,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let load = |file: &str| catalogue::load_within(file, reach);
    let results: Vec<_> = files.iter().map(|file| (file.as_str(), load(file))).collect();
    if json {
        let checked: Vec<_> = results.iter().map(|(file, result)| checked(file, result)).collect();
        terminal.data(&json::pretty(&checked))?;
    } else {
        for (file, result) in &results {
            match result {
                Ok(_) => terminal.data(&format!("{file}: ok\n"))?,
                Err(error) => terminal.diagnostic(error),
            }
        }
    }
    let sound = results.iter().all(|(_, result)| result.is_ok());
    Ok(if sound { Exit::Passed } else { Exit::Usage })
}

fn checked<'a>(file: &'a str, result: &'a Result<Scenario, LoadError>) -> Checked<'a> {
    let whole = |what, help| vec![Found { line: None, column: None, field: "", what, help }];
    let problems = match result {
        Ok(_) => Vec::new(),
        Err(LoadError::Unsound(error)) => error
            .problems
            .iter()
            .map(|problem| Found {
                line: Some(problem.line),
                column: Some(problem.column),
                field: &problem.field,
                what: problem.what.clone(),
                help: &problem.help,
            })
            .collect(),
        Err(error @ LoadError::Unknown { help, .. }) => whole(error.to_string(), help),
        Err(LoadError::Unreadable { path, source }) => {
            whole(format!("{} can't be read: {source}", path.display()), "")
        }
    };
    Checked { file, ok: result.is_ok(), problems }
}
