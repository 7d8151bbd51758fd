//! Results of queueing theory for a queue, in units of its mean service.
//!
//! Owns the formulas. Refuses to know that anything is simulated.

use libm::{exp, log, sqrt};

/// Mean wait and p99 by theory, and the variance of a run's mean wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theory {
    /// Mean time in the queue, before the service.
    pub(crate) wait: f64,
    /// 99 % leave within this time, service included.
    pub(crate) p99: f64,
    /// The variance of the mean wait of n customers is about this divided by n.
    pub(crate) variance: f64,
}

/// Exponential service by `servers`, each busy for the share `load` of the time (Erlang C).
pub(crate) fn mmc(servers: u32, load: f64) -> Theory {
    let offered = load * f64::from(servers);
    let (mut blocked, mut term) = (1.0, 1.0);
    for k in 1..servers {
        term *= offered / f64::from(k);
        blocked += term;
    }
    let last = term * offered / f64::from(servers) / (1.0 - load);
    let waits = last / (blocked + last);
    let spare = f64::from(servers) - offered;
    let exceeds = |t: f64| {
        // The service alone, and the wait before it; the two rates coincide if one server fewer were saturated.
        let wait_and_service = if (spare - 1.0).abs() < 1e-9 {
            waits * t * exp(-t)
        } else {
            waits * (exp(-t) - exp(-spare * t)) / (spare - 1.0)
        };
        exp(-t) + wait_and_service
    };
    Theory {
        wait: waits / spare,
        p99: bisect(|t| exceeds(t) < 0.01),
        // As one server that is `servers` times faster.
        variance: variance(load, 1.0) / f64::from(servers).powi(2),
    }
}

/// One server, any service of mean 1 (Pollaczek and Khinchine): `cdf(x)` is the share of services no longer than `x`.
pub(crate) fn mg1(load: f64, cv2: f64, cdf: impl Fn(f64) -> f64) -> Theory {
    // The wait is a geometric sum of residual services: Panjer's recursion on a grid.
    const STEP: f64 = 0.02;
    const STEPS: usize = 5_000;
    let mut residual: Vec<f64> = (0..STEPS)
        .scan((0.0, 0.0), |(upto, before), j| {
            let (from, to) = ((j as f64 - 0.5).max(0.0) * STEP, (j as f64 + 0.5) * STEP);
            *upto += (0..20)
                .map(|k| 1.0 - cdf(from + (to - from) * (f64::from(k) + 0.5) / 20.0))
                .sum::<f64>()
                * (to - from)
                / 20.0;
            let share = *upto - *before;
            *before = *upto;
            Some(share)
        })
        .collect();
    // Normalise: the error of a jump of the distribution within a step would be missing in the tail.
    let whole: f64 = residual.iter().sum();
    residual.iter_mut().for_each(|share| *share /= whole);
    let longest = residual.iter().rposition(|&share| share > 1e-12).unwrap_or(0);
    let first = 1.0 - load * residual[0];
    let mut wait = vec![(1.0 - load) / first];
    for s in 1..STEPS {
        let sum: f64 = (1..=s.min(longest)).map(|j| residual[j] * wait[s - j]).sum();
        wait.push(load * sum / first);
    }
    let within = |t: f64| {
        let shares = wait.iter().zip(0..).map(|(share, j)| share * cdf(t - f64::from(j) * STEP));
        shares.sum::<f64>()
    };
    Theory {
        wait: load * (1.0 + cv2) / 2.0 / (1.0 - load),
        p99: bisect(|t| within(t) > 0.99),
        variance: variance(load, cv2),
    }
}

/// Variance of the mean wait: exact for exponential service (Daley 1968); for others scaled as in heavy traffic
/// (Whitt 1989).
fn variance(load: f64, cv2: f64) -> f64 {
    let exponential =
        load * (2.0 + 5.0 * load - 4.0 * load.powi(2) + load.powi(3)) / (1.0 - load).powi(4);
    exponential * ((1.0 + cv2) / 2.0).powi(3)
}

impl Theory {
    /// Number of customers whose mean wait is within a share of theory's, except in three of a thousand runs.
    pub(crate) fn customers(&self, within: f64) -> u32 {
        (9.0 * self.variance / (within * self.wait).powi(2)).ceil() as u32
    }
}

/// The share of lognormal draws that are no longer than `x`.
pub(crate) fn log_normal_cdf(x: f64, median: f64, sigma: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    libm::erfc(-log(x / median) / sigma / sqrt(2.0)) / 2.0
}

/// The point at which a predicate turns from false to true.
fn bisect(is_beyond: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 100.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if is_beyond(middle) { high = middle } else { low = middle }
    }
    high
}

#[test]
fn the_formulas_match_the_tables() {
    let near = |value: f64, table: f64| {
        assert!((value / table - 1.0).abs() < 2e-3, "{value}, and the table says {table}");
    };
    // Mean waits and sojourns of M/M/1, Erlang C for several servers.
    for (servers, load, wait) in [
        (1, 0.5, 1.0),
        (1, 0.8, 4.0),
        (2, 0.8, 1.777_778),
        (4, 0.8, 0.745_541),
        (8, 0.8, 0.286_028),
        (16, 0.9, 0.369_590),
    ] {
        near(mmc(servers, load).wait, wait);
    }
    near(mmc(1, 0.8).p99, 5.0 * log(100.0));
    // The same by the other formula, and Pollaczek and Khinchine.
    let exponential = mg1(0.8, 1.0, |x| 1.0 - exp(-x.max(0.0)));
    near(exponential.wait, 4.0);
    near(exponential.p99, 5.0 * log(100.0));
    for (cv2, wait) in [(0.0, 2.0), (0.25, 2.5), (1.0, 4.0), (4.0, 10.0)] {
        near(mg1(0.8, cv2, |x| f64::from(x >= 1.0)).wait, wait);
    }
}
