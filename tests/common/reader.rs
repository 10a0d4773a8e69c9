//! Reads a page of OpenMetrics or of text as a strict scraper does, and says whether it holds what a set holds.
//!
//! Written from the rules of the formats and from the points alone: it shares nothing with `src/encode`.

#![allow(dead_code, reason = "each user takes its own part")]

use std::collections::HashSet;

use manometer::{
    encode::Format,
    model::{Exemplar, Metric, MetricPoint, MetricSet, MetricType, Number, Timestamp},
};

/// A family as a page shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadFamily {
    pub name: String,
    pub kind: String,
    pub unit: String,
    pub help: String,
    pub samples: Vec<ReadSample>,
}

/// A line with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadSample {
    pub name: String,
    pub labels: ReadLabels,
    pub value: String,
    pub exemplar: Option<ReadExemplar>,
}

/// Keys and values, in their order.
pub type ReadLabels = Vec<(String, String)>;

/// What stands behind a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadExemplar {
    pub labels: ReadLabels,
    pub value: String,
    pub time: String,
}

/// Reads a whole page, or says which line breaks which rule.
pub fn read(page: &str, format: Format) -> Result<Vec<ReadFamily>, String> {
    let mut families: Vec<ReadFamily> = Vec::new();
    let mut seen = HashSet::new();
    let mut described = 0;
    let body = match (page.strip_suffix('\n'), format) {
        (_, format) if ![Format::OpenMetrics, Format::Text].contains(&format) => {
            return Err("the page is of neither format".to_owned());
        }
        (None, Format::Text) if page.is_empty() => return Ok(families),
        (None, _) => return Err("the page does not end in a line feed".to_owned()),
        (Some("# EOF"), Format::OpenMetrics) => "",
        (Some(page), Format::OpenMetrics) => page.strip_suffix("\n# EOF").ok_or("the page has no end mark")?,
        (Some(page), _) => page,
    };
    // Line feeds alone end lines: a carriage return is a character like others.
    for line in body.split('\n').filter(|_| !body.is_empty()) {
        let fail = |rule: &str| Err(format!("{rule}: {line:?}"));
        if let Some(rest) = line.strip_prefix("# ") {
            let (keyword, rest) = rest.split_once(' ').ok_or("a bare comment")?;
            let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
            let rank = ["TYPE", "UNIT", "HELP"].iter().position(|known| *known == keyword);
            let Some(rank) = rank else { return fail("an unknown comment") };
            if rank == 0 {
                if !is_name(name) || families.iter().any(|family| family.name == name) {
                    return fail("no name, or one that was there before");
                }
                if !["counter", "gauge", "histogram", "summary", "gaugehistogram", "stateset"].contains(&text) {
                    return fail("no type");
                }
                families.push(ReadFamily { name: name.to_owned(), kind: text.to_owned(), ..ReadFamily::default() });
                described = 1;
                continue;
            }
            let family = match families.last_mut() {
                Some(family) if family.name == name && family.samples.is_empty() => family,
                _ => return fail("metadata away from its family"),
            };
            if rank < described || text.is_empty() {
                return fail("metadata out of order, or without text");
            }
            described = rank + 1;
            if rank == 1 {
                if format == Format::Text || !name.ends_with(&format!("_{text}")) {
                    return fail("a unit that the name does not end in, or in the wrong format");
                }
                family.unit = text.to_owned();
            } else {
                // Quotes are escaped in one format only.
                family.help = unescape(text, format == Format::OpenMetrics)?;
            }
        } else {
            let sample = read_sample(line)?;
            let Some(family) = families.last_mut() else { return fail("a sample without a family") };
            if !suffixes(&family.kind, format).iter().any(|suffix| sample.name == format!("{}{suffix}", family.name)) {
                return fail("a sample of another family");
            }
            let may_have_exemplar = format == Format::OpenMetrics
                && (family.kind == "counter" && sample.name.ends_with("_total")
                    || family.kind == "histogram" && sample.name.ends_with("_bucket"));
            if sample.exemplar.is_some() && !may_have_exemplar {
                return fail("an exemplar where there can be none");
            }
            let mut labels = sample.labels.clone();
            labels.sort();
            if labels.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return fail("a label occurs twice");
            }
            if !seen.insert((sample.name.clone(), labels)) {
                return fail("a sample occurs twice");
            }
            family.samples.push(sample);
        }
    }
    Ok(families)
}

