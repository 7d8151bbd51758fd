//! The arrival of each user.
//!
//! Owns the curve of arrivals: any shape becomes a piecewise-linear count of users
//! over time, and a user's instant is a function of the demand seed and the user's
//! number alone. Refuses to know what users do.
//!
//! Users are numbered in the order of arrival, block by block: a block of 256 users spreads over
//! the time in which the curve grows by 256, each user uniformly and independently. So arrivals
//! within a block are as irregular as a Poisson stream, and nothing is stored. A Poisson shape is
//! one across blocks, too: its gaps are drawn, and the start of each block is stored. A crowd of
//! named people is given as it is: removing one changes no other.

use std::ops::Range;

use onsale_booking::{Instant, Span};
use onsale_scenarios::{Arrivals, Ratio};

use onsale_world::sample::exponential;
use onsale_world::stream::UserDraws;

/// People in a block, as a power of two.
const BLOCK_BITS: u32 = 8;
/// People in a block.
pub const BLOCK: u32 = 1 << BLOCK_BITS;
/// Precision of positions on the curve: units of 1/65,536 user, as a power of two.
const POSITION_BITS: u32 = 16;
const PURPOSE: u8 = 0;

/// The curve of arrivals of a crowd.
#[derive(Clone, Debug)]
pub struct Curve {
    seed: u64,
    users: u32,
    /// (instant in µs, users before it in 1/65,536); both ascend.
    points: Vec<(u64, u64)>,
    /// The gaps between arrivals, for a Poisson stream.
    gaps: Option<Gaps>,
    /// The named people, if the crowd is given by name; then the curve is unused.
    named: Option<Named>,
}

/// People with given instants.
#[derive(Clone, Debug)]
struct Named {
    by_number: Vec<(u32, Instant)>,
    in_order: Vec<(Instant, u32)>,
}

impl Named {
    fn new(people: &[(Span, u32)]) -> Self {
        let mut in_order: Vec<_> =
            people.iter().map(|&(at, user)| (Instant::ZERO + at, user)).collect();
        in_order.sort_unstable();
        let mut by_number: Vec<_> = in_order.iter().map(|&(at, user)| (user, at)).collect();
        by_number.sort_unstable();
        Self { by_number, in_order }
    }

    fn arrival(&self, user: u32) -> Instant {
        let place = self.by_number.binary_search_by_key(&user, |&(number, _)| number);
        self.by_number[place.expect("only named people come")].1
    }
}

/// A Poisson stream: exponential gaps, scaled so that the person after the last would come at the
/// end. Only the start of each block is stored.
#[derive(Clone, Debug)]
struct Gaps {
    over: u64,
    /// By block, the sum of all gaps before it.
    before: Vec<u64>,
    /// Sum of all gaps.
    sum: u64,
}

impl Gaps {
    fn new(over: Span, users: u32, seed: u64) -> Self {
        let mut gaps = Self { over: over.0, before: Vec::new(), sum: 0 };
        for user in 0..=users {
            if user % BLOCK == 0 {
                gaps.before.push(gaps.sum);
            }
            gaps.sum += gap(seed, user);
        }
        gaps
    }

    #[cold]
    fn arrival(&self, seed: u64, user: u32) -> Instant {
        let to_come = self.arrivals(seed, user / BLOCK * BLOCK..user + 1);
        to_come.last().unwrap_or(Instant::ZERO)
    }

    /// Arrivals of a block's first people, in order.
    fn arrivals(&self, seed: u64, of_block: Range<u32>) -> impl Iterator<Item = Instant> {
        let mut sum = self.before[(of_block.start / BLOCK) as usize];
        of_block.map(move |user| {
            sum += gap(seed, user);
            Instant((u128::from(sum) * u128::from(self.over) / u128::from(self.sum)) as u64)
        })
    }
}

/// The gap before a person, in units of 2⁻³² of the mean: the sum for a hundred million people fits.
fn gap(seed: u64, user: u32) -> u64 {
    exponential(UserDraws::new(seed, user).draw(PURPOSE, 0), Span(1 << 32)).0
}

/// Cumulative share, 0 to 1, of arrivals by a time.
type Cumulative<'a> = &'a dyn Fn(f64) -> f64;

impl Curve {
    /// The curve of `users` people. With a waiting room people come to the room; without one,
    /// early people press the button at the opening.
    pub fn new(shape: &Arrivals, users: u32, seed: u64, waiting_room: bool) -> Self {
        let points = positions(&shares(shape, waiting_room), users);
        let gaps = if let Arrivals::Poisson { over } = shape {
            Some(Gaps::new(*over, users, seed))
        } else {
            None
        };
        let named =
            if let Arrivals::Named { people } = shape { Some(Named::new(people)) } else { None };
        Self { seed, users, points, gaps, named }
    }

