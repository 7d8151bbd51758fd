//! Parked requests: their replica leads but may not serve yet, or no longer.
//!
//! Owns how long one may wait: as long as a gateway waits for an attempt. By then the gateway has asked again or
//! answered *unavailable*, so the request is dropped without an answer. A leader without a quorum may wait for as long
//! as a split lasts. A decision after that would be a hold for a client that is gone, and once decisions are forgotten
//! even a second one.

use std::collections::VecDeque;

use onsale_booking::{Instant, NodeId, Request, Span};

/// Requests in order of arrival, each with its instant by this node's clock.
#[derive(Debug)]
pub(super) struct Parked {
    patience: Span,
    requests: VecDeque<(Instant, NodeId, Request)>,
}

impl Parked {
    /// No parked requests. A gateway gives an attempt up after `patience`.
    pub(super) fn new(patience: Span) -> Self {
        Self { patience, requests: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Number of parked requests.
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Parks a gateway's request.
    pub(super) fn add(&mut self, now: Instant, from: NodeId, request: Request) {
        self.drop_given_up(now);
        self.requests.push_back((now, from, request));
    }

    /// Takes the requests whose gateways still wait.
    pub(super) fn take(&mut self, now: Instant) -> impl Iterator<Item = (NodeId, Request)> + use<> {
        self.drop_given_up(now);
        self.take_all()
    }

    /// Takes all.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = (NodeId, Request)> + use<> {
        let requests = std::mem::take(&mut self.requests);
        requests.into_iter().map(|(_, from, request)| (from, request))
    }

    fn drop_given_up(&mut self, now: Instant) {
        let fresh = |came: Instant| now.since(came) < self.patience;
        while self.requests.front().is_some_and(|&(came, ..)| !fresh(came)) {
            self.requests.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::{Command, HoldId, RequestId, ShowId, UserId};

    use super::*;

    #[test]
    fn a_request_that_its_gateway_gave_up_is_not_decided() {
        let request = |id| {
            let command = Command::Release { hold: HoldId(id) };
            Request { id: RequestId(id), user: UserId(0), show: ShowId(0), command }
        };
        let mut parked = Parked::new(Span(10));
        parked.add(Instant(100), NodeId(1), request(1));
        parked.add(Instant(105), NodeId(1), request(2));
        let taken: Vec<u64> = parked.take(Instant(110)).map(|(_, due)| due.id.0).collect();
        assert_eq!(taken, [2], "the first was given up at 110");
        parked.add(Instant(200), NodeId(1), request(3));
        parked.add(Instant(210), NodeId(1), request(4));
        assert_eq!(parked.requests.len(), 1, "nor is it kept while others come");
        assert_eq!(parked.take_all().count(), 1);
        assert!(parked.is_empty());
    }
}
