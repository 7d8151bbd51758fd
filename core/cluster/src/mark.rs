//! Marks: the rare paths that coverage counts.
//!
//! Owns their list, with the names that scenarios and reports use. A mark says that a path was
//! taken, never that this was right or wrong. Refuses to know who counts.

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
    /// A leader was deposed with uncommitted decisions: their requests go back to the gateways.
    DecisionsDropped = "decisions-dropped";
    /// An append or a read index of a deposed leader was refused.
    DeposedAppendRefused = "deposed-append-refused";
    /// Requests waited for a new leader that had not applied all committed records.
    WaitedForLeader = "waited-for-leader";
    /// A hold that ran out while its shard had no leader was ended by the next leader.
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
    /// A peer restarted.
    PeerRestarted = "peer-restarted";
    /// A late heartbeat of a peer's earlier incarnation arrived.
    StaleBeat = "stale-beat";
    /// A heartbeat came from a node that is no member.
    StrangeBeat = "strange-beat";
    /// A node sent a peer rumours, because their views of the members differed.
    RumoursTold = "rumours-told";
    /// A rumour was about a node that is no member, or contradicted facts that its receiver knows for certain.
    StrangeRumour = "strange-rumour";
    /// A suspected node refuted the suspicion.
    SuspicionRefuted = "suspicion-refuted";
    /// A node that saw a quorum declared a peer dead that had been suspect for long enough.
    PeerGivenUp = "peer-given-up";
    /// A node learned that it had been declared dead, and joined again.
    Rejoined = "rejoined";
    /// A node that joined or returned was admitted by a node that saw a quorum.
    PeerAdmitted = "peer-admitted";
    /// A node withdrew from service: it saw too few nodes for too long, or had been declared dead.
    Withdrew = "withdrew";
    /// A withdrawn node came back into service.
    Returned = "returned";
    /// A gateway refused a request because its node had withdrawn.
    RefusedInMinority = "refused-in-minority";
    /// A node found that it had stood still.
    StoodStill = "stood-still";
    /// A replica stood for election.
    StoodForElection = "stood-for-election";
    /// A write-ahead log ended in a torn write, which was cut off.
    TornLogCutOff = "torn-log-cut-off";
    /// A gateway's attempt at a request timed out.
    AttemptTimedOut = "attempt-timed-out";
    /// A gateway followed a hint to a newer leader.
    HintFollowed = "hint-followed";
    /// A gateway gave a request up: its tries or its budget for retries were used up.
    RetriesUsedUp = "retries-used-up";
    /// A gateway refused a request because too many were in flight to the shard.
    TooManyInFlight = "too-many-in-flight";
    /// A client repeated a request that its gateway was still working on.
    RepeatInFlight = "repeat-in-flight";
    /// An answer came for a request that was no longer pending.
    AnswerToNobody = "answer-to-nobody";
    /// An answer came from a node that the gateway no longer waited for.
    AnswerTooLate = "answer-too-late";
    /// A request was forwarded to a node that does not replicate its show.
    RequestAstray = "request-astray";
    /// A node named a shard that does not exist.
    UnknownShard = "unknown-shard";
    /// A message was of a kind that its sender never sends.
    ImpossibleMessage = "impossible-message";
    /// A leader dropped a request that had waited too long.
    PassedOver = "passed-over";
    /// The completion of a write came that was not in flight.
    StrayWriteAnswer = "stray-write-answer";
    /// A journal message reached a node that does not replicate the shard.
    JournalAstray = "journal-astray";
    /// A journal message was for another node.
    JournalMisdirected = "journal-misdirected";
    /// A journal message came from a node that is no replica.
    JournalFromOutsider = "journal-from-outsider";
    /// A journal message had no epoch.
    JournalWithoutEpoch = "journal-without-epoch";
    /// The entries of an append were not consecutive.
    JournalAppendBroken = "journal-append-broken";
    /// A snapshot was of another group.
    JournalForeignSnapshot = "journal-foreign-snapshot";
    /// A follower asked for a snapshot, which followers never do.
    JournalSnapshotRequest = "journal-snapshot-request";
    /// A follower acknowledged an entry that was never sent.
    JournalFalseAcknowledgement = "journal-false-acknowledgement";
    /// A replica was asked to lead while it installed a snapshot.
    JournalCalledInSnapshot = "journal-called-in-snapshot";
    /// The only voter was asked to lead while part of its log was not on disk.
    JournalCalledBeforeDisk = "journal-called-before-disk";
    /// A journal message was of a kind that no peer sends.
    JournalImpossibleKind = "journal-impossible-kind";
    /// The Raft library refused a message.
    JournalMessageRefused = "journal-message-refused";
    /// The Raft library refused to stand for election.
    ElectionRefused = "election-refused";
    /// A replica that had lost durable state kept out of an election.
    AbstainedInDoubt = "abstained-in-doubt";
    /// A new leader's clock differed from its shard's time by more than the grace of a hold.
    ClocksApart = "clocks-apart";
    /// A starting node found its durable log damaged.
    LogDamageFound = "log-damage-found";
    /// A starting node found an empty disk instead of its own.
    DiskReplaced = "disk-replaced";
    /// A replica learned from its leader that its disk had lost acknowledged records.
    DurableStateMissing = "durable-state-missing";
    /// A replica got back everything that it may have acknowledged, and votes again.
    ReplicaRepaired = "replica-repaired";
    /// A node rewrote its log because it was damaged on disk.
    LogRenewed = "log-renewed";
    /// A node stopped because a write failed.
    StoppedOnWriteError = "stopped-on-write-error";
    /// A node found no room on its disk.
    DiskFull = "disk-full";
    /// A node that could not write asked another to lead one of its shards.
    LeadTransferAsked = "lead-transfer-asked";
    /// A node that could not write kept out of an election.
    AbstainedWithoutDisk = "abstained-without-disk";
    /// A node lacked facts that a session had seen, and fetched them before it answered.
    FactsFetched = "facts-fetched";
    /// A node could not fetch the facts that a session had seen in time, and answered "behind".
    FactsBehind = "facts-behind";
    /// A message about facts from a peer's earlier incarnation arrived late.
    FactsFromEarlierBoot = "facts-from-earlier-boot";
    /// A write of a fact was delivered a second time, and not executed again.
    FactsRepeated = "facts-repeated";
    /// A node refused facts with timestamps too far ahead of its clock.
    FactsFromTheFuture = "facts-from-the-future";
    /// A node refused facts because earlier ones were missing.
    FactsGap = "facts-gap";
    /// A node had missed deletions whose tombstones a peer had dropped, and took a whole copy.
    FactsCopied = "facts-copied";
    /// Tombstones were dropped because their lifetime was over.
    FactsForgotten = "facts-forgotten";
    /// A fact was written again because it might have been deleted and the tombstone dropped.
    FactsRewritten = "facts-rewritten";
    /// Writes that a node's disk had lost were on no peer either, and were written off.
    FactsWrittenOff = "facts-written-off";
    /// Requests came to a leader during a lead transfer and waited for its successor.
    WaitedForSuccessor = "waited-for-successor";
    /// A lead transfer did not finish in time, and the leader went on serving.
    LeadTransferGivenUp = "lead-transfer-given-up";
    /// A leader began a lead transfer to a node nearer to the venue.
    LeaderDrawnToVenue = "leader-drawn-to-venue";
    /// A leader began a lead transfer to a node with less load.
    LeaderShed = "leader-shed";
    /// A node that had lost durable state replaced its replica by a new one.
    ReplicaReplaced = "replica-replaced";
    /// A node was told to leave while a shard was moving to it: the shard moves to another node.
    MoveRedirected = "move-redirected";
    /// A newer record format was activated in a shard: no node of an older release can carry it from now on.
    FormatActivated = "format-activated";
    /// A node was sent a record or a snapshot of a newer format than its release reads, and stopped.
    NewerFormatMet = "newer-format-met";
    /// A starting node found a newer format on its disk than its release reads, and refused to serve.
    RollbackRefused = "rollback-refused";
    /// By an operator's order a replica went on alone, because a majority of its shard's voters was lost for good.
    RecoveredAlone = "recovered-alone";
    /// By an operator's order a replica was given up, because another one went on alone.
    GivenUpInRecovery = "given-up-in-recovery";
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
