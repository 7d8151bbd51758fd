//! Both formats: what goes in comes out, and what a record takes.

use onsale_booking::seat_list::SEATS_PER_REQUEST_MAX;
use onsale_booking::{HoldId, Instant, PaymentId, RequestId, SeatId, SeatList, UserId};
use proptest::prelude::*;

use super::*;

const BOTH: [Format; 2] = [Format::FIRST, Format::RUNS];

/// Any number, most often one of a few that are near each other.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..4_u64, 2 => 1_000_000..1_000_004_u64, 1 => any::<u64>(), 1 => Just(u64::MAX)]
}

fn seats() -> impl Strategy<Value = SeatList> {
    let run = (any::<u32>(), 0..=SEATS_PER_REQUEST_MAX as u32)
        .prop_map(|(first, count)| (0..count).map(|n| SeatId(first.wrapping_add(n))).collect());
    let any = prop::collection::vec(any::<u32>(), 0..=SEATS_PER_REQUEST_MAX);
    prop_oneof![run, any.prop_map(|seats| seats.into_iter().map(SeatId).collect())]
}

fn event() -> impl Strategy<Value = Event> {
    let ids = (number(), number(), number(), any::<u32>());
    (0..4, ids, number(), number(), seats()).prop_map(
        |(kind, (hold, request, payment, user), at, expires, seats)| {
            let (hold, request, at) = (HoldId(hold), RequestId(request), Instant(at));
            match kind {
                0 => Event::Held { hold, user: UserId(user), seats, at, expires: Instant(expires) },
                1 => Event::Booked { request, hold, payment: PaymentId(payment), at },
                2 => Event::Released { request, hold, at },
                _ => Event::Expired { hold, at },
            }
        },
    )
}

fn events() -> impl Strategy<Value = Events> {
    prop::collection::vec((prop_oneof![(0..3_u32), any::<u32>()].prop_map(ShowId), event()), 0..12)
}

proptest! {
    #[test]
    fn a_record_is_read_as_it_was_written_in_either_format(writer in 1..=u16::MAX, events in events()) {
        let record = Record { writer: NodeId(writer), events };
        for format in BOTH {
            let bytes = encode(format, record.writer, &record.events);
            prop_assert_eq!(Format::of_record(&bytes), format);
            prop_assert_eq!(decode(&bytes), Ok(Some(record.clone())));
        }
    }

    #[test]
    fn a_record_that_is_cut_short_or_garbled_is_no_panic(
        events in events(), cut in any::<prop::sample::Index>(), flipped in any::<(usize, u8)>(),
    ) {
        let mut bytes = encode(Format::RUNS, NodeId(1), &events);
        let _ = decode(&bytes[..cut.index(bytes.len())]);
        let place = 2 + flipped.0 % (bytes.len() - 2);
        bytes[place] ^= flipped.1;
        let _ = decode(&bytes);
    }
}

/// A turn of a leader that grants two neighbouring seats to each of `count` users, for two minutes.
fn rush(count: u32) -> Events {
    let hold = |n: u32| {
        let at = Instant(60_000_000);
        let event = Event::Held {
            hold: HoldId(u64::from(10_000 + n) << 8 | 1),
            user: UserId(10_000 + n),
            seats: [SeatId(500 + 2 * n), SeatId(501 + 2 * n)].into_iter().collect(),
            at,
            expires: Instant(at.0 + 120_000_000),
        };
        (ShowId(0), event)
    };
    (0..count).map(hold).collect()
}

#[test]
fn the_second_format_takes_half_the_bytes_in_a_rush_and_no_more_for_a_single_hold() {
    let bytes = |count| BOTH.map(|format| encode(format, NodeId(3), &rush(count)).len());
    assert_eq!(bytes(1), [23, 18]);
    assert_eq!(bytes(100), [2_102, 1_107]);
}

#[test]
fn a_record_tells_its_format_even_to_a_reader_that_cannot_read_it() {
    assert_eq!(Format::of_record(&[]), Format::FIRST, "an epoch is opened without one");
    assert_eq!(decode(&[]), Ok(None));
    let unknown = [VERSIONED, 3, 1, 2];
    assert_eq!(decode(&unknown), Err(Unreadable::Unknown(Format::of_record(&unknown))));
    assert!(Format::of_record(&unknown) > Format::RUNS);
    let activation = encode(Format::RUNS, NodeId(7), &Events::new());
    assert_eq!(activation, [VERSIONED, 2, 7]);
    assert!(decode(&[VERSIONED]).is_err(), "a zero alone is no record");
    assert!(decode(&[VERSIONED, 2, 1, 0xFF]).is_err(), "flags without a meaning");
}

#[test]
fn a_snapshot_tells_its_format() {
    for format in BOTH {
        let mut state = Vec::new();
        format.begin_snapshot(&mut state);
        state.extend([1, 7]);
        assert_eq!(Format::of_snapshot(&state), format);
        assert_eq!(format.end_snapshot(&state), [1, 7]);
    }
    assert_eq!(Format::of_snapshot(&[]), Format::FIRST);
}
