//! A request's wishes for best-available seats, section by section.
//!
//! Owns the bound of the list, and its form as plain bytes: it is copied with every request that a gateway passes on.
//! Refuses to know which seats are best.

use std::fmt;
use std::ops::Deref;

use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};

use crate::id::SectionId;

/// The most sections in which one request may ask for best-available seats.
pub const SECTIONS_PER_REQUEST_MAX: usize = 4;

type Listed = ArrayVec<(SectionId, u8), SECTIONS_PER_REQUEST_MAX>;

/// A number of best-available seats for each section; at most [`SECTIONS_PER_REQUEST_MAX`] sections.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Listed", into = "Listed")]
pub struct BestSeats {
    named: u8,
    /// The default beyond `named`.
    sections: [(SectionId, u8); SECTIONS_PER_REQUEST_MAX],
}

impl BestSeats {
    /// A wish for `count` seats of one section.
    pub const fn of_one(section: SectionId, count: u8) -> Self {
        let none = (SectionId(0), 0);
        Self { named: 1, sections: [(section, count), none, none, none] }
    }

    /// A wish for seats of two sections.
    pub const fn of_two(one: (SectionId, u8), other: (SectionId, u8)) -> Self {
        let none = (SectionId(0), 0);
        Self { named: 2, sections: [one, other, none, none] }
    }

    /// Adds a wish for `count` seats of one more section.
    ///
    /// # Panics
    /// If there are too many sections.
    pub fn push(&mut self, (section, count): (SectionId, u8)) {
        self.sections[usize::from(self.named)] = (section, count);
        self.named += 1;
    }
}

impl Deref for BestSeats {
    type Target = [(SectionId, u8)];

    fn deref(&self) -> &Self::Target {
        &self.sections[..usize::from(self.named)]
    }
}

impl FromIterator<(SectionId, u8)> for BestSeats {
    /// # Panics
    /// If there are too many sections.
    fn from_iter<I: IntoIterator<Item = (SectionId, u8)>>(sections: I) -> Self {
        let mut best = Self::default();
        sections.into_iter().for_each(|section| best.push(section));
        best
    }
}

impl<'a> IntoIterator for &'a BestSeats {
    type Item = &'a (SectionId, u8);
    type IntoIter = std::slice::Iter<'a, (SectionId, u8)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Listed> for BestSeats {
    fn from(listed: Listed) -> Self {
        listed.into_iter().collect()
    }
}

impl From<BestSeats> for Listed {
    fn from(best: BestSeats) -> Self {
        best.iter().copied().collect()
    }
}

impl fmt::Debug for BestSeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_a_sequence_and_bounded_when_it_is_read() {
        let listed = |sections: u16| (0..sections).map(|n| (SectionId(n), 2)).collect::<Vec<_>>();
        for sections in 0..=SECTIONS_PER_REQUEST_MAX as u16 {
            let best: BestSeats = listed(sections).into_iter().collect();
            let bytes = postcard::to_stdvec(&best).unwrap();
            assert_eq!(bytes, postcard::to_stdvec(&listed(sections)).unwrap());
            assert_eq!(postcard::from_bytes::<BestSeats>(&bytes).unwrap(), best);
        }
        let five = postcard::to_stdvec(&listed(SECTIONS_PER_REQUEST_MAX as u16 + 1)).unwrap();
        assert!(postcard::from_bytes::<BestSeats>(&five).is_err());
    }
}
