//! `latency`: the scenario's own limits on waits.
//!
//! Owns the comparison of each limit with the recorder's histograms, which count every wait
//! from the instant at which the person meant to act. Refuses to know the cause of a wait.
//!
//! A wait that is open at the end of the run counts as longer than all finished ones, and
//! percentiles rank both. If a percentile falls on an open wait, the limit is missed once the
//! longest of them has lasted as long as it allows; before that, only the longest finished wait is
//! known. Percentiles are exact to three digits, the maximum to the microsecond.
//!
//! People wait for a grant. A request that was refused, turned away or given up sooner than the limit allows does not
//! count: it would make waits look shorter. One that took as long counts like a grant.
//!
//! A limit without waits is not a pass: with one such limit and all others kept, the oracle is
//! not exercised.

use onsale_booking::Span;
use onsale_reports::{Latencies, Operation, Oracle, OracleResult, Records, Window};

use super::evidence::{Findings, Story};

crate::rules! {
    Latency:
    /// A limit of the scenario is missed.
    LIMIT = "limit";
}

/// A limit on the waits of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The limit as the scenario writes it.
    pub text: String,
    /// The operation that people wait for.
    pub operation: Operation,
    /// The waits that count.
    pub window: Window,
    /// Share of the waits that must be shorter, in thousandths of a percent; [`ALL_OF_THEM`] for the maximum.
    pub share: u32,
    /// The bound on that share of the waits, exclusive.
    pub below: Span,
}

/// Share of all waits, in thousandths of a percent.
pub const ALL_OF_THEM: u32 = 100_000;

/// The verdict on a run's limits; `None` if the scenario has none.
pub fn judge(limits: &[Limit], records: &Records) -> Option<OracleResult> {
    let mut findings = Findings::new(Oracle::Latency);
    let mut unmeasured = 0;
    for limit in limits {
        let latencies = records.latencies(limit.operation, limit.window);
        match measure(limit, latencies) {
            None => unmeasured += 1,
            Some(measured) => {
                findings.checks();
                if measured.wait >= limit.below {
                    findings.fail(LIMIT, || told(limit, &measured, latencies));
                }
            }
        }
    }
    (!limits.is_empty()).then(|| findings.finish(unmeasured == 0))
}

/// The measured figure of a limit.
struct Measured {
    wait: Span,
    /// Whether the wait was open at the end of the run.
    goes_on: bool,
}

fn measure(limit: &Limit, latencies: &Latencies) -> Option<Measured> {
    let judged = latencies.judged(limit.below);
    let (ended, open) = (judged.count(), latencies.unanswered());
    if ended + open == 0 {
        return None;
    }
    let all = u128::from(ended + open);
    let rank = (all * u128::from(limit.share)).div_ceil(u128::from(ALL_OF_THEM));
    let longest_open = latencies.unanswered_longest();
    let at_rank = if rank > u128::from(ended) {
        if longest_open >= limit.below {
            return Some(Measured { wait: longest_open, goes_on: true });
        }
        judged.quantile(1.0)
    } else {
        judged.quantile(rank as f64 / ended as f64)
    };
    Some(Measured { wait: at_rank.unwrap_or(longest_open), goes_on: at_rank.is_none() })
}

fn told(limit: &Limit, measured: &Measured, latencies: &Latencies) -> Story {
    let Measured { wait, goes_on } = *measured;
    let ms = |span: Span| format!("{} ms", span.as_millis_f64());
    let (answered, open) = (latencies.judged(limit.below).count(), latencies.unanswered());
    let denied = latencies.count() - answered;
    let mut lines = Vec::new();
    if goes_on {
        let requests = if open == 1 { "request" } else { "requests" };
        lines.push(format!("not answered within {}; {open} {requests} still open", ms(wait)));
    }
    lines.push(format!("measured over {answered} answered and {open} unanswered"));
    if denied > 0 {
        lines.push(format!("{denied} that ended sooner without a grant do not count"));
    }
    lines.extend(latencies.max().map(|max| format!("the longest answered took {}", ms(max))));
    // The same words whether the wait ended or not: by them a failure is known again in a shorter run.
    Story { headline: format!("{}: missed at {}", limit.text, ms(wait)), lines }
}

#[cfg(test)]
pub(super) mod tests {
    use onsale_booking::Instant;
    use onsale_reports::{Ending, Recorder, RecorderSettings, Verdict};

    use super::*;
    use crate::rule::Measure;

    /// A hundred holds that took 1 to 100 ms, those from 91 ms on during a fault, and some that had been open for 5 s
    /// at the end.
    fn records(open: usize) -> Records {
        let mut recorder = Recorder::new(RecorderSettings { duration: Span::from_secs(10) });
        for ms in 1..=100_u64 {
            let meant = Instant(ms * 10_000);
            if ms == 91 {
                recorder.fault_began(meant, 0);
            }
            let answered = meant + Span::from_millis(ms);
            recorder.ended(Operation::Hold, Ending::Granted, meant, answered);
        }
        let end = Instant(8_000_000);
        for _ in 0..open {
            recorder.unanswered(Operation::Hold, Instant(3_000_000), end);
        }
        recorder.finish(end)
    }

