//! Shrinking: from a failing plan to the smallest plan that fails in the same way.
//!
//! Owns the search: which changes are tried in which order, and that a change is kept only if the run still
//! fails with the same [signature](Signature). Refuses to know how plans are carried out (a runner is passed in)
//! and how the result is used.
//!
//! Every change makes the plan smaller by a measure that no other change increases: people, faults, instants,
//! lengths and sizes only go down, settings only move to their default or off. So the search ends. Its result is
//! a function of the plan and the code on any number of threads, because candidates are taken in order. Only an
//! interrupted search ends at an arbitrary point.

mod facts;
mod fault;
mod habit;
mod luck;
mod moment;
mod people;
pub mod regression;
pub mod scale;
mod search;
mod setting;
mod size;
#[cfg(test)]
mod tests;
mod time;
mod title;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use onsale_booking::Span;
use onsale_scenarios::Target;
use onsale_sim::plan::Plan;
use onsale_sim::run::Outcome;
use onsale_sim::seen::subject::Subject;
use onsale_world::Progress;
use rustc_hash::FxHasher;
use search::Found;

use crate::signature::Signature;

/// Plays a plan. It ends early, without a useful result, if its progress is told to stop.
pub type Runner<'a> = dyn Fn(&Plan, &Arc<Progress>) -> Trial + Sync + 'a;

/// The result of a run, as needed to judge a candidate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// Its failures, in the order of the oracles.
    pub failures: Vec<Failure>,
    /// The trace hash.
    pub trace_hash: String,
    /// Instant at which it ended.
    pub ended: Span,
    /// Events simulated.
    pub events: u64,
    /// Wall time in seconds.
    pub wall_s: f64,
    /// By fault that waited for a moment: the instant of its strike, and the node at which the moment came.
    pub strikes: BTreeMap<usize, (Span, Target)>,
}

/// A failure of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its signature.
    pub signature: Signature,
    /// The numbers of the people named in the evidence.
    pub people: BTreeSet<u32>,
    /// The subjects of the evidence, the most informative first.
    pub follow: Vec<Subject>,
    /// Instant at which it was found; `None` if it was found at the end of the run.
    pub found: Option<Span>,
}

impl Trial {
    /// The trial of an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        let facts = &outcome.summary.facts;
        let failure = |result| {
            let signature = Signature::of(result)?;
            let evidence = result.evidence.as_ref();
            let follow = evidence.map(|evidence| evidence.follow.as_slice()).unwrap_or_default();
            Some(Failure {
                signature,
                people: people::told_of(result),
                follow: follow.iter().filter_map(|name| name.parse().ok()).collect(),
                found: evidence.and_then(|evidence| evidence.found_us).map(Span),
            })
        };
        Self {
            failures: facts.oracles.iter().filter_map(failure).collect(),
            trace_hash: facts.trace_hash.clone(),
            ended: Span((facts.virtual_s * 1e6).round() as u64),
            events: facts.events,
            wall_s: facts.wall_s,
            strikes: facts.faults.iter().filter_map(moment::strike).collect(),
        }
    }

    /// Its failure with this signature.
    pub fn failure(&self, signature: &Signature) -> Option<&Failure> {
        self.failures.iter().find(|failure| failure.signature == *signature)
    }
}

/// A plan and the trial of its run.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The plan.
    pub plan: Plan,
    /// The trial of its run.
    pub trial: Trial,
}

/// The progress of a search.
#[derive(Debug)]
pub struct Standing<'a> {
    /// The smallest case so far.
    pub best: &'a Case,
    /// Number of runs tried.
    pub runs: u64,
    /// Whether the best case is new since the last report.
    pub is_new: bool,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The smallest case found.
    pub best: Case,
    /// Number of runs tried; with more jobs, more runs are tried in vain.
    pub runs: u64,
    /// Whether nothing smaller is left to try; false if the search was interrupted.
    pub is_finished: bool,
}

