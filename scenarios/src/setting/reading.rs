//! Reading and writing of tables of settings with serde.
//!
//! Owns the common part: unknown, repeated and missing keys are reported as serde's derived code reports them,
//! so that their positions are known. Refuses to know any key.

use std::fmt;
use std::marker::PhantomData;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Table, Value};

/// A value as serde reads it.
#[derive(Debug)]
pub(crate) struct Readable<T>(pub(crate) T);

impl<'de, T: Value> Deserialize<'de> for Readable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// A value as serde writes it.
#[derive(Debug)]
pub(crate) struct Writable<'a, T>(pub(crate) &'a T);

impl<T: Value> Serialize for Writable<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Reads a key that must be one of these. An unknown key is refused at its position.
pub(crate) struct KeyAmong(pub(crate) &'static [&'static str]);

impl<'de> de::DeserializeSeed<'de> for KeyAmong {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl de::Visitor<'_> for KeyAmong {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<&'static str, E> {
        let known = self.0.iter().find(|known| **known == key);
        known.copied().ok_or_else(|| E::unknown_field(key, self.0))
    }
}

/// Reads the value of a key that may occur once.
pub(crate) fn read_value<'de, T: Value, M: de::MapAccess<'de>>(
    map: &mut M,
    key: &'static str,
    value: &mut Option<T>,
) -> Result<(), M::Error> {
    if value.is_some() {
        return Err(de::Error::duplicate_field(key));
    }
    *value = Some(map.next_value::<Readable<T>>()?.0);
    Ok(())
}

/// The value of a missing key.
pub(crate) fn missing<T: Value, E: de::Error>(
    key: &'static str,
    default: Option<T>,
) -> Result<T, E> {
    default.or_else(T::left_out).ok_or_else(|| E::missing_field(key))
}

pub(crate) fn read_table<'de, T: Table, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_struct(T::NAME, T::KEYS, TableVisitor(PhantomData))
}

pub(crate) fn write_table<T: Table, S: Serializer>(
    table: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut keys = serializer.serialize_struct(T::NAME, T::KEYS.len())?;
    table.write_keys(&mut keys)?;
    keys.end()
}

struct TableVisitor<T>(PhantomData<T>);

impl<'de, T: Table> de::Visitor<'de> for TableVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::NAME)
    }

    fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::read_keys(map)
    }
}
