//! The key `when` of a fault: the moment that it waits for.
//!
//! Owns the table and its short form, and the bounds of its keys. Refuses to know how a run resolves it.

use std::fmt;
use std::str::FromStr as _;

use onsale_booking::Span;
use serde::ser::SerializeStruct as _;
use serde::{Deserializer, Serializer, de};

use super::moment::{FORM, PATTERN};
use super::{Moment, Site, Target};
use crate::human::Misread;
use crate::setting::{
    Checks, Kind, SOME_TIME, Table, UP_TO_A_DAY, Value, Writable, key_name, settings,
};

/// What a fault waits for, from the instant at which it would strike without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The moment.
    pub moment: Moment,
    /// The node at which it must come; `None` for any.
    pub node: Option<Target>,
    /// Which moment of its kind it is, from 1.
    pub count: u32,
    /// Time from the moment to the strike.
    pub delay: Span,
    /// Time for which it waits.
    pub within: Span,
}

settings! {
    /// The moment that a fault waits for; alone it may be written as text.
    table WhenTable {
        /// The moment.
        moment: Moment;
        /// The node at which it must come; default: any.
        node: Option<Target>;
        /// Which moment of its kind it is, counted from `at`.
        count: u32 = COUNT, chosen, in 1..=1_000_000;
        /// Time from the moment to the strike.
        delay: Span = DELAY, chosen, in UP_TO_A_DAY;
        /// Time from `at` for which it waits; a fault whose moment does not come touches nothing.
        within: Span = WITHIN, chosen, in SOME_TIME;
    }
}

const COUNT: u32 = 1;
const DELAY: Span = Span::ZERO;
const WITHIN: Span = Span::from_secs(30);

impl When {
    /// The next moment of a kind, at any node.
    pub const fn next(moment: Moment) -> Self {
        Self { moment, node: None, count: COUNT, delay: DELAY, within: WITHIN }
    }

    /// Longest time from the beginning of the window to the strike.
    pub fn latest(&self) -> Span {
        self.within + self.delay
    }

    /// Adapts its node to a cluster of this many nodes.
    pub(super) fn aim_within(&mut self, nodes: u16) {
        self.node.iter_mut().for_each(|node| node.aim_within(nodes));
    }

    /// Complains about a node that does not exist.
    pub(super) fn check_in(&self, site: &Site<'_>, checks: &mut Checks) {
        let Some(node) = self.node else { return };
        if node == Target::There {
            return checks.that(false, &site.key("when.node"), || {
                let what = "`there` is the node at which the moment comes, so it filters nothing";
                (what.into(), "leave `node` out, or name a node, `leader` or `follower`".into())
            });
        }
        site.target(checks, "when.node", node);
    }

    /// Whether it can be written as the moment alone.
    fn is_short(&self) -> bool {
        *self == Self::next(self.moment)
    }
}

impl From<WhenTable> for When {
    fn from(table: WhenTable) -> Self {
        let WhenTable { moment, node, count, delay, within } = table;
        Self { moment, node, count, delay, within }
    }
}

impl From<When> for WhenTable {
    fn from(when: When) -> Self {
        let When { moment, node, count, delay, within } = when;
        Self { moment, node, count, delay, within }
    }
}

impl Value for When {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::TextOrTable { form: FORM, pattern: PATTERN, table: WhenTable::describe() }
    }

    fn check(&self, field: &str, (): &(), checks: &mut Checks) {
        WhenTable::from(*self).check_keys(field, checks);
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WhenVisitor)
    }

    /// In the shortest form: without the keys that are at their default.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_short() {
            return serializer.collect_str(&self.moment);
        }
        let mut keys = serializer.serialize_struct(WhenTable::NAME, WhenTable::KEYS.len())?;
        keys.serialize_field(key_name!(moment), &Writable(&self.moment))?;
        if let Some(node) = &self.node {
            keys.serialize_field(key_name!(node), &Writable(node))?;
        }
        if self.count != COUNT {
            keys.serialize_field(key_name!(count), &self.count)?;
        }
        if self.delay != DELAY {
            keys.serialize_field(key_name!(delay), &Writable(&self.delay))?;
        }
        if self.within != WITHIN {
            keys.serialize_field(key_name!(within), &Writable(&self.within))?;
        }
        keys.end()
    }
}

struct WhenVisitor;