fn suffixes(kind: &str, format: Format) -> &'static [&'static str] {
    match (kind, format) {
        ("counter", Format::OpenMetrics) => &["_total", "_created"],
        ("counter", Format::Text) | ("gauge" | "stateset", _) => &[""],
        ("gaugehistogram", _) => &["_bucket", "_gsum", "_gcount"],
        ("histogram", Format::OpenMetrics) => &["_bucket", "_sum", "_count", "_created"],
        ("histogram", Format::Text) => &["_bucket", "_sum", "_count"],
        ("summary", Format::OpenMetrics) => &["", "_sum", "_count", "_created"],
        _ => &["", "_sum", "_count"],
    }
}

fn read_sample(line: &str) -> Result<ReadSample, String> {
    let fail = |rule: &str| format!("{rule}: {line:?}");
    let end = line.find(['{', ' ']).ok_or_else(|| fail("no value"))?;
    let (name, rest) = line.split_at(end);
    if !is_name(name) {
        return Err(fail("no sample name"));
    }
    let (labels, rest) = match rest.starts_with('{') {
        true => read_labels(rest, false).map_err(|rule| fail(&rule))?,
        false => (Vec::new(), rest),
    };
    let rest = rest.strip_prefix(' ').ok_or_else(|| fail("no space before the value"))?;
    let (value, exemplar) = match rest.split_once(" # ") {
        Some((value, exemplar)) => (value, Some(read_exemplar(exemplar).map_err(|rule| fail(&rule))?)),
        None => (rest, None),
    };
    if !is_number(value) {
        return Err(fail("no number"));
    }
    Ok(ReadSample { name: name.to_owned(), labels, value: value.to_owned(), exemplar })
}

fn read_exemplar(text: &str) -> Result<ReadExemplar, String> {
    let (labels, rest) = read_labels(text, true)?;
    let characters = |(key, value): &(String, String)| key.chars().count() + value.chars().count();
    if labels.iter().map(characters).sum::<usize>() > 128 {
        return Err("an exemplar of more than 128 characters".to_owned());
    }
    let (value, time) = rest.strip_prefix(' ').and_then(|rest| rest.split_once(' ')).ok_or("no value and time")?;
    if !is_number(value) || !is_number(time) {
        return Err("no number in an exemplar".to_owned());
    }
    Ok(ReadExemplar { labels, value: value.to_owned(), time: time.to_owned() })
}

/// Reads what is in braces, and says what follows. Where braces are optional, there are none around nothing.
fn read_labels(text: &str, may_be_none: bool) -> Result<(ReadLabels, &str), String> {
    let mut rest = text.strip_prefix('{').ok_or("no braces")?;
    let mut labels = Vec::new();
    while !rest.starts_with('}') {
        if !labels.is_empty() {
            rest = rest.strip_prefix(',').ok_or("no comma between labels")?;
        }
        let (key, quoted) = rest.split_once("=\"").ok_or("no label")?;
        if !is_name(key) {
            return Err("no label name".to_owned());
        }
        let end = closing_quote(quoted).ok_or("an open quote")?;
        let value = unescape(&quoted[..end], true)?;
        if value.is_empty() {
            return Err("an empty label value".to_owned());
        }
        labels.push((key.to_owned(), value));
        rest = &quoted[end + 1..];
    }
    if labels.is_empty() && !may_be_none {
        return Err("braces around nothing".to_owned());
    }
    Ok((labels, &rest[1..]))
}

