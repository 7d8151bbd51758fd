//! `[crowd.arrivals]`: when people come.
//!
//! Owns the shapes of arrivals. Refuses to know how one is drawn, and how a trace is read.

use onsale_booking::Span;

use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::setting::{SOME_TIME, shapes};

/// Time constant of the decay after a spike or an opening.
const DECAY: Span = Span::from_secs(300);

shapes! {
    /// When people come. Each shape is scaled to the number of users.
    pub enum Arrivals in shapes:
        "write one of `constant`, `poisson`, `ramp`, `spike`, `on-sale`, `trace` and `named`"
    {
        /// People come evenly.
        Constant {
            /// From the start until then; at most `duration`.
            over: Span, in SOME_TIME;
        }
        /// The same rate throughout, and nobody minds when others come: the gaps between two are exponential.
        Poisson {
            /// From the start until then; at most `duration`.
            over: Span, in SOME_TIME;
        }
        /// From nothing to a peak at the end.
        Ramp {
            /// From the start until then; at most `duration`.
            over: Span, in SOME_TIME;
        }
        /// A floor, and a spike that decays: λ(t) = λ∞ + λ0·e^(−(t−at)/decay) after `at`.
        Spike {
            /// From the start until then; at most `duration`.
            over: Span, in SOME_TIME;
            /// When the spike comes; before the last arrival.
            at: Span;
            /// Time constant of its decay.
            decay: Span = DECAY, assumed, in SOME_TIME;
            /// Share of users in it.
            share: Ratio = Ratio::percent(50), assumed;
        }
        /// People gather before the opening, the rest come after it in a decaying stream.
        OnSale {
            /// When the sale opens; before the last arrival.
            opening: Span;
            /// From the start until then; at most `duration`.
            over: Span, in SOME_TIME;
            /// Share of users who come before the opening.
            before: Ratio = Ratio::percent(60), assumed;
            /// Share of those who, without a waiting room, press the button within `rush` of the opening.
            rush_share: Ratio = Ratio::percent(30), assumed;
            /// How long the rush lasts; it ends before the last arrival.
            rush: Span = Span::from_secs(2), assumed, in SOME_TIME;
            /// Time constant of the decay after the opening.
            decay: Span = DECAY, assumed, in SOME_TIME;
        }
        /// A recorded curve.
        Trace {
            /// The file, relative to the scenario's: CSV of `offset_s,arrivals`, in even steps.
            file: String;
            /// How many come of those that the trace counts; all, unless `crowd.users` says otherwise. A scenario that
            /// was read has the number in `crowd.users` and nothing here.
            scale: Option<Scale>;
            /// Its points, instead of reading the file: offset from the start, and arrivals from there to the next.
            points: Vec<(Span, u64)> = Vec::new(), chosen;
        }
        /// These people and nobody else. What each of them wants hangs on the person's number alone, so that a few can
        /// be named out of a crowd and still be who they were in it.
        Named {
            /// When each comes, and the person's number.
            people: Vec<(Span, u32)>;
        }
    }
}
