//! Names of files and folders of a run.
//!
//! Owns names that people can read and that no two runs share: an id of the catalogue, or the bare name of a
//! scenario in the current folder, is enough; all others carry a hash of the whole id. Refuses to know where the
//! files are.

use std::path::{Path, PathBuf};

use onsale_scenarios::catalogue;
use onsale_world::trace_hash::Fingerprint;

/// The file of a capsule.
pub(crate) const CAPSULE: &str = "capsule.json";
/// Longest name, in letters; the hash distinguishes longer names with the same beginning.
const LETTERS_MAX: usize = 80;

/// The name of a run's folder: `fast-crash-7`, `my-sale-7`, `sales-x+1f0c93aa-7`.
pub(crate) fn of_run(scenario: &str, seed: u64) -> String {
    let is_plain = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter)
    };
    let readable: String = scenario
        .trim_end_matches(".toml")
        .trim_start_matches(['.', '/'])
        .chars()
        .map(|letter| if is_plain(letter) { letter } else { '-' })
        .take(LETTERS_MAX)
        .collect();
    let in_catalogue =
        |name: &str| catalogue::all().iter().any(|entry| entry.id.replace('/', "-") == name);
    let says_all = if catalogue::all().iter().any(|entry| entry.id == scenario) {
        true
    } else {
        // No other file, and no entry of the catalogue, has the same name.
        scenario == format!("{readable}.toml") && !in_catalogue(&readable)
    };
    if says_all {
        return format!("{readable}-{seed}");
    }
    let mut hash = Fingerprint::default();
    hash.fold_bytes(scenario.as_bytes());
    format!("{readable}+{:08x}-{seed}", (hash.value() ^ hash.value() >> 32) as u32)
}

/// The capsule of a run in the directory of a sweep.
pub(crate) fn capsule_of(dir: &Path, scenario: &str, seed: u64) -> PathBuf {
    dir.join(of_run(scenario, seed)).join(CAPSULE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_readable_and_no_two_runs_share_one() {
        assert_eq!(of_run("fast/crash", 7), "fast-crash-7");
        assert_eq!(of_run("my-sale.toml", 7), "my-sale-7");
        let named = of_run("sales/x.toml", 7);
        assert!(named.starts_with("sales-x+") && named.ends_with("-7"), "{named}");
        assert_eq!(named, of_run("sales/x.toml", 7), "the same every time");

        let long = "x".repeat(300);
        let ids = [
            "a/x.toml",
            "a-x.toml",
            "x.toml",
            "../x.toml",
            "./x.toml",
            "/x.toml",
            "X.toml",
            ".x.toml",
            "x.toml.toml",
            "a x.toml",
            "a+x.toml",
            "fast/crash",
            "fast-crash.toml",
            "fast/crash.toml",
            "\u{e9}.toml",
            "e\u{301}.toml",
            "\x1b[2J.toml",
            &format!("{long}1.toml"),
            &format!("{long}2.toml"),
        ];
        let names: BTreeSet<String> =
            ids.iter().flat_map(|id| [1, 12].map(|seed| of_run(id, seed).to_lowercase())).collect();
        assert_eq!(names.len(), 2 * ids.len(), "{names:?}");
        let fits = |name: &String| name.len() < 120 && !name.contains(['/', '\x1b', ' ']);
        assert!(names.iter().all(fits), "{names:?}");
    }
}
