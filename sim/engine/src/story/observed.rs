//! A node's observations about itself, in words.
//!
//! Owns the phrases for observations and marks, and which of them concern a story.

use onsale_booking::NodeId;
use onsale_cluster::{Mark, Observation, ShardId, TransferReason};

use super::hazards::Hazards;
use super::line::Kind;

/// Whether a node's observation concerns a story that does not follow the node. One about a peer does if the peer leads
/// one of the story's shards, one about a disk if the node has a replica of one.
pub(super) fn concerns(
    observation: Observation,
    leads: impl Fn(NodeId) -> bool,
    replicates: impl Fn() -> bool,
    is_of_facts: bool,
) -> bool {
    match observation {
        Observation::GivenUp { peer }
        | Observation::Suspected { peer }
        | Observation::Trusted { peer } => leads(peer),
        Observation::Elected { .. } | Observation::Refused { .. } => false,
        Observation::Mark(mark) => {
            of_the_disk(mark).is_some() && replicates() || of_facts(mark).is_some() && is_of_facts
        }
        Observation::LeaderActivated { .. }
        | Observation::LeaderDeposed { .. }
        | Observation::LeadTransferBegan { .. }
        | Observation::LeadTransferGivenUp { .. }
        | Observation::Withdrew
        | Observation::Returned => true,
    }
}

/// The kind of line for an observation, the shard it is about, and the phrase.
pub(super) fn told(observation: Observation, hazards: &Hazards) -> (Kind, Option<ShardId>, String) {
    match observation {
        Observation::LeaderActivated { shard, epoch } if hazards.has("cluster.leader.serves") => {
            let what = format!("leads {shard} now ({epoch}), though it may not have caught up");
            (Kind::Leader, Some(shard), hazards.blame(what, &["cluster.leader.serves"]))
        }
        Observation::LeaderActivated { shard, epoch } => {
            let what = format!("leads {shard} now ({epoch}): all committed records are applied");
            (Kind::Leader, Some(shard), what)
        }
        Observation::LeaderDeposed { shard, epoch } => {
            let what = format!("no longer leads {shard} ({epoch}), and drops uncommitted records");
            (Kind::Leader, Some(shard), what)
        }
        Observation::Elected { shard, epoch } => {
            (Kind::Leader, Some(shard), format!("is elected leader of {shard} ({epoch})"))
        }
        Observation::GivenUp { peer } => {
            (Kind::Health, None, format!("sees a quorum without {peer}, and gives up on it"))
        }
        Observation::Withdrew => (Kind::Health, None, "withdraws: it sees no quorum".to_owned()),
        Observation::Returned => (Kind::Health, None, "serves clients again".to_owned()),
        Observation::LeadTransferBegan { shard, to, reason } => {
            (Kind::Leader, Some(shard), of_a_lead_transfer(shard, to, reason))
        }
        Observation::LeadTransferGivenUp { shard } => (
            Kind::Leader,
            Some(shard),
            format!("gives up the transfer of {shard}, and goes on leading it"),
        ),
        Observation::Suspected { peer } => {
            let what = format!("has not heard from {peer} for too long, and suspects it");
            (Kind::Health, None, hazards.blame(what, &["cluster.on-suspicion"]))
        }
        Observation::Trusted { peer } => (Kind::Health, None, format!("hears from {peer} again")),
        Observation::Refused { shard, reason } => {
            (Kind::Health, Some(shard), format!("refuses: {reason} ({shard})"))
        }
        Observation::Mark(mark) => {
            let words = of_the_disk(mark).or_else(|| of_facts(mark));
            let what = words.map_or_else(|| mark.to_string(), str::to_owned);
            let forgets = mark == Mark::FactsForgotten;
            let keys: &[&str] = if forgets { &["cluster.facts.forgets"] } else { &[] };
            (Kind::Health, None, hazards.blame(what, keys))
        }
    }
}

/// The phrase for the start of a lead transfer.
fn of_a_lead_transfer(shard: ShardId, to: NodeId, reason: TransferReason) -> String {
    let why = match reason {
        TransferReason::Retirement | TransferReason::Move => "",
        TransferReason::Venue => ", which is nearer to the venue",
        TransferReason::Load => ", which has less to do",
    };
    format!("transfers the lead of {shard} to {to}{why}, and admits no more requests")
}

/// The phrase for a mark about a node's disk; `None` for other marks.
fn of_the_disk(mark: Mark) -> Option<&'static str> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other marks are of other things")]
    match mark {
        Mark::TornLogCutOff => Some("truncates its log where a crash tore a write"),
        Mark::LogDamageFound => {
            Some("finds its log damaged, and neither votes nor stands for election")
        }
        Mark::DiskReplaced => {
            Some("finds an empty disk, and neither votes nor stands for election")
        }
        Mark::ReplicaRepaired => {
            Some("has recovered all that it may have acknowledged, and votes again")
        }
        Mark::LogRenewed => Some("learns that its log is damaged, and rewrites it"),
        Mark::StoppedOnWriteError => Some("stops: a write failed"),
        Mark::DiskFull => Some("finds its disk full, and acknowledges nothing"),
        Mark::LeadTransferAsked => Some("asks another node to lead"),
        _ => None,
    }
}

/// The phrase for a mark about a node's facts; `None` for other marks.
fn of_facts(mark: Mark) -> Option<&'static str> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other marks are of other things")]
    match mark {
        Mark::FactsForgotten => Some("drops expired tombstones"),
        Mark::FactsFetched => Some("is behind a session, and catches up before it answers"),
        Mark::FactsBehind => Some("is behind a session, and could not catch up in time"),
        Mark::FactsCopied => Some("takes a full copy of the facts"),
        Mark::FactsGap => Some("ignores an update that builds on updates it lacks"),
        Mark::FactsFromTheFuture => Some("defers facts that are ahead of its clock"),
        Mark::FactsRewritten => Some("rewrites a fact that may be older than a dropped tombstone"),
        Mark::FactsWrittenOff => Some("writes off facts that its disk lost and no peer has"),
        _ => None,
    }
}
