//! Faults: at fixed times, and drawn from the seed.
//!
//! Owns the faults of a scenario: time, duration and kind, and the moment that a fault waits for. The families of each
//! group are in a file of their own. Refuses to know how the world carries them out.

mod clock;
mod declare;
mod disk;
mod family;
mod members;
mod moment;
mod network;
mod partition;
mod process;
mod site;
mod swarm;
mod target;
mod upgrade;
mod when;

use onsale_booking::Span;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use self::clock::ClockFault;
use self::declare::{Declared, groups};
pub use self::disk::DiskFault;
pub use self::family::Family;
pub(crate) use self::members::ORDER;
pub use self::members::{MembersFault, majority};
pub use self::moment::Moment;
pub use self::network::{Cut, NetworkFault};
pub use self::process::ProcessFault;
use self::site::Site;
pub use self::swarm::Swarm;
pub use self::target::Target;
pub use self::upgrade::{Rollback, installations};
pub use self::when::When;
use crate::setting::{Checks, Kind, OneOf, Value, read_one_of, write_one_of};
use crate::settings::Cluster;

/// One fault, at a fixed time or at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Instant at which it strikes, or begins to wait, since the start of the run.
    pub at: Span,
    /// The moment that it waits for.
    pub when: Option<When>,
    /// Time until it heals; for a fault that ends by itself, how long it counts as a disturbance.
    pub lasts: Span,
    /// Its kind.
    pub what: What,
}

groups! {
    /// The kind of a fault, by group.
    pub enum What {
        /// A fault of processes or their machines.
        Process(ProcessFault),
        /// A fault of the network.
        Network(NetworkFault),
        /// A fault of a disk.
        Disk(DiskFault),
        /// A fault of a clock.
        Clock(ClockFault),
        /// A change of the cluster's members.
        Members(MembersFault),
    }
}

/// The reason why a system may be late, or forgetful, during a fault although its processes are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Leaders may not commit, or messages may not arrive.
    Delays,
    /// The same, and a disk may forget promises.
    Forgets,
}

/// Properties of the families of a group.
trait Group: Declared {
    /// The trouble that oracles must allow for while it is in force.
    fn trouble(&self) -> Option<Trouble>;

    /// Complains about conflicts between its keys, and about missing nodes and zones.
    fn check(&self, site: &Site<'_>, checks: &mut Checks);

    /// Simpler faults with possibly the same effect: fewer nodes, fewer links, and nothing left to chance.
    fn simpler(&self, fault: &Fault, nodes: u16, zones: u16) -> Vec<Fault>;

    /// Adapts spans of its own to another duration.
    fn fit(&mut self, _lasts: Span) {}

    /// Factor by which it slows something down.
    fn factor(&mut self) -> Option<&mut u32> {
        None
    }

    /// Error that it causes in a clock.
    fn jump(&mut self) -> Option<&mut Span> {
        None
    }

    /// Visits each target that may be any node.
    fn each_target(&mut self, visit: &mut dyn FnMut(&mut Target));

    /// Adapts its targets to a cluster of this many nodes and zones.
    fn aim_within(&mut self, nodes: u16, _zones: u16) {
        self.each_target(&mut |target| target.aim_within(nodes));
    }
}

/// A shorter fault is no simpler story.
pub const LASTS_LEAST: Span = Span::from_millis(1);

impl Fault {
    /// A fault that strikes at an instant and lasts for a span.
    pub fn new(at: Span, lasts: Span, what: impl Into<What>) -> Self {
        Self { at, when: None, lasts, what: what.into() }
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.what.group().family()
    }

    /// The trouble that oracles must allow for while it is in force.
    pub fn trouble(&self) -> Option<Trouble> {
        self.what.group().trouble()
    }

    /// The same fault, waiting for a moment.
    #[must_use]
    pub fn waiting(self, when: When) -> Self {
        Self { when: Some(when), ..self }
    }

    /// The same fault, struck at an instant.
    #[must_use]
    pub fn struck_at(&self, at: Span) -> Self {
        Self { at, when: None, ..self.clone() }
    }

    /// Latest instant at which it strikes.
    pub fn strikes_by(&self) -> Span {
        self.at + self.when.map_or(Span::ZERO, |when| when.latest())
    }

    /// Latest instant at which it has healed.
    pub fn ends(&self) -> Span {
        self.strikes_by() + self.lasts
    }

    /// The spares that it lets join.
    pub fn joining(&self) -> &[Target] {
        if let What::Members(fault) = &self.what { fault.joining() } else { &[] }
    }

