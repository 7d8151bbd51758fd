//! Exit codes of the program, for scripts.
//!
//! Owns the numbers, which never change their meaning. Refuses to know how a result is shown.

use std::process::ExitCode;

use onsale_reports::{Oracle, RunFacts, Verdict};

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Every check passed.
    Passed = 0,
    /// An oracle failed: a promise to a customer, or an internal invariant, was broken.
    OracleFailed = 1,
    /// The command line, a scenario or a capsule is invalid and nothing was run; or `shrink` got a run that does
    /// not fail.
    Usage = 2,
    /// Every promise was kept, but a latency limit of the scenario was missed.
    LatencyMissed = 3,
    /// No oracle checked anything, or a check that the scenario requires was not exercised: not a pass.
    NotExercised = 4,
    /// A failure of this program or of the machine: two runs of one plan differ, or a result could not be
    /// written.
    Internal = 70,
    /// Ctrl-C or SIGTERM ended the run; the report covers a part.
    Interrupted = 130,
}

impl Exit {
    /// The exit code of a run. An interrupted run is neither a pass nor a failure, even if its oracles saw
    /// something before; a run stopped by `--until` counts as judged up to there.
    pub fn of(facts: &RunFacts) -> Self {
        let mut failed = facts.oracles.iter().filter(|oracle| oracle.verdict == Verdict::Fail);
        if facts.interrupted && facts.stopped.is_none() {
            Self::Interrupted
        } else if failed.clone().any(|oracle| oracle.name != Oracle::Latency.name()) {
            Self::OracleFailed
        } else if failed.next().is_some() {
            Self::LatencyMissed
        } else if !facts.checked_anything() || !facts.must_exercise_misses.is_empty() {
            Self::NotExercised
        } else {
            Self::Passed
        }
    }

    /// The graver of two: the result of a run, and a failure around it.
    #[must_use]
    pub const fn or(self, around: Self) -> Self {
        match self {
            Self::Passed | Self::NotExercised => around,
            Self::OracleFailed
            | Self::Usage
            | Self::LatencyMissed
            | Self::Internal
            | Self::Interrupted => self,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use onsale_reports::{OracleResult, Stopped};

    use super::*;

    fn facts(verdict: Verdict) -> RunFacts {
        let oracle = OracleResult { name: "hold".to_owned(), verdict, checked: 1, evidence: None };
        RunFacts { events: 1, oracles: vec![oracle], ..RunFacts::default() }
    }

    #[test]
    fn facts_decide_the_code() {
        assert_eq!(Exit::of(&facts(Verdict::Pass)), Exit::Passed);
        assert_eq!(Exit::of(&facts(Verdict::Fail)), Exit::OracleFailed);
        assert_eq!(Exit::of(&RunFacts::default()), Exit::NotExercised);
        // Only checks that a scenario requires must be exercised, but at least one check must be.
        assert_eq!(Exit::of(&facts(Verdict::NotExercised)), Exit::NotExercised);
        let mut one = facts(Verdict::Pass);
        one.oracles.extend(facts(Verdict::NotExercised).oracles);
        assert_eq!(Exit::of(&one), Exit::Passed);
        one.oracles[0].checked = 0;
        assert_eq!(Exit::of(&one), Exit::NotExercised);

        let missed = vec!["live".to_owned()];
        let missed = |verdict| RunFacts { must_exercise_misses: missed.clone(), ..facts(verdict) };
        assert_eq!(Exit::of(&missed(Verdict::Pass)), Exit::NotExercised);
        assert_eq!(Exit::of(&missed(Verdict::Fail)), Exit::OracleFailed);
        assert_eq!(
            Exit::of(&RunFacts { interrupted: true, ..facts(Verdict::Fail) }),
            Exit::Interrupted
        );
        let stopped = |verdict| RunFacts {
            interrupted: true,
            stopped: Some(Stopped::default()),
            ..facts(verdict)
        };
        assert_eq!(Exit::of(&stopped(Verdict::Fail)), Exit::OracleFailed);
        assert_eq!(Exit::of(&stopped(Verdict::Pass)), Exit::Passed);
    }

    #[test]
    fn a_missed_limit_is_told_apart_from_a_broken_promise() {
        let slow = |verdict| {
            let mut facts = facts(verdict);
            let evidence = None;
            let name = "latency".to_owned();
            facts.oracles.push(OracleResult { name, verdict: Verdict::Fail, checked: 1, evidence });
            facts
        };
        assert_eq!(Exit::of(&slow(Verdict::Pass)), Exit::LatencyMissed);
        assert_eq!(Exit::of(&slow(Verdict::Fail)), Exit::OracleFailed);
        let missed = vec!["live".to_owned()];
        let facts = RunFacts { must_exercise_misses: missed, ..slow(Verdict::Pass) };
        assert_eq!(Exit::of(&facts), Exit::LatencyMissed);
    }

    #[test]
    fn a_failure_is_not_hidden_by_a_full_disk() {
        assert_eq!(Exit::OracleFailed.or(Exit::Internal), Exit::OracleFailed);
        assert_eq!(Exit::Passed.or(Exit::Internal), Exit::Internal);
    }
}
