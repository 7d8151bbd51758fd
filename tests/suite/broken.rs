//! Every oracle sees: each is shown a system that is broken from outside and must fail.
//!
//! Nothing here touches an oracle or core. Networks alter messages and disks lose acknowledged writes: see
//! [`onsale_sim::sabotage`]. The same seeds pass when nothing is broken. Failures caused by settings alone are
//! in the catalogue's `unsafe`.

use std::collections::BTreeMap;

use onsale_booking::{
    HoldId, Instant, Outcome, Refusal, Reply, RequestId, SeatList, ShowId, Span, UserId,
};
use onsale_cluster::fact::{FactKey, FactsAnswer, FactsMessage, FactsReply, Version};
use onsale_cluster::journal::frame;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::record::Record;
use onsale_cluster::{Expiry, Format, Message, record};
use onsale_reports::Verdict;
use onsale_scenarios::{Arrivals, Facts, Fault, ProcessFault, Ratio, Scenario, Target};
use onsale_sim::plan::Plan;
use onsale_sim::run::run_sabotaged;
use onsale_sim::sabotage::{Sabotage, Scribe, relay_of};
use onsale_tests::{complaint, play, play_all, sale_with, second, small_sale, verdict};
use onsale_world::place::Place;

/// Checks that the oracle fails within `seeds` seeds with a story that contains these words, and that the same
/// seeds pass when nothing is broken.
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
    meddle: impl FnMut(Instant, Place, Place, &mut Message) -> bool + Send + 'static,
) -> Sabotage {
    Sabotage { relay: Some(relay_of(meddle)), ..Sabotage::default() }
}

/// A network that rewrites answers on their last step to the clients, knowing the requests.
fn answers(mut rewrite: impl FnMut(ShowId, UserId, &mut Reply) + Send + 'static) -> Sabotage {
    let mut asked: BTreeMap<RequestId, (ShowId, UserId)> = BTreeMap::new();
    relay(move |_, from, to, message| {
        match message {
            Message::Requests(batch) if from == Place::Clients => {
                asked.extend(
                    batch.iter().map(|timed| (timed.item.id, (timed.item.show, timed.item.user))),
                );
            }
            Message::Replies(batch) if to == Place::Clients => {
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
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_)
            | Message::Journal(_)
            | Message::Facts(_) => {}
        }
        true
    })
}

/// Tells each client the seats that the client before was told, if show and number of seats are the same.
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
    Fault::new(Span::from_secs(at), Span::from_secs(10), ProcessFault::Crash { node })
}

fn blackout(at: u64) -> Fault {
    Fault::new(Span::from_secs(at), Span::from_secs(5), ProcessFault::PowerLoss {})
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

/// Once the sale is over and the disks are wiped, nothing overwrites the loss.
#[test]
fn lost_booking_sees_what_is_gone_though_nobody_asks_for_it() {
    let wiped = || Sabotage { disks_lose: u64::MAX, ..Sabotage::default() };
    let mut scenario = sale_with(&[blackout(280)]);
    scenario.duration = Span::from_secs(300);
    scenario.must_exercise.retain(|oracle| oracle != "live");
    sees("lost-booking", "no longer on a majority of disks", &scenario, 1, wiped);
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
                *seats = seats.iter().skip(1).copied().collect();
            }
        })
    };
    sees("atomic", "has the wrong number of seats", &small_sale(), 1, one_short);
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

/// A job that runs every half second ends holds soon enough. With one that runs every two seconds they are late for their
/// leader, which nothing has interrupted, and with one that runs every half minute late by any bound.
#[test]
fn hold_sees_holds_that_end_late() {
    let swept_every = |millis| {
        let mut scenario = small_sale();
        scenario.sale.expiry = Expiry::Swept;
        scenario.sale.sweep_every = Span::from_millis(millis);
        play(&scenario, 1)
    };
    assert_eq!(complaint(&swept_every(500)), None, "it is soon enough");
    let slow = swept_every(2_000);
    assert_eq!((verdict(&slow, "prompt"), verdict(&slow, "hold")), (Verdict::Fail, Verdict::Pass));
    let late = swept_every(30_000);
    assert_eq!(verdict(&late, "hold"), Verdict::Fail);
    let told = late.summary.facts.oracles.iter().find(|result| result.name == "hold");
    let headline = told.and_then(|told| told.evidence.as_ref()).map(|told| &told.headline);
    assert!(headline.is_some_and(|told| told.contains("outlived its time by")), "{headline:?}");
}

#[test]
fn linearizable_sees_seats_that_two_had_at_once() {
    let mix_up = || {
        mixed_up(|outcome| match outcome {
            Outcome::Held { seats, .. } => Some(seats),
            Outcome::Booked { .. } | Outcome::Released { .. } | Outcome::Refused(_) => None,
        })
    };
    let mut scenario = small_sale();
    scenario.crowd.session.abandon = Ratio::percent(100);
    scenario.must_exercise = vec!["linearizable".to_owned()];
    sees("linearizable", "no order lets", &scenario, 1, mix_up);
}

