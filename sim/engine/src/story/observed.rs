//! What a node says about itself, in words.
//!
//! Owns the phrases for observations and marks, and which kinds of them concern a story at all.

use onsale_booking::NodeId;
use onsale_cluster::{Mark, Observation, ShardId, TransferReason};

use super::hazards::Hazards;
use super::line::Kind;

/// Whether what a node says of itself concerns a story, for whoever does not follow the node: about a peer if that
/// leads one of its shards, about a disk if the node has a replica of one.
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

/// What a line tells of, about which shard, and how it says so.
pub(super) fn told(observation: Observation, hazards: &Hazards) -> (Kind, Option<ShardId>, String) {
    match observation {
        Observation::LeaderActivated { shard, epoch } if hazards.has("cluster.leader.serves") => {
            let what = format!("owns {shard} now ({epoch}), though it may not have caught up");
            (Kind::Leader, Some(shard), hazards.blame(what, &["cluster.leader.serves"]))
        }
        Observation::LeaderActivated { shard, epoch } => {
            let what = format!("owns {shard} now ({epoch}): all that was committed is applied");
            (Kind::Leader, Some(shard), what)
        }
        Observation::LeaderDeposed { shard, epoch } => {
            let what =
                format!("owns {shard} no longer ({epoch}), and drops what was not committed");
            (Kind::Leader, Some(shard), what)
        }
        Observation::Elected { shard, epoch } => {
            (Kind::Leader, Some(shard), format!("is elected to lead {shard} ({epoch})"))
        }
        Observation::GivenUp { peer } => {
            (Kind::Health, None, format!("sees a quorum without {peer}, and gives it up"))
        }
        Observation::Withdrew => {
            (Kind::Health, None, "withdraws: a quorum is out of its sight".to_owned())
        }
        Observation::Returned => (Kind::Health, None, "serves clients again".to_owned()),
        Observation::LeadTransferBegan { shard, to, reason } => {
            (Kind::Leader, Some(shard), of_a_hand_over(shard, to, reason))
        }
        Observation::LeadTransferGivenUp { shard } => {
            (Kind::Leader, Some(shard), format!("could not hand {shard} over, and goes on"))
        }
        Observation::Suspected { peer } => {
            let what = format!("has not heard {peer} for too long, and suspects it");
            (Kind::Health, None, hazards.blame(what, &["cluster.on-suspicion"]))
        }
        Observation::Trusted { peer } => (Kind::Health, None, format!("hears {peer} again")),
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

/// How a leader begins to hand its shard over.
fn of_a_hand_over(shard: ShardId, to: NodeId, reason: TransferReason) -> String {
    let why = match reason {
        TransferReason::Retirement | TransferReason::Move => "",
        TransferReason::Venue => ", which is nearer to the venue",
        TransferReason::Load => ", which has less to do",
    };
    format!("hands {shard} over to {to}{why}, and admits no more requests")
}

/// What a node says about its disk, if that is what a mark is about.
fn of_the_disk(mark: Mark) -> Option<&'static str> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other marks are of other things")]
    match mark {
        Mark::TornLogCutOff => Some("cuts its log off where a crash cut a write short"),
        Mark::LogDamageFound => Some("finds its log damaged, and neither votes nor stands"),
        Mark::DiskReplaced => Some("finds an empty disk, and neither votes nor stands"),
        Mark::ReplicaRepaired => Some("has again all that it may have acknowledged, and votes"),
        Mark::LogRenewed => Some("hears that its log is damaged, and writes it anew"),
        Mark::StoppedOnWriteError => Some("stops: a write failed"),
        Mark::DiskFull => Some("finds no room on its disk, and acknowledges nothing"),
        Mark::LeadTransferAsked => Some("asks another to lead"),
        _ => None,
    }
}

/// What a node says about its facts, if that is what a mark is about.
fn of_facts(mark: Mark) -> Option<&'static str> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other marks are of other things")]
    match mark {
        Mark::FactsForgotten => Some("forgets deletions whose lifetime is over"),
        Mark::FactsFetched => {
            Some("lacks what a session has seen, and fetches it before it answers")
        }
        Mark::FactsBehind => Some("could not fetch in time what a session has seen"),
        Mark::FactsCopied => Some("takes a whole copy of the facts"),
        Mark::FactsGap => Some("takes nothing of a message that follows on what it lacks"),
        Mark::FactsFromTheFuture => Some("does not yet take facts that are ahead of its clock"),
        Mark::FactsRewritten => {
            Some("writes a fact again: it may be older than a forgotten deletion")
        }
        Mark::FactsWrittenOff => Some("writes off what its disk forgot and no peer has"),
        _ => None,
    }
}
