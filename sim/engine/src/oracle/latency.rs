//! `latency`: the scenario's own limits on what people wait.
//!
//! Owns the comparison of each limit with the recorder's histograms, which count every wait
//! from the instant at which it was meant. Refuses to know what made anybody wait.
//!
//! A wait that was still going on when the run was over counts as longer than all that ended,
//! and ranks are taken over both. Where a figure falls on such waits, the limit is missed once the
//! longest of them has lasted as long as it allows; before that nothing more is known than
//! the longest that ended. Percentiles are exact to three digits, the maximum to the
//! microsecond.
//!
//! A limit on what never happened is no pass: one such, with all others kept, and the oracle
//! is not exercised.

use onsale_booking::Span;
use onsale_reports::{Latencies, Operation, OracleResult, Records, Window};
use onsale_scenarios::{Figure, Limit, Part, Wait};

use super::evidence::{Findings, Story};

/// Its name. Limits are wishes, not promises: a run that misses one ends differently.
pub const LATENCY: &str = "latency";

/// The verdict on a run's limits; none where the scenario has none.
pub(crate) fn judge(limits: &[Limit], records: &Records) -> Option<OracleResult> {
    let mut findings = Findings::new(LATENCY);
    let mut unmeasured = 0;
    for limit in limits {
        let latencies = records.latencies(operation(limit.wait), window(limit.part));
        match measure(limit, latencies) {
            None => unmeasured += 1,
            Some(measured) => {
                findings.checked += 1;
                if measured.wait >= limit.below {
                    findings.fail(|| told(limit, &measured, latencies));
                }
            }
        }
    }
    (!limits.is_empty()).then(|| findings.finish(unmeasured == 0))
}

/// What a limit is held against.
struct Measured {
    wait: Span,
    /// Whether it had not ended when the run was over.
    goes_on: bool,
}

fn measure(limit: &Limit, latencies: &Latencies) -> Option<Measured> {
    let (ended, open) = (latencies.count(), latencies.unanswered());
    if ended + open == 0 {
        return None;
    }
    let all = u128::from(ended + open);
    let rank = match limit.figure {
        Figure::Max => all,
        Figure::Percentile(thousandths) => (all * u128::from(thousandths)).div_ceil(100_000),
    };
    let longest_open = latencies.unanswered_longest();
    let at_rank = if rank > u128::from(ended) {
        if longest_open >= limit.below {
            return Some(Measured { wait: longest_open, goes_on: true });
        }
        latencies.max()
    } else {
        latencies.quantile(rank as f64 / ended as f64)
    };
    Some(Measured { wait: at_rank.unwrap_or(longest_open), goes_on: at_rank.is_none() })
}

fn told(limit: &Limit, measured: &Measured, latencies: &Latencies) -> Story {
    let Measured { wait, goes_on } = *measured;
    let ms = |span: Span| format!("{} ms", span.as_millis_f64());
    let mut lines = vec![format!(
        "measured {}{}, over {} that ended and {} that never did",
        ms(wait),
        if goes_on { " and going on" } else { "" },
        latencies.count(),
        latencies.unanswered()
    )];
    lines.extend(latencies.max().map(|max| format!("the longest that ended took {}", ms(max))));
    Story { headline: format!("{limit}: it was {}", ms(wait)), lines }
}

const fn operation(wait: Wait) -> Operation {
    match wait {
        Wait::Queue => Operation::Queue,
        Wait::Hold => Operation::Hold,
        Wait::Confirm => Operation::Confirm,
        Wait::Release => Operation::Release,
        Wait::Purchase => Operation::Purchase,
    }
}

const fn window(part: Part) -> Window {
    match part {
        Part::Whole => Window::Whole,
        Part::InFaults => Window::InFaults,
        Part::OutsideFaults => Window::OutsideFaults,
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::Instant;
    use onsale_reports::{Ending, Recorder, RecorderSettings, Verdict};

    use super::*;

    /// A hundred holds that took 1 to 100 ms, those from 91 ms on under a fault; and some
    /// that were open for 5 s at the end.
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

    fn verdict(limits: &[&str], open: usize) -> Verdict {
        let limits: Vec<Limit> = limits.iter().map(|limit| limit.parse().unwrap()).collect();
        judge(&limits, &records(open)).expect("there are limits").verdict
    }

    #[test]
    fn what_is_measured_decides() {
        assert!(judge(&[], &records(0)).is_none());
        let table = [
            ("hold p50 < 50ms", 0, Verdict::Fail),
            ("hold p50 < 51ms", 0, Verdict::Pass),
            ("hold max < 100ms", 0, Verdict::Fail),
            ("hold max < 101ms", 0, Verdict::Pass),
            ("hold max < 100ms outside faults", 0, Verdict::Pass),
            ("hold p1 < 91ms in faults", 0, Verdict::Fail),
            ("hold p99 < 100ms", 0, Verdict::Pass),
            // Of 101, the 100th.
            ("hold p99 < 100ms", 1, Verdict::Fail),
            // Of 102, the 101st: it waits, and has done so for 5 s.
            ("hold p99 < 101ms", 2, Verdict::Fail),
            ("hold p99 < 5001ms", 2, Verdict::Pass),
            ("hold max < 5s", 1, Verdict::Fail),
            ("confirm p99 < 1h", 0, Verdict::NotExercised),
        ];
        for (limit, open, expected) in table {
            assert_eq!(verdict(&[limit], open), expected, "{limit}, {open} open");
        }
    }

    #[test]
    fn one_limit_that_nothing_was_held_against_is_no_pass() {
        assert_eq!(verdict(&["hold max < 1s", "confirm max < 1s"], 0), Verdict::NotExercised);
        assert_eq!(verdict(&["hold max < 1ms", "confirm max < 1s"], 0), Verdict::Fail);
    }

    #[test]
    fn the_evidence_names_limit_measure_and_count() {
        let limits = ["hold p99 < 1s in faults".parse().unwrap()];
        let result = judge(&limits, &records(1)).unwrap();
        let evidence = result.evidence.unwrap();
        assert_eq!(evidence.headline, "hold p99 < 1s in faults: it was 5000 ms");
        assert_eq!(
            evidence.details,
            [
                "measured 5000 ms and going on, over 10 that ended and 1 that never did",
                "the longest that ended took 100 ms"
            ]
        );
    }
}
