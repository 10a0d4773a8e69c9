//! A strict reader of the histograms of OpenMetrics 2.0 that have native buckets. It shares nothing with the encoder.

use manometer::NativeHistogram;

/// What a line says of one histogram.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub count: u64,
    pub native: NativeHistogram,
    /// Threshold and count, as they stand there; None without the field.
    pub classic: Option<Vec<(String, u64)>>,
    /// The values of the exemplars.
    pub exemplars: Vec<f64>,
}

/// Reads the line of the metric `name`, which has labels or none.
///
/// # Panics
/// At whatever the grammar of 2.0.0-rc0 does not have.
pub(crate) fn read(page: &str, name: &str) -> Read {
    let line = page.lines().find(|line| line.split(['{', ' ']).next() == Some(name)).expect("a line of that name");
    let (value, tail) = line.split_once(" {").expect("a composite value").1.split_once('}').expect("its end");
    let mut fields = Fields(value);
    let count = number(fields.must("count"));
    let sum = number(fields.must("sum"));
    let schema = number(fields.must("schema"));
    let zero_threshold = number(fields.must("zero_threshold"));
    let zero_count = number(fields.must("zero_count"));
    let [negative, positive] = [["negative_spans", "negative_buckets"], ["positive_spans", "positive_buckets"]]
        .map(|[spans, counts]| fields.may(spans).map_or_else(Vec::new, |spans| buckets(spans, fields.must(counts))));
    let classic = fields.may("bucket").map(|list| {
        let pairs = items(list).map(|pair| pair.split_once(':').expect("a threshold and a count"));
        pairs.map(|(threshold, count)| (threshold.to_owned(), number(count))).collect()
    });
    assert_eq!(fields.0, "", "a field too many, or in another order: {line}");
    let native = NativeHistogram { schema, zero_threshold, zero_count, positive, negative, sum };
    Read { count, native, classic, exemplars: exemplars(tail) }
}

/// The fields that are not read yet.
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    /// The text of this field, without its brackets, if it is next.
    fn may(&mut self, name: &str) -> Option<&'a str> {
        let rest = self.0.strip_prefix(name)?.strip_prefix(':')?;
        let (text, rest) = match rest.strip_prefix('[') {
            Some(list) => list.split_once(']').expect("the end of a list"),
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        self.0 = rest.strip_prefix(',').unwrap_or(rest);
        Some(text)
    }

    fn must(&mut self, name: &str) -> &'a str {
        self.may(name).unwrap_or_else(|| panic!("no {name:?} at {:?}", self.0))
    }
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no such number"))
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split_terminator(',')
}

/// Number and count of each bucket.
fn buckets(spans: &str, counts: &str) -> Vec<(i32, u64)> {
    let mut counts = items(counts).map(number);
    let mut read = Vec::new();
    let mut next = 0;
    for (position, span) in items(spans).enumerate() {
        let (offset, length) = span.split_once(':').expect("an offset and a length");
        let (offset, length): (i32, u32) = (number(offset), number(length));
        assert!(length > 0 && (offset >= 0 || position == 0), "{spans}");
        next += offset;
        for _ in 0..length {
            read.push((next, counts.next().expect("a count for each bucket")));
            next += 1;
        }
    }
    assert!(counts.next().is_none() && !read.is_empty(), "as many buckets as the spans say, and some: {spans}");
    read
}

/// The values of the exemplars behind a value.
fn exemplars(tail: &str) -> Vec<f64> {
    let (start, exemplars) = tail.split_once(" # ").map_or((tail, None), |(start, rest)| (start, Some(rest)));
    assert!(start.is_empty() || number::<f64>(start.strip_prefix(" st@").expect("a start time")) > 0.0);
    let one = |text: &str| {
        let (labels, rest) = text.split_once("} ").expect("labels");
        let (value, time) = rest.split_once(' ').expect("a value and a time");
        assert!(labels.starts_with('{') && number::<f64>(time) > 0.0, "{text}");
        number(value)
    };
    exemplars.into_iter().flat_map(|all| all.split(" # ")).map(one).collect()
}