/// Searches for the smallest plan that fails with the signature of `target`, trying `jobs` runs at once. `start`
/// must fail with it. `watch` gets every new best case, and is asked now and then whether to go on.
pub fn shrink(
    start: Case,
    target: &Signature,
    jobs: usize,
    runner: &Runner<'_>,
    watch: &mut dyn FnMut(&Standing<'_>) -> bool,
) -> Shrunk {
    assert!(start.trial.failure(target).is_some(), "the plan to shrink fails");
    let mut shrinker = Shrinker {
        best: start,
        target,
        jobs,
        runner,
        watch,
        runs: AtomicU64::new(0),
        in_vain: Mutex::default(),
        is_called_off: false,
        luck: Luck::Own,
    };
    // Once: what follows moves windows back, with all other instants.
    shrinker.settle(|case, _| moment::nearer(case));
    while shrinker.improves() {}
    shrinker.luck = Luck::Own;
    shrinker.settle(|case, _| moment::instants(case));
    shrinker.settle(|case, _| time::later(&case.plan));
    Shrunk {
        best: shrinker.best,
        runs: shrinker.runs.into_inner(),
        is_finished: !shrinker.is_called_off,
    }
}

/// The random streams under which a candidate is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Luck {
    /// Its own streams.
    Own,
    /// Also those of some other seeds: a smaller cluster draws other latencies, so a failure that depends on
    /// them shows only under other streams.
    Others,
}

struct Shrinker<'a> {
    best: Case,
    target: &'a Signature,
    jobs: usize,
    runner: &'a Runner<'a>,
    watch: &'a mut dyn FnMut(&Standing<'_>) -> bool,
    runs: AtomicU64,
    /// Digests of candidates that did not fail in the same way.
    in_vain: Mutex<BTreeSet<u64>>,
    is_called_off: bool,
    luck: Luck,
}

/// A number of a plan that can be made smaller.
struct Dial {
    /// Its least sensible value.
    least: u64,
    /// Rounds a value of this size.
    unit: fn(u64) -> u64,
    get: Box<Get>,
    set: Box<Set>,
}

type Get = dyn Fn(&Plan) -> u64 + Sync;
type Set = dyn Fn(&mut Plan, u64) + Sync;

impl Dial {
    fn new(
        least: u64,
        unit: fn(u64) -> u64,
        get: impl Fn(&Plan) -> u64 + Sync + 'static,
        set: impl Fn(&mut Plan, u64) + Sync + 'static,
    ) -> Self {
        Self { least, unit, get: Box::new(get), set: Box::new(set) }
    }
}

