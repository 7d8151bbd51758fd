//! What waits at the end of a run in a node's tables.
//!
//! Owns the list of the tables that must empty, and how much an attempt of a client can leave in each. Refuses to judge.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::gateway::BUDGET_REFILLS;
use onsale_cluster::{Node, Setup, ShardId, Unsettled, Waiting};
use onsale_oracles::Table;

/// The tables of a node that must empty: shard by shard, and its own. A gateway's tries may leave a request at as many
/// leaders.
pub(super) fn of(
    node: &Node,
    setup: &Setup,
    now: Instant,
    well: &dyn Fn(NodeId) -> bool,
) -> Vec<Table> {
    let tries = u64::from(setup.config.gateway.tries);
    let of_shard = |shard: ShardId| {
        let Waiting { in_flight, parked, replies, reads, transfers } = node.waiting(shard, now);
        let table = |holds, entries: u32, an_attempt| {
            let (log, entries) = (Some(shard.0), u64::from(entries));
            Table { holds, log, entries, an_attempt, settles: Span::ZERO }
        };
        [
            table("clients' requests in flight", in_flight, 1),
            table("parked requests", parked, tries),
            table("records and reads with pending replies", replies, tries),
            table("open read indexes", reads, tries),
            table("lead transfers past their time", transfers, 0),
        ]
    };
    let shards = (0..setup.placement.shards()).map(ShardId);
    let own = well(node.id()).then(|| own(&node.unsettled(now), tries, well));
    shards.flat_map(of_shard).chain(own.into_iter().flatten()).collect()
}

/// The tables that belong to no shard. A node that leaves is on its own, and so is any where the settings do not let peers
/// hear each other.
fn own(it: &Unsettled, tries: u64, well: &dyn Fn(NodeId) -> bool) -> [Table; 5] {
    let missed = it.missed.iter().filter(|&&node| well(node)).count();
    let table = |holds, entries: usize| {
        let (log, entries) = (None, entries as u64);
        Table { holds, log, entries, an_attempt: 0, settles: Span::ZERO }
    };
    [
        Table {
            an_attempt: tries,
            settles: BUDGET_REFILLS,
            ..table("retries that its budget lacks", it.retries as usize)
        },
        table("questions about facts past their patience", it.questions as usize),
        table("deltas of facts past their time", it.deltas as usize),
        table("running peers that it takes for dead", missed),
        table("reasons to refuse its clients", usize::from(it.withdrawn)),
    ]
}
