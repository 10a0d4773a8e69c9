//! The metric types, and the suffixes of the samples that each of them produces.

use std::fmt;
use std::str::FromStr;

use crate::model::DeclareError;

/// What a sample's name adds to the name of its family.
pub(crate) mod suffix {
    pub(crate) const NONE: &str = "";
    pub(crate) const TOTAL: &str = "_total";
    pub(crate) const CREATED: &str = "_created";
    pub(crate) const BUCKET: &str = "_bucket";
    pub(crate) const SUM: &str = "_sum";
    pub(crate) const COUNT: &str = "_count";
    pub(crate) const GAUGE_SUM: &str = "_gsum";
    pub(crate) const GAUGE_COUNT: &str = "_gcount";
    pub(crate) const INFO: &str = "_info";
}

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricType {
    /// A total that only grows, until it is reset.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// Observations counted by size, with their sum.
    Histogram,
    /// Observations as a count and a sum, and quantiles if asked for.
    Summary,
    /// Text that does not change: the labels carry it.
    Info,
    /// States that are each on or off.
    StateSet,
    /// A value of which nobody knows what it is.
    Unknown,
    /// What there is now counted by size, with its sum: it comes and goes.
    GaugeHistogram,
}

impl MetricType {
    const ALL: [Self; 8] = [
        Self::Counter,
        Self::Gauge,
        Self::Histogram,
        Self::Summary,
        Self::Info,
        Self::StateSet,
        Self::Unknown,
        Self::GaugeHistogram,
    ];

    /// The word for this type on a `# TYPE` line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
            Self::GaugeHistogram => "gaugehistogram",
        }
    }

    /// The suffixes of every sample that a family of this type can produce (NAM-08).
    pub(crate) fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &[suffix::TOTAL, suffix::CREATED],
            Self::Gauge | Self::StateSet | Self::Unknown => &[suffix::NONE],
            Self::Histogram => &[suffix::BUCKET, suffix::SUM, suffix::COUNT, suffix::CREATED],
            Self::Summary => &[suffix::NONE, suffix::SUM, suffix::COUNT, suffix::CREATED],
            Self::Info => &[suffix::INFO],
            // Text 0.0.4 knows no such type, and shows it as a histogram.
            Self::GaugeHistogram => {
                &[suffix::BUCKET, suffix::GAUGE_SUM, suffix::GAUGE_COUNT, suffix::SUM, suffix::COUNT]
            }
        }
    }

    /// What the name of a family of this type has at its end where it goes by the name of its sample.
    pub(crate) fn own_suffix(self) -> &'static str {
        match self {
            Self::Counter => suffix::TOTAL,
            Self::Info => suffix::INFO,
            _ => suffix::NONE,
        }
    }

    /// The label that this type's samples add to those of the metric, which no key may be called; `exposed` is the name of the
    /// family on a page.
    pub(crate) fn own_label(self, exposed: &str) -> Option<&str> {
        match self {
            Self::Counter | Self::Gauge | Self::Info | Self::Unknown => None,
            Self::Histogram | Self::GaugeHistogram => Some("le"),
            Self::Summary => Some("quantile"),
            Self::StateSet => Some(exposed),
        }
    }
}

impl fmt::Display for MetricType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for MetricType {
    type Err = DeclareError;

    /// Reads the word that [`as_str`](Self::as_str) writes.
    ///
    /// # Errors
    /// `UnknownType` for any other text.
    fn from_str(text: &str) -> Result<Self, DeclareError> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| DeclareError::UnknownType { given: text.to_owned() })
    }
}
