//! The signature of a failure: which promise broke, and how.
//!
//! Owns when two failures are of one kind: the same oracle reports both in the same words, apart from names,
//! numbers and times. Refuses to know how often a kind was seen and what is done about it.

use onsale_reports::{OracleResult, Verdict};
use onsale_sim::run::Outcome;
use serde::Serialize;

/// A kind of failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Signature {
    /// The oracle that failed.
    pub oracle: String,
    /// Its headline, with `N` for numbers, which differ from run to run.
    pub kind: String,
}

impl Signature {
    /// The signature of a result; `None` if the oracle did not fail.
    pub fn of(result: &OracleResult) -> Option<Self> {
        let headline = result.evidence.as_ref().map_or("", |evidence| &evidence.headline);
        (result.verdict == Verdict::Fail)
            .then(|| Self { oracle: result.name.clone(), kind: kind(headline) })
    }

    /// The signatures of a run's failures, in the order of its oracles.
    pub fn all(outcome: &Outcome) -> Vec<Self> {
        outcome.summary.facts.oracles.iter().filter_map(Self::of).collect()
    }
}

/// Units that belong to the number before them.
const UNITS: [&str; 7] = ["us", "µs", "ms", "s", "m", "h", "%"];

/// Kinds of facts.
const FACTS: [&str; 7] = ["city", "venue", "hall", "event", "performer", "show", "price"];

/// A headline with `N` for every number with its unit, and for every list of numbers.
pub fn kind(headline: &str) -> String {
    let mut kind = String::with_capacity(headline.len());
    let mut rest = headline;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        kind.push_str(&rest[..start]);
        kind.push('N');
        rest = without_unit(without_number(&rest[start..]));
    }
    kind.push_str(rest);

    let mut words: Vec<String> = Vec::new();
    for word in kind.split(' ') {
        match words.last_mut() {
            // `seats 12 13` and `seats 12 13 14` are one kind, and so are `{n1}` and `{n1, n2}`.
            Some(last) if bare(word).ends_with('N') && bare(last) == bare(word) => {
                let opening = &last[..last.len() - last.trim_start_matches(is_mark).len()];
                *last = format!("{opening}{}", word.trim_start_matches(is_mark));
            }
            // The kind of a fact is part of its name.
            Some(last) if bare(word) == "N" && FACTS.contains(&last.as_str()) => {
                "fact".clone_into(last);
                words.push(word.to_owned());
            }
            Some(_) | None => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

fn bare(word: &str) -> &str {
    word.trim_matches(is_mark)
}

const fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation()
}

/// The characters that may follow in a clock time or a decimal.
fn without_number(text: &str) -> &str {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let goes_on = c.is_ascii_digit()
            || (".:,".contains(c)
                && text[at + 1..].starts_with(|next: char| next.is_ascii_digit()));
        if !goes_on {
            break;
        }
        end = at + 1;
    }
    &text[end..]
}

fn without_unit(text: &str) -> &str {
    let unit = text.strip_prefix(' ').unwrap_or(text);
    let word = unit.find(|c: char| !c.is_alphabetic() && c != '%').unwrap_or(unit.len());
    if UNITS.contains(&&unit[..word]) { &unit[word..] } else { text }
}

#[cfg(test)]
mod tests {
    use onsale_reports::Evidence;

    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        let table = [
            (
                "show0 seat 1234 (section 3, row 2, place 9) is booked for u17 and for u20",
                "showN seat N (section N, row N, place N) is booked for uN and for uN",
            ),
            ("h4352 of u17 expired 812ms before its time", "hN of uN expired N before its time"),
            ("h4352 of u17 expired 4s before its time", "hN of uN expired N before its time"),
            ("the record at s12#88 (e3) is gone", "the record at sN#N (eN) is gone"),
            ("at 01:30.004 a promise broke", "at N a promise broke"),
            ("hold took 1.21 s, at most 500 ms", "hold took N, at most N"),
            ("hold took 1m 21s, at most 1,500 ms", "hold took N, at most N"),
            ("seats 1 2 3 are gone", "seats N are gone"),
            ("{n1, n2, n3} and {n4}", "{nN} and {nN}"),
            ("r1 of u2 never ended", "rN of uN never ended"),
            ("session 3 read price 17 back in time", "session N read fact N back in time"),
            ("session 3 read event 0 back in time", "session N read fact N back in time"),
            ("the price of seat 3 is unknown", "the price of seat N is unknown"),
            ("nothing to count", "nothing to count"),
            ("", ""),
        ];
        for (headline, expected) in table {
            assert_eq!(kind(headline), expected);
        }
    }

    #[test]
    fn only_a_failure_has_a_signature() {
        let headline = "r1 of u2 ended".to_owned();
        let evidence = Some(Evidence {
            headline,
            rules: vec![],
            details: vec![],
            follow: vec![],
            found_us: None,
        });
        let mut result =
            OracleResult { name: "live".to_owned(), verdict: Verdict::Fail, checked: 1, evidence };
        let signature = Signature::of(&result).unwrap();
        assert_eq!(
            (signature.oracle.as_str(), signature.kind.as_str()),
            ("live", "rN of uN ended")
        );
        result.verdict = Verdict::Pass;
        assert_eq!(Signature::of(&result), None);
    }
}
