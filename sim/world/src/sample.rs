//! Samplers: from 64 random bits to a span, a size, a rank.
//!
//! Owns every distribution of the simulator, built on `libm` alone: library samplers switch to
//! the platform's maths when another crate turns on a feature, so updating a dependency could
//! change what seeds draw. Each sampler has a golden hash. Refuses to know what the draws decide.

use onsale_booking::Span;
use onsale_scenarios::{LogNormal, Ratio, Timing};

use crate::stream::below;

/// Whether an event of probability `ratio` happens, decided in integers.
pub const fn hits(bits: u64, ratio: Ratio) -> bool {
    below(bits, ratio.den as u64) < ratio.num as u64
}

/// A uniform span from `low` to `high`, both included.
pub const fn uniform(bits: u64, low: Span, high: Span) -> Span {
    Span(low.0 + below(bits, high.0.saturating_sub(low.0).saturating_add(1)))
}

/// A number in the open interval (0, 1) with 53 random bits.
pub fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
}

/// A standard normal by inversion: Acklam's rational approximation, relative error below 1.2e-9.
pub fn normal(bits: u64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
    ];
    const TAIL: f64 = 0.024_25;

    let p = unit(bits);
    let tail = |p: f64| {
        let q = libm::sqrt(-2.0 * libm::log(p));
        (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5])
            / ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1.0)
    };
    if p < TAIL {
        tail(p)
    } else if p > 1.0 - TAIL {
        -tail(1.0 - p)
    } else {
        let q = p - 0.5;
        let r = q * q;
        (((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q
            / (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1.0)
    }
}

/// A span from a timing, in whole microseconds. Larger `bits` never give a shorter span.
pub fn timing(bits: u64, timing: &Timing) -> Span {
    match timing {
        Timing::Constant(span) => *span,
        Timing::Exponential { mean } => exponential(bits, *mean),
        Timing::LogNormal(shape) => log_normal(bits, *shape),
        Timing::Quantiles(points) => quantile(bits, points),
    }
}

/// The longest span that a timing draws.
pub fn most(of: &Timing) -> Span {
    timing(u64::MAX, of)
}

/// An exponential span in whole microseconds, at most 38 times the mean, as bits are finite.
pub fn exponential(bits: u64, mean: Span) -> Span {
    Span((mean.0 as f64 * -libm::log(unit(!bits)) + 0.5) as u64)
}

/// A span from a table of quantiles, whose shares rise from 0 to 1.
pub fn quantile(bits: u64, points: &[(Ratio, Span)]) -> Span {
    let reaches = |&(share, _): &(Ratio, Span)| scaled(share) > u128::from(bits);
    let next = points.iter().position(reaches).unwrap_or(points.len() - 1).max(1);
    let ((low, least), (high, most)) = (points[next - 1], points[next]);
    let (low, high) = (scaled(low), scaled(high));
    let along = u128::from(bits).saturating_sub(low) * u128::from(most.0 - least.0);
    least + Span(((along + (high - low) / 2) / (high - low).max(1)) as u64)
}

/// A share, scaled to 2⁶⁴.
fn scaled(share: Ratio) -> u128 {
    (u128::from(share.num) << 64) / u128::from(share.den)
}

/// A lognormal span in whole microseconds, at most a day.
pub fn log_normal(bits: u64, shape: LogNormal) -> Span {
    const DAY: f64 = 86_400e6;
    let factor = libm::exp(normal(bits) * f64::from(shape.sigma_milli) / 1_000.0);
    Span((shape.median.0 as f64 * factor).min(DAY) as u64)
}

/// A rank from 0 to `ranks` − 1, rank r with a weight of about (r + 1)^−s: the bounded power law by inversion.
pub fn zipf(bits: u64, ranks: u32, exponent_milli: u32) -> u32 {
    if ranks == 0 {
        return 0;
    }
    let (u, n) = (unit(bits), f64::from(ranks) + 1.0);
    let x = if exponent_milli == 1_000 {
        libm::exp(u * libm::log(n))
    } else {
        let e = 1.0 - f64::from(exponent_milli) / 1_000.0;
        libm::pow(1.0 + u * (libm::pow(n, e) - 1.0), 1.0 / e)
    };
    (x as u32).clamp(1, ranks) - 1
}

/// An index drawn by integer weights; zero if all weights are.
pub fn weighted<W: Copy + Into<u64>>(bits: u64, weights: &[W]) -> usize {
    let total: u64 = weights.iter().map(|&weight| weight.into()).sum();
    let mut left = below(bits, total);
    for (index, &weight) in weights.iter().enumerate() {
        let weight = weight.into();
        if left < weight {
            return index;
        }
        left -= weight;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Stream, mix};

    fn golden(sampler: impl Fn(u64) -> u64) -> u64 {
        let mut stream = Stream::new(0x5eed);
        (0..100_000).fold(0, |hash, _| mix(hash ^ sampler(stream.draw())))
    }

    const SHAPE: LogNormal = LogNormal { median: Span::from_secs(25), sigma_milli: 800 };

    /// A change here changes every seed: it must be deliberate.
    #[test]
    fn samplers_never_change_their_values() {
        let hashes = [
            golden(|bits| u64::from(hits(bits, Ratio { num: 1, den: 3 }))),
            golden(|bits| uniform(bits, Span(10), Span(5_000)).0),
            golden(|bits| normal(bits).to_bits()),
            golden(|bits| log_normal(bits, SHAPE).0),
            golden(|bits| u64::from(zipf(bits, 70_000, 1_000))),
            golden(|bits| u64::from(zipf(bits, 70_000, 1_300))),
            golden(|bits| weighted(bits, &[1_u32, 4, 3, 2]) as u64),
            golden(|bits| exponential(bits, Span(5_000)).0),
            golden(|bits| quantile(bits, &TABLE).0),
        ];
        assert_eq!(hashes, GOLDEN, "{hashes:#x?}");
    }

    const TABLE: [(Ratio, Span); 4] = [
        (Ratio::NEVER, Span(1_000)),
        (Ratio::percent(50), Span(3_000)),
        (Ratio::percent(50), Span(7_000)),
        (Ratio::ALWAYS, Span(7_000)),
    ];

    const GOLDEN: [u64; 9] = [
        0x4497_1808_919b_74a8,
        0xabd9_9ef7_3542_3966,
        0x24e3_34d6_e8be_723c,
        0xff62_b0fb_71ae_6b57,
        0x36df_9ea5_c112_10e6,
        0x9561_657c_b7ce_c868,
        0xc2af_870c_89cd_a66b,
        0x0e7f_250d_56cd_4e17,
        0x75a9_c0ce_9247_c958,
    ];

    #[test]
    fn draws_have_the_right_mean_and_bounds() {
        let mut stream = Stream::new(4);
        let bits: Vec<u64> = (0..200_000).map(|_| stream.draw()).collect();
        let mean = |draw: &dyn Fn(u64) -> Span| {
            bits.iter().map(|&bits| draw(bits).0).sum::<u64>() as f64 / bits.len() as f64
        };
        // Three standard errors: 5,000 / sqrt(200,000) each, and 2,560 / sqrt(200,000).
        let exponential = mean(&|bits| exponential(bits, Span(5_000)));
        assert!((exponential - 5_000.0).abs() < 34.0, "{exponential}");
        let table = mean(&|bits| quantile(bits, &TABLE));
        assert!((table - 4_500.0).abs() < 18.0, "{table}");
        let leap = bits.iter().filter(|&&bits| quantile(bits, &TABLE) == Span(7_000)).count();
        assert!((99_300..100_700).contains(&leap), "half of them are past the jump, not {leap}");
        let drawn = [
            Timing::Constant(Span(7)),
            Timing::Exponential { mean: Span(5_000) },
            Timing::LogNormal(SHAPE),
            Timing::Quantiles(TABLE.to_vec()),
        ];
        for of in drawn {
            let mut sorted = bits.clone();
            sorted.sort_unstable();
            let rises = sorted.windows(2).all(|two| timing(two[0], &of) <= timing(two[1], &of));
            assert!(rises, "larger bits never give a shorter span: {of:?}");
            assert!(timing(0, &of) >= of.least());
        }
        assert_eq!(timing(u64::MAX, &Timing::Exponential { mean: Span(1_000) }), Span(37_430));
        assert_eq!((quantile(0, &TABLE), quantile(u64::MAX, &TABLE)), (Span(1_000), Span(7_000)));
    }

    #[test]
    fn log_normal_has_its_median_and_spread() {
        let mut stream = Stream::new(1);
        let mut drawn: Vec<u64> = (0..20_001).map(|_| log_normal(stream.draw(), SHAPE).0).collect();
        drawn.sort_unstable();
        let median = drawn[10_000] as f64 / 25e6;
        let upper = drawn[16_827] as f64 / 25e6;
        assert!((0.97..1.03).contains(&median), "median off by {median}");
        assert!(
            (2.12..2.33).contains(&upper),
            "one sigma above lies e^0.8 = 2.23 times the median, not {upper}"
        );
    }

    #[test]
    fn zipf_prefers_the_first_ranks() {
        let mut stream = Stream::new(2);
        let drawn: Vec<u32> = (0..20_000).map(|_| zipf(stream.draw(), 1_000, 1_000)).collect();
        let share = |limit| drawn.iter().filter(|&&rank| rank < limit).count() as f64 / 20_000.0;
        assert!((0.08..0.12).contains(&share(1)), "rank 0 takes ln 2 / ln 1001 = 10 %");
        assert!((0.63..0.70).contains(&share(100)), "the first 100 take ln 101 / ln 1001 = 67 %");
        assert!(drawn.iter().all(|&rank| rank < 1_000));
    }

    #[test]
    fn draws_follow_the_weights() {
        let mut stream = Stream::new(3);
        let mut counts = [0_u32; 3];
        for _ in 0..30_000 {
            counts[weighted(stream.draw(), &[1_u32, 0, 2])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((9_500..10_500).contains(&counts[0]), "{counts:?}");
    }
}
