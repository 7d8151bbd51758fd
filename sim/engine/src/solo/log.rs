//! The lines of the log: one for each write.
//!
//! Owns how a line is written and read back. A torn write is an unreadable line: the lines before it were durable, and
//! each start of the process begins a new segment, so none come after it. Refuses to know what the events do.

use onsale_booking::{Event, ShowId};
use serde::{Deserialize, Serialize};

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// Index in the log, from 1.
    pub(super) index: u64,
    /// Number of the process's start that wrote it.
    pub(super) term: u64,
    /// The changes of shows.
    pub(super) events: Vec<(ShowId, Event)>,
}

impl Line {
    /// The line's bytes on a disk.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("a line can be written");
        bytes.push(b'\n');
        bytes
    }
}

/// The complete lines at the beginning of these bytes.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Line> + '_ {
    let whole =
        bytes.split_inclusive(|&byte| byte == b'\n').take_while(|line| line.ends_with(b"\n"));
    whole.map_while(|line| serde_json::from_slice(line).ok())
}

/// The log in a disk's segments, in order; a line repeated in a later segment counts once.
pub(super) fn read<'a>(segments: impl Iterator<Item = &'a [u8]>) -> Vec<Line> {
    let mut log: Vec<Line> = Vec::new();
    for line in segments.flat_map(lines) {
        if line.index == log.len() as u64 + 1 {
            log.push(line);
        }
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_ends_a_segment_but_not_the_log() {
        let line = |index| Line { index, term: 1, events: Vec::new() };
        let [one, two, three] = [1, 2, 3].map(|index| line(index).to_bytes());
        let torn = [&one[..], &two[..two.len() - 3]].concat();
        let hole = [&one[..], &[0; 9], &two[..]].concat();
        for first in [torn, hole] {
            assert_eq!(lines(&first).collect::<Vec<_>>(), [line(1)]);
            let next = [&two[..], &three[..]].concat();
            let log = read([&first[..], &next[..]].into_iter());
            assert_eq!(log, [line(1), line(2), line(3)]);
        }
    }
}
