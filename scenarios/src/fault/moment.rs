//! Moments: what a node does when a fault that waits for it strikes.
//!
//! Owns their names and what each means. Refuses to know how a host shows that one has come.

use std::fmt;
use std::str::FromStr;

use onsale_cluster::Mark;
use serde::{Deserializer, Serializer};

use crate::human::{self, Misread};
use crate::setting::{Kind, Value};

/// Declares the moments that have a name of their own.
macro_rules! moments {
    ($($(#[doc = $doc:literal])* $Moment:ident = $name:literal;)*) => {
        /// Something that a node does, and that a fault may wait for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Moment {
            $($(#[doc = $doc])* $Moment,)*
            /// A node takes a rare path that coverage counts.
            Mark(Mark),
        }

        impl Moment {
            /// Every moment with a name of its own; the others are marks.
            pub const NAMED: &[Self] = &[$(Self::$Moment),*];

            const NAMES: &[&str] = &[$($name),*];

            /// Its number, which all marks share.
            pub const fn kind(self) -> u32 {
                // A number for each name, in the order of declaration.
                enum Kind { $($Moment,)* Mark }
                match self {
                    $(Self::$Moment => Kind::$Moment as u32,)*
                    Self::Mark(_) => Kind::Mark as u32,
                }
            }

            /// What the node does then, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$Moment => concat!($($doc),*).trim(),)*
                    Self::Mark(mark) => mark.meaning(),
                }
            }
        }

        impl fmt::Display for Moment {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$Moment => f.write_str($name),)*
                    Self::Mark(mark) => write!(f, "{MARK}{mark}"),
                }
            }
        }
    };
}

/// Stands before the name of a mark.
const MARK: &str = "mark:";

moments! {
    /// A replica begins to write a vote.
    Voting = "voting";
    /// A replica stands for election.
    Electing = "electing";
    /// A replica was elected and does not serve yet.
    TakingOver = "taking-over";
    /// A leader has sent records to its followers, and waits for a quorum.
    Replicating = "replicating";
    /// A leader asks a quorum whether it still leads.
    Asking = "asking";
    /// A replica in a joint configuration begins to write the step that ends it.
    MovingJoint = "moving:joint";
    /// A replica begins to write the step by which a learner and a voter change places.
    MovingSwap = "moving:swap";
    /// A replica begins to write a snapshot that its leader sent.
    InstallingSnapshot = "installing-snapshot";
    /// A node starts and reads its disk.
    Recovering = "recovering";
    /// A leader begins to transfer its lead.
    HandingOver = "handing-over";
    /// A node begins a write.
    BetweenAppendAndFsync = "between-append-and-fsync";
    /// A node is about to send an answer.
    BeforeReply = "before-reply";
    /// A leader decides that holds have ended.
    Expiring = "expiring";
}

impl FromStr for Moment {
    type Err = Misread;

    /// Reads `voting`, or `mark:snapshot-taken`.
    fn from_str(text: &str) -> Result<Self, Misread> {
        if let Some(position) = Self::NAMES.iter().position(|name| *name == text) {
            return Ok(Self::NAMED[position]);
        }
        let unknown = |what: String, help: String| Err(Misread::new(what, help));
        let Some(name) = text.strip_prefix(MARK) else {
            let help = human::advice(text, Self::NAMES, "name a mark, `mark:NAME`, or one of");
            return unknown(format!("there is no moment {text:?}"), help);
        };
        if let Some(&mark) = Mark::ALL.iter().find(|mark| mark.name() == name) {
            return Ok(Self::Mark(mark));
        }
        let marks: Vec<&str> = Mark::ALL.iter().map(|mark| mark.name()).collect();
        unknown(format!("there is no mark {name:?}"), human::advice(name, &marks, "the marks are"))
    }
}

impl Value for Moment {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Text { form: FORM, pattern: PATTERN }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        human::from_text(deserializer, "a moment such as `voting`", Self::from_str)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A moment in a few words.
pub(super) const FORM: &str = "a moment: `voting`, `recovering`, `mark:snapshot-taken` and so on";
/// A moment as a regular expression.
pub(super) const PATTERN: &str = r"^(mark:)?[a-z]+([-:][a-z]+)*$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_reads_back_and_has_a_number_of_its_own() {
        let marks = Mark::ALL.iter().map(|&mark| Moment::Mark(mark));
        for moment in Moment::NAMED.iter().copied().chain(marks) {
            assert_eq!(moment.to_string().parse(), Ok(moment));
            assert!(moment.meaning().ends_with('.'), "{moment}");
        }
        let kinds: Vec<u32> = Moment::NAMED.iter().map(|moment| moment.kind()).collect();
        assert!(kinds.into_iter().eq(0..Moment::NAMED.len() as u32));
        let mark = Moment::Mark(Mark::ALL[0]).kind();
        assert!(mark < u32::BITS && mark == Moment::NAMED.len() as u32);
    }

    #[test]
    fn a_wrong_name_is_refused_with_the_near_ones() {
        let help = |text: &str| text.parse::<Moment>().unwrap_err().to_string();
        assert!(help("votin").contains("did you mean `voting`?"), "{}", help("votin"));
        let snapshot = help("mark:snapshot-take");
        assert!(snapshot.contains("did you mean `snapshot-taken`?"), "{snapshot}");
        assert!(help("lunch").contains("recovering"), "{}", help("lunch"));
        assert!(help("mark:xyz").contains("there is no mark"), "{}", help("mark:xyz"));
    }
}
