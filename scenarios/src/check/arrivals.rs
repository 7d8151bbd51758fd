//! Validation of arrivals: curves, traces, and people by name.
//!
//! Owns the rules of each shape. Refuses to know how people act once they have arrived.

use onsale_booking::Span;

use super::Checks;
use crate::settings::{Arrivals, USERS_MAX};

impl Checks {
    pub(super) fn arrivals(&mut self, arrivals: &Arrivals, duration: Span) {
        match arrivals {
            Arrivals::Constant { over } => {
                self.over("crowd.arrivals.constant.over", *over, duration)
            }
            Arrivals::Poisson { over } => self.over("crowd.arrivals.poisson.over", *over, duration),
            Arrivals::Ramp { over } => self.over("crowd.arrivals.ramp.over", *over, duration),
            Arrivals::Spike { over, at, .. } => {
                self.over("crowd.arrivals.spike.over", *over, duration);
                self.before("crowd.arrivals.spike.at", *at, *over, "the last arrival");
            }
            Arrivals::OnSale { opening, over, before, rush, .. } => {
                self.over("crowd.arrivals.on-sale.over", *over, duration);
                self.before("crowd.arrivals.on-sale.opening", *opening, *over, "the last arrival");
                self.that(
                    *opening > Span::ZERO || before.is_never(),
                    "crowd.arrivals.on-sale.opening",
                    || {
                        let what = format!("{before} come before an opening at the start");
                        (what, "open later, or write `before = \"0%\"`".into())
                    },
                );
                self.that(
                    *opening + *rush <= *over || opening >= over,
                    "crowd.arrivals.on-sale.rush",
                    || {
                        let end = *opening + *rush;
                        (
                            format!("the rush ends at {end}, after the last arrival at {over}"),
                            "shorten the rush".into(),
                        )
                    },
                );
            }
            Arrivals::Trace { file, points, scale } => {
                self.that(scale.is_none(), "crowd.arrivals.trace.scale", || {
                    (
                        "a plan says how many come, and scales nothing".into(),
                        "remove the key: `crowd.users` is the number".into(),
                    )
                });
                self.trace(file, points, duration);
            }
            Arrivals::Named { people } => self.named(people, duration),
        }
    }

    fn named(&mut self, people: &[(Span, u32)], duration: Span) {
        let field = "crowd.arrivals.named.people";
        let mut numbers: Vec<u32> = people.iter().map(|&(_, number)| number).collect();
        numbers.sort_unstable();
        if let Some(pair) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
            let what = format!("person {} is named twice", pair[0]);
            self.that(false, field, || (what, "name each person once".into()));
        }
        self.within(field, numbers.last().copied().unwrap_or_default(), 0..=USERS_MAX - 1);
        if let Some(&(last, _)) = people.iter().max() {
            self.that_both(last <= duration, field, "duration", || {
                let what = format!("people come until {last}, but the run ends at {duration}");
                (what, format!("let the run last: `duration = \"{last}\"` or more"))
            });
        }
    }

    fn trace(&mut self, file: &str, points: &[(Span, u64)], duration: Span) {
        let field = "crowd.arrivals.trace.points";
        self.that(!file.is_empty(), "crowd.arrivals.trace.file", || {
            ("the trace has no file".into(), "name a CSV of `offset_s,arrivals`".into())
        });
        self.that(points.len() >= 2, field, || {
            (
                "the trace has fewer than two points".into(),
                "a plan carries the points: `[[\"0s\", 10], [\"60s\", 0]]`".into(),
            )
        });
        let mut steps = points.windows(2).map(|pair| (pair[0].0, pair[1].0));
        let first_step = points.get(1).map_or(Span::ZERO, |(second, _)| *second - points[0].0);
        let even = steps.all(|(a, b)| a < b && b - a == first_step);
        self.that(even, field, || {
            (
                "the offsets don't ascend in even steps".into(),
                "write one point for every step".into(),
            )
        });
        let arrivals =
            points.iter().try_fold(0_u64, |sum, (_, arrivals)| sum.checked_add(*arrivals));
        self.that(points.len() < 2 || arrivals.is_some_and(|sum| sum > 0), field, || {
            (
                "the counts add up to nothing, or to more than 2^64".into(),
                "counts are people".into(),
            )
        });
        if let Some((last, _)) = points.last() {
            self.that(*last <= duration, "crowd.arrivals.trace.file", || {
                let what = format!(
                    "the trace goes on until {last}, after the end of the run at {duration}"
                );
                (what, format!("let the run last: `duration = \"{last}\"` or more"))
            });
        }
    }
}
