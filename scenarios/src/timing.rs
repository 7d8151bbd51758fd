//! How long something takes: always as long, or drawn each time.
//!
//! Owns the one value for costs, latencies and thoughts, and how it is written. Refuses to know how
//! it is drawn.

use std::fmt;

use onsale_booking::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::human::{self, HumanSpan, Misread, Pair};
use crate::ratio::Ratio;

/// How long something takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Timing {
    /// Always as long.
    Constant(Span),
    /// As long as one waits for what comes at any instant alike.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// Lognormal.
    LogNormal(LogNormal),
    /// By its quantiles, evenly spread between each two: shares that do not fall, from 0 to 100 %, and spans
    /// that do not fall either. A share that stands twice is a leap.
    Quantiles(Vec<(Ratio, Span)>),
}

/// A lognormal span.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// Half of all draws lie below.
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

    /// The span, if it is always the same.
    pub const fn constant(&self) -> Option<Span> {
        if let Self::Constant(span) = self { Some(*span) } else { None }
    }

    /// What it takes at least.
    pub fn least(&self) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Exponential { .. } | Self::LogNormal(_) => Span::ZERO,
            Self::Quantiles(points) => points.first().map_or(Span::ZERO, |&(_, span)| span),
        }
    }

    /// What it takes as a rule: the value, the mean, the median.
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

    /// From now on it takes that as a rule, and varies as before; a table of quantiles gives way to it.
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

/// The keys of what is drawn.
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
