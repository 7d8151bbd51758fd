//! Panics inside a run: the place in the code, and the node's turn.
//!
//! Owns the hook that catches the place, and the sentence. Refuses to know what becomes of the run.

use std::any::Any;
use std::cell::RefCell;
use std::path::{Component, Path};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use onsale_booking::Instant;

use crate::doing::Doing;

/// Name of a run's thread.
pub(super) const THREAD: &str = "run";

static IS_QUIET: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Place of this thread's latest panic.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics inside runs off standard error, so that they appear only in verdicts: for programs
/// that play many runs expected to fail.
pub fn keep_panics_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Installs the hook that keeps the places of panics inside runs.
pub(super) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let is_run = std::thread::current().name() == Some(THREAD);
            if is_run {
                let place =
                    panic.location().map(|at| format!("{}:{}", short(at.file()), at.line()));
                PLACE.with_borrow_mut(|last| *last = place);
            }
            if !(is_run && IS_QUIET.load(Ordering::Relaxed)) {
                hook(panic);
            }
        }));
    });
}

/// The message of this thread's panic, and its place.
pub(super) fn told(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let words = text
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = in_words(&words);
    match PLACE.with_borrow_mut(Option::take) {
        Some(place) => format!("{words} ({place})"),
        None => words,
    }
}

/// The message of a panic. If an assertion prints only its values, it is put into words.
fn in_words(words: &str) -> String {
    let comparison = [("left == right", "equal"), ("left != right", "different")];
    for (code, meaning) in comparison {
        let bare = format!("assertion `{code}` failed left: ");
        if let Some((left, right)) =
            words.strip_prefix(&bare).and_then(|values| values.split_once(" right: "))
        {
            return format!("two values that must be {meaning} are {left} and {right}");
        }
    }
    match words.strip_prefix("assertion failed: ") {
        Some(condition) => format!("`{condition}` must hold and does not"),
        None => words.to_owned(),
    }
}

/// The sentence about a panic.
pub(super) fn sentence(at: Instant, doing: Option<Doing>, words: &str) -> String {
    match doing {
        Some(doing) => {
            format!("at {at} {} broke a promise of its own as it {doing}: {words}", doing.node())
        }
        None => format!("at {at} a promise inside the code broke: {words}"),
    }
}

/// The path of a source file, without the parts that differ between machines.
fn short(file: &str) -> String {
    let parts: Vec<&str> = Path::new(file)
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => None,
        })
        .collect();
    // The file is below `src` or `tests`, the package above.
    let from = parts.iter().rposition(|part| ["src", "tests", "library"].contains(part));
    parts[from.unwrap_or(0).saturating_sub(1)..].join("/")
}

#[cfg(test)]
mod tests {
    use onsale_world::NodeTurn;
    use onsale_world::place::Place;

    use super::*;
    use crate::replicated::Replicated;

    #[test]
    fn a_place_in_the_code_reads_the_same_on_any_machine() {
        let table = [
            ("/opt/cargo/registry/src/index.io-1/raft-0.7.0/src/raft.rs", "raft-0.7.0/src/raft.rs"),
            ("core/cluster/src/node.rs", "cluster/src/node.rs"),
            ("/rustc/1f3/library/core/src/option.rs", "core/src/option.rs"),
            ("main.rs", "main.rs"),
        ];
        for (file, expected) in table {
            assert_eq!(short(file), expected);
        }
    }

    #[test]
    fn an_assertion_without_words_gets_some() {
        let table = [
            (
                "assertion `left == right` failed left: 3 right: 4",
                "two values that must be equal are 3 and 4",
            ),
            (
                "assertion `left != right` failed left: A right: A",
                "two values that must be different are A and A",
            ),
            ("assertion failed: a < b", "`a < b` must hold and does not"),
            (
                "assertion `left == right` failed: one vote an epoch left: 3 right: 4",
                "assertion `left == right` failed: one vote an epoch left: 3 right: 4",
            ),
            ("one vote an epoch", "one vote an epoch"),
        ];
        for (words, expected) in table {
            assert_eq!(in_words(words), expected);
        }
    }

    #[test]
    fn a_panic_is_a_sentence_about_a_node() {
        let message = onsale_cluster::Message::Forwarded(Vec::new());
        let turn = NodeTurn::<Replicated>::Delivered(Place::node(2), message);
        let said =
            sentence(Instant(1_500_000), Some(Doing::turn(Place::node(3), &turn)), "left == right");
        let expected = "at 00:01.500 n3 broke a promise of its own as it took in forwarded requests \
                        from n2: left == right";
        assert_eq!(said, expected);
        let said = sentence(Instant(0), None, "x");
        assert_eq!(said, "at 00:00.000 a promise inside the code broke: x");
    }
}
