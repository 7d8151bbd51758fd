//! `[facts]` and `[cluster.facts]`: what is played where, when and for how much.
//!
//! Owns the settings of the facts' replication, and of those who read and change them. Refuses to know how facts are
//! kept.

use onsale_booking::Span;
use onsale_cluster::{Forgets, Sessions};

use crate::setting::{SOME_TIME, UP_TO_A_DAY, settings};

settings! {
    /// How a cluster keeps facts.
    pub section FactsSettings {
        /// Peers that are told of news, and asked in a round of repair.
        fanout: u16 = 3, chosen, in 1..=99, unit "peers";
        /// From one round of repair to the next while a peer may lack something.
        repair_every: Span = Span::from_secs(1), chosen, in SOME_TIME;
        /// How far a stamp may be ahead of a node's clock and still be taken.
        accepted_drift: Span = Span::from_secs(10), chosen, in SOME_TIME;
        /// How long a deletion is remembered.
        deletions_last: Span = Span::from_secs(600), chosen, in UP_TO_A_DAY;
        /// How long a question waits for a node to fetch what the session has seen.
        patience: Span = Span::from_millis(500), chosen, in SOME_TIME;
        /// What a session's token is good for.
        sessions: Sessions = Sessions::Monotonic, chosen;
        /// How deletions are forgotten.
        forgets: Forgets = Forgets::AndTells, chosen;
    }
}

// Small enough to be looked at as a whole, with changes often enough to meet every fault.
settings! {
    /// Who reads and changes facts: what is played, and for how much. Left out, nobody does.
    pub section Facts {
        /// Events there are from the beginning, with venues, performers, shows and prices.
        events: u32 = 20, chosen, in 1..=800, unit "events";
        /// Administrators, who take turns to change something.
        admins: u16 = 3, chosen, in 1..=1_000, unit "people";
        /// Changes that they make altogether.
        changes_per_minute: u32 = 60, assumed, in 0..=60_000, unit "changes a minute";
        /// When administrators and visitors begin; before `until`.
        from: Span = Span::from_secs(5), chosen;
        /// When the last of them begins something; at most `duration`.
        until: Span = Span::from_secs(240), chosen;
        /// People who look around, evenly over that time.
        visitors: u32 = 500, chosen, in 0..=1_000_000, unit "people";
        /// How often each of them looks at an event.
        reads: u32 = 6, assumed, in 1..=1_000, unit "looks";
        /// How soon after the last fault all nodes agree.
        agree_within: Span = Span::from_secs(10), chosen, in SOME_TIME;
    }
}
