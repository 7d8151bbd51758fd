//! A writer whose clock is ahead.

use super::*;

#[test]
fn a_clock_far_ahead_is_not_followed() {
    let mut town = Town::new(2, 0);
    let stamp = Stamp { at: town.now + Span::from_secs(2), count: 0, node: NodeId(1) };
    let delta = Delta {
        base: Base::Since(Seen::default()),
        until: [stamp].into_iter().collect(),
        written: vec![(price(1), Version { stamp, text: Some("ahead".into()) })],
    };
    let news = |town: &mut Town, delta: &Delta| {
        let message = FactsMessage::News { incarnation: 1, delta: delta.clone() };
        town.step(2, |facts, now, effects| {
            facts.on_message(now, Endpoint::Node(NodeId(1)), message, effects);
        });
    };
    news(&mut town, &delta);
    assert_eq!(
        (town.marks.as_slice(), town.prices(1)[1].as_str()),
        (&[Mark::FactsFromTheFuture][..], "")
    );
    town.run(Span::from_secs(1));
    assert_eq!(town.prices(1)[1], "ahead", "once time has come near, it is taken");
    town.write(2, 1, "later");
    assert_eq!(town.prices(1)[1], "later", "a new write is later than those heard");
}

/// Its latest write is always too far ahead; the writes before are not.
#[test]
fn a_writer_whose_clock_is_ahead_is_heard_though_it_never_rests() {
    let mut town = Town::new(5, 0);
    let excess = Span::from_secs(2);
    town.ahead = town.config.accepted_drift + excess;
    for step in 0..600 {
        town.write(1, 1, &step.to_string());
        town.run(Span::from_millis(100));
    }
    // News do not reach every node: three rounds may have to bring them, each at most twice as late.
    let behind = Span(excess.0 + 6 * town.config.repair_every.0);
    for price in town.prices(1) {
        let price: u64 = price.parse().expect("it was heard");
        assert!((600 - price) * 100_000 <= behind.0, "{price} of 600");
    }
    town.run(excess + Span::from_secs(30));
    assert_eq!(town.prices(1), vec!["599"; 5]);
    let sent = town.sent;
    town.run(Span::from_secs(3_600));
    assert_eq!(town.sent, sent, "then there is silence");
}
