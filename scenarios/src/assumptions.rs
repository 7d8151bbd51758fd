//! The basis of each value of a scenario.
//!
//! Owns the mapping from a scenario's values to their keys. Refuses to know the basis of a default: it is
//! declared at its key.

use toml::{Table, Value};

use crate::basis::Basis::{self, Chosen};
use crate::form::settings;
use crate::scenario::Scenario;
use crate::setting::{Kind, Section, join};
use crate::written::Written;

/// One value of a scenario and its basis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// Path of the key, as in `crowd.session.abandon`.
    pub field: String,
    /// The value as a scenario file writes it.
    pub value: String,
    /// Its basis.
    pub basis: Basis,
}

/// A default, in the form of a scenario's values.
struct Known {
    field: String,
    value: String,
    basis: Basis,
}

/// Every value of the scenario with its basis, in the order of the file, without faults and title.
pub fn assumptions(scenario: &Scenario) -> Vec<Assumption> {
    let defaults = defaults();
    let assumption = |(field, value): (String, String)| {
        let default = defaults.iter().find(|it| it.field == field && it.value == value);
        let left_out = default.filter(|_| !scenario.written.0.contains(&field));
        let basis = left_out.map_or(Chosen, |default| default.basis);
        Assumption { field, value, basis }
    };
    leaves(scenario).into_iter().map(assumption).collect()
}

/// Keys that a file wrote although their defaults have a basis: their values are chosen.
pub(crate) fn written(file: &Table) -> Written {
    let is_there = |path: &str| {
        let mut keys = path.split('.');
        let first = keys.next().and_then(|key| file.get(key));
        keys.try_fold(first?, |value, key| value.get(key)).map(drop)
    };
    let based = defaults().into_iter().filter(|default| default.basis != Chosen);
    Written(based.map(|default| default.field).filter(|path| is_there(path).is_some()).collect())
}

/// Every default, whether or not a scenario contains its section.
fn defaults() -> Vec<Known> {
    let mut defaults = Vec::new();
    collect_defaults(&mut defaults, "", &settings());
    defaults
}

fn collect_defaults(defaults: &mut Vec<Known>, path: &str, section: &Section) {
    for key in &section.keys {
        let field = join(path, key.name);
        match &key.kind {
            Kind::Table(inner) => collect_defaults(defaults, &field, inner),
            Kind::OneOf(shapes) => {
                for (name, shape) in shapes {
                    collect_defaults(defaults, &join(&field, name), shape);
                }
            }
            Kind::Whole { .. }
            | Kind::Decimal { .. }
            | Kind::Flag
            | Kind::Span { .. }
            | Kind::Share
            | Kind::Scale
            | Kind::Timing { .. }
            | Kind::Name(_)
            | Kind::Text { .. }
            | Kind::TextOrTable { .. }
            | Kind::List(_)
            | Kind::Pair(..) => {
                let default = key.default.as_ref();
                defaults.extend(default.map(|value| Known {
                    field,
                    value: spelled(value),
                    basis: key.basis,
                }));
            }
        }
    }
}

/// Every value with its path; a table in braces is one value, except for arrivals.
pub(crate) fn leaves(scenario: &Scenario) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    collect(&mut leaves, "", &scenario.to_table());
    leaves
}

fn collect(leaves: &mut Vec<(String, String)>, path: &str, table: &Table) {
    for (key, value) in table {
        let path = join(path, key);
        let is_aside = ["title", "fault", "expect", "crowd.arrivals.trace", "crowd.arrivals.named"]
            .contains(&path.as_str());
        match value {
            Value::Table(_) | Value::Array(_) if is_aside => {}
            Value::String(_) if is_aside => {}
            Value::Table(inner) if !is_drawn(inner) => collect(leaves, &path, inner),
            Value::Table(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => leaves.push((path, spelled(value))),
        }
    }
}

/// A value as shown: text without its quotes.
fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a table says how a span is drawn, and so is one value.
fn is_drawn(table: &Table) -> bool {
    ["mean", "sigma", "quantiles"].iter().any(|key| table.contains_key(*key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basis::Basis::{Assumed, Sourced};
    use crate::ratio::Ratio;

    /// Every key of any scenario, once.
    fn scenarios() -> Vec<Scenario> {
        let arrivals = [
            "constant = { over = \"4m\" }",
            "spike = { over = \"4m\", at = \"1m\" }",
            "on-sale = { over = \"4m\", opening = \"1m\" }",
        ];
        let rest = "[crowd.waiting-room]\nopening = \"1m\"\n[facts]\n[swarm]\n";
        let read = |arrivals| {
            let text = format!("title = \"t\"\n[crowd.arrivals]\n{arrivals}\n{rest}");
            let read = |_: &str| Err(std::io::Error::other("none"));
            Scenario::from_toml("x", "x.toml", text.as_bytes(), &read).unwrap()
        };
        arrivals.map(read).into()
    }

    #[test]
    fn every_value_that_is_left_out_rests_on_what_stands_at_its_key() {
        let mut fields = std::collections::BTreeSet::new();
        for scenario in scenarios() {
            for Assumption { field, value, basis } in assumptions(&scenario) {
                let known =
                    defaults().into_iter().find(|it| it.field == field && it.value == value);
                let basis_known = known.as_ref().map(|known| known.basis);
                // Written by the scenarios above, and without another basis.
                let is_written = ["over", "at", "opening"].iter().any(|it| field.ends_with(it));
                assert!(is_written || basis_known == Some(basis), "{field} = {value}: {basis}");
                fields.insert(field);
            }
        }
        for known in defaults().into_iter().filter(|known| known.basis != Chosen) {
            assert!(fields.contains(&known.field), "no scenario has {}", known.field);
        }
    }

    #[test]
    fn what_a_scenario_sets_is_chosen() {
        let mut scenario = Scenario::default();
        scenario.crowd.session.abandon = Ratio::percent(31);
        let all = assumptions(&scenario);
        let of = |field: &str| all.iter().find(|assumption| assumption.field == field).unwrap();
        assert_eq!(of("crowd.session.abandon").basis, Chosen);
        assert_eq!(of("crowd.session.abandon").value, "31%");
        assert_eq!(of("disk.fsync").basis, Assumed);
        assert_eq!(of("crowd.session.pick-think").value, "{ median = \"25s\", sigma = 0.8 }");
        assert!(matches!(of("sale.grace").basis, Sourced(_)));
    }

    #[test]
    fn what_a_file_writes_is_chosen_though_it_is_the_default() {
        let text =
            "title = \"t\"\n[crowd.session]\nabandon = \"ABANDON\"\n[disk]\nfsync = \"FSYNC\"\n";
        let plain = Scenario::default();
        let text = text
            .replace("ABANDON", &plain.crowd.session.abandon.to_string())
            .replace("FSYNC", &plain.disk.fsync.typical().to_string());
        let read = |_: &str| Err(std::io::Error::other("none"));
        let scenario = Scenario::from_toml("x", "x.toml", text.as_bytes(), &read).unwrap();
        // A plan keeps the keys that the file wrote.
        let again = Scenario::from_json("x.json", scenario.to_json().as_bytes()).unwrap();
        for scenario in [scenario, again] {
            let all = assumptions(&scenario);
            let basis = |field: &str| all.iter().find(|it| it.field == field).unwrap().basis;
            assert_eq!(basis("crowd.session.abandon"), Chosen);
            assert_eq!(basis("disk.fsync"), Chosen);
            assert_eq!(basis("disk.jitter"), Assumed);
        }
    }
}
