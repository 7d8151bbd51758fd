//! Finds out which commit is being built.
//!
//! Owns the variable `ONSALE_VERSION`, the package's version and, in a checkout, the commit.
//! Without git, or in a tarball, the package's version alone.

use std::path::Path;
use std::process::Command;

/// The files that decide whether the work tree is the commit's. A change of one of them causes a rebuild anyway,
/// so looking at git again costs no extra build.
const WATCHED: [&str; 10] = [
    "build.rs",
    "src",
    "../engine/src",
    "../../core/booking/src",
    "../../core/cluster/src",
    "../../reports/src",
    "../../scenarios/src",
    "../../scenarios/catalogue",
    "../../Cargo.lock",
    "../../Cargo.toml",
];

fn main() {
    for path in WATCHED.iter().filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
    let package = env!("CARGO_PKG_VERSION");
    match commit() {
        Some(commit) => println!("cargo::rustc-env=ONSALE_VERSION={package}+{commit}"),
        None => println!("cargo::rustc-env=ONSALE_VERSION={package}"),
    }
}

fn commit() -> Option<String> {
    // A tarball unpacked inside another repository is not that repository's commit.
    let top = Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    let here = Path::new("../..").canonicalize().ok()?;
    if top != here {
        return None;
    }
    // The reflog of HEAD grows exactly with every commit, checkout and reset.
    if let Some(journal) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&journal).exists()
    {
        println!("cargo::rerun-if-changed={journal}");
    }
    git(&["describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
