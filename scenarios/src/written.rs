//! Which keys a scenario's file wrote, whatever their values.
//!
//! Owns the list. Refuses to know what follows from it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::setting::{Kind, Value, by_serde};

/// Keys that a scenario's file wrote although they have a default that rests on something: what a person wrote is
/// chosen and not assumed, whatever its value. Decides nothing, so scenarios that differ in it alone are equal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Written(pub(crate) BTreeSet<String>);

impl Written {
    /// Whether none was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Value for Written {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::List(Box::new(String::kind(&None)))
    }

    fn is_left_out(&self) -> bool {
        self.is_empty()
    }

    by_serde!();
}
