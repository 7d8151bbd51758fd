//! A step's requests to the driver: send, persist, observe.
//!
//! Owns the output buffer and the gathering of a turn's messages into one per
//! destination and kind. Refuses to know how any of it is carried out.

use onsale_booking::{
    Endpoint, Instant, NodeId, Outcome, Refusal, Reply, Request, RequestId, Timed,
};

use crate::beat::Beat;
use crate::fact::FactsMessage;
use crate::id::ShardId;
use crate::journal::JournalMessage;
use crate::message::{Answer, Gossip, Message, Moves};
use crate::observation::Observation;
use crate::write::Write;

/// Number of emptied batches kept: about as many as a turn sends.
const SPARE: usize = 8;
/// Reserve of a new batch beyond the recent maximum, so that one that grows a little does not reallocate.
const SLACK: usize = 3;

/// A message to hand to the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// When it leaves, as far as the node knows; items of a batch carry their own instants.
    pub at: Instant,
    /// The destination.
    pub to: Endpoint,
    /// The message.
    pub message: Message,
}

/// The output buffer of `step`. The driver drains it after each turn.
#[derive(Debug, Default)]
pub struct Effects {
    now: Instant,
    /// The node whose effects these are; 0 before its first step.
    me: NodeId,
    /// Whether a message in `sends` may be for the node itself.
    has_own: bool,
    /// Messages in the order in which they were begun.
    pub sends: Vec<Sending>,
    /// Writes in order; a node emits at most one until it is answered.
    pub writes: Vec<Write>,
    /// Transitions in order.
    pub observations: Vec<Observation>,
    /// Whether the process must end, to start again with what is durable. The node does nothing more.
    pub stops: bool,
    /// Whether the process must end because its release cannot read what it was given: it must not start again before
    /// it runs a newer one. The node does nothing more.
    pub refuses: bool,
    /// Whether the node was told to retire and has nothing left to do: it may be stopped.
    pub drained: bool,
    forwards: Gathering,
    replies: Gathering,
    /// Emptied batches, kept for their memory.
    spare: Vec<Vec<(ShardId, JournalMessage)>>,
}

/// How batches of one kind are gathered.
#[derive(Clone, Copy, Debug, Default)]
struct Gathering {
    /// The place in `sends` of the batch that was last added to, if it is still there.
    place: usize,
    /// The most items of a recent batch; the next one reserves a little more.
    room: usize,
}

impl Gathering {
    /// The batch for `to` that the next item goes to, found by `batch` in a message of its kind; begins one if there is
    /// none.
    #[inline]
    fn batch<'a, T>(
        &mut self,
        sends: &'a mut Vec<Sending>,
        (at, to): (Instant, Endpoint),
        batch: impl Fn(&mut Message) -> Option<&mut Vec<Timed<T>>>,
        begin: impl FnOnce(Vec<Timed<T>>) -> Message,
    ) -> Option<&'a mut Vec<Timed<T>>> {
        let fits =
            |sending: &mut Sending| sending.to == to && batch(&mut sending.message).is_some();
        if !sends.get_mut(self.place).is_some_and(fits) {
            self.place = sends.iter_mut().position(fits).unwrap_or_else(|| {
                let message = begin(Vec::with_capacity(self.room + self.room / 4 + SLACK));
                self.room -= self.room.div_ceil(16);
                sends.push(Sending { at, to, message });
                sends.len() - 1
            });
        }
        let batch = batch(&mut sends[self.place].message)?;
        self.room = self.room.max(batch.len() + 1);
        Some(batch)
    }
}

impl Effects {
    /// Sets the node and the instant of the following effects. Called by `step`.
    #[inline]
    pub fn begin(&mut self, now: Instant, me: NodeId) {
        (self.now, self.me) = (now, me);
    }

    /// Whether there are no effects.
    pub fn is_empty(&self) -> bool {
        self.sends.is_empty()
            && self.writes.is_empty()
            && self.observations.is_empty()
            && !self.drained
    }

    /// Takes the next message of the node to itself out of `sends`.
    #[inline]
    pub fn take_own(&mut self) -> Option<Sending> {
        if !self.has_own {
            return None;
        }
        let me = Endpoint::Node(self.me);
        let own = self.sends.iter().position(|sending| sending.to == me);
        self.has_own = own.is_some();
        own.map(|place| self.sends.remove(place))
    }

    /// Passes a client's request on to the node that is believed to lead its show.
    #[inline]
    pub fn forward(&mut self, to: NodeId, request: Request) {
        let at = self.now;
        self.has_own |= to == self.me;
        let batch = self.forwards.batch(
            &mut self.sends,
            (at, Endpoint::Node(to)),
            |message| if let Message::Forwarded(batch) = message { Some(batch) } else { None },
            Message::Forwarded,
        );
        if let Some(batch) = batch {
            batch.push(Timed { at, item: request });
        }
    }

