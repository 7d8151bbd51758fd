//! Faults: what each does to the world when it strikes, and how it heals.
//!
//! Owns the choice of victims. Every fault ends as if it had never been: what it took down starts
//! again, what it cut is mended. Refuses to know when faults come (the plan says), how links and
//! disks behave, and what a fault costs (`struck` keeps that).

mod atlas;
mod cuts;
mod replace;
mod restart;
pub mod results;
mod steps;

use madsim::runtime::Handle;
use madsim::task::NodeId as Process;
use onsale_booking::{NodeId, ShowId, Span};
use onsale_cluster::{Placement, ShardId};
use onsale_scenarios::{Fault, GoodCopies, Target};

use crate::seen::place::Place;
use crate::seen::place::Process as State;
use crate::seen::sight::Sight;
use crate::struck::failover::Failover;
use crate::struck::hand_over::HandOvers;
use crate::struck::{Steps, Struck, Undo};
use crate::world::disk::Disk;
use crate::world::network::Weather;
use crate::world::{Stage, World};

/// Carries out faults: knows the cluster's shape and the executor's processes.
#[derive(Debug)]
pub struct Faults<'a> {
    /// The plan's faults.
    pub plan: &'a [Fault],
    /// Who carries what.
    pub placement: &'a Placement,
    /// What damage to disks leaves each shard.
    pub good_copies: GoodCopies,
    /// The executor.
    pub executor: &'a Handle,
    /// Its processes, by place; the first is the clients'.
    pub processes: &'a [Process],
}

