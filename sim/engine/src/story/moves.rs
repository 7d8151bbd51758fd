//! Moves in a story: where the map wants a shard, which step its journal takes, and who gets a copy.
//!
//! Owns what was last wanted, so that only news is told. Refuses to know why a shard moves, and how
//! lines look.

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

/// Where shards and nodes of the story are to be.
#[derive(Debug, Default)]
pub(super) struct MovesTold {
    /// By shard: where it is wanted, and instead of where.
    wanted: BTreeMap<ShardId, (Vec<NodeId>, Vec<NodeId>)>,
    /// By node: whether it is of the cluster, and whether it is to leave.
    members: BTreeMap<NodeId, (bool, bool)>,
}

impl MovesTold {
    /// A version of the map is proposed.
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
                    "wants {shard} on {wanted} instead of on {} (map {version})",
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
                    let what = format!("strikes {member} off the cluster (map {version})");
                    lines.push(line(at, node, None, what));
                }
            }
        }
        lines
    }
}

/// A journal is to take a step towards other members.
pub(super) fn on_change(
    at: Instant,
    node: Place,
    (shard, index, epoch): Key,
    change: Change,
    cast: &Cast,
) -> Option<Line> {
    let step = match change {
        Change::Learns(replica) => format!("{replica} begins to learn the log"),
        Change::Swaps { promoted, demoted } => {
            format!("{promoted} gets the vote of {demoted}, under both majorities")
        }
        Change::Settles => "the old majority has no say any more".to_owned(),
        Change::Drops(replica) => format!("{replica} is dropped"),
    };
    let what = format!("proposes a step of members as record {index} of {shard} ({epoch}): {step}");
    cast.follows(Subject::Shard(shard)).then(|| line(at, node, Some(shard), what))
}

/// A copy of a shard is on its way.
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
