//! The requests of a story.
//!
//! Owns which of them are told in full, and from when on what is told of them repeats itself. Refuses to know what
//! happens to them.

use std::collections::BTreeMap;

use onsale_booking::{Instant, RequestId, UserId};

use super::asked::Asked;
use super::cast::Part;
use super::line::{Kind, Line};

/// From this attempt on a client's attempts are told as one.
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

    /// A request that is asked, for the first time or again.
    pub(super) fn enter(&mut self, id: RequestId, new: impl FnOnce() -> Asked) -> &mut Asked {
        self.0.entry(id).or_insert_with(new)
    }

    /// Whether everything is told of a request.
    pub(super) fn is_lead(&self, id: RequestId) -> bool {
        self.0.get(&id).is_some_and(|asked| asked.part == Part::Principal)
    }

    /// Whether one of which everything is told is this person's.
    pub(super) fn is_by(&self, user: UserId) -> bool {
        self.0.values().any(|asked| asked.part == Part::Principal && asked.user == user)
    }

    /// Whether one of these is this person's, and ended at this instant, if it is asked for.
    pub(super) fn end_with(&self, user: UserId, at: Option<Instant>) -> bool {
        let ends = |asked: &Asked| at.is_none() || asked.ended == at;
        self.0
            .values()
            .any(|asked| asked.user == user && asked.part == Part::Principal && ends(asked))
    }

    /// A line about a request; from a number of attempts on, they count as repetition.
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
