//! How a node starts with the contents of its disk.
//!
//! Owns the order in which a node's parts are made, and so the order of their random draws. Refuses to know what was
//! found: the log's recovery says.

use std::sync::Arc;

use onsale_booking::{Draw, Instant, NodeId, Span};

use super::Node;
use super::boot_barrier::BootBarrier;
use super::coordinator::Coordinator;
use super::disk::{self, Disk};
use super::elections::Elections;
use super::lead_balance::LeadBalance;
use super::moves::Wishes;
use super::peers::Peers;
use super::replicas::{Replicas, Ticks};
use super::retirement::Retirement;
use crate::config::{Activates, Config, Setup};
use crate::facts::{Facts, Start};
use crate::gateway::Gateway;
use crate::id::ShardId;
use crate::journal::{Durable, Found, RaftGroup, Recovered, Settings};
use crate::record::Format;
use crate::release::Release;
use crate::shard::{Answers, Shard};

impl Node {
    /// A node that starts at `now` with the contents of its disk. `incarnation` rises with every boot; `release` is that
    /// of the program. Its first deadline is `now`.
    ///
    /// If the disk holds a record or a snapshot of a newer format than `release` reads, the node refuses to serve: it
    /// writes and sends nothing, and its first effects say so.
    ///
    /// What a process reads back is durable only as far as it was synced. After the crash of a process alone it may be
    /// in the page cache and nowhere else, and after a failed fsync even another fsync may report a success that means
    /// nothing. So a node does not trust that what it has read is on the disk: it first writes all of it once more,
    /// into a new segment, and sends nothing before that is durable.
    ///
    /// A driver must create that segment as a new file, and answer a write with
    /// [`Input::Persisted`](crate::Input::Persisted) only when the file and the directory entry are durable. It must
    /// keep [`Found::has_written`] where the loss of the log's disk does not lose it, and set it durably before it
    /// hands over the first such answer that the node ever gets. It must hand over the segments as they are: a driver
    /// that drops or mends a torn one takes away the evidence.
    pub fn boot(
        setup: Arc<Setup>,
        me: NodeId,
        incarnation: u64,
        release: Release,
        seed: u64,
        found: Found,
        now: Instant,
    ) -> Self {
        let (config, placement) = (&setup.config, Arc::clone(&setup.placement));
        let mut draw = Draw::new(seed);
        let changes = placement.map_shard().is_some();
        let mut recovered = disk::recover(incarnation, found, changes);
        let is_readable = release.reads(recovered.format(placement.map_shard()));
        let facts_start = facts_start(&recovered, placement.has(me));
        let shards = replicas(&setup, (me, release), &mut recovered, &mut draw);
        let ticks = Ticks::new(config.tick_every, Span(draw.below(config.tick_every.0)));
        let (gateway_draw, facts_draw) =
            (Draw::new(draw.below(u64::MAX)), Draw::new(draw.below(u64::MAX)));
        let mut node = Self {
            me,
            incarnation,
            release,
            now,
            peers: Peers::new(config, &placement, (me, incarnation), now),
            gateway: Gateway::new(
                config.gateway.clone(),
                Arc::clone(&placement),
                setup.shows,
                gateway_draw,
                now,
            ),
            facts: Facts::boot(
                (me, incarnation),
                facts_start,
                config.facts.clone(),
                placement.node_ids().filter(|&node| node != me),
                facts_draw,
                &recovered.facts,
                now,
            ),
            replicas: Replicas::new(shards, ticks, now),
            elections: Elections::default(),
            disk: Disk::new(config.segment_bytes as usize, &recovered),
            barrier: BootBarrier::new(),
            wishes: Wishes::default(),
            coordinator: Coordinator::default(),
            balance: LeadBalance::new(
                config.leader_placement,
                placement.shards(),
                placement.nodes(),
                now,
            ),
            retirement: Retirement::default(),
            draw,
            next_beat: now,
            answers: Answers::default(),
            placement,
            setup,
        };
        if changes {
            node.peers.count_members(&node.placement);
            node.follow_facts();
        }
        if !is_readable {
            node.disk.refuse();
        }
        node
    }
}

/// The replicas of a node that starts: those found on the disk, and those that the first map puts there.
fn replicas(
    setup: &Arc<Setup>,
    (me, release): (NodeId, Release),
    recovered: &mut Recovered,
    draw: &mut Draw,
) -> Vec<Option<Box<Shard>>> {
    let replica = |id: ShardId| {
        let members = setup.placement.replicas(id);
        // A node that forgot does not know whether it still has the replicas of the first map.
        let begins = members.contains(&me) && recovered.forgot.is_none();
        if !begins && !recovered.has(id) {
            return None;
        }
        let settings = settings(&setup.config, draw);
        let durable = recovered.take(id);
        let is_first_boot = durable == Durable::default();
        let journal = RaftGroup::new(id, me, members, settings, durable);
        let format = first_format(&setup.config, release);
        let mut shard = Shard::new(id, me, Arc::clone(setup), journal, format);
        if is_first_boot && members[0] == me {
            shard.campaign();
        }
        Some(Box::new(shard))
    };
    (0..setup.placement.shards()).map(ShardId).map(replica).collect()
}

/// The format in which a replica writes until it finds another in its journal.
pub(super) fn first_format(config: &Config, release: Release) -> Format {
    match config.activates {
        Activates::Agreed => Format::FIRST,
        Activates::AtOnce => release.format(),
    }
}

/// A starting node's state of facts; `is_founding` if the first map has the node. Where a replica is still in repair,
/// facts may be missing too.
fn facts_start(recovered: &Recovered, is_founding: bool) -> Start {
    let in_repair = recovered.shards().any(|shard| recovered.is_in_repair(shard));
    match recovered.lost_promises() || in_repair || recovered.forgot.is_some() {
        true => Start::Forgot,
        false if is_founding => Start::Knows,
        false => Start::Joins,
    }
}

/// The timing of a replica on this node. The library would draw election timeouts from an unseeded generator; a range
/// of one value that is drawn here leaves it no choice.
pub(super) fn settings(config: &Config, draw: &mut Draw) -> Settings {
    let election_ticks = u64::from(config.election_ticks);
    Settings {
        election_ticks: (election_ticks + draw.below(election_ticks)) as usize,
        keep_records: u64::from(config.keep_records),
        promises: config.promises,
        ..Settings::default()
    }
}
