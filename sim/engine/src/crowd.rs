//! The crowd: up to ten million people who want tickets.
//!
//! Owns the arrivals, the waiting room's door, every session, and the fate of each person.
//! It uses the booking API; refuses to know the cluster behind it. People cost no task and
//! no allocation: see [`people`], [`timer_wheel`] and [`arrivals`].

pub mod arrivals;
pub mod door;
mod manners;
mod misbehaviour;
pub mod people;
mod requests;
pub mod seat_map;
pub mod session;
pub mod taste;
mod timeouts;
pub mod timer_wheel;

use arrivals::Curve;
use door::Door;
use manners::Manners;
use onsale_booking::{
    FixedMap, Instant, NodeId, Reply, Request, RequestId, SeatList, ShowId, Span, Timed, UserId,
};
use onsale_oracles::Asked;
use onsale_scenarios::Scenario;
use people::People;
use seat_map::SeatMap;
use taste::Taste;
use timeouts::Timeouts;
use timer_wheel::{Act, TimerWheel};

use crate::seen::asked::requester;
use crate::seen::fate::{Fate, Fates, Told};
use crate::witness::Witness;

/// Inverse of the share of seats left at which the operator declares a show sold out, 1 in 200
/// (assumed): the last seats come back from abandoned carts one by one, for hours.
const NEGLIGIBLE: u32 = 200;

/// Capacity of a batch of requests, in multiples of its share.
const SLACK: usize = 3;

/// Number of people whose states are read ahead of their turn.
const READ_AHEAD: usize = 64;

/// The client side of a run.
#[derive(Debug)]
pub struct Crowd {
    scenario: Scenario,
    demand_seed: u64,
    curve: Curve,
    next_block: u32,
    /// The current block of arrivals, the next one last.
    coming: Vec<(Instant, u32)>,
    door: Option<Door>,
    people: People,
    timers: TimerWheel,
    /// The acts of the current turn; kept for its memory.
    acts: Vec<Act>,
    timeouts: Timeouts,
    carts: FixedMap<u32, Cart>,
    manners: Option<Box<Manners>>,
    maps: Vec<SeatMap>,
    fates: Fates,
    /// The people who have left since the last call of [`take_left`](Self::take_left); `None` before the first.
    left: Option<Vec<(UserId, Fate)>>,
    /// The gateways that take requests.
    gateways: Vec<u16>,
    /// The gateways of each zone, zone 1 first, if venues have zones.
    in_zone: Vec<Vec<u16>>,
    /// Requests of the current turn, by gateway.
    outbox: Vec<Vec<Timed<Request>>>,
}

/// A person's hold.
#[derive(Clone, Debug)]
struct Cart {
    hold: RequestId,
    seats: SeatList,
    /// Instant at which the person's timer ends.
    expires: Instant,
}

impl Crowd {
    /// A crowd before the first arrival. `demand_seed` fixes every person, `room_seed` the shuffle.
    pub fn new(scenario: &Scenario, demand_seed: u64, room_seed: u64) -> Self {
        let crowd = &scenario.crowd;
        let curve =
            Curve::new(&crowd.arrivals, crowd.users, demand_seed, crowd.waiting_room.is_some());
        let seats_per_section =
            u32::from(scenario.sale.rows) * u32::from(scenario.sale.seats_per_row);
        let mut crowd = Self {
            demand_seed,
            curve,
            next_block: 0,
            coming: Vec::new(),
            door: crowd.waiting_room.clone().map(|room| Door::new(room, crowd.users, room_seed)),
            people: People::new(crowd.numbers()),
            timers: TimerWheel::default(),
            acts: Vec::new(),
            timeouts: Timeouts::default(),
            carts: FixedMap::default(),
            manners: crowd
                .manners
                .as_ref()
                .map(|manners| Box::new(Manners::new(manners, scenario, demand_seed))),
            maps: vec![
                SeatMap::new(scenario.sale.sections, seats_per_section);
                scenario.sale.shows as usize
            ],
            fates: Fates::default(),
            left: None,
            gateways: Vec::new(),
            in_zone: Vec::new(),
            outbox: vec![Vec::new(); usize::from(scenario.cluster.numbers()) + 1],
            scenario: scenario.clone(),
        };
        crowd.choose_among((1..=scenario.cluster.nodes).collect());
        crowd
    }

    /// The fates of the people who have left so far.
    pub const fn fates(&self) -> &Fates {
        &self.fates
    }

    /// Number of requests that people added to their sessions so far, by habit and answer.
    pub fn manners(&self) -> Told {
        self.manners.as_ref().map_or_else(Told::new, |manners| manners.told().clone())
    }

    /// The people who have left since the last call, with their fates; nobody the first time.
    pub fn take_left(&mut self) -> Vec<(UserId, Fate)> {
        self.left.replace(Vec::new()).unwrap_or_default()
    }

