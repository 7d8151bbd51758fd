//! A request in a story: how often it was sent and forwarded, and why again.
//!
//! Owns the phrases for a client's attempts and a gateway's tries. Refuses to know which requests belong to the story.

use std::collections::BTreeMap;

use onsale_booking::{Instant, Request, RequestId, UserId};
use onsale_cluster::ShardId;
use onsale_reports::human;
use onsale_world::place::Place;

use super::cast::Part;
use super::words;

/// A request in the story.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) user: UserId,
    pub(super) shard: ShardId,
    pub(super) part: Part,
    pub(super) attempts: u32,
    pub(super) heard: bool,
    /// Whether its client has lost the connection to the last gateway asked.
    pub(super) is_cut_off: bool,
    /// Instant at which its client stopped waiting for good.
    pub(super) ended: Option<Instant>,
    /// Instant of the last attempt.
    last: Instant,
    /// By gateway, how it was forwarded in this attempt.
    tries: BTreeMap<Place, Tries>,
}

/// How a gateway has forwarded a request.
#[derive(Debug)]
struct Tries {
    count: u32,
    to: Place,
    at: Instant,
    /// Whether that node has sent it back.
    is_back: bool,
}

impl Asked {
    /// A request not sent yet.
    pub(super) fn new(at: Instant, user: UserId, shard: ShardId, part: Part) -> Self {
        Self {
            user,
            shard,
            part,
            attempts: 0,
            heard: false,
            is_cut_off: false,
            ended: None,
            last: at,
            tries: BTreeMap::new(),
        }
    }

    /// The line for an attempt by its client.
    pub(super) fn ask(&mut self, at: Instant, gateway: Place, request: &Request) -> String {
        let id = request.id;
        self.attempts += 1;
        self.tries.clear();
        let silence = at.since(std::mem::replace(&mut self.last, at));
        if self.attempts == 1 {
            return format!(
                "asks {gateway}: {}, {id}",
                words::wanted(request.show, &request.command)
            );
        }
        let (heard, is_cut_off) =
            (std::mem::take(&mut self.heard), std::mem::take(&mut self.is_cut_off));
        let why = match (heard, is_cut_off) {
            (true, _) => "told to come back later".to_owned(),
            (false, true) => "the connection was lost".to_owned(),
            (false, false) => format!("no answer for {}", human::span(silence)),
        };
        format!("retries at {gateway}: {id}, attempt {}, {why}", self.attempts)
    }

    /// The line for a gateway that forwards it.
    pub(super) fn pass_on(&mut self, at: Instant, from: Place, to: Place, id: RequestId) -> String {
        let first = Tries { count: 0, to, at, is_back: false };
        let tries = self.tries.entry(from).or_insert(first);
        let before = (tries.to, tries.at, tries.is_back);
        *tries = Tries { count: tries.count + 1, to, at, is_back: false };
        if tries.count == 1 {
            return format!("forwards {id} to {to}, which it believes to lead {}", self.shard);
        }
        let why = match before {
            (node, _, true) => format!("{node} sent it back"),
            (node, since, false) => {
                format!("no answer from {node} for {}", human::span(at.since(since)))
            }
        };
        format!("forwards {id} to {to}, try {}: {why}", tries.count)
    }

    /// Notes that a node has sent it back to a gateway.
    pub(super) fn send_back(&mut self, gateway: Place) {
        if let Some(tries) = self.tries.get_mut(&gateway) {
            tries.is_back = true;
        }
    }
}
