//! Writes the list of the catalogue: every file in it, in order of its id.
//!
//! Owns that no file is forgotten. Refuses to read them: what they say is checked by tests.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue");
    println!("cargo::rerun-if-changed={}", catalogue.display());
    let mut entries = Vec::new();
    for folder in listed(&catalogue)? {
        for file in listed(&folder)? {
            if file.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let id = file.strip_prefix(&catalogue).map_err(io::Error::other)?.with_extension("");
            let id = id.to_string_lossy().replace('\\', "/");
            entries.push(format!("    Entry {{ id: {id:?}, text: include_str!({file:?}) }},\n"));
        }
    }
    entries.sort();
    let list = format!("&[\n{}]\n", entries.concat());
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("catalogue.rs"), list)
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}
