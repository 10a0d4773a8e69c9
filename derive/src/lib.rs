//! Derives of `manometer`: [`LabelEnum`], [`LabelSet`] and [`Metrics`]. They are re-exported there; depend on that crate, with its
//! feature `derive`.
//!
//! What can be known to be wrong when a program is compiled is a compile error at the place that is wrong: keys, units, numbers,
//! names that occur twice, options of another instrument.

mod attributes;
mod label_enum;
mod label_set;
mod metrics;
mod numbers;
mod options;
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
/// A field is an instrument, a `Family` with `labels`, or a `TypedFamily`. Its family has the field's name, and the first paragraph of
/// its doc comment for help. `#[metrics(prefix = "http")]` on the struct puts `http_` before all names. What a builder of
/// `manometer::Declaration` can be told, `#[metric(…)]` on a field says by the same name:
///
/// | option | of | |
/// |---|---|---|
/// | `name = "…"` | any | another name |
/// | `unit = "…"` | any but infos and statesets | the unit, of `[A-Za-z0-9_]` |
/// | `help = "…"` | any | another help text |
/// | `announced` | any | push providers tell of a series at once |
/// | `labels("…", …)` | `Family` | its label keys, which it needs |
/// | `max_series = …` | `Family`, `TypedFamily` | the most series, 1 or more |
/// | `expire_after = …` | `Family`, `TypedFamily` | how long an idle series is kept: a `Duration` |
/// | `buckets = …` | `Histogram`, `GaugeHistogram` | the thresholds, ascending floats: a list, or what can be iterated over |
/// | `native`, `native(…)`, `native = …` | `Histogram`, in place of `buckets` or beside them | with `schema`, `zero_threshold`, `max_buckets`, `negative`; or a `NativeOptions` |
/// | `exemplars = …` | `Counter`, `FloatCounter`, `Histogram` | whom to ask for the labels of exemplars |
/// | `quantiles = …` | `Summary` | floats from 0 to 1: a list, or what can be iterated over |
/// | `interval = …` | `Summary` with `quantiles` | over which they are computed: a `Duration` |
/// | `states = …` | `StateSet` | texts, none empty and each once; it needs them |
/// | `text = …` | `Info` | pairs of label key and value |
///
/// Values are expressions. What is written out in them as literals is checked here; the rest when it is declared.
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
///
/// Every option:
///
/// ```
/// use std::time::Duration;
///
/// use manometer::{
///     Counter, Family, GaugeHistogram, Histogram, Info, Metrics, NativeOptions, Registry, StateSet, Summary, exponential_buckets,
/// };
///
/// #[derive(Metrics)]
/// struct Queue {
///     #[metric(name = "queue_taken", unit = "bytes", help = "What was taken out", announced)]
///     taken: Counter,
///     #[metric(labels("peer"), max_series = 1000, expire_after = Duration::from_secs(600))]
///     peers: Family<Counter>,
///     #[metric(buckets = exponential_buckets(1.0, 4.0, 8), unit = "bytes")]
///     waiting: GaugeHistogram,
///     #[metric(native(schema = 5, zero_threshold = 1e-6, max_buckets = 320), unit = "seconds")]
///     wait: Histogram,
///     #[metric(native = NativeOptions::new().negative(true))]
///     drift: Histogram,
///     #[metric(quantiles = [0.5, 0.99, 1.0], interval = Duration::from_secs(60), unit = "seconds")]
///     work: Summary,
///     #[metric(states = ["starting", "open", "draining"])]
///     state: StateSet,
///     #[metric(text = [("version", env!("CARGO_PKG_VERSION"))])]
///     build: Info,
/// }
///
/// let queue = Queue::declare(&Registry::new())?;
/// queue.state.enter("open");
/// queue.drift.observe(-0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[proc_macro_derive(Metrics, attributes(metrics, metric))]
pub fn metrics(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    metrics::derive(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}
