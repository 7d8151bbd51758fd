//! The trace hash: one number over all events of a run.
//!
//! Owns the rolling hash and, for a determinism check, the hash after each event.
//! Refuses to know what an event means.

use crate::stream::mix;

/// A rolling hash over words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Folds in one word. Order matters.
    pub const fn fold(&mut self, word: u64) {
        // One multiplication a word: this runs for every request of every user.
        self.0 = (self.0 ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25).rotate_left(29);
    }

    /// Folds in bytes.
    pub fn fold_bytes(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
        let mut word = [0; 8];
        let rest = chunks.remainder();
        word[..rest.len()].copy_from_slice(rest);
        self.fold(u64::from_le_bytes(word));
        self.fold(bytes.len() as u64);
    }

    /// The hash so far.
    pub const fn value(self) -> u64 {
        mix(self.0)
    }
}

/// The hash after each event of a run, to find where another run diverges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail(pub Vec<u64>);

impl Trail {
    /// The number of the first event at which two runs differ; `None` if they are the same.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let shared = self.0.len().min(other.0.len());
        // The hash rolls: once two runs diverge, they stay apart.
        let same =
            self.0[..shared].iter().zip(&other.0[..shared]).take_while(|(a, b)| a == b).count();
        (same < self.0.len().max(other.0.len())).then_some(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_length_matter() {
        let hash = |words: &[u64]| {
            let mut fingerprint = Fingerprint::default();
            words.iter().for_each(|&word| fingerprint.fold(word));
            fingerprint.value()
        };
        assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
        assert_ne!(hash(&[1]), hash(&[1, 0]));
        let bytes = |bytes: &[u8]| {
            let mut fingerprint = Fingerprint::default();
            fingerprint.fold_bytes(bytes);
            fingerprint.value()
        };
        assert_ne!(bytes(b"12345678"), bytes(b"12345678\0"));
    }

    #[test]
    fn the_first_difference_is_found() {
        let trail = |hashes: &[u64]| Trail(hashes.to_vec());
        assert_eq!(trail(&[1, 2, 3]).first_difference(&trail(&[1, 2, 3])), None);
        assert_eq!(trail(&[1, 2, 3]).first_difference(&trail(&[1, 9, 8])), Some(1));
        assert_eq!(trail(&[1, 2]).first_difference(&trail(&[1, 2, 3])), Some(2));
    }
}
