//! Declarations of fault groups and families: each once, a family with its keys, their bounds and docs.
//!
//! Owns the code made from a declaration: the enums, reading, writing and description of faults. Refuses to know any
//! group or family.

use onsale_booking::Span;

use super::{Family, Fault};
use crate::setting::{Checks, Kind, Section};

/// Properties of a fault that follow from the declaration of its family.
pub(super) trait Declared {
    /// The family.
    fn family(&self) -> Family;

    /// The key of the duration: `lasts`, or `down` for a downtime.
    fn length_key(&self) -> &'static str;

    /// The part of the duration that passes before the span of that key.
    fn before(&self) -> Span;

    /// Complains about every key out of bounds; `path` is its table's path in the scenario.
    fn check_keys(&self, fault: &Fault, path: &str, checks: &mut Checks);
}

/// The description of a table.
pub(super) fn section(kind: Kind) -> Section {
    let Kind::Table(section) = kind else { panic!("the keys of a fault are a table") };
    section
}

/// Declares the groups: one variant each, with the enum of its families, which [`faults!`] declares.
macro_rules! groups {
    (
        $(#[doc = $about:literal])*
        pub enum $What:ident {
            $($(#[doc = $doc:literal])* $Name:ident($Group:ident),)*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $What {
            $($(#[doc = $doc])* $Name($Group),)*
        }

        impl $What {
            fn group(&self) -> &dyn Group {
                match self {
                    $(Self::$Name(fault) => fault,)*
                }
            }

            fn group_mut(&mut self) -> &mut dyn Group {
                match self {
                    $(Self::$Name(fault) => fault,)*
                }
            }

            /// Reads the table of a fault, if a group has its family.
            fn read<'de, M: serde::de::MapAccess<'de>>(
                family: &str,
                map: &mut M,
            ) -> Result<Option<Fault>, M::Error> {
                $(if let Some(fault) = $Group::read(family, map)? {
                    return Ok(Some(fault));
                })*
                Ok(None)
            }

            /// Writes the family and its table.
            fn write<S: serde::ser::SerializeMap>(
                &self,
                fault: &Fault,
                map: &mut S,
            ) -> Result<(), S::Error> {
                match self {
                    $(Self::$Name(what) => what.write(fault, map),)*
                }
            }

            /// Every family of every group, and its table.
            fn describe() -> Vec<(&'static str, $crate::setting::Section)> {
                [$($Group::describe()),*].concat()
            }
        }

        $(impl From<$Group> for $What {
            fn from(fault: $Group) -> Self {
                Self::$Name(fault)
            }
        })*
    };
}
pub(super) use groups;

/// Declares the families of one group:
///
/// ```text
/// faults! {
///     /// A fault of processes.
///     pub enum ProcessFault in process_keys {
///         /// The process stands still and then goes on, unaware of the pause.
///         Pause for lasts {
///             /// The node.
///             node: Target;
///         }
///     }
/// }
/// ```
///
/// Every family also has the keys `at` and `when`, and the key named after `for`: `lasts` or `down`. `after` names a key
/// whose span passes before it. A family whose keys are not its fields has a table of its own, in the module named after `in`.
/// Keys are written as in `settings!`.
macro_rules! faults {
    (
        $(#[doc = $about:literal])*
        pub enum $Group:ident in $keys:ident {
            $(
                $(#[doc = $doc:literal])*
                $Family:ident for $length:ident $(after $before:ident)? $(in $own:ident)? {
                    $(
                        $(#[doc = $key_doc:literal])*
                        $key:ident: $ty:ty
                            $(= $default:expr, $basis:ident $($source:literal)?)?
                            $(, in $bounds:expr)?
                            $(, unit $unit:literal)?;
                    )*
                }
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $Group {
            $(
                $(#[doc = $doc])*
                $Family {
                    $($(#[doc = $key_doc])* $key: $ty,)*
                },
            )*
        }

        mod $keys {
            use super::*;

            $($crate::fault::declare::table! { ($(in $own)?) $length $(#[doc = $doc])* $Family {
                $(
                    $(#[doc = $key_doc])*
                    $key: $ty
                        $(= $default, $basis $($source)?)?
                        $(, in $bounds)?
                        $(, unit $unit)?;
                )*
            } })*
        }

        impl $Group {
            /// Reads the table of a fault, if its family is one of these.
            pub(super) fn read<'de, M: serde::de::MapAccess<'de>>(
                family: &str,
                map: &mut M,
            ) -> Result<Option<Fault>, M::Error> {
                $(if family == $crate::setting::key_name!($Family) {
                    let table: $crate::setting::Readable<$keys::$Family> = map.next_value()?;
                    let $keys::$Family { at, when, $length, $($key),* } = table.0;
                    let lasts = $length $(+ $before)?;
                    let what = Self::$Family { $($key),* };
                    return Ok(Some(Fault { when, ..Fault::new(at, lasts, what) }));
                })*
                Ok(None)
            }

            /// Writes the family and its table.
            pub(super) fn write<S: serde::ser::SerializeMap>(
                &self,
                fault: &Fault,
                map: &mut S,
            ) -> Result<(), S::Error> {
                let (at, when, lasts) = (fault.at, fault.when, fault.lasts);
                match self.clone() {$(
                    Self::$Family { $($key),* } => {
                        let $length = Span(lasts.0 $(.saturating_sub($before.0))?);
                        let table = $keys::$Family { at, when, $length, $($key),* };
                        let family = $crate::setting::key_name!($Family);
                        map.serialize_entry(family, &$crate::setting::Writable(&table))
                    }
                )*}
            }

            /// Every family, and its table.
            pub(super) fn describe() -> Vec<(&'static str, $crate::setting::Section)> {
                vec![$((
                    $crate::setting::key_name!($Family),
                    $crate::fault::declare::section(<$keys::$Family as $crate::setting::Value>::kind(&())),
                )),*]
            }
        }

        impl $crate::fault::declare::Declared for $Group {
            fn family(&self) -> Family {
                match self {$(
                    Self::$Family { .. } => Family::$Family,
                )*}
            }

            fn length_key(&self) -> &'static str {
                match self {$(
                    Self::$Family { .. } => stringify!($length),
                )*}
            }

            fn before(&self) -> Span {
                match self {$(
                    Self::$Family { $($before,)? .. } => Span::ZERO $(+ *$before)?,
                )*}
            }

            fn check_keys(&self, fault: &Fault, path: &str, checks: &mut Checks) {
                let (at, when, lasts) = (fault.at, fault.when, fault.lasts);
                match self.clone() {$(
                    Self::$Family { $($key),* } => {
                        let $length = Span(lasts.0 $(.saturating_sub($before.0))?);
                        let table = $keys::$Family { at, when, $length, $($key),* };
                        $crate::setting::Value::check(&table, path, &(), checks);
                    }
                )*}
            }
        }
    };
}
pub(super) use faults;

/// The keys of one family, with those that every family has.
macro_rules! table {
    ((in $own:ident) $length:ident $(#[doc = $doc:literal])* $Family:ident { $($keys:tt)* }) => {
        pub(super) use crate::fault::$own::$Family;
    };
    (() down $(#[doc = $doc:literal])* $Family:ident { $($keys:tt)* }) => {
        $crate::setting::settings! {
            $(#[doc = $doc])*
            pub(super) table $Family {
                /// Instant at which it strikes, or begins to wait, from the start of the run.
                at: Span;
                /// The moment that it waits for; default: none.
                when: Option<$crate::fault::When>;
                $($keys)*
                /// How long it stays down.
                down: Span, in $crate::setting::SOME_TIME;
            }
        }
    };
    (() lasts $(#[doc = $doc:literal])* $Family:ident { $($keys:tt)* }) => {
        $crate::setting::settings! {
            $(#[doc = $doc])*
            pub(super) table $Family {
                /// Instant at which it strikes, or begins to wait, from the start of the run.
                at: Span;
                /// The moment that it waits for; default: none.
                when: Option<$crate::fault::When>;
                /// Its duration.
                lasts: Span, in $crate::setting::SOME_TIME;
                $($keys)*
            }
        }
    };
}
pub(super) use table;
