//! Derives of `manometer`: [`LabelEnum`], [`LabelSet`] and [`Metrics`]. They are re-exported there; depend on that crate, with its
//! feature `derive`.
//!
//! What can be known to be wrong when a program is compiled is a compile error at the place that is wrong: keys, units, buckets,
//! names that occur twice.

mod attributes;
mod label_enum;
mod label_set;
mod metrics;
mod rules;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes an enum without fields a label value out of a fixed list.
///
/// The text of a variant is its name in snake case: `NotFound` is `not_found`. `#[label("text")]` on a variant gives another.
///
/// # Examples
/// ```
/// use manometer::{LabelEnum, Registry};
///
/// #[derive(LabelEnum)]
/// enum Outcome {
///     Hit,
///     TimedOut,
///     #[label("5xx")]
///     ServerError,
/// }
///
/// let registry = Registry::new();
/// let answers = registry.counter("answers").labels(["outcome"]).declare()?;
/// for outcome in [Outcome::Hit, Outcome::TimedOut, Outcome::ServerError] {
///     answers.inc((outcome,))?;
/// }
/// let texts: Vec<_> = answers.metrics().map(|(labels, _)| labels.get("outcome").map(str::to_owned)).collect();
/// assert_eq!(texts, ["5xx", "hit", "timed_out"].map(|text| Some(text.to_owned())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[proc_macro_derive(LabelEnum, attributes(label))]
pub fn label_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    label_enum::derive(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes a struct the labels of a `TypedFamily`: a key for each field, in their order.
///
/// A field is text, a number, a `bool`, or an enum with [`LabelEnum`]. Its key is the field's name; `#[label("key")]` gives another. Where
/// all fields are enums and booleans, a series is found without a look-up.
#[proc_macro_derive(LabelSet, attributes(label))]
pub fn label_set(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    label_set::derive(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}

/// Makes a struct of metrics declare them all: a family for each field.
///
/// A field is an instrument, a `Family` with `labels`, or a `TypedFamily`. Its family has the field's name, and its doc comment for help.
/// `#[metrics(prefix = "http")]` on the struct puts `http_` before all names. On a field, `#[metric(…)]` takes
/// - `name = "…"`: another name,
/// - `unit = "…"`: the unit, of `[A-Za-z0-9_]`,
/// - `labels("…", …)`: the keys of a `Family`,
/// - `buckets = …`: the thresholds of a histogram, a list or anything that can be iterated over as `f64`,
/// - `max_series = …`: the most series.
///
/// # Examples
/// ```
/// use manometer::{Counter, Family, Histogram, Metrics, Registry};
///
/// #[derive(Metrics)]
/// #[metrics(prefix = "http")]
/// struct Http {
///     /// Requests that were answered.
///     #[metric(labels("method", "status"))]
///     requests: Family<Counter>,
///     /// From the first byte of a request to the last of its answer.
///     #[metric(unit = "seconds", buckets = [0.001, 0.01, 0.1, 1.0])]
///     latency: Histogram,
/// }
///
/// let registry = Registry::new();
/// let http = Http::declare(&registry)?;
/// http.requests.inc(("GET", 200))?;
/// http.latency.observe(0.004);
/// assert_eq!(registry.metadata("http_latency_seconds").map(|family| family.help().to_owned()).as_deref(),
///     Some("From the first byte of a request to the last of its answer."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[proc_macro_derive(Metrics, attributes(metrics, metric))]
pub fn metrics(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    metrics::derive(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}