impl<'de> de::Visitor<'de> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a moment such as `voting`, or a table with `moment`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<When, E> {
        Moment::from_str(text).map(When::next).map_err(Misread::into_serde)
    }

    fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<When, M::Error> {
        WhenTable::read_keys(map).map(When::from)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::Scenario;

    fn read(fault: &str) -> Result<Scenario, String> {
        let crowd = "[crowd.arrivals]\nconstant = { over = \"9s\" }";
        let text = format!("title = \"t\"\nduration = \"60s\"\n{crowd}\n[[fault]]\n{fault}\n");
        let no_files = |_: &str| Err(io::Error::new(io::ErrorKind::NotFound, "no such file"));
        let read = Scenario::from_toml("x", "x.toml", text.as_bytes(), &no_files);
        read.map_err(|error| error.to_string())
    }

    fn crash(when: &str, node: &str) -> Result<Scenario, String> {
        let keys = format!("at = \"9s\", when = {when}, node = \"{node}\", down = \"1s\"");
        read(&format!("crash = {{ {keys} }}"))
    }

    #[test]
    fn text_is_the_moment_with_every_other_key_at_its_default_and_written_so() {
        let short = crash("\"voting\"", "there").expect("it is sound");
        let long = "{ moment = \"voting\", count = 1, delay = \"0s\", within = \"30s\" }";
        assert_eq!(short.faults, crash(long, "there").expect("it is sound").faults);
        assert_eq!(short.faults[0].when, Some(When::next(Moment::Voting)));
        let written = short.to_toml();
        assert!(written.contains("when = \"voting\""), "{written}");

        let other = "{ moment = \"mark:disk-full\", node = \"n2\", delay = \"3us\" }";
        let other = crash(other, "leader").expect("it is sound");
        let written = other.to_brief_toml();
        assert!(!written.contains("count") && !written.contains("within"), "{written}");
        let again = Scenario::from_json("x.json", other.to_json().as_bytes());
        assert_eq!(again.expect("it reads back").faults, other.faults);
    }

    #[test]
    fn a_fault_may_have_healed_by_its_latest_end() {
        let within = |within: &str| {
            crash(
                &format!("{{ moment = \"voting\", delay = \"2s\", within = \"{within}\" }}"),
                "n1",
            )
        };
        let fault = within("48s").expect("it just fits").faults[0].clone();
        assert_eq!((fault.strikes_by(), fault.ends()), (Span::from_secs(59), Span::from_secs(60)));
        let late = within("49s").unwrap_err();
        assert!(late.contains("strikes by 1m and lasts until 61s"), "{late}");
        assert!(
            late.contains("fault[0].crash.when") && late.contains("within = \"48s\""),
            "{late}"
        );
    }

    #[test]
    fn what_no_fault_can_wait_for_is_refused_where_it_stands() {
        let wrong = |when: &str, node: &str, words: &str| {
            let error = crash(when, node).unwrap_err();
            assert!(error.contains(words), "{when}: {error}");
        };
        wrong("\"votin\"", "n1", "did you mean `voting`?");
        wrong("\"mark:snapshot\"", "n1", "there is no mark \"snapshot\"");
        wrong("7", "n1", "a moment such as `voting`");
        wrong("{ count = 2 }", "n1", "moment");
        wrong("{ moment = \"voting\", cuont = 2 }", "n1", "did you mean `count`?");
        wrong("{ moment = \"voting\", count = 0 }", "n1", "when.count: 0 is out of bounds");
        wrong("{ moment = \"voting\", within = \"0s\" }", "n1", "when.within: no time at all");
        wrong("{ moment = \"voting\", delay = \"25h\" }", "n1", "when.delay: 25h is out of bounds");
        wrong("{ moment = \"voting\", node = \"n9\" }", "n1", "when.node: there is no node n9");
        wrong("{ moment = \"voting\", node = \"there\" }", "n1", "it filters nothing");
        let there = read("crash = { at = \"9s\", node = \"there\", down = \"1s\" }").unwrap_err();
        assert!(
            there.contains("crash.node: `there` is where the moment of `when` comes"),
            "{there}"
        );
        let cut = "partition = { at = \"9s\", lasts = \"1s\", isolate = [\"n1\", \"there\"] }";
        assert!(read(cut).unwrap_err().contains("isolate[1]"));
    }
}