impl Shrinker<'_> {
    /// Tries everything until something helps: quick, effective changes before slow ones. Gaps between instants
    /// are closed last: a run in which every millisecond counts tolerates no other change.
    fn improves(&mut self) -> bool {
        let before = self.best.plan.clone();
        let parts = [
            (Luck::Own, Self::take_away as fn(&mut Self)),
            (Luck::Others, |it| it.thin_out_people(Chunks::Few)),
            (Luck::Own, |it| it.thin_out_people(Chunks::Many)),
            (Luck::Others, Self::take_away),
            (Luck::Own, Self::polish),
        ];
        for (luck, part) in parts {
            self.luck = luck;
            part(self);
            if self.best.plan != before {
                return !self.is_called_off;
            }
        }
        false
    }

    /// People, time, shows, shards, nodes, faults, seats, settings: changes that make runs short come first, so
    /// that the others are quick, and coarse changes before fine ones.
    fn take_away(&mut self) {
        self.settle(people::parts);
        self.settle(|case, _| people::named(&case.plan));
        self.settle(|case, _| facts::windows(&case.plan));
        self.settle(time::until_it_failed);
        self.settle(|case, _| time::until_it_ended(case));
        self.turn_down(&time::duration());
        self.settle(people::whom_the_evidence_names);
        self.settle(|case, _| habit::prompt(&case.plan));
        self.settle(|case, _| setting::off(&case.plan));
        self.turn_all_down(&size::cluster());
        self.settle(|case, _| size::with_fewer_replicas(&case.plan));
        self.thin_out(|plan| plan.faults.len(), fault::without, Chunks::Many);
        self.draw_together(time::SLACK);
        self.turn_all_down(&fault::dials(&self.best.plan));
        self.settle(|case, _| fault::simpler(&case.plan));
        self.turn_all_down(&moment::dials(&self.best.plan));
        self.settle(|case, _| moment::simpler(&case.plan));
        self.thin_out_people(Chunks::Few);
        self.turn_all_down(&facts::dials());
        self.draw_together(time::SLACK);
        self.turn_all_down(&size::hall());
        self.settle(|case, _| setting::at_default(&case.plan));
        self.turn_down(&size::hold());
        self.settle(|case, _| habit::simpler(&case.plan));
        self.turn_all_down(&habit::dials());
    }

    fn polish(&mut self) {
        self.draw_together(Span::ZERO);
        self.settle(|case, _| time::rounded(&case.plan));
        self.settle(|case, _| luck::plainer(&case.plan));
    }

    /// Shortens the idle times between instants, down to `slack`.
    fn draw_together(&mut self, slack: Span) {
        self.turn_all_down(&time::gaps(&self.best.plan, slack));
    }

    fn turn_all_down(&mut self, dials: &[Dial]) {
        dials.iter().for_each(|dial| self.turn_down(dial));
    }

    /// Takes the first change that helps, repeatedly, until none does.
    fn settle(&mut self, changes: impl Fn(&Case, &Signature) -> Vec<Plan>) {
        loop {
            let changed = changes(&self.best, self.target);
            if self.take_first(changed.len(), &|_, nth| Some(changed[nth].clone())).is_none() {
                return;
            }
        }
    }

    /// Makes a number as small as possible: at once, or by bisection.
    fn turn_down(&mut self, dial: &Dial) {
        let turned = |plan: &Plan, value| {
            let mut plan = plan.clone();
            (dial.set)(&mut plan, value);
            Some(plan)
        };
        let mut too_low = dial.least;
        if (dial.get)(&self.best.plan) <= too_low
            || self.take_first(1, &|plan, _| turned(plan, too_low)).is_some()
        {
            return;
        }
        while !self.is_called_off {
            let values = between(too_low, (dial.get)(&self.best.plan), dial.unit);
            match self.take_first(values.len(), &|plan, nth| turned(plan, values[nth])) {
                Some(0) => {}
                Some(nth) => too_low = values[nth - 1],
                None => match values.last() {
                    Some(&last) => too_low = last,
                    None => return,
                },
            }
        }
    }

    fn thin_out_people(&mut self, most: Chunks) {
        self.thin_out(people::count, people::without, most);
    }

    /// Removes as much of a list as possible: all, halves, quarters, and so on down to single items.
    fn thin_out(
        &mut self,
        count: fn(&Plan) -> usize,
        without: fn(&Plan, Range<usize>) -> Option<Plan>,
        most: Chunks,
    ) {
        let mut chunk = count(&self.best.plan);
        while chunk > 0 {
            let mut from = 0;
            loop {
                let len = count(&self.best.plan);
                let chunks = len.saturating_sub(from).div_ceil(chunk);
                if most == Chunks::Few && chunks > CHUNKS_FEW {
                    return;
                }
                let less = |plan: &Plan, nth| {
                    let start = from + nth * chunk;
                    without(plan, start..len.min(start + chunk))
                };
                match self.take_first(chunks, &less) {
                    Some(nth) => from += nth * chunk,
                    None => break,
                }
            }
            chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
        }
    }

    /// Tries candidates in order and takes the first that still fails in the same way.
    fn take_first(
        &mut self,
        count: usize,
        candidate: &(dyn Fn(&Plan, usize) -> Option<Plan> + Sync),
    ) -> Option<usize> {
        let Self { best, target, jobs, runner, watch, runs, luck, .. } = self;
        let in_vain = &self.in_vain;
        let mut goes_on = || {
            let runs = runs.load(Ordering::Relaxed);
            watch(&Standing { best, runs, is_new: false })
        };
        if self.is_called_off || !goes_on() {
            self.is_called_off = true;
            return None;
        }
        let lucks = match luck {
            Luck::Own => 1,
            Luck::Others => luck::OTHERS,
        };
        let attempt = |nth: usize, progress: &Arc<Progress>| {
            let mut plan = candidate(&best.plan, nth / lucks)?;
            tidy(&mut plan);
            plan.scenario.title = title::of(&plan, &target.oracle);
            // Other streams alone are no change.
            if plan == best.plan {
                return None;
            }
            if *luck == Luck::Others {
                luck::draw_again(&mut plan, nth % lucks);
            }
            let digest = digest(&plan);
            if in_vain.lock().expect(NO_PANIC).contains(&digest) || plan.check().is_err() {
                return None;
            }
            runs.fetch_add(1, Ordering::Relaxed);
            let trial = runner(&plan, progress);
            if progress.stop.load(Ordering::Relaxed) {
                return None;
            }
            if trial.failure(target).is_none() {
                in_vain.lock().expect(NO_PANIC).insert(digest);
                return None;
            }
            Some(Case { plan, trial })
        };
        match search::first(*jobs, count * lucks, &attempt, &mut goes_on) {
            Found::Candidate(nth, case) => {
                self.best = case;
                let runs = self.runs.load(Ordering::Relaxed);
                (self.watch)(&Standing { best: &self.best, runs, is_new: true });
                Some(nth / lucks)
            }
            Found::Nothing => None,
            Found::CalledOff => {
                self.is_called_off = true;
                None
            }
        }
    }
}

