//! A run as a trace, for tools that draw it: Perfetto, `chrome://tracing`.
//!
//! Owns the Trace Event Format: one JSON object whose `traceEvents` are written at once. Refuses to know what
//! the events mean, and keeps none of them. Times are virtual, in microseconds, which is the unit of the format.

use std::io::{self, Write};

use onsale_booking::{Instant, Span};
use serde::Serialize;
use serde_json::{Map, Value};

/// A row of the drawing: a process, and a thread of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
}

/// The arguments of an event.
pub type Arguments<'a> = &'a [(&'a str, String)];

/// Writes a trace.
#[derive(Debug)]
pub struct TraceWriter<W: Write> {
    out: W,
    events: u64,
    limit: u64,
    refused: u64,
    error: Option<io::Error>,
}

/// The result of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Number of events in the file, without names of rows.
    pub events: u64,
    /// Number of events beyond the limit.
    pub refused: u64,
}

/// An event in the form of the format.
#[derive(Serialize)]
struct Event<'a> {
    ph: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'a str>,
    pid: u32,
    tid: u32,
    ts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Scope of an instant event: `t`hread, `p`rocess or `g`lobal.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'a str>,
    /// Binding of an arrow's end: the enclosing slice.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    args: Map<String, Value>,
}

impl<'a> Event<'a> {
    fn new(ph: &'a str, name: &'a str, row: Row, at: Instant) -> Self {
        Self {
            ph,
            name,
            cat: None,
            pid: row.pid,
            tid: row.tid,
            ts: at.micros(),
            dur: None,
            id: None,
            s: None,
            bp: None,
            args: Map::new(),
        }
    }
}

