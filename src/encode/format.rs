//! The formats, and all that tells them apart.

use crate::model::{EscapingScheme, MetricType, suffix};

/// The format of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// OpenMetrics 2.0, as its release candidate 0 has it: families go by the name of their samples, a metric is one line with all
    /// its values (a stateset one line a state), and its creation time stands behind them as `st@`.
    #[cfg(feature = "openmetrics2")]
    OpenMetrics2,
    /// Prometheus text 0.0.4: no creation times, no units, no end mark, and counters go by the name of their sample.
    Text,
    /// Prometheus protobuf: delimited `io.prometheus.client.MetricFamily` messages, no text.
    ///
    /// Names and types are those of [`Text`](Self::Text), except that a gauge histogram has a type of its own; units, exemplars and creation
    /// times are those of [`OpenMetrics`](Self::OpenMetrics). Every value but a count of observations is a double, so totals above 2^53 lose their
    /// last digits. A histogram with a negative threshold has its sum and count, and a family without metrics has no message.
    Protobuf,
    /// The page of Prosody 0.12 and 13, which is nearly OpenMetrics (`compat = "prosody"`): help, unit and type in this order, also
    /// where they are empty; empty label values too, and all of them escaped twice; numbers in up to 17 digits; a counter's creation
    /// time before its total.
    ///
    /// Names and `le` are as they were declared: a registry of [`Dialect::Prosody`](crate::model::Dialect::Prosody) has Prosody's.
    Prosody,
}

/// What a page says of a family before its samples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Head {
    Help,
    Unit,
    Type,
}

/// In whose words metrics become lines, if lines they become.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wording {
    /// As the specifications have it.
    Standard,
    /// As OpenMetrics 2.0 has it: all values of a metric in one.
    #[cfg(feature = "openmetrics2")]
    Composite,
    /// As Prosody has it.
    Prosody,
    /// Messages. Of the other rules, `old_types`, `created` and `exemplars` hold for them.
    Protobuf,
}

/// A media type: as it is, and with the parameter of each scheme, in their order.
type MediaType = [&'static str; 1 + EscapingScheme::ALL.len()];

macro_rules! media_type {
    ($plain:literal) => {
        [
            $plain,
            concat!($plain, "; escaping=allow-utf-8"),
            concat!($plain, "; escaping=underscores"),
            concat!($plain, "; escaping=dots"),
            concat!($plain, "; escaping=values"),
        ]
    };
}

/// How a page of one format differs from that of another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    media_type: MediaType,
    /// How names are written that are not classic.
    pub(super) scheme: EscapingScheme,
    /// Whether families go by the name of their sample where there is only one.
    pub(super) sample_names: bool,
    /// Whether the four types of 0.0.4 are all there is.
    pub(super) old_types: bool,
    /// The lines of metadata, in their order.
    pub(super) heads: &'static [Head],
    /// Whether there is a line of metadata with nothing to say.
    pub(super) empty_heads: bool,
    /// Whether `"` is escaped in help.
    pub(super) help_quotes: bool,
    /// In whose words metrics become lines, if lines they become.
    pub(super) wording: Wording,
    /// Whether there are creation times.
    pub(super) created: bool,
    /// Whether there are exemplars.
    pub(super) exemplars: bool,
    /// What ends the page.
    pub(super) end: &'static str,
}

impl Format {
    /// The media type of a page, for `Content-Type`.
    pub fn content_type(self) -> &'static str {
        self.rules().media_type[0]
    }

    /// The same for who asked for an escaping scheme, which is told in return. The page of Prosody has one, and does not say so.
    ///
    /// # Examples
    /// ```
    /// use manometer::{encode::Format, model::EscapingScheme};
    ///
    /// let media_type = Format::Text.content_type_in(EscapingScheme::AllowUtf8);
    /// assert_eq!(media_type, "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8");
    /// ```
    pub fn content_type_in(self, scheme: EscapingScheme) -> &'static str {
        match self {
            Self::Prosody => self.content_type(),
            _ => self.rules().media_type[1 + scheme as usize],
        }
    }

    pub(super) fn rules(self) -> &'static Rules {
        match self {
            Self::OpenMetrics => &Rules {
                media_type: media_type!("application/openmetrics-text; version=1.0.0; charset=utf-8"),
                scheme: EscapingScheme::Underscores,
                sample_names: false,
                old_types: false,
                heads: &[Head::Type, Head::Unit, Head::Help],
                empty_heads: false,
                help_quotes: true,
                wording: Wording::Standard,
                created: true,
                exemplars: true,
                end: "# EOF\n",
            },
            #[cfg(feature = "openmetrics2")]
            Self::OpenMetrics2 => &Rules {
                media_type: media_type!("application/openmetrics-text; version=2.0.0; charset=utf-8"),
                scheme: EscapingScheme::Underscores,
                sample_names: true,
                old_types: false,
                heads: &[Head::Type, Head::Unit, Head::Help],
                empty_heads: false,
                help_quotes: true,
                wording: Wording::Composite,
                created: true,
                exemplars: true,
                end: "# EOF\n",
            },
            Self::Text => &Rules {
                media_type: media_type!("text/plain; version=0.0.4; charset=utf-8"),
                scheme: EscapingScheme::Underscores,
                sample_names: true,
                old_types: true,
                heads: &[Head::Type, Head::Help],
                empty_heads: false,
                help_quotes: false,
                wording: Wording::Standard,
                created: false,
                exemplars: false,
                end: "",
            },
            Self::Protobuf => &Rules {
                media_type: media_type!(
                    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
                ),
                scheme: EscapingScheme::Underscores,
                sample_names: true,
                old_types: true,
                heads: &[],
                empty_heads: false,
                help_quotes: false,
                wording: Wording::Protobuf,
                created: true,
                exemplars: true,
                end: "",
            },
            Self::Prosody => &Rules {
                media_type: media_type!("application/openmetrics-text; version=0.0.4"),
                scheme: EscapingScheme::Underscores,
                sample_names: false,
                old_types: false,
                heads: &[Head::Help, Head::Unit, Head::Type],
                empty_heads: true,
                help_quotes: false,
                wording: Wording::Prosody,
                created: true,
                exemplars: false,
                end: "# EOF\n",
            },
        }
    }
}

impl Rules {
    /// What the metadata of a family of this type adds to its name.
    pub(super) fn family_suffix(&self, kind: MetricType) -> &'static str {
        if self.sample_names { kind.own_suffix() } else { suffix::NONE }
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