/// Number of chunks into which a list is divided while it is thinned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunks {
    /// Few enough to try all of them quickly.
    Few,
    /// As many as there are items.
    Many,
}

const CHUNKS_FEW: usize = 32;

const NO_PANIC: &str = "nothing panics while it holds the digests";

/// Three values that divide the range between two bounds into quarters.
fn between(low: u64, high: u64, unit: fn(u64) -> u64) -> Vec<u64> {
    let parts = 4;
    let mut values: Vec<u64> = (1..parts)
        .map(|part| low + (high.saturating_sub(low)) * part / parts)
        .map(|value| value - value % unit(value))
        .filter(|&value| low < value && value < high)
        .collect();
    values.dedup();
    values
}

/// Makes a plan consistent after a change, as if it had been drawn like this.
fn tidy(plan: &mut Plan) {
    plan.faults.sort_by_key(|fault| fault.at);
    plan.scenario.faults.clone_from(&plan.faults);
    plan.scenario.swarm = None;
    plan.scenario.must_exercise.clear();
    plan.scenario.must_mark.clear();
    plan.scenario.must_fail = None;
    plan.scenario.id = shrunk_id(&plan.scenario.id);
    luck::tidy(plan);
}

/// The plan's scenario is no longer that of the catalogue, and no command may claim so.
fn shrunk_id(id: &str) -> String {
    if id.starts_with(SHRUNK) {
        return id.to_owned();
    }
    let stem = Path::new(id).file_stem().map(|stem| stem.to_string_lossy());
    format!("{SHRUNK}{}", stem.as_deref().unwrap_or("run"))
}

const SHRUNK: &str = "shrunk/";

fn digest(plan: &Plan) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(plan.to_json().as_bytes());
    hasher.finish()
}

/// A plain whole number.
const fn one(_: u64) -> u64 {
    1
}

/// A time, rounded so that it reads well and the story depends on no odd instant.
const fn readable(micros: u64) -> u64 {
    match micros {
        0..100_000 => Span::from_millis(1).0,
        100_000..1_000_000 => Span::from_millis(10).0,
        1_000_000..10_000_000 => Span::from_millis(100).0,
        10_000_000.. => Span::from_secs(1).0,
    }
}
