//! Settings with a few named values.
//!
//! Owns the one way to declare them, so that a page of settings can list the values and their meanings. Refuses to know
//! any setting.

/// Declares a setting: an enum whose first value is its default. Each value has a name in kebab-case, and its doc is
/// its meaning.
#[macro_export]
macro_rules! choices {
    (
        $(#[doc = $about:literal])*
        pub enum $name:ident {
            $($(#[doc = $doc:literal])* $value:ident,)*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[doc = $doc])* $value,)*
        }

        impl $name {
            /// Every value; the first is the default.
            pub const ALL: &[Self] = &[$(Self::$value),*];

            /// The meaning of the value, in a sentence or two.
            pub const fn meaning(self) -> &'static str {
                match self {$(Self::$value => concat!($($doc),*).trim_ascii(),)*}
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0]
            }
        }
    };
}