    /// Whether all requests for `to` may be passed on as one batch, which [`pass_on`](Self::pass_on) hands over: no
    /// other batch of requests is on its way there. `begun` is the place where it was begun, if it was.
    #[inline]
    pub(crate) fn passes_on(&mut self, to: NodeId, begun: &mut Option<usize>) -> bool {
        let to = Endpoint::Node(to);
        if let Some(place) = *begun {
            return self.sends[place].to == to;
        }
        self.has_own |= to == Endpoint::Node(self.me);
        let there = |sending: &Sending| {
            sending.to == to && matches!(sending.message, Message::Forwarded(_))
        };
        if self.sends.iter().any(there) {
            return false;
        }
        *begun = Some(self.sends.len());
        self.sends.push(Sending { at: self.now, to, message: Message::Forwarded(Vec::new()) });
        true
    }

    /// Passes on a batch that was begun.
    pub(crate) fn pass_on(&mut self, begun: Option<usize>, batch: Vec<Timed<Request>>) {
        if let Some(place) = begun {
            self.sends[place].message = Message::Forwarded(batch);
        }
    }

    /// Answers a gateway; all leave now.
    pub fn answer(&mut self, to: NodeId, mut answers: Vec<Timed<Answer>>) {
        answers.iter_mut().for_each(|timed| timed.at = self.now);
        let to = Endpoint::Node(to);
        for sending in &mut self.sends {
            if let Message::Answers(batch) = &mut sending.message
                && sending.to == to
            {
                return batch.append(&mut answers);
            }
        }
        self.send(to, Message::Answers(answers));
    }

    /// Replies to a client.
    pub fn reply(&mut self, to: Endpoint, reply: Reply) {
        let at = self.now;
        if let Some(batch) = self.replies_to(to) {
            batch.push(Timed { at, item: reply });
        }
    }

    /// Refuses a client's request: most replies, so they are not moved about with the room for seats.
    #[inline]
    pub fn refuse(&mut self, to: Endpoint, request: RequestId, why: Refusal) {
        let at = self.now;
        if let Some(batch) = self.replies_to(to) {
            let reply = Reply { request, outcome: Outcome::Refused(why) };
            batch.push(Timed { at, item: reply });
        }
    }

    #[inline]
    fn replies_to(&mut self, to: Endpoint) -> Option<&mut Vec<Timed<Reply>>> {
        self.replies.batch(
            &mut self.sends,
            (self.now, to),
            |message| if let Message::Replies(batch) = message { Some(batch) } else { None },
            Message::Replies,
        )
    }

    /// Sends a journal replica's message to its peer.
    #[inline]
    pub fn journal(&mut self, to: NodeId, shard: ShardId, message: JournalMessage) {
        for sending in &mut self.sends {
            if let Message::Journal(batch) = &mut sending.message
                && sending.to == Endpoint::Node(to)
            {
                return batch.push((shard, message));
            }
        }
        let mut batch = self.spare.pop().unwrap_or_default();
        batch.push((shard, message));
        self.send(Endpoint::Node(to), Message::Journal(batch));
    }

    /// Takes an emptied batch back for the next message.
    pub(crate) fn reuse(&mut self, batch: Vec<(ShardId, JournalMessage)>) {
        if self.spare.len() < SPARE {
            self.spare.push(batch);
        }
    }

    /// Sends a beat.
    pub fn beat(&mut self, to: NodeId, beat: Beat) {
        self.send(Endpoint::Node(to), Message::Beat(beat));
    }

    /// Sends a message about facts.
    pub fn facts(&mut self, to: Endpoint, message: FactsMessage) {
        self.send(to, Message::Facts(Box::new(message)));
    }

    /// Sends a beat with rumours.
    pub fn gossip(&mut self, to: NodeId, gossip: Gossip) {
        self.send(Endpoint::Node(to), Message::Gossip(Box::new(gossip)));
    }

    /// Sends a beat that says that the node is about to stop.
    pub fn leaving(&mut self, to: NodeId, beat: Beat) {
        self.send(Endpoint::Node(to), Message::Leaving(beat));
    }

    /// Sends a message about the map.
    pub fn moves(&mut self, to: NodeId, moves: Moves) {
        self.send(Endpoint::Node(to), Message::Moves(moves));
    }

    /// Sends the held messages, now, before those sent since.
    pub(crate) fn release(&mut self, held: Vec<Sending>) {
        let (now, since) = (self.now, std::mem::replace(&mut self.sends, held));
        self.has_own = true;
        for sending in &mut self.sends {
            sending.at = now;
            sending.message.retime(|_| now);
        }
        self.sends.extend(since);
    }

    /// Asks for a durable write.
    pub fn persist(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Reports a transition. They are rare.
    #[cold]
    pub fn observe(&mut self, observation: Observation) {
        self.observations.push(observation);
    }

    fn send(&mut self, to: Endpoint, message: Message) {
        self.has_own |= to == Endpoint::Node(self.me);
        self.sends.push(Sending { at: self.now, to, message });
    }
}
