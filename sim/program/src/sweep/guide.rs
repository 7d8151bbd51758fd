//! A guided sweep: plans that reached something new are changed a little and played again.
//!
//! Owns which plans are kept, and the scenario and the plan of each run: a function of the sweep's first seed and of the
//! results of runs at least [`LAG`] before it, so that threads and resumed sweeps come to the same plans. Every scenario is
//! played once; then scenarios that lately reached much in few events are played more often. Refuses to know how a plan
//! is changed, and what a run reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use onsale_scenarios::{Family, Moment, Scenario};
use onsale_sim::plan::Plan;
use onsale_sim::plan_from_plan::near;
use onsale_world::Progress;
use onsale_world::sample::weighted;
use onsale_world::stream::{Stream, fork};

use super::play::SeedResult;
use super::{Header, Item};

/// Number of runs that may be under way beyond those whose results a plan goes by.
pub const LAG: u64 = 32;
/// One run in this many is a seed's own.
const FRESH: u64 = 5;
/// One run in this many is of the scenario whose turn it is, whatever the scenario has reached lately.
const EVEN: u64 = 4;
/// Number of a scenario's latest runs by which it is judged.
const RUNS: usize = 6;
/// Unit of a scenario's worth: twice its new pairs in this many events.
const UNIT: u64 = 1 << 32;
/// Half of all parents are among this many latest ones.
const LATEST: usize = 12;

/// The kept plans of a guided sweep.
#[derive(Debug)]
pub struct Guide {
    first: u64,
    /// Number of regressions: they are the first of the scenarios.
    regressions: usize,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug)]
struct State {
    /// Number of results taken.
    taken: u64,
    /// The pairs reached so far.
    pairs: BTreeSet<String>,
    /// By family, the number of its pairs as of each run that reached a new one, in order.
    tried: BTreeMap<String, Vec<(u64, u64)>>,
    /// By scenario, the plans that reached a new pair.
    kept: Vec<Vec<Kept>>,
    /// By scenario, what its runs reached, in order.
    reached: Vec<Vec<Reached>>,
}

/// What a run reached.
#[derive(Clone, Copy, Debug)]
struct Reached {
    /// The number of the run.
    number: u64,
    /// Number of new pairs.
    new: u64,
    /// Number of events that it took.
    events: u64,
}

/// A plan that reached a new pair.
#[derive(Clone, Debug)]
struct Kept {
    /// The number of its run.
    number: u64,
    plan: Arc<Plan>,
    /// The rare paths of its new pairs: moments at which others may strike.
    paths: Arc<Vec<Moment>>,
}

impl Guide {
    /// The guide of a sweep without results.
    pub fn new(header: &Header) -> Self {
        let all = header.scenarios.len();
        Self {
            first: header.seeds.first,
            regressions: header.regressions(),
            state: Mutex::new(State {
                taken: 0,
                pairs: BTreeSet::new(),
                tried: BTreeMap::new(),
                kept: vec![Vec::new(); all],
                reached: vec![Vec::new(); all],
            }),
            moved: Condvar::new(),
        }
    }

