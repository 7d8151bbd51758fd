//! The facts of the catalogue, and the pages that show them.
//!
//! Owns the facts of each event, and which of them change. Refuses to know who reads and writes them.

use onsale_cluster::fact::{FactKey, FactKind};

use onsale_world::stream::below;

/// Number of events that share a venue and its hall, and of venues that share a city.
const EVENTS_A_VENUE: u32 = 5;
const VENUES_A_CITY: u32 = 2;

/// Every initial fact.
pub(super) fn catalogue(events: u32) -> impl Iterator<Item = FactKey> {
    (0..events).flat_map(|event| page(event).filter(move |key| first_of(*key) == event))
}

/// The facts on an event's page.
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

/// A drawn event: the first, hot one in one of three draws.
pub(super) fn event(bits: u64, events: u32) -> u32 {
    if bits.is_multiple_of(3) { 0 } else { below(bits, u64::from(events)) as u32 }
}

/// The fact of an event that a change affects: most often the price.
pub(super) fn changed(bits: u64, event: u32) -> FactKey {
    let kind = match below(bits, 10) {
        0..6 => FactKind::Price,
        6..8 => FactKind::Event,
        8 => FactKind::Show,
        _ => FactKind::Performer,
    };
    FactKey { kind, id: event }
}

/// The first event whose page shows a fact.
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
