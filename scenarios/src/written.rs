//! The keys that a scenario's file wrote, with any value.
//!
//! Owns the list. Refuses to know its consequences.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::setting::{Kind, Value, by_serde};

/// Keys that a scenario's file wrote although their defaults have a basis: a written value is chosen and not
/// assumed. Decides nothing, so scenarios that differ only in this list are equal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Written(pub(crate) BTreeSet<String>);

impl Written {
    /// Whether no key was written.
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
