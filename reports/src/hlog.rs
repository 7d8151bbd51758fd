//! Latencies as an HdrHistogram interval log.
//!
//! Owns the headers and tags. The log is version 1.3: one line for each interval and operation, tagged with the
//! operation's name, with a compressed histogram. Values are microseconds; the plain-text maximum, which is for
//! people, is in milliseconds. Virtual time starts at a base time of zero.

use std::io;
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogWriterBuilder, IntervalLogWriterError, Tag,
};

use crate::histogram;
use crate::operation::Operation;
use crate::recorder::Records;

/// Writes the text of `latency.hlog`.
///
/// # Errors
/// The errors of `out`.
pub fn write<W: io::Write>(records: &Records, out: &mut W) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("[Values: microseconds; Interval_Max: milliseconds]")
        .with_start_time(SystemTime::UNIX_EPOCH)
        .with_base_time(SystemTime::UNIX_EPOCH)
        .with_max_value_divisor(1_000.0)
        .begin_log_with(out, &mut serializer)?;

    let length = Duration::from_micros(records.interval_length.micros());
    let mut histogram = histogram::hdr();
    for interval in &records.intervals {
        for operation in Operation::ALL {
            histogram.reset();
            for cells in interval.cells(operation) {
                histogram::add_cells(&mut histogram, cells);
            }
            if histogram.is_empty() {
                continue;
            }
            let start = Duration::from_micros(interval.start.micros());
            let tag = Tag::new(operation.name()).expect("an operation's name is one word");
            log.write_histogram(&histogram, start, length, Some(tag)).map_err(
                |error| match error {
                    IntervalLogWriterError::IoError(error) => error,
                    IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
                },
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::operation::Window;
    use crate::sample;

    #[test]
    fn the_log_reads_back_with_every_count() {
        let records = sample::records();
        let mut log = Vec::new();
        write(&records, &mut log).unwrap();
        let text = std::str::from_utf8(&log).unwrap();
        let head = "#[Histogram log format version 1.3]\n\
            #[Values: microseconds; Interval_Max: milliseconds]\n\
            #[StartTime: 0.000 (seconds since epoch)]\n\
            #[BaseTime: 0.000 (seconds since epoch)]\n";
        assert!(text.starts_with(head), "{text}");

        let mut read: BTreeMap<String, Histogram<u64>> = BTreeMap::new();
        let mut starts = Vec::new();
        for entry in IntervalLogIterator::new(&log) {
            let LogEntry::Interval(interval) = entry.unwrap() else { continue };
            assert_eq!(interval.duration(), Duration::from_secs(1));
            starts.push(interval.start_timestamp());
            let bytes = decode_base64(interval.encoded_histogram());
            let histogram = Deserializer::new().deserialize(&mut &*bytes).unwrap();
            let tag = interval.tag().unwrap().as_str().to_owned();
            read.entry(tag).or_insert_with(histogram::hdr).add(histogram).unwrap();
        }
        assert!(starts.is_sorted() && starts.len() > 5, "{starts:?}");

        for operation in Operation::ALL {
            let told = records.latencies(operation, Window::Whole);
            let Some(histogram) = read.get(operation.name()) else {
                assert_eq!(told.count(), 0, "{operation:?}");
                continue;
            };
            assert_eq!(histogram.len(), told.count(), "{operation:?}");
            let max = told.max().unwrap().micros();
            assert_eq!(histogram.max(), histogram.highest_equivalent(max), "{operation:?}");
            for quantile in [0.25, 0.5, 0.9] {
                let exact = told.quantile(quantile).unwrap().micros();
                assert!(histogram.equivalent(histogram.value_at_quantile(quantile), exact));
            }
        }
    }

    fn decode_base64(text: &str) -> Vec<u8> {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bytes = Vec::new();
        let (mut bits, mut held) = (0_u32, 0);
        for letter in text.bytes().filter(|&letter| letter != b'=') {
            let value = ALPHABET.iter().position(|&known| known == letter).unwrap();
            bits = bits << 6 | value as u32;
            held += 6;
            if held >= 8 {
                held -= 8;
                bytes.push((bits >> held) as u8);
            }
        }
        bytes
    }
}