/// A refused person gets the first grant of the show again, after its time: the client counts from its request,
/// and loses seats that nobody took from it.
#[test]
fn linearizable_sees_an_old_grant_that_is_told_again() {
    let replayed = || {
        let mut first: BTreeMap<ShowId, (SeatList, Instant)> = BTreeMap::new();
        let mut latest = Instant::ZERO;
        answers(move |show, _, reply| match &reply.outcome {
            Outcome::Held { seats, expires, .. } => {
                latest = *expires;
                first.entry(show).or_insert_with(|| (seats.clone(), *expires));
            }
            Outcome::Refused(Refusal::NoneFree | Refusal::SeatTaken) => {
                let a_hold_and_more = Span::from_secs(40);
                let old = first.get(&show).filter(|(_, ended)| *ended + a_hold_and_more < latest);
                if let Some((seats, expires)) = old.cloned() {
                    let hold = HoldId::from(reply.request);
                    reply.outcome = Outcome::Held { hold, seats, expires };
                }
            }
            Outcome::Booked { .. } | Outcome::Released { .. } | Outcome::Refused(_) => {}
        })
    };
    sees("linearizable", "while nothing can have ended it", &small_sale(), 1, replayed);
}

#[test]
fn linearizable_sees_a_hold_that_cannot_be_given_back() {
    let refusing = || {
        answers(|_, _, reply| {
            if matches!(reply.outcome, Outcome::Released { .. }) {
                reply.outcome = Outcome::Refused(Refusal::HoldLost);
            }
        })
    };
    sees("linearizable", "could not be released", &small_sale(), 1, refusing);
}

#[test]
fn linearizable_sees_people_sent_away_while_seats_may_come_back() {
    let despairing = || {
        answers(|_, _, reply| {
            if let Outcome::Refused(refusal @ Refusal::NoneFree) = &mut reply.outcome {
                *refusal = Refusal::SoldOut;
            }
        })
    };
    sees("linearizable", "while every section has room", &small_sale(), 1, despairing);
}

/// Disks that write other records than requested.
fn forged(mut forge: impl FnMut(Place, u64, &mut Record) + Send + 'static) -> Sabotage {
    let scribe: Scribe = Box::new(move |place, bytes| {
        let mut forged = Vec::new();
        for frame in frame::read(bytes) {
            if let Frame::Entry { shard, index, epoch, record } = frame
                && let Ok(Some(mut record)) = record::decode(record)
            {
                forge(place, index, &mut record);
                let record = &record::encode(Format::FIRST, record.writer, &record.events);
                Frame::Entry { shard, index, epoch, record }.write(&mut forged);
            } else {
                frame.write(&mut forged);
            }
        }
        *bytes = forged;
    });
    Sabotage { scribe: Some(scribe), ..Sabotage::default() }
}

#[test]
fn single_writer_sees_two_nodes_that_write_in_one_epoch() {
    let taking_turns = || forged(|_, index, record| record.writer.0 += (index % 2) as u16);
    sees("single-writer", "both wrote to", &small_sale(), 1, taking_turns);
}

#[test]
fn single_writer_sees_disks_that_hold_different_records_of_one_epoch() {
    let one_differs = || {
        forged(|place, _, record| {
            if place == Place::node(2) {
                record.events.pop();
            }
        })
    };
    sees("single-writer", "two records were written to", &small_sale(), 1, one_differs);
}

/// All disks are wiped, and the cluster starts again with its first epochs.
#[test]
fn single_writer_sees_epochs_that_come_again() {
    let wiped = || Sabotage { disks_lose: u64::MAX, ..Sabotage::default() };
    let scenario = sale_with(&[blackout(60)]);
    sees("single-writer", "two records were written to", &scenario, 1, wiped);
}

#[test]
fn latency_sees_a_limit_that_is_not_kept() {
    let stalling =
        || relay(|now, _, to, _| to != Place::Clients || now < second(30) || now > second(45));
    let mut scenario = small_sale();
    scenario.limits = vec!["hold p99.9 < 1s".parse().expect("it is a limit")];
    sees("latency", "hold p99.9 < 1s: missed at", &scenario, 1, stalling);
}

#[test]
fn live_sees_links_that_do_not_heal() {
    let cut = || {
        relay(|now, from, to, _| now < second(30) || from == Place::Clients || to == Place::Clients)
    };
    sees(
        "live",
        "although the cluster was whole",
        &sale_with(&[crash(20, Target::Leader)]),
        1,
        cut,
    );
}

/// Everybody fills a cart and walks away; then the links go, and no leader can record the end of a hold.
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

/// A small sale beside which facts are read and written.
fn sale_with_facts(faults: &[Fault]) -> Scenario {
    let mut scenario = sale_with(faults);
    scenario.facts =
        Some(Facts { events: 5, until: Span::from_secs(60), visitors: 100, ..Facts::default() });
    scenario.must_exercise = vec!["facts".to_owned()];
    scenario
}

