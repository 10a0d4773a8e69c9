//! The text formats, and all that tells them apart.

use crate::model::suffix;

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
    /// What the metadata of a counter adds to its name.
    pub(super) counter_suffix: &'static str,
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
                counter_suffix: suffix::NONE,
                units: true,
                created: true,
                help_quotes: true,
                end: "# EOF\n",
            },
            Self::Text => &Dialect {
                content_type: "text/plain; version=0.0.4; charset=utf-8",
                counter_suffix: suffix::TOTAL,
                units: false,
                created: false,
                help_quotes: false,
                end: "",
            },
        }
    }
}
