//! The best places of a row.
//!
//! Owns the preference for the middle of a row and for sitting together, as arithmetic on one word. Demand for theatre
//! seats is driven by the distance to the stage and to the row's centre (Phumchusri and Swann, "Scaling the house");
//! the caller goes through the rows from the stage backwards. Refuses to know of halls.

/// The first of `count` adjacent free places, as near to the middle of the row as possible; of two equally near, the
/// lower. Bit `p` of `free` says that place `p` is free; bits at and above `places` must be clear. `count` is at least
/// 1.
pub(super) fn run(free: u64, places: u32, count: u32) -> Option<u32> {
    debug_assert!(places == u64::BITS || free >> places == 0, "a place beyond the row is free");
    let mut starts = free;
    for offset in 1..count {
        if starts == 0 {
            return None;
        }
        starts &= free.checked_shr(offset).unwrap_or(0);
    }
    (starts != 0).then(|| nearest(starts, places - count))
}

/// The set bit nearest to half of `slack`, the number of places that a run leaves beside it.
fn nearest(starts: u64, slack: u32) -> u32 {
    let middle = slack / 2;
    let up_to_middle = u64::MAX >> (u64::BITS - 1 - middle);
    let (below, above) = (starts & up_to_middle, starts & !up_to_middle);
    if above == 0 {
        return below.ilog2();
    }
    let right = above.trailing_zeros();
    match below.checked_ilog2() {
        Some(left) if slack - 2 * left <= 2 * right - slack => left,
        Some(_) | None => right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places of a row written as text: `.` free, `x` not.
    fn row(text: &str) -> (u64, u32) {
        let free = text.bytes().rev().fold(0, |word, place| word << 1 | u64::from(place == b'.'));
        (free, u32::try_from(text.len()).unwrap())
    }

    #[test]
    fn the_middle_is_taken_first() {
        let table = [
            (".", 1, Some(0)),
            ("x", 1, None),
            (".", 2, None),
            (".....", 1, Some(2)),
            ("......", 1, Some(2)),
            ("......", 2, Some(2)),
            (".....", 2, Some(1)),
            (".....", 5, Some(0)),
            (".....", 6, None),
            ("..x..", 1, Some(1)),
            ("x.x..", 1, Some(1)),
            ("xxx..", 1, Some(3)),
            ("..x..", 2, Some(0)),
            (".xx..", 2, Some(3)),
            ("..x...", 2, Some(3)),
            ("..xx..", 3, None),
            ("x.x.x.", 2, None),
        ];
        for (text, count, first) in table {
            let (free, places) = row(text);
            assert_eq!(run(free, places, count), first, "{count} of {text}");
        }
    }

    #[test]
    fn a_row_of_a_whole_word_has_no_special_edge() {
        assert_eq!(run(u64::MAX, 64, 1), Some(31));
        assert_eq!(run(u64::MAX, 64, 10), Some(27));
        assert_eq!(run(u64::MAX, 64, 64), Some(0));
        assert_eq!(run(u64::MAX, 64, 65), None);
        assert_eq!(run(1 << 63, 64, 1), Some(63));
        assert_eq!(run(3 << 62, 64, 2), Some(62));
        assert_eq!(run(1, 64, 1), Some(0));
    }
}
