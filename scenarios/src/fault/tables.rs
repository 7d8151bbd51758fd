//! The families of faults as a file has them: one key, the family, with a table of all its keys.
//!
//! Owns every key of every family, with its bounds and a line of doc. Refuses to know rules between two keys, and how a
//! fault strikes.

use std::ops::RangeInclusive;

use onsale_booking::Span;

use super::Target;
use super::partition::CutKeys;
use crate::human::Misread;
use crate::ratio::Ratio;
use crate::setting::{DAY, SOME_TIME, Switch, shapes};

/// Something that goes and comes back does neither faster than this.
const TURN: RangeInclusive<Span> = Span::from_millis(1)..=DAY;
/// By how much a clock is set wrong.
const JUMP: RangeInclusive<Span> = Span(1)..=DAY;
/// How many times slower something becomes.
const SLOWER: RangeInclusive<u32> = 2..=1_000_000;

shapes! {
    /// A fault with all its keys.
    pub(super) enum Table in keys: "write one fault under each `[[fault]]`" {
        /// The process dies, loses un-synced data, and starts again.
        Crash {
            /// When it strikes.
            at: Span;
            /// The node.
            node: Target;
            /// How long the process stays down.
            down: Span, in SOME_TIME;
        }
        /// The process is told to stop, stops once it has handed over what it leads or its patience ends, and starts again.
        Restart {
            /// When it is told to.
            at: Span;
            /// The node.
            node: Target;
            /// How long a process may take to stop.
            patience: Span = Span::from_secs(2), chosen, in SOME_TIME;
            /// How long the process stays down.
            down: Span, in SOME_TIME;
        }
        /// Every process is told to stop and starts again, one node after the other.
        RollingRestart {
            /// When the first is told to.
            at: Span;
            /// How long all take together, each as long as the others.
            lasts: Span, in SOME_TIME;
            /// How long a process may take to stop.
            patience: Span = Span::from_secs(2), chosen, in SOME_TIME;
            /// How long one stays down.
            down: Span, in SOME_TIME;
        }
        /// Spare nodes start and join the cluster.
        Join {
            /// When it strikes.
            at: Span;
            /// How long it counts as a disturbance.
            lasts: Span, in SOME_TIME;
            /// The spare nodes, each once.
            nodes: Vec<Target>;
        }
        /// Nodes are told to leave the cluster, and stop once they carry nothing any more. A dead one is struck off.
        Leave {
            /// When it strikes.
            at: Span;
            /// How long it counts as a disturbance.
            lasts: Span, in SOME_TIME;
            /// The nodes, each once.
            nodes: Vec<Target>;
        }
        /// A node and its disk are gone for good: a spare joins, and the lost one is struck off. Once at most.
        Replace {
            /// When it strikes.
            at: Span;
            /// How long it counts as a disturbance.
            lasts: Span, in SOME_TIME;
            /// The node that is lost.
            node: Target;
            /// The spare that takes its place.
            by: Target;
        }
        /// The process stands still and then goes on, knowing nothing of it.
        Pause {
            /// When it strikes.
            at: Span;
            /// The node.
            node: Target;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
        }
        /// All nodes of a zone lose power.
        ZoneLoss {
            /// When it strikes.
            at: Span;
            /// The zone, from 1.
            zone: u16;
            /// How long they are down.
            down: Span, in SOME_TIME;
        }
        /// All nodes lose power at once.
        PowerLoss {
            /// When it strikes.
            at: Span;
            /// How long they are down.
            down: Span, in SOME_TIME;
        }
        /// Links are cut, what is in flight on them included. One of the keys besides `at` and `lasts` says which.
        Partition {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// These nodes are cut from the others, and from the clients too.
            isolate: Option<Vec<Target>>;
            /// The nodes split into two halves, the smaller one with the leader of the hot show.
            halves: Switch;
            /// What this node sends to the other nodes is lost; what they send arrives.
            one_way: Option<Target>;
            /// Each node sees a majority, no two the same one.
            majority_ring: Switch;
            /// Two halves see each other only through one node.
            bridge: Switch;
        } => one_cut;
        /// Messages between nodes are lost more often.
        Loss {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// Share lost; above 0.
            chance: Ratio;
        }
        /// Messages between nodes arrive twice more often.
        Duplicate {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// Share delivered twice; above 0.
            chance: Ratio;
        }
        /// Messages on one link overtake each other more often.
        Reorder {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// Share that may be overtaken; above 0.
            chance: Ratio;
        }
        /// All links between nodes are slower.
        SlowNetwork {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// How many times slower.
            factor: u32, in SLOWER, unit "times";
        }
        /// A node's disk is slower.
        SlowDisk {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
            /// How many times slower.
            factor: u32, in SLOWER, unit "times";
        }
        /// Messages between a node and the others are lost more often, in one direction.
        OneWayLoss {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
            /// Whether those are lost that it is sent, rather than those that it sends.
            inbound: Switch;
            /// Share lost; above 0.
            chance: Ratio;
        }
        /// Links between nodes carry so little that messages queue on them, and are lost where the queue is full.
        Congestion {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// Only the links from and to this node. Left out, all between nodes.
            node: Option<Target>;
            /// What each carries in each direction.
            kib_per_s: u32, in 1..=1_000_000, unit "KiB a second";
        }
        /// A node is cut off and comes back, again and again.
        Flapping {
            /// When it is cut off first.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
            /// Only its link with this one. Left out, all its links, those with clients too.
            peer: Option<Target>;
            /// How long it is cut off each time; at most `lasts`.
            down: Span, in TURN;
            /// How long it is whole in between; it comes and goes at most 10,000 times.
            up: Span, in TURN;
        }
        /// Nodes are cut off one after another, from the clients too, and come back one after another, evenly spread.
        Swizzle {
            /// When the first is cut off.
            at: Span;
            /// How long until the last is back.
            lasts: Span, in SOME_TIME;
            /// The order in which they are cut off.
            cut: Vec<Target>;
            /// The order in which they come back: the same nodes.
            mend: Vec<Target>;
        }
        /// A node's clock does not keep time, until it is put right.
        ClockDrift {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
            /// The share of the time that passes which it gains; above 0 and at most half.
            by: Ratio;
            /// Whether it loses it instead.
            slow: Switch;
        }
        /// A node's wall clock is set wrong. A process that runs goes on evenly; one that starts takes the wrong time for its own.
        ClockJump {
            /// When it strikes.
            at: Span;
            /// How long until it is put right.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
            /// By how much it jumps ahead.
            by: Span, in JUMP;
            /// Whether it jumps back instead.
            back: Switch;
        }
        /// A node's cores are slower.
        Limp {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
            /// How many times slower.
            factor: u32, in SLOWER, unit "times";
        }
        /// A process dies again and again, each time soon after it has started.
        CrashLoop {
            /// When it dies first.
            at: Span;
            /// How long until it is up for good.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
            /// How long it is down each time; at most `lasts`.
            down: Span, in TURN;
            /// How long it is up in between; it comes and goes at most 10,000 times.
            up: Span, in TURN;
        }
        /// A node's writes fail, and the process stops at the first that does. It starts again when the disk is well.
        FsyncError {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
        }
        /// No write of a node completes for a while; then they go on.
        DiskStall {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
        }
        /// A node's disk has no room: writes are refused until there is, and the node hands over what it leads.
        DiskFull {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
        }
        /// The process dies during its next write, of which any sectors survive.
        TornTail {
            /// When it strikes.
            at: Span;
            /// The node.
            node: Target;
            /// How long the process stays down.
            down: Span, in SOME_TIME;
        }
        /// A durable bit flips. A process that starts meanwhile finds it; a scrub does at the fault's end.
        BitRot {
            /// When it strikes.
            at: Span;
            /// How long until the scrub.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
        }
        /// The process dies, and starts again with an empty disk.
        Wipe {
            /// When it strikes.
            at: Span;
            /// The node.
            node: Target;
            /// How long the process stays down.
            down: Span, in SOME_TIME;
        }
        /// A node's disk acknowledges what a crash takes with it, until the fault is over. No swarm draws it.
        LyingDisk {
            /// When it strikes.
            at: Span;
            /// How long it lasts.
            lasts: Span, in SOME_TIME;
            /// The node.
            node: Target;
        }
    }
}

/// Judges the cut while the place of the table is known.
fn one_cut(table: &keys::Partition) -> Result<(), Misread> {
    let &keys::Partition { halves, one_way, majority_ring, bridge, .. } = table;
    CutKeys { isolate: table.isolate.clone(), halves, one_way, majority_ring, bridge }
        .cut()
        .map(drop)
}
