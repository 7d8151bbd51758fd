//! What is forgotten: records of holds that ended long ago.

use super::*;

/// The verdict of `hold` on a client told of a hold without a record, after this many holds have ended.
fn unrecorded(ended: u64) -> Verdict {
    let mut history = History::new();
    for hold in 1..=ended {
        let release = 1_000_000 + hold;
        history.held(1, hold, 1, &[3]).asks(1, &release_request(release, 1, hold));
        history.released(1, release, hold);
    }
    history.gets((2, 2, 3), 999_999, 2, &[5]);
    verdict(&history.results(10, &[]), "hold")
}

#[test]
fn a_told_hold_without_a_record_is_excused_once_records_of_ended_holds_are_forgotten() {
    assert_eq!(unrecorded(65_535), Verdict::Fail);
    assert_eq!(unrecorded(65_536), Verdict::Pass);
}

/// The verdict of `false-sold-out` on a refusal that nothing explains, with this many later ones that wait for a record.
fn unexplained(later: u64) -> Verdict {
    let mut history = History::new();
    let wish = |picked: &[u32], best: &[(u16, u8)]| Wish {
        picked: seats(picked),
        best: best.iter().map(|&(section, count)| (SectionId(section), count)).collect(),
    };
    let wrong = || wish(&[], &[(0, 1)]);
    history.oracles.hold_refused(secs(6), &asked(1, 5), Refusal::NoneFree, wrong);
    for request in 2..2 + later {
        let taken = || wish(&[3], &[]);
        history.oracles.hold_refused(secs(8), &asked(request, 7), Refusal::SeatTaken, taken);
    }
    history.held(8, 999_999, 2, &[3]);
    let results = history.results(10, &[]);
    assert_ne!(verdict(&results, "linearizable"), Verdict::Fail, "the seat is taken at 8");
    verdict(&results, "false-sold-out")
}

#[test]
fn a_refusal_is_excused_once_as_many_later_ones_wait_as_are_remembered() {
    assert_eq!(unexplained(65_535), Verdict::Fail);
    assert_eq!(unexplained(65_536), Verdict::Pass);
}
