//! What watches a run: the oracles and the recorder.
//!
//! Owns nothing but the pair, so that whoever tells one tells the other.

use onsale_reports::Recorder;

use crate::oracle::Oracles;

/// The oracles and the recorder of a run.
#[derive(Debug)]
pub struct Witness {
    /// Judges.
    pub oracles: Oracles,
    /// Counts.
    pub recorder: Recorder,
}
