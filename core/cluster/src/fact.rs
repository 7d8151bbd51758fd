//! Facts as they are named, written and told.
//!
//! Owns the vocabulary of facts: keys, versions, deltas, what was seen, questions and answers. Refuses to know how copies
//! come to agree.

mod message;
mod seen;
mod version;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::message::{Asked, FactsAnswer, FactsMessage, Question, QuestionId, Told, Wanted};
pub use self::seen::Seen;
pub use self::version::{Base, Delta, FactText, Version};

/// The most facts that one question may be about.
pub const KEYS_MAX: usize = 4_096;
/// The most bytes that the text of a fact may have.
pub const TEXT_BYTES_MAX: usize = 1_024;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactKind {
    /// A city.
    City,
    /// A venue in a city.
    Venue,
    /// A hall of a venue.
    Hall,
    /// What is played.
    Event,
    /// A performer.
    Performer,
    /// One performance of an event in a hall.
    Show,
    /// What a seat costs.
    Price,
}

/// Names a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactKey {
    /// What it is about.
    pub kind: FactKind,
    /// Which of them.
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
