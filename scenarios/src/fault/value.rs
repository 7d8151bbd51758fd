//! Faults as values of a scenario's key.
//!
//! Owns how they are described; they are read and written by serde. Refuses to know any family's keys.

use super::Fault;
use crate::setting::{Kind, Value, by_serde};

impl Value for Fault {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::OneOf(Vec::new())
    }

    by_serde!();
}