    /// Instant of the next act of anyone.
    pub fn next_wake(&mut self) -> Option<Instant> {
        self.fill_coming();
        let mut next = self.timers.next_at().unwrap_or(Instant::MAX);
        if let Some(&(arrives, _)) = self.coming.last() {
            next = next.min(arrives);
        }
        if let Some(ends) = self.timeouts.next_end() {
            next = next.min(ends);
        }
        if let Some(manners) = &self.manners {
            next = next.min(manners.next_wake());
        }
        if let Some(released) = self.door.as_ref().and_then(Door::next_release) {
            next = next.min(released);
        }
        (next < Instant::MAX).then_some(next)
    }

    /// Whether everybody has left, and nobody asks for anything more.
    pub fn is_done(&self) -> bool {
        self.fates.ended() == u64::from(self.curve.users())
            && self.manners.as_ref().is_none_or(|manners| manners.is_done())
    }

    /// Sets the gateways that clients choose among.
    pub fn choose_among(&mut self, gateways: Vec<u16>) {
        if !self.scenario.sale.venues.is_empty() {
            let zones = self.scenario.cluster.zones;
            self.in_zone = vec![Vec::new(); usize::from(zones)];
            for &node in &gateways {
                self.in_zone[usize::from((node - 1) % zones)].push(node);
            }
        }
        self.gateways = gateways;
    }

    /// Carries out all acts at `now`, or before `now + quantum` if that is later. Their requests go to the outbox.
    pub fn act(&mut self, now: Instant, witness: &mut Witness) {
        let end = Instant(now.0 + self.scenario.quantum.0.max(1));
        self.take_arrivals(end, witness);
        self.take_releases(end, witness);
        let mut acts = std::mem::take(&mut self.acts);
        while self.timers.next_at().is_some_and(|at| at < end) {
            self.timers.take_all_before(end, &mut acts);
            for ahead in acts.chunks(READ_AHEAD) {
                self.people.read_ahead(ahead.iter().map(|act| act.user));
                ahead.iter().for_each(|&act| self.on_act(now, act, witness));
            }
            acts.clear();
        }
        self.acts = acts;
        if self.manners.is_some() {
            self.act_rudely(now, end, witness);
        }
        self.time_out(now, end, witness);
    }

    /// Takes answers that reached the clients.
    pub fn hear(&mut self, now: Instant, replies: &[Timed<Reply>], witness: &mut Witness) {
        for ahead in replies.chunks(READ_AHEAD) {
            self.people.read_ahead(ahead.iter().map(|reply| requester(reply.item.request).0));
            ahead
                .iter()
                .for_each(|reply| self.on_reply(now, reply.at.max(now), &reply.item, witness));
        }
    }

    /// Notes that a gateway died with all its connections: people who waited for it try another. Requests on their
    /// way to it when it died are refused separately.
    pub fn lose_connections(
        &mut self,
        now: Instant,
        gateway: u16,
        died: Instant,
        witness: &mut Witness,
    ) {
        let sent = Instant(died.0.saturating_sub(self.scenario.network.client.least().0));
        let until = sent + self.request_timeout();
        for user in self.timeouts.at(gateway, until) {
            self.lose_connection(now, now, user, gateway, witness);
        }
        self.lose_rude_connections(now, gateway, until, witness);
    }

    /// Takes requests refused because no gateway was there, with the instant at which each client learns of it.
    pub fn take_refusals(
        &mut self,
        now: Instant,
        gateway: u16,
        refused: &[Timed<RequestId>],
        witness: &mut Witness,
    ) {
        for &Timed { at, item: request } in refused {
            let (user, sequence) = requester(request);
            let ticket = self
                .people
                .get(user)
                .filter(|person| person.sequence == sequence && person.waits)
                .map(|person| person.ticket);
            // A client that now waits elsewhere lost this connection earlier.
            if ticket.is_some_and(|ticket| self.timeouts.is_at(ticket, gateway)) {
                self.lose_connection(now, at.max(now), user, gateway, witness);
            }
            self.take_rude_refusal(now, (gateway, Timed { at, item: request }), witness);
        }
    }

    /// Sends the requests of this turn: (gateway, batch), in the order of gateways.
    pub fn drain_outbox(&mut self, mut send: impl FnMut(NodeId, Vec<Timed<Request>>)) {
        for (gateway, batch) in self.outbox.iter_mut().enumerate() {
            if !batch.is_empty() {
                if !batch.is_sorted_by_key(|timed| timed.at) {
                    batch.sort_by_key(|timed| timed.at);
                }
                // The next batch will be about as large; short ones vary most.
                let next = Vec::with_capacity(batch.len() + batch.len() / 4 + SLACK);
                send(NodeId(gateway as u16), std::mem::replace(batch, next));
            }
        }
    }