/// Where the quote is that no backslash escapes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let mut characters = text.chars();
    let mut plain = String::new();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('\\') => '\\',
                Some('"') if quotes => '"',
                other => return Err(format!("{other:?} after a backslash in {text:?}")),
            },
            '"' if quotes => return Err(format!("a bare quote in {text:?}")),
            other => other,
        });
    }
    Ok(plain)
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `[+-]digits[.digits][e[+-]digits]`, or one of three words.
fn is_number(text: &str) -> bool {
    if ["NaN", "+Inf", "-Inf"].contains(&text) {
        return true;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole) && digits(fraction) && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// Reads the page of `set` and compares all of it with the points of `set`. `skipped` is how many metrics the page left out.
pub fn check(page: &str, format: Format, set: &MetricSet, skipped: usize) -> Result<(), String> {
    let read = read(page, format)?;
    let mut families = read.iter();
    let mut left_out = 0;
    for family in &set.families {
        let metadata = family.metadata();
        let exposed = metadata.name().exposed();
        let shown = families.next().ok_or_else(|| format!("{exposed} is not on the page"))?;
        let is_text_counter = format == Format::Text && metadata.kind() == MetricType::Counter;
        let expected = ReadFamily {
            name: if is_text_counter { format!("{exposed}_total") } else { exposed.to_owned() },
            kind: type_word(metadata.kind(), format).to_owned(),
            unit: if format == Format::Text { String::new() } else { metadata.name().unit().to_owned() },
            help: metadata.help().to_owned(),
            samples: shown.samples.clone(),
        };
        if *shown != expected {
            return Err(format!("{shown:?} is shown for {expected:?}"));
        }
        let mut samples = shown.samples.iter();
        for metric in family.metrics() {
            let Some(lines) = lines(&metric, exposed, format) else {
                left_out += 1;
                continue;
            };
            let own: Vec<_> = metric.labels().filter(|(_, value)| !value.is_empty()).collect();
            for line in lines {
                let sample = samples.next().ok_or_else(|| format!("{exposed}{own:?}{line:?} is missing"))?;
                line.check(exposed, &own, sample).map_err(|rule| format!("{rule}: {sample:?} for {own:?} {line:?}"))?;
            }
        }
        if let Some(surplus) = samples.next() {
            return Err(format!("{surplus:?} is not in the set"));
        }
    }
    match families.next() {
        Some(surplus) => Err(format!("{surplus:?} is not in the set")),
        None if left_out != skipped => Err(format!("{skipped} metrics are said to be left out, not {left_out}")),
        None => Ok(()),
    }
}

/// What a line must read back as.
#[derive(Debug)]
struct Line {
    suffix: &'static str,
    extra: Option<(String, Extra)>,
    value: Wanted,
    exemplar: Option<Exemplar>,
}

/// What the last label of a line must read back as.
#[derive(Debug)]
enum Extra {
    /// A threshold or a quantile.
    Number(f64),
    /// A state.
    Text(String),
}

impl Extra {
    fn reads(&self, text: &str) -> bool {
        match self {
            Self::Number(wanted) => {
                is_float(text, *wanted) && (text.contains(['.', 'e']) || ["+Inf", "NaN"].contains(&text))
            }
            Self::Text(wanted) => text == wanted,
        }
    }
}

#[derive(Debug)]
enum Wanted {
    Number(Number),
    Time(Timestamp),
}

impl Line {
    fn check(&self, exposed: &str, own: &[(&str, &str)], sample: &ReadSample) -> Result<(), &'static str> {
        if sample.name.strip_prefix(exposed) != Some(self.suffix) {
            return Err("another sample");
        }
        let mut given = sample.labels.iter();
        for (key, value) in own {
            if given.next().map(|(key, value)| (key.as_str(), value.as_str())) != Some((*key, *value)) {
                return Err("another label");
            }
        }
        match (&self.extra, given.next(), given.next()) {
            (None, None, None) => {}
            (Some((key, wanted)), Some((given, text)), None) => {
                if key != given || !wanted.reads(text) {
                    return Err("another threshold, quantile or state");
                }
            }
            _ => return Err("too many labels, or too few"),
        }
        let is_same = match &self.value {
            Wanted::Number(Number::Unsigned(value)) => sample.value.parse() == Ok(*value),
            Wanted::Number(Number::Signed(value)) => sample.value.parse() == Ok(*value),
            Wanted::Number(Number::Float(value)) => is_float(&sample.value, *value),
            Wanted::Time(time) => is_time(&sample.value, *time),
        };
        match (&self.exemplar, &sample.exemplar) {
            _ if !is_same => Err("another value"),
            (None, None) => Ok(()),
            (Some(wanted), Some(read)) if is_exemplar(read, wanted) => Ok(()),
            _ => Err("another exemplar"),
        }
    }
}

fn is_exemplar(read: &ReadExemplar, wanted: &Exemplar) -> bool {
    let labels = wanted.labels().filter(|(_, value)| !value.is_empty());
    read.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(labels)
        && is_float(&read.value, wanted.value())
        && is_time(&read.time, wanted.timestamp())
}

fn is_float(text: &str, wanted: f64) -> bool {
    text.parse::<f64>().is_ok_and(|read| read.to_bits() == wanted.to_bits() || read.is_nan() && wanted.is_nan())
}

