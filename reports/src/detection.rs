//! How soon the oracles saw what unsafe settings break.
//!
//! Owns the facts and their median and worst. Judges nothing: the limit comes with the facts.

use serde::{Deserialize, Serialize};

use crate::json;

/// What was measured of one unsafe scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// The scenario's id.
    pub scenario: String,
    /// The unsafe settings, each as a scenario file writes it.
    pub settings: Vec<String>,
    /// The failures that they let happen, by id.
    pub failures: Vec<String>,
    /// The oracle that has to fail.
    pub oracle: String,
    /// Limit on the number of seeds.
    pub within: u32,
    /// For each start, how many seeds it took; `None` if it took more than the limit.
    pub seeds: Vec<Option<u32>>,
}

impl Detection {
    /// How many seeds it took in the middle of all starts, the later of the two if their number
    /// is even; `None` if that start saw no failure.
    pub fn median(&self) -> Option<u32> {
        self.ordered().get(self.seeds.len() / 2).copied()
    }

    /// How many seeds it took at most; `None` if a start saw no failure.
    pub fn worst(&self) -> Option<u32> {
        self.ordered().last().copied().filter(|_| self.is_seen())
    }

    /// Whether it was seen from every start within the limit.
    pub fn is_seen(&self) -> bool {
        !self.seeds.is_empty() && self.seeds.iter().all(Option::is_some)
    }

    /// What it took where it was seen, the least first.
    fn ordered(&self) -> Vec<u32> {
        let mut seeds: Vec<u32> = self.seeds.iter().copied().flatten().collect();
        seeds.sort_unstable();
        seeds
    }
}

/// All that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detections {
    /// The version of this format.
    pub schema: u32,
    /// The version of the code that ran.
    pub code_version: String,
    /// How many starts each scenario had.
    pub starts: u32,
    /// One scenario each, in the order asked for.
    pub detections: Vec<Detection>,
}

impl Detections {
    /// Whether everything was seen within its limit.
    pub fn are_complete(&self) -> bool {
        !self.detections.is_empty() && self.detections.iter().all(Detection::is_seen)
    }

    /// All of it as JSON.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }
}

#[cfg(test)]
pub(crate) fn detection(scenario: &str, seeds: &[Option<u32>]) -> Detection {
    Detection {
        scenario: scenario.to_owned(),
        settings: vec!["sale.early = \"15s\"".to_owned()],
        failures: vec!["F4".to_owned()],
        oracle: "hold".to_owned(),
        within: 5,
        seeds: seeds.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_without_a_finding_counts_as_the_longest() {
        type Row = (&'static [Option<u32>], Option<u32>, Option<u32>, bool);
        let table: [Row; 5] = [
            (&[Some(3), Some(1), Some(2)], Some(2), Some(3), true),
            (&[Some(4), Some(1), Some(2), Some(3)], Some(3), Some(4), true),
            (&[Some(1), None, Some(2)], Some(2), None, false),
            (&[None, None, Some(2)], None, None, false),
            (&[], None, None, false),
        ];
        for (seeds, median, worst, seen) in table {
            let detection = detection("unsafe/a", seeds);
            let told = (detection.median(), detection.worst(), detection.is_seen());
            assert_eq!(told, (median, worst, seen), "{seeds:?}");
        }
    }
}
