//! Columns: the points of a whole family, in the shape in which they are collected and written.

use std::sync::Arc;

use crate::model::{
    CounterPoint, GaugeHistogramPoint, HistogramPoint, Metadata, MetricPoint, MetricType, Number, ShapeError,
    StateSetPoint, SummaryPoint, Timestamp,
};

/// The points of one family: a column per field, a row per metric.
///
/// A column with several entries per metric holds them row after row. `created` is empty when it was not asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Points {
    /// Of a counter of whole numbers.
    Counter {
        /// Totals.
        totals: Vec<u64>,
        /// Creation times.
        created: Vec<Timestamp>,
    },
    /// Of a counter of real numbers.
    FloatCounter {
        /// Totals.
        totals: Vec<f64>,
        /// Creation times.
        created: Vec<Timestamp>,
    },
    /// Of a gauge.
    Gauge {
        /// Values.
        values: Vec<f64>,
    },
    /// Of a gauge that counts up and down.
    UpDown {
        /// Values.
        values: Vec<i64>,
    },
    /// Of a histogram.
    Histogram {
        /// Cumulative counts, one per threshold and one for `+Inf`.
        cumulative: Vec<u64>,
        /// Sums of the observations.
        sums: Vec<f64>,
        /// Creation times.
        created: Vec<Timestamp>,
    },
    /// Of a summary.
    Summary {
        /// Numbers of observations.
        counts: Vec<u64>,
        /// Sums of the observations.
        sums: Vec<f64>,
        /// Values of the quantiles, in the order of the metadata.
        quantiles: Vec<f64>,
        /// Creation times.
        created: Vec<Timestamp>,
    },
    /// Of an info: the labels are all there is.
    Info,
    /// Of a stateset.
    StateSet {
        /// Which states are on, as many for each metric as the metadata has states.
        on: Vec<bool>,
    },
    /// Of a metric of unknown type.
    Unknown {
        /// Values.
        values: Vec<f64>,
    },
    /// Of a gauge histogram.
    GaugeHistogram {
        /// Cumulative counts, one per threshold and one for `+Inf`.
        cumulative: Vec<u64>,
        /// Sums of the values.
        sums: Vec<f64>,
    },
}

impl Points {
    /// The type of a family with such points.
    pub fn kind(&self) -> MetricType {
        match self {
            Self::Counter { .. } | Self::FloatCounter { .. } => MetricType::Counter,
            Self::Gauge { .. } | Self::UpDown { .. } => MetricType::Gauge,
            Self::Histogram { .. } => MetricType::Histogram,
            Self::Summary { .. } => MetricType::Summary,
            Self::Info => MetricType::Info,
            Self::StateSet { .. } => MetricType::StateSet,
            Self::Unknown { .. } => MetricType::Unknown,
            Self::GaugeHistogram { .. } => MetricType::GaugeHistogram,
        }
    }

