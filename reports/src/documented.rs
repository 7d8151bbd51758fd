//! Fields and columns with their meaning, documented where they are declared.
//!
//! Owns the macro and the description, from which the reference is made. Refuses to know any field.

/// A field of a JSON document, or a column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name as it is written.
    pub name: &'static str,
    /// Its meaning.
    pub doc: &'static str,
}

/// Declares a struct that is written as JSON, and lists its fields with their docs as `FIELDS`.
macro_rules! documented {
    (
        $(#[doc = $about:literal])*
        #[derive($($derive:ident),* $(,)?)]
        $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $(
                $(#[doc = $doc:literal])*
                $(#[serde($($serde:tt)*)])*
                $field_vis:vis $field:ident: $ty:ty,
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive($($derive),*)]
        $vis struct $name $(<$life>)? {
            $(
                $(#[doc = $doc])*
                $(#[serde($($serde)*)])*
                $field_vis $field: $ty,
            )*
        }

        impl $(<$life>)? $name $(<$life>)? {
            /// Its fields, in the order in which they are written.
            pub(crate) const FIELDS: &'static [$crate::documented::Field] = &[
                $($crate::documented::Field {
                    name: stringify!($field),
                    doc: concat!($($doc),*).trim_ascii(),
                },)*
            ];
        }
    };
}
pub(crate) use documented;
