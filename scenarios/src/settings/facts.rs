//! `[facts]` and `[cluster.facts]`: events, venues, performers, shows and prices.
//!
//! Owns the settings of the replication of facts, and of the people who read and change them. Refuses to know how facts
//! are kept.

use onsale_booking::Span;
use onsale_cluster::{Forgets, Sessions};

use crate::setting::{SOME_TIME, UP_TO_A_DAY, settings};

settings! {
    /// How nodes replicate facts.
    pub section FactsSettings {
        /// Peers to which a node sends changes, and which it asks in a repair round.
        fanout: u16 = 3, chosen, in 1..=99, unit "peers";
        /// Interval between repair rounds while a peer may lack facts.
        repair_every: Span = Span::from_secs(1), chosen, in SOME_TIME;
        /// How far a timestamp may be ahead of a node's clock and still be accepted.
        accepted_drift: Span = Span::from_secs(10), chosen, in SOME_TIME;
        /// Lifetime of a tombstone.
        deletions_last: Span = Span::from_secs(600), chosen, in UP_TO_A_DAY;
        /// How long a question waits while the node fetches the facts that the session has seen.
        patience: Span = Span::from_millis(500), chosen, in SOME_TIME;
        /// What the token of a session guarantees.
        sessions: Sessions = Sessions::Monotonic, chosen;
        /// How tombstones are dropped.
        forgets: Forgets = Forgets::AndTells, chosen;
    }
}

// Few enough events to compare all of them, and changes often enough to meet every fault.
settings! {
    /// The people who read and change facts (shows and prices); by default there are none.
    pub section Facts {
        /// Events at the start, with their venues, performers, shows and prices.
        events: u32 = 20, chosen, in 1..=800, unit "events";
        /// Administrators, who take turns in changing facts.
        admins: u16 = 3, chosen, in 1..=1_000, unit "people";
        /// Changes a minute of all administrators together.
        changes_per_minute: u32 = 60, assumed, in 0..=60_000, unit "changes a minute";
        /// When administrators and visitors begin; before `until`.
        from: Span = Span::from_secs(5), chosen;
        /// When the last of them begins an action; at most `duration`.
        until: Span = Span::from_secs(240), chosen;
        /// Visitors, who read facts; they come evenly over that time.
        visitors: u32 = 500, chosen, in 0..=1_000_000, unit "people";
        /// Number of times that each visitor looks at an event.
        reads: u32 = 6, assumed, in 1..=1_000, unit "looks";
        /// Bound after the last fault within which all nodes agree.
        agree_within: Span = Span::from_secs(10), chosen, in SOME_TIME;
    }
}
