//! Panics inside a run: where one was, and which node broke off what.
//!
//! Owns the hook that catches the place in the code, and the sentence. Refuses to know what becomes of
//! the run.

use std::any::Any;
use std::cell::RefCell;
use std::path::{Component, Path};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use onsale_booking::Instant;

use crate::doing::Doing;

/// The name of a run's thread.
pub(super) const THREAD: &str = "run";

static IS_QUIET: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Where the latest panic of this thread was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on panics inside runs go to their verdicts alone, and no longer to standard error too:
/// for whoever plays many runs that are bound to break.
pub fn keep_panics_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// From now on the places of panics inside runs are kept.
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

/// What a panic of this thread says, and where it was.
pub(super) fn told(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let words = text
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned());
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match PLACE.with_borrow_mut(Option::take) {
        Some(place) => format!("{words} ({place})"),
        None => words,
    }
}

/// The sentence.
pub(super) fn sentence(at: Instant, doing: Option<Doing>, words: &str) -> String {
    match doing {
        Some(doing) => {
            format!("at {at} {} broke a promise of its own as it {doing}: {words}", doing.node())
        }
        None => format!("at {at} a promise inside the code broke: {words}"),
    }
}

/// A file of this workspace or of a library, without what differs from machine to machine.
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
    // Below `src` or `tests` stands the file, above it the package.
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
