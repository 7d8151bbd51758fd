//! The types of keys: numbers, spans, shares, names, and lists of them.
//!
//! Owns how each is read, written, bounded and described. Refuses to know which key has it.

use std::ops::RangeInclusive;

use onsale_booking::{Honours, Orders, Repeats, Span};
use onsale_cluster::{
    Acknowledge, Activates, DecidesOn, Deposed, Expiry, Forgets, OnSuspicion, Overdue, Promises,
    Reads, Reckoning, Serves, Sessions,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Checks, Choice, DAY, Kind, Readable, Value, Writable};
use crate::human::{self, HumanSpan, Pair, SPAN_MAX};
use crate::limit::Limit;
use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::timing::Timing;

/// Read and written as serde does it.
macro_rules! by_serde {
    () => {
        fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            serde::Deserialize::deserialize(deserializer)
        }

        fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serde::Serialize::serialize(self, serializer)
        }
    };
}
pub(crate) use by_serde;

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl Value for $number {
            type Bounds = RangeInclusive<Self>;

            const ANY: Self::Bounds = 0..=Self::MAX;

            fn kind(bounds: &Self::Bounds) -> Kind {
                Kind::Whole { least: u64::from(*bounds.start()), most: u64::from(*bounds.end()) }
            }

            fn check(&self, field: &str, bounds: &Self::Bounds, checks: &mut Checks) {
                checks.within(field, *self, bounds.clone());
            }

            by_serde!();
        }
    )*};
}

whole_numbers!(u8, u16, u32, u64);

/// Implements the type for enums made by [`onsale_booking::choices!`]: each value has a name and a meaning.
macro_rules! names {
    ($($choice:ty),* $(,)?) => {$(
        impl $crate::setting::Value for $choice {
            type Bounds = ();

            const ANY: () = ();

            fn kind((): &()) -> $crate::setting::Kind {
                let choices = Self::ALL.iter().map(|value| $crate::setting::Choice {
                    name: $crate::setting::name_of(value),
                    doc: value.meaning(),
                });
                $crate::setting::Kind::Name(choices.collect())
            }

            $crate::setting::by_serde!();
        }
    )*};
}
pub(crate) use names;

names!(
    Acknowledge,
    Activates,
    DecidesOn,
    Deposed,
    Expiry,
    Forgets,
    Honours,
    OnSuspicion,
    Orders,
    Overdue,
    Promises,
    Reads,
    Reckoning,
    Repeats,
    Serves,
    Sessions,
);

/// The name of a variant in a file.
pub(crate) fn name_of<T: Serialize>(value: &T) -> String {
    let written = toml::Value::try_from(value).expect("a variant has a form in TOML");
    written.as_str().expect("a variant is written as its name").to_owned()
}

impl Value for bool {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Flag
    }

    by_serde!();
}

/// Text that is a name, bounded by the valid names. A rule complains about an unknown name and suggests a
/// similar one.
impl Value for String {
    type Bounds = Option<fn() -> Vec<Choice>>;

    const ANY: Self::Bounds = None;

    fn kind(bounds: &Self::Bounds) -> Kind {
        match bounds {
            Some(names) => Kind::Name(names()),
            None => Kind::Text { form: "", pattern: "" },
        }
    }

    by_serde!();
}

impl Value for Span {
    type Bounds = RangeInclusive<Self>;

    const ANY: Self::Bounds = Self::ZERO..=SPAN_MAX;

    fn kind(bounds: &Self::Bounds) -> Kind {
        Kind::Span { least: *bounds.start(), most: *bounds.end() }
    }

    fn check(&self, field: &str, bounds: &Self::Bounds, checks: &mut Checks) {
        checks.span_within(field, *self, bounds.clone());
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        HumanSpan::deserialize(deserializer).map(|HumanSpan(span)| span)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        HumanSpan(*self).serialize(serializer)
    }
}

