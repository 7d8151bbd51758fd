//! The report rows for faults and leaderless times.
//!
//! Owns which outage is attributed to which fault. Refuses to know how either was measured.

use std::collections::BTreeSet;

use onsale_booking::{Instant, Span};
use onsale_reports::{FailoverResult, FaultResult, MomentResult, OutageResult, Outages, Touched};

use super::never_came;
use crate::plan::Plan;
use crate::struck::Struck;
use crate::struck::outages::{Cause, Outage};
use crate::system::{System, World};

/// The report row of one fault.
pub fn fault<S: System>(
    world: &World<S>,
    plan: &Plan,
    struck: &Struck,
    outages: &[Outage],
) -> FaultResult {
    let after = |at: Instant| at.since(struck.at).as_millis_f64();
    let mut its_own: Vec<&Outage> = outages
        .iter()
        .filter(|outage| outage.cause == Cause::Fault(struck.index) && !outage.stood_still)
        .collect();
    // Only the first outage of each shard counts: later ones are another leader's loss.
    its_own.sort_by_key(|outage| (outage.shard, outage.since));
    its_own.dedup_by_key(|outage| outage.shard);
    let ends: Option<Vec<Instant>> = its_own.iter().map(|outage| outage.until).collect();
    FaultResult {
        index: struck.index,
        kind: plan.faults[struck.index].family().name().to_owned(),
        what: struck.what.clone(),
        at_s: struck.at.as_secs_f64(),
        healed_s: struck.healed.map(Instant::as_secs_f64),
        phase: struck.phase.name().to_owned(),
        moment: struck.moment.map(|came| MomentResult {
            name: came.moment.to_string(),
            node: Some(came.node.to_string()),
        }),
        touched: world.touched(struck.index),
        shards_lost_leader: its_own.len() as u32,
        recovery_ms: ends.and_then(|ends| ends.into_iter().max()).map(after),
        failover: struck.failover().map(|failover| FailoverResult {
            suspected_ms: failover.suspected.map(after),
            elected_ms: failover.elected.map(after),
            serving_ms: failover.serving.map(after),
        }),
        lead_transfers: struck.lead_transfers.summary(world.ears.hot),
        marks: struck.marks.iter().map(|mark| mark.name().to_owned()).collect(),
    }
}

/// The report row of a fault whose moment never came.
pub fn lapsed(plan: &Plan, (index, at): (usize, Instant)) -> FaultResult {
    let fault = &plan.faults[index];
    FaultResult {
        index,
        kind: fault.family().name().to_owned(),
        what: never_came(fault),
        at_s: at.as_secs_f64(),
        healed_s: Some(at.as_secs_f64()),
        phase: String::new(),
        moment: fault.when.map(|when| MomentResult { name: when.moment.to_string(), node: None }),
        touched: Touched::default(),
        shards_lost_leader: 0,
        recovery_ms: None,
        failover: None,
        lead_transfers: None,
        marks: Vec::new(),
    }
}

/// The report section on outages, the times in which shards had no leader.
pub fn outages<S: System>(world: &World<S>, outages: &[Outage], end: Instant) -> Outages {
    let why = |cause: Cause| match cause {
        Cause::NeverLed => "no leader was ever elected".to_owned(),
        Cause::HandedOver => "lead transfer".to_owned(),
        Cause::Unexplained => "no fault was in force".to_owned(),
        Cause::Fault(index) => {
            let struck = world.ears.faults.struck().iter().find(|struck| struck.index == index);
            struck.map_or_else(|| format!("fault {index}"), |struck| struck.what.clone())
        }
    };
    let shards: BTreeSet<u32> = outages.iter().map(|outage| outage.shard.0).collect();
    Outages {
        count: outages.len() as u64,
        shards: shards.len() as u64,
        total_s: outages.iter().fold(Span::ZERO, |sum, it| sum + it.length(end)).as_secs_f64(),
        open: outages.iter().filter(|outage| outage.until.is_none()).count() as u64,
        longest: outages
            .iter()
            .take(Outages::LISTED)
            .map(|outage| OutageResult {
                shard: (S::NAMING.log)(outage.shard.0),
                from_s: outage.since.as_secs_f64(),
                to_s: outage.until.map(Instant::as_secs_f64),
                lasted_ms: outage.length(end).as_millis_f64(),
                fault: match outage.cause {
                    Cause::Fault(index) => Some(index),
                    Cause::NeverLed | Cause::HandedOver | Cause::Unexplained => None,
                },
                why: why(outage.cause),
            })
            .collect(),
    }
}