impl<W: Write> TraceWriter<W> {
    /// A trace of at most `limit` events. An error is kept until [`finish`](Self::finish).
    pub fn new(out: W, limit: u64) -> Self {
        let mut trace = Self { out, events: 0, limit, refused: 0, error: None };
        trace.text("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
        // A first event that only names the format allows a comma before every other.
        trace.text("{\"ph\":\"M\",\"name\":\"trace\",\"pid\":0,\"tid\":0,\"ts\":0,\"args\":{}}");
        trace
    }

    /// Names a process; `order` sorts it among the others.
    pub fn process(&mut self, pid: u32, name: &str, order: u32) {
        let row = Row { pid, tid: 0 };
        self.metadata("process_name", row, ("name", name.into()));
        self.metadata("process_sort_index", row, ("sort_index", order.into()));
    }

    /// Names a thread; threads are sorted by their numbers.
    pub fn thread(&mut self, row: Row, name: &str) {
        self.metadata("thread_name", row, ("name", name.into()));
        self.metadata("thread_sort_index", row, ("sort_index", row.tid.into()));
    }

    /// Writes a slice. Slices of one row lie side by side or are nested.
    pub fn complete(
        &mut self,
        row: Row,
        category: &str,
        name: &str,
        (from, lasts): (Instant, Span),
        arguments: Arguments<'_>,
    ) {
        let event = Event::new("X", name, row, from);
        self.write(Event {
            cat: Some(category),
            dur: Some(lasts.micros()),
            args: args(arguments),
            ..event
        });
    }

    /// Writes an instant event.
    pub fn instant(&mut self, row: Row, category: &str, name: &str, at: Instant) {
        let event = Event::new("i", name, row, at);
        self.write(Event { cat: Some(category), s: Some("t"), ..event });
    }

    /// Begins an operation that may overlap with others of its kind. Returns whether there was room; an
    /// operation that has begun must be ended.
    pub fn begin(
        &mut self,
        row: Row,
        (category, id): (&str, u64),
        name: &str,
        at: Instant,
        arguments: Arguments<'_>,
    ) -> bool {
        let event = Event::new("b", name, row, at);
        let (cat, id) = (Some(category), Some(format!("{id:#x}")));
        self.write(Event { cat, id, args: args(arguments), ..event })
    }

    /// Writes a step of an operation that has begun.
    pub fn step(&mut self, row: Row, (category, id): (&str, u64), name: &str, at: Instant) {
        let event = Event::new("n", name, row, at);
        self.write(Event { cat: Some(category), id: Some(format!("{id:#x}")), ..event });
    }

    /// Ends an operation that has begun, under the same name. There is always room for this.
    pub fn end(
        &mut self,
        row: Row,
        (category, id): (&str, u64),
        name: &str,
        at: Instant,
        arguments: Arguments<'_>,
    ) {
        let event = Event::new("e", name, row, at);
        let (cat, id) = (Some(category), Some(format!("{id:#x}")));
        self.put(&Event { cat, id, args: args(arguments), ..event });
    }

    /// Writes an arrow between two rows, from the slice around one end to the slice around the other.
    pub fn arrow(&mut self, id: u64, name: &str, from: (Row, Instant), to: (Row, Instant)) {
        let id = Some(format!("{id:#x}"));
        let cat = Some("message");
        let start = Event::new("s", name, from.0, from.1);
        if self.write(Event { cat, id: id.clone(), ..start }) {
            let end = Event::new("f", name, to.0, to.1);
            self.put(&Event { cat, id, bp: Some("e"), ..end });
        }
    }

    /// Closes the file.
    ///
    /// # Errors
    /// The first error, if there was one.
    pub fn finish(mut self) -> io::Result<Written> {
        self.text("\n]}\n");
        match self.error {
            Some(error) => Err(error),
            None => {
                self.out.flush()?;
                Ok(Written { events: self.events, refused: self.refused })
            }
        }
    }

    fn metadata(&mut self, name: &str, row: Row, (key, value): (&str, Value)) {
        let args = Map::from_iter([(key.to_owned(), value)]);
        let event = Event::new("M", name, row, Instant::ZERO);
        self.json(&Event { args, ..event });
    }

    /// Writes an event if there is room.
    fn write(&mut self, event: Event<'_>) -> bool {
        let room = self.events < self.limit;
        if room {
            self.put(&event);
        } else {
            self.refused += 1;
        }
        room
    }

    fn put(&mut self, event: &Event<'_>) {
        self.events += 1;
        self.json(event);
    }

    fn json(&mut self, event: &Event<'_>) {
        let json = serde_json::to_string(event).expect("an event is plain data");
        self.text(",\n");
        self.text(&json);
    }

    fn text(&mut self, text: &str) {
        if self.error.is_none() {
            self.error = self.out.write_all(text.as_bytes()).err();
        }
    }
}

fn args(arguments: Arguments<'_>) -> Map<String, Value> {
    arguments.iter().map(|(key, value)| ((*key).to_owned(), value.as_str().into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row = Row { pid: 3, tid: 7 };

    fn written(limit: u64) -> (Value, Written) {
        let mut file = Vec::new();
        let mut trace = TraceWriter::new(&mut file, limit);
        trace.process(3, "n3 \"of zone 1\"", 3);
        trace.thread(ROW, "s12");
        let begun =
            trace.begin(ROW, ("request", 17), "hold", Instant(5), &[("user", "u17".to_owned())]);
        trace.complete(ROW, "disk", "fsync", (Instant(6), Span(4)), &[]);
        trace.arrow(1, "append", (ROW, Instant(6)), (Row { pid: 4, tid: 7 }, Instant(9)));
        trace.instant(ROW, "fault", "crash", Instant(8));
        if begun {
            trace.end(ROW, ("request", 17), "hold", Instant(11), &[]);
        }
        let written = trace.finish().unwrap();
        (serde_json::from_slice(&file).unwrap(), written)
    }

    #[test]
    fn a_trace_is_one_json_object_of_events() {
        let (trace, written) = written(100);
        assert_eq!(written, Written { events: 6, refused: 0 });
        let events = trace["traceEvents"].as_array().unwrap();
        let phases: Vec<&str> = events.iter().map(|event| event["ph"].as_str().unwrap()).collect();
        assert_eq!(phases, ["M", "M", "M", "M", "M", "b", "X", "s", "f", "i", "e"]);
        assert_eq!(events[1]["args"]["name"], "n3 \"of zone 1\"");
        assert_eq!((&events[6]["ts"], &events[6]["dur"]), (&6.into(), &4.into()));
        assert_eq!(events[5]["id"], events[10]["id"]);
    }

    #[test]
    fn a_full_trace_still_ends_what_it_began() {
        let (trace, written) = written(1);
        assert_eq!(written, Written { events: 2, refused: 3 });
        let events = trace["traceEvents"].as_array().unwrap();
        assert_eq!(events.iter().filter(|event| event["ph"] == "b").count(), 1);
        assert_eq!(events.iter().filter(|event| event["ph"] == "e").count(), 1);
    }

    #[test]
    fn an_error_is_told_at_the_end() {
        let mut full = [0; 10];
        let mut trace = TraceWriter::new(&mut full[..], 100);
        trace.instant(ROW, "fault", "crash", Instant(8));
        assert!(trace.finish().is_err());
    }
}
