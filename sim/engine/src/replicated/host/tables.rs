//! What waits at the end of a run in a node's tables.
//!
//! Owns the list of the tables that must empty, and how much an attempt of a client can leave in each. Refuses to judge.

use onsale_cluster::{Node, Setup, ShardId, Waiting};
use onsale_oracles::Table;

/// The tables of a node that must empty, shard by shard. A gateway's tries may leave a request at as many leaders.
pub(super) fn of(node: &Node, setup: &Setup) -> Vec<Table> {
    let tries = u64::from(setup.config.gateway.tries);
    let of_shard = |shard: ShardId| {
        let Waiting { in_flight, parked, replies } = node.waiting(shard);
        let table = |holds, entries: u32, an_attempt| Table {
            holds,
            log: shard.0,
            entries: u64::from(entries),
            an_attempt,
        };
        [
            table("clients' requests in flight", in_flight, 1),
            table("parked requests", parked, tries),
            table("records and reads with pending replies", replies, tries),
        ]
    };
    (0..setup.placement.shards()).map(ShardId).flat_map(of_shard).collect()
}
