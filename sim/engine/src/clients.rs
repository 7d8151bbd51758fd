//! The clients' host: everyone who is not a node of the cluster.
//!
//! Owns the turns of the crowd and of the clients of facts, the sending of their requests, and the end of the run
//! once all are done. It stands above both: they know no network and no cluster. Refuses to know what they do.

use onsale_booking::{Instant, NodeId, Request, RequestId, Timed};
use onsale_scenarios::Scenario;
use onsale_world::ClientsTurn;
use onsale_world::place::Place;

use crate::browsing::{Browsing, Posted};
use crate::crowd::Crowd;
use crate::seen::messages::{Heard, Returned};
use crate::seen::sight::Sight;
use crate::system::{System, World};

/// The clients' host: the turns of the crowd and of the clients of facts.
pub(crate) struct Clients {
    crowd: Crowd,
    browsing: Option<Browsing>,
    scenario: Scenario,
    /// Instant at which the last fault has healed.
    calm: Instant,
    /// Whether all are done and the run's end is entered.
    ending: bool,
    ended: bool,
}

impl Clients {
    /// The host before the first arrival.
    pub(crate) const fn new(
        crowd: Crowd,
        browsing: Option<Browsing>,
        scenario: Scenario,
        calm: Instant,
    ) -> Self {
        Self { crowd, browsing, scenario, calm, ending: false, ended: false }
    }

    /// Takes the clients' next turn.
    pub(crate) fn take_turn<S: System>(&mut self, world: &mut World<S>, turn: ClientsTurn<S>) {
        let now = world.now;
        if self.ended {
            // Everybody has left: late messages are dropped.
            return;
        }
        self.look_at_rotation(world);
        match turn {
            ClientsTurn::Delivered(from, message) => match S::heard(message) {
                Ok(Heard::Replies(batch)) => {
                    self.crowd.hear(now, &batch, &mut world.ears.witness);
                }
                Ok(Heard::Facts(told)) => {
                    if let Some(browsing) = &mut self.browsing {
                        browsing.hear(now, from.node_id(), &told, &mut world.ears.witness);
                    }
                }
                Err(message) => {
                    panic!("{from} sends {message:?} to clients, which take replies only")
                }
            },
            ClientsTurn::Reset(node, died) => self.lose(world, node.node_id(), died),
            ClientsTurn::Returned(node, message) => {
                self.take_back(world, node.node_id(), *message);
            }
            ClientsTurn::Wake => {
                self.crowd.act(now, &mut world.ears.witness);
                if let Some(browsing) = &mut self.browsing {
                    browsing.act(now, &mut world.ears.witness);
                }
            }
            ClientsTurn::End => return self.end(world, now),
        }
        self.send(world, now);
        self.rest(world, now);
    }

    /// Passes on the load balancer's changes of gateways and members.
    fn look_at_rotation<S: System>(&mut self, world: &mut World<S>) {
        if let Some(open) = world.rotation.take_changed() {
            self.crowd.choose_among(open);
        }
        if let Some(browsing) = &mut self.browsing
            && let Some(members) = world.rotation.take_changed_members()
        {
            browsing.ask_among(members);
        }
    }

    /// Drops the connections to a gateway whose process died.
    #[cold]
    fn lose<S: System>(&mut self, world: &mut World<S>, node: NodeId, died: Instant) {
        let now = world.now;
        self.crowd.lose_connections(now, node.0, died, &mut world.ears.witness);
        if let Some(browsing) = &mut self.browsing {
            browsing.lose_connections(now, node, died);
        }
    }

    /// Takes back a message that a dead process's machine refused.
    #[cold]
    fn take_back<S: System>(&mut self, world: &mut World<S>, node: NodeId, message: S::Message) {
        let now = world.now;
        match S::returned(message) {
            Ok(Returned::Requests(batch)) => {
                let heard = |sent: Timed<Request>| Timed { at: sent.at, item: sent.item.id };
                let refused: Vec<Timed<RequestId>> = batch.into_iter().map(heard).collect();
                self.crowd.take_refusals(now, node.0, &refused, &mut world.ears.witness);
            }
            Ok(Returned::Question(id)) => {
                if let Some(browsing) = &mut self.browsing {
                    browsing.take_refusal(now, id);
                }
            }
            Err(message) => panic!("no client sends {message:?}"),
        }
    }

    /// Ends the run: notes the fates and the open requests.
    fn end<S: System>(&mut self, world: &mut World<S>, now: Instant) {
        // If everybody had left already, the stop cuts nothing off.
        world.course.stops_at.take_if(|at| *at != now);
        if let Some(browsing) = &mut self.browsing {
            browsing.close(now, &mut world.ears.witness);
            world.ears.facts = Some(browsing.result(&world.ears.witness));
        }
        world.ears.open = self.crowd.finish(now, &mut world.ears.witness);
        world.ears.fates = self.crowd.fates().clone();
        world.ears.manners = self.crowd.manners();
        world.stop();
        self.ended = true;
    }

    /// Sends the requests and questions, and shows the watch who has left.
    fn send<S: System>(&mut self, world: &mut World<S>, now: Instant) {
        self.crowd.drain_outbox(|gateway, batch| {
            let departs = batch[0].at;
            world.send(Place::Clients, Place::Node(gateway), departs, S::requests(batch));
        });
        if world.ears.witness.is_watched() {
            for (user, fate) in self.crowd.take_left() {
                world.ears.witness.sees(now, || Sight::Left { user, fate });
            }
        }
        for Posted { node, session, question } in
            self.browsing.iter_mut().flat_map(Browsing::drain_outbox)
        {
            let node = Place::Node(node);
            world.ears.witness.sees(now, || Sight::Looks { session, node, question: &question });
            world.send(Place::Clients, node, now, S::question(question));
        }
    }

    /// Enters the wake-up for the next act; once all are done, enters the run's end.
    fn rest<S: System>(&mut self, world: &mut World<S>, now: Instant) {
        let (mut wake, mut done) = (self.crowd.next_wake(), self.crowd.is_done());
        if let Some(browsing) = &mut self.browsing {
            wake = wake.into_iter().chain(browsing.next_wake()).min();
            done &= browsing.is_done();
        }
        world.wake_at(Place::Clients, wake);
        world.course.report_users(self.crowd.fates().ended());
        if done && !self.ending {
            // All are done: the last holds expire, and the run ends.
            self.ending = true;
            let (sale, calm) = (&self.scenario.sale, self.scenario.calm);
            world.end_at(now.max(self.calm) + sale.hold + sale.grace + calm);
        }
    }
}
