//! The cast of a story: the people, requests and places that belong to it.
//!
//! Owns the decision whether a request, an event or a node concerns a followed subject. A seat
//! takes two passes over a run: the story begins with a wish, and only the outcome shows which
//! wish got the seat. Refuses to know how it is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use onsale_booking::{
    Command, Event, Instant, NodeId, Outcome, Request, RequestId, SeatList, ShowId, UserId,
};
use onsale_cluster::fact::FactKey;
use onsale_cluster::{Placement, ShardId};
use onsale_world::place::Place;

use super::records::Newest;
use crate::seen::asked::{SessionId, requester};
use crate::seen::messages::Shown;
use crate::seen::naming::Naming;
use crate::seen::sight::Sight;
use crate::seen::subject::Subject;

/// How much a story tells about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Only its journal records.
    Journaled,
    /// Only its first attempt and its answer.
    Bystander,
    /// Everything.
    Principal,
}

/// The cast of a story.
#[derive(Clone, Debug)]
pub struct Cast {
    subjects: Vec<Subject>,
    placement: Arc<Placement>,
    naming: Naming,
    /// The requests that were granted a followed seat.
    grants: BTreeSet<RequestId>,
    newest: Newest,
}

impl Cast {
    /// The cast of a story about these subjects.
    pub fn new(subjects: Vec<Subject>, placement: Arc<Placement>, naming: Naming) -> Self {
        let newest = Newest::new(placement.map_shard());
        Self { subjects, placement, naming, grants: BTreeSet::new(), newest }
    }

    /// The shard whose records are versions of the map, if there is one.
    pub(super) fn map_shard(&self) -> Option<ShardId> {
        self.placement.map_shard()
    }

    /// Whether the run must be played once before its story can be told.
    pub fn needs_rehearsal(&self) -> bool {
        self.subjects.iter().any(|subject| matches!(subject, Subject::Seat(..)))
    }

    /// The first pass: learns which requests got the seats.
    pub(super) fn rehearse(&mut self, now: Instant, sight: &Sight<'_>) {
        for record in self.newest.records(now, sight) {
            for (show, event) in record.events {
                if let Event::Held { hold, seats, .. } = event
                    && self.follows_any(&seats, Some(show))
                {
                    self.grants.insert(RequestId(hold.0));
                }
            }
        }
        // Clients may be told something other than what the journal says.
        if let Sight::Arrived { message: Shown::Replies(batch), .. } = sight {
            for reply in *batch {
                if let Outcome::Held { seats, hold, .. } | Outcome::Booked { seats, hold } =
                    &reply.item.outcome
                    && self.follows_any(seats, None)
                {
                    self.grants.insert(RequestId(hold.0));
                }
            }
        }
    }

    /// Whether one of these seats is followed, of this show if one is given.
    fn follows_any(&self, seats: &SeatList, show: Option<ShowId>) -> bool {
        self.subjects.iter().any(|subject| match subject {
            Subject::Seat(of, seat) => show.is_none_or(|show| show == *of) && seats.contains(seat),
            Subject::Hold(_)
            | Subject::Request(_)
            | Subject::User(_)
            | Subject::Session(_)
            | Subject::Fact(_)
            | Subject::Shard(_)
            | Subject::Show(_)
            | Subject::Node(_) => false,
        })
    }

    /// The part that a request plays; `None` if it does not belong.
    pub(super) fn request(&self, request: &Request) -> Option<Part> {
        let hold = match &request.command {
            Command::Hold(_) => request.id,
            Command::Confirm { hold, .. } | Command::Release { hold } => RequestId(hold.0),
        };
        self.part(|subject| match subject {
            Subject::Seat(show, seat) if request.show == show => {
                let picks =
                    matches!(&request.command, Command::Hold(wish) if wish.picked.contains(&seat));
                if self.grants.contains(&hold) {
                    Some(Part::Principal)
                } else {
                    picks.then_some(Part::Bystander)
                }
            }
            Subject::Hold(of) => (of.0 == hold.0).then_some(Part::Principal),
            Subject::Request(id) => (id == request.id).then_some(Part::Principal),
            Subject::User(user) => (user == request.user).then_some(Part::Principal),
            Subject::Show(show) => (show == request.show).then_some(Part::Journaled),
            Subject::Shard(shard) => {
                (shard == self.shard_of(request.show)).then_some(Part::Journaled)
            }
            Subject::Seat(..) | Subject::Session(_) | Subject::Fact(_) | Subject::Node(_) => None,
        })
    }

