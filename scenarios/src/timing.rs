//! Durations: constant, or drawn from a distribution.
//!
//! Owns the one type for costs, latencies and think times, and how it is written. Refuses to know how it is
//! drawn.

use std::fmt;

use onsale_booking::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::human::{self, HumanSpan, Misread, Pair};
use crate::ratio::Ratio;

/// A duration, constant or drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Timing {
    /// Constant.
    Constant(Span),
    /// Exponential: the time until an event that is equally likely at any instant.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// Lognormal.
    LogNormal(LogNormal),
    /// A table of quantiles, evenly spread between neighbours: non-decreasing shares from 0 to 100 %, with
    /// non-decreasing spans. A share that occurs twice is a jump.
    Quantiles(Vec<(Ratio, Span)>),
}

/// A lognormal span.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// The median.
    #[serde(with = "human::span")]
    pub median: Span,
    /// Standard deviation of the logarithm, in thousandths.
    #[serde(rename = "sigma", with = "human::milli")]
    pub sigma_milli: u32,
}

impl Timing {
    /// No time at all.
    pub const ZERO: Self = Self::Constant(Span::ZERO);

    /// Lognormal, with the standard deviation of the logarithm in thousandths.
    pub const fn log_normal(median: Span, sigma_milli: u32) -> Self {
        Self::LogNormal(LogNormal { median, sigma_milli })
    }

    /// The span, if it is constant.
    pub const fn constant(&self) -> Option<Span> {
        if let Self::Constant(span) = self { Some(*span) } else { None }
    }

    /// The least duration.
    pub fn least(&self) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Exponential { .. } | Self::LogNormal(_) => Span::ZERO,
            Self::Quantiles(points) => points.first().map_or(Span::ZERO, |&(_, span)| span),
        }
    }

    /// The typical duration: the constant, the mean, or the median.
    pub fn typical(&self) -> Span {
        match self {
            Self::Constant(span) | Self::Exponential { mean: span } => *span,
            Self::LogNormal(LogNormal { median, .. }) => *median,
            Self::Quantiles(points) => points
                .iter()
                .find(|(share, _)| 2 * u64::from(share.num) >= u64::from(share.den))
                .map_or(Span::ZERO, |&(_, span)| span),
        }
    }

    /// Changes the typical duration and keeps the variation; a table of quantiles becomes a constant.
    pub fn set_typical(&mut self, typical: Span) {
        match self {
            Self::Constant(span)
            | Self::Exponential { mean: span }
            | Self::LogNormal(LogNormal { median: span, .. }) => *span = typical,
            Self::Quantiles(_) => *self = Self::Constant(typical),
        }
    }
}

impl From<Span> for Timing {
    fn from(span: Span) -> Self {
        Self::Constant(span)
    }
}

impl Serialize for Timing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(span) => HumanSpan(*span).serialize(serializer),
            Self::Exponential { mean } => {
                Keys { mean: Some(HumanSpan(*mean)), ..Keys::default() }.serialize(serializer)
            }
            Self::LogNormal(shape) => shape.serialize(serializer),
            Self::Quantiles(points) => {
                let points = points.iter().map(|&(share, span)| Pair(share, HumanSpan(span)));
                Keys { quantiles: Some(points.collect()), ..Keys::default() }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Timing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimingVisitor)
    }
}

/// The keys of a distribution.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<HumanSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    median: Option<HumanSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sigma: Option<Sigma>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantiles: Option<Vec<Pair<Ratio, HumanSpan>>>,
}

#[derive(Serialize, Deserialize)]
struct Sigma(#[serde(with = "human::milli")] u32);

const EXPECTING: &str = "a span of time such as `80ms` or `5s`, or how it is drawn";

struct TimingVisitor;

impl<'de> de::Visitor<'de> for TimingVisitor {
    type Value = Timing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTING)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timing, E> {
        human::parse_span(text).map(Timing::Constant).map_err(Misread::into_serde)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Timing, E> {
        bare(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Timing, E> {
        bare(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Timing, E> {
        bare(&number.to_string())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Timing, A::Error> {
        let keys = Keys::deserialize(de::value::MapAccessDeserializer::new(map))?;
        match keys {
            Keys { mean: Some(HumanSpan(mean)), median: None, sigma: None, quantiles: None } => {
                Ok(Timing::Exponential { mean })
            }
            Keys {
                mean: None,
                median: Some(HumanSpan(median)),
                sigma: Some(Sigma(sigma_milli)),
                quantiles: None,
            } => Ok(Timing::log_normal(median, sigma_milli)),
            Keys { mean: None, median: Some(_), sigma: None, quantiles: None } => {
                Err(de::Error::missing_field("sigma"))
            }
            Keys { mean: None, median: None, sigma: Some(_), quantiles: None } => {
                Err(de::Error::missing_field("median"))
            }
            Keys { mean: None, median: None, sigma: None, quantiles: Some(points) } => {
                let points = points.into_iter().map(|Pair(share, HumanSpan(span))| (share, span));
                Ok(Timing::Quantiles(points.collect()))
            }
            Keys { .. } => Err(Misread::new(
                "this is not one way to draw a span",
                "write one of `\"5ms\"`, `{ mean = \"5ms\" }`, `{ median = \"5ms\", sigma = 0.8 }` and \
                 `{ quantiles = [[\"0%\", \"1ms\"], [\"100%\", \"9ms\"]] }`",
            )
            .into_serde()),
        }
    }
}

fn bare<E: de::Error>(number: &str) -> Result<Timing, E> {
    let help = match human::parse_span(number) {
        Ok(_) => format!("write it as text, `\"{number}\"`"),
        Err(misread) => misread.help,
    };
    Err(Misread::new(format!("{number} is a bare number, not a span of time"), help).into_serde())
}
