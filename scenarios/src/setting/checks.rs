//! A list of complaints about values.
//!
//! Owns the checks that many settings share, with their words. Refuses to know any setting.

use std::fmt::Display;
use std::ops::RangeInclusive;

use onsale_booking::Span;

use super::SOME_TIME;
use crate::problem::Complaint;
use crate::ratio::Ratio;

/// The problems of a scenario found so far.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pub(crate) complaints: Vec<Complaint>,
}

impl Checks {
    pub(crate) fn some_time(&mut self, field: &str, span: Span) {
        self.that(span > Span::ZERO, field, || {
            ("no time at all".into(), "write a span above zero, such as `5s`".into())
        });
    }

    pub(crate) fn share(&mut self, field: &str, share: Ratio) {
        self.that(share.den > 0 && share.num <= share.den, field, || {
            (
                format!("{}/{} is no share", share.num, share.den),
                "a share is between `0%` and `100%`".into(),
            )
        });
    }

    pub(crate) fn span_within(&mut self, field: &str, span: Span, range: RangeInclusive<Span>) {
        if range == SOME_TIME && span == Span::ZERO {
            self.some_time(field, span);
            return;
        }
        self.that(range.contains(&span), field, || {
            (
                format!("{span} is out of bounds"),
                format!("write {} to {}", range.start(), range.end()),
            )
        });
    }

    pub(crate) fn within<N: PartialOrd + Display>(
        &mut self,
        field: &str,
        value: N,
        range: RangeInclusive<N>,
    ) {
        self.that(range.contains(&value), field, || {
            (
                format!("{value} is out of bounds"),
                format!("write a number from {} to {}", range.start(), range.end()),
            )
        });
    }

    /// Adds a complaint about a field unless the condition holds; the closure returns the problem and the
    /// advice.
    pub(crate) fn that(
        &mut self,
        all_is_well: bool,
        field: &str,
        complaint: impl FnOnce() -> (String, String),
    ) {
        self.that_any(all_is_well, field, &[], complaint);
    }

    /// The same for two fields that clash.
    pub(crate) fn that_both(
        &mut self,
        all_is_well: bool,
        field: &str,
        other: &str,
        complaint: impl FnOnce() -> (String, String),
    ) {
        self.that_any(all_is_well, field, &[other], complaint);
    }

    /// The same for several fields.
    pub(crate) fn that_any(
        &mut self,
        all_is_well: bool,
        field: &str,
        others: &[&str],
        complaint: impl FnOnce() -> (String, String),
    ) {
        if !all_is_well {
            let (what, help) = complaint();
            let others = others.iter().map(|&other| other.to_owned()).collect();
            self.complaints.push(Complaint { others, ..Complaint::new(field, what, help) });
        }
    }
}
