//! A line of a story.
//!
//! Owns the parts of a line, and how a sequence of lines becomes readable: ordered, trimmed of
//! irrelevant context, repetitions folded. Refuses to know where lines come from.

use onsale_booking::{Instant, RequestId, Span};
use onsale_cluster::ShardId;

/// Window within which equal lines of several places are joined into one.
const TOGETHER: Span = Span::from_secs(1);
/// Repetitions told in full before the rest is counted.
const REPEATS_TOLD: usize = 3;

/// The kind of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A client sends a request, or retries it.
    Ask,
    /// A request or an update travels between nodes.
    Route,
    /// A leader decides a request.
    Decision,
    /// A record becomes durable, or is overwritten.
    Record,
    /// A leader answers a gateway.
    Answer,
    /// A client gets an answer, gives up or leaves.
    Client,
    /// A message is lost.
    Lost,
    /// A shard gets or loses its leader.
    Leader,
    /// A node starts, pauses, or suspects another.
    Health,
    /// A fault strikes.
    Strike,
    /// A fault takes its next step.
    Step,
    /// A fault heals.
    Heal,
    /// An oracle finds a promise broken.
    Verdict,
}

impl Kind {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Route => "route",
            Self::Decision => "decision",
            Self::Record => "record",
            Self::Answer => "answer",
            Self::Client => "client",
            Self::Lost => "lost",
            Self::Leader => "leader",
            Self::Health => "health",
            Self::Strike => "strike",
            Self::Step => "step",
            Self::Heal => "heal",
            Self::Verdict => "verdict",
        }
    }
}

/// One line of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Instant in virtual time.
    pub at: Instant,
    /// The actor: `u17`, `n3`, `FAULT`, `ORACLE`.
    pub who: String,
    /// What the actor does.
    pub what: String,
    /// The kind of the line.
    pub kind: Kind,
    /// The request concerned.
    pub request: Option<RequestId>,
    /// The shard concerned.
    pub shard: Option<ShardId>,
    /// The fault's number in the plan, where one strikes or heals.
    pub fault: Option<usize>,
    /// Whether it only explains other lines: told where it stands between them.
    pub context: bool,
    /// What it repeats: of adjacent lines that repeat the same, only the first few are told.
    pub repeats: Option<String>,
}

impl Line {
    /// A line without request, shard, fault or repetition.
    pub(super) fn plain(at: Instant, who: String, kind: Kind, what: String) -> Self {
        Self {
            at,
            who,
            what,
            kind,
            request: None,
            shard: None,
            fault: None,
            context: false,
            repeats: None,
        }
    }
}

/// Puts lines in order, drops irrelevant context and folds repetitions.
///
/// Lines come in the order of execution, and each has its own instant: a message leaves when the
/// work that leads to it is done, which is later than the turn that started the work. No effect
/// has an earlier instant than its cause, so a stable sort keeps every effect behind its cause.
pub(super) fn arrange(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by_key(|line| line.at);
    fold(trim(lines))
}

/// Drops context before the first and after the last line of the story's own, except faults
/// still in force at the first.
fn trim(lines: Vec<Line>) -> Vec<Line> {
    let own = |line: &Line| !line.context;
    let Some(first) = lines.iter().position(own) else { return Vec::new() };
    let last = lines.iter().rposition(own).unwrap_or(first);
    let (before, story) = lines[..=last].split_at(first);
    let healed = |fault: Option<usize>| {
        before.iter().any(|line| line.kind == Kind::Heal && line.fault == fault)
    };
    let in_force = before.iter().filter(|line| line.kind == Kind::Strike && !healed(line.fault));
    in_force.chain(story).cloned().collect()
}

