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
    /// for buckets with a negative threshold, beside which negative values are observed in any case.
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

    /// A point without observations.
    pub(crate) fn empty_point(&self) -> NativeHistogram {
        NativeHistogram {
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: 0,
            positive: Vec::new(),
            negative: Vec::new(),
            sum: 0.0,
        }
    }

    /// Takes every observation out of a point of the same family, and keeps its memory; its sum is set anew.
    pub(crate) fn clear(&self, point: &mut NativeHistogram) {
        point.schema = self.schema;
        point.zero_count = 0;
        point.positive.clear();
        point.negative.clear();
    }

    /// Merges the buckets of a point until there are no more than may be shown.
    pub(crate) fn limit(&self, point: &mut NativeHistogram) {
        while point.positive.len() + point.negative.len() > self.max_buckets && point.schema > LOWEST_SCHEMA {
            point.halve();
        }
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

    /// Adds observations to a bucket: whether it holds negative values, and its number, which is not below those that came before; None is
    /// the zero bucket.
    pub(crate) fn add(&mut self, bucket: Option<(bool, i32)>, count: u64) {
        let Some((negative, number)) = bucket else {
            self.zero_count = self.zero_count.wrapping_add(count);
            return;
        };
        let buckets = if negative { &mut self.negative } else { &mut self.positive };
        match buckets.last_mut() {
            // Pieces of one bucket.
            Some((last, total)) if *last == number => *total = total.wrapping_add(count),
            _ => buckets.push((number, count)),
        }
    }

    /// Makes one bucket of every two neighbours that a coarser schema has as one.
    fn halve(&mut self) {
        self.schema -= 1;
        for buckets in [&mut self.positive, &mut self.negative] {
            buckets.iter_mut().for_each(|(number, _)| *number = (*number + 1) >> 1);
            join(buckets);
        }
    }
}

/// Adds up what neighbours of one number hold.
pub(crate) fn join<N: PartialEq>(buckets: &mut Vec<(N, u64)>) {
    buckets.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        kept.1 = kept.1.wrapping_add(if same { later.1 } else { 0 });
        same
    });
}

/// The runs of `buckets`, which are ascending: how far each begins behind the end of the one before, the first behind bucket 0, and how
/// many buckets follow each other in it.
pub(crate) fn spans(buckets: &[(i32, u64)]) -> impl Iterator<Item = (i32, usize)> {
    let mut next = 0;
    buckets.chunk_by(|(before, _), (number, _)| before + 1 == *number).map(move |run| {
        let offset = run[0].0 - next;
        next = run[0].0 + run.len() as i32;
        (offset, run.len())
    })
}

/// Powers of two after which places for exemplars repeat.
const PLACES_OF_ONE_SIGN: usize = 16;

/// How many exemplars a native histogram has at most, if it has no classic buckets.
pub(crate) const EXEMPLAR_PLACES: usize = 2 * PLACES_OF_ONE_SIGN;

/// Where the exemplar of an observation of `value` has its place: values of one power of two and one sign share a place, and so do those that
/// are 16 powers of two apart.
pub(crate) fn exemplar_place(value: f64) -> usize {
    let sign_and_exponent = value.to_bits() >> 52;
    let sign = (sign_and_exponent >> 11) as usize;
    sign_and_exponent as usize % PLACES_OF_ONE_SIGN + sign * PLACES_OF_ONE_SIGN
}
