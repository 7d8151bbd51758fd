//! JSON for people and programs.
//!
//! Owns its form: indented, with a newline at its end, seeds as strings, and without control sequences for
//! terminals. Refuses to know the content.

use serde::Serialize;

use crate::plain;

/// The text of a document, its keys in the order of its fields.
///
/// # Panics
///
/// If it is not plain data: a map's key is not a string, or a field refuses to be serialized.
pub fn pretty(document: &impl Serialize) -> String {
    let mut json = serde_json::to_string_pretty(document).expect("a document is plain data");
    json.push('\n');
    plain::json(&json).into_owned()
}

/// The same on one line, with a newline at its end.
///
/// # Panics
///
/// As [`pretty`].
pub fn line(document: &impl Serialize) -> String {
    let mut json = serde_json::to_string(document).expect("a document is plain data");
    json.push('\n');
    plain::json(&json).into_owned()
}

/// Seeds in JSON: as strings, because most programs that read JSON (`jq`, JavaScript) round numbers above 2⁵³.
/// Numbers are read as well: seeds were numbers in the first format.
///
/// For `#[serde(with = "seed")]`.
pub mod seed {
    use std::fmt;

    use serde::de::{Deserializer, Error, Visitor};
    use serde::{Deserialize, Serialize, Serializer};

    /// A seed to serialize or deserialize.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Seed(pub u64);

    /// Writes a seed.
    ///
    /// # Errors
    /// If the serializer fails.
    pub fn serialize<S: Serializer>(seed: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(seed)
    }

    /// Reads a seed.
    ///
    /// # Errors
    /// If it is not a whole number from 0 to 2⁶⁴ − 1.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(Reading)
    }

    impl Serialize for Seed {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serialize(&self.0, serializer)
        }
    }

    impl<'de> Deserialize<'de> for Seed {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserialize(deserializer).map(Self)
        }
    }

    struct Reading;

    impl Visitor<'_> for Reading {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a seed: a whole number from 0 to {}, in quotes", u64::MAX)
        }

        fn visit_u64<E: Error>(self, seed: u64) -> Result<u64, E> {
            Ok(seed)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let seed = digits.then(|| text.parse().ok()).flatten();
            seed.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }
    }
}

/// Named seeds in JSON, each as a string. For `#[serde(with = "seeds")]`.
pub mod seeds {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::seed::Seed;

    /// Writes seeds by their names.
    ///
    /// # Errors
    /// If the serializer fails.
    pub fn serialize<S: Serializer>(
        seeds: &BTreeMap<String, u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(seeds.iter().map(|(name, &seed)| (name, Seed(seed))))
    }

    /// Reads seeds by their names.
    ///
    /// # Errors
    /// If one is not a seed.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, u64>, D::Error> {
        let seeds = BTreeMap::<String, Seed>::deserialize(deserializer)?;
        Ok(seeds.into_iter().map(|(name, Seed(seed))| (name, seed)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Seeded {
        #[serde(with = "super::seed")]
        seed: u64,
        #[serde(with = "super::seeds")]
        streams: BTreeMap<String, u64>,
    }

    #[test]
    fn seeds_are_text_and_are_read_as_numbers_too() {
        let told = Seeded { seed: u64::MAX, streams: [("room".to_owned(), u64::MAX - 1)].into() };
        let json = serde_json::to_string(&told).unwrap();
        let text = r#"{"seed":"18446744073709551615","streams":{"room":"18446744073709551614"}}"#;
        assert_eq!(json, text);
        assert_eq!(serde_json::from_str::<Seeded>(text).unwrap(), told);
        let numbers = text.replace(":\"", ":").replace("\",", ",").replace("\"}", "}");
        assert_eq!(serde_json::from_str::<Seeded>(&numbers).unwrap(), told, "{numbers}");
    }

    #[test]
    fn what_is_no_seed_is_refused() {
        for seed in ["\"\"", "\"+1\"", "\"0x7\"", "-1", "1.5", "\"18446744073709551616\"", "null"] {
            let text = format!("{{\"seed\":{seed},\"streams\":{{}}}}");
            let error = serde_json::from_str::<Seeded>(&text).expect_err(seed).to_string();
            assert!(error.contains("a whole number from 0 to "), "{seed}: {error}");
        }
    }
}
