//! Each rule condemns a history, and not its nearest legal neighbour.

mod history;

use onsale_cluster::Moves;
use onsale_cluster::journal::claim::Claim;
use onsale_oracles::rule::compare;

use self::history::*;
use super::super::tests::measures;
use super::raft::{APPEND_ONLY, COMPLETENESS, ELECTION_SAFETY, LOG_MATCHING};
use super::*;

#[test]
fn each_rule_has_a_history_that_it_alone_condemns() {
    let rules = [RULES, raft::RULES].concat();
    let measures = measures! {
        History::finish;
        VOTE: |ok| History::new().write_if(ok, 2, &[state(1, 1, 0)]).says(2, 1, 1, Claim::Votes),
        VOTE_IN_REPAIR: |ok| {
            let written = if ok { state(1, 1, 0) } else { in_repair(1, 1) };
            History::new().write(2, &[written]).says(2, 1, 1, Claim::Votes)
        },
        CANDIDACY: |ok| {
            History::new()
                .write_if(ok, 1, &[entry(1, 1), state(1, 0, 0)])
                .write(1, &[state(2, 1, 0)])
                .says(1, 2, 2, Claim::Stands { ends: (1, Epoch(1)) })
        },
        EPOCH: |ok| {
            let history = History::elected().write_if(ok, 2, &[state(2, 0, 0)]);
            history.says(2, 1, 2, Claim::Entered { commit: 0 })
        },
        EPOCH_AT_START: |ok| {
            let kept = [state(5, 0, 0), checkpoint()];
            let history = History::new().segment(2, &kept).restart(2, &kept);
            history.says(2, 1, if ok { 5 } else { 3 }, Claim::Entered { commit: 0 })
        },
        NAME: |ok| {
            let history = History::new().write_if(ok, 2, &[named(7), state(1, 0, 0)]);
            history.replica_says(7, 2, 1, 1, Claim::Entered { commit: 0 })
        },
        ACKNOWLEDGEMENT: |ok| {
            let history = History::elected().appends(1, 1, (1, 1), &[(2, 1)]);
            let history = history.write_if(ok, 2, &[entry(2, 1), state(1, 1, 0)]);
            history.says(2, 1, 1, Claim::Holds { index: 2, commit: 0 })
        },
        COMMIT_TOLD: |ok| {
            let history = History::elected().write(1, &[entry(2, 1), state(1, 1, 0)]);
            history.write_if(ok, 2, &[entry(2, 1), state(1, 1, 0)]).leads(1, 1, 2)
        },
        SNAPSHOT_SENT: |ok| {
            let history = History::elected().write(1, &[entry(2, 1), state(1, 1, 0)]);
            let snapshot = Some((if ok { 1 } else { 2 }, Epoch(1)));
            history.says(1, 3, 1, Claim::Leads { before: None, snapshot, commit: 0 })
        },
        ONE_VOTE: |ok| {
            let second = state(if ok { 3 } else { 2 }, 3, 0);
            History::new().write(2, &[state(2, 1, 0)]).write(2, &[second])
        },
        EPOCH_BACK: |ok| {
            let history = History::new().write(2, &[state(5, 0, 0)]);
            history.write(2, &[state(if ok { 5 } else { 4 }, 0, 0)])
        },
        DROPPED: |ok| {
            History::elected()
                .write(2, &[entry(2, 1), state(1, 1, 0)])
                .says(2, 1, 1, Claim::Holds { index: 2, commit: 0 })
                .write(2, &[entry(if ok { 2 } else { 1 }, 1), state(1, 1, 0)])
        },
        COMMIT_WRITTEN: |ok| {
            let history = History::elected();
            let history = history.write_if(ok, 2, &[entry(2, 1), state(1, 1, 0)]);
            history.write(1, &[entry(2, 1), state(1, 1, 2)])
        },
        SNAPSHOT_WRITTEN: |ok| {
            let history = History::elected().write(1, &[entry(2, 1), state(1, 1, 0)]);
            history.write(1, &[snapshot(if ok { 1 } else { 2 }, 1), state(1, 1, 1)])
        },
        SEGMENT: |ok| {
            let all = [entry(1, 1), state(1, 1, 0), checkpoint()];
            History::elected().segment(2, if ok { &all } else { &all[1..] })
        },
        SEGMENT_FACTS: |ok| {
            let delta = delta(7);
            let all = [Frame::Facts { delta: &delta }, checkpoint()];
            History::new().segment(1, &all).segment(1, if ok { &all } else { &all[1..] })
        },
        SEGMENT_FORGOT: |ok| {
            let all = [Frame::Forgot { incarnation: 3 }, checkpoint()];
            History::new().segment(1, &all).segment(1, if ok { &all } else { &all[1..] })
        },
        REPLY: |ok| {
            let written = [entry(2, 1), state(1, 1, 0)];
            let history = History::elected().write(1, &written).grant(2, 1);
            history.write_if(ok, 2, &written).tells_of_grant(1)
        },
        FACT: |ok| {
            let delta = delta(7);
            let history = History::new().write_if(ok, 1, &[Frame::Facts { delta: &delta }]);
            history.acknowledges_fact(1, 7)
        },
        FORGOT: |ok| {
            let history = History::new().write_if(ok, 1, &[Frame::Forgot { incarnation: 3 }]);
            history.sends(1, &Message::Moves(Moves::Forgot { node: NodeId(1), incarnation: 3 }))
        },
        ELECTION_SAFETY: |ok| {
            let second = if ok { 2 } else { 1 };
            History::new()
                .write(1, &[state(1, 1, 0)])
                .write(2, &[state(second, 2, 0)])
                .leads(1, 1, 0)
                .leads(2, second, 0)
        },
        APPEND_ONLY: |ok| {
            let history = History::elected().write(1, &[entry(2, 1), state(1, 1, 0)]);
            history.write(1, &[entry(if ok { 2 } else { 1 }, 1), state(1, 1, 0)])
        },
        LOG_MATCHING: |ok| {
            History::new()
                .write(1, &[entry(1, 1), entry(2, 3), state(3, 0, 0)])
                .write(2, &[entry(1, if ok { 1 } else { 2 }), entry(2, 3), state(3, 0, 0)])
        },
        COMPLETENESS: |ok| {
            let history = History::elected().write_if(ok, 3, &[entry(1, 1), state(1, 0, 0)]);
            history.write(3, &[state(2, 3, 0)]).leads(3, 2, 0)
        },
    };
    compare(&rules, &measures);
}

