//! The clients' host: whoever is no node of the cluster.
//!
//! Owns the turns of the crowd and of those who deal with facts, how what they say goes over the network, and that
//! the run ends once all their stories have. It stands above both: they know no network and no cluster. Refuses to
//! know what they do.

use onsale_booking::{Endpoint, Instant, NodeId};
use onsale_cluster::Message;
use onsale_cluster::fact::FactsMessage;
use onsale_scenarios::Scenario;

use crate::browsing::{Browsing, Posted};
use crate::crowd::Crowd;
use crate::seen::place::Place;
use crate::seen::sight::Sight;
use crate::world::{self, Reset, Resident, Turn, World, next_turn};

/// The clients' host: the turns of the crowd and of those who deal with facts.
struct Clients {
    crowd: Crowd,
    browsing: Option<Browsing>,
    scenario: Scenario,
    /// When the last fault is over.
    calm: Instant,
    /// Everybody's story has ended; the run's end is entered.
    ending: bool,
    ended: bool,
}

/// The clients take their place with their first turn.
pub(super) async fn serve_clients(
    crowd: Crowd,
    browsing: Option<Browsing>,
    scenario: Scenario,
    calm: Instant,
) {
    let mut clients = Clients { crowd, browsing, scenario, calm, ending: false, ended: false };
    let (now, turn) = next_turn(Place::Clients).await;
    world::with(|world| clients.take_turn(world, now, turn));
    world::reside(Place::Clients, Box::new(clients)).await;
}

impl Resident for Clients {
    fn take_turn(&mut self, world: &mut World, now: Instant, turn: Turn) {
        if self.ended {
            // What still comes finds nobody.
            return;
        }
        self.look_at_rotation(world);
        match turn {
            Turn::Delivered { message: Message::Replies(batch), .. } => {
                self.crowd.hear(now, &batch, &mut world.witness)
            }
            Turn::Delivered { from: Endpoint::Node(node), message: Message::Facts(message) } => {
                if let (Some(browsing), FactsMessage::Told(told)) = (&mut self.browsing, &*message)
                {
                    browsing.hear(now, node, told, &mut world.witness);
                }
            }
            Turn::Reset { node, reset } => self.lose(world, now, node.node_id(), *reset),
            Turn::Wake => {
                self.crowd.act(now, &mut world.witness);
                if let Some(browsing) = &mut self.browsing {
                    browsing.act(now, &mut world.witness);
                }
            }
            Turn::End => return self.end(world, now),
            Turn::Boot
            | Turn::Delivered { .. }
            | Turn::Persisted(_)
            | Turn::WriteFailed(_)
            | Turn::WriteRefused(_)
            | Turn::DamageFound
            | Turn::Dies(_)
            | Turn::CoreFree(_)
            | Turn::Probed
            | Turn::Told(_)
            | Turn::Stage { .. }
            | Turn::Fault { .. }
            | Turn::FaultStep { .. } => {
                panic!("{turn:?} is not the clients'")
            }
        }
        self.send(world, now);
        self.rest(world, now);
    }
}

impl Clients {
    /// The load balancer has taken gateways in or out, or knows other members.
    fn look_at_rotation(&mut self, world: &mut World) {
        if let Some(open) = world.rotation.take_changed() {
            self.crowd.choose_among(open);
        }
        if let Some(browsing) = &mut self.browsing
            && let Some(members) = world.rotation.take_changed_members()
        {
            browsing.ask_among(members);
        }
    }

    /// Connections to a gateway are lost, or it refuses what it was sent.
    #[cold]
    fn lose(&mut self, world: &mut World, now: Instant, node: NodeId, reset: Reset) {
        match reset {
            Reset::Died(died) => {
                self.crowd.lose_connections(now, node.0, died, &mut world.witness);
                if let Some(browsing) = &mut self.browsing {
                    browsing.lose_connections(now, node, died);
                }
            }
            Reset::Requests(refused) => {
                self.crowd.take_refusals(now, node.0, &refused, &mut world.witness);
            }
            Reset::Question(id) => {
                self.browsing.iter_mut().for_each(|browsing| browsing.take_refusal(now, id))
            }
        }
    }

    /// The run is over: what became of everybody is written down.
    fn end(&mut self, world: &mut World, now: Instant) {
        // Where everybody was gone already, nothing is left out.
        world.stops_at.take_if(|at| *at != now);
        if let Some(browsing) = &mut self.browsing {
            browsing.close(now, &mut world.witness);
            world.facts = Some(browsing.result(&world.witness));
        }
        world.open = self.crowd.finish(now, &mut world.witness);
        world.fates = self.crowd.fates().clone();
        world.stop();
        self.ended = true;
    }

    /// What they ask goes out, and whoever looks on learns who has left.
    fn send(&mut self, world: &mut World, now: Instant) {
        self.crowd.drain_outbox(|gateway, batch| {
            let departs = batch[0].at;
            world.send(Place::Clients, Place::Node(gateway), departs, Message::Requests(batch));
        });
        if world.witness.is_watched() {
            for (user, fate) in self.crowd.take_left() {
                world.witness.sees(now, || Sight::Left { user, fate });
            }
        }
        for Posted { node, session, question } in
            self.browsing.iter_mut().flat_map(Browsing::drain_outbox)
        {
            let node = Place::Node(node);
            world.witness.sees(now, || Sight::Looks { session, node, question: &question });
            let question = Message::Facts(Box::new(FactsMessage::Question(question)));
            world.send(Place::Clients, node, now, question);
        }
    }

    /// They are woken when somebody next acts; when nobody is left, the run's end is entered.
    fn rest(&mut self, world: &mut World, now: Instant) {
        let (mut wake, mut done) = (self.crowd.next_wake(), self.crowd.is_done());
        if let Some(browsing) = &mut self.browsing {
            wake = wake.into_iter().chain(browsing.next_wake()).min();
            done &= browsing.is_done();
        }
        world.wake_at(Place::Clients, wake);
        world.report_users(self.crowd.fates().ended());
        if done && !self.ending {
            // Nobody is left: the last holds run out, and the run is over.
            self.ending = true;
            let (sale, calm) = (&self.scenario.sale, self.scenario.calm);
            world.end_at(now.max(self.calm) + sale.hold + sale.grace + calm);
        }
    }
}
