//! Spans of time between two bounds, as regular expressions.
//!
//! Owns how a bound is told of text: unit by unit, by the digits of the numbers that it leaves. Refuses to know which
//! setting is bounded.

use onsale_booking::Span;

use crate::human::UNITS;

/// An expression that matches the spans of `least` to `most`, as a file writes them, and nothing else.
pub(super) fn span(least: Span, most: Span) -> String {
    let mut units = Vec::new();
    for (unit, micros) in UNITS {
        let numbers = numbers(least.0.div_ceil(micros), most.0 / micros);
        if !numbers.is_empty() {
            units.push(format!("({}){unit}", numbers.join("|")));
        }
    }
    format!("^0*({})$", units.join("|"))
}

/// Expressions that together match the numbers of `least` to `most`, without leading zeros.
fn numbers(least: u64, most: u64) -> Vec<String> {
    let mut found = Vec::new();
    if least == 0 {
        found.push("0".to_owned());
    }
    let mut from = least.max(1);
    let lengths = (most + 1).checked_ilog10().unwrap_or_default();
    if from == 1 && lengths > 0 {
        found.push(format!("[1-9][0-9]{{0,{}}}", lengths - 1));
        from = 10_u64.pow(lengths);
    }
    while from <= most {
        // The last digits may be any if they are zeros here and all that follow stay below the greatest.
        let is_free = |digits: &u32| {
            let block = 10_u64.pow(*digits);
            from.is_multiple_of(block) && from + (block - 1) <= most
        };
        let free = (1..u64::MAX.ilog10()).take_while(is_free).last().unwrap_or_default();
        let block = 10_u64.pow(free);
        let (prefix, digit) = (from / block / 10, from / block % 10);
        let blocks = ((most - from + 1) / block).min(10 - digit);
        let prefix = if prefix == 0 { String::new() } else { prefix.to_string() };
        found.push(format!("{prefix}[{digit}-{}][0-9]{{{free}}}", digit + blocks - 1));
        from += blocks * block;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_by_their_digits() {
        let table = [
            (0, 0, "0"),
            (1, 9, "[1-9][0-9]{0,0}"),
            (0, 24, "0|[1-9][0-9]{0,0}|[1-1][0-9]{1}|2[0-4][0-9]{0}"),
            (1, 3_600, "[1-9][0-9]{0,2}|[1-2][0-9]{3}|3[0-5][0-9]{2}|360[0-0][0-9]{0}"),
            (98, 1_002, "9[8-9][0-9]{0}|[1-9][0-9]{2}|100[0-2][0-9]{0}"),
            (5, 4, ""),
        ];
        for (least, most, expected) in table {
            assert_eq!(numbers(least, most).join("|"), expected);
        }
    }
}
