//! Torn writes: what the loss of power leaves of the write in flight.
//!
//! Owns which bytes survive: whole sectors, in any choice, but for the one that was being written. Refuses to know when
//! a write is torn.

use crate::stream::{Stream, below};

/// Unit of atomic writes, in bytes.
const SECTOR: usize = 512;

/// What is left of bytes that were being written from `start` of their file on: any of the sectors survive, the last of
/// them perhaps in part. A missing sector before a survivor reads as zeros.
pub(super) fn torn(bytes: &[u8], start: usize, stream: &mut Stream) -> Vec<u8> {
    let mut torn = Vec::new();
    let (mut at, mut last) = (0, 0);
    while at < bytes.len() {
        let sector_ends = (start + at + 1).next_multiple_of(SECTOR) - start;
        let end = sector_ends.min(bytes.len());
        if below(stream.draw(), 2) == 0 {
            torn.resize(at, 0);
            torn.extend_from_slice(&bytes[at..end]);
            last = end - at;
        }
        at = end;
    }
    // The power went during the last sector, or after it.
    let short = below(stream.draw(), 2 * last as u64) as usize;
    torn.truncate(torn.len() - if short < last { short } else { 0 });
    torn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_survive_or_are_missing_and_only_the_last_survivor_is_short() {
        let bytes = [7; 2_000];
        let (mut whole, mut holes, mut short) = (0, 0, 0);
        for seed in 0..200 {
            let torn = torn(&bytes, 100, &mut Stream::new(seed));
            assert!(torn.len() <= bytes.len());
            // The first sector ends 412 bytes on.
            let sectors = [&torn[..torn.len().min(412)]].into_iter();
            let sectors: Vec<_> = sectors
                .chain(torn.get(412..).into_iter().flat_map(|rest| rest.chunks(SECTOR)))
                .collect();
            for sector in &sectors {
                assert!(
                    sector.iter().all(|&byte| byte == sector[0]),
                    "a sector is whole or missing"
                );
            }
            whole += usize::from(torn == bytes);
            holes += usize::from(torn.contains(&0));
            short +=
                usize::from(!(torn.len() + 100).is_multiple_of(SECTOR) && torn.len() < bytes.len());
        }
        assert!(whole > 0 && holes > 0 && short > 0, "{whole} {holes} {short}");
    }
}