fn fold(lines: Vec<Line>) -> Vec<Line> {
    let mut told: Vec<Line> = Vec::with_capacity(lines.len());
    for group in lines.chunk_by(|one, next| one.repeats.is_some() && one.repeats == next.repeats) {
        if let Some(joined) = join(group) {
            told.push(joined);
            continue;
        }
        let rest = group.len().saturating_sub(REPEATS_TOLD);
        if rest < 2 {
            told.extend_from_slice(group);
            continue;
        }
        told.extend_from_slice(&group[..REPEATS_TOLD]);
        let last = &group[group.len() - 1];
        let repeated = last.repeats.as_deref().unwrap_or_default();
        told.push(Line {
            who: "…".to_owned(),
            what: format!("{rest} more until here: {repeated}"),
            fault: None,
            ..last.clone()
        });
    }
    told
}

/// Joins equal lines of several actors into one; `None` if they are not equal.
fn join(group: &[Line]) -> Option<Line> {
    let (first, others) = group.split_first()?;
    let together = |line: &Line| line.what == first.what && line.at.since(first.at) < TOGETHER;
    let mut names: Vec<&str> = others.iter().map(|line| line.who.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let several = names.len() == others.len() && !names.contains(&first.who.as_str());
    if others.is_empty() || !several || !others.iter().all(together) {
        return None;
    }
    let verb = if names.len() == 1 { "does" } else { "do" };
    let what = format!("{}; so {verb} {}", first.what, names.join(", "));
    Some(Line { what, ..first.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: u64, kind: Kind, context: bool) -> Line {
        Line {
            at: Instant(at),
            who: String::new(),
            what: at.to_string(),
            kind,
            request: None,
            shard: None,
            fault: None,
            context,
            repeats: None,
        }
    }

    fn told(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.what.as_str()).collect()
    }

    #[test]
    fn effects_stay_behind_causes_of_the_same_instant() {
        let mut lines = [(5, "first"), (3, "earlier"), (5, "second")]
            .map(|(at, what)| Line { what: what.to_owned(), ..line(at, Kind::Ask, false) });
        lines[1].kind = Kind::Route;
        assert_eq!(told(&arrange(lines.to_vec())), ["earlier", "first", "second"]);
    }

    #[test]
    fn context_is_told_between_the_storys_own_lines() {
        let fault = |at, kind, number| Line { fault: Some(number), ..line(at, kind, true) };
        let lines = vec![
            fault(1, Kind::Strike, 0),
            fault(2, Kind::Strike, 1),
            fault(3, Kind::Heal, 0),
            line(4, Kind::Leader, true),
            line(5, Kind::Ask, false),
            line(6, Kind::Leader, true),
            line(7, Kind::Client, false),
            fault(8, Kind::Heal, 1),
        ];
        assert_eq!(told(&arrange(lines)), ["2", "5", "6", "7"]);
        assert_eq!(arrange(vec![line(1, Kind::Leader, true)]), []);
    }

    #[test]
    fn repetition_is_counted() {
        let again = |at| Line {
            repeats: Some("attempts with r7".to_owned()),
            ..line(at, Kind::Ask, false)
        };
        let mut lines: Vec<Line> = (1..=9).map(again).collect();
        lines.push(line(10, Kind::Client, false));
        let arranged = arrange(lines);
        assert_eq!(told(&arranged), ["1", "2", "3", "6 more until here: attempts with r7", "10"]);
        assert_eq!(arrange((1..=4).map(again).collect()).len(), 4);
    }

    #[test]
    fn equal_lines_of_several_nodes_are_joined() {
        let suspects = |who: &str, at| Line {
            who: who.to_owned(),
            what: "suspects n3".to_owned(),
            repeats: Some("suspicion".to_owned()),
            ..line(at, Kind::Health, false)
        };
        let lines = vec![suspects("n4", 1), suspects("n2", 2), suspects("n1", 3)];
        let told = arrange(lines.clone());
        assert_eq!((told.len(), told[0].who.as_str()), (1, "n4"));
        assert_eq!(told[0].what, "suspects n3; so do n1, n2");
        let apart = vec![suspects("n4", 1), suspects("n4", 2)];
        assert_eq!(arrange(apart).len(), 2, "two lines of one node are not two nodes");
    }
}
