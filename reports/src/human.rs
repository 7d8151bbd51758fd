//! Numbers for people.
//!
//! Owns how counts, times, sizes and rates read in text. Files for programs carry plain numbers instead.

use onsale_booking::Span;

/// `10,000,000`.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 seed`, `1,600 seeds`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Three significant digits in a suitable unit: `812 µs`, `4.21 ms`, `42.1 s`; from a minute on in whole
/// seconds, `1m 20s`, and from an hour on in whole minutes, `1h 05m`.
pub fn span(span: Span) -> String {
    let micros = span.micros();
    if micros < 1_000 {
        return format!("{micros} µs");
    }
    if micros < 999_500 {
        return format!("{} ms", three_digits(span.as_millis_f64()));
    }
    if micros < 59_950_000 {
        return format!("{} s", three_digits(span.as_secs_f64()));
    }
    let seconds = (micros + 500_000) / 1_000_000;
    if seconds < 3_600 {
        return format!("{}m {:02}s", seconds / 60, seconds % 60);
    }
    let minutes = (seconds + 30) / 60;
    format!("{}h {:02}m", minutes / 60, minutes % 60)
}

/// The same for seconds as a float, precise to the microsecond.
pub fn seconds(seconds: f64) -> String {
    span(from_seconds(seconds))
}

/// The same for milliseconds as a float.
pub fn millis(millis: f64) -> String {
    span(from_seconds(millis / 1e3))
}

/// Three significant digits and a binary unit: `812 MiB`.
pub fn bytes(bytes: u64) -> String {
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    scaled(bytes as f64, 1_024.0, ["KiB", "MiB", "GiB", "TiB"])
}

/// Three significant digits and a decimal multiple, for a rate: `2.41 M`; fewer digits for slow rates.
pub fn rate(rate: f64) -> String {
    if rate < 9.95 {
        return format!("{rate:.1}");
    }
    if rate < 999.5 {
        return format!("{rate:.0}");
    }
    scaled(rate, 1_000.0, ["k", "M", "G", "T"])
}

/// Whole microseconds; zero for negative values and NaN.
pub(crate) fn from_seconds(seconds: f64) -> Span {
    Span((seconds * 1e6).round() as u64)
}

fn scaled(value: f64, step: f64, units: [&str; 4]) -> String {
    let mut scaled = value / step;
    let mut unit = units[0];
    for larger in &units[1..] {
        if scaled < step - 0.5 {
            break;
        }
        scaled /= step;
        unit = larger;
    }
    format!("{} {unit}", three_digits(scaled))
}

fn three_digits(value: f64) -> String {
    let decimals = match value {
        _ if value < 9.995 => 2,
        _ if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (10_000_000, "10,000,000")]
        {
            assert_eq!(count(number), text);
        }
        let spans = [
            (0, "0 µs"),
            (999, "999 µs"),
            (4_213, "4.21 ms"),
            (9_996, "10.0 ms"),
            (999_499, "999 ms"),
            (999_500, "1.00 s"),
            (59_949_999, "59.9 s"),
            (59_950_000, "1m 00s"),
            (80_400_000, "1m 20s"),
            (3_599_600_000, "1h 00m"),
            (3_900_000_000, "1h 05m"),
        ];
        for (micros, text) in spans {
            assert_eq!(span(Span(micros)), text, "{micros}");
        }
        let sizes = [(1_000, "1000 B"), (851_443_712, "812 MiB"), (1 << 30, "1.00 GiB")];
        for (size, text) in sizes {
            assert_eq!(bytes(size), text);
        }
        for (per_second, text) in
            [(0.24, "0.2"), (12.3, "12"), (999.4, "999"), (999.6, "1.00 k"), (2.41e6, "2.41 M")]
        {
            assert_eq!(rate(per_second), text);
        }
    }

    #[test]
    fn what_is_no_time_reads_as_none() {
        assert_eq!(seconds(-1.0), "0 µs");
        assert_eq!(seconds(f64::NAN), "0 µs");
        assert_eq!(millis(412.4), "412 ms");
    }
}
