//! The process as a host of the world.
//!
//! Owns its one core, and passes on each request at the instant at which the core has done the work. Refuses to know
//! what is decided.

use std::sync::Arc;

use onsale_booking::{Event, Instant, NodeId, Reply, Span, Timed};
use onsale_cluster::{Epoch, Phase, ShardId};
use onsale_oracles::Table;
use onsale_scenarios::{Costs, Moment, Timing};
use onsale_world::clock::Reading;
use onsale_world::cores::Cores;
use onsale_world::place::Place;
use onsale_world::sample::timing;
use onsale_world::stream::{Stream, fork, mix};
use onsale_world::{Machine, NodeTurn, Write, WriteId};

use super::log::{Line, read};
use super::message::Message;
use super::seller::Seller;
use super::{Setup, Solo};
use crate::awaited::{Came, Moments};
use crate::doing::Doing;
use crate::plan::Plan;
use crate::seen::sight::Sight;
use crate::struck::outages::Before;
use crate::system::{self, World, moment_came};

/// A process, from its start to its death.
#[derive(Debug)]
pub struct Host {
    place: Place,
    setup: Arc<Setup>,
    seller: Seller,
    core: Cores,
    /// A request that would wait longer for the core is dropped: its client has asked again by then, or is gone, and
    /// a process that decides what nobody waits for never catches up.
    stale: Span,
    costs: Costs,
    chance: Stream,
    /// The log segment of this start.
    segment: u32,
    writes: u64,
    clock: Reading,
    slow: u64,
}

/// The one log.
const LOG: ShardId = ShardId(0);

impl system::Host<Solo> for Host {
    fn boot(world: &mut World<Solo>, place: Place, plan: &Plan, setup: &Arc<Setup>) -> Self {
        let (now, boots) = (world.now, world.incarnation(place));
        world.ears.doing = Some(Doing::turn::<Solo>(place, &NodeTurn::Boot));
        let machine = world.machine(place);
        let (has_written, bytes) = (machine.has_written(), machine.disk.bytes());
        let log = read(machine.disk.segments());
        let seed = fork(plan.stream("nodes"), &format!("node/{}", place.number()));
        let mut host = Self {
            place,
            setup: setup.clone(),
            seller: Seller::new(setup.clone(), boots, &log),
            core: Cores::new(1),
            stale: Span(plan.scenario.crowd.session.request_timeout.0 / 4),
            costs: plan.scenario.costs.clone(),
            chance: Stream::new(mix(fork(seed, "costs") ^ boots)),
            segment: boots as u32,
            writes: 0,
            clock: machine.clock.reading(),
            slow: machine.limps.slow(),
        };
        host.note(world, Moment::Recovering, now, has_written);
        let recovery = host.cost(|costs| &costs.recover_mib).0 * bytes / (1 << 20);
        let ready = host.core.take(0, now, Span(recovery));
        let (ears, me) = (&mut world.ears, place.node_id());
        ears.leaders[LOG.0 as usize] = Some((Epoch(boots), me));
        ears.faults.elected(now, LOG);
        ears.faults.leader_changed(now, LOG, me, Before { heard: now, ..Before::default() });
        if !log.is_empty() {
            let bytes = log.iter().flat_map(Line::to_bytes).collect();
            host.write(world, ready, bytes, host.segment);
        }
        host.end_turn(world, ready);
        host
    }

    fn take_turn(&mut self, world: &mut World<Solo>, turn: NodeTurn<Solo>) {
        let now = world.now;
        world.ears.doing = Some(Doing::turn(self.place, &turn));
        let machine = world.machine(self.place);
        (self.clock, self.slow) = (machine.clock.reading(), machine.limps.slow());
        let mut done = now;
        match turn {
            NodeTurn::Delivered(_, Message::Requests(batch)) => {
                for Timed { at, item } in batch {
                    let at = at.max(now);
                    if self.core.starts(0, at).since(at) > self.stale {
                        continue;
                    }
                    done = self.work(world, at, "decide", |costs| &costs.decide);
                    self.seller.decide(self.clock.at(done), &item);
                }
            }
            NodeTurn::Persisted(_) => {
                done = self.work(world, now, "persisted", |costs| &costs.persisted);
                let replies = self.seller.persisted();
                self.reply(world, done, replies);
            }
            // How much of it is on the disk shows once the process is dead.
            NodeTurn::WriteFailed(_) | NodeTurn::WriteRefused(_) => {
                return world.give_up(self.place);
            }
            NodeTurn::Wake => {
                // Timers cost nothing, but the core has to come to them.
                done = self.core.starts(0, now);
                self.seller.wake(self.clock.at(done));
            }
            NodeTurn::Boot
            | NodeTurn::Delivered(..)
            | NodeTurn::DamageFound
            | NodeTurn::CoreFree(_)
            | NodeTurn::Told(_) => panic!("solo takes no such turn: {turn:?}"),
        }
        self.end_turn(world, done);
    }

