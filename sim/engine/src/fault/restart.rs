//! Nodes that are told to stop, for a while or for good.
//!
//! Owns the course of it: told, stopped, started. A node that another fault has taken down or
//! started meanwhile is that fault's business. Refuses to know what a node does when it is told.

use onsale_booking::Span;
use onsale_scenarios::Fault;

use super::Faults;
use crate::seen::place::Place;
use crate::world::{Stage, World};

impl Faults<'_> {
    /// A fault reaches the next stage of its course.
    pub fn reach(&self, world: &mut World, index: usize, node: Place, stage: Stage) {
        // Whoever leaves takes the time that it takes, and does not come back.
        let (mut patience, mut starts_after) = (Span::ZERO, None);
        if let Fault::Restart { patience: time, down, .. }
        | Fault::RollingRestart { patience: time, down, .. } = &self.plan[index]
        {
            (patience, starts_after) = (*time, Some(*down));
        }
        match stage {
            Stage::Told => world.tell_to_stop(index, node, patience),
            Stage::Stops if world.is_stopping(index, node) => {
                self.executor.kill(self.processes[node]);
                world.kill(node, Some(index));
                if let Some(down) = starts_after {
                    world.enter_stage(world.now + down, index, node, Stage::Starts);
                }
            }
            Stage::Starts if world.may_start(node) => {
                self.executor.restart(self.processes[node]);
                world.start(node);
            }
            Stage::Stops | Stage::Starts => {}
        }
    }
}
