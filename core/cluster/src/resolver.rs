//! The split-brain resolver: on which side of a split a node is.
//!
//! Owns the quorum of nodes, how long a state has to last before it is judged, and which shards this node serves
//! clients. Refuses to know shards and journals: its verdict makes a minority answer clearly and fast, and tells a
//! majority which members to declare down. Only the journal's quorum decides whether a writer may write.

use onsale_booking::{Instant, Span};

use crate::config::{Config, OnSuspicion};

/// The shards for which a node serves clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// All shards.
    All,
    /// Shards with a quorum of replicas that it hears: it is on the smaller side of a split.
    InSight,
    /// No shard: the others have declared it down, and may not hear it.
    Nothing,
}

/// One node's judgement of its side.
#[derive(Clone, Debug)]
pub struct Resolver {
    quorum: u16,
    /// Whether the quorum is a majority of the cluster's members.
    follows: bool,
    stable_after: Span,
    /// Whether a quorum was seen at the last look, and since when that has been so.
    sees_quorum: bool,
    since: Instant,
    /// Whether it has seen fewer for long enough.
    is_minority: bool,
    /// Whether the others have declared it down, and none has admitted it since.
    is_given_up: bool,
}

impl Resolver {
    /// A node that sees all `nodes` nodes of its cluster. Where silent nodes are struck off the members, each side of a
    /// split is a quorum of the members that are left, and so is a node alone.
    pub fn new(config: &Config, nodes: u16, now: Instant) -> Self {
        let fixed = match config.on_suspicion {
            OnSuspicion::Elect => config.membership.quorum,
            OnSuspicion::Down => Some(1),
        };
        Self {
            quorum: fixed.unwrap_or_else(|| majority(nodes)),
            follows: fixed.is_none(),
            stable_after: config.membership.stable_after,
            sees_quorum: true,
            since: now,
            is_minority: false,
            is_given_up: false,
        }
    }

    /// Sets the number of nodes in the cluster.
    pub fn on_nodes(&mut self, nodes: u16) {
        if self.follows {
            self.quorum = majority(nodes);
        }
    }

    /// Judges a look at `now`: `seen` nodes are heard, and `agree` have the same view, this one included. To be called
    /// at a steady pace. A node that was in the minority has missed how the others judged it, so it waits until a
    /// quorum agrees with it again.
    pub fn look(&mut self, seen: u16, agree: impl FnOnce() -> u16, now: Instant) {
        let sees_quorum = seen >= self.quorum;
        if std::mem::replace(&mut self.sees_quorum, sees_quorum) != sees_quorum {
            self.since = now;
        }
        self.is_minority = if sees_quorum {
            self.is_minority && agree() < self.quorum
        } else {
            self.is_minority || now >= self.since + self.stable_after
        };
    }

    /// This node stood still until `now`, and does not know what it would have seen.
    pub fn excuse(&mut self, now: Instant) {
        self.since = now;
    }

    /// The others have declared this node down.
    pub fn on_given_up(&mut self) {
        self.is_given_up = true;
    }

    /// A node that sees a quorum has admitted this node.
    pub fn on_admitted(&mut self) {
        self.is_given_up = false;
    }

    /// Whether a quorum was seen at the last look.
    pub fn sees_quorum(&self) -> bool {
        self.sees_quorum
    }

    /// Whether to declare down a member that has been suspect since `suspect_since`. A node that has just come back to
    /// a quorum suspects the members that it finds there, until they have refuted it.
    pub fn gives_up(&self, suspect_since: Instant, now: Instant) -> bool {
        self.sees_quorum && now >= suspect_since.max(self.since) + self.stable_after
    }

    /// The shards for which this node serves clients.
    pub fn service(&self) -> Service {
        match (self.is_given_up, self.is_minority) {
            (true, _) => Service::Nothing,
            (false, true) => Service::InSight,
            (false, false) => Service::All,
        }
    }
}

