//! Finds out which commit is being built.
//!
//! Owns the variable `ONSALE_VERSION`, the package's version and, in a checkout, the commit.
//! Without git, or in a tarball, the package's version alone.

use std::path::Path;
use std::process::Command;

/// What decides whether the work tree is the commit's. Building them anew is due anyway when they
/// change, so looking at git again costs no build of its own.
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
    // A tarball unpacked inside somebody's repository is not that repository's commit.
    let top = Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    let here = Path::new("../..").canonicalize().ok()?;
    if top != here {
        return None;
    }
    // The journal of HEAD grows with every commit, checkout and reset, and only then.
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
