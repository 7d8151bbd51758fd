//! Releases of the program that nodes run.
//!
//! Owns which record formats a release reads and writes. Refuses to know how a format is coded, and when a newer one is
//! written.

use crate::record::Format;

/// A release of the program, by its number from 1. Two neighbouring releases can run in one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release(pub u16);

impl Release {
    /// The first one: it reads and writes the first format.
    pub const FIRST: Self = Self(1);
    /// The second one: it reads both formats, and writes the second once all nodes read it.
    pub const SECOND: Self = Self(2);

    /// The newest format that it reads.
    pub const fn format(self) -> Format {
        if self.0 < Self::SECOND.0 { Format::FIRST } else { Format::RUNS }
    }

    /// Whether it reads a format.
    #[inline]
    pub fn reads(self, format: Format) -> bool {
        format <= self.format()
    }
}

impl Default for Release {
    fn default() -> Self {
        Self::FIRST
    }
}
