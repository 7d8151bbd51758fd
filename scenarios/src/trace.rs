//! Recorded arrivals: CSV of `offset_s,arrivals`.
//!
//! Owns the format and its rules: offsets in seconds that ascend in even steps, counts of people. Refuses to
//! interpolate: the crowd does that.

use std::ops::Range;

use onsale_booking::Span;

use crate::human::{self, SPAN_MAX};
use crate::problem::{Complaint, ScenarioError, Source};

const HEADER: [&str; 2] = ["offset_s", "arrivals"];

/// Reads a trace: each point is an offset from the start, and the arrivals from there to the next point.
///
/// # Errors
///
/// With file and line, if the header is another one, a value is no number, the offsets
/// don't ascend in even steps, nobody comes, or there are fewer than two points.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Vec<(Span, u64)>, ScenarioError> {
    let source = Source::from_bytes(file, bytes)?;
    let text = source.text();
    let mut points: Vec<(Span, u64)> = Vec::new();
    let mut header_seen = false;
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut row = csv::StringRecord::new();
    while rows.read_record(&mut row).expect("text is UTF-8, and rows may be of any length") {
        let start = row.position().map_or(0, |position| position.byte() as usize);
        let span = within(text, start..rows.position().byte() as usize);
        if span.is_empty() {
            continue;
        }
        let read =
            if header_seen { read_point(&row, &points).map(Some) } else { read_header(&row) };
        let refuse = |(what, help): Wrong| source.error(span, Complaint::new("", what, help));
        header_seen = true;
        points.extend(read.map_err(refuse)?);
    }
    match check_whole(header_seen, &points) {
        Ok(()) => Ok(points),
        Err((what, help)) => {
            Err(source.error(text.len()..text.len(), Complaint::new("", what, help)))
        }
    }
}

/// The problem and the advice.
type Wrong = (String, String);

fn wrong(what: &str, help: &str) -> Wrong {
    (what.to_owned(), help.to_owned())
}

fn two_columns(row: &csv::StringRecord) -> Result<[&str; 2], Wrong> {
    let mut cells = row.iter();
    let (Some(first), Some(second), None) = (cells.next(), cells.next(), cells.next()) else {
        return Err(wrong("a line has two columns", "write `offset_s,arrivals`, as in `60,1200`"));
    };
    Ok([first, second])
}

/// The first row; it has no point.
fn read_header(row: &csv::StringRecord) -> Result<Option<(Span, u64)>, Wrong> {
    if two_columns(row)? == HEADER {
        return Ok(None);
    }
    Err(wrong("the header is another one", "the first line is `offset_s,arrivals`"))
}

/// The point of a later row.
fn read_point(row: &csv::StringRecord, points: &[(Span, u64)]) -> Result<(Span, u64), Wrong> {
    let [offset, arrivals] = two_columns(row)?;
    let point = (parse_offset(offset), human::digits(arrivals).filter(|_| !arrivals.is_empty()));
    let (Some(at), Some(people)) = point else {
        return Err(if arrivals.starts_with('-') || offset.starts_with('-') {
            wrong("a number is negative", "time and counts start at 0")
        } else {
            let help = "write seconds and a whole number of people, as in `60,1200`";
            wrong("a value is no number", help)
        });
    };
    match break_in_steps(points, at) {
        None => Ok((at, people)),
        Some((expected, problem)) => {
            Err((problem, format!("the next offset would be {} s", seconds(expected))))
        }
    }
}

/// Problems that concern several rows.
fn check_whole(header_seen: bool, points: &[(Span, u64)]) -> Result<(), Wrong> {
    if !header_seen {
        return Err(wrong("the file is empty", "the first line is `offset_s,arrivals`"));
    }
    if points.len() < 2 {
        let help = "the distance of the first two is the length of every step";
        return Err(wrong("a trace has at least two points", help));
    }
    match points.iter().try_fold(0_u64, |sum, (_, arrivals)| sum.checked_add(*arrivals)) {
        Some(0) => Err(wrong("nobody arrives", "at least one count is above 0")),
        Some(_) => Ok(()),
        None => {
            let help = "counts are people: scale them down";
            Err(wrong("the arrivals add up to more than 2^64", help))
        }
    }
}

/// The span of a row without the blanks and empty lines around it.
fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let row = &text[span.clone()];
    let start = span.start + (row.len() - row.trim_start().len());
    start..start + row.trim().len()
}

/// The reason why `offset` can't follow `points`, if it can't, and a possible value.
fn break_in_steps(points: &[(Span, u64)], offset: Span) -> Option<(Span, String)> {
    let [.., (last, _)] = points else { return None };
    if offset <= *last {
        let step = points.get(1).map_or(Span::from_secs(1), |(second, _)| *second - points[0].0);
        return Some((*last + step, "the offset doesn't ascend".to_owned()));
    }
    let [(first, _), (second, _), ..] = points else { return None };
    let expected = *last + (*second - *first);
    (offset != expected)
        .then(|| (expected, "the steps are uneven: a line is missing or displaced".to_owned()))
}

