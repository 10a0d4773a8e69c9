//! Typed labels and structs of metrics, as a program uses them.

use std::thread;

use manometer::{
    Counter, DeclareError, Family, FloatCounter, Gauge, Histogram, LabelEnum, LabelSet, Manager, Metrics, Registry,
    Summary, TypedFamily, UpDownGauge, exponential_buckets,
};

#[derive(Clone, Copy, Debug, LabelEnum)]
enum Method {
    Get,
    Put,
    #[label("DELETE")]
    Remove,
}

#[derive(Clone, Copy, Debug, LabelSet)]
struct Request {
    method: Method,
    #[label("from_cache")]
    cached: bool,
}

#[derive(LabelSet)]
struct Visit<'a> {
    method: Method,
    path: &'a str,
    r#type: u16,
}

const METHODS: [(Method, &str); 3] = [(Method::Get, "get"), (Method::Put, "put"), (Method::Remove, "DELETE")];

fn rows(family: &TypedFamily<Counter, Request>) -> Vec<(String, String, u64)> {
    let text = |labels: &manometer::Labels, key| labels.get(key).expect("a key of the type").to_owned();
    let metrics = family.view().metrics();
    metrics.map(|(labels, counter)| (text(&labels, "method"), text(&labels, "from_cache"), counter.value())).collect()
}