    fn phase(&self, _: u32) -> Phase {
        Phase::Serving
    }

    /// Nothing waits but what a write carries: it is on the disk or gone with the process.
    fn tables(&self, _: Instant, _: &dyn Fn(NodeId) -> bool) -> Vec<Table> {
        Vec::new()
    }

    fn audit(&self, machine: &Machine<Solo>) -> u32 {
        let Some(portrait) = self.seller.portrait() else { return 0 };
        let replayed = Seller::new(self.setup.clone(), 0, &read(machine.disk.segments()));
        let replayed = replayed.portrait().unwrap_or_default();
        // A show that has changed nothing is not on the disk.
        let touched = |id| portrait.iter().find(|(of, _)| of == id).map(|(_, bytes)| bytes);
        let is_same = replayed.iter().all(|(id, bytes)| touched(id) == Some(bytes));
        assert!(is_same, "{}: what it has sold differs from its log", self.place);
        1
    }
}

impl Host {
    /// Does a piece of work that arrives at `at` on the core; returns the instant at which it is done.
    fn work(
        &mut self,
        world: &mut World<Solo>,
        at: Instant,
        work: &'static str,
        price: impl Fn(&Costs) -> &Timing,
    ) -> Instant {
        let cost = self.cost(price);
        let done = self.core.take(0, at, cost);
        let (node, from) = (self.place, Instant(done.0 - cost.0));
        let sight = || Sight::Worked { node, core: 0, from, until: done, work };
        world.ears.witness.sees(world.now, sight);
        done
    }

    /// Notes that a moment comes, if it does and a fault waits for it.
    fn note(&self, world: &mut World<Solo>, moment: Moment, at: Instant, comes: bool) {
        if comes && world.ears.awaited.any(Moments::of(&[moment])) {
            moment_came(world, Came { moment, at, node: self.place, log: Some(LOG.0) });
        }
    }

    fn cost(&mut self, price: impl Fn(&Costs) -> &Timing) -> Span {
        Span(timing(self.chance.draw(), price(&self.costs)).0 * self.slow)
    }

    fn reply(&self, world: &mut World<Solo>, at: Instant, replies: Vec<Reply>) {
        if !replies.is_empty() {
            self.note(world, Moment::BeforeReply, world.now, at > world.now);
            let (judges, way) =
                (&mut world.ears.witness.judges, (self.place.node_id(), Place::Clients));
            for reply in &replies {
                judges.durable.on_reply(world.now, way, reply, &judges.oracles);
            }
            let batch = replies.into_iter().map(|item| Timed { at, item }).collect();
            world.send(self.place, Place::Clients, at, Message::Replies(batch));
        }
    }

    /// Begins a write at an instant, with which segments below a number are deleted.
    fn write(&mut self, world: &mut World<Solo>, at: Instant, bytes: Vec<u8>, retire_below: u32) {
        self.writes += 1;
        let (id, segment) = (WriteId(self.writes), self.segment);
        self.note(world, Moment::BetweenAppendAndFsync, at, true);
        world.begin_write(self.place, at, Write { id, segment, bytes, retire_below });
    }

    fn end_turn(&mut self, world: &mut World<Solo>, done: Instant) {
        if self.setup.is_hasty {
            let hasty = self.seller.take_replies();
            self.reply(world, done, hasty);
        }
        if let Some(line) = self.seller.write() {
            let ends = |(_, event): &(_, Event)| matches!(event, Event::Expired { .. });
            self.note(world, Moment::Expiring, done, line.events.iter().any(ends));
            self.write(world, done, line.to_bytes(), 0);
        }
        let replies = self.seller.take_replies();
        self.reply(world, done, replies);
        let wake = self.seller.next_expiry().map(|at| self.clock.when(at));
        world.wake_at(self.place, wake);
    }
}
