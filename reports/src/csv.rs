//! The tables as CSV.
//!
//! Owns the columns. Times are milliseconds with three decimals, so that every microsecond
//! shows; a figure that does not exist is an empty field, not a zero.

use onsale_booking::Span;

use crate::operation::{Ending, Operation, Window};
use crate::recorder::Records;
use crate::summary::Summary;

/// The text of `latency.csv`: a row an operation and window, in a fixed order.
pub fn latency(summary: &Summary) -> String {
    let mut table = Table::new(&[
        "operation",
        "window",
        "count",
        "p50_ms",
        "p90_ms",
        "p99_ms",
        "p99_9_ms",
        "max_ms",
        "unanswered",
    ]);
    for operation in Operation::ALL {
        for window in Window::ALL {
            let row = summary.latency(operation, window);
            let percentiles = row.percentiles;
            table.row([
                operation.name().to_owned(),
                window.name().to_owned(),
                row.count.to_string(),
                millis(percentiles.map(|percentiles| percentiles.p50)),
                millis(percentiles.map(|percentiles| percentiles.p90)),
                millis(percentiles.map(|percentiles| percentiles.p99)),
                millis(percentiles.map(|percentiles| percentiles.p99_9)),
                millis(percentiles.map(|percentiles| percentiles.max)),
                row.unanswered.to_string(),
            ]);
        }
    }
    table.finish()
}

/// The text of `timeline.csv`: a row a virtual second. Seats are those at its end; the
/// `hold_` columns and the two of `confirm_` count what ended in it.
pub fn timeline(records: &Records) -> String {
    let mut table = Table::new(&[
        "t_s",
        "arrivals",
        "admitted",
        "attempts",
        "hold_granted",
        "hold_refused",
        "hold_overloaded",
        "hold_unavailable",
        "hold_minority",
        "hold_gave_up",
        "confirm_granted",
        "confirm_failed",
        "seats_held",
        "seats_booked",
        "hold_mean_ms",
        "hold_max_ms",
        "faults_active",
    ]);
    for (t_s, second) in records.timeline().iter().enumerate() {
        let confirms: u64 = second.confirms.iter().sum();
        let confirmed = second.confirms[Ending::Granted as usize];
        table.row([
            t_s.to_string(),
            second.arrived.to_string(),
            second.admitted.to_string(),
            second.attempts.to_string(),
            second.holds[Ending::Granted as usize].to_string(),
            second.holds[Ending::Refused as usize].to_string(),
            second.holds[Ending::Overloaded as usize].to_string(),
            second.holds[Ending::Unavailable as usize].to_string(),
            second.holds[Ending::Minority as usize].to_string(),
            second.holds[Ending::GaveUp as usize].to_string(),
            confirmed.to_string(),
            (confirms - confirmed).to_string(),
            second.seats_held.to_string(),
            second.seats_booked.to_string(),
            millis(second.hold_mean()),
            millis(second.hold_max()),
            second.faults_active.to_string(),
        ]);
    }
    table.finish()
}

/// Exact milliseconds: no float takes part.
fn millis(span: Option<Span>) -> String {
    span.map_or_else(String::new, |span| {
        format!("{}.{:03}", span.micros() / 1_000, span.micros() % 1_000)
    })
}

struct Table(::csv::Writer<Vec<u8>>);

const IN_MEMORY: &str = "rows of one width fit into memory";

impl Table {
    fn new(columns: &[&str]) -> Self {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(columns).expect(IN_MEMORY);
        Self(writer)
    }

    fn row<const WIDTH: usize>(&mut self, fields: [String; WIDTH]) {
        self.0.write_record(fields).expect(IN_MEMORY);
    }

    fn finish(self) -> String {
        let bytes = self.0.into_inner().expect(IN_MEMORY);
        String::from_utf8(bytes).expect("fields of text make a table of text")
    }
}

#[cfg(test)]
mod tests {
    use crate::sample;

    #[test]
    fn latency_has_a_row_for_every_operation_and_window() {
        insta::assert_snapshot!("latency.csv", super::latency(&sample::passed()));
    }

    #[test]
    fn timeline_has_a_row_for_every_second() {
        insta::assert_snapshot!("timeline.csv", super::timeline(&sample::records()));
    }
}
