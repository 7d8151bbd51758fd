//! Named random streams, and the draws of each user.
//!
//! Owns how one seed becomes many independent generators with frozen values: xoshiro256++ seeded by
//! SplitMix64, and counter-based generators for messages and users. Refuses to know what the draws
//! decide.

use rand::Rng as _;
use rand::SeedableRng as _;
use rand_xoshiro::Xoshiro256PlusPlus;

/// A named generator. Names do not share values, and a new name changes no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(Xoshiro256PlusPlus);

/// The seed of the stream `name` under `seed`.
pub fn fork(seed: u64, name: &str) -> u64 {
    // FNV-1a over the name, mixed with the seed twice so that neighbouring seeds diverge.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(mix(seed) ^ hash)
}

impl Stream {
    /// The generator of a forked seed.
    pub fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        let mut state = seed;
        for chunk in bytes.chunks_exact_mut(8) {
            state = state.wrapping_add(GOLDEN_GAMMA);
            chunk.copy_from_slice(&mix(state).to_le_bytes());
        }
        Self(Xoshiro256PlusPlus::from_seed(bytes))
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform draw from 0 to `bound` − 1; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        below(self.draw(), bound)
    }
}

/// A random-access stream: SplitMix64 by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered(u64);

impl Numbered {
    /// The generator of a forked seed.
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The 64 bits with this number.
    pub const fn draw(self, number: u64) -> u64 {
        mix(self.0.wrapping_add(number.wrapping_mul(GOLDEN_GAMMA)))
    }
}

/// The draws of one user: a pure function of the demand seed, the user and the purpose.
///
/// Ten million users need no stored generators, and removing some does not change the
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserDraws {
    key: u64,
}

impl UserDraws {
    /// The draws of `user` under the demand seed.
    pub const fn new(seed: u64, user: u32) -> Self {
        Self { key: mix(seed ^ (user as u64).wrapping_mul(GOLDEN_GAMMA)) }
    }

    /// 64 bits for one purpose; `nth` numbers repeated draws for it.
    pub const fn draw(self, purpose: u8, nth: u32) -> u64 {
        mix(self.key ^ mix(((purpose as u64) << 32) | nth as u64))
    }
}

/// Scales 64 random bits to 0 … `bound` − 1 (Lemire's multiply-shift; its bias is below 2⁻³² for bounds below 2³²).
pub const fn below(bits: u64, bound: u64) -> u64 {
    ((bits as u128 * bound as u128) >> 64) as u64
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which each input bit moves every output bit.
pub const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_never_change_their_values() {
        let mut network = Stream::new(fork(1, "network"));
        let mut demand = Stream::new(fork(1, "demand"));
        let drawn: Vec<u64> = (0..3).map(|_| network.draw()).collect();
        assert_ne!(drawn[0], demand.draw());
        assert_eq!(drawn, GOLDEN_STREAM);
        assert_eq!(UserDraws::new(7, 42).draw(3, 1), GOLDEN_USER);
        assert_eq!(Numbered::new(fork(1, "network")).draw(3), GOLDEN_NUMBERED);
    }

    const GOLDEN_STREAM: [u64; 3] =
        [0x9a34_5176_803d_712d, 0xcbeb_57d4_13de_04ce, 0xd0b1_7c21_eb1f_add3];
    const GOLDEN_NUMBERED: u64 = 0x9774_97be_8f15_b3a7;
    const GOLDEN_USER: u64 = 0x94a9_46d2_8d84_35b5;

    #[test]
    fn one_users_draws_do_not_depend_on_another() {
        let alone = UserDraws::new(9, 5).draw(1, 0);
        let _other = UserDraws::new(9, 4).draw(1, 0);
        assert_eq!(alone, UserDraws::new(9, 5).draw(1, 0));
        assert_ne!(alone, UserDraws::new(9, 6).draw(1, 0));
        assert_ne!(alone, UserDraws::new(9, 5).draw(2, 0));
        assert_ne!(alone, UserDraws::new(9, 5).draw(1, 1));
    }

    #[test]
    fn bounded_draws_stay_below_their_bound() {
        let mut stream = Stream::new(3);
        for bound in [1, 2, 7, 1_000, u64::MAX] {
            assert!((0..1_000).all(|_| stream.below(bound) < bound));
        }
        assert_eq!(stream.below(0), 0);
    }
}
