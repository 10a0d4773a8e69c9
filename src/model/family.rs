//! Families, their metrics, and the set of all families.

use std::sync::Arc;
use std::{fmt, mem};

use crate::model::{Exemplar, LabelRows, Metadata, MetricPoint, NativeHistogram, Points, ShapeError};

/// All families of one collection.
///
/// The engine sorts them by exposed name; encoders keep the order they find.
#[derive(Clone, Debug, Default)]
pub struct MetricSet {
    /// The families.
    pub families: Vec<MetricFamily>,
}

impl MetricSet {
    /// The family of this raw name.
    pub fn family(&self, raw: &str) -> Option<&MetricFamily> {
        self.families.iter().find(|family| family.metadata.name().raw() == raw)
    }
}

/// The metrics of one name: what is fixed, the label sets, and one point for each of them.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use manometer::model::{FamilyName, LabelTable, Metadata, MetricFamily, MetricType, Points};
///
/// let name = FamilyName::compose("requests", "", MetricType::Counter)?;
/// let metadata = Metadata::new(name, MetricType::Counter).with_labels(&["method"])?;
/// let labels = LabelTable::new(&["method"], [["GET"], ["PUT"]])?;
/// let points = Points::Counter { totals: vec![17, 4], created: vec![] };
/// let family = MetricFamily::new(Arc::new(metadata), Arc::new(labels), points)?;
///
/// let metric = family.metrics().next().expect("the first of two");
/// assert_eq!(metric.value("method"), Some("GET"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MetricFamily {
    metadata: Arc<Metadata>,
    labels: Arc<dyn LabelRows>,
    points: Points,
    exemplars: Vec<ExemplarAt>,
    natives: Vec<NativeHistogram>,
}

/// An exemplar, and where in its family it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct ExemplarAt {
    /// The row of the metric.
    pub row: usize,
    /// The bucket of a histogram; 0 of a counter. Of a native histogram without classic buckets one of 32 places, which go by powers of
    /// two.
    pub bucket: usize,
    /// The exemplar.
    pub exemplar: Arc<Exemplar>,
}

impl MetricFamily {
    /// Joins the parts, whose rows must be those of one another; each row of `labels` has a value per label key.
    ///
    /// # Errors
    /// `Kind` when the points are those of another type, `Rows` for the first column of another length.
    pub fn new(metadata: Arc<Metadata>, labels: Arc<dyn LabelRows>, points: Points) -> Result<Self, ShapeError> {
        points.check(labels.len(), &metadata)?;
        Ok(Self { metadata, labels, points, exemplars: Vec::new(), natives: Vec::new() })
    }

    /// The same with exemplars, in any order. One bucket has one: the last that is given.
    ///
    /// # Errors
    /// `Exemplar` for one in a row or bucket that there is not, or of a family that is no counter or histogram.
    pub fn with_exemplars(mut self, exemplars: Vec<ExemplarAt>) -> Result<Self, ShapeError> {
        let buckets = match self.points {
            Points::Counter { .. } | Points::FloatCounter { .. } | Points::Histogram { .. } => {
                self.metadata.most_exemplars()
            }
            _ => 0,
        };
        if let Some(ExemplarAt { row, bucket, .. }) =
            exemplars.iter().find(|at| at.row >= self.len() || at.bucket >= buckets)
        {
            let family = self.metadata.name().raw().to_owned();
            return Err(ShapeError::Exemplar { family, row: *row, bucket: *bucket });
        }
        self.exemplars = exemplars;
        self.sort_exemplars();
        Ok(self)
    }

    /// The same with the native histograms of its metrics, one per row; their sums and counts are those of the points.
    ///
    /// # Errors
    /// `Native` if these are no histograms, `Rows` for another number of them.
    pub fn with_natives(mut self, natives: Vec<NativeHistogram>) -> Result<Self, ShapeError> {
        let family = || self.metadata.name().raw().to_owned();
        if !matches!(self.points, Points::Histogram { .. }) {
            return Err(ShapeError::Native { family: family() });
        }
        if natives.len() != self.len() {
            let (expected, given) = (self.len(), natives.len());
            return Err(ShapeError::Rows { family: family(), column: "natives", expected, given });
        }
        self.natives = natives;
        Ok(self)
    }