fn parse_offset(text: &str) -> Option<Span> {
    if text.is_empty() {
        return None;
    }
    let (value, scale) = human::scaled_decimal(text)?;
    let micros = value.checked_mul(1_000_000)? / scale;
    (micros <= SPAN_MAX.micros()).then_some(Span(micros))
}

fn seconds(span: Span) -> String {
    human::decimal(span.micros(), 6)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_trace_is_read() {
        let points = parse("t.csv", b"offset_s,arrivals\r\n0,10\r\n0.5,0\r\n1,70\r\n").unwrap();
        assert_eq!(points, [(Span(0), 10), (Span::from_millis(500), 0), (Span::from_secs(1), 70)]);
    }

    #[test]
    fn bad_traces_are_refused_at_their_line() {
        let table: [(&[u8], &str); 12] = [
            (b"", "t.csv:1:1: the file is empty; the first line is `offset_s,arrivals`"),
            (
                b"seconds,people\n",
                "t.csv:1:1: the header is another one; the first line is `offset_s,arrivals`",
            ),
            (
                b"offset_s,arrivals\n0,1\n",
                "t.csv:3:1: a trace has at least two points; the distance of the first two is the length of every step",
            ),
            (
                b"offset_s,arrivals\n0,1\n60,2\n180,3\n",
                "t.csv:4:1: the steps are uneven: a line is missing or displaced; the next offset would be 120 s",
            ),
            (
                b"offset_s,arrivals\n0,1\n60,2\n60,3\n",
                "t.csv:4:1: the offset doesn't ascend; the next offset would be 120 s",
            ),
            (
                b"offset_s,arrivals\n5,1\n2,2\n",
                "t.csv:3:1: the offset doesn't ascend; the next offset would be 6 s",
            ),
            (
                b"offset_s,arrivals\n0,-1\n",
                "t.csv:2:1: a number is negative; time and counts start at 0",
            ),
            (
                b"offset_s,arrivals\n0,x\n",
                "t.csv:2:1: a value is no number; write seconds and a whole number of people, as in `60,1200`",
            ),
            (
                b"offset_s,arrivals\n0,\n",
                "t.csv:2:1: a value is no number; write seconds and a whole number of people, as in `60,1200`",
            ),
            (
                b"offset_s,arrivals\n0,1,2\n",
                "t.csv:2:1: a line has two columns; write `offset_s,arrivals`, as in `60,1200`",
            ),
            (
                b"offset_s,arrivals\n0,0\n1,0\n",
                "t.csv:4:1: nobody arrives; at least one count is above 0",
            ),
            (
                b"offset_s,arrivals\n0,\xff\n",
                "t.csv:2:3: byte 20 is not UTF-8; save the file as UTF-8 text",
            ),
        ];
        for (text, error) in table {
            assert_eq!(parse("t.csv", text).unwrap_err().to_string(), error);
        }
    }

    proptest! {
        #[test]
        fn even_traces_are_read_as_written(first in 0_u64..1000, step in 1_u64..1000, counts in prop::collection::vec(0_u64..1_000_000, 2..50)) {
            let mut text = String::from("offset_s,arrivals\n");
            let mut expected = Vec::new();
            for (n, &count) in counts.iter().enumerate() {
                let offset = first + n as u64 * step;
                text.extend([offset.to_string(), ",".into(), count.to_string(), "\n".into()]);
                expected.push((Span::from_secs(offset), count));
            }
            match parse("t.csv", text.as_bytes()) {
                Ok(points) => prop_assert_eq!(points, expected),
                Err(error) => prop_assert!(counts.iter().all(|&count| count == 0), "{error}"),
            }
        }

        #[test]
        fn a_dropped_line_is_noticed(counts in prop::collection::vec(1_u64..100, 4..20), which in 0_usize..20) {
            let which = 1 + which % (counts.len() - 2);
            let mut text = String::from("offset_s,arrivals\n");
            for (n, count) in counts.iter().enumerate().filter(|(n, _)| *n != which) {
                text.extend([(n * 60).to_string(), ",".into(), count.to_string(), "\n".into()]);
            }
            let error = parse("t.csv", text.as_bytes()).unwrap_err();
            prop_assert!(error.to_string().contains("uneven"), "{}", error);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = [b"offset_s,arrivals\n".as_slice(), &bytes].concat();
            for text in [&bytes, &text] {
                if let Err(error) = parse("t.csv", text) {
                    prop_assert!(error.problems.iter().all(|problem| problem.line >= 1));
                }
            }
        }
    }
}
