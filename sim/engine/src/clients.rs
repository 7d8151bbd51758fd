//! The clients' host: whoever is no node of the cluster.
//!
//! Owns the turns of the crowd and of those who deal with facts, how what they say goes over the network, and that
//! the run ends once all their stories have. It stands above both: they know no network and no cluster. Refuses to
//! know what they do.

use onsale_booking::{Instant, NodeId, Request, RequestId, Timed};
use onsale_cluster::Message;
use onsale_cluster::fact::FactsMessage;
use onsale_scenarios::Scenario;
use onsale_world::ClientsTurn;
use onsale_world::place::Place;

use crate::browsing::{Browsing, Posted};
use crate::crowd::Crowd;
use crate::seen::sight::Sight;
use crate::system::{System, World};

/// The clients' host: the turns of the crowd and of those who deal with facts.
pub(crate) struct Clients {
    crowd: Crowd,
    browsing: Option<Browsing>,
    scenario: Scenario,
    /// When the last fault is over.
    calm: Instant,
    /// Everybody's story has ended; the run's end is entered.
    ending: bool,
    ended: bool,
}

impl Clients {
    /// Nobody has come yet.
    pub(crate) const fn new(
        crowd: Crowd,
        browsing: Option<Browsing>,
        scenario: Scenario,
        calm: Instant,
    ) -> Self {
        Self { crowd, browsing, scenario, calm, ending: false, ended: false }
    }

    /// What happens next to them.
    pub(crate) fn take_turn<S: System>(&mut self, world: &mut World<S>, turn: ClientsTurn<S>) {
        let now = world.now;
        if self.ended {
            // What still comes finds nobody.
            return;
        }
        self.look_at_rotation(world);
        match turn {
            ClientsTurn::Delivered(_, Message::Replies(batch)) => {
                self.crowd.hear(now, &batch, &mut world.ears.witness)
            }
            ClientsTurn::Delivered(node, Message::Facts(message)) => {
                if let (Some(browsing), FactsMessage::Told(told)) = (&mut self.browsing, &*message)
                {
                    browsing.hear(now, node.node_id(), told, &mut world.ears.witness);
                }
            }
            ClientsTurn::Delivered(from, message) => {
                panic!("{from} says {message:?} to clients, who are told replies alone")
            }
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

    /// The load balancer has taken gateways in or out, or knows other members.
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

    /// Connections to a gateway whose process died are lost.
    #[cold]
    fn lose<S: System>(&mut self, world: &mut World<S>, node: NodeId, died: Instant) {
        let now = world.now;
        self.crowd.lose_connections(now, node.0, died, &mut world.ears.witness);
        if let Some(browsing) = &mut self.browsing {
            browsing.lose_connections(now, node, died);
        }
    }

    /// A machine refuses what was sent to a process that is dead.
    #[cold]
    fn take_back<S: System>(&mut self, world: &mut World<S>, node: NodeId, message: Message) {
        let now = world.now;
        match message {
            Message::Requests(batch) => {
                let heard = |sent: Timed<Request>| Timed { at: sent.at, item: sent.item.id };
                let refused: Vec<Timed<RequestId>> = batch.into_iter().map(heard).collect();
                self.crowd.take_refusals(now, node.0, &refused, &mut world.ears.witness);
            }
            Message::Facts(message) => {
                if let (Some(browsing), FactsMessage::Question(question)) =
                    (&mut self.browsing, *message)
                {
                    browsing.take_refusal(now, question.id);
                }
            }
            Message::Forwarded(_)
            | Message::Answers(_)
            | Message::Replies(_)
            | Message::Journal(_)
            | Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_) => panic!("no client sends {message:?}"),
        }
    }

    /// The run is over: what became of everybody is written down.
    fn end<S: System>(&mut self, world: &mut World<S>, now: Instant) {
        // Where everybody was gone already, nothing is left out.
        world.course.stops_at.take_if(|at| *at != now);
        if let Some(browsing) = &mut self.browsing {
            browsing.close(now, &mut world.ears.witness);
            world.ears.facts = Some(browsing.result(&world.ears.witness));
        }
        world.ears.open = self.crowd.finish(now, &mut world.ears.witness);
        world.ears.fates = self.crowd.fates().clone();
        world.stop();
        self.ended = true;
    }

    /// What they ask goes out, and whoever looks on learns who has left.
    fn send<S: System>(&mut self, world: &mut World<S>, now: Instant) {
        self.crowd.drain_outbox(|gateway, batch| {
            let departs = batch[0].at;
            world.send(Place::Clients, Place::Node(gateway), departs, Message::Requests(batch));
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
            let question = Message::Facts(Box::new(FactsMessage::Question(question)));
            world.send(Place::Clients, node, now, question);
        }
    }

    /// They are woken when somebody next acts; when nobody is left, the run's end is entered.
    fn rest<S: System>(&mut self, world: &mut World<S>, now: Instant) {
        let (mut wake, mut done) = (self.crowd.next_wake(), self.crowd.is_done());
        if let Some(browsing) = &mut self.browsing {
            wake = wake.into_iter().chain(browsing.next_wake()).min();
            done &= browsing.is_done();
        }
        world.wake_at(Place::Clients, wake);
        world.course.report_users(self.crowd.fates().ended());
        if done && !self.ending {
            // Nobody is left: the last holds run out, and the run is over.
            self.ending = true;
            let (sale, calm) = (&self.scenario.sale, self.scenario.calm);
            world.end_at(now.max(self.calm) + sale.hold + sale.grace + calm);
        }
    }
}
