//! The cost of each piece of a node's work.
//!
//! Owns the kinds of work, their names, and the draws of varying costs, from a stream of the node's own;
//! constant costs draw nothing. Refuses to know which core does the work, and when.

use onsale_booking::Span;
use onsale_cluster::{Input, Message};
use onsale_scenarios::{Costs, Timing};

use onsale_world::sample::timing;
use onsale_world::stream::Stream;

/// A kind of work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// A gateway takes in a request.
    Route,
    /// A leader decides a request.
    Decide,
    /// A leader passes over a request that its gateway no longer waits for.
    PassOver,
    /// A gateway returns a reply.
    Reply,
    /// A replica takes in this many messages of its peers.
    Journal(usize),
    /// A node takes in a beat, with or without rumours, or a farewell.
    Beat,
    /// A node takes in a message about moves.
    Moves,
    /// A node takes in a message about facts.
    Facts,
    /// A write is durable.
    Persisted,
    /// Work without cost, by name.
    Free(&'static str),
}

impl Work {
    /// The kind of work that an input is.
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
            Input::Recover { .. } => Self::Free("recover"),
            Input::GiveUp { .. } => Self::Free("give up"),
            Input::Retire => Self::Free("retire"),
            Input::DeadlineReached => Self::Free("deadline"),
            Input::TurnEnded => Self::Free("end of the turn"),
        }
    }

    /// The kind of work that a message as a whole is.
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

    /// The priced kind, and the number of pieces.
    #[inline]
    fn pieces(self) -> (Kind, usize) {
        match self {
            Self::Route | Self::PassOver | Self::Facts => (Kind::Route, 1),
            Self::Decide => (Kind::Decide, 1),
            Self::Reply => (Kind::Reply, 1),
            Self::Journal(messages) => (Kind::JournalMessage, messages),
            Self::Beat | Self::Moves => (Kind::Beat, 1),
            Self::Persisted => (Kind::Persisted, 1),
            Self::Free(_) => (Kind::Free, 1),
        }
    }

    /// The name of the work in traces.
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

/// Prices of work on one node, from its start to its death.
#[derive(Debug)]
pub(super) struct Prices {
    costs: Costs,
    /// By kind of work, the price of a piece if it is constant.
    steady: [Option<Span>; Kind::COUNT],
    stream: Stream,
}

impl Prices {
    pub(super) fn new(costs: Costs, seed: u64) -> Self {
        let steady = Kind::ALL.map(|kind| kind.price(&costs).constant());
        Self { costs, steady, stream: Stream::new(seed) }
    }

    /// Cost of a piece of work, on a core that does not limp.
    #[inline]
    pub(super) fn of(&mut self, work: Work) -> Span {
        self.steady(work).unwrap_or_else(|| {
            let (kind, times) = work.pieces();
            let price = kind.price(&self.costs);
            Span((0..times).map(|_| timing(self.stream.draw(), price).0).sum())
        })
    }

    /// Cost of reading back this many bytes.
    pub(super) fn of_recovery(&mut self, bytes: u64) -> Span {
        let mib = match self.costs.recover_mib.constant() {
            Some(span) => span,
            None => timing(self.stream.draw(), &self.costs.recover_mib),
        };
        Span(mib.0 * bytes / (1 << 20))
    }

    /// The price of a kind of work, if it is constant.
    #[inline]
    pub(super) fn steady(&self, work: Work) -> Option<Span> {
        let (kind, times) = work.pieces();
        self.steady[kind as usize].map(|span| Span(span.0 * times as u64))
    }
}

/// Kinds of work that have a price.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Route,
    Decide,
    Reply,
    JournalMessage,
    Beat,
    Persisted,
    Free,
}

impl Kind {
    const COUNT: usize = 7;
    const ALL: [Self; Self::COUNT] = [
        Self::Route,
        Self::Decide,
        Self::Reply,
        Self::JournalMessage,
        Self::Beat,
        Self::Persisted,
        Self::Free,
    ];

    /// The price of one piece.
    fn price(self, costs: &Costs) -> &Timing {
        match self {
            Self::Route => &costs.route,
            Self::Decide => &costs.decide,
            Self::Reply => costs.reply.as_ref().unwrap_or(&costs.route),
            Self::JournalMessage => &costs.journal_message,
            Self::Beat => &costs.beat,
            Self::Persisted => &costs.persisted,
            Self::Free => &Timing::ZERO,
        }
    }
}
