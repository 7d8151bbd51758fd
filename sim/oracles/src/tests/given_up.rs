//! What a recovery may lose, and what it may not.

use super::*;

fn with_recoveries() -> History {
    History::with(OracleSettings { may_recover: true, ..OracleSettings::example() })
}

/// Two holds and a booking, all told: record 1 holds seat 3 for user 1, record 2 books it, record 3 holds seat 4 for user
/// 2. At 100 a recovery leaves the first `held` records.
fn recovered(held: u64) -> History {
    let mut history = with_recoveries();
    history
        .asks(0, &hold_request(1, 1, &[3]))
        .held(1, 1, 1, &[3])
        .told(2, 0, &hold_request(1, 1, &[3]), &held_outcome(1, &[3], 1))
        .asks(3, &confirm_request(11, 1, 1))
        .booked(4, 11, 1)
        .told(5, 3, &confirm_request(11, 1, 1), &booked_outcome(1, &[3]))
        .asks(6, &hold_request(2, 2, &[4]))
        .held(7, 2, 2, &[4])
        .told(8, 6, &hold_request(2, 2, &[4]), &held_outcome(2, &[4], 7));
    history.oracles.given_up(secs(100), 0, held);
    history.index = held;
    history
}

/// User `user` buys a seat by hold `hold`, at `at`.
fn buys(history: &mut History, at: u64, hold: u64, user: u32, list: &[u32]) {
    let (wish, pays) = (hold_request(hold, user, list), confirm_request(10 + hold, user, hold));
    history
        .asks(at, &wish)
        .held(at, hold, user, list)
        .told(at + 1, at, &wish, &held_outcome(hold, list, at))
        .asks(at + 2, &pays)
        .booked(at + 3, 10 + hold, hold)
        .told(at + 4, at + 2, &pays, &booked_outcome(hold, list));
}

/// The oracles that fail on a history.
fn failures(history: &mut History) -> Vec<String> {
    let results = history.results(10_000, &[]);
    let failed = results.into_iter().filter(|result| result.verdict == Verdict::Fail);
    failed.map(|result| result.name).collect()
}

fn hears_that_it_is_lost(history: &mut History, at: u64, user: u32, hold: u64) {
    let pays = confirm_request(30 + hold, user, hold);
    history.asks(at, &pays).told(at + 1, at, &pays, &Outcome::Refused(Refusal::HoldLost));
}

#[test]
fn a_booking_that_only_lost_disks_held_may_be_lost_and_its_seat_sold_again() {
    let mut history = recovered(0);
    buys(&mut history, 110, 5, 5, &[3]);
    let losses = history.oracles.losses().expect("a log was recovered");
    assert_eq!((losses.records, losses.bookings, losses.holds), (3, 1, 1));
    let told: Vec<_> = losses.told.iter().map(|lost| (&lost.what[..], &lost.seats[..])).collect();
    assert_eq!(told, [("booking", "show0 seat 3"), ("hold", "show0 seat 4")]);
    assert_eq!(failures(&mut history), [""; 0]);
}

#[test]
fn a_booking_that_is_left_is_as_final_as_ever() {
    let mut history = recovered(2);
    buys(&mut history, 110, 5, 5, &[3]);
    assert_eq!(failures(&mut history), ["double-booking", "hold", "linearizable"]);
}

#[test]
fn the_hold_of_a_lost_booking_is_left_until_its_time_is_over() {
    let mut early = recovered(1);
    buys(&mut early, 110, 5, 5, &[3]);
    assert_eq!(failures(&mut early), ["hold", "linearizable"]);
    let mut later = recovered(1);
    later.expired(306, 1);
    buys(&mut later, 310, 5, 5, &[3]);
    assert_eq!(failures(&mut later), [""; 0]);
}

#[test]
fn a_lost_hold_may_be_refused_from_the_recovery_on() {
    let mut history = recovered(2);
    hears_that_it_is_lost(&mut history, 110, 2, 2);
    assert_eq!(failures(&mut history), [""; 0]);
    let mut kept = recovered(3);
    hears_that_it_is_lost(&mut kept, 110, 2, 2);
    assert_eq!(failures(&mut kept), ["hold", "linearizable"]);
    let mut before = recovered(3);
    hears_that_it_is_lost(&mut before, 90, 2, 2);
    before.oracles.given_up(secs(100), 0, 2);
    assert_eq!(failures(&mut before), ["hold", "linearizable"], "nothing was lost yet");
}

#[test]
fn a_booking_told_by_no_record_is_lost_with_or_without_a_recovery() {
    let mut history = recovered(0);
    let pays = confirm_request(19, 9, 9);
    history
        .asks(109, &hold_request(9, 9, &[8]))
        .held(110, 9, 9, &[8])
        .told(111, 109, &hold_request(9, 9, &[8]), &held_outcome(9, &[8], 110))
        .asks(112, &pays)
        .told(113, 112, &pays, &booked_outcome(9, &[8]));
    assert_eq!(failures(&mut history), ["lost-booking"]);
}

#[test]
fn a_lost_booking_may_be_made_again_by_the_same_request() {
    let mut history = recovered(1);
    history.booked(120, 11, 1);
    assert_eq!(failures(&mut history), [""; 0]);
}