    /// Number of users in all.
    pub const fn users(&self) -> u32 {
        self.users
    }

    /// Latest possible arrival.
    pub fn end(&self) -> Instant {
        self.points.last().map_or(Instant::ZERO, |&(at, _)| Instant(at))
    }

    /// Arrival of this user.
    pub fn arrival(&self, user: u32) -> Instant {
        if let Some(named) = &self.named {
            return named.arrival(user);
        }
        if let Some(gaps) = &self.gaps {
            return gaps.arrival(self.seed, user);
        }
        instant_at(&self.points, self.position(user))
    }

    /// Position of this user on the curve.
    fn position(&self, user: u32) -> u64 {
        let start = user / BLOCK * BLOCK;
        let size = (self.users - start).min(BLOCK);
        let within = onsale_world::stream::below(
            UserDraws::new(self.seed, user).draw(PURPOSE, 0),
            u64::from(size) << POSITION_BITS,
        );
        (u64::from(start) << POSITION_BITS) + within
    }

    /// Writes the users of one block with their instants to `out`, in the order of arrival; none past the last block.
    pub fn block(&self, block: u32, out: &mut Vec<(Instant, u32)>) {
        out.clear();
        let start = u64::from(block) * u64::from(BLOCK);
        let end = (start + u64::from(BLOCK)).min(u64::from(self.users));
        if start >= end {
            return;
        }
        if let Some(named) = &self.named {
            out.extend(&named.in_order[start as usize..end as usize]);
            return;
        }
        if let Some(gaps) = &self.gaps {
            let block = start as u32..end as u32;
            return out.extend(gaps.arrivals(self.seed, block.clone()).zip(block));
        }
        // All lie between a few points of the curve.
        let first = next_point(&self.points, start << POSITION_BITS);
        let last = next_point(&self.points, (end << POSITION_BITS) - 1);
        let points = &self.points[first - 1..=last];
        // One word a person: the instant, then the index in the block.
        let mut words = [u64::MAX; BLOCK as usize];
        for (word, user) in words.iter_mut().zip(start..end) {
            let at = instant_at(points, self.position(user as u32));
            *word = at.0 << BLOCK_BITS | (user - start);
        }
        words.sort_unstable();
        out.extend(words.iter().zip(start..end).map(|(word, _)| {
            let user = start + word % u64::from(BLOCK);
            (Instant(word >> BLOCK_BITS), user as u32)
        }));
    }
}

/// Index of the first point after a position; the last if none is.
fn next_point(points: &[(u64, u64)], position: u64) -> usize {
    points.partition_point(|&(_, count)| count <= position).min(points.len() - 1)
}

/// Instant at which the curve through these points reaches a position.
fn instant_at(points: &[(u64, u64)], position: u64) -> Instant {
    let next = next_point(points, position);
    let ((t0, c0), (t1, c1)) = (points[next - 1], points[next]);
    let along = u128::from(position - c0) * u128::from(t1 - t0) / u128::from((c1 - c0).max(1));
    Instant(t0 + along as u64)
}

/// (instant in µs, share of all people before it); both ascend.
fn shares(shape: &Arrivals, waiting_room: bool) -> Vec<(u64, f64)> {
    match shape {
        Arrivals::Constant { over } | Arrivals::Poisson { over } => {
            vec![(0, 0.0), (over.0, 1.0)]
        }
        Arrivals::Ramp { over } => sampled(*over, &[], &|t| {
            let x = t / over.as_secs_f64();
            x * x
        }),
        Arrivals::Spike { over, at, decay, share } => {
            let (end, at_s, share) = (over.as_secs_f64(), at.as_secs_f64(), share_of(*share));
            let spike = decaying(at_s, end, decay.as_secs_f64());
            sampled(*over, &[*at], &|t| share * spike(t) + (1.0 - share) * t / end)
        }
        Arrivals::OnSale { opening, over, before, rush_share, rush, decay } => {
            let (end, open, before) =
                (over.as_secs_f64(), opening.as_secs_f64(), share_of(*before));
            let after = decaying(open, end, decay.as_secs_f64());
            if waiting_room {
                let gathering = |t: f64| {
                    let x = (t / open).min(1.0);
                    x * x
                };
                sampled(*over, &[*opening], &|t| {
                    let gathered = if open > 0.0 { gathering(t) } else { 1.0 };
                    before * gathered + (1.0 - before) * after(t)
                })
            } else {
                let rushing = before * share_of(*rush_share);
                let rush_s = rush.as_secs_f64();
                sampled(*over, &[*opening, *opening + *rush], &|t| {
                    let rushed = if rush_s > 0.0 {
                        ((t - open) / rush_s).clamp(0.0, 1.0)
                    } else {
                        f64::from(t > open)
                    };
                    rushing * rushed + (1.0 - rushing) * after(t)
                })
            }
        }
        Arrivals::Trace { points, .. } => traced(points),
        Arrivals::Named { people } => {
            let last = people.iter().map(|&(at, _)| at.0).max().unwrap_or_default();
            vec![(0, 0.0), (last, 1.0)]
        }
    }
}

