//! The same crowd as one task a user on plain madsim.
//!
//! Owns the obvious way to write the simulation: a task for each person, a task for each receive loop of the
//! server, and madsim's network between them. The people are those of the engine: arrivals, tastes and seat map
//! are the engine's own code. The server decides with the same `Show`, but it is a single server without disk,
//! journal, processor queue or faults, and no oracle watches: it has less to do.
//!
//! Where there was a choice, the faster way was taken: payloads travel as values without coding, as in madsim's
//! own calls; every person has their own address, because a mailbox is searched from one end to the other;
//! memory for a session is taken at the arrival.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use madsim::net::{Endpoint, NetSim};
use madsim::runtime::{Handle, Runtime};
use madsim::time::TimeHandle;
use onsale_booking::{
    Checks, Command, Decision, Hall, HoldId, Instant, Outcome, PaymentId, Refusal, Request, Rules,
    SeatList, Show, Span, UserId,
};
use onsale_scenarios::Scenario;
use onsale_sim::crowd::arrivals::Curve;
use onsale_sim::crowd::seat_map::SeatMap;
use onsale_sim::crowd::taste::Taste;
use onsale_sim::plan::Plan;
use onsale_sim::seen::asked::request_id;
use onsale_sim::seen::fate::{Fate, Fates};
use onsale_sim::wall::Stopwatch;

use crate::case::Run;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 1);
/// The tag of all requests; an answer's tag is its request.
const REQUESTS: u64 = u64::MAX;
/// Number of people who share a client machine.
const PEOPLE_A_MACHINE: u32 = 10_000;
/// A receive loop sleeps two milliseconds a request in madsim, one to receive and one to send. This many loops
/// answer a quarter of the crowd a second.
const PEOPLE_A_LOOP: u32 = 2_000;

/// State that the tasks share.
struct Sale {
    scenario: Scenario,
    demand_seed: u64,
    curve: Curve,
    time: TimeHandle,
    map: Mutex<SeatMap>,
    show: Mutex<Show>,
    fates: Mutex<Fates>,
}

/// Plays a plan's crowd, without its faults.
pub(crate) fn run(plan: &Plan) -> Run {
    let stopwatch = Stopwatch::start();
    let network = &plan.scenario.network;
    let client = network.client.typical();
    let jitter = network.jitter.of(client.0);
    let mut config = madsim::Config::default();
    config.net.send_latency = duration(client)..duration(client + Span(jitter + 1));

    let runtime = Runtime::with_seed_and_config(plan.stream("executor"), config);
    let (sale, messages) = runtime.block_on(play(plan));
    let (show, fates) = (locked(&sale.show), locked(&sale.fates));
    show.assert_consistent();
    assert_eq!(fates.ended(), u64::from(sale.curve.users()), "everybody's story ends");
    let told = Fate::ALL.iter().map(|&fate| (fate.name().to_owned(), fates.of(fate)));
    Run {
        wall_s: stopwatch.elapsed_s(),
        virtual_s: sale.now().as_secs_f64(),
        users: u64::from(sale.curve.users()),
        events: None,
        messages,
        seats: (u64::from(show.booked()), u64::from(show.hall().seats())),
        fates: told.filter(|&(_, count)| count > 0).collect(),
        failed: Vec::new(),
    }
}

