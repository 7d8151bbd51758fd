//! What each piece of a node's work costs.
//!
//! Owns the kinds of work, their names, and the draws of costs that vary: a stream of the node's own,
//! of which costs that do not vary draw nothing. Refuses to know which core does the work, and when.

use onsale_core::{Input, Message, Span};
use onsale_scenarios::{Costs, Timing};

use crate::sample::timing;
use crate::stream::Stream;

/// A kind of work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// A gateway takes in a request.
    Route,
    /// A leader decides one.
    Decide,
    /// A leader passes over one that nobody waits for any more.
    PassOver,
    /// A gateway hands back a reply.
    Reply,
    /// A replica takes in so many messages of its peers.
    Journal(usize),
    /// A node takes in a beat, with or without rumours, or a word about who carries what.
    Beat,
    /// The same about moves.
    Moves,
    /// A node is asked or told about facts.
    Facts,
    /// A write is durable.
    Persisted,
    /// What costs nothing: its name.
    Free(&'static str),
}

impl Work {
    /// What an input is to a core.
    pub(super) fn of(input: &Input) -> Self {
        match input {
            Input::Request { .. } => Self::Route,
            Input::Forwarded { .. } => Self::Decide,
            Input::Answered { .. } => Self::Reply,
            Input::Delivered { message, .. } => Self::of_message(message),
            Input::Persisted(_) => Self::Persisted,
            Input::WriteFailed(_) | Input::WriteRefused(_) => Self::Free("write error"),
            Input::DamageFound => Self::Free("scrub"),
            Input::Join => Self::Free("join"),
            Input::Leave(_) => Self::Free("leave"),
            Input::Retire => Self::Free("retire"),
            Input::DeadlineReached => Self::Free("deadline"),
            Input::TurnEnded => Self::Free("end of the turn"),
        }
    }

    /// What a message as a whole is to a core.
    pub(super) fn of_message(message: &Message) -> Self {
        match message {
            Message::Beat(_) | Message::Gossip(_) | Message::Leaving(_) => Self::Beat,
            Message::Moves(_) => Self::Moves,
            Message::Journal(messages) => Self::Journal(messages.len()),
            Message::Facts(_) => Self::Facts,
            Message::Requests(_)
            | Message::Forwarded(_)
            | Message::Answers(_)
            | Message::Replies(_) => panic!("requests and answers are taken in one by one"),
        }
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Route => "route a request",
            Self::Decide => "decide",
            Self::PassOver => "pass over",
            Self::Reply => "route an answer",
            Self::Journal(_) | Self::Moves => "journal",
            Self::Beat => "beat",
            Self::Facts => "facts",
            Self::Persisted => "persisted",
            Self::Free(name) => name,
        }
    }
}

/// What work costs on one node, from its start to its end.
#[derive(Debug)]
pub(super) struct Prices {
    costs: Costs,
    stream: Stream,
}

impl Prices {
    pub(super) fn new(costs: Costs, seed: u64) -> Self {
        Self { costs, stream: Stream::new(seed) }
    }

    /// What a piece of work costs, on a core that is well.
    #[inline]
    pub(super) fn of(&mut self, work: Work) -> Span {
        let Self { costs, stream } = self;
        let (price, times) = price_of(costs, work);
        match price.constant() {
            Some(span) => Span(span.0 * times as u64),
            None => Span((0..times).map(|_| timing(stream.draw(), price).0).sum()),
        }
    }

    /// The time that reading back this many bytes costs.
    pub(super) fn of_recovery(&mut self, bytes: u64) -> Span {
        let mib = match self.costs.recover_mib.constant() {
            Some(span) => span,
            None => timing(self.stream.draw(), &self.costs.recover_mib),
        };
        Span(mib.0 * bytes / (1 << 20))
    }

    /// The price of a kind of work, if it is always the same.
    #[inline]
    pub(super) fn steady(&self, work: Work) -> Option<Span> {
        let (price, times) = price_of(&self.costs, work);
        price.constant().map(|span| Span(span.0 * times as u64))
    }

    /// Whether work of this kind takes no core.
    #[inline]
    pub(super) fn is_free(&self, work: Work) -> bool {
        self.steady(work) == Some(Span::ZERO)
    }
}

/// The price of one piece, and how many pieces there are.
#[inline]
fn price_of(costs: &Costs, work: Work) -> (&Timing, usize) {
    match work {
        Work::Route | Work::PassOver | Work::Facts => (&costs.route, 1),
        Work::Decide => (&costs.decide, 1),
        Work::Reply => (costs.reply.as_ref().unwrap_or(&costs.route), 1),
        Work::Journal(messages) => (&costs.journal_message, messages),
        Work::Beat | Work::Moves => (&costs.beat, 1),
        Work::Persisted => (&costs.persisted, 1),
        Work::Free(_) => (&Timing::ZERO, 1),
    }
}
