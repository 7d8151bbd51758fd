//! Any bytes as a results file of a sweep.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use onsale_tests::parsing;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    std::env::temp_dir().join(format!("onsale-fuzz-{}.jsonl", std::process::id()))
});

fuzz_target!(|text: &[u8]| {
    if text.len() <= parsing::LENGTH_MAX {
        parsing::results(&FILE, text);
    }
});