/// The same as positions on the curve of `users` people; the last position is everybody.
fn positions(shares: &[(u64, f64)], users: u32) -> Vec<(u64, u64)> {
    let whole = u64::from(users) << POSITION_BITS;
    let mut points: Vec<(u64, u64)> =
        shares.iter().map(|&(at, share)| (at, (share * whole as f64) as u64)).collect();
    let last = points.len() - 1;
    points[last].1 = whole;
    for index in 1..points.len() {
        points[index].1 = points[index].1.max(points[index - 1].1);
    }
    points
}

fn share_of(ratio: Ratio) -> f64 {
    f64::from(ratio.num) / f64::from(ratio.den)
}

/// Cumulative share, by time t, of an exponentially decaying stream from `from` to `end`.
fn decaying(from: f64, end: f64, decay: f64) -> impl Fn(f64) -> f64 {
    let whole = 1.0 - libm::exp(-(end - from) / decay);
    move |t| if t <= from { 0.0 } else { ((1.0 - libm::exp(-(t - from) / decay)) / whole).min(1.0) }
}

/// Samples a cumulative share every second (at most 20,000 points) and at the given kinks.
fn sampled(over: Span, kinks: &[Span], share: Cumulative<'_>) -> Vec<(u64, f64)> {
    let step = (over.0 / 20_000).max(1_000_000);
    let mut instants: Vec<u64> = (0..=over.0 / step).map(|k| k * step).collect();
    instants.extend(kinks.iter().map(|kink| kink.0).filter(|&kink| kink < over.0));
    instants.push(over.0);
    instants.sort_unstable();
    instants.dedup();
    instants.iter().map(|&at| (at, share(at as f64 / 1e6))).collect()
}

/// A recorded curve: constant within each interval, the last as long as the one before it.
fn traced(points: &[(Span, u64)]) -> Vec<(u64, f64)> {
    let total: u64 = points.iter().map(|&(_, arrivals)| arrivals).sum();
    let last_interval = match points {
        [.., (before, _), (last, _)] => *last - *before,
        _ => Span::from_secs(1),
    };
    let end = points.last().map_or(Span::ZERO, |&(at, _)| at + last_interval);
    let mut come = 0;
    let mut curve = Vec::with_capacity(points.len() + 1);
    for &(at, arrivals) in points {
        curve.push((at.0, come as f64 / total as f64));
        come += arrivals;
    }
    curve.push((end.0, 1.0));
    curve
}

#[cfg(test)]
mod tests {
    use onsale_world::stream::mix;

    use super::*;

    const HALF: Ratio = Ratio { num: 1, den: 2 };

    fn counts(curve: &Curve, edges: &[u64]) -> Vec<usize> {
        let mut counts = vec![0; edges.len() + 1];
        for user in 0..curve.users() {
            let at = curve.arrival(user).0 / 1_000_000;
            counts[edges.partition_point(|&edge| edge <= at)] += 1;
        }
        counts
    }

    #[test]
    fn blocks_come_in_order_and_hold_everyone() {
        let curve = Curve::new(&Arrivals::Ramp { over: Span::from_secs(60) }, 1_000, 7, false);
        let (mut block, mut last, mut seen) = (Vec::new(), Instant::ZERO, 0);
        for index in 0..5 {
            curve.block(index, &mut block);
            for &(at, user) in &block {
                assert!(at >= last, "user {user} arrives before an earlier one");
                assert_eq!(at, curve.arrival(user));
                (last, seen) = (at, seen + 1);
            }
        }
        assert_eq!(seen, 1_000);
        assert!(last <= curve.end());
    }

    #[test]
    fn only_named_people_come_at_the_given_instants() {
        let people: Vec<_> = (0..300).map(|n| (Span::from_secs(300 - n), n as u32 * 7)).collect();
        let curve = Curve::new(&Arrivals::Named { people }, 300, 1, false);
        let (mut block, mut come) = (Vec::new(), Vec::new());
        for index in 0..2 {
            curve.block(index, &mut block);
            come.append(&mut block);
        }
        assert_eq!(come.len(), 300);
        assert!(come.is_sorted());
        assert!(come.iter().all(|&(at, user)| at == curve.arrival(user)));
        assert_eq!(come[0], (Instant(1_000_000), 299 * 7));
        assert_eq!(curve.end(), Instant(300_000_000));
    }

