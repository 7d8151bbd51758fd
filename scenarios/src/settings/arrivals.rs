//! `[crowd.arrivals]`: when people arrive.
//!
//! Owns the shapes of arrivals. Refuses to know how an arrival is drawn or a trace is read.

use onsale_booking::Span;

use crate::ratio::Ratio;
use crate::scale::Scale;
use crate::setting::{SOME_TIME, shapes};

/// Time constant of the decay after a spike or an opening.
const DECAY: Span = Span::from_secs(300);

shapes! {
    /// When people arrive. Each shape is scaled to the number of users.
    pub enum Arrivals in shapes:
        "write one of `constant`, `poisson`, `ramp`, `spike`, `on-sale`, `trace` and `named`"
    {
        /// A constant rate.
        Constant {
            /// Time of the last arrival, from the start; at most `duration`.
            over: Span, in SOME_TIME;
        }
        /// A Poisson process: a constant rate with exponential gaps between arrivals.
        Poisson {
            /// Time of the last arrival, from the start; at most `duration`.
            over: Span, in SOME_TIME;
        }
        /// A rate that rises from zero to a peak at the end.
        Ramp {
            /// Time of the last arrival, from the start; at most `duration`.
            over: Span, in SOME_TIME;
        }
        /// A constant rate and a spike that decays: λ(t) = λ∞ + λ0·e^(−(t−at)/decay) after `at`.
        Spike {
            /// Time of the last arrival, from the start; at most `duration`.
            over: Span, in SOME_TIME;
            /// Time of the spike; before the last arrival.
            at: Span;
            /// Time constant of its decay.
            decay: Span = DECAY, assumed, in SOME_TIME;
            /// Share of users in the spike.
            share: Ratio = Ratio::percent(50), assumed;
        }
        /// Some people gather before the opening; the others arrive after it at a decaying rate.
        OnSale {
            /// Time of the opening; before the last arrival.
            opening: Span;
            /// Time of the last arrival, from the start; at most `duration`.
            over: Span, in SOME_TIME;
            /// Share of users who come before the opening.
            before: Ratio = Ratio::percent(60), assumed;
            /// Share of early comers who, without a waiting room, press the button within `rush` of the opening.
            rush_share: Ratio = Ratio::percent(30), assumed;
            /// Duration of the rush; it ends before the last arrival.
            rush: Span = Span::from_secs(2), assumed, in SOME_TIME;
            /// Time constant of the decay after the opening.
            decay: Span = DECAY, assumed, in SOME_TIME;
        }
        /// A recorded curve.
        Trace {
            /// The file, relative to the scenario's: CSV of `offset_s,arrivals`, in even steps.
            file: String;
            /// Share of the trace's people who come; all of them, unless `crowd.users` says otherwise. A scenario that
            /// was read has the number in `crowd.users` and nothing here.
            scale: Option<Scale>;
            /// The points of the trace, instead of its file: offset from the start, and arrivals until the next point.
            points: Vec<(Span, u64)> = Vec::new(), chosen;
        }
        /// These people and nobody else. A person's wishes depend only on the person's number, so people picked out of
        /// a crowd want the same as in the crowd.
        Named {
            /// The arrival time and number of each person.
            people: Vec<(Span, u32)>;
        }
    }
}
