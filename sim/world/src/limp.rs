//! The slowdown of a machine's cores.
//!
//! Owns the faults that slow them, and how many turns each slowed. Refuses to know what the cores do.

use crate::touches::Touches;

/// The faults that slow the cores of one machine.
#[derive(Clone, Debug, Default)]
pub struct Limps {
    faults: Vec<(usize, u32)>,
    pub(crate) touches: Touches,
}

impl Limps {
    /// The slowdown factor for the turn that begins, at least 1.
    #[inline]
    pub fn slow(&mut self) -> u64 {
        self.faults.iter().for_each(|&(fault, _)| self.touches.turn(fault));
        self.faults.iter().map(|&(_, factor)| u64::from(factor)).max().unwrap_or(1)
    }

    /// Makes the cores `factor` times slower, for a fault.
    pub fn begin(&mut self, fault: usize, factor: u32) {
        self.faults.push((fault, factor));
    }

    /// Ends the slowdown of a fault.
    pub fn end(&mut self, fault: usize) {
        self.faults.retain(|&(of, _)| of != fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_overlapping_faults_counts() {
        let mut limps = Limps::default();
        assert_eq!(limps.slow(), 1);
        limps.begin(0, 3);
        limps.begin(1, 20);
        assert_eq!(limps.slow(), 20);
        limps.end(1);
        assert_eq!(limps.slow(), 3);
        limps.end(0);
        assert_eq!(limps.slow(), 1);
    }
}
