//! What clients asked and were told, for checkers of histories: JSON Lines, or EDN as Jepsen's tools read it.
//!
//! Owns the fields of an operation and both forms. An operation is a line, written at once. Refuses to know which
//! answers are right.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::documented::{Field, documented};

/// The form of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON Lines.
    Jsonl,
    /// EDN, a map a line.
    Edn,
}

impl Form {
    /// The form that a file's extension names; `None` for any but `.jsonl` and `.edn`.
    pub fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "jsonl" => Some(Self::Jsonl),
            "edn" => Some(Self::Edn),
            _ => None,
        }
    }
}

documented! {
    /// One line of a history: an invocation or its completion. Absent fields do not apply.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct Op<'a> {
        /// Number of the line, from 0.
        pub index: u64,
        /// `invoke` for a request; `ok` for a leader's grant; `fail` for a leader's refusal, which changed nothing; `info`
        /// if the client does not know the effect: unanswered, turned away, or open at the end.
        #[serde(rename = "type")]
        pub kind: &'a str,
        /// Number of the operation: each is a process of its own, because a person may have several open.
        pub process: u64,
        /// `hold`, `confirm` or `release`.
        pub f: &'a str,
        /// What was asked or told.
        pub value: Request,
        /// Reason of a refusal, such as `seat-taken` or `overloaded`; `no-answer` if there was none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<&'a str>,
        /// Virtual time from the start of the run, in nanoseconds, exact to the batching window.
        pub time: u64,
    }
}

documented! {
    /// What was asked, or told.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
    pub struct Request {
        /// Number of the request. Its retries are the same operation; a request repeated after its answer, or clicked twice,
        /// is another operation with the same number.
        pub request: u64,
        /// The person who asks.
        pub user: u32,
        /// The show.
        pub show: u32,
        /// Seats that the client picks.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub picked: Vec<u32>,
        /// Best-available seats that it asks for: pairs of section and number.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub best: Vec<(u16, u8)>,
        /// The hold: named by the client, or granted; a hold has the number of its request.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub hold: Option<u64>,
        /// The provider's reference of a payment.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub payment: Option<u64>,
        /// Seats that are granted or booked.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub seats: Vec<u32>,
        /// End of the user's timer as it was told, in nanoseconds of virtual time.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub expires: Option<u64>,
    }
}

/// The fields of a line and of its value, for the reference.
pub fn documents() -> [(&'static str, Vec<Field>); 2] {
    let named = |field: &Field| match field.name {
        "kind" => Field { name: "type", ..*field },
        _ => *field,
    };
    [("", Op::FIELDS.iter().map(named).collect()), ("value", Request::FIELDS.to_vec())]
}

/// Writes a history.
#[derive(Debug)]
pub struct HistoryWriter<W: Write> {
    out: W,
    form: Form,
    lines: u64,
    error: Option<io::Error>,
}

impl<W: Write> HistoryWriter<W> {
    /// An empty history. An error is kept until [`finish`](Self::finish).
    pub const fn new(out: W, form: Form) -> Self {
        Self { out, form, lines: 0, error: None }
    }

    /// Writes a line, and numbers it.
    pub fn write(&mut self, op: Op<'_>) {
        if self.error.is_some() {
            return;
        }
        let op = Op { index: self.lines, ..op };
        self.lines += 1;
        let json = serde_json::to_vec(&op).expect("an operation is JSON");
        let written = match self.form {
            Form::Jsonl => self.out.write_all(&json),
            Form::Edn => self.out.write_all(&edn(&json)),
        };
        self.error = written.and_then(|()| self.out.write_all(b"\n")).err();
    }

    /// Number of lines.
    ///
    /// # Errors
    /// If a line could not be written.
    pub fn finish(mut self) -> io::Result<u64> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.lines),
        }
    }
}

/// Whether a file begins like a history.
pub fn is_history(head: &[u8]) -> bool {
    head.starts_with(b"{\"index\":0,\"type\":\"invoke\"")
        || head.starts_with(b"{:index 0, :type :invoke")
}

/// The JSON of an operation as EDN. All its texts are names without escapes, and become keywords.
fn edn(json: &[u8]) -> Vec<u8> {
    let mut edn = Vec::with_capacity(json.len());
    let (mut within, mut in_name) = (Vec::new(), false);
    for &byte in json {
        match byte {
            b'"' => {
                in_name = !in_name;
                if in_name {
                    edn.push(b':');
                }
                continue;
            }
            b':' => {
                edn.push(b' ');
                continue;
            }
            b'{' | b'[' => within.push(byte),
            b'}' | b']' => drop(within.pop()),
            b',' if within.last() == Some(&b'[') => {
                edn.push(b' ');
                continue;
            }
            _ => {}
        }
        edn.push(byte);
        if byte == b',' {
            edn.push(b' ');
        }
    }
    edn
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ops() -> [Op<'static>; 2] {
        let asked = Request { request: 257, user: 1, show: 0, ..Request::default() };
        let wish = Request { picked: vec![3, 4], best: vec![(1, 2)], ..asked.clone() };
        let invoke = Op { kind: "invoke", f: "hold", value: wish, time: 1_000, ..Op::default() };
        let fail = Op {
            kind: "fail",
            value: asked,
            error: Some("seat-taken"),
            time: 2_000,
            ..invoke.clone()
        };
        [invoke, fail]
    }

    fn written(form: Form) -> String {
        let mut out = Vec::new();
        let mut history = HistoryWriter::new(&mut out, form);
        ops().into_iter().for_each(|op| history.write(op));
        assert_eq!(history.finish().unwrap(), 2);
        assert!(is_history(&out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn jsonl_has_a_line_an_operation() {
        assert_eq!(
            written(Form::Jsonl),
            r#"{"index":0,"type":"invoke","process":0,"f":"hold","value":{"request":257,"user":1,"show":0,"picked":[3,4],"best":[[1,2]]},"time":1000}
{"index":1,"type":"fail","process":0,"f":"hold","value":{"request":257,"user":1,"show":0},"error":"seat-taken","time":2000}
"#
        );
    }

    #[test]
    fn edn_has_a_map_an_operation() {
        assert_eq!(
            written(Form::Edn),
            "{:index 0, :type :invoke, :process 0, :f :hold, :value {:request 257, :user 1, :show 0, :picked [3 4], :best [[1 2]]}, :time 1000}\n\
             {:index 1, :type :fail, :process 0, :f :hold, :value {:request 257, :user 1, :show 0}, :error :seat-taken, :time 2000}\n"
        );
    }

    #[test]
    fn a_file_says_its_form() {
        assert_eq!(Form::of(Path::new("a/b.edn")), Some(Form::Edn));
        assert_eq!(Form::of(Path::new("b.jsonl")), Some(Form::Jsonl));
        assert_eq!(Form::of(Path::new("b.json")), None);
        assert_eq!(Form::of(Path::new("edn")), None);
    }

    #[test]
    fn every_field_is_told_of() {
        for (place, fields) in documents() {
            assert!(fields.iter().all(|field| !field.doc.is_empty()), "{place}");
        }
        let whole = Request {
            hold: Some(1),
            payment: Some(1),
            seats: vec![1],
            expires: Some(1),
            ..ops()[0].value.clone()
        };
        let op = serde_json::to_value(Op { value: whole, ..ops()[1].clone() }).unwrap();
        for (place, fields) in documents() {
            let object = if place.is_empty() { &op } else { &op[place] };
            let written = object.as_object().unwrap();
            let names: BTreeSet<&str> = written.keys().map(String::as_str).collect();
            assert_eq!(names, fields.iter().map(|field| field.name).collect());
        }
    }
}