/// Which rules a history breaks.
#[track_caller]
fn breaks(history: History, rules: &[&str]) {
    let results = history.finish();
    let evidence = results.iter().filter_map(|result| result.evidence.as_ref());
    let broken: Vec<&str> = evidence.flat_map(|it| &it.rules).map(String::as_str).collect();
    assert_eq!(broken, rules, "{results:#?}");
}

#[test]
fn what_a_later_epoch_superseded_in_the_same_write_is_no_broken_promise() {
    // It voted in e2 and then in e3, acknowledged record 2 in e1, and stood in e4 and was answered by another leader.
    let history = History::elected().write(2, &[state(3, 2, 0)]);
    breaks(history.says(2, 3, 2, Claim::Votes), &[]);
    let history = History::elected().write(2, &[state(2, 0, 0)]);
    breaks(history.says(2, 1, 1, Claim::Holds { index: 2, commit: 0 }), &[]);
    let history = History::elected().write(2, &[entry(2, 4), state(4, 2, 0)]);
    breaks(history.says(2, 3, 4, Claim::Stands { ends: (5, Epoch(1)) }), &[]);
}

#[test]
fn two_votes_of_an_epoch_are_seen_though_neither_was_written() {
    let history = History::new().write(2, &[state(3, 0, 0)]);
    let history = history.says(2, 1, 2, Claim::Votes).says(2, 1, 2, Claim::Votes);
    breaks(history, &[]);
    let history = History::new().write(2, &[state(3, 0, 0)]);
    let history = history.says(2, 1, 2, Claim::Votes).says(2, 3, 2, Claim::Votes);
    breaks(history, &["one-vote"]);
}