    /// The native histograms, one per row, or none at all.
    pub fn natives(&self) -> &[NativeHistogram] {
        &self.natives
    }

    /// Gives the memory of the native histograms away, to be filled again.
    pub(crate) fn lend_natives(&mut self) -> Vec<NativeHistogram> {
        mem::take(&mut self.natives)
    }

    /// Takes the native histograms of the points that it was filled with last.
    pub(crate) fn refill_natives(&mut self, natives: Vec<NativeHistogram>) {
        self.natives = natives;
    }

    /// Every exemplar, by row and bucket.
    pub fn exemplars(&self) -> &[ExemplarAt] {
        &self.exemplars
    }

    /// Those of the metric in `row`, by bucket.
    pub(crate) fn exemplars_of(&self, row: usize) -> &[ExemplarAt] {
        let start = self.exemplars.partition_point(|at| at.row < row);
        let rest = &self.exemplars[start..];
        &rest[..rest.partition_point(|at| at.row == row)]
    }

    /// Takes the exemplars of the label sets that it was filled with last, in any order.
    pub(crate) fn refill_exemplars(&mut self, fill: impl FnOnce(&mut Vec<ExemplarAt>)) {
        self.exemplars.clear();
        fill(&mut self.exemplars);
        self.sort_exemplars();
    }

    fn sort_exemplars(&mut self) {
        // Of two in one place the later one stays: the sort is stable, and they are looked at from the end.
        self.exemplars.reverse();
        self.exemplars.sort_by_key(|at| (at.row, at.bucket));
        self.exemplars.dedup_by_key(|at| (at.row, at.bucket));
    }

    /// What is fixed about the family.
    pub fn metadata(&self) -> &Arc<Metadata> {
        &self.metadata
    }

    /// The label sets.
    pub fn labels(&self) -> &Arc<dyn LabelRows> {
        &self.labels
    }

    /// The points, a row per label set.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// How many metrics there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no metric.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The metrics in row order.
    pub fn metrics(&self) -> impl Iterator<Item = Metric<'_>> {
        (0..self.len()).map(|row| Metric { family: self, row })
    }

    /// The metric in `row`; None if there are fewer.
    pub fn metric(&self, row: usize) -> Option<Metric<'_>> {
        (row < self.len()).then_some(Metric { family: self, row })
    }

    /// Takes new label sets and opens the columns, which the caller fills with a point for each of them.
    pub(crate) fn refill(&mut self, labels: Arc<dyn LabelRows>) -> &mut Points {
        self.labels = labels;
        &mut self.points
    }
}

/// One metric of a family: a label set and its point.
#[derive(Clone, Copy)]
pub struct Metric<'a> {
    family: &'a MetricFamily,
    row: usize,
}

impl<'a> Metric<'a> {
    /// The family it belongs to.
    pub fn family(&self) -> &'a MetricFamily {
        self.family
    }

    /// Its row in the family.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Its labels, key and value, in key order; empty values included.
    pub fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let Self { family, row } = *self;
        let keys = family.metadata.label_keys().iter().enumerate();
        keys.map(move |(position, key)| (key.as_ref(), family.labels.value(row, position)))
    }

    /// The value of the label `key`.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.labels().find_map(|(known, value)| (known == key).then_some(value))
    }

    /// Its exemplars, each with the number of its bucket: 0 of a counter, a place of a native histogram; see [`ExemplarAt`].
    pub fn exemplars(&self) -> impl Iterator<Item = (usize, &'a Exemplar)> + use<'a> {
        self.family.exemplars_of(self.row).iter().map(|at| (at.bucket, &*at.exemplar))
    }

    /// Its native histogram, if it has one.
    pub fn native(&self) -> Option<&'a NativeHistogram> {
        self.family.natives.get(self.row)
    }

    /// Its point.
    pub fn point(&self) -> MetricPoint {
        self.family.points.at(self.row, &self.family.metadata)
    }
}

impl fmt::Debug for Metric<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<_> = self.labels().collect();
        f.debug_struct("Metric").field("labels", &labels).field("point", &self.point()).finish()
    }
}
