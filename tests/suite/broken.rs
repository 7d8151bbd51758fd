//! Every oracle sees: each is shown a system that is broken from outside and must say so.
//!
//! Nothing here touches an oracle or core. Networks meddle with what they carry, disks
//! lose what they acknowledged: see [`onsale_sim::sabotage`]. The same seeds pass when nothing
//! is broken. What settings alone can break is in the catalogue's `unsafe`.

use std::collections::BTreeMap;

use onsale_core::{Message, Outcome, Refusal, Reply, RequestId, SeatList, ShowId, Span, UserId};
use onsale_reports::Verdict;
use onsale_scenarios::{Arrivals, Fault, Ratio, Scenario, Target};
use onsale_sim::plan::Plan;
use onsale_sim::run::run_sabotaged;
use onsale_sim::sabotage::{Relay, Sabotage};
use onsale_sim::world::network::CLIENTS;
use onsale_tests::{complaint, play, sale_with, second, small_sale, verdict};

/// The oracle fails within so many seeds, and tells a story with these words in it; the
/// same seeds pass when nothing is broken.
fn sees(
    oracle: &str,
    words: &str,
    scenario: &Scenario,
    seeds: u64,
    sabotage: impl Fn() -> Sabotage,
) {
    let mut told = String::new();
    for seed in 1..=seeds {
        let honest = play(scenario, seed);
        assert_eq!(complaint(&honest), None, "nothing was broken");

        let broken = run_sabotaged(&Plan::new(scenario, seed), sabotage());
        let results = &broken.summary.facts.oracles;
        let evidence = results
            .iter()
            .find(|result| result.name == oracle)
            .and_then(|result| result.evidence.as_ref());
        let stories = evidence.map_or_else(String::new, |told| {
            format!("{}\n{}", told.headline, told.details.join("\n"))
        });
        if stories.contains(words) {
            assert_eq!(verdict(&broken, oracle), Verdict::Fail);
            return;
        }
        told += &complaint(&broken).unwrap_or_else(|| format!("\nseed {seed}: nothing was seen"));
    }
    panic!("{oracle} did not say '{words}' within {seeds} seeds: {told}");
}

fn relay(
    meddle: impl FnMut(onsale_core::Instant, usize, usize, &mut Message) -> bool + Send + 'static,
) -> Sabotage {
    let relay: Relay = Box::new(meddle);
    Sabotage { relay: Some(relay), ..Sabotage::default() }
}

/// A network that rewrites the answers on their last step to the clients, knowing what was asked.
fn answers(mut rewrite: impl FnMut(ShowId, UserId, &mut Reply) + Send + 'static) -> Sabotage {
    let mut asked: BTreeMap<RequestId, (ShowId, UserId)> = BTreeMap::new();
    relay(move |_, from, to, message| {
        match message {
            Message::Requests(batch) if from == CLIENTS => {
                asked.extend(
                    batch.iter().map(|timed| (timed.item.id, (timed.item.show, timed.item.user))),
                );
            }
            Message::Replies(batch) if to == CLIENTS => {
                for timed in batch {
                    let (show, user) = asked[&timed.item.request];
                    rewrite(show, user, &mut timed.item);
                }
            }
            Message::Requests(_)
            | Message::Replies(_)
            | Message::Forwarded(_)
            | Message::Answers(_)
            | Message::Beat(_)
            | Message::Journal(_) => {}
        }
        true
    })
}

/// Tells each the seats that the one before was told, if it is of the same show and of as many seats.
fn mixed_up(seats_in: impl Fn(&mut Outcome) -> Option<&mut SeatList> + Send + 'static) -> Sabotage {
    let mut last: BTreeMap<(ShowId, usize), (UserId, SeatList)> = BTreeMap::new();
    answers(move |show, user, reply| {
        let Some(seats) = seats_in(&mut reply.outcome) else { return };
        let before = last.entry((show, seats.len())).or_insert_with(|| (user, seats.clone()));
        if before.0 != user {
            seats.clone_from(&before.1);
        }
    })
}

fn crash(at: u64, node: Target) -> Fault {
    Fault::Crash { at: Span::from_secs(at), node, down: Span::from_secs(10) }
}

fn blackout(at: u64) -> Fault {
    Fault::PowerLoss { at: Span::from_secs(at), down: Span::from_secs(5) }
}

#[test]
fn double_booking_sees_two_people_told_of_one_seat() {
    let mix_up = || {
        mixed_up(|outcome| match outcome {
            Outcome::Booked { seats, .. } => Some(seats),
            Outcome::Held { .. } | Outcome::Released { .. } | Outcome::Refused(_) => None,
        })
    };
    sees("double-booking", "and to another as booked", &small_sale(), 1, mix_up);
}