    #[test]
    fn a_constant_rate_is_even() {
        let curve =
            Curve::new(&Arrivals::Constant { over: Span::from_secs(100) }, 100_000, 1, false);
        for count in counts(&curve, &[25, 50, 75]) {
            assert!((24_700..25_300).contains(&count), "{count} in a quarter");
        }
    }

    #[test]
    fn a_poisson_stream_is_one_across_blocks() {
        let over = Span::from_secs(1_000);
        // Variance over mean of the counts in windows of 1,000 people: 1 in a Poisson stream.
        let varies = |shape: &Arrivals| {
            let curve = Curve::new(shape, 1_000_000, 1, false);
            let (mut block, mut counts) = (Vec::new(), vec![0_u32; 1_000]);
            for index in 0..1_000_000_u32.div_ceil(BLOCK) {
                curve.block(index, &mut block);
                assert!(block.is_sorted());
                assert!(
                    index % 999 > 0 || block.iter().all(|&(at, user)| at == curve.arrival(user))
                );
                block.iter().for_each(|&(at, _)| counts[(at.0 / 1_000_000) as usize] += 1);
            }
            assert_eq!(counts.iter().sum::<u32>(), 1_000_000);
            let square = |&count: &u32| (f64::from(count) - 1_000.0).powi(2);
            counts.iter().map(square).sum::<f64>() / 1_000_000.0
        };
        // Three standard errors of a variance of 1,000 counts.
        let (poisson, constant) = (Arrivals::Poisson { over }, Arrivals::Constant { over });
        assert!((varies(&poisson) - 1.0).abs() < 0.135, "{}", varies(&poisson));
        assert!(varies(&constant) < 0.3, "{}", varies(&constant));
    }

    #[test]
    fn an_on_sale_gathers_rushes_and_decays() {
        let shape = Arrivals::OnSale {
            opening: Span::from_secs(600),
            over: Span::from_secs(2_400),
            before: Ratio { num: 3, den: 5 },
            rush_share: Ratio { num: 3, den: 10 },
            rush: Span::from_secs(2),
            decay: Span::from_secs(300),
        };
        let room = counts(&Curve::new(&shape, 100_000, 1, true), &[300, 600]);
        assert!(
            (14_500..15_500).contains(&room[0]),
            "a quarter of the 60 % in the first half: {room:?}"
        );
        assert!(
            (59_000..61_000).contains(&(room[0] + room[1])),
            "60 % before the opening: {room:?}"
        );
        let rush = counts(&Curve::new(&shape, 100_000, 1, false), &[600, 602]);
        assert_eq!(rush[0], 0, "nobody can press the button before the opening");
        assert!((18_000..19_500).contains(&rush[1]), "18 % rush, and the stream begins: {rush:?}");
    }

    #[test]
    fn a_trace_is_interpolated_within_its_intervals() {
        let points =
            vec![(Span::from_secs(0), 10), (Span::from_secs(60), 30), (Span::from_secs(120), 0)];
        let curve = Curve::new(
            &Arrivals::Trace { file: String::new(), scale: None, points },
            40_000,
            1,
            false,
        );
        let counts = counts(&curve, &[30, 60, 90, 120]);
        assert!((4_800..5_200).contains(&counts[0]), "{counts:?}");
        assert!((14_700..15_300).contains(&counts[2]), "{counts:?}");
        assert_eq!(counts[4], 0);
    }

    #[test]
    fn curves_never_change_their_values() {
        let shapes = [
            Arrivals::Constant { over: Span::from_secs(60) },
            Arrivals::Ramp { over: Span::from_secs(60) },
            Arrivals::Spike {
                over: Span::from_secs(60),
                at: Span::from_secs(9),
                decay: Span::from_secs(5),
                share: HALF,
            },
            Arrivals::Poisson { over: Span::from_secs(60) },
        ];
        let hashes = shapes.map(|shape| {
            let curve = Curve::new(&shape, 5_000, 3, false);
            (0..5_000).fold(0, |hash, user| mix(hash ^ curve.arrival(user).0))
        });
        assert_eq!(hashes, GOLDEN, "{hashes:#x?}");
    }

    const GOLDEN: [u64; 4] = [
        0x5b62_561c_0347_92f9,
        0xeae2_d8b1_984d_0f1e,
        0xbf8c_296a_f2a5_44c8,
        0x7d02_fd0e_af98_eda4,
    ];
}