impl Faults<'_> {
    /// A fault strikes.
    pub fn strike(&self, world: &mut World, index: usize) {
        let fault = &self.plan[index];
        let (mut undo, mut steps) = (Undo::default(), Steps::None);
        let failover = world.owners[world.hot.0 as usize].map(Failover::new);
        let what = match fault {
            Fault::Crash { node, .. } => {
                let victim = self.victim(world, *node);
                self.kill(world, Some(index), victim, &mut undo);
                format!("crash of {}", self.name(world, victim))
            }
            Fault::Restart { node, .. } => {
                let victim = self.victim(world, *node);
                world.enter_stage(world.now, index, victim, Stage::Told);
                format!("restart of {}", self.name(world, victim))
            }
            Fault::RollingRestart { lasts, .. } => {
                let turn = Span(lasts.0 / u64::from(self.placement.nodes()));
                for (nth, place) in (0..).zip(self.places()) {
                    world.enter_stage(world.now + Span(turn.0 * nth), index, place, Stage::Told);
                }
                format!("restart of every node, one each {turn}")
            }
            Fault::Join { nodes, .. } => {
                let joining = self.named(world, nodes);
                joining.iter().for_each(|&place| self.join(world, index, place));
                format!("{} joins", listed(&joining))
            }
            Fault::Leave { nodes, .. } => {
                let leaving = self.named(world, nodes);
                leaving.iter().for_each(|&place| {
                    world.touches.turn(index);
                    world.tell_to_leave(index, place);
                });
                format!("{} leaves", listed(&leaving))
            }
            Fault::Replace { node, by, .. } => self.replace(world, index, *node, *by),
            Fault::Pause { node, .. } => {
                let victim = self.victim(world, *node);
                if world.process(victim) == State::Up {
                    world.pause(victim, index);
                    self.executor.pause(self.processes[victim]);
                    undo.resume.push(victim);
                }
                format!("pause of {}", self.name(world, victim))
            }
            Fault::ZoneLoss { zone, .. } => {
                let names =
                    self.lose_power((world, index), &mut undo, |place| self.zone(place) == *zone);
                format!("power loss of zone {zone} ({names})")
            }
            Fault::PowerLoss { .. } => {
                let names = self.lose_power((world, index), &mut undo, |_| true);
                format!("power loss of the whole cluster ({names})")
            }
            Fault::Partition { cut, .. } => {
                let (links, what) = self.links(world, cut);
                links.iter().for_each(|&(from, to)| world.network.cut(index, from, to));
                undo.mend = links;
                what
            }
            Fault::Loss { chance, .. } => {
                world.network.disturb(index, Weather::Loss(*chance));
                undo.settle = true;
                format!("{chance} of messages lost")
            }
            Fault::Duplicate { chance, .. } => {
                world.network.disturb(index, Weather::Duplicate(*chance));
                undo.settle = true;
                format!("{chance} of messages duplicated")
            }
            Fault::Reorder { chance, .. } => {
                world.network.disturb(index, Weather::Reorder(*chance));
                undo.settle = true;
                format!("{chance} of messages reordered")
            }
            Fault::SlowNetwork { factor, .. } => {
                world.network.disturb(index, Weather::Slow(*factor));
                undo.settle = true;
                format!("links {factor} times slower")
            }
            Fault::SlowDisk { node, factor, .. } => {
                let victim = self.victim(world, *node);
                world.machine(victim).disk.slow_down(index, *factor);
                undo.speed_up.push(victim);
                format!("disk of {} {factor} times slower", self.name(world, victim))
            }
            Fault::OneWayLoss { node, inbound, chance, .. } => {
                let (node, inbound, chance) = (self.victim(world, *node), *inbound, *chance);
                world.network.disturb(index, Weather::OneWay { node, inbound, chance });
                undo.settle = true;
                let (name, way) = (self.name(world, node), if inbound { "to" } else { "from" });
                format!("{chance} of messages {way} {name} lost")
            }
            Fault::Congestion { node, kib_per_s, .. } => {
                let node = node.map(|node| self.victim(world, node));
                world.queues.lower(index, node, *kib_per_s);
                undo.settle = true;
                let whose = node.map(|node| format!(" of {}", self.name(world, node)));
                let links = format!("links{}", whose.unwrap_or_default());
                format!("{links} carry {kib_per_s} KiB a second")
            }
            Fault::Flapping { node, peer, down, up, .. } => {
                let node = self.victim(world, *node);
                let mut name = self.name(world, node);
                let mut links = self.links_of(node);
                if let Some(peer) = peer {
                    let peer = self.victim(world, *peer);
                    links.retain(|&(from, to)| from == peer || to == peer);
                    name = format!("the link of n{peer} with {name},");
                }
                links.iter().for_each(|&(from, to)| world.network.cut(index, from, to));
                undo.mend.clone_from(&links);
                let what = format!("{name} flaps: cut for {down}, whole for {up}");
                steps = Steps::Flapping { name, links };
                what
            }
            Fault::Swizzle { cut, mend, .. } => {
                let resolved = |nodes: &[Target]| {
                    nodes.iter().map(|&node| self.victim(world, node)).collect::<Vec<_>>()
                };
                // Two names may turn out to be one node: it is cut off twice, and comes back with the second.
                let (mut cut, mut mend) = (resolved(cut), resolved(mend));
                let what = format!(
                    "one after another cut off: {}; back in the order {}",
                    listed(&cut),
                    listed(&mend)
                );
                cut.reverse();
                mend.reverse();
                if let Some(first) = cut.pop() {
                    self.cut_off(world, index, first, &mut undo.mend);
                }
                steps = Steps::Swizzle { cut, mend };
                what
            }
            Fault::ClockDrift { node, by, slow, .. } => {
                let (victim, now) = (self.victim(world, *node), world.now);
                world.machine(victim).clock.drift(now, index, *by, *slow);
                undo.put_right.push(victim);
                let way = if *slow { "loses" } else { "gains" };
                format!("the clock of {} {way} {by}", self.name(world, victim))
            }
            Fault::ClockJump { node, by, back, .. } => {
                let victim = self.victim(world, *node);
                world.machine(victim).clock.jump(index, *by, *back);
                undo.put_right.push(victim);
                let way = if *back { "back" } else { "ahead" };
                format!("the wall clock of {} set {way} by {by}", self.name(world, victim))
            }
            Fault::Limp { node, factor, .. } => {
                let victim = self.victim(world, *node);
                world.machine(victim).limps.begin(index, *factor);
                undo.walk.push(victim);
                format!("{} {factor} times slower", self.name(world, victim))
            }
            Fault::CrashLoop { node, down, up, .. } => {
                let victim = self.victim(world, *node);
                self.kill(world, Some(index), victim, &mut undo);
                steps = Steps::CrashLoop(victim);
                let name = self.name(world, victim);
                format!("{name} crashes again and again: down for {down}, up for {up}")
            }
            Fault::FsyncError { node, .. } => {
                let (disk, name) = self.disk(world, *node, &mut undo);
                disk.fail_writes(index);
                format!("writes of {name} fail")
            }
            Fault::DiskStall { node, .. } => {
                let (disk, name) = self.disk(world, *node, &mut undo);
                disk.stall(index);
                format!("disk of {name} stalls")
            }
            Fault::DiskFull { node, .. } => {
                let (disk, name) = self.disk(world, *node, &mut undo);
                disk.fill(index);
                format!("disk of {name} full")
            }
            Fault::LyingDisk { node, .. } => {
                let (disk, name) = self.disk(world, *node, &mut undo);
                disk.lie(index);
                format!("disk of {name} acknowledges what it does not keep")
            }
            Fault::TornTail { node, .. } => {
                let (disk, name) = self.disk(world, *node, &mut undo);
                disk.arm(index);
                let victim = self.victim(world, *node);
                if world.machine(victim).disk.in_flight().is_some() {
                    self.kill(world, Some(index), victim, &mut undo);
                }
                format!("crash of {name} in the midst of a write")
            }
            Fault::BitRot { node, .. } => {
                let victim = self.victim(world, *node);
                if let Some(shard) = self.endangers(world, victim) {
                    spared(&self.name(world, victim), shard)
                } else {
                    let (disk, name) = self.disk(world, *node, &mut undo);
                    let rots = disk.rot(index);
                    let what = if rots { "a bit flips" } else { "nothing is there to rot" };
                    format!("{what} on the disk of {name}")
                }
            }
            Fault::Wipe { node, .. } => {
                let victim = self.victim(world, *node);
                let name = self.name(world, victim);
                if let Some(shard) = self.endangers(world, victim) {
                    spared(&name, shard)
                } else {
                    self.kill(world, Some(index), victim, &mut undo);
                    world.touches.write(index);
                    world.wipe(victim);
                    format!("crash of {name}, and another disk instead of its own")
                }
            }
        };
        let at = world.now;
        if let Some(forgets) = trouble(fault) {
            world.witness.oracles.trouble(at, forgets);
        }
        world.witness.sees(at, || Sight::Fault { index, strikes: true, what: &what });
        world.witness.recorder.fault_began(at, index);
        world.faults.struck.push(Struck {
            index,
            what,
            at,
            phase: world.phase,
            healed: None,
            failover,
            hand_overs: HandOvers::default(),
            undo,
            steps,
        });
    }

    /// A fault heals.
    pub fn heal(&self, world: &mut World, index: usize) {
        let now = world.now;
        let struck = world
            .faults
            .struck
            .iter_mut()
            .find(|struck| struck.index == index)
            .expect("what heals has struck");
        struck.healed = Some(now);
        world.witness.sees(now, || Sight::Fault { index, strikes: false, what: &struck.what });
        let undo = std::mem::take(&mut struck.undo);
        undo.power.into_iter().for_each(|place| world.restore_power(place));
        undo.start.into_iter().for_each(|place| self.revive(world, place));
        for place in undo.resume {
            // A process that died meanwhile is no longer paused.
            if world.process(place) == State::Paused {
                self.executor.resume(self.processes[place]);
                world.resume(place);
            }
        }
        undo.mend.iter().for_each(|&(from, to)| world.network.mend(index, from, to, now));
        if undo.settle {
            world.network.settle(index);
            world.queues.restore(index);
        }
        undo.speed_up.iter().for_each(|&place| world.machine(place).disk.speed_up(index));
        undo.walk.iter().for_each(|&place| world.machine(place).limps.end(index));
        undo.put_right.iter().for_each(|&place| world.machine(place).clock.put_right(now, index));
        undo.cure.iter().for_each(|&place| world.cure_disk(place, index));
        if trouble(&self.plan[index]).is_some() {
            world.witness.oracles.trouble_over(now);
        }
        world.witness.recorder.fault_ended(now, index);
    }

    /// A process has to die: its write is to tear, or it asked to be stopped because its disk fails. It starts
    /// again when that fault heals, or at once if it has healed meanwhile.
    pub fn die(&self, world: &mut World, victim: Place) {
        let disk = &world.machine(victim).disk;
        let cause = disk.armed_by().or_else(|| disk.fails_by());
        let mut undo = Undo::default();
        self.kill(world, cause, victim, &mut undo);
        match world.faults.struck.iter_mut().find(|struck| Some(struck.index) == cause) {
            Some(struck) => struck.undo.start.append(&mut undo.start),
            None => self.start(world, victim),
        }
    }

    fn start(&self, world: &mut World, place: Place) {
        self.executor.restart(self.processes[place]);
        world.start(place);
    }

    /// The disk that a fault strikes, and whose it is.
    fn disk<'w>(
        &self,
        world: &'w mut World,
        target: Target,
        undo: &mut Undo,
    ) -> (&'w mut Disk, String) {
        let victim = self.victim(world, target);
        undo.cure = Some(victim);
        let name = self.name(world, victim);
        (&mut world.machine(victim).disk, name)
    }

    fn kill(&self, world: &mut World, by: Option<usize>, victim: Place, undo: &mut Undo) {
        if world.process(victim) != State::Down {
            self.executor.kill(self.processes[victim]);
            world.kill(victim, by);
            undo.start.push(victim);
        }
    }

    fn lose_power(
        &self,
        (world, index): (&mut World, usize),
        undo: &mut Undo,
        struck: impl Fn(Place) -> bool,
    ) -> String {
        let victims: Vec<Place> = self.places().filter(|&place| struck(place)).collect();
        for &victim in &victims {
            world.cut_power(victim);
            undo.power.push(victim);
            self.kill(world, Some(index), victim, undo);
        }
        victims.iter().map(|victim| format!("n{victim}")).collect::<Vec<_>>().join(", ")
    }

    fn places(&self) -> std::ops::RangeInclusive<Place> {
        1..=usize::from(self.placement.nodes())
    }

    fn zone(&self, place: Place) -> u16 {
        self.placement.zone_of(NodeId(place as u16)).0
    }

    fn owner(&self, world: &World) -> Place {
        let shard = world.hot;
        let owner = world.owners[shard.0 as usize]
            .map_or_else(|| self.placement.replicas(shard)[0], |(_, node)| node);
        usize::from(owner.0)
    }

    fn victim(&self, world: &World, target: Target) -> Place {
        match target {
            Target::Node(node) => usize::from(node.0),
            Target::Owner => self.owner(world),
            Target::Follower => {
                let owner = self.owner(world);
                let replicas = self.placement.replicas(world.hot);
                replicas
                    .iter()
                    .map(|node| usize::from(node.0))
                    .find(|&place| place != owner)
                    .unwrap_or(owner)
            }
        }
    }

    fn named(&self, world: &World, targets: &[Target]) -> Vec<Place> {
        targets.iter().map(|&target| self.victim(world, target)).collect()
    }

    fn name(&self, world: &World, place: Place) -> String {
        if place == self.owner(world) {
            format!("n{place}, the owner of {}", ShowId(0))
        } else {
            format!("n{place}")
        }
    }
}

