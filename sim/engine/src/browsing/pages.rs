//! What there is to be played, and who wants to know what of it.
//!
//! Owns the facts that belong to an event, and which of them change.

use onsale_cluster::fact::{FactKey, FactKind};

use onsale_world::stream::below;

/// Events that share a venue and its hall, and venues that share a city.
const EVENTS_A_VENUE: u32 = 5;
const VENUES_A_CITY: u32 = 2;

/// Every fact of the beginning.
pub(super) fn catalogue(events: u32) -> impl Iterator<Item = FactKey> {
    (0..events).flat_map(|event| page(event).filter(move |key| first_of(*key) == event))
}

/// What a visitor of an event's page wants to know.
pub(super) fn page(event: u32) -> impl Iterator<Item = FactKey> {
    let venue = event / EVENTS_A_VENUE;
    [
        (FactKind::City, venue / VENUES_A_CITY),
        (FactKind::Venue, venue),
        (FactKind::Hall, venue),
        (FactKind::Event, event),
        (FactKind::Performer, event),
        (FactKind::Show, event),
        (FactKind::Price, event),
    ]
    .into_iter()
    .map(|(kind, id)| FactKey { kind, id })
}

/// An event that somebody thinks of: one in three times the first, on which everybody's eyes are.
pub(super) fn event(bits: u64, events: u32) -> u32 {
    if bits.is_multiple_of(3) { 0 } else { below(bits, u64::from(events)) as u32 }
}

/// What changes about an event: most often the price.
pub(super) fn changed(bits: u64, event: u32) -> FactKey {
    let kind = match below(bits, 10) {
        0..6 => FactKind::Price,
        6..8 => FactKind::Event,
        8 => FactKind::Show,
        _ => FactKind::Performer,
    };
    FactKey { kind, id: event }
}

/// The first event on whose page a fact stands.
fn first_of(key: FactKey) -> u32 {
    match key.kind {
        FactKind::City => key.id * VENUES_A_CITY * EVENTS_A_VENUE,
        FactKind::Venue | FactKind::Hall => key.id * EVENTS_A_VENUE,
        FactKind::Event | FactKind::Performer | FactKind::Show | FactKind::Price => key.id,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalogue_has_every_page_and_each_fact_once() {
        let facts: Vec<FactKey> = catalogue(23).collect();
        let each: BTreeSet<FactKey> = facts.iter().copied().collect();
        assert_eq!(facts.len(), each.len());
        assert!((0..23).flat_map(page).all(|key| each.contains(&key)));
    }
}
