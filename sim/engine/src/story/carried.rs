//! The requests that a message carries.
//!
//! Owns where each kind of message holds them. Refuses to know which of them belong to a story.

use onsale_booking::RequestId;
use onsale_cluster::{Answer, Message};
use onsale_world::place::Place;

use super::words;
use crate::seen::messages::Shown;

/// The requests in a message from a place: each with its sender, and the phrase for what is sent.
pub(super) fn told(message: Shown<'_>, from: Place) -> Vec<(RequestId, String, String)> {
    let sender = || words::place(from);
    match message {
        Shown::Requests(batch) => batch
            .iter()
            .map(|timed| (timed.item.id, timed.item.user.to_string(), timed.item.id.to_string()))
            .collect(),
        Shown::Cluster(Message::Forwarded(batch)) => {
            batch.iter().map(|timed| (timed.item.id, sender(), timed.item.id.to_string())).collect()
        }
        Shown::Cluster(Message::Answers(batch)) => batch
            .iter()
            .map(|timed| answered(&timed.item))
            .map(|id| (id, sender(), format!("the answer to {id}")))
            .collect(),
        Shown::Replies(batch) => batch
            .iter()
            .map(|timed| timed.item.request)
            .map(|id| (id, sender(), format!("the reply to {id}")))
            .collect(),
        Shown::Cluster(_) => Vec::new(),
    }
}

/// The requests that a node must process when a message arrives.
pub(super) fn to_do(message: Shown<'_>) -> Vec<RequestId> {
    match message {
        Shown::Requests(batch) => batch.iter().map(|timed| timed.item.id).collect(),
        Shown::Cluster(Message::Forwarded(batch)) => {
            batch.iter().map(|timed| timed.item.id).collect()
        }
        Shown::Cluster(Message::Answers(batch)) => {
            batch.iter().map(|timed| answered(&timed.item)).collect()
        }
        Shown::Cluster(_) | Shown::Replies(_) => Vec::new(),
    }
}

fn answered(answer: &Answer) -> RequestId {
    match answer {
        Answer::Decided(reply) => reply.request,
        Answer::NotLeader { request, .. } => *request,
    }
}
