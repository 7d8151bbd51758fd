//! What requests, answers and events are called in a story.
//!
//! Owns the phrases. Refuses to know when they are used.

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

/// What a client wants.
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

/// What a client is told.
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

/// Why not.
pub(super) fn refused(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::SeatTaken => "refused, a seat is taken",
        Refusal::NoneFree => "refused, too few are free now",
        Refusal::SoldOut => "refused, sold out",
        Refusal::HoldLost => "refused, the hold is over",
        Refusal::NotYours => "refused, it is somebody else's",
        Refusal::BadRequest => "refused, it makes no sense",
        Refusal::Overloaded => "turned away, too much is under way",
        Refusal::Unavailable => "no leader could be reached",
        Refusal::Minority => "turned away, the gateway has withdrawn",
    }
}

/// What the journal says happened.
pub(super) fn happened(event: &Event) -> String {
    match event {
        Event::Held { hold, user, seats: list, expires, .. } => {
            format!("{} held for {user} until {expires} ({hold})", seats(list))
        }
        Event::Booked { hold, payment, .. } => format!("{hold} booked, paid with {payment}"),
        Event::Released { hold, .. } => format!("{hold} released, its seats are free"),
        Event::Expired { hold, .. } => {
            format!("{hold} expired, as its time and grace are over: its seats are free")
        }
    }
}

/// The shard's own time of a decision, where it is not the run's.
pub(super) fn of_the_shard(decided: Instant, at: Instant) -> String {
    let apart = decided.since(at).max(at.since(decided));
    if apart < APART_TOLD { String::new() } else { format!(", by the shard's time at {decided}") }
}

/// Clocks that are closer together are taken to agree.
const APART_TOLD: Span = Span::from_millis(2);

/// Why a message does not get to `to`.
pub(super) fn lost(why: Lost, from: Place, to: Place) -> String {
    match why {
        Lost::Cut => "the link is cut".to_owned(),
        Lost::Loss => "lost on the way".to_owned(),
        Lost::NeverLeft => format!("{} died before it left", place(from)),
        Lost::Down => format!("{} is down", place(to)),
        Lost::Restarted => format!("{} was started anew meanwhile", place(to)),
        Lost::Taken => "somebody took it off the line".to_owned(),
    }
}

/// Why a node that is not a shard's leader, or does not serve yet, sends a request back.
pub(super) fn not_the_leader(
    shard: ShardId,
    leader: Option<(NodeId, Epoch)>,
    from: Place,
) -> String {
    match leader {
        Some((leader, epoch)) if Place::Node(leader) == from => {
            format!("it leads {shard} in {epoch}, but does not serve yet")
        }
        Some((leader, epoch)) => format!("not the leader of {shard}, which is {leader} in {epoch}"),
        None => format!("not the leader of {shard}, and knows of none"),
    }
}