async fn play(plan: &Plan) -> (Arc<Sale>, u64) {
    let (scenario, demand_seed) = (plan.scenario.clone(), plan.stream("demand"));
    let (sale, crowd) = (&scenario.sale, &scenario.crowd);
    assert!(sale.shows == 1 && crowd.waiting_room.is_none(), "one show and no waiting room");
    let hall = Arc::new(Hall::uniform(sale.sections, sale.rows, sale.seats_per_row));
    let rules = Rules {
        hold: sale.hold,
        grace: sale.grace,
        seats_per_request: sale.seats_per_request,
        remember: Span::from_secs(900),
        checks: Checks::COMPLETE,
    };
    let users = crowd.users;
    let sale = Arc::new(Sale {
        demand_seed,
        curve: Curve::new(&crowd.arrivals, users, demand_seed, false),
        time: TimeHandle::current(),
        map: Mutex::new(SeatMap::new(sale.sections, hall.seats_per_section())),
        show: Mutex::new(Show::new(hall, rules)),
        fates: Mutex::default(),
        scenario,
    });

    let executor = Handle::current();
    let server = executor.create_node().ip(SERVER.ip()).build();
    let endpoint = server.spawn(Endpoint::bind(SERVER)).await.expect("the server starts");
    let endpoint = endpoint.expect("the address is free");
    for _ in 0..=users / PEOPLE_A_LOOP {
        server.spawn(serve(sale.clone(), endpoint.clone()));
    }

    let mut people = Vec::with_capacity(users as usize);
    for first in (0..users).step_by(PEOPLE_A_MACHINE as usize) {
        let machine = first / PEOPLE_A_MACHINE;
        let address =
            IpAddr::V4(Ipv4Addr::new(10, 1, (machine / 250) as u8, (machine % 250) as u8 + 1));
        let node = executor.create_node().ip(address).build();
        for user in first..users.min(first + PEOPLE_A_MACHINE) {
            let address = SocketAddr::new(address, (user - first + 1) as u16);
            people.push(node.spawn(live(sale.clone(), user, address)));
        }
    }
    for person in people {
        person.await.expect("nobody fails");
    }
    (sale, NetSim::current().stat().msg_count)
}

/// One receive loop of the server.
async fn serve(sale: Arc<Sale>, endpoint: Endpoint) {
    loop {
        let (request, from) = endpoint.recv_from_raw(REQUESTS).await.expect("the network is up");
        let request = request.downcast::<Request>().expect("clients send requests");
        let outcome = decide(&mut locked(&sale.show), &request, sale.now());
        endpoint
            .send_to_raw(from, request.id.0, Box::new(outcome))
            .await
            .expect("the network is up");
    }
}

fn decide(show: &mut Show, request: &Request, now: Instant) -> Outcome {
    while let Some(event) = show.overdue(now) {
        show.apply(&event);
    }
    match show.decide(request, now) {
        Decision::Record(event) => {
            show.apply(&event);
            show.outcome(&event)
        }
        Decision::Answer(outcome) => outcome,
    }
}

/// The life of a person.
async fn live(sale: Arc<Sale>, user: u32, address: SocketAddr) {
    let arrival = sale.curve.arrival(user);
    sale.until(arrival).await;
    let fate = Box::pin(async {
        let endpoint = Endpoint::bind(address).await.expect("the address is free");
        let person = Person { sale: &sale, user, taste: sale.taste(user), endpoint };
        person.visit(arrival).await
    });
    let fate = fate.await;
    locked(&sale.fates).count(fate);
}

/// A person who is inside.
struct Person<'a> {
    sale: &'a Sale,
    user: u32,
    taste: Taste<'a>,
    endpoint: Endpoint,
}

/// The hold of a person.
struct Cart {
    hold: HoldId,
    /// The number of the request that got it.
    sequence: u8,
    seats: SeatList,
    expires: Instant,
}

