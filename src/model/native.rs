//! Native histograms as plain data: what a declaration fixes, and what a collection finds.

use crate::model::{DeclareError, NativeRule};

/// Schemas that there are: a power of two is cut in 2^schema buckets, or 2^-schema powers are one bucket.
const SCHEMAS: std::ops::RangeInclusive<i32> = LOWEST_SCHEMA..=8;
const LOWEST_SCHEMA: i32 = -4;

/// What a native histogram is declared with.
///
/// As it comes: schema 3, so that a bucket ends 9 % above where it begins; a zero bucket up to 2^-128; at most 160 buckets in what is
/// shown; no negative values.
///
/// # Examples
/// ```
/// use manometer::NativeOptions;
///
/// let options = NativeOptions::new().schema(5).zero_threshold(1e-9).max_buckets(320);
/// let latency = manometer::Registry::new().histogram("latency").unit("seconds").native(options).single()?;
/// latency.observe(0.25);
/// assert_eq!(latency.native_point().expect("declared so").positive, [(-64, 1)]);
/// # Ok::<(), manometer::DeclareError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct NativeOptions {
    schema: i32,
    zero_threshold: f64,
    max_buckets: usize,
    negative: bool,
}

impl Default for NativeOptions {
    fn default() -> Self {
        Self { schema: 3, zero_threshold: f64::from_bits((1023 - 128) << 52), max_buckets: 160, negative: false }
    }
}

impl NativeOptions {
    /// The options as they come.
    pub fn new() -> Self {
        Self::default()
    }

    /// How fine the buckets are, from -4 to 8: each ends 2^(2^-schema) times where it begins.
    pub fn schema(self, schema: i32) -> Self {
        Self { schema, ..self }
    }

    /// How far from zero a value may be and still fall in the zero bucket.
    pub fn zero_threshold(self, zero_threshold: f64) -> Self {
        Self { zero_threshold, ..self }
    }

    /// The most buckets that a point shows, the zero bucket not among them. A point with more is shown in a coarser schema, two buckets
    /// becoming one as often as need be; what is recorded stays as fine as it is.
    pub fn max_buckets(self, max_buckets: usize) -> Self {
        Self { max_buckets, ..self }
    }

    /// Whether negative values are observed as well; otherwise they are refused and counted. Text pages show neither sum nor count then, as
    /// for buckets with a negative threshold.
    pub fn negative(self, negative: bool) -> Self {
        Self { negative, ..self }
    }

    /// The schema.
    pub fn given_schema(&self) -> i32 {
        self.schema
    }

    /// The zero threshold.
    pub fn given_zero_threshold(&self) -> f64 {
        self.zero_threshold
    }

    /// Whether negative values are observed.
    pub fn takes_negative(&self) -> bool {
        self.negative
    }

    /// Checks the options of `family`.
    pub(crate) fn check(&self, family: &str) -> Result<(), DeclareError> {
        let invalid = |given: f64, rule| Err(DeclareError::InvalidNative { family: family.to_owned(), given, rule });
        if !SCHEMAS.contains(&self.schema) {
            return invalid(self.schema.into(), NativeRule::Schema);
        }
        if !(self.zero_threshold >= 0.0 && self.zero_threshold.is_finite()) {
            return invalid(self.zero_threshold, NativeRule::ZeroThreshold);
        }
        let least = self.fewest_buckets();
        if self.max_buckets < least {
            return invalid(self.max_buckets as f64, NativeRule::MaxBuckets { least });
        }
        Ok(())
    }

    /// How many buckets of the lowest schema hold every value beyond the zero threshold.
    fn fewest_buckets(&self) -> usize {
        let width = 1 << -LOWEST_SCHEMA;
        let lowest = self.zero_threshold.max(f64::from_bits(1)).log2().floor() as i32;
        let of_one_sign = 1024i32.div_euclid(width) - lowest.div_euclid(width);
        of_one_sign as usize * if self.negative { 2 } else { 1 }
    }

    /// The point of these buckets, number and count, ascending by number: merged until there are no more than may be shown.
    pub(crate) fn point(&self, zero_count: u64, signed: [Vec<(i32, u64)>; 2], sum: f64) -> NativeHistogram {
        let [positive, negative] = signed;
        let zero_threshold = self.zero_threshold;
        let mut point = NativeHistogram { schema: self.schema, zero_threshold, zero_count, positive, negative, sum };
        while point.positive.len() + point.negative.len() > self.max_buckets && point.schema > LOWEST_SCHEMA {
            point.halve();
        }
        point
    }
}

/// A native histogram at one time: exponential buckets, those that are empty left out.
///
/// Bucket `i` of `schema` holds the values above 2^((i-1)·2^-schema) and up to 2^(i·2^-schema), and of the negative ones those whose
/// size is there.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeHistogram {
    /// How fine the buckets are.
    pub schema: i32,
    /// How far from zero the values of the zero bucket are at most.
    pub zero_threshold: f64,
    /// How many observations are in the zero bucket.
    pub zero_count: u64,
    /// Number and count of each bucket of positive values, ascending by number.
    pub positive: Vec<(i32, u64)>,
    /// Likewise of negative values.
    pub negative: Vec<(i32, u64)>,
    /// The sum of the observations.
    pub sum: f64,
}

impl NativeHistogram {
    /// How many observations there are: the sum of all buckets.
    pub fn count(&self) -> u64 {
        let buckets = self.positive.iter().chain(&self.negative);
        buckets.fold(self.zero_count, |total, (_, count)| total.wrapping_add(*count))
    }

    /// The upper bound of bucket `number`; infinite for one that ends above every float.
    pub fn upper_bound(&self, number: i32) -> f64 {
        (f64::from(number) * f64::from(-self.schema).exp2()).exp2()
    }

    /// Makes one bucket of every two neighbours that a coarser schema has as one.
    fn halve(&mut self) {
        self.schema -= 1;
        for buckets in [&mut self.positive, &mut self.negative] {
            buckets.iter_mut().for_each(|(number, _)| *number = (*number + 1) >> 1);
            buckets.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                kept.1 += if same { later.1 } else { 0 };
                same
            });
        }
    }
}
