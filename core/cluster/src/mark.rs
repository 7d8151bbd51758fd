//! Marks: the rare paths that coverage counts.
//!
//! Owns the list of them, with a name for each that scenarios and reports use. A mark says
//! that a path was taken, never that this was right or wrong. Refuses to know who counts.

use std::fmt;

macro_rules! marks {
    ($($(#[doc = $doc:literal])* $mark:ident = $name:literal;)*) => {
        /// A rare path that was taken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mark {$(
            $(#[doc = $doc])*
            $mark,
        )*}

        impl Mark {
            /// Every mark.
            pub const ALL: &[Self] = &[$(Self::$mark,)*];

            /// Its name in scenarios and reports.
            pub const fn name(self) -> &'static str {
                match self {$(Self::$mark => $name,)*}
            }

            /// What happened, in a sentence or two.
            pub fn meaning(self) -> &'static str {
                match self {$(Self::$mark => concat!($($doc),*).trim(),)*}
            }
        }
    };
}

marks! {
    /// A leader lost its leadership or its epoch and stopped serving.
    LeaderDeposed = "leader-deposed";
    /// A leader was deposed with decisions that were not committed: their requests go back.
    DecisionsDropped = "decisions-dropped";
    /// A deposed leader's append, or its question whether it still leads, was refused.
    DeposedAppendRefused = "deposed-append-refused";
    /// Requests waited for a leader that had not applied all that was committed.
    WaitedForLeader = "waited-for-leader";
    /// A hold whose time had ended while nobody served was ended by the next leader.
    HoldExpiredInFailover = "hold-expired-in-failover";
    /// A repeated request was answered from the journal and not executed again.
    RepeatAnswered = "repeat-answered";
    /// A payment came for a hold that was lost.
    ConfirmTooLate = "confirm-too-late";
    /// A snapshot was taken, and the log before it dropped.
    SnapshotTaken = "snapshot-taken";
    /// A snapshot was installed by a replica that lagged too far behind, or that restarted.
    SnapshotInstalled = "snapshot-installed";
    /// A peer was silent for too long.
    PeerSuspected = "peer-suspected";
    /// A suspected peer was heard again.
    PeerTrusted = "peer-trusted";
    /// A peer came back without its memory.
    PeerRestarted = "peer-restarted";
    /// A beat of a peer's earlier boot arrived late.
    StaleBeat = "stale-beat";
    /// A beat came from a node that is not of the cluster.
    StrangeBeat = "strange-beat";
    /// A node told another view of the members to a peer.
    RumoursTold = "rumours-told";
    /// A rumour was about no member, or about what its receiver knows better.
    StrangeRumour = "strange-rumour";
    /// A node that was suspected answered back.
    SuspicionRefuted = "suspicion-refuted";
    /// A node that saw a quorum gave up a peer that was suspect for long enough.
    PeerGivenUp = "peer-given-up";
    /// A node learned that it had been given up, and joined again.
    Rejoined = "rejoined";
    /// A node that had come or come back was admitted by one that saw a quorum.
    PeerAdmitted = "peer-admitted";
    /// A node withdrew: it saw too few for too long, or was given up.
    Withdrew = "withdrew";
    /// A node that had withdrawn came back into service.
    Returned = "returned";
    /// A gateway refused a request because its node had withdrawn.
    RefusedInMinority = "refused-in-minority";
    /// A node found that it had stood still.
    StoodStill = "stood-still";
    /// A replica stood for election.
    StoodForElection = "stood-for-election";
    /// A write-ahead log ended in a write that a crash had cut short: it was cut off there.
    TornLogCutOff = "torn-log-cut-off";
    /// A gateway's attempt at a request timed out.
    AttemptTimedOut = "attempt-timed-out";
    /// A gateway followed a hint to a newer leader.
    HintFollowed = "hint-followed";
    /// A gateway gave a request up: its tries or its budget for retries were used up.
    RetriesUsedUp = "retries-used-up";
    /// A gateway took no more requests for a shard.
    TooManyInFlight = "too-many-in-flight";
    /// A client repeated a request that its gateway was still working on.
    RepeatInFlight = "repeat-in-flight";
    /// An answer came for a request that nobody waits for any more.
    AnswerToNobody = "answer-to-nobody";
    /// An answer came from a node that the gateway had given up.
    AnswerTooLate = "answer-too-late";
    /// A request was forwarded to a node that does not replicate its show.
    RequestAstray = "request-astray";
    /// A node named a shard that does not exist.
    UnknownShard = "unknown-shard";
    /// A message was of a kind that its sender never sends.
    ImpossibleMessage = "impossible-message";
    /// A request had waited for a leader for too long, and was passed over.
    PassedOver = "passed-over";
    /// A write was answered that was not in flight.
    StrayWriteAnswer = "stray-write-answer";
    /// A journal's message reached a node that does not replicate the shard.
    JournalAstray = "journal-astray";
    /// A journal's message was for another node.
    JournalMisdirected = "journal-misdirected";
    /// A journal's message came from a node that is no replica.
    JournalFromOutsider = "journal-from-outsider";
    /// A journal's message had no epoch.
    JournalWithoutEpoch = "journal-without-epoch";
    /// The entries of an append did not follow each other.
    JournalAppendBroken = "journal-append-broken";
    /// A snapshot was of another group.
    JournalForeignSnapshot = "journal-foreign-snapshot";
    /// A follower asked for a snapshot, which none does here.
    JournalSnapshotRequest = "journal-snapshot-request";
    /// A follower acknowledged what was never sent.
    JournalFalseAcknowledgement = "journal-false-acknowledgement";
    /// A replica was called to lead while it installed a snapshot.
    JournalCalledInSnapshot = "journal-called-in-snapshot";
    /// The only voter was called to lead while part of its log was not on disk.
    JournalCalledBeforeDisk = "journal-called-before-disk";
    /// A journal's message was of a kind that no peer sends.
    JournalImpossibleKind = "journal-impossible-kind";
    /// The Raft library refused a message.
    JournalMessageRefused = "journal-message-refused";
    /// The Raft library refused to stand for election.
    ElectionRefused = "election-refused";
    /// A replica that lost its memory kept out of an election.
    AbstainedInDoubt = "abstained-in-doubt";
    /// A new leader's clock was further from its shard's time than the grace of a hold.
    ClocksApart = "clocks-apart";
    /// A node found at its start that its durable log had been damaged.
    LogDamageFound = "log-damage-found";
    /// A node found an empty disk where its own had been.
    DiskReplaced = "disk-replaced";
    /// A replica learned from its leader that its disk had lost what it had acknowledged.
    DurableStateMissing = "durable-state-missing";
    /// A replica has again all that it may have acknowledged, and votes.
    ReplicaRepaired = "replica-repaired";
    /// A node rewrote its log, because what was durable had been damaged.
    LogRenewed = "log-renewed";
    /// A node stopped because a write failed.
    StoppedOnWriteError = "stopped-on-write-error";
    /// A node found no room on its disk.
    DiskFull = "disk-full";
    /// A node that could not write asked another to lead one of its shards.
    LeadTransferAsked = "lead-transfer-asked";
    /// A node that could not write kept out of an election.
    AbstainedWithoutDisk = "abstained-without-disk";
    /// A node had not seen what a session had, and fetched it before it answered.
    FactsFetched = "facts-fetched";
    /// A node could not fetch in time what a session had seen, and said so.
    FactsBehind = "facts-behind";
    /// What a peer said of facts in an earlier boot of it arrived after it had been heard in a later one.
    FactsFromEarlierBoot = "facts-from-earlier-boot";
    /// A write of a fact was delivered a second time, and not executed again.
    FactsRepeated = "facts-repeated";
    /// Facts were further ahead of a node's clock than it accepts, and not taken.
    FactsFromTheFuture = "facts-from-the-future";
    /// Facts came before others that they follow, and were not taken.
    FactsGap = "facts-gap";
    /// A node had not seen deletions that a peer had forgotten, and took a whole copy.
    FactsCopied = "facts-copied";
    /// Deletions were forgotten because their lifetime was over.
    FactsForgotten = "facts-forgotten";
    /// A fact that might have been deleted, with no record left to tell, was written again.
    FactsRewritten = "facts-rewritten";
    /// What a node's disk forgot of its own writes no peer had either: a later write stands for it.
    FactsWrittenOff = "facts-written-off";
    /// Requests came to a leader that handed its shard over, and waited for the successor.
    WaitedForSuccessor = "waited-for-successor";
    /// A leader that could not hand its shard over in time went on serving it.
    HandOverGivenUp = "hand-over-given-up";
    /// A leader began to hand its shard over to a node nearer to the venue.
    LeaderDrawnToVenue = "leader-drawn-to-venue";
    /// A leader began to hand its shard over to a node with less to do.
    LeaderShed = "leader-shed";
    /// A node that lost its disk replaced its replica by a new one.
    ReplicaReplaced = "replica-replaced";
    /// A node was to leave that a shard was on its way to: the shard goes to another.
    MoveRedirected = "move-redirected";
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_read_as_keys() {
        for (n, mark) in Mark::ALL.iter().enumerate() {
            let name = mark.name();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(Mark::ALL[..n].iter().all(|other| other.name() != name), "{name} twice");
            assert_eq!(*mark as usize, n);
        }
    }
}
