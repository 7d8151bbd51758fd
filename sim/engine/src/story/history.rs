//! A run's history, for checkers outside: every request of the sale, and what its client was told.
//!
//! Owns the numbers of operations, and which are open. Refuses to know the form of a file, which
//! `onsale_reports::history` owns, and attempts: the retries of a request are one operation.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use onsale_booking::{Command, Instant, Outcome, Request, RequestId};
use onsale_reports::history::{Form, HistoryWriter, Op, Request as Value};

use crate::seen::asked::{refusal_name, undecided};
use crate::seen::sight::Sight;

/// Writes the history of a run.
#[derive(Debug)]
pub struct History {
    out: HistoryWriter<BufWriter<File>>,
    operations: u64,
    /// The latest open operation of each request and, apart from it, of its repetition.
    latest: BTreeMap<(RequestId, bool), u64>,
    open: BTreeMap<u64, Open>,
    now: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    f: &'static str,
    request: u64,
    user: u32,
    show: u32,
}

impl History {
    /// A history written to `file`.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(file: &Path, form: Form) -> io::Result<Self> {
        Ok(Self {
            out: HistoryWriter::new(BufWriter::new(File::create(file)?), form),
            operations: 0,
            latest: BTreeMap::new(),
            open: BTreeMap::new(),
            now: Instant::ZERO,
        })
    }

    /// Writes what a client asks or is told.
    pub(super) fn see(&mut self, now: Instant, sight: &Sight<'_>) {
        match *sight {
            Sight::Asks { request, again } => self.on_asked(now, request, again),
            Sight::Told { request, again, outcome } => self.on_told(now, (request, again), outcome),
            Sight::GaveUp { request, .. } => self.on_given_up(request),
            Sight::Sent { .. }
            | Sight::Lost { .. }
            | Sight::Arrived { .. }
            | Sight::Writes { .. }
            | Sight::WriteFails { .. }
            | Sight::Durable { .. }
            | Sight::Worked { .. }
            | Sight::Observed { .. }
            | Sight::Process { .. }
            | Sight::Fault { .. }
            | Sight::FaultStep { .. }
            | Sight::Disconnected { .. }
            | Sight::Looks { .. }
            | Sight::Left { .. }
            | Sight::Judged { .. } => {}
        }
    }

    /// Ends the history: what is open may or may not have had an effect. Returns the number of operations.
    ///
    /// # Errors
    /// If a line could not be written.
    pub fn finish(mut self) -> io::Result<u64> {
        for (process, open) in std::mem::take(&mut self.open) {
            self.end_unknown(process, open);
        }
        self.out.finish()?;
        Ok(self.operations)
    }

    fn on_asked(&mut self, now: Instant, request: &Request, again: bool) {
        self.now = self.now.max(now);
        let process = self.operations;
        self.operations += 1;
        let (f, value) = asked(request);
        let open = Open { f, request: value.request, user: value.user, show: value.show };
        self.latest.insert((request.id, again), process);
        self.open.insert(process, open);
        self.out.write(Op {
            kind: "invoke",
            process,
            f,
            value,
            time: nanos(self.now),
            ..Op::default()
        });
    }

    fn on_told(&mut self, now: Instant, id: (RequestId, bool), outcome: &Outcome) {
        self.now = self.now.max(now);
        let Some(process) = self.latest.remove(&id) else { return };
        let Some(open) = self.open.remove(&process) else { return };
        let (mut kind, mut error, mut value) = ("ok", None, open.value());
        match outcome {
            Outcome::Held { hold, seats, expires } => {
                value.hold = Some(hold.0);
                value.seats = seats.iter().map(|seat| seat.0).collect();
                value.expires = Some(nanos(*expires));
            }
            Outcome::Booked { hold, seats } => {
                value.hold = Some(hold.0);
                value.seats = seats.iter().map(|seat| seat.0).collect();
            }
            Outcome::Released { hold } => value.hold = Some(hold.0),
            Outcome::Refused(refusal) => {
                // A refusal without a leader's decision leaves open whether an earlier attempt had an effect.
                kind = if undecided(outcome).is_some() { "info" } else { "fail" };
                error = Some(refusal_name(*refusal));
            }
        }
        let time = nanos(self.now);
        self.out.write(Op { kind, process, f: open.f, value, error, time, ..Op::default() });
    }

    fn on_given_up(&mut self, request: RequestId) {
        if let Some(process) = self.latest.remove(&(request, false))
            && let Some(open) = self.open.remove(&process)
        {
            self.end_unknown(process, open);
        }
    }

    fn end_unknown(&mut self, process: u64, open: Open) {
        self.out.write(Op {
            kind: "info",
            process,
            f: open.f,
            value: open.value(),
            error: Some("no-answer"),
            time: nanos(self.now),
            ..Op::default()
        });
    }
}

impl Open {
    fn value(self) -> Value {
        let Self { request, user, show, .. } = self;
        Value { request, user, show, ..Value::default() }
    }
}

const fn nanos(at: Instant) -> u64 {
    at.0.saturating_mul(1_000)
}

/// An intention's function and value.
fn asked(request: &Request) -> (&'static str, Value) {
    let named = Value {
        request: request.id.0,
        user: request.user.0,
        show: request.show.0,
        ..Value::default()
    };
    match &request.command {
        Command::Hold(wish) => {
            let picked = wish.picked.iter().map(|seat| seat.0).collect();
            let best = wish.best.iter().map(|&(section, count)| (section.0, count)).collect();
            ("hold", Value { picked, best, ..named })
        }
        Command::Confirm { hold, payment } => {
            ("confirm", Value { hold: Some(hold.0), payment: Some(payment.0), ..named })
        }
        Command::Release { hold } => ("release", Value { hold: Some(hold.0), ..named }),
    }
}
