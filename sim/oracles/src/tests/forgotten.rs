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
