//! Settings: each a key with its type, unit, default, bounds, basis and one line of doc, declared once.
//!
//! Owns the macros that declare settings, and the code made from a declaration: the struct, reading and writing,
//! the checks of bounds, and the description from which the schema, the reference and the comments of `onsale
//! scenarios show` are made. Refuses to know any setting, and any rule between two.

mod checks;
mod describe;
mod one_of;
mod reading;
mod timings;
mod values;
mod words;

use std::ops::RangeInclusive;

use onsale_booking::Span;
use serde::ser::SerializeStruct;
use serde::{Deserializer, Serializer, de};

pub(crate) use self::checks::Checks;
pub use self::describe::{Choice, Key, Kind, Section};
pub(crate) use self::one_of::{OneOf, read_one_of, write_one_of};
pub(crate) use self::reading::{
    KeyAmong, Readable, Writable, missing, read_table, read_value, write_table,
};
pub use self::values::Milli;
pub(crate) use self::values::{Switch, by_serde, name_of, names};
use crate::human::SPAN_MAX;

/// Longest sensible duration of anything in a run.
pub(crate) const DAY: Span = Span::from_secs(24 * 3_600);
/// Any span above zero.
pub(crate) const SOME_TIME: RangeInclusive<Span> = Span(1)..=SPAN_MAX;
/// Zero, or up to a day.
pub(crate) const UP_TO_A_DAY: RangeInclusive<Span> = Span::ZERO..=DAY;

/// A type that a key may have.
pub(crate) trait Value: Sized {
    /// The bounds of its values, within the range of the type.
    type Bounds;

    /// Bounds that allow every value.
    const ANY: Self::Bounds;

    /// The type and its bounds, as shown in schema and reference.
    fn kind(bounds: &Self::Bounds) -> Kind;

    /// Complains about a value out of bounds; `field` is its path in the scenario.
    fn check(&self, _field: &str, _bounds: &Self::Bounds, _checks: &mut Checks) {}

    /// Reads the value of one key.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Writes it so that it reads back as an equal value.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Whether its key is left out when written.
    fn is_left_out(&self) -> bool {
        false
    }

    /// The value of a missing key without a default; `None` if the key is required.
    fn left_out() -> Option<Self> {
        None
    }
}

/// A struct made by [`settings!`].
pub(crate) trait Table: Sized {
    /// The name of the struct in errors.
    const NAME: &'static str;
    /// Its keys, in the order of writing.
    const KEYS: &'static [&'static str];

    fn read_keys<'de, M: de::MapAccess<'de>>(map: M) -> Result<Self, M::Error>;

    fn write_keys<S: SerializeStruct>(&self, keys: &mut S) -> Result<(), S::Error>;

    fn describe() -> Section;

    /// Complains about every value out of bounds; `path` is the table's path in the scenario.
    fn check_keys(&self, path: &str, checks: &mut Checks);
}

/// The path of a key in a table; the path of the whole scenario is empty.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Length of a name as a key, in bytes.
pub(crate) const fn kebab_length(name: &str) -> usize {
    let (mut n, mut length) = (0, name.len());
    while n < name.len() {
        if n > 0 && name.as_bytes()[n].is_ascii_uppercase() {
            length += 1;
        }
        n += 1;
    }
    length
}

/// A field's or a variant's name as a key: `beat_every` is `beat-every`, and `OnSale` is `on-sale`.
pub(crate) const fn kebab<const LENGTH: usize>(name: &str) -> [u8; LENGTH] {
    let mut key = [b'-'; LENGTH];
    let (mut from, mut to) = (0, 0);
    while from < name.len() {
        let letter = name.as_bytes()[from];
        if from > 0 && letter.is_ascii_uppercase() {
            to += 1;
        }
        if letter != b'_' {
            key[to] = letter.to_ascii_lowercase();
        }
        from += 1;
        to += 1;
    }
    key
}