    /// Empties every column and keeps its memory.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Counter { totals, .. } => totals.clear(),
            Self::FloatCounter { totals, .. } => totals.clear(),
            Self::Gauge { values } | Self::Unknown { values } => values.clear(),
            Self::UpDown { values } => values.clear(),
            Self::Info => {}
            Self::StateSet { on } => on.clear(),
            Self::Histogram { cumulative, sums, .. } | Self::GaugeHistogram { cumulative, sums } => {
                cumulative.clear();
                sums.clear();
            }
            Self::Summary { counts, sums, quantiles, .. } => {
                counts.clear();
                sums.clear();
                quantiles.clear();
            }
        }
        if let Some(created) = self.created_mut() {
            created.clear();
        }
    }

    /// The column of creation times, if the type has one.
    pub(crate) fn created_mut(&mut self) -> Option<&mut Vec<Timestamp>> {
        match self {
            Self::Counter { created, .. }
            | Self::FloatCounter { created, .. }
            | Self::Histogram { created, .. }
            | Self::Summary { created, .. } => Some(created),
            Self::Gauge { .. }
            | Self::UpDown { .. }
            | Self::Info
            | Self::StateSet { .. }
            | Self::Unknown { .. }
            | Self::GaugeHistogram { .. } => None,
        }
    }

    /// The point in `row`; panics when a column ends before it.
    pub(super) fn at(&self, row: usize, metadata: &Metadata) -> MetricPoint {
        match self {
            Self::Counter { totals, created } => counter(Number::Unsigned(totals[row]), created, row),
            Self::FloatCounter { totals, created } => counter(Number::Float(totals[row]), created, row),
            Self::Gauge { values } => MetricPoint::Gauge(Number::Float(values[row])),
            Self::UpDown { values } => MetricPoint::Gauge(Number::Signed(values[row])),
            Self::Histogram { cumulative, sums, created } => MetricPoint::Histogram(HistogramPoint {
                thresholds: Arc::clone(metadata.thresholds()),
                cumulative: entries(cumulative, row, metadata.buckets()).to_vec(),
                sum: sums[row],
                created: created.get(row).copied(),
            }),
            Self::Summary { counts, sums, quantiles, created } => {
                let values = entries(quantiles, row, metadata.quantiles().len());
                MetricPoint::Summary(SummaryPoint {
                    count: counts[row],
                    sum: sums[row],
                    quantiles: metadata.quantiles().iter().copied().zip(values.iter().copied()).collect(),
                    created: created.get(row).copied(),
                })
            }
            Self::Info => MetricPoint::Info,
            Self::StateSet { on } => MetricPoint::StateSet(StateSetPoint {
                states: Arc::clone(metadata.states()),
                on: entries(on, row, metadata.states().len()).to_vec(),
            }),
            Self::Unknown { values } => MetricPoint::Unknown(Number::Float(values[row])),
            Self::GaugeHistogram { cumulative, sums } => MetricPoint::GaugeHistogram(GaugeHistogramPoint {
                thresholds: Arc::clone(metadata.thresholds()),
                cumulative: entries(cumulative, row, metadata.buckets()).to_vec(),
                sum: sums[row],
            }),
        }
    }

    /// Whether these are `rows` points of the family that `metadata` describes.
    pub(super) fn check(&self, rows: usize, metadata: &Metadata) -> Result<(), ShapeError> {
        let family = metadata.name().raw();
        if self.kind() != metadata.kind() {
            let (expected, given) = (metadata.kind().as_str(), self.kind().as_str());
            return Err(ShapeError::Kind { family: family.to_owned(), expected, given });
        }
        let times = |created: &[Timestamp]| match created {
            [] => Ok(()),
            _ => filled(family, "created", created, rows),
        };
        match self {
            Self::Counter { totals, created } => {
                filled(family, "totals", totals, rows)?;
                times(created)
            }
            Self::FloatCounter { totals, created } => {
                filled(family, "totals", totals, rows)?;
                times(created)
            }
            Self::Gauge { values } | Self::Unknown { values } => filled(family, "values", values, rows),
            Self::Info => Ok(()),
            Self::StateSet { on } => filled(family, "on", on, rows * metadata.states().len()),
            Self::GaugeHistogram { cumulative, sums } => {
                filled(family, "cumulative", cumulative, rows * metadata.buckets())?;
                filled(family, "sums", sums, rows)
            }
            Self::UpDown { values } => filled(family, "values", values, rows),
            Self::Histogram { cumulative, sums, created } => {
                filled(family, "cumulative", cumulative, rows * metadata.buckets())?;
                filled(family, "sums", sums, rows)?;
                times(created)
            }
            Self::Summary { counts, sums, quantiles, created } => {
                filled(family, "counts", counts, rows)?;
                filled(family, "sums", sums, rows)?;
                filled(family, "quantiles", quantiles, rows * metadata.quantiles().len())?;
                times(created)
            }
        }
    }
}

/// The entries of one row in a column that has `width` of them per row.
pub(crate) fn entries<T>(column: &[T], row: usize, width: usize) -> &[T] {
    &column[row * width..][..width]
}

fn counter(total: Number, created: &[Timestamp], row: usize) -> MetricPoint {
    MetricPoint::Counter(CounterPoint { total, created: created.get(row).copied() })
}

fn filled<T>(family: &str, column: &'static str, entries: &[T], expected: usize) -> Result<(), ShapeError> {
    if entries.len() == expected {
        return Ok(());
    }
    Err(ShapeError::Rows { family: family.to_owned(), column, expected, given: entries.len() })
}