#[test]
fn an_answer_that_comes_late_about_a_lost_record_binds_nobody() {
    // Hold and booking are recorded and given up; only then does the client hear of the booking.
    let mut history = with_recoveries();
    let pays = confirm_request(11, 1, 1);
    history
        .asks(0, &hold_request(1, 1, &[3]))
        .held(1, 1, 1, &[3])
        .told(2, 0, &hold_request(1, 1, &[3]), &held_outcome(1, &[3], 1))
        .asks(3, &pays)
        .booked(4, 11, 1);
    history.oracles.given_up(secs(100), 0, 0);
    history.index = 0;
    history.told(101, 3, &pays, &booked_outcome(1, &[3]));
    buys(&mut history, 110, 5, 5, &[3]);
    let losses = history.oracles.losses().expect("a log was recovered");
    assert_eq!(losses.told.len(), 1);
    assert_eq!(failures(&mut history), [""; 0]);
}

/// A show is sold out until a recovery at 100 gives up all bookings; a request is told that it is.
pub(super) fn says_sold_out(history: &mut History, (asked, told): (u64, u64)) {
    let all: Vec<u32> = (0..40).collect();
    for (hold, list) in (1..).zip(all.chunks(4)) {
        history.gets((0, 1, 2), hold, 1, list).held(1, hold, 1, list);
        history.asks(3, &confirm_request(100 + hold, 1, hold)).booked(9, 100 + hold, hold);
    }
    history.oracles.given_up(secs(100), 0, 0);
    history.index = 0;
    let wish = hold_request(99, 99, &[3]);
    history.asks(asked, &wish).told(told, asked, &wish, &Outcome::Refused(Refusal::SoldOut));
}

/// What is sold out by given up bookings may be said to requests that were under way at the recovery, and to no later one.
#[test]
fn sold_out_is_said_of_given_up_bookings_to_requests_sent_before_the_recovery() {
    let failed = |asked| {
        let mut history = with_recoveries();
        says_sold_out(&mut history, (asked, 101));
        failures(&mut history)
    };
    assert_eq!(failed(100), [""; 0]);
    assert_eq!(failed(101), ["false-sold-out"]);
}

/// A seat of a given up hold counts as taken until the recovery.
#[test]
fn a_seat_was_taken_until_the_recovery_gave_up_its_hold() {
    let failed = |asked| {
        let mut history = recovered(2);
        let wish = hold_request(99, 99, &[4]);
        history.asks(asked, &wish).told(101, asked, &wish, &Outcome::Refused(Refusal::SeatTaken));
        failures(&mut history)
    };
    assert_eq!(failed(100), [""; 0]);
    assert_eq!(failed(101), ["linearizable"]);
}

#[test]
fn a_given_up_release_leaves_the_hold_to_its_end() {
    let mut history = with_recoveries();
    let release = release_request(21, 1, 1);
    history.gets((0, 1, 2), 1, 1, &[3]).held(1, 1, 1, &[3]);
    history.asks(3, &release).released(4, 21, 1).told(5, 3, &release, &released_outcome(1));
    history.oracles.given_up(secs(100), 0, 1);
    history.index = 1;
    assert_eq!(
        history.oracles.losses().map(|losses| (losses.holds, losses.releases)),
        Some((0, 1))
    );
    history.expired(306, 1);
    assert_eq!(failures(&mut history), [""; 0]);
}

/// Without a word in the settings, a log that takes records back is what it looks like.
#[test]
fn nothing_is_excused_where_no_log_is_ever_recovered() {
    let mut history = History::new();
    history.gets((0, 1, 2), 1, 1, &[3]).held(1, 1, 1, &[3]);
    history.books((3, 5), 11, 1, 1, &[3]).booked(4, 11, 1);
    history.oracles.given_up(secs(100), 0, 0);
    history.index = 0;
    assert!(history.oracles.losses().is_none());
    buys(&mut history, 110, 5, 5, &[3]);
    assert_eq!(failures(&mut history), ["double-booking", "hold", "linearizable"]);
}

/// A repeated request that arrives after the recovery grants a given up hold again, perhaps with other seats.
#[test]
fn a_given_up_hold_may_be_granted_again_with_other_seats() {
    let booked = |told: &[u32]| {
        let mut history = recovered(2);
        history.held(110, 2, 2, &[5]);
        history.books((111, 113), 12, 2, 2, told).booked(112, 12, 2);
        failures(&mut history)
    };
    assert_eq!(booked(&[5]), [""; 0]);
    assert_eq!(booked(&[4]), ["lost-booking"], "the journal has another seat");
}

#[test]
fn a_given_up_hold_was_lost_until_it_is_granted_again() {
    let mut history = recovered(2);
    hears_that_it_is_lost(&mut history, 110, 2, 2);
    history.held(200, 2, 2, &[5]);
    assert_eq!(failures(&mut history), [""; 0]);
    let mut again = recovered(2);
    again.held(200, 2, 2, &[5]);
    hears_that_it_is_lost(&mut again, 210, 2, 2);
    assert_eq!(failures(&mut again), ["hold"]);
}