/// Declares the settings of one table, a key a line:
///
/// ```text
/// settings! {
///     /// How a gateway treats requests.
///     pub section Gateway {
///         /// Attempts a request, the first included.
///         tries: u8 = 4, chosen, in 1..=100, unit "attempts";
///         /// Patience with one attempt.
///         try_timeout: Span = Span::from_secs(1), assumed, in SOME_TIME;
///     }
/// }
/// ```
///
/// Behind the default stands what it rests on: `chosen` (a setting of the system), `assumed` (nobody measured it),
/// or `sourced "…"`. Bounds and unit may be left out. A key without a default is a section, an option, or must be
/// written; in a `section` every key can be left out, so that it has a `Default`, in a `table` none has to. What a table
/// that was read has to be is judged by the function behind `=>`, while its place is known.
macro_rules! settings {
    (
        $(#[doc = $about:literal])*
        $(#[derive($($derive:ident),+)])?
        $vis:vis $form:ident $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $ty:ty
                    $(= $default:expr, $basis:ident $($source:literal)?)?
                    $(, in $bounds:expr)?
                    $(, unit $unit:literal)?;
            )*
        } $(=> $judge:ident;)?
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        $(#[derive($($derive),+)])?
        $vis struct $name {
            $($(#[doc = $doc])* pub $field: $ty,)*
        }

        impl $crate::setting::Table for $name {
            const NAME: &'static str = concat!("struct ", stringify!($name));
            const KEYS: &'static [&'static str] = &[$($crate::setting::key_name!($field)),*];

            fn read_keys<'de, M: serde::de::MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
                $(let mut $field: Option<$ty> = None;)*
                while let Some(key) = map.next_key_seed($crate::setting::KeyAmong(Self::KEYS))? {
                    $(if key == $crate::setting::key_name!($field) {
                        $crate::setting::read_value(&mut map, key, &mut $field)?;
                    })*
                }
                let table = Self {$(
                    $field: match $field {
                        Some(value) => value,
                        None => {
                            let key = $crate::setting::key_name!($field);
                            $crate::setting::missing(key, $crate::setting::given!($ty $(, $default)?))?
                        }
                    },
                )*};
                $($judge(&table).map_err($crate::human::Misread::into_serde)?;)?
                Ok(table)
            }

            fn write_keys<S: serde::ser::SerializeStruct>(&self, keys: &mut S) -> Result<(), S::Error> {
                $(if !$crate::setting::Value::is_left_out(&self.$field) {
                    let value = $crate::setting::Writable(&self.$field);
                    keys.serialize_field($crate::setting::key_name!($field), &value)?;
                })*
                Ok(())
            }

            fn describe() -> $crate::setting::Section {
                $crate::setting::Section {
                    doc: concat!($($about),*).trim(),
                    keys: vec![$($crate::setting::Key::new::<$ty>(
                        $crate::setting::key_name!($field),
                        concat!($($doc),*).trim(),
                        &$crate::setting::bounds!($ty $(, $bounds)?),
                        concat!($($unit)?),
                        $crate::setting::given!($ty $(, $default)?),
                        $crate::setting::basis!($($basis $($source)?)?),
                    )),*],
                }
            }

            fn check_keys(&self, path: &str, checks: &mut $crate::setting::Checks) {
                $({
                    let field = $crate::setting::join(path, $crate::setting::key_name!($field));
                    let bounds = $crate::setting::bounds!($ty $(, $bounds)?);
                    $crate::setting::Value::check(&self.$field, &field, &bounds, checks);
                })*
            }
        }

        impl $crate::setting::Value for $name {
            type Bounds = ();

            const ANY: () = ();

            fn kind((): &()) -> $crate::setting::Kind {
                $crate::setting::Kind::Table(<Self as $crate::setting::Table>::describe())
            }

            fn check(&self, field: &str, (): &(), checks: &mut $crate::setting::Checks) {
                $crate::setting::Table::check_keys(self, field, checks);
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::setting::read_table(deserializer)
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::setting::write_table(self, serializer)
            }

            $crate::setting::form!(left_out $form);
        }

        $crate::setting::form!(default $form $name { $($field: $ty $(= $default)?,)* });
    };
}

/// The differences between sections and tables.
macro_rules! form {
    (left_out section) => {
        fn left_out() -> Option<Self> {
            Some(Self::default())
        }
    };
    (left_out table) => {};
    (default section $name:ident { $($field:ident: $ty:ty $(= $default:expr)?,)* }) => {
        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::setting::default!($ty $(, $default)?),)* }
            }
        }
    };
    (default table $name:ident { $($keys:tt)* }) => {};
}

/// A field's or a variant's name as its key is written.
macro_rules! key_name {
    ($name:ident) => {{
        const LENGTH: usize = $crate::setting::kebab_length(stringify!($name));
        const KEY: [u8; LENGTH] = $crate::setting::kebab(stringify!($name));
        match str::from_utf8(&KEY) {
            Ok(key) => key,
            Err(_) => panic!("a name is ASCII"),
        }
    }};
}

/// The value of a key in a table's `Default`.
macro_rules! default {
    ($ty:ty, $default:expr) => {
        $default
    };
    ($ty:ty) => {
        <$ty>::default()
    };
}