impl Value for Ratio {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Share
    }

    fn check(&self, field: &str, (): &(), checks: &mut Checks) {
        checks.share(field, *self);
    }

    by_serde!();
}

impl Value for Scale {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Scale
    }

    by_serde!();
}

/// Only spans that are written down are bounded, not those drawn beyond them.
impl Value for Timing {
    type Bounds = RangeInclusive<Span>;

    const ANY: Self::Bounds = Span::ZERO..=DAY;

    fn kind(bounds: &Self::Bounds) -> Kind {
        Kind::Timing { most: *bounds.end() }
    }

    fn check(&self, field: &str, bounds: &Self::Bounds, checks: &mut Checks) {
        checks.timing(field, self, bounds);
    }

    by_serde!();
}

impl Value for Limit {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Text {
            form: "a limit such as `hold p99 < 500ms outside faults`",
            pattern: r"^\S+ (p[0-9.]+|max) ?< ?[0-9]+(us|ms|s|m|h)( (in|outside) faults)?$",
        }
    }

    by_serde!();
}

/// A flag that is written only if it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch(pub(crate) bool);

impl Value for Switch {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Flag
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer).map(Self)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }

    fn is_left_out(&self) -> bool {
        !self.0
    }

    fn left_out() -> Option<Self> {
        Some(Self(false))
    }
}

/// A number with up to three decimals, in thousandths: 0 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Milli(pub u32);

impl Milli {
    /// The greatest value: 10.
    const MAX: u32 = 10_000;
}

impl Value for Milli {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Decimal { least_milli: 0, most_milli: Self::MAX }
    }

    fn check(&self, field: &str, (): &(), checks: &mut Checks) {
        checks.within(field, self.0, 0..=Self::MAX);
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        human::milli::deserialize(deserializer).map(Self)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        human::milli::serialize(&self.0, serializer)
    }
}

/// A key that may be left out.
impl<T: Value> Value for Option<T> {
    type Bounds = T::Bounds;

    const ANY: Self::Bounds = T::ANY;

    fn kind(bounds: &Self::Bounds) -> Kind {
        T::kind(bounds)
    }

    fn check(&self, field: &str, bounds: &Self::Bounds, checks: &mut Checks) {
        if let Some(value) = self {
            value.check(field, bounds, checks);
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<Readable<T>>::deserialize(deserializer)?;
        Ok(value.map(|Readable(value)| value))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Writable).serialize(serializer)
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }

    fn left_out() -> Option<Self> {
        Some(None)
    }
}

/// The bounds apply to each item.
impl<T: Value> Value for Vec<T> {
    type Bounds = T::Bounds;

    const ANY: Self::Bounds = T::ANY;

    fn kind(bounds: &Self::Bounds) -> Kind {
        Kind::List(Box::new(T::kind(bounds)))
    }

    fn check(&self, field: &str, bounds: &Self::Bounds, checks: &mut Checks) {
        for (n, value) in self.iter().enumerate() {
            value.check(&format!("{field}[{n}]"), bounds, checks);
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<Readable<T>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|Readable(value)| value).collect())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Writable))
    }
}

impl<A: Value, B: Value> Value for (A, B) {
    type Bounds = (A::Bounds, B::Bounds);

    const ANY: Self::Bounds = (A::ANY, B::ANY);

    fn kind((first, second): &Self::Bounds) -> Kind {
        Kind::Pair(Box::new(A::kind(first)), Box::new(B::kind(second)))
    }

    fn check(&self, field: &str, (first, second): &Self::Bounds, checks: &mut Checks) {
        self.0.check(&format!("{field}[0]"), first, checks);
        self.1.check(&format!("{field}[1]"), second, checks);
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Pair(Readable(first), Readable(second)) = Pair::deserialize(deserializer)?;
        Ok((first, second))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Pair(Writable(&self.0), Writable(&self.1)).serialize(serializer)
    }
}
