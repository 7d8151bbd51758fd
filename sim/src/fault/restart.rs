//! Restarts of nodes that are told to stop.
//!
//! Owns the course of one: told, stopped, started. A node that another fault has taken down or
//! started meanwhile is that fault's business. Refuses to know what a node does when it is told.

use onsale_scenarios::Fault;

use super::Faults;
use crate::world::network::Place;
use crate::world::{Process, Stage, World};

impl Faults<'_> {
    /// A fault reaches the next stage of its course.
    pub fn reach(&self, world: &mut World, index: usize, node: Place, stage: Stage) {
        let (Fault::Restart { patience, down, .. } | Fault::RollingRestart { patience, down, .. }) =
            &self.plan[index]
        else {
            panic!("only restarts take their course")
        };
        match stage {
            Stage::Told => world.tell_to_stop(index, node, *patience),
            Stage::Stops if world.is_stopping(index, node) => {
                self.executor.kill(self.processes[node]);
                world.kill(node);
                world.enter_stage(world.now + *down, index, node, Stage::Starts);
            }
            Stage::Starts if world.process(node) == Process::Down => {
                self.executor.restart(self.processes[node]);
                world.start(node);
            }
            Stage::Stops | Stage::Starts => {}
        }
    }
}