    /// The part that an event proposed by a node plays; `None` if it does not belong.
    pub(super) fn event(&self, show: ShowId, event: &Event, node: Place) -> Option<Part> {
        let hold = event.hold();
        self.part(|subject| {
            let belongs = match subject {
                Subject::Seat(of, _) => of == show && self.grants.contains(&RequestId(hold.0)),
                Subject::Hold(of) => of == hold,
                Subject::Request(id) => event.request() == Some(id),
                Subject::User(user) => requester(RequestId(hold.0)).0 == user.0,
                Subject::Show(of) => {
                    return (of == show).then_some(Part::Journaled);
                }
                Subject::Shard(of) => {
                    return (of == self.shard_of(show)).then_some(Part::Journaled);
                }
                Subject::Node(of) => Place::Node(of) == node,
                Subject::Session(_) | Subject::Fact(_) => false,
            };
            belongs.then_some(Part::Principal)
        })
    }

    /// Whether a place is followed: a node, a shard or a show.
    pub(super) fn is_a_place(&self) -> bool {
        self.subjects.iter().any(|subject| {
            matches!(subject, Subject::Node(_) | Subject::Shard(_) | Subject::Show(_))
        })
    }

    /// Whether this node is followed.
    pub(super) fn node(&self, place: Place) -> bool {
        self.subjects
            .iter()
            .any(|subject| matches!(subject, Subject::Node(node) if Place::Node(*node) == place))
    }

    /// Whether only requests are followed, each up to its answer.
    pub(super) fn is_of_requests(&self) -> bool {
        self.subjects.iter().all(|subject| matches!(subject, Subject::Request(_)))
    }

    /// Whether this person is followed.
    pub(super) fn user(&self, user: UserId) -> bool {
        self.subjects.contains(&Subject::User(user))
    }

    /// Whether this session of reading and writing facts is followed.
    pub(super) fn session(&self, session: SessionId) -> bool {
        self.subjects.contains(&Subject::Session(session))
    }

    /// Whether this fact is followed.
    pub(super) fn fact(&self, fact: FactKey) -> bool {
        self.subjects.contains(&Subject::Fact(fact))
    }

    /// Whether any session is followed.
    pub(super) fn follows_sessions(&self) -> bool {
        self.subjects.iter().any(|subject| matches!(subject, Subject::Session(_)))
    }

    /// Whether this is the name of a followed session.
    pub(super) fn is_session(&self, name: &str) -> bool {
        name.parse().is_ok_and(|subject| {
            matches!(subject, Subject::Session(_)) && self.subjects.contains(&subject)
        })
    }

    /// Whether any fact is followed.
    pub(super) fn follows_facts(&self) -> bool {
        self.subjects.iter().any(|subject| matches!(subject, Subject::Fact(_)))
    }

    /// Whether any fact or session is followed.
    pub(super) fn is_of_facts(&self) -> bool {
        let of_facts =
            |subject: &Subject| matches!(subject, Subject::Fact(_) | Subject::Session(_));
        self.subjects.iter().any(of_facts)
    }

    /// Whether exactly this subject is followed.
    pub(super) fn follows(&self, subject: Subject) -> bool {
        self.subjects.contains(&subject)
    }

    /// The shards known to matter before the run begins.
    pub(super) fn shards(&self) -> BTreeSet<ShardId> {
        let shard = |subject: &Subject| match *subject {
            Subject::Seat(show, _) | Subject::Show(show) => Some(self.shard_of(show)),
            Subject::Shard(shard) => Some(shard),
            Subject::Hold(_)
            | Subject::Request(_)
            | Subject::User(_)
            | Subject::Session(_)
            | Subject::Fact(_)
            | Subject::Node(_) => None,
        };
        self.subjects.iter().filter_map(shard).collect()
    }

    /// The shard that carries this show.
    pub(super) fn shard_of(&self, show: ShowId) -> ShardId {
        self.placement.shard_of(show)
    }

    /// The system's names for its logs and records.
    pub(super) const fn naming(&self) -> Naming {
        self.naming
    }

    /// The nodes that replicate this shard.
    pub(super) fn replicas(&self, shard: ShardId) -> &[NodeId] {
        self.placement.replicas(shard)
    }

    fn part(&self, of: impl Fn(Subject) -> Option<Part>) -> Option<Part> {
        self.subjects.iter().filter_map(|&subject| of(subject)).max()
    }
}
