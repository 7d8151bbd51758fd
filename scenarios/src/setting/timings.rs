//! Rules for how long things take.
//!
//! Owns what makes a timing valid, however it is drawn. Refuses to know what it times.

use std::ops::RangeInclusive;

use onsale_booking::Span;

use super::Checks;
use crate::ratio::Ratio;
use crate::timing::{LogNormal, Timing};

/// Quantiles that a timing may have.
const QUANTILES_MAX: usize = 1_000;

impl Checks {
    /// What is written down in a timing lies within the bounds; what is drawn beyond them is as drawn.
    pub(super) fn timing(&mut self, field: &str, timing: &Timing, bounds: &RangeInclusive<Span>) {
        match timing {
            Timing::Constant(span) => self.span_within(field, *span, bounds.clone()),
            Timing::Exponential { mean } => {
                let field = format!("{field}.mean");
                self.some_time(&field, *mean);
                self.span_within(&field, *mean, bounds.clone());
            }
            Timing::LogNormal(LogNormal { median, sigma_milli }) => {
                let median_field = format!("{field}.median");
                self.some_time(&median_field, *median);
                self.span_within(&median_field, *median, bounds.clone());
                self.within(&format!("{field}.sigma"), *sigma_milli, 0..=10_000);
            }
            Timing::Quantiles(points) => {
                self.quantiles(&format!("{field}.quantiles"), points, bounds)
            }
        }
    }

    fn quantiles(&mut self, field: &str, points: &[(Ratio, Span)], bounds: &RangeInclusive<Span>) {
        let count = points.len();
        self.that((2..=QUANTILES_MAX).contains(&count), field, || {
            let help =
                format!("write 2 to {QUANTILES_MAX}: `[[\"0%\", \"1ms\"], [\"100%\", \"9ms\"]]`");
            (format!("there are {count} quantiles"), help)
        });
        for (n, &(share, span)) in points.iter().enumerate() {
            self.share(&format!("{field}[{n}][0]"), share);
            self.span_within(&format!("{field}[{n}][1]"), span, bounds.clone());
        }
        let ends = [(0, Ratio::NEVER), (count.saturating_sub(1), Ratio::ALWAYS)];
        for (n, due) in ends {
            if let Some(&(share, _)) = points.get(n).filter(|_| count > 1) {
                self.that(share == due, &format!("{field}[{n}][0]"), || {
                    let what = format!("the quantiles go from 0% to 100%, and here is {share}");
                    (what, format!("write `\"{due}\"`"))
                });
            }
        }
        for (n, pair) in points.windows(2).enumerate() {
            let ((before, shorter), (share, longer)) = (pair[0], pair[1]);
            self.that(share >= before, &format!("{field}[{}][0]", n + 1), || {
                (format!("{share} stands after {before}"), "put the least share first".into())
            });
            self.that(longer >= shorter, &format!("{field}[{}][1]", n + 1), || {
                let what = format!("{longer} at {share} is below {shorter} at {before}");
                (what, "a greater share takes no less".into())
            });
        }
    }
}
