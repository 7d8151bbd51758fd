//! `[replay]`: the seed under which a scenario once failed.
//!
//! Owns the keys. Refuses to know what failed: the comment at the top of the file says it.

use onsale_reports::json::seed::Seed;

use crate::setting::{Kind, Value, by_serde, settings};

settings! {
    /// The seed, and the random streams, under which a regression once failed.
    pub table Replay {
        /// Seed to play.
        seed: Seed;
        /// Streams that this seed does not draw, each with a seed of its own.
        streams: Vec<(String, Seed)> = Vec::new(), chosen;
    }
}

impl Value for Seed {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Text {
            form: "a seed: a whole number from 0 to 2⁶⁴ − 1, in quotes",
            pattern: "^[0-9]+$",
        }
    }

    by_serde!();
}
