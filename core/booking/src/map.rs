//! Hash maps whose layout does not depend on the process.
//!
//! For lookups only: the `iter_over_hash_type` lint refuses iteration. Data to be iterated belong in a `BTreeMap` or a
//! `Vec`.

/// A hash map with a fixed hasher.
pub type FixedMap<K, V> = rustc_hash::FxHashMap<K, V>;
/// A hash set with a fixed hasher.
pub type FixedSet<K> = rustc_hash::FxHashSet<K>;
