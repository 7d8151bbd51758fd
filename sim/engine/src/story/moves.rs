//! Moves in a story: where the map wants a shard, its journal's membership changes, and snapshots on their way.
//!
//! Owns the last wanted placement, so that only news is told. Refuses to know why a shard moves, and how lines look.

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId};
use onsale_cluster::journal::{Change, Gist, JournalMessage};
use onsale_cluster::{Placement, ShardId};
use onsale_world::place::Place;

use super::cast::Cast;
use super::line::{Kind, Line};
use super::records::Key;
use super::words;
use crate::seen::subject::Subject;

/// The last wanted placement of each shard, and the state of each node in the map.
#[derive(Debug, Default)]
pub(super) struct MovesTold {
    /// By shard: the wanted replicas, and the ones they replace.
    wanted: BTreeMap<ShardId, (Vec<NodeId>, Vec<NodeId>)>,
    /// By node: whether it is in the cluster, and whether it is to leave.
    members: BTreeMap<NodeId, (bool, bool)>,
}

impl MovesTold {
    /// The lines for a proposed version of the map.
    pub(super) fn on_map(
        &mut self,
        at: Instant,
        node: Place,
        map: &Placement,
        cast: &Cast,
    ) -> Vec<Line> {
        let version = map.version();
        let mut lines = Vec::new();
        for shard in (0..map.shards()).map(ShardId) {
            let seats = map.seats(shard);
            let now = (seats.members.clone(), seats.from.clone());
            let before = self.wanted.insert(shard, now.clone());
            if !cast.follows(Subject::Shard(shard)) || before.as_ref() == Some(&now) {
                continue;
            }
            let wanted = listed(&seats.members);
            let what = match (&before, seats.from.is_empty()) {
                (None, true) => continue,
                (_, true) => format!("notes that {shard} is on {wanted} (map {version})"),
                (_, false) => format!(
                    "wants {shard} on {wanted} instead of {} (map {version})",
                    listed(&seats.from)
                ),
            };
            lines.push(line(at, node, Some(shard), what));
        }
        for member in map.node_ids() {
            let now = (true, map.is_leaving(member));
            let before = self.members.insert(member, now);
            if cast.node(Place::Node(member)) && before.is_some_and(|before| before != now) {
                let what = if now.1 { "is to leave" } else { "is to stay" };
                lines.push(line(
                    at,
                    node,
                    None,
                    format!("notes that {member} {what} (map {version})"),
                ));
            }
        }
        for (member, state) in &mut self.members {
            if state.0 && !map.has(*member) {
                *state = (false, false);
                if cast.node(Place::Node(*member)) {
                    let what = format!("removes {member} from the cluster (map {version})");
                    lines.push(line(at, node, None, what));
                }
            }
        }
        lines
    }
}

/// The line for a proposed membership change.
pub(super) fn on_change(
    at: Instant,
    node: Place,
    (shard, index, epoch): Key,
    change: Change,
    cast: &Cast,
) -> Option<Line> {
    let step = match change {
        Change::Learns(replica) => format!("{replica} joins as a learner"),
        Change::Swaps { promoted, demoted } => {
            format!("{promoted} replaces {demoted} as a voter, in a joint configuration")
        }
        Change::Settles => "the joint configuration ends".to_owned(),
        Change::Drops(replica) => format!("{replica} is removed"),
        Change::Adds(replica) => format!("{replica} gets a vote"),
        Change::Recovers(replica) => {
            format!("by an operator's order {replica} goes on alone, with all that it holds")
        }
    };
    let what =
        format!("proposes a membership change as record {index} of {shard} ({epoch}): {step}");
    cast.follows(Subject::Shard(shard)).then(|| line(at, node, Some(shard), what))
}

/// The line for a snapshot of a shard on its way.
pub(super) fn on_journal(
    at: Instant,
    (from, to): (Place, Place),
    shard: ShardId,
    message: &JournalMessage,
    cast: &Cast,
) -> Option<Line> {
    let is_news = message.gist() == Gist::BringsSnapshot && cast.follows(Subject::Shard(shard));
    let what = format!("sends {to} a snapshot of {shard}");
    is_news.then(|| Line { repeats: Some(what.clone()), ..line(at, from, Some(shard), what) })
}

fn listed(nodes: &[NodeId]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn line(at: Instant, node: Place, shard: Option<ShardId>, what: String) -> Line {
    Line { shard, ..Line::plain(at, words::place(node), Kind::Leader, what) }
}
