//! The tables as CSV.
//!
//! Owns the columns and their meaning. Times are milliseconds with three decimals, so that every microsecond
//! shows; a missing figure is an empty field, not a zero.

use onsale_booking::Span;

use crate::documented::Field;
use crate::operation::{Ending, Operation, Window};
use crate::recorder::Records;
use crate::summary::{LatencyRow, Percentiles, Summary};
use crate::timeline::Second;

/// A column: its name, its meaning, and its field in a row.
struct Column<Row> {
    about: Field,
    field: fn(&Row) -> String,
}

const fn column<Row>(
    name: &'static str,
    doc: &'static str,
    field: fn(&Row) -> String,
) -> Column<Row> {
    Column { about: Field { name, doc }, field }
}

/// A row of `latency.csv`.
type Latency = (Operation, Window, LatencyRow);

const LATENCY: [Column<Latency>; 9] = [
    column("operation", "What people waited for.", |row| row.0.name().to_owned()),
    column(
        "window",
        "`whole` for the whole run, `in-faults` for what a fault was on during any part of, `outside-faults` for the \
         rest.",
        |row| row.1.name().to_owned(),
    ),
    column("count", "Operations that ended.", |row| row.2.count.to_string()),
    column("p50_ms", "The median, in milliseconds.", |row| percentile(row, |it| it.p50)),
    column("p90_ms", "Nine in ten took at most this long.", |row| percentile(row, |it| it.p90)),
    column("p99_ms", "99 in 100 took at most this long.", |row| percentile(row, |it| it.p99)),
    column("p99_9_ms", "999 in 1,000 took at most this long.", |row| {
        percentile(row, |it| it.p99_9)
    }),
    column("max_ms", "The longest, exact.", |row| percentile(row, |it| it.max)),
    column(
        "unanswered",
        "Operations that had no answer when the run was over; not counted.",
        |row| row.2.unanswered.to_string(),
    ),
];

fn percentile(row: &Latency, of: fn(Percentiles) -> Span) -> String {
    millis(row.2.percentiles.map(of))
}

/// A row of `timeline.csv`: a virtual second, from 0.
type Row = (usize, Second);

const TIMELINE: [Column<Row>; 17] = [
    column("t_s", "The virtual second, from 0.", |(t_s, _)| t_s.to_string()),
    column("arrivals", "People who arrived.", |(_, it)| it.arrived.to_string()),
    column("admitted", "People who were admitted.", |(_, it)| it.admitted.to_string()),
    column("attempts", "Requests sent, retries included.", |(_, it)| it.attempts.to_string()),
    column("hold_granted", "Holds that ended with the seats.", |row| holds(row, Ending::Granted)),
    column("hold_refused", "Holds that the cluster decided against.", |row| {
        holds(row, Ending::Refused)
    }),
    column("hold_overloaded", "Holds that the cluster declined to queue.", |row| {
        holds(row, Ending::Overloaded)
    }),
    column("hold_unavailable", "Holds for which no leader could be reached in time.", |row| {
        holds(row, Ending::Unavailable)
    }),
    column("hold_minority", "Holds asked of a gateway on the smaller side of a split.", |row| {
        holds(row, Ending::Minority)
    }),
    column("hold_gave_up", "Holds for which the person stopped waiting.", |row| {
        holds(row, Ending::GaveUp)
    }),
    column("confirm_granted", "Confirmations that ended with a booking.", |(_, it)| {
        it.confirms[Ending::Granted as usize].to_string()
    }),
    column("confirm_failed", "Confirmations that ended without one.", |(_, it)| {
        let all: u64 = it.confirms.iter().sum();
        (all - it.confirms[Ending::Granted as usize]).to_string()
    }),
    column("seats_held", "Seats on hold at the end of the second.", |(_, it)| {
        it.seats_held.to_string()
    }),
    column("seats_booked", "Seats booked at the end of the second.", |(_, it)| {
        it.seats_booked.to_string()
    }),
    column("hold_mean_ms", "Mean wait of the holds that ended, in milliseconds.", |(_, it)| {
        millis(it.hold_mean())
    }),
    column("hold_max_ms", "Longest wait of a hold that ended, in milliseconds.", |(_, it)| {
        millis(it.hold_max())
    }),
    column("faults_active", "Faults that were on in any part of the second.", |(_, it)| {
        it.faults_active.to_string()
    }),
];

fn holds((_, second): &Row, ending: Ending) -> String {
    second.holds[ending as usize].to_string()
}

/// The columns of `latency.csv`.
pub fn latency_columns() -> Vec<Field> {
    LATENCY.iter().map(|column| column.about).collect()
}

/// The columns of `timeline.csv`.
pub fn timeline_columns() -> Vec<Field> {
    TIMELINE.iter().map(|column| column.about).collect()
}

/// The text of `latency.csv`: a row an operation and window, in a fixed order.
pub fn latency(summary: &Summary) -> String {
    let operations = Operation::ALL.into_iter();
    let rows = operations.flat_map(|operation| {
        Window::ALL.map(|window| (operation, window, *summary.latency(operation, window)))
    });
    table(&LATENCY, rows)
}

/// The text of `timeline.csv`: one row a virtual second. Seats are those at the end of the second; the `hold_`
/// columns and the two of `confirm_` count operations that ended in it.
pub fn timeline(records: &Records) -> String {
    table(&TIMELINE, records.timeline().iter().copied().enumerate())
}

/// Exact milliseconds, without floats.
fn millis(span: Option<Span>) -> String {
    span.map_or_else(String::new, |span| {
        format!("{}.{:03}", span.micros() / 1_000, span.micros() % 1_000)
    })
}

const IN_MEMORY: &str = "rows of one width fit into memory";

fn table<Row>(columns: &[Column<Row>], rows: impl Iterator<Item = Row>) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| column.about.name)).expect(IN_MEMORY);
    for row in rows {
        writer.write_record(columns.iter().map(|column| (column.field)(&row))).expect(IN_MEMORY);
    }
    let bytes = writer.into_inner().expect(IN_MEMORY);
    String::from_utf8(bytes).expect("fields of text make a table of text")
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
