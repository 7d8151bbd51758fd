//! The cost of the hot parts, one at a time.
//!
//! Owns a steady state for each part, about as full as in a run of ten million people. If an input must vary,
//! the draw that varies it is part of the figure; the draw has a figure of its own, to subtract.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use onsale_booking::{
    Checks, ClientId, Command, Decision, Draw, Endpoint, Hall, HoldId, Instant, NodeId, Outcome,
    PaymentId, Refusal, Reply, Request, RequestId, Rules, SectionId, Show, ShowId, Span, UserId,
    Wish,
};
use onsale_cluster::effect::Sending;
use onsale_cluster::gateway::Gateway;
use onsale_cluster::message::{Answer, Message};
use onsale_cluster::{Effects, Placement};
use onsale_reports::{Ending, Operation, Recorder, RecorderSettings};
use onsale_scenarios::{Ratio, Scenario, catalogue};
use onsale_sim::crowd::arrivals::Curve;
use onsale_sim::crowd::timer_wheel::{Act, TimerWheel};
use onsale_sim::replicated::setup::setup;
use onsale_world::calendar::Calendar;
use onsale_world::sample::{hits, timing, weighted, zipf};
use onsale_world::stream::Stream;
use onsale_world::trace_hash::Fingerprint;

fn stadium() -> Scenario {
    catalogue::load("slow/stadium-10m").expect("the catalogue has the stadium")
}

fn queues(criterion: &mut Criterion) {
    criterion.bench_function("calendar: take one, enter one; 1,000 within 100 ms", |bencher| {
        let (mut calendar, mut stream) = (Calendar::default(), Stream::new(1));
        (0..1_000_u64).for_each(|event| calendar.enter(Instant(stream.below(100_000)), event));
        bencher.iter(|| {
            let (at, event) = calendar.take().expect("it stays full");
            calendar.enter(at + Span(stream.below(100_000)), event);
        });
    });
    criterion.bench_function(
        "timer wheel: take one, enter one; 1,000,000 within 100 s",
        |bencher| {
            let (mut wheel, mut stream) = (TimerWheel::default(), Stream::new(1));
            let mut enter = |wheel: &mut TimerWheel, from: Instant, user| {
                wheel.enter(Act { at: from + Span(stream.below(100_000_000)), user, stamp: 0 });
            };
            (0..1_000_000).for_each(|user| enter(&mut wheel, Instant::ZERO, user));
            bencher.iter(|| {
                let act = wheel.take_before(Instant::MAX).expect("it stays full");
                enter(&mut wheel, act.at, act.user);
            });
        },
    );
}

fn people(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("arrivals");
    group.throughput(Throughput::Elements(256));
    group.bench_function("a block of 256", |bencher| {
        let crowd = stadium().crowd;
        let curve = Curve::new(&crowd.arrivals, crowd.users, 1, true);
        let (mut block, mut out) = (0, Vec::new());
        bencher.iter(|| {
            curve.block(block, &mut out);
            block = (block + 1) % (crowd.users / 256);
            black_box(out.len())
        });
    });
    group.finish();

    let session = stadium().crowd.session;
    // With the ratio hidden again in each turn, `hits` took 8 ns instead of 1: the cost of hiding it in memory,
    // not of the sampler.
    let (ratio, shape) = (black_box(Ratio::percent(30)), session.pick_think);
    let weights = black_box(session.group_weights);
    let mut stream = Stream::new(1);
    criterion.bench_function("sample: the draw alone", |bencher| bencher.iter(|| stream.draw()));
    criterion.bench_function("sample: hits", |bencher| bencher.iter(|| hits(stream.draw(), ratio)));
    criterion.bench_function("sample: weighted", |bencher| {
        bencher.iter(|| weighted(stream.draw(), &weights))
    });
    criterion.bench_function("sample: log_normal", |bencher| {
        bencher.iter(|| timing(stream.draw(), black_box(&shape)))
    });
    criterion.bench_function("sample: zipf", |bencher| {
        bencher.iter(|| zipf(stream.draw(), black_box(70_000), 1_000));
    });
}

fn request(id: u64, command: Command) -> Request {
    Request { id: RequestId(id), user: UserId(id as u32), show: ShowId(0), command }
}

