//! The families of faults.
//!
//! Owns their names, and which of them seeds draw in which order. Refuses to know what a fault of a family does.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::setting::{Choice, Kind, Value, by_serde, key_name};

/// Declares families: those drawn by default, those drawn only if a swarm names them, and those that only files write.
macro_rules! families {
    (
        drawn { $($(#[doc = $drawn_doc:literal])* $Drawn:ident;)* }
        drawn_where_named { $($(#[doc = $named_doc:literal])* $Named:ident;)* }
        written { $($(#[doc = $written_doc:literal])* $Written:ident;)* }
    ) => {
        /// A family of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Family {
            $($(#[doc = $drawn_doc])* $Drawn,)*
            $($(#[doc = $named_doc])* $Named,)*
            $($(#[doc = $written_doc])* $Written,)*
        }

        impl Family {
            /// Every family, drawn or not.
            pub(crate) const EVERY: &[Self] =
                &[$(Self::$Drawn,)* $(Self::$Named,)* $(Self::$Written),*];

            /// Families drawn by default, in the order of drawing. New ones go last.
            pub const ALL: &[Self] = &[$(Self::$Drawn),*];

            /// Families drawn only if a swarm names them.
            const NAMED: &[Self] = &[$(Self::$Named),*];

            /// The keys of all families in a scenario file.
            pub(super) const NAMES: &[&str] = &[
                $(key_name!($Drawn),)*
                $(key_name!($Named),)*
                $(key_name!($Written),)*
            ];

            /// Its key in a scenario file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Drawn => key_name!($Drawn),)*
                    $(Self::$Named => key_name!($Named),)*
                    $(Self::$Written => key_name!($Written),)*
                }
            }

            /// Its faults, in a few words.
            const fn doc(self) -> &'static str {
                match self {
                    $(Self::$Drawn => concat!($($drawn_doc),*),)*
                    $(Self::$Named => concat!($($named_doc),*),)*
                    $(Self::$Written => concat!($($written_doc),*),)*
                }
            }
        }
    };
}

families! {
    drawn {
        /// Crash and restart of a node.
        Crash;
        /// Pause of a node.
        Pause;
        /// Loss of a zone's power.
        ZoneLoss;
        /// Loss of the whole cluster's power.
        PowerLoss;
        /// Partitions of every shape.
        Partition;
        /// Message loss.
        Loss;
        /// Message duplication.
        Duplicate;
        /// Message reordering.
        Reorder;
        /// Slow links.
        SlowNetwork;
        /// Slow disks.
        SlowDisk;
        /// Message loss in one direction.
        OneWayLoss;
        /// Links with a low bandwidth.
        Congestion;
        /// Nodes and links that come and go.
        Flapping;
        /// Nodes cut off in one order and back in another.
        Swizzle;
        /// Clocks that run too fast or too slowly.
        ClockDrift;
        /// Clocks that are set wrong.
        ClockJump;
        /// Slow cores.
        Limp;
        /// Processes that die repeatedly.
        CrashLoop;
        /// Failing writes.
        FsyncError;
        /// Stalled disks.
        DiskStall;
        /// Full disks.
        DiskFull;
        /// Torn writes.
        TornTail;
        /// Flipped bits.
        BitRot;
        /// Replaced disks.
        Wipe;
        /// Restart of a node that is told to stop.
        Restart;
        /// Restarts of all nodes in turn.
        RollingRestart;
        /// Processes killed on machines that live on.
        Kill;
    }
    drawn_where_named {
        /// Nodes that are lost for good and replaced; once at most in a run.
        Replace;
        /// Upgrades of all nodes in turn, in which one may go back; once at most in a run.
        Upgrade;
        /// A majority of nodes that is lost for good at once, until an operator recovers what survives; once at most in a
        /// run.
        MajorityLoss;
    }
    written {
        /// Nodes that join.
        Join;
        /// Nodes that leave.
        Leave;
        /// Lying disks. No safe system can know what such a disk loses.
        LyingDisk;
    }
}

impl Family {
    /// Whether a run has at most one fault of the family.
    pub fn strikes_once(self) -> bool {
        self.loses_nodes() || self == Self::Upgrade
    }

    /// Whether its faults lose nodes for good.
    pub fn loses_nodes(self) -> bool {
        matches!(self, Self::Replace | Self::MajorityLoss)
    }

    /// Whether a swarm may name it.
    pub fn may_be_drawn(self) -> bool {
        Self::ALL.contains(&self) || Self::NAMED.contains(&self)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Value for Family {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        let drawn = Self::ALL.iter().chain(Self::NAMED);
        let choice =
            |family: &Self| Choice { name: family.name().to_owned(), doc: family.doc().trim() };
        Kind::Name(drawn.map(choice).collect())
    }

    by_serde!();
}
