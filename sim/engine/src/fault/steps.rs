//! Faults that go on in steps: what comes and goes, and what goes in one order and comes back in another.
//!
//! Owns what each step does. Refuses to know when steps come.

use super::Faults;
use crate::seen::place::Place;
use crate::seen::sight::Sight;
use crate::struck::Steps;
use crate::world::World;

impl Faults<'_> {
    /// A fault goes on to its next step.
    pub fn step(&self, world: &mut World, index: usize) {
        let now = world.now;
        let all = &mut world.faults.struck;
        let nth = all.iter().position(|struck| struck.index == index);
        let nth = nth.expect("what goes on has struck");
        let (mut steps, mut undo) =
            (std::mem::take(&mut all[nth].steps), std::mem::take(&mut all[nth].undo));
        let what = match &mut steps {
            Steps::None => panic!("fault {index} has no steps"),
            Steps::Flapping { name, links } => {
                if undo.mend.is_empty() {
                    links.iter().for_each(|&(from, to)| world.network.cut(index, from, to));
                    undo.mend.clone_from(links);
                    format!("{name} is cut again")
                } else {
                    let cut = std::mem::take(&mut undo.mend);
                    cut.into_iter().for_each(|(from, to)| world.network.mend(index, from, to, now));
                    format!("{name} is whole for now")
                }
            }
            Steps::CrashLoop(victim) => {
                if undo.start.is_empty() {
                    self.kill(world, Some(index), *victim, &mut undo);
                    format!("{victim} dies again")
                } else {
                    undo.start.drain(..).for_each(|place| self.revive(world, place));
                    format!("{victim} starts")
                }
            }
            Steps::Swizzle { cut, mend } => {
                if let Some(node) = cut.pop() {
                    self.cut_off(world, index, node, &mut undo.mend);
                    format!("{node} is cut off, too")
                } else if let Some(node) = mend.pop() {
                    for (from, to) in self.links_of(node) {
                        let place = undo.mend.iter().position(|&link| link == (from, to));
                        if let Some(place) = place {
                            undo.mend.swap_remove(place);
                            world.network.mend(index, from, to, now);
                        }
                    }
                    format!("{node} is back")
                } else {
                    "nobody is left".to_owned()
                }
            }
        };
        let struck = &mut world.faults.struck[nth];
        (struck.steps, struck.undo) = (steps, undo);
        world.witness.sees(now, || Sight::FaultStep { index, what: &what });
    }

    /// A process that is down starts again.
    pub(super) fn revive(&self, world: &mut World, place: Place) {
        // Another fault may have started it since, and a third killed it again.
        if world.may_start(place) {
            self.executor.restart(self.processes[place]);
            world.start(place);
        }
    }

    /// Cuts a node off from everybody; `cuts` remembers each link once for each cut.
    pub(super) fn cut_off(
        &self,
        world: &mut World,
        index: usize,
        node: Place,
        cuts: &mut Vec<(Place, Place)>,
    ) {
        for (from, to) in self.links_of(node) {
            world.network.cut(index, from, to);
            cuts.push((from, to));
        }
    }

    /// All links from and to a node.
    pub(super) fn links_of(&self, node: Place) -> Vec<(Place, Place)> {
        let others =
            std::iter::once(Place::Clients).chain(self.places()).filter(|&other| other != node);
        others.flat_map(|other| [(node, other), (other, node)]).collect()
    }
}
