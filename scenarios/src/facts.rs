//! What a scenario says about facts: what is played where, when and for how much.
//!
//! Owns the settings of their replication, and who reads and changes them. Refuses to know how
//! they are kept.

use onsale_booking::Span;
use onsale_cluster::{Forgets, Sessions};
use serde::{Deserialize, Serialize};

use crate::human;

/// How a cluster keeps facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FactsSettings {
    /// So many peers are told of news, and asked in a round of repair.
    pub fanout: u16,
    /// Pace of rounds of repair while a peer may lack something.
    #[serde(with = "human::span")]
    pub repair_every: Span,
    /// Stamps further ahead of a node's clock than this are not taken.
    #[serde(with = "human::span")]
    pub accepted_drift: Span,
    /// How long a deletion is remembered.
    #[serde(with = "human::span")]
    pub deletions_last: Span,
    /// How long a question waits for a node to fetch what the session has seen.
    #[serde(with = "human::span")]
    pub patience: Span,
    /// What a session's token is good for.
    pub sessions: Sessions,
    /// How deletions are forgotten.
    pub forgets: Forgets,
}

/// Who reads and changes facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Facts {
    /// How many events there are from the beginning, with venues, performers, shows and prices.
    pub events: u32,
    /// Administrators, who take turns to change something.
    pub admins: u16,
    /// How many changes they make a minute.
    pub changes_per_minute: u32,
    /// When they and the visitors begin.
    #[serde(with = "human::span")]
    pub from: Span,
    /// When the last of them begins something.
    #[serde(with = "human::span")]
    pub until: Span,
    /// How many people look around, evenly over that time.
    pub visitors: u32,
    /// How often each of them looks at an event.
    pub reads: u32,
    /// After the last fault, all nodes agree within this.
    #[serde(with = "human::span")]
    pub agree_within: Span,
}