#[test]
fn double_booking_sees_a_cluster_that_forgot_and_sold_again() {
    let wiped = || Sabotage { disks_lose: u64::MAX, ..Sabotage::default() };
    sees("double-booking", "as booked", &sale_with(&[blackout(60)]), 1, wiped);
}

#[test]
fn lost_booking_sees_disks_that_acknowledged_too_early() {
    let lying = || Sabotage { disks_lose: 2_000, ..Sabotage::default() };
    sees("lost-booking", "committed record", &sale_with(&[blackout(60)]), 3, lying);
}

/// When the sale is over and the disks are wiped, nobody writes over what is lost.
#[test]
fn lost_booking_sees_what_is_gone_though_nobody_asks_for_it() {
    let wiped = || Sabotage { disks_lose: u64::MAX, ..Sabotage::default() };
    let mut scenario = sale_with(&[blackout(280)]);
    scenario.duration = Span::from_secs(300);
    scenario.must_exercise.retain(|oracle| oracle != "live");
    sees("lost-booking", "not on a majority of disks any more", &scenario, 1, wiped);
}

#[test]
fn lost_booking_sees_a_booking_that_no_journal_holds() {
    let forged = || {
        answers(|_, _, reply| {
            if let Outcome::Booked { hold, .. } = &mut reply.outcome {
                hold.0 ^= 1 << 40;
            }
        })
    };
    sees("lost-booking", "is not in the journal as told", &small_sale(), 1, forged);
}

#[test]
fn atomic_sees_an_order_that_is_served_in_part() {
    let one_short = || {
        answers(|_, _, reply| {
            if let Outcome::Held { seats, .. } = &mut reply.outcome
                && seats.len() > 1
            {
                seats.pop();
            }
        })
    };
    sees("atomic", "has not as many seats as were asked for", &small_sale(), 1, one_short);
}

#[test]
fn atomic_sees_a_booking_of_other_seats_than_were_held() {
    let shifted = || {
        answers(|_, _, reply| {
            if let Outcome::Booked { seats, .. } = &mut reply.outcome {
                seats.iter_mut().for_each(|seat| seat.0 = (seat.0 + 1) % 100);
            }
        })
    };
    sees("atomic", "has other seats than its hold", &small_sale(), 1, shifted);
}

#[test]
fn hold_sees_seats_promised_to_two_at_once() {
    let mix_up = || {
        mixed_up(|outcome| match outcome {
            Outcome::Held { seats, .. } => Some(seats),
            Outcome::Booked { .. } | Outcome::Released { .. } | Outcome::Refused(_) => None,
        })
    };
    sees("hold", "was promised to", &small_sale(), 1, mix_up);
}

#[test]
fn hold_sees_a_payment_refused_in_time() {
    let refusing = || {
        answers(|_, _, reply| {
            if matches!(reply.outcome, Outcome::Booked { .. }) {
                reply.outcome = Outcome::Refused(Refusal::HoldLost);
            }
        })
    };
    sees("hold", "while its time and grace ran", &small_sale(), 1, refusing);
}

#[test]
fn live_sees_links_that_do_not_heal() {
    let cut = || relay(|now, from, to, _| now < second(30) || from == CLIENTS || to == CLIENTS);
    sees("live", "although the cluster was whole", &sale_with(&[crash(20, Target::Owner)]), 1, cut);
}

/// Everybody fills a cart and walks away; then the links go, and no owner can record the end of a hold.
#[test]
fn live_sees_holds_that_nobody_ends() {
    let cut = || relay(|now, _, _, _| now < second(40));
    let mut scenario = small_sale();
    scenario.crowd.arrivals = Arrivals::Constant { over: Span::from_secs(15) };
    scenario.crowd.session.abandon = Ratio::percent(100);
    scenario.crowd.session.release = Ratio::percent(0);
    scenario.crowd.session.refreshes = 0;
    scenario.must_exercise = vec!["hold".to_owned()];
    sees("live", "was never resolved", &scenario, 1, cut);
}

/// A broken promise inside the code ends the run, and is a verdict with a seed, not a crash.
#[test]
fn a_panic_is_a_verdict() {
    let nonsense = || {
        answers(|_, _, reply| {
            if let Outcome::Held { hold, .. } = reply.outcome {
                reply.outcome = Outcome::Released { hold };
            }
        })
    };
    sees("invariant", "was answered as another kind", &small_sale(), 1, nonsense);
}
