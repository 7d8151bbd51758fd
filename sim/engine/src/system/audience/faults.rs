//! Notifications of faults.
//!
//! Owns the dispatch to log, judges, recorder and watch. Refuses to know what a fault does.

use onsale_booking::Instant;
use onsale_scenarios::Trouble;

use super::Audience;
use crate::judges::prompt::Why;
use crate::seen::sight::Sight;
use crate::struck::failover::Failover;
use crate::struck::lead_transfer::TransferTimes;
use crate::struck::outages::Outage;
use crate::struck::reached::Marks;
use crate::struck::{Effect, Struck};
use crate::system::System;

impl<S: System> Audience<S> {
    /// Notes that a fault has struck, with its description.
    pub fn fault_struck(
        &mut self,
        at: Instant,
        index: usize,
        what: String,
        (trouble, effect): (Option<Trouble>, Effect),
    ) {
        if let Some(trouble) = trouble {
            self.witness.judges.trouble(at, trouble == Trouble::Forgets);
        }
        self.witness.sees(at, || Sight::Fault { index, strikes: true, what: &what });
        self.witness.recorder.fault_began(at, index);
        self.faults.struck.push(Struck {
            index,
            what,
            at,
            phase: self.phase,
            moment: self.awaited.came(index),
            healed: None,
            failover: self.leaders[self.hot.0 as usize].map(Failover::new),
            lead_transfers: TransferTimes::default(),
            marks: Marks::default(),
            effect,
        });
    }

    /// Has an outage judged that has just ended, if one cause alone explains it.
    pub fn led_again(&mut self, now: Instant, outage: &Outage) {
        let recovery = self.witness.judges.recovery();
        let why = match self.faults.sole_cause(outage, recovery) {
            Some(Some(what)) => Why::Fault(what),
            Some(None) => Why::Transfer,
            None => return,
        };
        self.witness.judges.led_again(now, outage.shard, outage.since, why);
    }

    /// Notes a fault's next step, with its description.
    pub fn fault_goes_on(&mut self, now: Instant, index: usize, what: &str) {
        self.witness.sees(now, || Sight::FaultStep { index, what });
    }

    /// Notes that the moment of a fault never came.
    pub fn fault_lapsed(&mut self, now: Instant, index: usize, what: &str) {
        self.witness.sees(now, || Sight::FaultStep { index, what });
        self.faults.lapsed.push((index, now));
    }

    /// Notes that a fault heals; its trouble, if it is one, is over at this instant or later.
    pub fn fault_healed(&mut self, now: Instant, index: usize, trouble_over: Option<Instant>) {
        let mut struck = self.faults.struck.iter_mut();
        let struck =
            struck.find(|struck| struck.index == index).expect("a fault strikes before it heals");
        struck.healed = Some(now);
        self.witness.sees(now, || Sight::Fault { index, strikes: false, what: &struck.what });
        if let Some(over) = trouble_over {
            self.witness.judges.trouble_over(over);
        }
        self.witness.recorder.fault_ended(now, index);
    }
}
