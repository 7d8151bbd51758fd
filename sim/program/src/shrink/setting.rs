//! Settings at their default, or off.
//!
//! Owns which settings are left alone. A setting without a rule here goes back to its default like all others,
//! so every other value that is kept is needed for the failure.

use onsale_scenarios::{Ratio, Scenario};
use onsale_sim::plan::Plan;
use serde_json::Value;

/// Settings that are not reset: those that measure a failure, those that other changes reduce, and those that
/// can be off.
const NOT_PUT_BACK: [&str; 35] = [
    "id",
    "title",
    "duration",
    "calm",
    "fault",
    "expect",
    "cluster.nodes",
    "cluster.zones",
    "cluster.shards",
    "cluster.replicas",
    "sale.shows",
    "sale.sections",
    "sale.rows",
    "sale.seats-per-row",
    "sale.hot-share",
    "sale.hold",
    "crowd.users",
    "crowd.arrivals",
    "crowd.waiting-room",
    "crowd.manners",
    "crowd.session.pick-think",
    "crowd.session.checkout-think",
    "crowd.session.payment",
    "crowd.session.approval",
    "crowd.session.abandon",
    "crowd.session.release",
    "crowd.session.group-weights",
    "crowd.session.best-available",
    "crowd.session.split",
    "crowd.session.refreshes",
    "crowd.session.tries",
    "network.jitter",
    "network.tail",
    "disk.jitter",
    "disk.tail",
];

/// Settings that make links and disks uneven.
const UNEVEN: [fn(&mut Scenario) -> &mut Ratio; 7] = [
    |scenario| &mut scenario.network.jitter,
    |scenario| &mut scenario.network.tail,
    |scenario| &mut scenario.network.loss,
    |scenario| &mut scenario.network.duplicate,
    |scenario| &mut scenario.network.reorder,
    |scenario| &mut scenario.disk.jitter,
    |scenario| &mut scenario.disk.tail,
];

/// The plan without limits on latencies, and with even links and disks: all at once, then one by one.
pub(super) fn off(plan: &Plan) -> Vec<Plan> {
    let mut even = plan.clone();
    UNEVEN.iter().for_each(|share| *share(&mut even.scenario) = Ratio::NEVER);
    let one = |share: &fn(&mut Scenario) -> &mut Ratio| {
        let mut plan = plan.clone();
        *share(&mut plan.scenario) = Ratio::NEVER;
        plan
    };
    let mut unlimited = plan.clone();
    unlimited.scenario.limits.clear();
    [unlimited, even].into_iter().chain(UNEVEN.iter().map(one)).collect()
}

/// The plan with its settings at their defaults: all at once, then one by one.
pub(super) fn at_default(plan: &Plan) -> Vec<Plan> {
    let value = |scenario: &Scenario| serde_json::to_value(scenario).expect("it is plain data");
    let (present, default) = (value(&plan.scenario), value(&Scenario::default()));
    let mut paths = Vec::new();
    differing(&present, &default, &mut Vec::new(), &mut paths);

    let put_back = |paths: &[Vec<String>]| {
        let mut scenario = present.clone();
        paths.iter().for_each(|path| put_back(&mut scenario, &default, path));
        let scenario = serde_json::from_value(scenario).ok()?;
        Some(Plan { scenario, ..plan.clone() })
    };
    let all = (paths.len() > 1).then(|| paths.clone());
    let each = paths.iter().map(|path| vec![path.clone()]);
    all.into_iter().chain(each).filter_map(|paths| put_back(&paths)).collect()
}

/// Paths of the settings that differ and may be reset; sections are nested at most two levels deep.
fn differing(
    present: &Value,
    default: &Value,
    path: &mut Vec<String>,
    paths: &mut Vec<Vec<String>>,
) {
    for (key, value) in present.as_object().into_iter().flatten() {
        path.push(key.clone());
        let is_exempt = NOT_PUT_BACK.contains(&path.join(".").as_str());
        let other = &default[key];
        if !is_exempt && value != other {
            if path.len() <= 2 && value.is_object() && other.is_object() {
                differing(value, other, path, paths);
            } else {
                paths.push(path.clone());
            }
        }
        path.pop();
    }
}

fn put_back(scenario: &mut Value, default: &Value, path: &[String]) {
    let Some((key, rest)) = path.split_first() else { return };
    let Some(section) = scenario.as_object_mut() else { return };
    match (rest, default.get(key)) {
        ([], None) => {
            section.remove(key);
        }
        ([], Some(default)) => {
            section.insert(key.clone(), default.clone());
        }
        ([..], default) => {
            if let (Some(inner), Some(default)) = (section.get_mut(key), default) {
                put_back(inner, default, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::Span;

    use super::*;

    #[test]
    fn settings_go_back_together_and_one_by_one_and_sizes_stay() {
        let mut scenario = onsale_scenarios::catalogue::find("fast/crash").unwrap().scenario();
        let before = scenario.clone();
        scenario.cluster.gateway.tries += 1;
        scenario.quantum = Span(7);
        scenario.costs.beat = Span(9).into();
        scenario.cluster.shards = 3;
        let plan = Plan::new(&scenario, 1);
        let plans = at_default(&plan);
        let differ = |plan: &Plan| {
            let scenario = &plan.scenario;
            [
                scenario.cluster.gateway.tries != before.cluster.gateway.tries,
                scenario.quantum != before.quantum,
                scenario.costs.beat != before.costs.beat,
            ]
        };
        let left: Vec<_> = plans.iter().map(differ).collect();
        assert_eq!(left[0], [false, false, false]);
        assert!(left.contains(&[false, true, true]) && left.contains(&[true, false, true]));
        assert!(plans.iter().all(|plan| plan.scenario.cluster.shards == 3));
        assert!(plans.iter().all(|plan| plan.faults.len() == 3));
    }

    #[test]
    fn what_stays_out_of_it_exists() {
        let mut scenario = Scenario { id: "x".to_owned(), ..Scenario::default() };
        scenario.crowd.waiting_room = Some(onsale_scenarios::WaitingRoom::default());
        scenario.crowd.manners = Some(onsale_scenarios::Manners::default());
        let value = serde_json::to_value(&scenario).unwrap();
        for path in NOT_PUT_BACK {
            let found = path.split('.').try_fold(&value, |value, key| value.get(key));
            assert!(found.is_some(), "there is no {path}");
        }
    }
}
