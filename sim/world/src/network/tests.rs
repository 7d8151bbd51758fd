//! Links with and without weather.

use super::*;

const N1: Place = Place::node(1);
const N2: Place = Place::node(2);
const N3: Place = Place::node(3);
const N4: Place = Place::node(4);

const LAYOUT: Layout = Layout::new(5, 0);

const NEVER: Ratio = Ratio { num: 0, den: 1 };
const ALWAYS: Ratio = Ratio { num: 1, den: 1 };

fn settings() -> Settings {
    Settings {
        within_zone: Span(100).into(),
        between_zones: Span(1_000).into(),
        client: Span(20_000).into(),
        jitter: Ratio { num: 1, den: 2 },
        tail: NEVER,
        tail_factor: 1,
        loss: NEVER,
        duplicate: NEVER,
        reorder: NEVER,
    }
}

fn network(settings: Settings) -> Network {
    Network::new(settings, LAYOUT, 3, 1)
}

#[test]
fn latency_follows_the_zones_and_jitters() {
    let mut network = network(settings());
    let table = [
        (N1, N4, 100..=150),
        (N1, N2, 1_000..=1_500),
        (Place::Clients, N3, 20_000..=30_000),
        (N2, Place::Clients, 20_000..=30_000),
    ];
    for (from, to, range) in table {
        let drawn: Vec<u64> = (0..500)
            .map(|k| {
                network
                    .carry(LAYOUT.route(from, to), Instant(k * 1_000_000))
                    .first
                    .expect("nothing is lost")
                    .0
            })
            .collect();
        assert!(drawn.iter().all(|latency| range.contains(latency)), "{from} → {to}");
        assert!(drawn.iter().any(|&latency| latency != drawn[0]), "{from} → {to} jitters");
    }
}

#[test]
fn a_link_keeps_its_order_unless_it_reorders() {
    let overtaken = |reorder| {
        let mut network = network(Settings { reorder, ..settings() });
        let arrivals: Vec<u64> = (0..200)
            .map(|k| {
                k * 10
                    + network
                        .carry(LAYOUT.route(N1, N2), Instant(k * 10))
                        .first
                        .expect("nothing is lost")
                        .0
            })
            .collect();
        arrivals.windows(2).filter(|pair| pair[1] < pair[0]).count()
    };
    assert_eq!(overtaken(NEVER), 0);
    assert!(overtaken(ALWAYS) > 20);
}

#[test]
fn a_cut_takes_what_is_in_flight_and_only_its_direction() {
    let mut network = network(settings());
    let sent = Instant(1_000);
    assert!(!network.severed_since(LAYOUT.route(N1, N2), sent));
    network.cut(0, N1, N2);
    assert!(network.severed_since(LAYOUT.route(N1, N2), sent));
    assert!(!network.severed_since(LAYOUT.route(N2, N1), sent));
    assert_eq!(network.carry(LAYOUT.route(N1, N2), Instant(1_100)).first, None);
    network.mend(0, N1, N2, Instant(1_200));
    assert!(network.severed_since(LAYOUT.route(N1, N2), sent), "it was cut on its way");
    assert!(!network.severed_since(LAYOUT.route(N1, N2), Instant(1_201)));
}

#[test]
fn a_signal_overtakes_nothing_and_draws_nothing() {
    let mut network = network(settings());
    assert_eq!(network.follow(N1, N2, Instant::ZERO), Some(Span(1_000)));
    let latest = network.carry(LAYOUT.route(N1, N2), Instant::ZERO).first.expect("nothing is lost");
    assert!(latest > Span(1_000), "its latency was drawn");
    assert_eq!(network.follow(N1, N2, Instant::ZERO), Some(latest));
    assert_eq!((network.follow(N1, N2, Instant(latest.0)), network.sent), (Some(Span(1_000)), 1));
    network.cut(0, N1, N2);
    assert!(network.is_cut(N1, N2) && !network.is_cut(N2, N1));
    assert_eq!(network.follow(N1, N2, Instant(99)), None);
}

#[test]
fn overlapping_cuts_are_counted() {
    let mut network = network(settings());
    network.cut(0, N1, N2);
    network.cut(0, N1, N2);
    network.mend(0, N1, N2, Instant(5));
    assert!(network.severed_since(LAYOUT.route(N1, N2), Instant(9)));
}

#[test]
fn weather_touches_links_between_nodes_only() {
    let mut network = network(settings());
    network.disturb(0, Weather::Loss(ALWAYS));
    assert_eq!(network.carry(LAYOUT.route(N1, N2), Instant::ZERO).first, None);
    assert!(network.carry(LAYOUT.route(Place::Clients, N2), Instant::ZERO).first.is_some());
    network.settle(0);
    network.disturb(1, Weather::Duplicate(ALWAYS));
    let carried = network.carry(LAYOUT.route(N1, N2), Instant::ZERO);
    assert!(carried.first.is_some() && carried.second.is_some());
    network.settle(1);
    network.disturb(2, Weather::Slow(10));
    assert!(
        network.carry(LAYOUT.route(N1, N2), Instant(10_000_000)).first.expect("nothing is lost")
            >= Span(10_000)
    );
}

#[test]
fn loss_takes_its_share() {
    let mut network = network(Settings { loss: Ratio { num: 1, den: 10 }, ..settings() });
    let lost = (0..10_000)
        .filter(|&k| network.carry(LAYOUT.route(N1, N2), Instant(k)).first.is_none())
        .count();
    assert!((850..1_150).contains(&lost), "{lost} of 10,000");
}