#[test]
fn an_acknowledgement_is_of_the_leaders_records_and_not_of_as_many() {
    let history = |of| {
        let history = History::new().write(2, &[entry(1, of), state(2, 0, 0)]);
        let history = history.write(1, &[state(2, 1, 0)]).appends(1, 2, (0, 0), &[(1, 2)]);
        history.says(2, 1, 2, Claim::Holds { index: 1, commit: 0 })
    };
    breaks(history(1), &["acknowledgement"]);
    breaks(history(2), &[]);
}

#[test]
fn a_disk_that_lost_what_it_had_said_is_not_held_against_its_node() {
    let lost = || History::elected().restart(2, &[state(0, 0, 0), checkpoint()]);
    breaks(lost().write(2, &[state(1, 2, 0)]), &[]);
    let kept = [entry(1, 1), state(1, 1, 0), checkpoint()];
    let kept = History::elected().segment(2, &kept).restart(2, &kept);
    breaks(kept.write(2, &[state(1, 2, 0)]), &["one-vote"]);
}

/// A leader whose own disk is full counts the acknowledgement of a follower whose disk was then replaced, up to the record
/// that was acknowledged, and of its own records.
#[test]
fn a_lost_disk_counts_for_what_it_had_acknowledged() {
    let history = |acknowledged| {
        History::elected()
            .appends(1, 1, (1, 1), &[(2, 1)])
            .write(2, &[entry(2, 1), state(1, 1, 0)])
            .says(2, 1, 1, Claim::Holds { index: acknowledged, commit: 0 })
            .restart(2, &[])
    };
    let others = |epoch| [entry(1, 1), entry(2, epoch), state(2, 3, 0)];
    breaks(history(2).write(3, &others(1)).leads(1, 1, 2), &[]);
    breaks(history(1).write(3, &others(1)).leads(1, 1, 2), &["commit-told"]);
    breaks(history(2).write(3, &others(2)).leads(3, 2, 2), &["commit-told"]);
}

#[test]
fn a_start_writes_all_that_it_read_back() {
    let kept = [entry(1, 1), state(1, 1, 0), checkpoint()];
    let started = || History::elected().segment(2, &kept).restart(2, &kept);
    breaks(started().segment(2, &kept), &[]);
    breaks(started().segment(2, &[entry(1, 1), state(1, 0, 0), checkpoint()]), &["segment"]);
    breaks(started().segment(2, &[entry(1, 1), state(0, 0, 0), checkpoint()]), &["segment"]);
    breaks(started().segment(2, &kept[1..]), &["segment"]);
    breaks(started().segment(2, &[in_repair(0, 0), checkpoint()]), &[]);
}

/// A write under way reaches the disk whole as its process dies, so nobody heard that it is durable: by it n2 goes on
/// alone. The first segment after the start holds it in a snapshot only.
#[test]
fn a_record_that_reached_the_disk_as_its_process_died_was_there() {
    let recovers = Change::Recovers(ReplicaId::new(NodeId(2), 9)).encode();
    let history = |frames: &[Frame<'static>]| {
        let died = [&[named(9), entry(1, 1)], frames, &[state(9, 0, 1), checkpoint()]].concat();
        let begun = [named(9), snapshot(2, 9), state(9, 0, 2), checkpoint()];
        History::elected().restart(2, &died).segment(2, &begun)
    };
    let recovers = change(2, 9, recovers.leak());
    breaks(history(&[recovers]), &[]);
    breaks(history(&[]), &["snapshot-written"]);
    breaks(history(&[entry(2, 9)]), &["snapshot-written"]);
    breaks(history(&[recovers, entry(2, 8)]), &["snapshot-written"]);
}

