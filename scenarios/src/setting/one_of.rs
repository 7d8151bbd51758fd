//! Tables with exactly one key, which selects the shape of the rest: a fault, the arrivals.
//!
//! Owns how they are read and written. Refuses to know any shape.

use std::fmt;
use std::marker::PhantomData;

use serde::ser::SerializeMap;
use serde::{Deserializer, Serializer, de};

use crate::human::Misread;

/// An enum that is written as a table with one key.
pub(crate) trait OneOf: Sized {
    /// The keys.
    const NAMES: &'static [&'static str];
    /// The advice for a table with none of them, or several.
    const HELP: &'static str;

    /// Reads the value of the key.
    fn read_shape<'de, M: de::MapAccess<'de>>(name: &str, map: &mut M) -> Result<Self, M::Error>;

    /// Writes the key and its value.
    fn write_shape<S: SerializeMap>(&self, map: &mut S) -> Result<(), S::Error>;
}

pub(crate) fn read_one_of<'de, T: OneOf, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_map(OneOfVisitor(PhantomData))
}

pub(crate) fn write_one_of<T: OneOf, S: Serializer>(
    shape: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    shape.write_shape(&mut map)?;
    map.end()
}

struct OneOfVisitor<T>(PhantomData<T>);

impl<'de, T: OneOf> de::Visitor<'de> for OneOfVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table with one key")
    }

    fn visit_map<M: de::MapAccess<'de>>(self, mut map: M) -> Result<T, M::Error> {
        let one_key = || Misread::new("one key belongs here", T::HELP).into_serde();
        let Some(name) = map.next_key_seed(NameAmong(T::NAMES))? else { return Err(one_key()) };
        let shape = T::read_shape(name, &mut map)?;
        match map.next_key::<String>()? {
            None => Ok(shape),
            Some(_) => Err(one_key()),
        }
    }
}

/// Reads the one key. An unknown name is refused at its position.
struct NameAmong(&'static [&'static str]);

impl<'de> de::DeserializeSeed<'de> for NameAmong {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl de::Visitor<'_> for NameAmong {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<&'static str, E> {
        let known = self.0.iter().find(|known| **known == name);
        known.copied().ok_or_else(|| E::unknown_variant(name, self.0))
    }
}
