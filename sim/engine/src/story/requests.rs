//! The requests of a story.
//!
//! Owns which of them are told in full, and when their lines count as repetition. Refuses to know what happens to
//! them.

use std::collections::BTreeMap;

use onsale_booking::{Instant, RequestId, UserId};

use super::asked::Asked;
use super::cast::Part;
use super::line::{Kind, Line};

/// Attempts of a request told in full; the lines of later ones are folded.
const ATTEMPTS_TOLD: u32 = 3;

/// The requests of a story.
#[derive(Debug, Default)]
pub(super) struct Requests(BTreeMap<RequestId, Asked>);

impl Requests {
    pub(super) fn has(&self, id: RequestId) -> bool {
        self.0.contains_key(&id)
    }

    pub(super) fn get(&self, id: RequestId) -> Option<&Asked> {
        self.0.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: RequestId) -> Option<&mut Asked> {
        self.0.get_mut(&id)
    }

    /// The entry of a request, made with `new` at its first attempt.
    pub(super) fn enter(&mut self, id: RequestId, new: impl FnOnce() -> Asked) -> &mut Asked {
        self.0.entry(id).or_insert_with(new)
    }

    /// Whether this request is told in full.
    pub(super) fn is_lead(&self, id: RequestId) -> bool {
        self.0.get(&id).is_some_and(|asked| asked.part == Part::Principal)
    }

    /// Whether this person has a request that is told in full.
    pub(super) fn is_by(&self, user: UserId) -> bool {
        self.0.values().any(|asked| asked.part == Part::Principal && asked.user == user)
    }

    /// Whether this person has a request that is told in full and ended at this instant, if one is given.
    pub(super) fn end_with(&self, user: UserId, at: Option<Instant>) -> bool {
        let ends = |asked: &Asked| at.is_none() || asked.ended == at;
        self.0
            .values()
            .any(|asked| asked.user == user && asked.part == Part::Principal && ends(asked))
    }

    /// Marks a line as being about a request; lines of late attempts count as repetition.
    pub(super) fn mark(&self, id: RequestId, mut line: Line) -> Line {
        line.request = Some(id);
        if let Some(asked) = self.0.get(&id) {
            line.shard = line.shard.or(Some(asked.shard));
            line.repeats = match asked.part {
                Part::Bystander => Some("others who wanted it and were refused".to_owned()),
                Part::Principal if asked.attempts > ATTEMPTS_TOLD && line.kind != Kind::Client => {
                    Some(format!("attempts with {id}"))
                }
                Part::Journaled => Some("clients that give up".to_owned()),
                Part::Principal => None,
            };
        }
        line
    }
}