/// A request for four of the best seats of one of 70 sections.
fn hold(id: u64) -> Request {
    let mut wish = Wish::default();
    wish.best.push((SectionId((id % 70) as u16), 4));
    request(id, Command::Hold(wish))
}

fn decided(show: &mut Show, request: &Request, now: Instant) -> Outcome {
    match show.decide(request, now) {
        Decision::Record(event) => {
            show.apply(&event);
            show.outcome(&event)
        }
        Decision::Answer(outcome) => outcome,
    }
}

fn show(criterion: &mut Criterion) {
    let sale = stadium().sale;
    let hall = Arc::new(Hall::uniform(sale.sections, sale.rows, sale.seats_per_row));
    let rules = Rules {
        hold: sale.hold,
        grace: sale.grace,
        seats_per_request: sale.seats_per_request,
        remember: Span::from_secs(900),
        checks: Checks::COMPLETE,
    };
    let empty = Show::new(hall, rules);

    criterion.bench_function("show: a refusal, every seat held", |bencher| {
        let mut show = empty.clone();
        for id in 0..u64::from(show.hall().seats()) / 4 {
            decided(&mut show, &hold(id), Instant::ZERO);
        }
        let late = hold(1 << 40);
        let refused = Decision::Answer(Outcome::Refused(Refusal::NoneFree));
        assert_eq!(show.decide(&late, Instant::ZERO), refused, "every seat is held");
        bencher.iter(|| show.decide(black_box(&late), Instant::ZERO));
    });
    criterion.bench_function("show: hold and confirm four seats", |bencher| {
        let (mut show, mut id) = (empty.clone(), 0);
        bencher.iter(|| {
            if show.is_sold_out() {
                show = empty.clone();
            }
            id += 1;
            let held = decided(&mut show, &hold(id), Instant::ZERO);
            let confirm = Command::Confirm { hold: HoldId(id), payment: PaymentId(id) };
            let booked = decided(
                &mut show,
                &Request { id: RequestId(1 << 40 | id), ..request(id, confirm) },
                Instant::ZERO,
            );
            (held, booked)
        });
    });
}

fn gateway(criterion: &mut Criterion) {
    criterion.bench_function("gateway: a request and its answer", |bencher| {
        let config = setup(&stadium()).config.gateway;
        let placement = Arc::new(Placement::new(4, 1, 1, 3));
        let mut gateway = Gateway::new(config, placement, 1, Draw::new(1), Instant::ZERO);
        let (mut effects, mut id) = (Effects::default(), 0);
        bencher.iter(|| {
            id += 1;
            let now = Instant(id);
            gateway.on_request(now, Endpoint::Client(ClientId(0)), &hold(id), &mut effects);
            let leader = forwarded_to(&effects.sends);
            let outcome = Outcome::Refused(Refusal::NoneFree);
            let reply = Reply { request: RequestId(id), outcome };
            gateway.on_answer(now, leader, &Answer::Decided(reply), &mut effects);
            gateway.on_turn_ended();
            effects.sends.clear();
        });
    });
}

fn forwarded_to(sends: &[Sending]) -> NodeId {
    match sends {
        [Sending { to: Endpoint::Node(node), message: Message::Forwarded(_), .. }] => *node,
        other => panic!("one request is forwarded, not {other:?}"),
    }
}

fn records(criterion: &mut Criterion) {
    criterion.bench_function("fingerprint: fold a word", |bencher| {
        let mut fingerprint = Fingerprint::default();
        bencher.iter(|| fingerprint.fold(black_box(0x5eed)));
        black_box(fingerprint.value());
    });
    criterion.bench_function("recorder: an operation ended", |bencher| {
        let (mut recorder, mut stream) =
            (Recorder::new(RecorderSettings { duration: stadium().duration }), Stream::new(1));
        let mut now = 0;
        bencher.iter(|| {
            // An hour of answers, repeated: going back opens no new second.
            now = (now + 100) % 3_600_000_000;
            let intended = Instant(now);
            recorder.ended(
                Operation::Hold,
                Ending::Granted,
                intended,
                intended + Span(stream.below(50_000)),
            );
        });
    });
}

criterion_group!(parts, queues, people, show, gateway, records);
criterion_main!(parts);
