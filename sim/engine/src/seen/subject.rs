//! The subjects of stories: a person, a seat, a request, a node and so on.
//!
//! Owns the names: how people write them, how evidence prints them, and which of them exist in
//! a scenario. Refuses to know what happens to the subjects.

use std::fmt;
use std::str::FromStr;

use onsale_booking::{HoldId, NodeId, RequestId, SeatId, ShowId, UserId};
use onsale_cluster::ShardId;
use onsale_cluster::fact::{FactKey, FactKind};
use onsale_oracles::evidence::ALSO;
use onsale_reports::Evidence;
use onsale_scenarios::Scenario;

use crate::seen::asked::{SessionId, requester};

/// Help text on the forms of subjects.
const FORMS: &str = "follow seat:SHOW/SEAT, user:U, hold:H, request:R, show:X, shard:S, node:N, \
                     session:S or fact:KIND/N, or a name as the evidence prints it, such as u17, \
                     \"show0 seat 1234\", \"session 34\" or \"event 0\"";

/// The subject of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A seat, with everybody who had or wanted it.
    Seat(ShowId, SeatId),
    /// A hold, from its grant to its end or booking.
    Hold(HoldId),
    /// A request, from its first attempt to its answer.
    Request(RequestId),
    /// A person, with all their requests.
    User(UserId),
    /// A session that reads and writes facts.
    Session(SessionId),
    /// A fact, with all its versions.
    Fact(FactKey),
    /// A shard, with its journal.
    Shard(ShardId),
    /// A show, with its seats.
    Show(ShowId),
    /// A node, with everything that it receives, sends and writes.
    Node(NodeId),
}

