//! House rules that a compiler does not know, as tests.
//!
//! Owns what can be read off the files alone. Where a rule has an exception, it stands
//! here with its reason.

mod dialect;
mod lengths;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use onsale_scenarios::catalogue;

/// Which of the packages each may use. `core/booking` knows nobody; nobody but the tests knows all.
const ARROWS: [(&str, &[&str]); 9] = [
    ("core/booking", &[]),
    ("core/cluster", &["onsale-booking"]),
    ("scenarios", &["onsale-booking", "onsale-cluster", "onsale-reports"]),
    ("reports", &["onsale-booking"]),
    ("sim/oracles", &["onsale-booking", "onsale-reports"]),
    ("sim/world", &["onsale-booking", "onsale-reports", "onsale-scenarios"]),
    (
        "sim/engine",
        &[
            "onsale-booking",
            "onsale-cluster",
            "onsale-oracles",
            "onsale-reports",
            "onsale-scenarios",
            "onsale-world",
        ],
    ),
    (
        "sim/program",
        &[
            "onsale-booking",
            "onsale-cluster",
            "onsale-reports",
            "onsale-scenarios",
            "onsale-sim",
            "onsale-world",
        ],
    ),
    (
        "tests",
        &[
            "onsale",
            "onsale-booking",
            "onsale-cluster",
            "onsale-reports",
            "onsale-scenarios",
            "onsale-sim",
            "onsale-world",
        ],
    ),
];

/// What the top level shows; dotfiles and what a build leaves beside it do not count.
const TOP: [&str; 11] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "core",
    "reports",
    "scenarios",
    "sim",
    "tests",
];

/// Words that no source may use outside the one file that tames them.
const BANNED: [(&str, &str, &str); 7] = [
    (
        "HashMap",
        "core/booking/src/map.rs",
        "hash order must not reach an outcome: use FixedMap for look-ups, BTreeMap for order",
    ),
    (
        "HashSet",
        "core/booking/src/map.rs",
        "hash order must not reach an outcome: use FixedSet for look-ups, BTreeSet for order",
    ),
    ("StdRng", "", "its values may change with a patch release: use Stream"),
    ("SmallRng", "", "its values differ between machines: use Stream"),
    ("thread_rng", "", "no seed reaches it: use Stream"),
    (
        "rand_distr",
        "",
        "it may switch to the machine's maths: use the samplers of sim/world/src/sample.rs",
    ),
    ("SystemTime::now", "", "a run may not depend on the date"),
];

