//! The rare paths that a run took under each fault.
//!
//! Owns sets of marks. Refuses to know why a path was taken: a mark counts for the latest fault until the next one
//! strikes, whether that fault led to it or not.

use onsale_cluster::Mark;

const _: () = assert!(Mark::ALL.len() <= u128::BITS as usize, "a set has room for every mark");

/// A set of marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u128);

impl Marks {
    /// Adds a mark.
    #[inline]
    pub fn add(&mut self, mark: Mark) {
        self.0 |= 1 << mark as u32;
    }

    /// The marks in it, in the order of [`Mark::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        Mark::ALL.iter().copied().filter(move |&mark| self.0 >> mark as u32 & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_added() {
        let mut marks = Marks::default();
        assert_eq!(marks.iter().count(), 0);
        let last = *Mark::ALL.last().expect("there are marks");
        for mark in [last, Mark::SnapshotTaken, last, Mark::ALL[0]] {
            marks.add(mark);
        }
        assert_eq!(marks.iter().collect::<Vec<_>>(), [Mark::ALL[0], Mark::SnapshotTaken, last]);
    }
}
