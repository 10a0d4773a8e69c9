//! The text formats, and all that tells them apart.

use crate::model::{MetricType, suffix};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus text 0.0.4: no creation times, no units, no end mark, and counters go by the name of their sample.
    Text,
}

/// How a page of one format differs from that of another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    content_type: &'static str,
    /// Whether families go by the name of their sample where there is only one, and the four types of 0.0.4 are all there is.
    pub(super) old_types: bool,
    /// Whether there are `# UNIT` lines.
    pub(super) units: bool,
    /// Whether there are `_created` samples.
    pub(super) created: bool,
    /// Whether `"` is escaped in help.
    pub(super) help_quotes: bool,
    /// What ends the page.
    pub(super) end: &'static str,
}

impl Format {
    /// The media type of a page, for `Content-Type`.
    pub fn content_type(self) -> &'static str {
        self.dialect().content_type
    }

    pub(super) fn dialect(self) -> &'static Dialect {
        match self {
            Self::OpenMetrics => &Dialect {
                content_type: "application/openmetrics-text; version=1.0.0; charset=utf-8",
                old_types: false,
                units: true,
                created: true,
                help_quotes: true,
                end: "# EOF\n",
            },
            Self::Text => &Dialect {
                content_type: "text/plain; version=0.0.4; charset=utf-8",
                old_types: true,
                units: false,
                created: false,
                help_quotes: false,
                end: "",
            },
        }
    }
}

impl Dialect {
    /// What the metadata of a family of this type adds to its name.
    pub(super) fn family_suffix(&self, kind: MetricType) -> &'static str {
        match kind {
            MetricType::Counter if self.old_types => suffix::TOTAL,
            MetricType::Info if self.old_types => suffix::INFO,
            _ => suffix::NONE,
        }
    }

    /// The word for this type on a `# TYPE` line (ITR-08).
    pub(super) fn type_word(&self, kind: MetricType) -> &'static str {
        match kind {
            MetricType::Info | MetricType::StateSet if self.old_types => MetricType::Gauge.as_str(),
            MetricType::GaugeHistogram if self.old_types => MetricType::Histogram.as_str(),
            MetricType::Unknown if self.old_types => "untyped",
            _ => kind.as_str(),
        }
    }

    /// What the name of a sample adds to that of its family, which OpenMetrics calls `suffix`.
    #[inline(always)]
    pub(super) fn sample_suffix(&self, suffix: &'static str) -> &'static str {
        match suffix {
            suffix::GAUGE_SUM if self.old_types => suffix::SUM,
            suffix::GAUGE_COUNT if self.old_types => suffix::COUNT,
            suffix => suffix,
        }
    }
}
