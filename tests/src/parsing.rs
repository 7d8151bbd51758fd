//! Properties of every parser of foreign text: it is read or refused, and nothing panics.
//!
//! Owns these properties for scenarios, plans, capsules and results. Fuzz targets and property tests both call
//! them, so that each finds what the other would. Refuses to make up texts.

use std::io;
use std::path::Path;

use onsale::capsule;
use onsale::sweep::results::Reader;
use onsale_scenarios::Scenario;
use onsale_sim::plan::Plan;

/// Longest text that is read here, in bytes: longer ones take long and show nothing new.
pub const LENGTH_MAX: usize = 64 << 10;

/// Reads a scenario as TOML. A refusal names file, line and column of every problem; a valid one is written and
/// read back, and makes a plan.
///
/// # Panics
/// If one of these properties does not hold.
pub fn scenario(text: &[u8]) {
    let no_files = |_: &str| Err(io::ErrorKind::NotFound.into());
    match Scenario::from_toml("x", "x.toml", text, &no_files) {
        Ok(scenario) => {
            let written = scenario.to_toml();
            let again = Scenario::from_toml("x", "x.toml", written.as_bytes(), &no_files);
            let again = again.unwrap_or_else(|error| panic!("{error}\n{written}"));
            assert_eq!(again, scenario, "what is written reads back");
            expand(&scenario);
        }
        Err(error) => {
            assert!(!error.problems.is_empty(), "a refusal has a reason");
            for problem in &error.problems {
                assert!(problem.line >= 1 && problem.column >= 1, "{error}");
                assert!(!problem.what.is_empty() && !problem.help.is_empty(), "{error}");
            }
            assert!(error.to_string().starts_with("x.toml:"), "{error}");
        }
    }
}

/// A valid scenario makes a plan that can be carried out, unless its numbers make one that is merely large.
fn expand(scenario: &Scenario) {
    let is_small = scenario.cluster.nodes < 100 && scenario.faults.len() < 100;
    if is_small {
        let plan = Plan::new(scenario, 7);
        assert!(plan.check().is_ok(), "{:?}", plan.check());
    }
}

/// Reads a capsule or a plan as JSON. A refusal names the file; a valid one is written and read back.
///
/// # Panics
/// If one of these properties does not hold.
pub fn capsule(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    match capsule::parse("x.json", text) {
        Ok(capsule) => {
            let again = capsule::parse("x.json", &capsule.to_json());
            let again = again.unwrap_or_else(|error| panic!("{error}\n{}", capsule.to_json()));
            assert_eq!(again.plan, capsule.plan, "what is written reads back");
        }
        Err(error) => assert!(error.to_string().starts_with("x.json:"), "{error}"),
    }
}

/// Reads a results file at `path`, to its end or to the first refused line. A refusal names file and line.
///
/// # Panics
/// If it does not, or if the file cannot be written.
pub fn results(path: &Path, text: &[u8]) {
    std::fs::write(path, text).expect("a test writes into its own directory");
    let mut reader = match Reader::open(path) {
        Ok(Some(reader)) => reader,
        Ok(None) => return,
        Err(error) => {
            let place = format!("{}:1: ", path.display());
            assert!(error.to_string().starts_with(&place), "{error}");
            return;
        }
    };
    let header = reader.header().clone();
    let lines = text.split(|&byte| byte == b'\n').count();
    for item in header.items().take(lines) {
        match reader.next(item) {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => {
                assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
                return;
            }
        }
    }
}
