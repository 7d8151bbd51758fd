//! The rules of oracles, and how each is measured.
//!
//! Owns a rule's name and sentence, and the comparison of rules with the histories that measure them. Refuses to know
//! how a rule is judged: each oracle declares its own with [`rules!`](crate::rules).

use onsale_reports::{Oracle, OracleResult};

/// A rule of an oracle: every failure breaks one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// The oracle that judges by it.
    pub oracle: Oracle,
    /// Its name among the rules of its oracle, as reports print it.
    pub name: &'static str,
    /// The failure, in a sentence.
    pub failure: &'static str,
}

/// Declares the rules of an oracle as constants, and all of them as `RULES`.
///
/// A judge outside this package declares its rules in the same way, and fails its
/// [`Findings`](crate::Findings) by them.
#[macro_export]
macro_rules! rules {
    ($oracle:ident: $(#[doc = $failure:literal] $rule:ident = $name:literal;)+) => {
        $(
            #[doc = $failure]
            pub(crate) const $rule: $crate::Rule = $crate::Rule {
                oracle: ::onsale_reports::Oracle::$oracle,
                name: $name,
                failure: $failure.trim_ascii(),
            };
        )+

        /// The rules that are judged here.
        pub(crate) const RULES: &[$crate::Rule] = &[$($rule),+];
    };
}

/// The measure of a rule: a minimal history that it condemns, and the nearest legal one.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// The rule.
    pub rule: Rule,
    /// The rules that cannot but break with it.
    pub also: &'static [Rule],
    /// Plays the history that breaks the rule.
    pub condemned: fn() -> Vec<OracleResult>,
    /// Plays the history that breaks none.
    pub legal: fn() -> Vec<OracleResult>,
}

/// Compares rules with their measures: a rule that no history measures may be lost unnoticed.
///
/// # Panics
/// Unless each rule has one measure, whose one history breaks just the rules that it names, and whose other breaks none.
pub fn compare(rules: &[Rule], measures: &[Measure]) {
    for rule in rules {
        let count = measures.iter().filter(|measure| measure.rule == *rule).count();
        assert_eq!(count, 1, "{rule:?} is measured by one pair of histories");
    }
    let mut wrong = Vec::new();
    for Measure { rule, also, condemned, legal } in measures {
        assert!(rules.contains(rule), "{rule:?} is measured and not declared");
        let named = [&[*rule], *also].concat();
        let mut expected: Vec<_> =
            named.iter().map(|rule| (rule.oracle.name(), rule.name)).collect();
        expected.sort_unstable();
        for (what, results, expected) in
            [("its history", condemned(), expected), ("its neighbour", legal(), Vec::new())]
        {
            let broken = broken(&results);
            if broken != expected {
                wrong.push(format!("{}: {what} breaks {broken:?}, not {expected:?}", rule.name));
            }
        }
    }
    assert!(wrong.is_empty(), "rules are measured wrongly:\n{}", wrong.join("\n"));
}

/// The broken rules, in order, each with the name of its oracle.
fn broken(results: &[OracleResult]) -> Vec<(&str, &str)> {
    let mut broken = Vec::new();
    for result in results {
        let rules = result.evidence.iter().flat_map(|evidence| &evidence.rules);
        broken.extend(rules.map(|rule| (result.name.as_str(), rule.as_str())));
    }
    broken.sort_unstable();
    broken
}
