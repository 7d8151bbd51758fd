//! How soon the oracles saw what unsafe settings break.
//!
//! Owns the facts, their median and maximum. Judges nothing: the limit comes with the facts.

use serde::{Deserialize, Serialize};

use crate::json;

/// The measurements of one unsafe scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// The scenario's id.
    pub scenario: String,
    /// The unsafe settings, as scenario files write them.
    pub settings: Vec<String>,
    /// The failures that they cause, by id.
    pub failures: Vec<String>,
    /// The oracle that must fail.
    pub oracle: String,
    /// Limit on the number of seeds.
    pub within: u32,
    /// Number of seeds from each start; `None` if it exceeded the limit.
    pub seeds: Vec<Option<u32>>,
}

impl Detection {
    /// Median number of seeds over all starts, the later of the two middle ones if their number is even; `None`
    /// if that start saw no failure.
    pub fn median(&self) -> Option<u32> {
        self.ordered().get(self.seeds.len() / 2).copied()
    }

    /// Greatest number of seeds; `None` if a start saw no failure.
    pub fn worst(&self) -> Option<u32> {
        self.ordered().last().copied().filter(|_| self.is_seen())
    }

    /// Whether it was seen from every start within the limit.
    pub fn is_seen(&self) -> bool {
        !self.seeds.is_empty() && self.seeds.iter().all(Option::is_some)
    }

    /// Numbers of seeds of the starts that saw a failure, in ascending order.
    fn ordered(&self) -> Vec<u32> {
        let mut seeds: Vec<u32> = self.seeds.iter().copied().flatten().collect();
        seeds.sort_unstable();
        seeds
    }
}

/// The measurements of all unsafe scenarios.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detections {
    /// The version of this format.
    pub schema: u32,
    /// The version of the code that ran.
    pub code_version: String,
    /// Number of starts of each scenario.
    pub starts: u32,
    /// The scenarios, in the order of the command line.
    pub detections: Vec<Detection>,
}

impl Detections {
    /// Whether every failure was seen within its limit.
    pub fn are_complete(&self) -> bool {
        !self.detections.is_empty() && self.detections.iter().all(Detection::is_seen)
    }

    /// The measurements as JSON.
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