    /// Simpler faults with possibly the same effect: fewer nodes, fewer links, and nothing left to chance.
    pub fn simpler(&self, nodes: u16, zones: u16) -> Vec<Self> {
        self.what.group().simpler(self, nodes, zones)
    }

    /// The same fault at another time.
    #[must_use]
    pub fn timed(&self, at: Span, lasts: Span) -> Self {
        let mut fault = Self { at, lasts, ..self.clone() };
        fault.what.group_mut().fit(lasts);
        fault
    }

    /// Factor by which it slows something down, if it does.
    pub fn factor_mut(&mut self) -> Option<&mut u32> {
        self.what.group_mut().factor()
    }

    /// Error that it causes in a clock, if it does.
    pub fn jump_mut(&mut self) -> Option<&mut Span> {
        self.what.group_mut().jump()
    }

    /// Visits each of its targets that may be any node.
    pub fn each_target(&mut self, visit: &mut dyn FnMut(&mut Target)) {
        self.what.group_mut().each_target(visit);
    }

    /// Adapts its targets to a cluster of this many nodes and zones.
    pub fn aim_within(&mut self, nodes: u16, zones: u16) {
        self.what.group_mut().aim_within(nodes, zones);
        self.when.iter_mut().for_each(|when| when.aim_within(nodes));
    }

    /// Complains about everything wrong with it except single keys; `field` is its path.
    pub(crate) fn check_in(
        &self,
        field: &str,
        cluster: &Cluster,
        duration: Span,
        checks: &mut Checks,
    ) {
        let site = Site { field, lasts: self.lasts, waits: self.when.is_some(), cluster };
        let group = self.what.group();
        self.check_times(&site, group, duration, checks);
        self.when.iter().for_each(|when| when.check_in(&site, checks));
        group.check(&site, checks);
    }

    /// Checks that it strikes during the run, and heals before the run ends.
    fn check_times(&self, site: &Site<'_>, group: &dyn Group, end: Span, checks: &mut Checks) {
        let (at, ends, by) = (self.at, self.ends(), self.strikes_by());
        checks.that_both(at < end, &site.key("at"), "duration", || {
            let what = format!("the fault strikes at {at}, but the run ends at {end}");
            (what, "strike earlier, or lengthen `duration`".into())
        });
        let key = group.length_key();
        if let Some(When { delay, .. }) = self.when {
            return checks.that_both(at >= end || ends <= end, &site.key("when"), "duration", || {
                let what = format!(
                    "the fault strikes by {by} and lasts until {ends}, but the run ends at {end}"
                );
                let most = Span((end - at).0.saturating_sub((self.lasts + delay).0));
                (what, format!("at most `within = \"{most}\"`, or lengthen `duration`"))
            });
        }
        checks.that_both(at >= end || ends <= end, &site.key(key), "duration", || {
            let what = format!("the fault lasts until {ends}, but the run ends at {end}");
            let most = Span((end - at).0.saturating_sub(group.before().0));
            (what, format!("at most `{key} = \"{most}\"`, or lengthen `duration`"))
        });
    }

    /// A fault of another kind at the same time.
    fn but(&self, what: impl Into<What>) -> Self {
        Self { what: what.into(), ..self.clone() }
    }
}

/// The fault, and parts of its time.
fn parts(fault: &Fault) -> Vec<Fault> {
    let parts =
        [1, 4, 16, 64].into_iter().flat_map(|parts| (0..parts).map(move |nth| (nth, parts)));
    let part = |(nth, parts): (u64, u64)| {
        let lasts = Span(fault.lasts.0 / parts);
        fault.timed(fault.at + Span(lasts.0 * nth), lasts)
    };
    parts.map(part).filter(|part| part.lasts >= LASTS_LEAST).collect()
}

impl OneOf for Fault {
    const NAMES: &'static [&'static str] = Family::NAMES;
    const HELP: &'static str = "write one fault under each `[[fault]]`";

    fn read_shape<'de, M: de::MapAccess<'de>>(family: &str, map: &mut M) -> Result<Self, M::Error> {
        let fault = What::read(family, map)?;
        fault.ok_or_else(|| de::Error::unknown_variant(family, Self::NAMES))
    }

    fn write_shape<S: SerializeMap>(&self, map: &mut S) -> Result<(), S::Error> {
        self.what.write(self, map)
    }
}

impl Value for Fault {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::OneOf(What::describe())
    }

    fn check(&self, field: &str, (): &(), checks: &mut Checks) {
        let path = format!("{field}.{}", self.family());
        self.what.group().check_keys(self, &path, checks);
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_one_of(deserializer)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_one_of(self, serializer)
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}