/// The default declared at a key, if there is one.
macro_rules! given {
    ($ty:ty, $default:expr) => {
        Some::<$ty>($default)
    };
    ($ty:ty) => {
        None::<$ty>
    };
}

macro_rules! bounds {
    ($ty:ty) => {
        <$ty as $crate::setting::Value>::ANY
    };
    ($ty:ty, $bounds:expr) => {{
        let bounds: <$ty as $crate::setting::Value>::Bounds = $bounds;
        bounds
    }};
}

macro_rules! basis {
    () => {
        $crate::basis::Basis::Chosen
    };
    (chosen) => {
        $crate::basis::Basis::Chosen
    };
    (assumed) => {
        $crate::basis::Basis::Assumed
    };
    (sourced $source:literal) => {
        $crate::basis::Basis::Sourced($source)
    };
}

/// Declares an enum that is written as a table with one key, its shape, and the shapes' keys:
///
/// ```text
/// shapes! {
///     /// When people come.
///     pub enum Arrivals in shapes: "write one of `constant` and `ramp`" {
///         /// The same rate for this long.
///         Constant {
///             /// From the start.
///             over: Span, in SOME_TIME;
///         }
///     }
/// }
/// ```
///
/// The module behind `in` holds a table a shape; the text is the way out for a table without one key.
macro_rules! shapes {
    (
        $(#[doc = $about:literal])*
        $vis:vis enum $name:ident in $shapes:ident: $help:literal {
            $(
                $(#[doc = $shape_doc:literal])*
                $shape:ident {
                    $(
                        $(#[doc = $doc:literal])*
                        $field:ident: $ty:ty
                            $(= $default:expr, $basis:ident $($source:literal)?)?
                            $(, in $bounds:expr)?
                            $(, unit $unit:literal)?;
                    )*
                } $(=> $judge:ident;)?
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $name {
            $(
                $(#[doc = $shape_doc])*
                $shape {
                    $($(#[doc = $doc])* $field: $ty,)*
                },
            )*
        }

        mod $shapes {
            use super::*;

            $($crate::setting::settings! {
                $(#[doc = $shape_doc])*
                pub(super) table $shape {
                    $(
                        $(#[doc = $doc])*
                        $field: $ty
                            $(= $default, $basis $($source)?)?
                            $(, in $bounds)?
                            $(, unit $unit)?;
                    )*
                } $(=> $judge;)?
            })*
        }

        impl $crate::setting::OneOf for $name {
            const NAMES: &'static [&'static str] = &[$($crate::setting::key_name!($shape)),*];
            const HELP: &'static str = $help;

            fn read_shape<'de, M: serde::de::MapAccess<'de>>(
                name: &str,
                map: &mut M,
            ) -> Result<Self, M::Error> {
                $(if name == $crate::setting::key_name!($shape) {
                    let shape: $crate::setting::Readable<$shapes::$shape> = map.next_value()?;
                    let $shapes::$shape { $($field),* } = shape.0;
                    return Ok(Self::$shape { $($field),* });
                })*
                Err(serde::de::Error::unknown_variant(name, Self::NAMES))
            }

            fn write_shape<S: serde::ser::SerializeMap>(&self, map: &mut S) -> Result<(), S::Error> {
                match self.clone() {$(
                    Self::$shape { $($field),* } => {
                        let shape = $shapes::$shape { $($field),* };
                        let name = $crate::setting::key_name!($shape);
                        map.serialize_entry(name, &$crate::setting::Writable(&shape))
                    }
                )*}
            }
        }

        impl $crate::setting::Value for $name {
            type Bounds = ();

            const ANY: () = ();

            fn kind((): &()) -> $crate::setting::Kind {
                $crate::setting::Kind::OneOf(vec![$((
                    $crate::setting::key_name!($shape),
                    <$shapes::$shape as $crate::setting::Table>::describe(),
                )),*])
            }

            fn check(&self, field: &str, (): &(), checks: &mut $crate::setting::Checks) {
                match self.clone() {$(
                    Self::$shape { $($field),* } => {
                        let path = $crate::setting::join(field, $crate::setting::key_name!($shape));
                        let shape = $shapes::$shape { $($field),* };
                        $crate::setting::Table::check_keys(&shape, &path, checks);
                    }
                )*}
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::setting::read_one_of(deserializer)
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::setting::write_one_of(self, serializer)
            }
        }
    };
}

pub(crate) use {basis, bounds, default, form, given, key_name, settings, shapes};