/// Whether a fault, while it is in force, may keep leaders from committing or words from arriving though
/// processes are up; and then whether it may make a disk forget what it promised.
fn trouble(fault: &Fault) -> Option<bool> {
    match fault {
        Fault::Crash { .. }
        | Fault::CrashLoop { .. }
        | Fault::Restart { .. }
        | Fault::RollingRestart { .. }
        | Fault::ZoneLoss { .. }
        | Fault::PowerLoss { .. }
        | Fault::Duplicate { .. }
        | Fault::ClockDrift { .. }
        | Fault::ClockJump { .. } => None,
        Fault::Join { .. }
        | Fault::Leave { .. }
        | Fault::Replace { .. }
        | Fault::Pause { .. }
        | Fault::Partition { .. }
        | Fault::Loss { .. }
        | Fault::Reorder { .. }
        | Fault::SlowNetwork { .. }
        | Fault::SlowDisk { .. }
        | Fault::OneWayLoss { .. }
        | Fault::Congestion { .. }
        | Fault::Flapping { .. }
        | Fault::Swizzle { .. }
        | Fault::Limp { .. }
        | Fault::DiskStall { .. }
        | Fault::DiskFull { .. } => Some(false),
        Fault::FsyncError { .. }
        | Fault::LyingDisk { .. }
        | Fault::TornTail { .. }
        | Fault::BitRot { .. }
        | Fault::Wipe { .. } => Some(true),
    }
}

fn spared(name: &str, shard: ShardId) -> String {
    format!("disk of {name} spared: {shard} would lose its majority of good copies")
}

fn listed(places: &[Place]) -> String {
    let names: Vec<String> = places.iter().map(|place| format!("n{place}")).collect();
    format!("{{{}}}", names.join(", "))
}