#[test]
fn keys_and_numbers_follow_the_type() {
    assert_eq!(Request::KEYS, ["method", "from_cache"]);
    assert_eq!(Request::SETS, Some(6));
    assert_eq!((Visit::KEYS, Visit::SETS), (["method", "path", "type"].as_slice(), None));
    let mut positions = Vec::new();
    for (method, text) in METHODS {
        for cached in [false, true] {
            let set = Request { method, cached };
            let expected = [text, if cached { "true" } else { "false" }];
            set.with_values(|values| assert_eq!(values, expected));
            Request::with_values_at(set.position(), |values| assert_eq!(values, expected));
            positions.push(set.position());
        }
    }
    assert_eq!(positions, [0, 1, 2, 3, 4, 5]);
    Visit { method: Method::Put, path: "/a", r#type: 7 }.with_values(|values| assert_eq!(values, ["put", "/a", "7"]));
}

#[test]
fn a_series_is_made_when_it_first_happens_or_all_at_zero() {
    let registry = Registry::new();
    let requests = registry.counter("requests").typed::<Request>().unwrap();
    assert!(rows(&requests).is_empty());
    requests.inc(&Request { method: Method::Remove, cached: true });
    requests.clone().add(&Request { method: Method::Remove, cached: true }, 2);
    assert_eq!(rows(&requests), [("DELETE".to_owned(), "true".to_owned(), 3)]);
    // The same series by any other way.
    requests.view().inc((Method::Remove, true)).unwrap();
    let requests = requests.at_zero();
    assert_eq!(rows(&requests).len(), 6);
    assert_eq!(requests.get(&Request { method: Method::Remove, cached: true }).value(), 4);
    assert_eq!(requests.view().sum(), 4);
}

#[test]
fn a_removed_series_is_made_anew_and_nothing_is_lost() {
    let registry = Registry::new();
    let requests = registry.counter("requests").typed::<Request>().unwrap().at_zero();
    let set = Request { method: Method::Get, cached: false };
    requests.add(&set, 5);
    assert_eq!(requests.view().remove(("get", "false")).unwrap().map(|_| requests.view().metrics().count()), Some(5));
    requests.add(&set, 7);
    assert_eq!(requests.get(&set).value(), 7);
    assert_eq!(requests.view().sum(), 7, "exposed, though the handle in the array is of the old one");
}

#[test]
fn every_array_of_a_family_is_told_of_a_removal() {
    let registry = Registry::new();
    let declare = || registry.counter("requests").typed::<Request>().unwrap().at_zero();
    let (one, other) = (declare(), declare());
    drop(declare());
    let (gone, kept) = (Request { method: Method::Get, cached: false }, Request { method: Method::Put, cached: true });
    one.view().remove(("get", false)).unwrap();
    for family in [&one, &other, &one.clone()] {
        family.inc(&gone);
        family.inc(&kept);
    }
    assert_eq!((one.get(&gone).value(), one.get(&kept).value(), one.view().sum()), (3, 3, 6));
    one.view().remove_all();
    other.inc(&kept);
    assert_eq!(other.view().sum(), 1);
    registry.remove("requests").unwrap();
    other.inc(&kept);
    assert!(!other.get(&kept).is_live());
}

#[test]
fn a_word_that_wraps_is_carried() {
    let requests = Registry::new().counter("requests").typed::<Request>().unwrap();
    let set = Request { method: Method::Get, cached: true };
    (0..3).for_each(|_| requests.add(&set, u64::MAX));
    assert_eq!(requests.get(&set).value(), u64::MAX);
}

#[test]
fn a_disabled_manager_counts_nothing_by_type() {
    let requests = Manager::new_disabled().counter("requests").typed::<Request>().unwrap().at_zero();
    requests.inc(&Request { method: Method::Get, cached: true });
    assert_eq!((requests.view().sum(), requests.view().metrics().count()), (0, 0));
}

#[test]
fn free_text_is_looked_up() {
    let registry = Registry::new();
    let visits = registry.float_counter("visits").typed::<Visit<'_>>().unwrap();
    for path in ["/a", "/b", "/a"] {
        visits.add(&Visit { method: Method::Get, path, r#type: 1 }, 0.5);
    }
    assert_eq!(visits.get(&Visit { method: Method::Get, path: "/a", r#type: 1 }).value(), 1.0);
    assert_eq!(visits.view().metrics().count(), 2);
}

#[test]
fn every_instrument_records_by_type() {
    let registry = Registry::new();
    let set = Request { method: Method::Put, cached: false };
    let gauges = registry.gauge("g").typed::<Request>().unwrap();
    gauges.set(&set, 2.5);
    gauges.add(&set, 1.0);
    let levels = registry.up_down_gauge("u").typed::<Request>().unwrap();
    levels.inc(&set);
    levels.inc(&set);
    levels.dec(&set);
    let histograms = registry.histogram("h").buckets([1.0]).typed::<Request>().unwrap();
    histograms.observe(&set, 0.5);
    let summaries = registry.summary("s").typed::<Request>().unwrap();
    summaries.observe(&set, 4.0);
    assert_eq!((gauges.get(&set).value(), levels.get(&set).value()), (3.5, 1));
    assert_eq!((histograms.get(&set).point().count(), summaries.get(&set).point().count), (1, 1));
}

#[test]
fn many_threads_make_one_series_of_each_set() {
    let registry = Registry::new();
    let requests = registry.counter("requests").typed::<Request>().unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let requests = &requests;
            scope.spawn(move || {
                for turn in 0..3_000 {
                    let (method, _) = METHODS[(thread + turn) % 3];
                    requests.inc(&Request { method, cached: turn % 2 == 0 });
                }
            });
        }
    });
    assert_eq!(requests.view().sum(), 12_000);
    assert_eq!(rows(&requests).len(), 6);
}

#[test]
fn a_declaration_that_stands_with_other_keys_conflicts() {
    let registry = Registry::new();
    registry.counter("requests").labels(["method"]).declare().unwrap();
    let refused = registry.counter("requests").typed::<Request>().unwrap_err();
    assert!(matches!(refused, DeclareError::Conflict { field: "labels", .. }), "{refused}");
}

#[derive(Metrics)]
#[metrics(prefix = "http")]
struct Http {
    /// Requests that were
    /// answered.
    ///
    /// (A second paragraph is for readers of the source.)
    requests: TypedFamily<Counter, Request>,
    /// By path.
    #[metric(labels("path"), max_series = 2)]
    visits: Family<Counter>,
    #[metric(unit = "seconds", buckets = exponential_buckets(0.001, 10.0, 3))]
    latency: Histogram,
    #[metric(name = "connections", unit = "")]
    open: UpDownGauge,
    busy: FloatCounter,
    load: Gauge,
    sizes: Summary,
}

#[test]
fn a_struct_declares_its_metrics() {
    let registry = Registry::new();
    let http = Http::declare(&registry).unwrap();
    http.requests.inc(&Request { method: Method::Get, cached: true });
    ["/a", "/b", "/c"].iter().for_each(|path| http.visits.inc([*path]).unwrap());
    http.latency.observe(0.05);
    http.open.inc();
    http.busy.add(0.5);
    http.load.set(0.7);
    http.sizes.observe(100.0);
    let help = |raw: &str| registry.metadata(raw).map(|family| family.help().to_owned());
    assert_eq!(help("http_requests").as_deref(), Some("Requests that were answered."));
    assert_eq!(help("http_connections").as_deref(), Some(""));
    assert_eq!(http.visits.overflowed(), 1);
    assert_eq!(http.latency.point().cumulative, [0, 0, 1, 1]);
    // The struct is declared as often as one likes.
    let again = Http::declare(&registry).unwrap();
    again.open.inc();
    assert_eq!(http.open.value(), 2);
}

#[test]
fn a_struct_whose_name_is_taken_says_which() {
    let registry = Registry::new();
    registry.gauge("http_busy").single().unwrap();
    let refused = Http::declare(&registry).err().expect("the name is taken");
    assert!(matches!(&refused, DeclareError::Conflict { name, field: "type", .. } if name == "http_busy"), "{refused}");
}
