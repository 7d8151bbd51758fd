//! Fewer people.
//!
//! Owns how a crowd becomes a list of named people, who is kept when people are removed, and which people the
//! evidence of a failure names. Refuses to know what people want: it depends only on their numbers, so a person
//! who is kept wants the same.

use std::collections::BTreeSet;
use std::ops::Range;

use onsale_booking::Span;
use onsale_reports::OracleResult;
use onsale_scenarios::Arrivals;
use onsale_sim::crowd::arrivals::Curve;
use onsale_sim::plan::Plan;
use onsale_sim::seen::asked::requester;

use super::Case;
use crate::signature::Signature;

/// Largest crowd that is named person by person: a larger one first has to become smaller as a whole.
const NAMED_MAX: usize = 100_000;

/// Largest crowd that is thinned out person by person.
const FEW: usize = 32;

/// One in this many is kept, the fewest first. A run with few people is quick, and all failed attempts before
/// the half take together as long as the half.
const SHARES: [usize; 11] =
    [1 << 20, 1 << 18, 1 << 16, 1 << 14, 1 << 12, 1 << 10, 1 << 8, 1 << 6, 1 << 4, 1 << 2, 1 << 1];

/// The same people at the same instants, each by name; a huge crowd becomes smaller instead.
pub(super) fn named(plan: &Plan) -> Vec<Plan> {
    let crowd = &plan.scenario.crowd;
    if list(plan).is_some() {
        return Vec::new();
    }
    if crowd.users as usize > NAMED_MAX {
        let smaller = [64, 16, 4, 2].map(|part| {
            let mut plan = plan.clone();
            plan.scenario.crowd.users = crowd.users / part;
            plan
        });
        return smaller.into();
    }
    vec![with(plan, came(plan, (0..crowd.users).collect()))]
}

/// Parts of a large crowd, at their arrival times: first only the people named in the evidence, then also one in
/// this many of the others.
pub(super) fn parts(case: &Case, target: &Signature) -> Vec<Plan> {
    let plan = &case.plan;
    let numbers: Vec<u32> = match list(plan) {
        Some(people) => people.iter().map(|&(_, user)| user).collect(),
        None => (0..plan.scenario.crowd.users).collect(),
    };
    if numbers.len() <= FEW {
        return Vec::new();
    }
    let named = case.trial.failure(target).map_or_else(BTreeSet::new, |it| it.people.clone());
    let named: Vec<u32> = numbers.iter().copied().filter(|user| named.contains(user)).collect();
    let share = |share: usize| {
        let others = numbers.iter().copied().step_by(share);
        let part: BTreeSet<u32> = named.iter().copied().chain(others).collect();
        let is_part = part.len() < numbers.len() && part.len() <= NAMED_MAX;
        is_part.then(|| with(plan, came(plan, part)))
    };
    let alone =
        (!named.is_empty()).then(|| with(plan, came(plan, named.iter().copied().collect())));
    let shares = SHARES.into_iter().filter(|&share| share < numbers.len());
    alone.into_iter().chain(shares.filter_map(share)).collect()
}

/// The arrival times of these people, in the order of their numbers.
fn came(plan: &Plan, who: BTreeSet<u32>) -> Vec<(Span, u32)> {
    if let Some(people) = list(plan) {
        return people.iter().copied().filter(|(_, user)| who.contains(user)).collect();
    }
    let crowd = &plan.scenario.crowd;
    let has_room = crowd.waiting_room.is_some();
    let curve = Curve::new(&crowd.arrivals, crowd.users, plan.stream("demand"), has_room);
    who.into_iter().map(|user| (Span(curve.arrival(user).0), user)).collect()
}

/// The people of a plan in order of arrival; `None` if they are not named.
pub(super) fn list(plan: &Plan) -> Option<&[(Span, u32)]> {
    match &plan.scenario.crowd.arrivals {
        Arrivals::Named { people } => Some(people),
        Arrivals::Constant { .. }
        | Arrivals::Poisson { .. }
        | Arrivals::Ramp { .. }
        | Arrivals::Spike { .. }
        | Arrivals::OnSale { .. }
        | Arrivals::Trace { .. } => None,
    }
}

/// The plan with these people.
pub(super) fn with(plan: &Plan, mut people: Vec<(Span, u32)>) -> Plan {
    people.sort_unstable();
    let mut plan = plan.clone();
    plan.scenario.crowd.users = people.len() as u32;
    plan.scenario.crowd.arrivals = Arrivals::Named { people };
    plan
}

/// Number of people who can be removed one by one.
pub(super) fn count(plan: &Plan) -> usize {
    list(plan).map_or(0, <[_]>::len)
}

/// The plan without some of its people, counted in order of arrival; `None` if nobody is left.
pub(super) fn without(plan: &Plan, who: Range<usize>) -> Option<Plan> {
    let people = list(plan)?;
    let stay = [&people[..who.start], &people[who.end..]].concat();
    (!stay.is_empty()).then(|| with(plan, stay))
}

/// The plan with only the people named in the evidence.
pub(super) fn whom_the_evidence_names(case: &Case, target: &Signature) -> Vec<Plan> {
    let (Some(people), Some(failure)) = (list(&case.plan), case.trial.failure(target)) else {
        return Vec::new();
    };
    let stay: Vec<_> =
        people.iter().copied().filter(|(_, user)| failure.people.contains(user)).collect();
    if stay.is_empty() || stay.len() == people.len() {
        return Vec::new();
    }
    vec![with(&case.plan, stay)]
}

/// The people in an oracle's evidence: by name, or by a request or a hold of theirs.
pub(super) fn told_of(result: &OracleResult) -> BTreeSet<u32> {
    let Some(evidence) = &result.evidence else { return BTreeSet::new() };
    let lines = std::iter::once(&evidence.headline).chain(&evidence.details);
    let words = lines.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()));
    let person = |word: &str| {
        let number = |prefix| word.strip_prefix(prefix).and_then(|digits| digits.parse().ok());
        let request = || number('r').or_else(|| number('h')).map(onsale_booking::RequestId);
        match number('u') {
            Some(user) => u32::try_from(user).ok(),
            None => request().map(|request| requester(request).0),
        }
    };
    words.filter_map(person).collect()
}

#[cfg(test)]
mod tests {
    use onsale_reports::{Evidence, Verdict};

    use super::*;

    #[test]
    fn evidence_names_people_and_what_is_theirs() {
        let result = OracleResult {
            name: "hold".to_owned(),
            verdict: Verdict::Fail,
            checked: 1,
            evidence: Some(Evidence {
                headline: "show0 seat 7 was promised to u17 and to u20 at once".to_owned(),
                details: vec!["journal s1#2 (e3): h5121 of u17, told by r7682; hold u".to_owned()],
                rules: Vec::new(),
                follow: Vec::new(),
                found_us: None,
            }),
        };
        assert_eq!(told_of(&result), BTreeSet::from([17, 20, 30]));
    }
}
