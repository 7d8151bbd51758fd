//! The vocabulary of facts: how they are named, written and told.
//!
//! Owns keys, versions, deltas, version vectors, questions and answers. Refuses to know how copies come to agree.

mod message;
mod seen;
mod version;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::message::{
    Asked, FactsAnswer, FactsMessage, FactsReply, Question, QuestionId, Wanted,
};
pub use self::seen::Seen;
pub use self::version::{Base, Delta, FactText, Version};

/// The most facts that one question may name.
pub const KEYS_MAX: usize = 4_096;
/// The longest text of a fact, in bytes.
pub const TEXT_BYTES_MAX: usize = 1_024;

/// The kind of thing that a fact describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactKind {
    /// A city.
    City,
    /// A venue in a city.
    Venue,
    /// A hall of a venue.
    Hall,
    /// A work that is performed.
    Event,
    /// A performer.
    Performer,
    /// One performance of an event in a hall.
    Show,
    /// The price of a seat.
    Price,
}

/// The name of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactKey {
    /// The kind of thing.
    pub kind: FactKind,
    /// The number of the thing among its kind.
    pub id: u32,
}

impl fmt::Display for FactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FactKind::City => "city",
            FactKind::Venue => "venue",
            FactKind::Hall => "hall",
            FactKind::Event => "event",
            FactKind::Performer => "performer",
            FactKind::Show => "show",
            FactKind::Price => "price",
        };
        write!(f, "{kind} {}", self.id)
    }
}
