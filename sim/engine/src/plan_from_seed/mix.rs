//! The crowd of one seed, drawn so that runs differ in kind.
//!
//! Owns the traits of a crowd that a seed may change, and their ranges. Each trait draws from a
//! stream of its own, so that a new trait changes none of the others, and stays as in the
//! scenario in half of all seeds. Refuses to change the number of people, and what is for sale.

use onsale_booking::Span;
use onsale_scenarios::{Arrivals, Crowd, Manners, Milli, Ratio, Scenario, Session};

use onsale_world::stream::{Stream, fork};

use super::pick;

/// A change of one trait, drawn from a stream.
type Trait = fn(&mut Scenario, &mut Stream);

const TRAITS: [(&str, Trait); 10] = [
    ("hot", hot),
    ("arrivals", arrivals),
    ("taste", taste),
    ("groups", groups),
    ("haste", haste),
    ("payment", payment),
    ("fickle", fickle),
    ("patience", patience),
    ("manners", manners),
    ("quiet", quiet),
];

/// Gives the scenario the crowd of a seed.
pub(super) fn draw(scenario: &mut Scenario, seed: u64) {
    for (name, change) in TRAITS {
        let mut stream = Stream::new(fork(seed, &format!("mix/{name}")));
        if stream.below(2) == 0 {
            change(scenario, &mut stream);
        }
    }
}

/// Demand: from a crowd spread over all shows to one that wants a single show.
fn hot(scenario: &mut Scenario, stream: &mut Stream) {
    scenario.sale.hot_share = Ratio::percent(pick(&[3, 50, 95], stream));
}

/// Arrivals: another shape over the same time. A waiting room keeps its opening, a recorded curve its shape.
fn arrivals(scenario: &mut Scenario, stream: &mut Stream) {
    let Crowd { arrivals, waiting_room: None, .. } = &mut scenario.crowd else { return };
    let (Arrivals::Constant { over }
    | Arrivals::Ramp { over }
    | Arrivals::Spike { over, .. }
    | Arrivals::OnSale { over, .. }) = *arrivals
    else {
        return;
    };
    let half = Span(over.0 / 2);
    *arrivals = match stream.below(3) {
        0 => Arrivals::Ramp { over },
        1 => Arrivals::Constant { over: half },
        _ => Arrivals::Spike {
            over,
            at: Span(stream.below(half.0)),
            decay: Span(over.0 / 8),
            share: Ratio::percent(70),
        },
    };
}

/// Taste: shares that take the best available or pick on the map, and whether all pick the same.
fn taste(scenario: &mut Scenario, stream: &mut Stream) {
    let session = &mut scenario.crowd.session;
    session.best_available = Ratio::percent(pick(&[0, 50, 100], stream));
    session.zipf = Milli(pick(&[0, 1_000, 2_000], stream));
    session.split = Ratio::percent(pick(&[0, 50], stream));
}

/// Group sizes: from single people to the largest group that a request allows.
fn groups(scenario: &mut Scenario, stream: &mut Stream) {
    let most = usize::from(scenario.sale.seats_per_request);
    let large = (1..=most).map(|size| u32::from(2 * size > most)).collect();
    scenario.crowd.session.group_weights = pick(&[vec![1], vec![1; most], large], stream);
}

/// Think times before picking and paying: up to the end of a hold.
fn haste(scenario: &mut Scenario, stream: &mut Stream) {
    let hold = scenario.sale.hold;
    let Session { pick_think, checkout_think, .. } = &mut scenario.crowd.session;
    let median = Span((hold.0 / pick(&[50, 4, 1], stream)).max(1));
    checkout_think.set_typical(median);
    pick_think.set_typical(pick(&[Span::from_secs(1), pick_think.typical()], stream));
}

/// Payment: share of declined cards, and the provider's duration.
fn payment(scenario: &mut Scenario, stream: &mut Stream) {
    let session = &mut scenario.crowd.session;
    session.approval = Ratio::percent(pick(&[50, 100], stream));
    session.payment.set_typical(pick(&[Span::from_millis(200), Span::from_secs(8)], stream));
}

/// Abandonment: share of abandoned carts, and share of those given back.
fn fickle(scenario: &mut Scenario, stream: &mut Stream) {
    let session = &mut scenario.crowd.session;
    session.abandon = Ratio::percent(pick(&[0, 75], stream));
    session.release = Ratio::percent(pick(&[0, 100], stream));
}

/// Retries: pauses and number of attempts.
fn patience(scenario: &mut Scenario, stream: &mut Stream) {
    let session = &mut scenario.crowd.session;
    session.request_timeout = Span::from_millis(pick(&[300, 1_000, 20_000], stream));
    session.tries = pick(&[1, 6], stream);
    session.refreshes = pick(&[0, 2], stream);
}

/// Bad manners: each habit of nobody or of some, and how soon stale retries come.
fn manners(scenario: &mut Scenario, stream: &mut Stream) {
    let manners = scenario.crowd.manners.get_or_insert_default();
    let mut some = || Ratio::percent(pick(&[0, 10, 40], stream));
    *manners = Manners {
        names_others: some(),
        names_nothing: some(),
        asks_too_much: some(),
        names_twice: some(),
        double_clicks: some(),
        pays_twice: some(),
        releases_twice: some(),
        pays_released: some(),
        stale_retries: some(),
        ..manners.clone()
    };
    manners.stale_after = Span::from_secs(pick(&[5, 60, 240], stream));
}

/// Shows that go quiet: some or half, in the middle of the run.
fn quiet(scenario: &mut Scenario, stream: &mut Stream) {
    let fifth = Span(scenario.duration.0 / 5 + 1);
    let manners = scenario.crowd.manners.get_or_insert_default();
    manners.quiet_shows = Ratio::percent(pick(&[10, 50], stream));
    (manners.quiet_from, manners.quiet_by) = (fifth, Span(fifth.0 * 3));
}