/// All visitors get the answers of the first visitor.
#[test]
fn facts_sees_a_visitor_who_is_told_old_news() {
    let replayed = || {
        let mut first: BTreeMap<FactKey, Option<Version>> = BTreeMap::new();
        relay(move |now, _, to, message| {
            if let Message::Facts(message) = message
                && let FactsMessage::Told(FactsReply { answer: FactsAnswer::Read(facts), .. }) =
                    &mut **message
                && to == Place::Clients
            {
                for (key, version) in facts {
                    let known = first.entry(*key).or_insert_with(|| version.clone());
                    if now > second(50) && known.is_some() {
                        version.clone_from(known);
                    }
                }
            }
            true
        })
    };
    sees("facts", "back in time", &sale_with_facts(&[crash(20, Target::Leader)]), 1, replayed);
}

/// From some time on, no node receives messages about facts.
#[test]
fn facts_sees_copies_that_do_not_come_to_agree() {
    let deaf = || {
        relay(|now, from, to, message| {
            let gossip = matches!(message, Message::Facts(_))
                && from != Place::Clients
                && to != Place::Clients;
            !gossip || now < second(30)
        })
    };
    let scenario = sale_with_facts(&[crash(20, Target::Leader)]);
    sees("facts", "does not know what", &scenario, 1, deaf);
}

/// A loss on all nodes cannot be repaired, and sessions read back in time: no fault excuses that.
#[test]
fn facts_sees_disks_that_lose_what_sessions_have_seen() {
    let wiped = || Sabotage { disks_lose: u64::MAX, ..Sabotage::default() };
    sees("facts", "back in time", &sale_with_facts(&[blackout(65)]), 1, wiped);
}

/// Answers about facts no longer arrive. Impatient people, who often give up on links with a long tail, are no
/// alarm as long as answers come.
#[test]
fn facts_sees_nodes_that_fall_silent() {
    let silent = || {
        relay(|now, _, to, message| {
            !(matches!(message, Message::Facts(_)) && to == Place::Clients && now > second(50))
        })
    };
    let mut scenario = sale_with_facts(&[crash(20, Target::Leader)]);
    scenario.crowd.session.request_timeout = Span::from_millis(60);
    let facts = play(&scenario, 1).summary.facts.facts.expect("facts were read");
    assert!(facts.unanswered > 20, "{facts:?}");
    sees("facts", "gave no answer although", &scenario, 1, silent);
}

/// Clients farther away than their timeout give up every question although each is answered: that is no alarm
/// (`[network] client = "6s"`), but nodes that fall silent still are one.
#[test]
fn facts_sees_silence_from_far_away() {
    let silent = || {
        relay(|now, _, to, message| {
            !(matches!(message, Message::Facts(_)) && to == Place::Clients && now > second(50))
        })
    };
    let mut scenario = sale_with_facts(&[]);
    scenario.duration = Span::from_secs(600);
    scenario.network.client = Span::from_secs(6).into();
    scenario.crowd.users = 1;
    scenario.must_exercise.clear();
    if let Some(facts) = &mut scenario.facts {
        facts.until = Span::from_secs(300);
        facts.agree_within = Span::from_secs(10);
    }
    let facts = play(&scenario, 1).summary.facts.facts.expect("facts were asked for");
    assert!(facts.unanswered > 100 && facts.reads == 0, "{facts:?}");
    sees("facts", "gave no answer although", &scenario, 1, silent);
}

/// A network that delivers half of all messages twice: each write of a fact is executed once. Executed twice, a
/// deletion was stamped twice, and once the later tombstone was dropped there was no record of the fact (19 of
/// 20 seeds).
#[test]
fn facts_that_are_written_twice_by_the_network_are_written_once() {
    let mut scenario = sale_with_facts(&[]);
    scenario.duration = Span::from_secs(600);
    scenario.cluster.facts.deletions_last = Span::from_secs(60);
    scenario.network.duplicate = Ratio::percent(50);
    scenario.crowd.users = 1;
    if let Some(facts) = &mut scenario.facts {
        facts.changes_per_minute = 30;
        facts.until = Span::from_secs(540);
        facts.agree_within = Span::from_secs(10);
    }
    for (seed, complaint) in play_all(&scenario, 1..6, |seed, outcome| (seed, complaint(&outcome)))
    {
        assert_eq!(complaint, None, "seed {seed}");
    }
}

/// A broken invariant inside the code ends the run, and is a verdict with a seed, not a crash.
#[test]
fn a_panic_is_a_verdict() {
    let nonsense = || {
        answers(|_, _, reply| {
            if let Outcome::Held { hold, .. } = reply.outcome {
                reply.outcome = Outcome::Released { hold };
            }
        })
    };
    sees("invariant", "got an answer of another kind", &small_sale(), 1, nonsense);
}
