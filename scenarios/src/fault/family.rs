//! The families of faults.
//!
//! Owns their names and which of them seeds draw, in which order. Refuses to know what a fault of
//! a family does.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::setting::{Choice, Kind, Value, by_serde};

/// Declares families: each with its key in a scenario file, and the key that says how long its faults last.
macro_rules! families {
    (
        drawn { $($(#[$doc:meta])* $Drawn:ident = $drawn:literal, $drawn_for:literal;)* }
        drawn_where_named { $($(#[$named_doc:meta])* $Named:ident = $named:literal, $named_for:literal;)* }
        written { $($(#[$written_doc:meta])* $Written:ident = $written:literal, $written_for:literal;)* }
    ) => {
        /// A family of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Family {
            $($(#[$doc])* #[serde(rename = $drawn)] $Drawn,)*
            $($(#[$named_doc])* #[serde(rename = $named)] $Named,)*
            $($(#[$written_doc])* #[serde(rename = $written)] $Written,)*
        }

        impl Family {
            /// Every family that seeds draw unasked, in the order in which they draw. New ones go last.
            pub const ALL: &[Self] = &[$(Self::$Drawn),*];

            /// Families that seeds draw only where a swarm names them.
            const NAMED: &[Self] = &[$(Self::$Named),*];

            /// Its key in a scenario file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Drawn => $drawn,)*
                    $(Self::$Named => $named,)*
                    $(Self::$Written => $written,)*
                }
            }

            /// The key that says how long a fault lasts: `lasts`, or `down` where something is down for all of it.
            pub(super) const fn length_key(self) -> &'static str {
                match self {
                    $(Self::$Drawn => $drawn_for,)*
                    $(Self::$Named => $named_for,)*
                    $(Self::$Written => $written_for,)*
                }
            }
        }
    };
}

families! {
    drawn {
        /// Crash and restart of a node.
        Crash = "crash", "down";
        /// Pause of a node.
        Pause = "pause", "lasts";
        /// Loss of a zone's power.
        ZoneLoss = "zone-loss", "down";
        /// Loss of the whole cluster's power.
        PowerLoss = "power-loss", "down";
        /// Partitions of every shape.
        Partition = "partition", "lasts";
        /// Message loss.
        Loss = "loss", "lasts";
        /// Message duplication.
        Duplicate = "duplicate", "lasts";
        /// Message reordering.
        Reorder = "reorder", "lasts";
        /// Slow links.
        SlowNetwork = "slow-network", "lasts";
        /// Slow disks.
        SlowDisk = "slow-disk", "lasts";
        /// Message loss in one direction.
        OneWayLoss = "one-way-loss", "lasts";
        /// Links that carry little.
        Congestion = "congestion", "lasts";
        /// Nodes and links that come and go.
        Flapping = "flapping", "lasts";
        /// Nodes cut off in one order and back in another.
        Swizzle = "swizzle", "lasts";
        /// Clocks that run too fast or too slowly.
        ClockDrift = "clock-drift", "lasts";
        /// Clocks that are set wrong.
        ClockJump = "clock-jump", "lasts";
        /// Slow cores.
        Limp = "limp", "lasts";
        /// Processes that die again and again.
        CrashLoop = "crash-loop", "lasts";
        /// Failing writes.
        FsyncError = "fsync-error", "lasts";
        /// Stalled disks.
        DiskStall = "disk-stall", "lasts";
        /// Full disks.
        DiskFull = "disk-full", "lasts";
        /// Torn writes.
        TornTail = "torn-tail", "down";
        /// Flipped bits.
        BitRot = "bit-rot", "lasts";
        /// Replaced disks.
        Wipe = "wipe", "down";
        /// Restart of a node that is told to stop.
        Restart = "restart", "down";
        /// Restarts of all nodes in turn.
        RollingRestart = "rolling-restart", "lasts";
    }
    drawn_where_named {
        /// Nodes that are lost for good and replaced; once at most in a run.
        Replace = "replace", "lasts";
    }
    written {
        /// Nodes that join.
        Join = "join", "lasts";
        /// Nodes that leave.
        Leave = "leave", "lasts";
        /// Lying disks. What such a disk loses no safe system can know.
        LyingDisk = "lying-disk", "lasts";
    }
}

impl Family {
    /// Whether a run has one fault of the family at most.
    pub fn strikes_once(self) -> bool {
        self == Self::Replace
    }

    /// Whether a swarm may name it.
    pub fn may_be_drawn(self) -> bool {
        Self::ALL.contains(&self) || Self::NAMED.contains(&self)
    }
}

/// A family that a swarm may name.
impl Value for Family {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        let drawn = Self::ALL.iter().chain(Self::NAMED);
        let choice = |family: &Self| Choice { name: family.name().to_owned(), doc: "" };
        Kind::Name(drawn.map(choice).collect())
    }

    by_serde!();
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