impl Person<'_> {
    /// Picks and requests seats until some are held or the person leaves.
    async fn visit(&self, arrival: Instant) -> Fate {
        let (sale, taste, group) = (self.sale, self.taste, self.taste.group());
        let (mut sequence, mut refreshes, mut picks) = (0, 0, taste.picks());
        let mut acts = arrival + taste.pick_think();
        loop {
            sale.until(acts).await;
            let section = locked(&sale.map).choose(acts, taste.section(sequence), group);
            sequence += 1;
            let wish = taste.wish(picks, group, section);
            let refusal = match self.ask(sequence, Command::Hold(wish), Instant::ZERO).await {
                Some(Outcome::Held { hold, seats, expires }) => {
                    return self.check_out(Cart { hold, sequence, seats, expires }).await;
                }
                Some(Outcome::Refused(refusal)) => refusal,
                Some(outcome @ (Outcome::Booked { .. } | Outcome::Released { .. })) => {
                    panic!("a hold request got an answer of another kind: {outcome:?}")
                }
                None => return Fate::GaveUp,
            };
            let sold_out = refusal == Refusal::SoldOut;
            if sold_out && self.sees_nothing_left() {
                return Fate::SoldOut;
            }
            if refreshes >= sale.scenario.crowd.session.refreshes {
                return if sold_out { Fate::SoldOut } else { Fate::NoLuck };
            }
            acts = sale.now() + taste.refresh(refreshes);
            refreshes += 1;
            picks = false;
        }
    }

    async fn check_out(&self, cart: Cart) -> Fate {
        let (sale, taste, now) = (self.sale, self.taste, self.sale.now());
        let (nth, hold) = (cart.sequence, cart.hold);
        locked(&sale.map).held(&cart.seats);
        let mut ends = now + taste.checkout(nth);
        if !taste.abandons(nth) {
            ends += taste.payment(nth);
        }
        let acts = ends.min(cart.expires.max(now));
        sale.until(acts).await;

        let left = if taste.abandons(nth) { Fate::Abandoned } else { Fate::Declined };
        if acts >= cart.expires {
            self.leave_behind(&cart);
            Fate::TooSlow
        } else if !taste.abandons(nth) && taste.approved(nth) {
            let payment = PaymentId(request_id(self.user, nth + 1).0);
            let stubborn_until = cart.expires + sale.scenario.sale.grace;
            match self.ask(nth + 1, Command::Confirm { hold, payment }, stubborn_until).await {
                Some(Outcome::Booked { seats, .. }) => {
                    locked(&sale.map).sold(seats.len() as u32);
                    Fate::Booked
                }
                Some(Outcome::Refused(_)) => {
                    self.leave_behind(&cart);
                    Fate::HoldLost
                }
                Some(outcome @ (Outcome::Held { .. } | Outcome::Released { .. })) => {
                    panic!("a confirm request got an answer of another kind: {outcome:?}")
                }
                None => Fate::Unknown,
            }
        } else if taste.gives_back(nth) {
            if let Some(Outcome::Released { .. }) =
                self.ask(nth + 1, Command::Release { hold }, Instant::ZERO).await
            {
                locked(&sale.map).returned(&cart.seats);
            }
            left
        } else {
            self.leave_behind(&cart);
            left
        }
    }

    /// One request with its retries; `None` without an answer.
    async fn ask(
        &self,
        sequence: u8,
        command: Command,
        stubborn_until: Instant,
    ) -> Option<Outcome> {
        let (sale, session) = (self.sale, &self.sale.scenario.crowd.session);
        let id = request_id(self.user, sequence);
        let request = Request { id, user: UserId(self.user), show: self.taste.show(), command };
        for attempt in 1..=u8::MAX {
            let sent = self.endpoint.send_to_raw(SERVER, REQUESTS, Box::new(request.clone())).await;
            sent.expect("the network is up");
            let mut answer = self.hear(id.0, session.request_timeout).await;
            if answer.is_none() {
                if attempt >= session.tries && sale.now() >= stubborn_until {
                    return None;
                }
                // The answer to an earlier attempt is accepted while the person waits for the next.
                answer = self.hear(id.0, self.taste.backoff(sequence, attempt)).await;
            }
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    async fn hear(&self, tag: u64, patience: Span) -> Option<Outcome> {
        let heard =
            self.sale.time.timeout(duration(patience), self.endpoint.recv_from_raw(tag)).await;
        let (outcome, _) = heard.ok()?.expect("the network is up");
        Some(*outcome.downcast::<Outcome>().expect("the server sends outcomes"))
    }

    fn sees_nothing_left(&self) -> bool {
        let map = locked(&self.sale.map);
        map.booked() == map.seats()
    }

    fn leave_behind(&self, cart: &Cart) {
        locked(&self.sale.map)
            .left_behind(cart.expires + self.sale.scenario.sale.grace, &cart.seats);
    }
}

impl Sale {
    fn now(&self) -> Instant {
        Instant(self.time.elapsed().as_micros() as u64)
    }

    fn taste(&self, user: u32) -> Taste<'_> {
        Taste::new(self.demand_seed, user, &self.scenario.sale, &self.scenario.crowd.session)
    }

    async fn until(&self, at: Instant) {
        self.time.sleep(duration(at.since(self.now()))).await;
    }
}

const fn duration(span: Span) -> Duration {
    Duration::from_micros(span.0)
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("a run has one thread")
}