    /// A limit with a made-up text, which evidence repeats.
    fn limit(operation: Operation, share: u32, below_ms: u64, window: Window) -> Limit {
        let name = operation.name();
        let text = format!("{name} {share} < {below_ms}ms {window:?}");
        Limit { text, operation, window, share, below: Span::from_millis(below_ms) }
    }

    const WHOLE: Window = Window::Whole;

    fn holds(share: u32, below_ms: u64, window: Window) -> Limit {
        limit(Operation::Hold, share, below_ms, window)
    }

    fn verdict(limits: &[Limit], open: usize) -> Verdict {
        judge(limits, &records(open)).expect("there are limits").verdict
    }

    pub(crate) const MEASURES: &[Measure] = &[Measure {
        rule: LIMIT,
        also: &[],
        condemned: || judge(&[holds(ALL_OF_THEM, 100, WHOLE)], &records(0)).into_iter().collect(),
        legal: || judge(&[holds(ALL_OF_THEM, 101, WHOLE)], &records(0)).into_iter().collect(),
    }];

    #[test]
    fn the_measured_figure_decides() {
        assert!(judge(&[], &records(0)).is_none());
        let (p1, p50, p99, max) = (1_000, 50_000, 99_000, ALL_OF_THEM);
        let table = [
            (holds(p50, 50, WHOLE), 0, Verdict::Fail),
            (holds(p50, 51, WHOLE), 0, Verdict::Pass),
            (holds(max, 100, WHOLE), 0, Verdict::Fail),
            (holds(max, 101, WHOLE), 0, Verdict::Pass),
            (holds(max, 100, Window::OutsideFaults), 0, Verdict::Pass),
            (holds(p1, 91, Window::InFaults), 0, Verdict::Fail),
            (holds(p99, 100, WHOLE), 0, Verdict::Pass),
            // Of 101, the 100th.
            (holds(p99, 100, WHOLE), 1, Verdict::Fail),
            // Of 102, the 101st: it has been open for 5 s.
            (holds(p99, 101, WHOLE), 2, Verdict::Fail),
            (holds(p99, 5_001, WHOLE), 2, Verdict::Pass),
            (holds(max, 5_000, WHOLE), 1, Verdict::Fail),
            (limit(Operation::Confirm, p99, 3_600_000, WHOLE), 0, Verdict::NotExercised),
        ];
        for (limit, open, expected) in table {
            assert_eq!(
                verdict(std::slice::from_ref(&limit), open),
                expected,
                "{limit:?}, {open} open"
            );
        }
    }

    /// Ten holds granted after 100 ms each, and ninety that ended otherwise.
    #[test]
    fn waits_without_a_grant_count_only_if_they_are_long() {
        let records = |ending, denied_ms: u64| {
            let mut recorder = Recorder::new(RecorderSettings { duration: Span::from_secs(10) });
            let meant = Instant(1_000_000);
            for (count, ending, ms) in [(10, Ending::Granted, 100), (90, ending, denied_ms)] {
                (0..count).for_each(|_| {
                    recorder.ended(Operation::Hold, ending, meant, meant + Span::from_millis(ms));
                });
            }
            recorder.finish(Instant(8_000_000))
        };
        let cases = [
            (Ending::Refused, 1, 100, Verdict::Fail),
            (Ending::Refused, 1, 101, Verdict::Pass),
            (Ending::Overloaded, 1, 100, Verdict::Fail),
            (Ending::GaveUp, 5_000, 1_000, Verdict::Fail),
            (Ending::GaveUp, 999, 1_000, Verdict::Pass),
        ];
        for (ending, denied, below, expected) in cases {
            let result = judge(&[holds(90_000, below, WHOLE)], &records(ending, denied));
            assert_eq!(result.unwrap().verdict, expected, "{ending:?} {denied}");
        }
    }

    #[test]
    fn a_limit_without_waits_is_not_a_pass() {
        let unmeasured = limit(Operation::Confirm, ALL_OF_THEM, 1_000, WHOLE);
        let with = |below_ms| [holds(ALL_OF_THEM, below_ms, WHOLE), unmeasured.clone()];
        assert_eq!(verdict(&with(1_000), 0), Verdict::NotExercised);
        assert_eq!(verdict(&with(1), 0), Verdict::Fail);
    }

    #[test]
    fn the_evidence_names_limit_measure_and_count() {
        let result = judge(&[holds(99_000, 1_000, Window::InFaults)], &records(1)).unwrap();
        let evidence = result.evidence.unwrap();
        assert_eq!(evidence.headline, "hold 99000 < 1000ms InFaults: missed at 5000 ms");
        assert_eq!(
            evidence.details,
            [
                "not answered within 5000 ms; 1 request still open",
                "measured over 10 answered and 1 unanswered",
                "the longest answered took 100 ms"
            ]
        );
    }
}
