//! Solo: one process with one log, as a system under test.
//!
//! Owns its side of the seam. It answers once a decision is durable, so a crash costs availability, never safety: after
//! its restart it reads its log. Refuses to know how it is judged.

mod host;
mod ledger;
mod log;
mod message;
mod seller;

use std::sync::Arc;

use onsale_booking::{Hall, Rules, Span};
use onsale_cluster::{Acknowledge, Placement};
use onsale_scenarios::Scenario;
use onsale_world::disk::longest_sync;
use onsale_world::place::{Place, PlaceTable};
use onsale_world::sample::most;
use onsale_world::{Machine, Order};

use self::host::Host;
use self::ledger::LogWatch;
use crate::sale::{hall, rules};
use crate::seen::naming::Naming;
use crate::system::System;

/// The system: one process, one log.
#[derive(Clone, Copy, Debug)]
pub struct Solo;

/// Settings of its process for a run.
#[derive(Clone, Debug)]
pub struct Setup {
    placement: Placement,
    hall: Arc<Hall>,
    rules: Rules,
    shows: u32,
    /// The most that it takes a starting process to read back a MiB of its log.
    recover_mib: Span,
    /// The most that it takes the disk to write a MiB, and besides to sync a write.
    write: (Span, Span),
    /// Whether it answers before the decision is durable.
    is_hasty: bool,
}

impl System for Solo {
    type Setup = Setup;
    type Host = Host;
    type Ledger = LogWatch;

    fn setup(scenario: &Scenario) -> Setup {
        let (cluster, sale) = (&scenario.cluster, &scenario.sale);
        Setup {
            placement: Placement::new(
                cluster.nodes,
                cluster.zones,
                cluster.shards,
                cluster.replicas,
            ),
            hall: Arc::new(hall(sale)),
            rules: rules(sale, true),
            shows: sale.shows,
            recover_mib: most(&scenario.costs.recover_mib),
            write: (
                Span(1_000_000_u64.div_ceil(u64::from(scenario.disk.mib_per_s))),
                longest_sync(&scenario.disk),
            ),
            is_hasty: cluster.leader.acknowledge == Acknowledge::Proposal,
        }
    }

    const NAMING: Naming = Naming {
        log: |_| "the log".to_owned(),
        term: |start| format!("start {start}"),
        record: |_, index, start| format!("record {index} (start {start})"),
        decided: "written as",
        has_leaders: false,
    };

    fn stranded(_: &Setup, _: &PlaceTable<Machine<Self>>, _: &[Place]) -> Option<u32> {
        Some(0)
    }

    /// None: its one copy is never lost for good.
    fn recovery(_: &Setup, _: &PlaceTable<Machine<Self>>) -> Vec<(Place, Order)> {
        Vec::new()
    }

    fn placement(setup: &Setup) -> &Placement {
        &setup.placement
    }
}
