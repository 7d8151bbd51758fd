//! One node compared with queueing theory, which gives the exact results.
//!
//! Owns the queues compared, and the tolerances. The number of people that a mean needs follows from its variance,
//! which theory gives as well ([`queue`]); seeds 1, 2 and 3 are pooled. It takes some forty million people, so only
//! release builds run it: `cargo test --release --package onsale-sim --test theory`.

mod queue;
mod station;

use onsale_booking::Span;
use onsale_reports::{Operation, Window};
use onsale_scenarios::{Ratio, Timing};
use queue::{Theory, log_normal_cdf, mg1, mmc};
use station::{MEAN, SEEDS, Servers, arrivals, met, play, pooled, station};

/// Asserts the mean wait within a share of theory's, and p99 within 3 %.
fn compare(name: &str, servers: Servers, mean_us: f64, load: f64, within: f64, theory: Theory) {
    let users = theory.customers(within).div_ceil(SEEDS.len() as u32);
    let met = pooled(&station(servers, mean_us, load, users), mean_us);
    assert_eq!(met.count, u64::from(users) * SEEDS.len() as u64);
    let wait = met.sojourn - 1.0;
    let off = |value: f64, theory: f64| 100.0 * (value / theory - 1.0);
    println!(
        "{name} at load {load}: {} people waited {wait:.4} services, theory {:.4}, {:+.2} %; \
         p99 {:.3}, theory {:.3}, {:+.2} %",
        met.count,
        theory.wait,
        off(wait, theory.wait),
        met.p99,
        theory.p99,
        off(met.p99, theory.p99),
    );
    assert!(off(wait, theory.wait).abs() < 100.0 * within, "{name}: the mean wait");
    assert!(off(met.p99, theory.p99).abs() < 3.0, "{name}: p99");
}

fn leader(timing: Timing) -> Servers {
    Servers::Leader(timing)
}

const fn mean_us() -> f64 {
    MEAN.0 as f64
}

#[test]
#[cfg_attr(debug_assertions, ignore = "only a release build has the time")]
fn md1_waits_as_theory_says() {
    for load in [0.3, 0.5, 0.8] {
        let theory = mg1(load, 0.0, |x| f64::from(x >= 1.0));
        compare("M/D/1", leader(MEAN.into()), mean_us(), load, 0.01, theory);
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "only a release build has the time")]
fn mm1_waits_as_theory_says() {
    let timing = Timing::Exponential { mean: MEAN };
    compare("M/M/1", leader(timing), mean_us(), 0.8, 0.016, mmc(1, 0.8));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "only a release build has the time")]
fn mmc_waits_as_theory_says() {
    for servers in [2, 4] {
        let timing = Timing::Exponential { mean: MEAN };
        let gateway = Servers::Gateway(servers, timing);
        let theory = mmc(servers.into(), 0.8);
        compare(&format!("M/M/{servers}"), gateway, mean_us(), 0.8, 0.016, theory);
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "only a release build has the time")]
fn mg1_with_little_variance_waits_as_theory_says() {
    let (median, sigma) = (Span(17_891), 0.472_f64);
    let (cv2, mean) = (libm::exp(sigma * sigma) - 1.0, 17_891.0 * libm::exp(sigma * sigma / 2.0));
    assert!((cv2 - 0.25).abs() < 1e-3);
    let theory = mg1(0.8, cv2, |x| log_normal_cdf(x, 17_891.0 / mean, sigma));
    let timing = Timing::log_normal(median, 472);
    compare("M/G/1, cv² 0.25", leader(timing), mean, 0.8, 0.016, theory);
}

/// Service times: nine in ten take a third of the mean, the others seven times the mean.
#[test]
#[cfg_attr(debug_assertions, ignore = "only a release build has the time")]
fn mg1_with_much_variance_waits_as_theory_says() {
    let (short, long) = (Span(7_000), Span(147_000));
    let most = Ratio::percent(90);
    let points = vec![(Ratio::NEVER, short), (most, short), (most, long), (Ratio::ALWAYS, long)];
    let mean = 0.9 * 7_000.0 + 0.1 * 147_000.0;
    let theory = mg1(0.8, 4.0, |x| {
        if x * mean >= 147_000.0 {
            1.0
        } else if x * mean >= 7_000.0 {
            0.9
        } else {
            0.0
        }
    });
    compare("M/G/1, cv² 4", leader(Timing::Quantiles(points)), mean, 0.8, 0.016, theory);
}

/// Every person waits for the remaining work of all before: Lindley's recursion, to the microsecond. And
/// the number of people inside, summed over all time, is the sum of their reported times: Little's law.
#[test]
fn everybody_waits_exactly_for_those_before() {
    let scenario = station(leader(MEAN.into()), mean_us(), 0.8, 20_000);
    for seed in SEEDS {
        let outcome = play(&scenario, seed);
        let (mut free, mut longest) = (0, 0);
        let mut steps = Vec::new();
        for at in arrivals(&scenario, seed) {
            free = at.0.max(free) + MEAN.0;
            longest = longest.max(free - at.0);
            steps.extend([(at.0, 1_i64), (free, -1)]);
        }
        steps.sort_unstable();
        let (mut inside, mut since, mut area) = (0_i64, 0, 0_u64);
        for (at, change) in steps {
            area += inside as u64 * (at - since);
            (inside, since) = (inside + change, at);
        }
        let holds = outcome.records.latencies(Operation::Hold, Window::Whole);
        assert_eq!(holds.count(), 20_000);
        assert_eq!(holds.mean(), Some(Span((area + 10_000) / 20_000)), "seed {seed}: L = λ W");
        assert_eq!(holds.max(), Some(Span(longest)), "seed {seed}");
    }
}

/// Four of five arriving people are served in time: the backlog grows by the fifth. No served person is
/// missing, and none is served early.
#[test]
fn a_backlog_grows_by_the_excess() {
    let scenario = station(leader(MEAN.into()), mean_us(), 1.25, 20_000);
    let outcome = play(&scenario, 1);
    let (mut come, mut served) = (0, 0);
    let seconds = 20_000 * MEAN.0 * 4 / 5 / 1_000_000;
    for (second, row) in (1..=seconds).zip(outcome.records.timeline()) {
        come += row.arrived;
        served += row.holds.iter().sum::<u64>();
        // The server is rarely idle at the start, and never later.
        let able = second * 1_000_000 / MEAN.0;
        assert!((able - able.min(40)..=able).contains(&served), "{served} of {able} at {second} s");
    }
    let backlog = come - served;
    assert!((3_900..=4_100).contains(&backlog), "{backlog} wait after {seconds} s, 4,000 too many");
    assert_eq!(met(&outcome, mean_us()).count, 20_000);
}
