//! Foreign files: any bytes, and valid files with a few letters changed. `tests/fuzz` does the same for longer.

use std::path::PathBuf;
use std::sync::LazyLock;

use onsale_scenarios::catalogue;
use onsale_sim::plan::Plan;
use onsale_tests::{parsing, scenario};
use proptest::prelude::*;

use crate::desk::Desk;

/// A change to a text.
#[derive(Clone, Debug)]
enum Edit {
    /// One byte becomes another.
    Replace(prop::sample::Index, u8),
    /// Some bytes go away.
    Cut(prop::sample::Index, usize),
    /// Some bytes are repeated.
    Double(prop::sample::Index, usize),
    /// A word from elsewhere is put in.
    Insert(prop::sample::Index, &'static str),
}

/// Words with a meaning to one of the readers.
const WORDS: [&str; 22] = [
    "[[fault]]\n",
    "[crowd]\n",
    "= ",
    "\"",
    "-1",
    "0",
    "18446744073709551616",
    "1e400",
    "nan",
    "\"9999h\"",
    "\"0s\"",
    "\"101%\"",
    "{",
    "}",
    "[",
    "]",
    "null",
    "\u{0}",
    "\u{feff}",
    "\n",
    ",",
    "\"n99\"",
];

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (any::<prop::sample::Index>(), 1_usize..40).prop_map(|(at, len)| Edit::Cut(at, len)),
        (any::<prop::sample::Index>(), 1_usize..40).prop_map(|(at, len)| Edit::Double(at, len)),
        (any::<prop::sample::Index>(), prop::sample::select(&WORDS[..]))
            .prop_map(|(at, word)| Edit::Insert(at, word)),
    ];
    prop::collection::vec(edit, 1..4)
}

fn edited(text: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits {
        if bytes.is_empty() {
            break;
        }
        let range = |at: &prop::sample::Index, length: usize| {
            let start = at.index(bytes.len());
            start..(start + length).min(bytes.len())
        };
        match edit {
            Edit::Replace(at, byte) => {
                let place = at.index(bytes.len());
                bytes[place] = *byte;
            }
            Edit::Cut(at, length) => drop(bytes.drain(range(at, *length))),
            Edit::Double(at, length) => {
                let range = range(at, *length);
                let twice = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, twice);
            }
            Edit::Insert(at, word) => {
                let place = at.index(bytes.len());
                bytes.splice(place..place, word.bytes());
            }
        }
    }
    bytes
}

/// The results of a small sweep with a failure, and its capsule.
static SWEPT: LazyLock<(String, String)> = LazyLock::new(|| {
    let desk = Desk::of_sweeps("parsing");
    let sweep = ["check", "tiny.toml", "never.toml", "--seeds", "1..3", "--results", "r.jsonl"];
    desk.onsale(&sweep, 1);
    (desk.read("r.jsonl"), desk.read("onsale-out/check/never-1/capsule.json"))
});

static PLAN: LazyLock<String> =
    LazyLock::new(|| Plan::new(&scenario("fast/all-families"), 7).to_json());

fn results_file() -> PathBuf {
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    std::env::temp_dir().join(format!("onsale-parsing-{}-{thread}.jsonl", std::process::id()))
}

fn read_results(text: &[u8]) {
    let file = results_file();
    parsing::results(&file, text);
    let _ = std::fs::remove_file(file);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        parsing::scenario(&bytes);
        parsing::capsule(&bytes);
        read_results(&bytes);
    }

    #[test]
    fn an_edited_scenario_is_read_or_refused(
        entry in prop::sample::select(catalogue::all()),
        edits in edits(),
    ) {
        parsing::scenario(&edited(entry.text, &edits));
    }

    #[test]
    fn an_edited_plan_is_read_or_refused(edits in edits()) {
        parsing::capsule(&edited(&PLAN, &edits));
    }

    #[test]
    fn an_edited_capsule_is_read_or_refused(edits in edits()) {
        parsing::capsule(&edited(&SWEPT.1, &edits));
    }

    #[test]
    fn edited_results_are_read_or_refused(edits in edits()) {
        read_results(&edited(&SWEPT.0, &edits));
    }
}

/// The properties hold for the unchanged files, or the tests above show nothing.
#[test]
fn sound_files_are_read() {
    catalogue::all().iter().for_each(|entry| parsing::scenario(entry.text.as_bytes()));
    let (results, capsule) = &*SWEPT;
    read_results(results.as_bytes());
    for text in [&*PLAN, capsule] {
        assert!(onsale::capsule::parse("x.json", text).is_ok());
    }
}
