//! The requests for holds that clients sent, in a Bloom filter.
//!
//! Owns a set that says of a grant whether its request was ever sent: by the same person, for the same show, with as
//! many seats in each section. It takes 16 bits a request and forgets none, as a repeat may be granted long after its
//! client was refused or gave up. Refuses to say which seats of a section a request wants: `atomic` compares them with
//! the answer.
//!
//! It has no false negatives: a request that was sent is found. False positives are 1.6 % with 100,000 requests, and
//! 3 % with five million; beyond that, the last part fills up and there are more.

use onsale_booking::draw::mix;
use onsale_booking::{RequestId, SeatId, SeatList, ShowId, UserId, Wish};

/// Words of the first part.
const FIRST_WORDS: usize = 1 << 10;
/// Words of a part, in multiples of the part before.
const GROWTH: usize = 4;
/// The most parts: 11 MiB in all.
const PARTS_MAX: usize = 6;
/// Requests a word, each with four bits.
const A_WORD: usize = 4;

/// The fingerprints of all requests so far.
#[derive(Debug)]
pub(super) struct AskedFor {
    seats_per_section: u32,
    parts: Vec<Vec<u64>>,
    /// Requests in the last part.
    in_last: usize,
}

impl AskedFor {
    pub(super) fn new(seats_per_section: u32) -> Self {
        Self { seats_per_section, parts: vec![vec![0; FIRST_WORDS]], in_last: 0 }
    }

    /// Adds a request for a hold.
    #[inline]
    pub(super) fn add(&mut self, request: RequestId, user: UserId, show: ShowId, wish: &Wish) {
        let picked: u64 = wish.picked.iter().map(|&seat| self.one_in_section_of(seat)).fold(0, add);
        let best = wish.best.iter().map(|&(section, count)| {
            one_in_section(section.0.into()).wrapping_mul(u64::from(count))
        });
        let wanted = best.fold(picked, add);
        let last = self.parts.last().map_or(0, Vec::len);
        if self.in_last >= last * A_WORD && self.parts.len() < PARTS_MAX {
            self.parts.push(vec![0; GROWTH * last]);
            self.in_last = 0;
        }
        self.in_last += 1;
        let print = fingerprint(request, user, show, wanted);
        if let Some(last) = self.parts.last_mut() {
            let place = place(print, last.len());
            last[place] |= bits(print);
        }
    }

    /// Whether a request was sent that these seats may answer.
    pub(super) fn has(
        &self,
        request: RequestId,
        user: UserId,
        show: ShowId,
        granted: &SeatList,
    ) -> bool {
        let wanted = granted.iter().map(|&seat| self.one_in_section_of(seat)).fold(0, add);
        let print = fingerprint(request, user, show, wanted);
        self.parts.iter().any(|part| part[place(print, part.len())] & bits(print) == bits(print))
    }

    fn one_in_section_of(&self, seat: SeatId) -> u64 {
        one_in_section(u64::from(seat.0 / self.seats_per_section))
    }
}

/// A seat of a section, in a sum that no order of seats changes.
fn one_in_section(section: u64) -> u64 {
    mix(section) | 1
}

fn add(sum: u64, one: u64) -> u64 {
    sum.wrapping_add(one)
}

fn fingerprint(request: RequestId, user: UserId, show: ShowId, wanted: u64) -> u64 {
    let asker = u64::from(user.0) << 32 | u64::from(show.0);
    mix(mix(request.0 ^ mix(asker)) ^ wanted)
}

/// The word of a fingerprint; there is a power of two of them.
fn place(print: u64, words: usize) -> usize {
    (print >> 24) as usize & (words - 1)
}

/// Its four bits in the word.
fn bits(print: u64) -> u64 {
    (0..4).fold(0, |bits, n| bits | 1 << (print >> (6 * n) & 63))
}

#[cfg(test)]
mod tests {
    use onsale_booking::SectionId;

    use super::*;

    fn wish(picked: &[u32], best: &[(u16, u8)]) -> Wish {
        Wish {
            picked: picked.iter().map(|&seat| SeatId(seat)).collect(),
            best: best.iter().map(|&(section, count)| (SectionId(section), count)).collect(),
        }
    }

    #[test]
    fn every_request_is_found_and_hardly_any_other() {
        let mut asked = AskedFor::new(20);
        let (user, show) = (|n: u64| UserId((n / 3) as u32), ShowId(1));
        let sent = 100_000;
        for n in 0..sent {
            asked.add(RequestId(n), user(n), show, &wish(&[3], &[(1, 2)]));
        }
        let granted = [20, 3, 25].map(SeatId).into_iter().collect();
        let found = |range: std::ops::Range<u64>| {
            range.filter(|&n| asked.has(RequestId(n), user(n), show, &granted)).count() as u64
        };
        assert_eq!(found(0..sent), sent);
        let mistaken = found(sent..2 * sent);
        assert!(mistaken < sent / 50, "{mistaken} of {sent}");
    }

    #[test]
    fn a_grant_fits_its_request_by_person_show_and_sections() {
        let mut asked = AskedFor::new(20);
        asked.add(RequestId(1), UserId(7), ShowId(0), &wish(&[3], &[(0, 1), (1, 2)]));
        let has = |request, user, show, granted: &[u32]| {
            let granted = granted.iter().map(|&seat| SeatId(seat)).collect();
            asked.has(RequestId(request), UserId(user), ShowId(show), &granted)
        };
        assert!(has(1, 7, 0, &[30, 3, 20, 19]));
        assert!(!has(2, 7, 0, &[30, 3, 20, 19]));
        assert!(!has(1, 8, 0, &[30, 3, 20, 19]));
        assert!(!has(1, 7, 1, &[30, 3, 20, 19]));
        assert!(!has(1, 7, 0, &[30, 3, 20]));
        assert!(!has(1, 7, 0, &[30, 3, 2, 19]));
    }
}
