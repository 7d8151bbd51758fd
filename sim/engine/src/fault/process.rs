//! Faults of processes and of their machines.
//!
//! Owns how they strike, step, heal and are drawn. A process that another fault has killed or started since is left to
//! that fault. Refuses to know what a node does when it is told to stop.

use onsale_booking::Span;
use onsale_reports::human;
use onsale_scenarios::{Family, Fault, ProcessFault, What};
use onsale_world::place::{Place, Process};
use onsale_world::process::Death;
use onsale_world::stream::below;
use onsale_world::{Machine, Stage};

use super::swarm::Draw;
use super::upgrade::Upgrade;
use super::{Faults, Strike, upgrade};
use crate::system::{System, World};

/// State that a process fault must undo.
#[derive(Debug, Default)]
pub(super) struct Force {
    /// Machines that have no power.
    without_power: Vec<Place>,
    /// Processes that it killed.
    down: Vec<Place>,
    /// The process that it paused.
    paused: Option<Place>,
    /// The node whose cores are slow.
    limps: Option<Place>,
    /// The process in a crash loop.
    dies_again: Option<Place>,
    /// The upgrade and its turns.
    pub(super) upgrade: Option<Upgrade>,
}

/// Instants of a process fault's steps.
pub(super) fn steps(fault: &Fault, what: &ProcessFault) -> Vec<Span> {
    if let ProcessFault::CrashLoop { down, up, .. } = what {
        turns(fault, *down, *up)
    } else {
        Vec::new()
    }
}

/// Ends of the alternating down and up periods within a fault's duration.
pub(super) fn turns(fault: &Fault, down: Span, up: Span) -> Vec<Span> {
    let turns = [down, up].into_iter().cycle();
    let ends = turns.scan(fault.at, |at, turn| {
        *at = *at + turn;
        Some(*at)
    });
    ends.take_while(|&end| end < fault.ends()).collect()
}