    /// Ends the run: counts the unanswered requests and returns them. Of a request whose client was turned away, only
    /// the current attempt is open.
    pub fn finish(&mut self, end: Instant, witness: &mut Witness) -> Vec<Asked> {
        let mut open = Vec::new();
        for (user, person) in self.people.all() {
            let Some(operation) = requests::operation(person.doing) else { continue };
            witness.recorder.unanswered(operation, person.intended.min(end), end);
            let mut asked = self.asked(user, person);
            if person.turned_away {
                let attempt = end.0.saturating_sub(self.request_timeout().0);
                asked.since = asked.since.max(Instant(attempt));
            }
            open.push(asked);
        }
        open.extend(self.open_rude());
        if let Some(door) = &mut self.door {
            door.finish(end, &self.curve, witness);
        }
        open
    }

    fn time_out(&mut self, now: Instant, end: Instant, witness: &mut Witness) {
        while let Some((ends, user, gateway)) = self.timeouts.take_ended(end) {
            self.on_no_answer(now, (ends, user), (ends, gateway), witness);
        }
    }

    fn fill_coming(&mut self) {
        while self.coming.is_empty() && self.next_block * arrivals::BLOCK < self.curve.users() {
            self.curve.block(self.next_block, &mut self.coming);
            self.coming.reverse();
            self.next_block += 1;
        }
    }

    fn take_arrivals(&mut self, end: Instant, witness: &mut Witness) {
        loop {
            self.fill_coming();
            let Some(&(at, user)) = self.coming.last().filter(|&&(at, _)| at < end) else { return };
            // People due before this arrival enter first.
            self.take_releases(at, witness);
            self.coming.pop();
            witness.recorder.arrived(at, 1);
            match &mut self.door {
                Some(door) => {
                    if door.join(user, at) {
                        continue;
                    }
                    self.fates.count(Fate::TurnedAway);
                }
                None => self.enter(user, at),
            }
        }
    }

    fn take_releases(&mut self, end: Instant, witness: &mut Witness) {
        let due = self.door.as_ref().and_then(Door::next_release).is_some_and(|at| at < end);
        let Some(mut door) = self.door.take_if(|_| due) else { return };
        let (curve, fates) = (&self.curve, &mut self.fates);
        let mut called = Vec::new();
        door.release(end, curve, witness, |user, at, calling| match calling {
            door::Calling::Comes => called.push((user, at)),
            door::Calling::HasLeft => fates.count(Fate::LeftRoom),
        });
        let no_show = door.no_show();
        for (user, at) in called {
            if self.taste(user).no_show(no_show) {
                self.fates.count(Fate::NoShow);
            } else {
                let at = at + self.taste(user).called(&self.scenario.network.client);
                witness.recorder.admitted(at, 1);
                self.enter(user, at);
            }
        }
        self.door = Some(door);
    }

    /// Closes the waiting room once almost nothing is left to sell.
    fn close_if_sold_out(&mut self, now: Instant, witness: &mut Witness) {
        if self.door.is_none()
            || self.maps.iter().any(|map| map.seats() - map.booked() > map.seats() / NEGLIGIBLE)
        {
            return;
        }
        if let Some(door) = &mut self.door {
            let fates = &mut self.fates;
            door.close(now, &self.curve, witness, |calling| {
                fates.count(match calling {
                    door::Calling::Comes => Fate::TurnedAway,
                    door::Calling::HasLeft => Fate::LeftRoom,
                });
            });
        }
    }

    fn taste(&self, user: u32) -> Taste<'_> {
        Taste::new(self.demand_seed, user, &self.scenario.sale, &self.scenario.crowd.session)
    }

    fn map(&mut self, show: ShowId) -> &mut SeatMap {
        &mut self.maps[show.0 as usize]
    }

    fn schedule(&mut self, user: u32, stamp: u8, at: Instant) {
        self.timers.enter(Act { at, user, stamp });
    }

    /// The gateway of an attempt: round robin, another one for each attempt; the first attempt goes to the zone of the
    /// show's venue, if it has gateways.
    fn gateway(&self, user: u32, show: ShowId, sequence: u8, attempt: u8) -> u16 {
        let mut among = &self.gateways;
        if attempt == 1
            && let Some(zone) = self.scenario.sale.venue(show.0)
            && let Some(near) = self.in_zone.get(usize::from(zone) - 1)
            && !near.is_empty()
        {
            among = near;
        }
        let turn = u64::from(user) + u64::from(sequence) + u64::from(attempt);
        among[(turn % among.len() as u64) as usize]
    }

    fn server_end(&self, cart: &Cart) -> Instant {
        cart.expires + self.scenario.sale.grace
    }

    fn request_timeout(&self) -> Span {
        self.scenario.crowd.session.request_timeout
    }
}