/// Which sources of `sim` name the flagship's crate, and why. A path stands for all below it.
const KNOW_THE_FLAGSHIP: [(&str, &str); 16] = [
    ("sim/engine/src/replicated", "it is the flagship behind the seam"),
    (
        "sim/engine/src/judges",
        "moves, facts and leaderless shards are promises of the flagship alone",
    ),
    ("sim/engine/src/browsing", "visitors ask for its facts, which no other system keeps"),
    ("sim/engine/src/story", "its messages, elections, moves and facts are told there"),
    ("sim/engine/src/seen", "a sight shows its nodes' messages; logs and terms are its numbers"),
    ("sim/engine/src/struck", "logs and terms are its numbers; lead transfers are its own"),
    ("sim/engine/src/solo", "the seam has its placement, phases and questions about facts"),
    ("sim/engine/src/doing.rs", "a panic is told with the message that caused it"),
    ("sim/engine/src/fault.rs", "which node keeps what is its placement"),
    ("sim/engine/src/run/bounds.rs", "how far facts may be apart is a bound of its own"),
    ("sim/engine/src/run/director.rs", "what a log is doing is told in its phases"),
    ("sim/engine/src/run/outcome.rs", "coverage is told in its marks"),
    ("sim/engine/src/run/panics.rs", "a test tells a panic with its message"),
    ("sim/engine/src/system", "the seam has its placement, phases and marks"),
    ("sim/engine/src/witness.rs", "shows are found in its placement"),
    ("sim/program/src", "sweeps and the reference list its marks and phases"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of the project below a folder: its path from the top, and its text.
pub(crate) fn files(folder: &str, extensions: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.map(|entry| entry.expect("a folder can be listed").path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "onsale-out" {
                    folders.push(path);
                }
            } else if extensions
                .iter()
                .any(|extension| path.extension().is_some_and(|is| is == *extension))
            {
                let text = fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let from_top = path.strip_prefix(root()).expect("it lies below the top");
                found.push((from_top.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} has no files to look at");
    found
}

/// This file spells the banned words out.
fn sources() -> impl Iterator<Item = (String, String)> {
    files("", &["rs"]).into_iter().filter(|(path, _)| path != "tests/suite/tidy.rs")
}

fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[track_caller]
fn none(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}\n  {}", offenders.join("\n  "));
}

#[test]
fn packages_depend_one_way() {
    for (package, may) in ARROWS {
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml"))
            .expect("a package has a manifest");
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if section.contains("dependencies") && name.starts_with("onsale") {
                assert!(may.contains(&name), "{package} may not depend on {name}");
            }
        }
    }
}

#[test]
fn modules_import_each_other_one_way() {
    for (package, _) in ARROWS {
        let imports = modules(package);
        let found: Vec<String> = circles(&imports)
            .iter()
            .map(|circle| format!("{package}: {}", circle.join(", ")))
            .collect();
        none("what two modules both need stands below both", &found);
    }
}

#[test]
fn a_planted_circle_is_found() {
    let sources = [
        ("one.rs", "use crate::two::Two;\n"),
        ("two/deep.rs", "use std::fmt;\nuse super::super::{four, three::Three};\n"),
        ("three.rs", "fn it() { super::one::it() } // crate::four::it()\n"),
        ("four.rs", "mod sub;\n#[cfg(test)]\nmod tests {\n    use crate::one;\n}\n"),
        ("four/tests.rs", "use crate::one;\n"),
    ];
    let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let imports = imports(&sources);
    assert_eq!(circles(&imports), [["one", "three", "two"]]);
}

/// By top-level module of a package, which others it imports.
fn modules(package: &str) -> BTreeMap<String, BTreeSet<String>> {
    let folder = format!("{package}/src");
    let sources = files(&folder, &["rs"]).into_iter();
    let sources: Vec<(String, String)> = sources
        .map(|(path, text)| (path.trim_start_matches(&format!("{folder}/")).to_owned(), text))
        .collect();
    imports(&sources)
}

/// The same of sources, each with its path below `src`. Tests may import what they like.
fn imports(sources: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let top = |path: &str| path.split(['/', '.']).next().unwrap_or_default().to_owned();
    let tops: BTreeSet<String> = sources.iter().map(|(path, _)| top(path)).collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources {
        if path.contains("tests") || ["lib.rs", "main.rs"].contains(&path.as_str()) {
            continue;
        }
        let code: String = text.lines().map(|line| format!("{}\n", code(line))).collect();
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let root = "super::".repeat(path.matches('/').count() + 1);
        let named = ["crate::", &root].map(|root| named_after(code, root)).concat();
        let own = top(path);
        let others = named.into_iter().filter(|name| *name != own && tops.contains(name));
        imports.entry(own.clone()).or_default().extend(others);
    }
    imports
}

/// What is named behind the package's root: a name, or the first of each path in braces.
fn named_after(code: &str, root: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let head = |path: &str| path.trim().split(|c| !is_word(c)).next().map(str::to_owned);
    let mut names = Vec::new();
    for (place, _) in code.match_indices(root) {
        if code[..place].ends_with(|c| is_word(c) || c == ':') {
            continue;
        }
        let rest = &code[place + root.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.extend(head(rest));
            continue;
        };
        let (mut depth, mut from) = (0, 0);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' | ',' if depth == 0 => {
                    names.extend(head(&list[from..at]));
                    from = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    names
}

/// Modules that import each other, directly or through others: each circle in order.
fn circles(imports: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<&str>> {
    let reached = |from: &str| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            for other in imports.get(module).into_iter().flatten() {
                if reached.insert(other.as_str()) {
                    next.push(other);
                }
            }
        }
        reached
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|module| (module.as_str(), reached(module))).collect();
    let mut circles: Vec<Vec<&str>> = Vec::new();
    for (module, reached) in &reach {
        let back = |other: &&&str| reach.get(**other).is_some_and(|back| back.contains(module));
        let circle: Vec<&str> = reached.iter().filter(back).copied().collect();
        if circle.len() > 1 && circle.contains(module) && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

/// A listed source that no longer names the crate is taken off the list.
#[test]
fn no_other_source_names_the_flagship() {
    let sources = files("sim", &["rs"]).into_iter().filter(|(path, _)| path.contains("/src/"));
    let names = |text: &str| text.lines().any(|line| code(line).contains("onsale_cluster"));
    let naming: Vec<String> =
        sources.filter(|(_, text)| names(text)).map(|(path, _)| path).collect();
    let stands_for = |entry: &str, path: &str| {
        path.strip_prefix(entry)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == ".rs")
    };
    let is_listed =
        |path: &String| KNOW_THE_FLAGSHIP.iter().any(|(entry, _)| stands_for(entry, path));
    let strangers: Vec<String> = naming.iter().filter(|path| !is_listed(path)).cloned().collect();
    none("a system under test, the world and the judges stand on their own", &strangers);
    let is_idle = |entry: &&(&str, &str)| !naming.iter().any(|path| stands_for(entry.0, path));
    let idle = KNOW_THE_FLAGSHIP.iter().filter(is_idle).map(|(entry, _)| (*entry).to_owned());
    none("these name it no more: take them off the list", &idle.collect::<Vec<_>>());
}

#[test]
fn core_does_not_know_that_it_is_simulated() {
    let mut knowing = Vec::new();
    let sources = files("core", &["rs"]).into_iter().filter(|(path, _)| path.contains("/src/"));
    for (path, text) in sources {
        for (number, line) in (1..).zip(text.lines()) {
            let words = code(line).to_lowercase().replace("default", "");
            if ["madsim", "simulat", "fault", "cfg!(test)", "sabotage"]
                .iter()
                .any(|word| words.contains(word))
            {
                knowing.push(format!("{path}:{number}: {line}"));
            }
        }
    }
    none("core runs unchanged on real machines, so it asks nobody whether this is one", &knowing);
}

#[test]
fn every_source_says_what_it_owns() {
    let silent: Vec<String> = sources()
        .filter(|(_, text)| !text.starts_with("//!") && !text.starts_with("#![doc"))
        .map(|(path, _)| path)
        .collect();
    none("a source opens with `//!`: what it owns, what it refuses to know", &silent);
}

#[test]
fn nothing_uses_what_moves_outcomes() {
    let mut used = Vec::new();
    for (path, text) in sources() {
        for (number, line) in (1..).zip(text.lines()) {
            for (word, home, why) in BANNED {
                if path != home && code(line).contains(word) {
                    used.push(format!("{path}:{number}: {word}: {why}"));
                }
            }
        }
    }
    none("outcomes depend on the plan alone", &used);
}

#[test]
fn nothing_is_left_for_later_or_from_one_machine() {
    let mut left = Vec::new();
    for (path, text) in files("", &["rs", "toml", "md"]) {
        if path == "tests/suite/tidy.rs" {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let later = ["TODO", "FIXME", "XXX", "todo!", "unimplemented!"];
            let machines = ["/home/", "/Users/", "/root/", "/work/", "C:\\"];
            if later.iter().chain(&machines).any(|word| line.contains(word)) {
                left.push(format!("{path}:{number}: {line}"));
            }
        }
    }
    none(
        "what is worth doing is done or written up elsewhere, and no path is of one machine",
        &left,
    );
}

/// The README says in which file a behaviour is, and that the file is found by its usual term.
#[test]
fn behaviours_are_found_by_their_terms() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let rows = readme.lines().skip_while(|line| !line.starts_with("| behaviour | term |")).skip(2);
    let rows: Vec<Vec<&str>> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 15, "one row a behaviour");
    let mut astray = Vec::new();
    for row in rows {
        let (term, paths) = (row[2].replace(' ', "_"), [row[3], row[4]].join(" "));
        let paths: Vec<&str> =
            paths.split('`').skip(1).step_by(2).filter(|path| path.contains('/')).collect();
        let exists = |path: &&str| root().join(path).is_file();
        if !paths.iter().all(exists) || !paths[0].contains(&term) {
            astray.push(format!("{}: {term} in {paths:?}", row[1]));
        }
    }
    none("a file that is named is there, and its path has the term", &astray);
}

#[test]
fn the_top_level_shows_the_agreed_names() {
    let mut strangers = Vec::new();
    for entry in fs::read_dir(root()).expect("the top can be listed") {
        let name = entry.expect("the top can be listed").file_name().to_string_lossy().into_owned();
        let built = name == "target" || name == "onsale-out";
        if !name.starts_with('.') && !built && !TOP.contains(&name.as_str()) {
            strangers.push(name);
        }
    }
    none("what is new belongs into one of the packages", &strangers);
}

#[test]
fn every_scenario_is_listed_and_short() {
    let files = files("scenarios/catalogue", &["toml"]);
    let id = |path: &str| {
        path.trim_start_matches("scenarios/catalogue/").trim_end_matches(".toml").to_owned()
    };
    let mut ids: Vec<String> = files.iter().map(|(path, _)| id(path)).collect();
    ids.sort();
    assert_eq!(ids, catalogue::all().iter().map(|entry| entry.id).collect::<Vec<_>>());
    for (path, text) in files {
        let is_shrunk = path.starts_with("scenarios/catalogue/regressions/");
        assert!(text.lines().count() <= 45 || is_shrunk, "{path}: a scenario fits on a screen");
        assert!(text.starts_with("# "), "{path}: a scenario opens with its story");
    }
}

#[test]
fn every_golden_file_is_compared() {
    let suite: String = files("tests/suite", &["rs"]).into_iter().map(|(_, text)| text).collect();
    let names = fs::read_dir(root().join("tests/golden")).expect("the golden files can be listed");
    for name in names.map(|entry| entry.expect("the golden files can be listed").file_name()) {
        let name = name.to_string_lossy();
        assert!(suite.contains(name.as_ref()), "no test compares tests/golden/{name}");
    }
}
