//! Whose turn it is.
//!
//! Owns the seats of the hosts and the baton. A host's task holds the baton while it acts,
//! and [`next_turn`] passes it on to the host that the next event concerns. A host that
//! has taken its place as a [`Resident`] is given its turns on the spot, wherever the
//! baton is, without a task being woken for each. Refuses to know what a turn is about.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use onsale_booking::Instant;

use super::{Turn, World, with};
use crate::seen::place::{Place, Process};

/// A host that takes its turns wherever the baton is, because nothing in a turn waits.
pub trait Resident: Send {
    /// What happens next to it.
    fn take_turn(&mut self, world: &mut World, now: Instant, turn: Turn);
}

#[derive(Default)]
pub(super) struct Seat {
    pub(super) resident: Option<Box<dyn Resident>>,
    pub(super) turn: Option<(Instant, Turn)>,
    pub(super) waker: Option<Waker>,
}

impl World {
    /// The run is over for every host: each gets [`Turn::End`], so that its task ends and frees what it holds.
    pub fn dismiss(&mut self) {
        self.dismissed = true;
        let seats = self.seats.values_mut().chain(std::iter::once(&mut self.director));
        for seat in seats.map(std::mem::take) {
            seat.waker.into_iter().for_each(Waker::wake);
        }
    }

    /// The run is over, and each node that is up is told so while it still has all that it had.
    pub fn part(&mut self) {
        for place in self.layout().nodes() {
            if self.process(place) == Process::Up
                && let Some(mut resident) = self.seats[place].resident.take()
            {
                resident.take_turn(self, self.now, Turn::End);
            }
        }
    }

    /// Gives residents their turns until one is due that only a task can take.
    fn play(&mut self) -> (Place, Instant, Turn) {
        loop {
            let (host, at, turn) = self.advance();
            let Some(mut resident) = self.seat(host).resident.take() else {
                self.advance_clock();
                return (host, at, turn);
            };
            resident.take_turn(self, at, turn);
            self.seat(host).resident = Some(resident);
        }
    }

    fn seat(&mut self, place: Place) -> &mut Seat {
        match place {
            Place::Director => &mut self.director,
            Place::Clients | Place::Node(_) | Place::Service(_) => &mut self.seats[place],
        }
    }

    fn poll_turn(&mut self, me: Place, cx: &Context<'_>) -> Poll<(Instant, Turn)> {
        if self.dismissed {
            return Poll::Ready((self.now, Turn::End));
        }
        if self.holder == me {
            let (host, at, turn) = match self.seat(me).turn.take() {
                Some((at, turn)) => return Poll::Ready((at, turn)),
                None => self.play(),
            };
            if host == me {
                return Poll::Ready((at, turn));
            }
            self.holder = host;
            self.seat(host).turn = Some((at, turn));
            if let Some(waker) = &self.seat(host).waker {
                waker.wake_by_ref();
            }
        }
        let seat = self.seat(me);
        if seat.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            seat.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Waits for the host's next turn, passing the baton on meanwhile.
pub async fn next_turn(me: Place) -> (Instant, Turn) {
    poll_fn(|cx| with(|world| world.poll_turn(me, cx))).await
}

/// A host takes its place until it is dismissed.
pub async fn reside(place: Place, resident: Box<dyn Resident>) {
    with(|world| world.seat(place).resident = Some(resident));
    while !matches!(next_turn(place).await.1, Turn::End) {}
}
