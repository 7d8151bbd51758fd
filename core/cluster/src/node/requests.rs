//! The path of requests and answers through a node.
//!
//! Owns the dispatch inside a node: the gateway takes clients' requests and leaders' answers, the local replica takes
//! requests that a gateway passed on. Refuses to know where a request belongs, and what is decided of it.

use onsale_booking::{Endpoint, NodeId, Request, Timed};

use super::{Node, READ_AHEAD};
use crate::effect::Effects;
use crate::mark::Mark;
use crate::message::Answer;
use crate::observation::Observation;

impl Node {
    /// Takes a batch of requests. Those that go on to the same node stay in one batch; others are sent on their own.
    pub(super) fn on_requests(
        &mut self,
        from: Endpoint,
        mut batch: Vec<Timed<Request>>,
        effects: &mut Effects,
    ) {
        let (mut begun, mut kept) = (None, 0);
        for place in 0..batch.len() {
            if place % READ_AHEAD == 0 {
                let ahead = batch.len().min(place + READ_AHEAD);
                self.gateway.read_ahead_of_requests(&batch[place..ahead]);
            }
            let Timed { at, item } = &mut batch[place];
            self.advance(*at, effects);
            if let Some(to) = self.gateway.admit(self.now, from, item, effects) {
                if effects.passes_on(to, &mut begun) {
                    *at = self.now;
                    batch.swap(kept, place);
                    kept += 1;
                } else {
                    effects.forward(to, item.clone());
                }
            }
        }
        batch.truncate(kept);
        effects.pass_on(begun, batch);
    }

    #[inline]
    pub(super) fn on_request(&mut self, from: Endpoint, request: &Request, effects: &mut Effects) {
        self.gateway.on_request(self.now, from, request, effects);
    }

    /// Prefetches for those of the requests that are for the first one's show.
    pub(super) fn read_ahead_of_decisions<'a>(&self, requests: impl Iterator<Item = &'a Request>) {
        let mut requests = requests.peekable();
        let Some(show) = requests.peek().map(|request| request.show) else { return };
        let id = self.setup.placement.shard_of(show);
        if let Some(shard) = self.replicas.get(id) {
            shard.read_ahead(show, requests.filter(|request| request.show == show));
        }
    }

    #[inline]
    pub(super) fn on_forwarded(&mut self, from: NodeId, request: &Request, effects: &mut Effects) {
        let known = request.show.0 < self.setup.shows;
        let id = self.setup.placement.shard_of(request.show);
        match self.replicas.get_mut(id).filter(|_| known) {
            Some(shard) => {
                shard.on_request(self.now, from, request, &mut self.answers);
                self.replicas.touch(id);
            }
            None => {
                effects.observe(Observation::Refused { shard: id, reason: Mark::RequestAstray });
                // The map may have a replica here that has not begun yet.
                if known {
                    let answer = Answer::NotLeader { request: request.id, shard: id, leader: None };
                    self.answers.push((from, answer));
                }
            }
        }
    }

    #[inline]
    pub(super) fn on_answered(&mut self, from: NodeId, answer: &Answer, effects: &mut Effects) {
        self.gateway.on_answer(self.now, from, answer, effects);
    }
}