    /// The run whose turn it is, perhaps of another scenario; its plan; and whether that was made from another. Waits for
    /// the results that they go by. `None` if the run is stopped meanwhile.
    pub fn plan(
        &self,
        item: Item,
        scenarios: &[Scenario],
        progress: &Progress,
    ) -> Option<(Item, Plan, bool)> {
        let known_from = item.number.checked_sub(LAG);
        let is_known = |number: u64| known_from.is_some_and(|last| number <= last);
        let mut state = self.state();
        while known_from.is_some_and(|last| state.taken <= last) {
            if progress.stop.load(Ordering::Relaxed) {
                return None;
            }
            let waited = self.moved.wait_timeout(state, Duration::from_millis(50));
            state = waited.expect("nobody panics while holding the plans").0;
        }
        let mut stream = Stream::new(fork(fork(self.first, "guide"), &item.number.to_string()));
        let is_even = item.number < scenarios.len() as u64 || stream.below(EVEN) == 0;
        let scenario =
            if is_even { item.scenario } else { self.worth_most(&state, is_known, &mut stream) };
        let item = Item { scenario, ..item };
        let known = state.kept[scenario].iter();
        let parents: Vec<Kept> = known.take_while(|kept| is_known(kept.number)).cloned().collect();
        let tried = state.tried.iter().map(|(family, counts)| {
            let known = counts.iter().rfind(|&&(number, _)| is_known(number));
            (family.clone(), known.map_or(0, |&(_, count)| count))
        });
        let tried: BTreeMap<String, u64> = tried.collect();
        drop(state);
        let tried = |family: Family| tried.get(family.name()).copied().unwrap_or(0);
        let own = Plan::new(&scenarios[scenario], item.seed);
        if !parents.is_empty() && stream.below(FRESH) != 0 {
            let parent = pick(&parents, &mut stream);
            let near = near(&own, &parent.plan, &parent.paths, tried, stream.draw());
            if let Some(plan) = near {
                return Some((item, plan, true));
            }
        }
        Some((item, own, false))
    }

    /// A scenario, drawn in proportion to the new pairs an event of its latest runs.
    fn worth_most(
        &self,
        state: &State,
        is_known: impl Fn(u64) -> bool,
        stream: &mut Stream,
    ) -> usize {
        let worth = |runs: &Vec<Reached>| {
            let known = runs.iter().rev().filter(|run| is_known(run.number)).take(RUNS);
            let (new, events) =
                known.fold((0, 0), |(new, events), run| (new + run.new, events + run.events));
            // Half a pair more, so that none is given up for good.
            (2 * new + 1) * UNIT / (events + 1)
        };
        let worth: Vec<u64> = state.reached[self.regressions..].iter().map(worth).collect();
        self.regressions + weighted(stream.draw(), &worth)
    }

    /// Takes the known result of the next run, whose plan is made once more.
    pub fn recall(&self, item: Item, result: &SeedResult, scenarios: &[Scenario]) {
        let made = self.plan(item, scenarios, &Progress::default());
        let (item, plan, _) = made.expect("all earlier results were taken");
        self.take(item, result, || plan);
    }

    /// Takes the result of the next run, and keeps its plan if it reached something new.
    pub fn take(&self, item: Item, result: &SeedResult, plan: impl FnOnce() -> Plan) {
        let new = {
            let mut state = self.state();
            let new: Vec<String> =
                result.pairs().filter(|pair| !state.pairs.contains(pair)).collect();
            for pair in &new {
                let family = pair.split('/').next().unwrap_or_default().to_owned();
                let counts = state.tried.entry(family).or_default();
                let count = counts.last().map_or(0, |&(_, count)| count) + 1;
                counts.push((item.number, count));
            }
            state.pairs.extend(new.iter().cloned());
            new
        };
        let kept = (!new.is_empty()).then(|| Kept {
            number: item.number,
            plan: Arc::new(plan()),
            paths: Arc::new(paths(&new)),
        });
        let mut state = self.state();
        state.kept[item.scenario].extend(kept);
        state.reached[item.scenario].push(Reached {
            number: item.number,
            new: new.len() as u64,
            events: result.events,
        });
        state.taken += 1;
        drop(state);
        self.moved.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding the plans")
    }
}

/// The rare paths of pairs, as moments.
fn paths(pairs: &[String]) -> Vec<Moment> {
    let marks = pairs.iter().filter_map(|pair| pair.splitn(3, '/').nth(2));
    marks.filter_map(|mark| format!("mark:{mark}").parse().ok()).collect()
}

/// A parent: in half of all cases one of the latest.
fn pick<'a>(parents: &'a [Kept], stream: &mut Stream) -> &'a Kept {
    let latest = parents.len().saturating_sub(LATEST);
    let from = if stream.below(2) == 0 { latest } else { 0 };
    let nth = from + stream.below((parents.len() - from) as u64) as usize;
    &parents[nth]
}