fn majority(nodes: u16) -> u16 {
    nodes / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MembershipConfig;

    const STABLE: Span = Span(100);

    fn resolver(on_suspicion: OnSuspicion) -> Resolver {
        let membership = MembershipConfig { quorum: None, stable_after: STABLE };
        Resolver::new(&Config { on_suspicion, membership, ..Config::example() }, 5, Instant::ZERO)
    }

    #[test]
    fn too_few_for_long_enough_is_a_minority_until_a_quorum_agrees() {
        let mut resolver = resolver(OnSuspicion::Elect);
        // (seen, agree, at, sees a quorum, serves)
        let table = [
            (5, 1, 0, true, true),
            (2, 2, 10, false, true),
            (3, 2, 100, true, true),
            (2, 2, 110, false, true),
            (1, 1, 209, false, true),
            (2, 2, 210, false, false),
            (2, 2, 900, false, false),
            (3, 2, 901, true, false),
            (3, 3, 902, true, true),
            (1, 1, 903, false, true),
        ];
        for (seen, agree, at, sees, serves) in table {
            resolver.look(seen, || agree, Instant(at));
            let service = if serves { Service::All } else { Service::InSight };
            assert_eq!((resolver.sees_quorum(), resolver.service()), (sees, service), "at {at}");
        }
    }

    #[test]
    fn only_a_node_that_sees_a_quorum_declares_members_down_and_not_too_soon() {
        let mut resolver = resolver(OnSuspicion::Elect);
        resolver.look(3, || 3, Instant(50));
        assert!(!resolver.gives_up(Instant(0), Instant(99)));
        assert!(resolver.gives_up(Instant(0), Instant(100)));
        resolver.look(2, || 2, Instant(101));
        assert!(!resolver.gives_up(Instant(0), Instant(101)));
        resolver.look(3, || 2, Instant(500));
        assert!(!resolver.gives_up(Instant(0), Instant(599)), "it is back for too short a time");
        assert!(resolver.gives_up(Instant(0), Instant(600)));
    }

    #[test]
    fn a_node_that_stood_still_starts_its_judgement_over() {
        let mut resolver = resolver(OnSuspicion::Elect);
        resolver.look(1, || 1, Instant(0));
        resolver.excuse(Instant(5_000));
        resolver.look(1, || 1, Instant(5_099));
        assert_eq!(resolver.service(), Service::All);
        resolver.look(1, || 1, Instant(5_100));
        assert_eq!(resolver.service(), Service::InSight);
    }

    #[test]
    fn a_node_that_was_declared_down_serves_once_it_is_admitted() {
        let mut resolver = resolver(OnSuspicion::Elect);
        resolver.on_given_up();
        resolver.look(5, || 5, Instant(1));
        assert_eq!(resolver.service(), Service::Nothing, "a quorum seen is no admission");
        resolver.on_admitted();
        assert_eq!(resolver.service(), Service::All);
    }

    #[test]
    fn a_quorum_follows_the_cluster_unless_it_is_fixed() {
        for (quorum, of_three) in [(None, true), (Some(3), false)] {
            let membership = MembershipConfig { quorum, stable_after: STABLE };
            let config = Config { membership, ..Config::example() };
            let mut resolver = Resolver::new(&config, 5, Instant::ZERO);
            resolver.look(2, || 2, Instant(1));
            assert!(!resolver.sees_quorum(), "two of five");
            resolver.on_nodes(3);
            resolver.look(2, || 2, Instant(2));
            assert_eq!(resolver.sees_quorum(), of_three, "{quorum:?}, two of three");
        }
    }

    #[test]
    fn with_auto_down_every_node_is_a_majority_of_itself() {
        let mut resolver = resolver(OnSuspicion::Down);
        resolver.look(1, || 1, Instant(0));
        resolver.look(1, || 1, Instant(1_000_000));
        assert!(resolver.service() == Service::All && resolver.sees_quorum());
    }
}