fn is_time(text: &str, wanted: Timestamp) -> bool {
    let millis = |seconds: &str, thousandths: &str| {
        let (seconds, thousandths): (u64, u64) = (seconds.parse().ok()?, thousandths.parse().ok()?);
        seconds.checked_mul(1000)?.checked_add(thousandths)
    };
    let parts = text.split_once('.').filter(|(_, thousandths)| thousandths.len() == 3);
    parts.and_then(|(seconds, thousandths)| millis(seconds, thousandths)) == Some(wanted.millis())
}

fn plain(suffix: &'static str, value: Number) -> Line {
    Line { suffix, extra: None, value: Wanted::Number(value), exemplar: None }
}

fn buckets(thresholds: &[f64], cumulative: &[u64]) -> Vec<Line> {
    let bounds = thresholds.iter().copied().chain([f64::INFINITY]);
    let bucket = |(bound, count): (f64, &u64)| Line {
        extra: Some(("le".to_owned(), Extra::Number(bound))),
        ..plain("_bucket", Number::Unsigned(*count))
    };
    bounds.zip(cumulative).map(bucket).collect()
}

/// The word for a type; the older format has fewer.
fn type_word(kind: MetricType, format: Format) -> &'static str {
    match (kind, format) {
        (MetricType::StateSet, Format::Text) => "gauge",
        (MetricType::GaugeHistogram, Format::Text) => "histogram",
        _ => kind.as_str(),
    }
}

/// The lines of a metric of the family `exposed`; None if the formats forbid its values.
fn lines(metric: &Metric<'_>, exposed: &str, format: Format) -> Option<Vec<Line>> {
    let not_below_zero = |value: f64| (!value.is_nan() && value >= 0.0).then_some(());
    let (mut lines, created) = match metric.point() {
        MetricPoint::Counter(point) => {
            not_below_zero(point.total.as_f64())?;
            (vec![plain("_total", point.total)], point.created)
        }
        MetricPoint::Gauge(value) => (vec![plain("", value)], None),
        MetricPoint::Histogram(point) => {
            if point.cumulative.windows(2).any(|pair| pair[0] > pair[1]) {
                return None;
            }
            let mut lines = buckets(&point.thresholds, &point.cumulative);
            // With a negative threshold the sum may shrink, so there is none, and no count.
            if point.thresholds.first().is_none_or(|lowest| *lowest >= 0.0) {
                not_below_zero(point.sum)?;
                lines.push(plain("_sum", Number::Float(point.sum)));
                lines.push(plain("_count", Number::Unsigned(point.count())));
            }
            (lines, point.created)
        }
        MetricPoint::Summary(point) => {
            not_below_zero(point.sum)?;
            let mut lines = Vec::new();
            for (quantile, value) in point.quantiles {
                if value < 0.0 {
                    return None;
                }
                let extra = Some(("quantile".to_owned(), Extra::Number(quantile)));
                lines.push(Line { extra, ..plain("", Number::Float(value)) });
            }
            lines.push(plain("_sum", Number::Float(point.sum)));
            lines.push(plain("_count", Number::Unsigned(point.count)));
            (lines, point.created)
        }
        MetricPoint::StateSet(point) => {
            let state = |(state, on): (&str, bool)| Line {
                extra: Some((exposed.to_owned(), Extra::Text(state.to_owned()))),
                ..plain("", Number::Unsigned(on.into()))
            };
            (point.states.iter().map(|state| &**state).zip(point.on).map(state).collect(), None)
        }
        MetricPoint::GaugeHistogram(point) => {
            if point.cumulative.windows(2).any(|pair| pair[0] > pair[1]) {
                return None;
            }
            not_below_zero(point.sum)?;
            // The older format has no word for it.
            let [sum, count] = if format == Format::Text { ["_sum", "_count"] } else { ["_gsum", "_gcount"] };
            let mut lines = buckets(&point.thresholds, &point.cumulative);
            lines.push(plain(sum, Number::Float(point.sum)));
            lines.push(plain(count, Number::Unsigned(point.count())));
            (lines, None)
        }
        other => panic!("{other:?} has no known lines"),
    };
    if let Some(time) = created.filter(|_| format == Format::OpenMetrics) {
        lines.push(Line { suffix: "_created", extra: None, value: Wanted::Time(time), exemplar: None });
    }
    if format == Format::OpenMetrics {
        // The line of a counter's total, and those of a histogram's buckets, come first.
        metric.exemplars().for_each(|(bucket, exemplar)| lines[bucket].exemplar = Some(exemplar.clone()));
    }
    Some(lines)
}