impl<S: System> Faults<'_, S> {
    pub(super) fn strike_process(
        &self,
        strike: &mut Strike<'_, S>,
        fault: &ProcessFault,
    ) -> String {
        match fault {
            ProcessFault::Crash { node } => {
                let victim = self.victim(strike.world, *node);
                self.kill(strike, victim, Death::Machine);
                format!("crash of {}", self.name(strike.world, victim))
            }
            ProcessFault::Kill { node } => {
                let victim = self.victim(strike.world, *node);
                self.kill(strike, victim, Death::Process);
                format!("kill of {}", self.name(strike.world, victim))
            }
            ProcessFault::Restart { node, .. } => {
                let (world, index) = (&mut *strike.world, strike.index);
                let victim = self.victim(world, *node);
                world.enter_stage(world.now, index, victim, Stage::Told);
                format!("restart of {}", self.name(world, victim))
            }
            ProcessFault::RollingRestart { .. } => {
                let (world, index) = (&mut *strike.world, strike.index);
                let turn = Span(strike.lasts.0 / u64::from(self.placement.nodes()));
                for (nth, place) in (0..).zip(self.places()) {
                    world.enter_stage(world.now + Span(turn.0 * nth), index, place, Stage::Told);
                }
                format!("restart of every node, one every {}", human::span(turn))
            }
            ProcessFault::Upgrade { rolls_back, rollback, .. } => {
                self.upgrade(strike, *rolls_back, *rollback)
            }
            ProcessFault::CrashLoop { node, down, up } => {
                let victim = self.victim(strike.world, *node);
                self.kill(strike, victim, Death::Process);
                strike.force.process.dies_again = Some(victim);
                let name = self.name(strike.world, victim);
                let (down, up) = (human::span(*down), human::span(*up));
                format!("crash loop of {name}: down for {down}, up for {up}")
            }
            ProcessFault::Pause { node } => {
                let victim = self.victim(strike.world, *node);
                let world = &mut *strike.world;
                if world.process(victim) == Process::Up {
                    world.pause(victim, strike.index);
                    strike.force.process.paused = Some(victim);
                }
                format!("pause of {}", self.name(world, victim))
            }
            ProcessFault::Limp { node, factor } => {
                let victim = self.victim(strike.world, *node);
                let world = &mut *strike.world;
                world.machine(victim).limps.begin(strike.index, *factor);
                strike.force.process.limps = Some(victim);
                format!("{} {factor} times slower", self.name(world, victim))
            }
            ProcessFault::ZoneLoss { zone } => {
                let names = self.lose_power(strike, |place| self.zone(place) == *zone);
                format!("power loss of zone {zone} ({names})")
            }
            ProcessFault::PowerLoss {} => {
                let names = self.lose_power(strike, |_| true);
                format!("power loss of the whole cluster ({names})")
            }
        }
    }

    /// Kills or starts the process of a crash loop.
    pub(super) fn step_process(
        &self,
        world: &mut World<S>,
        index: usize,
        force: &mut Force,
    ) -> String {
        let victim = force.dies_again.expect("only a crash loop has steps");
        if force.down.is_empty() {
            self.kill_for(world, (Death::Process, Some(index)), victim, &mut force.down);
            format!("{victim} crashes again")
        } else {
            force.down.drain(..).for_each(|place| self.revive(world, place));
            format!("{victim} restarts")
        }
    }

    /// Time for which a fault is felt after it heals: a slow core finishes the work that it has begun. The longest piece
    /// is to read back a log, a node's whole disk at the most.
    pub(super) fn lingers(&self, world: &mut World<S>, index: usize, force: &Force) -> Span {
        let What::Process(ProcessFault::Limp { factor, .. }) = self.plan[index].what else {
            return Span::ZERO;
        };
        let disk = force.limps.map_or(0, |place| world.machine(place).disk.bytes());
        let work = u128::from(self.recover_mib.0) * u128::from(disk) * u128::from(factor);
        Span(work.div_ceil(1 << 20).try_into().unwrap_or(u64::MAX / 2))
    }

    pub(super) fn heal_process(&self, world: &mut World<S>, index: usize, force: Force) {
        force.without_power.into_iter().for_each(|place| world.restore_power(place));
        force.down.into_iter().for_each(|place| self.revive(world, place));
        // A process that has died since is no longer paused.
        if let Some(place) = force.paused
            && world.process(place) == Process::Paused
        {
            world.resume(place);
        }
        force.limps.into_iter().for_each(|place| world.machine(place).limps.end(index));
    }

    /// Takes a node to the next stage of a restart: told, stopped, started.
    pub fn reach(&self, world: &mut World<S>, index: usize, node: Place, stage: Stage) {
        let fault = &self.plan[index];
        let (patience, starts_after) = match fault.what {
            What::Process(ProcessFault::Restart { patience, .. }) => {
                (patience, Some(fault.lasts - patience))
            }
            What::Process(
                ProcessFault::RollingRestart { patience, down }
                | ProcessFault::Upgrade { patience, down, .. },
            ) => (patience, Some(down)),
            // A leaving node has no deadline, and does not restart.
            What::Process(_)
            | What::Network(_)
            | What::Disk(_)
            | What::Clock(_)
            | What::Members(_) => (Span::ZERO, None),
        };
        match stage {
            Stage::Told => {
                self.install(world, index, node);
                world.tell_to_stop(index, node, patience);
            }
            Stage::Stops if world.is_stopping(index, node) => {
                world.kill(node, Death::Process, Some(index));
                if let Some(down) = starts_after {
                    world.enter_stage(world.now + down, index, node, Stage::Starts);
                }
            }
            Stage::Starts => self.revive(world, node),
            Stage::Stops => {}
        }
    }

    /// Kills a process whose write is to tear, with its machine, or one that asked to stop because its disk fails. It
    /// restarts when that fault heals, or at once if it has healed already. One that asked because its release cannot
    /// run on its machine stays down until another is installed.
    pub fn die(&mut self, world: &mut World<S>, victim: Place) {
        let Machine { disk, program, .. } = &*world.machine(victim);
        let (death, cause) = match disk.armed_by() {
            Some(fault) => (Death::Machine, Some(fault)),
            None => {
                let rolled_back = program.rolled_back_by().filter(|_| program.has_refused());
                (Death::Process, disk.fails_by().or(rolled_back))
            }
        };
        let mut down = Vec::new();
        self.kill_for(world, (death, cause), victim, &mut down);
        match cause.and_then(|index| self.in_force[index].as_mut()) {
            Some(force) => force.process.down.append(&mut down),
            None => self.revive(world, victim),
        }
    }

    /// Kills a process until the fault heals.
    pub(super) fn kill(&self, strike: &mut Strike<'_, S>, victim: Place, death: Death) {
        let down = &mut strike.force.process.down;
        self.kill_for(strike.world, (death, Some(strike.index)), victim, down);
    }

    fn kill_for(
        &self,
        world: &mut World<S>,
        (death, by): (Death, Option<usize>),
        victim: Place,
        down: &mut Vec<Place>,
    ) {
        if world.process(victim) != Process::Down {
            world.kill(victim, death, by);
            down.push(victim);
        }
    }

    /// Starts a process, unless it runs, is lost, or has refused to run.
    fn revive(&self, world: &mut World<S>, place: Place) {
        if world.may_start(place) {
            world.start(place);
        }
    }

    fn lose_power(&self, strike: &mut Strike<'_, S>, is_struck: impl Fn(Place) -> bool) -> String {
        let victims: Vec<Place> = self.places().filter(|&place| is_struck(place)).collect();
        for &victim in &victims {
            strike.world.cut_power(victim);
            strike.force.process.without_power.push(victim);
            self.kill(strike, victim, Death::Machine);
        }
        victims.iter().map(Place::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// Draws a fault, if the family is one of these.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other families are of other groups")]
pub(super) fn draw(family: Family, draw: &mut Draw<'_>) -> Option<ProcessFault> {
    let node = draw.target;
    Some(match family {
        Family::Crash => ProcessFault::Crash { node },
        Family::Kill => ProcessFault::Kill { node },
        Family::Pause => ProcessFault::Pause { node },
        Family::ZoneLoss => ProcessFault::ZoneLoss { zone: draw.zone() },
        Family::PowerLoss => ProcessFault::PowerLoss {},
        Family::Restart => ProcessFault::Restart { node, patience: stop_patience(draw.lasts) },
        Family::RollingRestart => draw_rolling_restart(draw),
        Family::Upgrade => upgrade::draw(draw),
        Family::Limp => ProcessFault::Limp { node, factor: 2 << below(draw.strength, 14) },
        Family::CrashLoop => {
            let (down, up) = draw.turns();
            ProcessFault::CrashLoop { node, down, up }
        }
        _ => return None,
    })
}

fn draw_rolling_restart(draw: &Draw<'_>) -> ProcessFault {
    let turn = |nodes: u16| {
        let turn = Span(draw.lasts.0 / u64::from(nodes));
        let patience = stop_patience(turn);
        (patience, Span((turn - patience).0 / 2))
    };
    let (nodes, numbers) = (draw.scenario.cluster.nodes, draw.scenario.cluster.numbers());
    let (patience, down) = turn(nodes);
    // Spare nodes that have joined take turns, too.
    let fits = (patience + down).0 < draw.lasts.0 / u64::from(numbers);
    let (patience, down) = if fits { (patience, down) } else { turn(numbers) };
    ProcessFault::RollingRestart { patience, down }
}

/// Share of a restart's duration that the node may take to stop.
pub(super) fn stop_patience(lasts: Span) -> Span {
    Span(lasts.0 / 2).min(Span::from_secs(2))
}
