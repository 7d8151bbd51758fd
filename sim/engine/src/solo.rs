//! Solo: one process with one log, as a system under test.
//!
//! Owns its side of the seam. It answers once a decision is durable, so a crash costs availability, never safety: after
//! its restart it reads its log. Refuses to know how it is judged.

mod host;
mod ledger;
mod log;
mod seller;

use std::sync::Arc;

use onsale_booking::{Hall, Instant, Rules};
use onsale_cluster::{Acknowledge, Message, Placement};
use onsale_scenarios::Scenario;
use onsale_world::Cargo;
use onsale_world::trace_hash::Fingerprint;

use self::host::Host;
use self::ledger::LogWatch;
use crate::replicated::{self, Replicated};
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
    /// Whether it answers before the decision is durable.
    is_hasty: bool,
}

impl System for Solo {
    type Setup = Setup;
    type Host = Host;
    type Ledger = LogWatch;

    fn setup(scenario: &Scenario) -> Setup {
        let onsale_cluster::Setup { hall, rules, shows, placement, .. } =
            replicated::setup::setup(scenario);
        let is_hasty = scenario.cluster.leader.acknowledge == Acknowledge::Proposal;
        Setup { placement: (*placement).clone(), hall, rules, shows, is_hasty }
    }

    const NAMING: Naming = Naming {
        log: |_| "the log".to_owned(),
        term: |start| format!("start {start}"),
        record: |_, index, start| format!("record {index} (start {start})"),
        decided: "written as",
        has_leaders: false,
    };

    fn placement(setup: &Setup) -> &Placement {
        &setup.placement
    }
}

/// Requests and replies are the flagship's; it sends no other messages.
impl Cargo for Solo {
    type Message = Message;
    type Beat = ();

    fn bytes(message: &Message) -> u64 {
        Replicated::bytes(message)
    }

    fn retime(message: &mut Message, change: impl Fn(Instant) -> Instant) {
        Replicated::retime(message, change);
    }

    fn fold(message: &Message, fingerprint: &mut Fingerprint) {
        Replicated::fold(message, fingerprint);
    }

    fn is_refused(message: &Message) -> bool {
        matches!(message, Message::Requests(_))
    }

    fn beat(_: &Message) -> Option<()> {
        None
    }

    fn of_beat((): ()) -> Message {
        panic!("one process has no peer to send a beat to")
    }

    fn is_steady((): (), (): ()) -> bool {
        false
    }

    fn fold_beat((): (), _: &mut Fingerprint) {}
}