impl Subject {
    /// The subjects that a text of evidence names: the most specific first, each once.
    pub fn named_in(text: &str) -> Vec<Self> {
        let bare = |word: &'_ str| {
            word.trim_matches(|c: char| !c.is_alphanumeric()).split('#').next().map(str::to_owned)
        };
        let words: Vec<String> = text.split_whitespace().filter_map(bare).collect();
        let mut named: Vec<Self> = Vec::new();
        for (position, word) in words.iter().enumerate() {
            let follows = |ahead: usize| words.get(position + ahead).map_or("", String::as_str);
            let seat = format!("{word} {} {}", follows(1), follows(2));
            let two_words = word == "session" || kind(word).is_some();
            let name = match follows(1) {
                "seat" | "seats" => seat.replace("seats", "seat"),
                number if two_words => {
                    format!("{}{word} {number}", if word == "session" { "" } else { "fact:" })
                }
                _ => word.clone(),
            };
            named.extend(name.parse::<Self>().ok());
        }
        // A bare number names nothing, and most texts mention a show or a node in passing.
        let in_passing = |subject: &Self| matches!(subject, Self::Show(_) | Self::Node(_));
        if named.iter().any(|subject| !in_passing(subject)) {
            named.retain(|subject| !in_passing(subject));
        }
        named.sort_unstable();
        named.dedup();
        named
    }

    /// Checks that a scenario has the subject.
    ///
    /// # Errors
    /// The range that the scenario has.
    pub fn check(self, scenario: &Scenario) -> Result<(), String> {
        let sale = &scenario.sale;
        let seats = u32::from(sale.sections) * u32::from(sale.rows) * u32::from(sale.seats_per_row);
        let within = |what: &str, number: u64, first: u64, after: u64| {
            if (first..after).contains(&number) {
                return Ok(());
            }
            let id = &scenario.id;
            Err(format!("{self}: {id} has {what} {first} to {}, not {number}", after - 1))
        };
        let no_facts = || format!("{self}: {} has no facts", scenario.id);
        let users = u64::from(scenario.crowd.numbers());
        match self {
            Self::Seat(show, seat) => within("shows", show.0.into(), 0, sale.shows.into())
                .and_then(|()| within("seats", seat.0.into(), 0, seats.into())),
            Self::Show(show) => within("shows", show.0.into(), 0, sale.shows.into()),
            Self::User(user) => within("users", user.0.into(), 0, users),
            // Sessions that replace abandoned ones have higher numbers.
            Self::Session(_) if scenario.facts.is_some() => Ok(()),
            Self::Session(_) => Err(no_facts()),
            Self::Fact(fact) => match &scenario.facts {
                Some(facts) => within("facts of this kind", fact.id.into(), 0, facts.events.into()),
                None => Err(no_facts()),
            },
            Self::Shard(shard) => {
                within("shards", shard.0.into(), 0, scenario.cluster.shards.into())
            }
            Self::Node(node) => {
                within("nodes", node.0.into(), 1, u64::from(scenario.cluster.numbers()) + 1)
            }
            Self::Hold(HoldId(name)) | Self::Request(RequestId(name)) => {
                let user = requester(RequestId(name)).0;
                within("users", user.into(), 0, users)
                    .map_err(|error| format!("{error}: request numbers are 256 × user + n"))
            }
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` names nothing that can be followed: {FORMS}");
        let lower = text.trim().to_lowercase();
        let (kind, rest) = split(&lower);
        if let ("show", Some((show, seat))) = (kind, rest.split_once([' ', '/'])) {
            let seat = seat.strip_prefix("seat").unwrap_or(seat).trim_start_matches([':', ' ']);
            return match (digits(show), digits(seat)) {
                (Some(show), Some(seat)) => Ok(Self::Seat(ShowId(show), SeatId(seat))),
                _ => Err(unknown()),
            };
        }
        if kind == "fact" {
            return fact(rest).ok_or_else(unknown);
        }
        if let Some(fact) = fact(&lower).filter(|_| kind != "show") {
            return Ok(fact);
        }
        if kind == "seat" {
            // The hot show, unless another is named.
            let (show, seat) = rest.split_once('/').unwrap_or(("0", rest));
            let show = show.strip_prefix("show").unwrap_or(show);
            return match (digits(show), digits(seat)) {
                (Some(show), Some(seat)) => Ok(Self::Seat(ShowId(show), SeatId(seat))),
                _ => Err(unknown()),
            };
        }
        // `user:u17` is redundant; `user:h17` contradicts itself.
        let (again, number) = split(rest);
        let is_same = again == kind
            || again.len() == 1 && kind.starts_with(again) && !matches!(kind, "show" | "session");
        if !again.is_empty() && !is_same {
            return Err(unknown());
        }
        let number: u64 = digits(number).ok_or_else(unknown)?;
        let small = || u32::try_from(number).map_err(|_| unknown());
        Ok(match kind {
            "user" | "u" => Self::User(UserId(small()?)),
            "hold" | "h" => Self::Hold(HoldId(number)),
            "request" | "r" => Self::Request(RequestId(number)),
            "show" => Self::Show(ShowId(small()?)),
            "shard" | "s" => Self::Shard(ShardId(small()?)),
            "session" => Self::Session(SessionId(small()?)),
            "node" | "n" => Self::Node(NodeId(number.try_into().map_err(|_| unknown())?)),
            _ => return Err(unknown()),
        })
    }
}

/// Parses a fact: `event 0`, `event:0`, `event/0`.
fn fact(text: &str) -> Option<Subject> {
    let (name, rest) = split(text);
    let id = digits(rest.strip_prefix('/').unwrap_or(rest))?;
    kind(name).map(|kind| Subject::Fact(FactKey { kind, id }))
}

/// Adds to evidence the subjects that it is about, so that a story can follow them.
pub(crate) fn name_in(evidence: &mut Evidence) {
    let mut subjects = Subject::named_in(&evidence.headline);
    // The fact of a session's read may be named only in the details.
    let details = evidence.details.iter().take_while(|line| !line.starts_with(ALSO));
    for subject in details.flat_map(|line| Subject::named_in(line)) {
        if matches!(subject, Subject::Session(_)) && !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    evidence.follow = subjects.iter().map(ToString::to_string).collect();
}

/// The kind of facts with this name.
fn kind(name: &str) -> Option<FactKind> {
    Some(match name {
        "city" => FactKind::City,
        "venue" => FactKind::Venue,
        "hall" => FactKind::Hall,
        "event" => FactKind::Event,
        "performer" => FactKind::Performer,
        "show" => FactKind::Show,
        "price" => FactKind::Price,
        _ => return None,
    })
}

/// Parses a number without a sign.
fn digits<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Splits off leading letters and a separator: `u17`, `user:17`, `user 17`, `user:u17`.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (kind, rest) = text.split_at(end);
    (kind, rest.trim_start_matches([':', ' ']))
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seat(show, seat) => write!(f, "seat:{}/{}", show.0, seat.0),
            Self::Hold(hold) => write!(f, "hold:{}", hold.0),
            Self::Request(request) => write!(f, "request:{}", request.0),
            Self::User(user) => write!(f, "user:{}", user.0),
            Self::Session(session) => write!(f, "session:{}", session.0),
            Self::Fact(fact) => write!(f, "fact:{}", fact.to_string().replace(' ', "/")),
            Self::Shard(shard) => write!(f, "shard:{}", shard.0),
            Self::Show(show) => write!(f, "show:{}", show.0),
            Self::Node(node) => write!(f, "node:{}", node.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_written_as_people_and_evidence_write_them() {
        let seat = |show, seat| Subject::Seat(ShowId(show), SeatId(seat));
        let table = [
            ("seat:3/12", seat(3, 12)),
            ("seat:1234", seat(0, 1234)),
            ("seat 1234", seat(0, 1234)),
            ("seat1234", seat(0, 1234)),
            ("show2 seat 7", seat(2, 7)),
            ("show2/7", seat(2, 7)),
            ("seat:show2/7", seat(2, 7)),
            ("u17", Subject::User(UserId(17))),
            ("user:17", Subject::User(UserId(17))),
            ("user:u17", Subject::User(UserId(17))),
            ("N3", Subject::Node(NodeId(3))),
            ("show0", Subject::Show(ShowId(0))),
            ("shard:s12", Subject::Shard(ShardId(12))),
            ("h4353", Subject::Hold(HoldId(4353))),
            ("request:4353", Subject::Request(RequestId(4353))),
            ("session 34", Subject::Session(SessionId(34))),
            ("session:34", Subject::Session(SessionId(34))),
            ("event 0", Subject::Fact(FactKey { kind: FactKind::Event, id: 0 })),
            ("price:3", Subject::Fact(FactKey { kind: FactKind::Price, id: 3 })),
            ("fact:show/2", Subject::Fact(FactKey { kind: FactKind::Show, id: 2 })),
        ];
        for (text, subject) in table {
            assert_eq!(text.parse(), Ok(subject), "{text}");
            assert_eq!(subject.to_string().parse(), Ok(subject), "{subject}");
        }
        let nonsense = [
            "",
            "17",
            "seat",
            "seat:x",
            "seat:1/",
            "u",
            "n70000",
            "u99999999999",
            "gate:1",
            "user:h5",
            "node:s1",
            "show:n1",
            "node:xyz1",
            "u+5",
            "seat:+1/2",
            "seat:showshow1/2",
            "user:us1",
        ];
        for text in nonsense {
            let error = text.parse::<Subject>().expect_err(text);
            assert!(error.contains("follow seat:SHOW/SEAT"), "{error}");
        }
    }

    #[test]
    fn evidence_names_its_subjects() {
        let table = [
            ("show0 seat 12 (section 0, row 0, place 12) is booked for u1 and for u2", "seat:0/12"),
            ("h4353 of u17 was never resolved", "hold:4353"),
            ("r4353 of u17 never ended", "request:4353"),
            ("s12#88 (e3) is no longer on a majority of disks", "shard:12"),
            ("at 00:10.000 a promise inside the code broke", ""),
            ("session 34 read event 0 back in time", "session:34"),
            ("n3 does not know what n1 said about show 2", "fact:show/2"),
            ("the move of s5 to n1, n2 never ended", "shard:5"),
            ("n3 was told to leave and never left", "node:3"),
        ];
        for (text, first) in table {
            let named = Subject::named_in(text);
            assert_eq!(named.first().map(ToString::to_string).unwrap_or_default(), first);
        }
    }

    #[test]
    fn a_missing_subject_is_answered_with_the_valid_range() {
        let scenario = onsale_scenarios::catalogue::find("fast/crash").unwrap().scenario();
        let error = |text: &str| text.parse::<Subject>().unwrap().check(&scenario);
        assert_eq!(error("n5"), Ok(()));
        assert_eq!(error("n6"), Err("node:6: fast/crash has nodes 1 to 5, not 6".to_owned()));
        assert_eq!(
            error("u2000"),
            Err("user:2000: fast/crash has users 0 to 1999, not 2000".to_owned())
        );
        assert!(error("show99 seat 1").is_err_and(|error| error.contains("has shows 0 to")));
        assert!(error("r999999999").is_err_and(|error| error.contains("256 × user + n")));
    }
}
