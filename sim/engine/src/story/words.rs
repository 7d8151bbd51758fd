//! The phrases for requests, answers and events in a story.
//!
//! Owns the words. Refuses to know when they are used.

use onsale_booking::{
    Command, Event, Instant, NodeId, Outcome, Refusal, SeatList, ShowId, Span, Wish,
};
use onsale_cluster::{Epoch, ShardId};

use onsale_world::place::{Lost, Place};

/// `n3`, or `the clients`.
pub(super) fn place(place: Place) -> String {
    place.to_string()
}

/// `seat 12`, `seats 12, 13`.
pub(super) fn seats(list: &SeatList) -> String {
    let numbers: Vec<String> = list.iter().map(|seat| seat.0.to_string()).collect();
    let noun = if list.len() == 1 { "seat" } else { "seats" };
    format!("{noun} {}", numbers.join(", "))
}

/// The phrase for a client's request.
pub(super) fn wanted(show: ShowId, command: &Command) -> String {
    match command {
        Command::Hold(wish) => format!("hold {} of {show}", wished(wish)),
        Command::Confirm { hold, payment } => format!("book {hold}, paid with {payment}"),
        Command::Release { hold } => format!("release {hold}"),
    }
}

fn wished(wish: &Wish) -> String {
    let picked = (!wish.picked.is_empty()).then(|| seats(&wish.picked));
    let best = wish.best.iter().map(|(section, count)| match count {
        1 => format!("the best seat in section {}", section.0),
        count => format!("the {count} best seats in section {}", section.0),
    });
    picked.into_iter().chain(best).collect::<Vec<_>>().join(" and ")
}

/// The phrase for an answer to a client.
pub(super) fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Held { hold, seats: list, expires } => {
            format!("{} held until {expires} ({hold})", seats(list))
        }
        Outcome::Booked { hold, seats: list } => format!("{} booked ({hold})", seats(list)),
        Outcome::Released { hold } => format!("{hold} released"),
        Outcome::Refused(refusal) => refused(*refusal).to_owned(),
    }
}

/// The phrase for a refusal.
pub(super) fn refused(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::SeatTaken => "refused, a seat is taken",
        Refusal::NoneFree => "refused, too few seats are free",
        Refusal::SoldOut => "refused, sold out",
        Refusal::HoldLost => "refused, the hold had already ended",
        Refusal::NotYours => "refused, it belongs to someone else",
        Refusal::BadRequest => "refused, the request is invalid",
        Refusal::Overloaded => "turned away, the node is overloaded",
        Refusal::Unavailable => "no leader could be reached",
        Refusal::Minority => "turned away, the gateway has withdrawn",
    }
}

/// The phrase for an event in the journal.
pub(super) fn happened(event: &Event) -> String {
    match event {
        Event::Held { hold, user, seats: list, expires, .. } => {
            format!("{} held for {user} until {expires} ({hold})", seats(list))
        }
        Event::Booked { hold, payment, .. } => format!("{hold} booked, paid with {payment}"),
        Event::Released { hold, .. } => format!("{hold} released, its seats are free"),
        Event::Expired { hold, .. } => {
            format!("{hold} expired, its time and grace are over: its seats are free")
        }
    }
}

/// The phrase for a decision's instant in the shard's time, where that differs from the run's.
pub(super) fn of_the_shard(decided: Instant, at: Instant) -> String {
    let apart = decided.since(at).max(at.since(decided));
    if apart < APART_TOLD { String::new() } else { format!(", at {decided} in the shard's time") }
}

/// Smallest difference between the shard's time and the run's that is told.
const APART_TOLD: Span = Span::from_millis(2);

/// The phrase for why a message is lost.
pub(super) fn lost(why: Lost, from: Place, to: Place) -> String {
    match why {
        Lost::Cut => "the link is cut".to_owned(),
        Lost::Loss => "lost on the way".to_owned(),
        Lost::NeverLeft => format!("{} died before it left", place(from)),
        Lost::Down => format!("{} is down", place(to)),
        Lost::Restarted => format!("{} has restarted since", place(to)),
        Lost::Taken => "intercepted on the way".to_owned(),
    }
}

/// The phrase for why a node that does not lead a shard, or does not serve yet, sends a request back.
pub(super) fn not_the_leader(
    shard: ShardId,
    leader: Option<(NodeId, Epoch)>,
    from: Place,
) -> String {
    match leader {
        Some((leader, epoch)) if Place::Node(leader) == from => {
            format!("it leads {shard} in {epoch}, but does not serve yet")
        }
        Some((leader, epoch)) => format!("{leader} leads {shard} in {epoch}"),
        None => format!("it does not lead {shard}, and knows no leader"),
    }
}