#[test]
fn a_leader_lacks_what_an_earlier_one_commits_later() {
    // n3 leads e2 without record 2, which n1 only now tells to be committed in e1.
    let history = |before| {
        History::elected()
            .write(1, &[entry(2, 1), state(1, 1, 0)])
            .write(2, &[entry(2, 1), state(1, 1, 0)])
            .write(3, &[entry(1, 1), entry(2, 1), state(2, 3, 0)])
            .appends(3, 2, (before, 1), &[(before + 1, 2)])
            .leads(1, 1, 2)
    };
    breaks(history(2), &[]);
    breaks(history(1), &["leader-completeness"]);
}

#[test]
fn a_recovered_leader_lacks_only_what_the_recovery_gave_up() {
    // n3 has the first record alone, and n1 tells that three are committed; a recovery leaves the first `held`.
    let alone = Change::Recovers(ReplicaId::new(NodeId(3), 9)).encode();
    let more = [entry(2, 1), entry(3, 1), state(1, 1, 0)];
    let history = |held| {
        let recovered = [named(9), entry(1, 1), change(2, 9, &alone), state(9, 0, 2)];
        let alone = ReplicaId::new(NodeId(3), 9);
        History::elected()
            .write(1, &more)
            .write(2, &more)
            .leads(1, 1, 3)
            .write(3, &recovered)
            .recovers(held, alone)
            .write(3, &[entry(3, 10), voted(10, alone)])
            .replica_says(9, 3, 4, 10, Claim::Leads { before: None, snapshot: None, commit: 3 })
    };
    breaks(history(1), &[]);
    breaks(history(2), &["leader-completeness"]);
}

#[test]
fn a_quorum_is_one_of_the_members_before_a_change_or_after_it() {
    let (new, old) = (ReplicaId::new(NodeId(4), 1), ReplicaId::new(NodeId(3), 0));
    let learns = Change::Learns(new).encode();
    let swaps = Change::Swaps { promoted: new, demoted: old }.encode();
    let changes = [change(2, 1, &learns), change(3, 1, &swaps)];
    let on = |history: History, node| history.write(node, &changes).write(node, &[state(1, 1, 0)]);
    let history = |node| on(on(History::elected(), 1), node).leads(1, 1, 3);
    breaks(history(2), &[]);
    let newcomer = |history: History| {
        let frames = [named(1), entry(1, 1), changes[0], changes[1], state(1, 0, 0)];
        history.write(4, &frames).leads(1, 1, 3)
    };
    breaks(newcomer(on(History::elected(), 1)), &["commit-told"]);
    breaks(newcomer(on(History::elected(), 1)).write(2, &[]), &["commit-told"]);
}

#[test]
fn a_repeated_answer_rests_on_the_record_of_the_first() {
    let written = [entry(2, 1), state(1, 1, 0)];
    let granted = || History::elected().write(1, &written).grant(2, 1);
    breaks(granted().write(2, &written).tells_of_grant(1).tells_of_grant(2), &[]);
    breaks(granted().tells_of_grant(2), &["reply"]);
    breaks(granted().write(3, &[entry(2, 2), state(2, 0, 0)]).tells_of_grant(1), &["reply"]);
    breaks(History::elected().tells_of_grant(1), &["reply"]);
}

#[test]
fn news_of_a_nodes_own_facts_wait_for_its_disk_and_others_do_not() {
    let delta = delta(7);
    let own = |history: History| history.tells_news(1, 7);
    breaks(own(History::new()), &["fact"]);
    breaks(own(History::new().write(1, &[Frame::Facts { delta: &delta }])), &[]);
    breaks(History::new().tells_news(2, 7), &[]);
}
