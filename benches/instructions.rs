//! What the hot paths take in instructions, which repeat where nanoseconds do not. `ci/instructions.sh` counts them under valgrind.
//!
//! `instructions SCENARIO TURNS` does one thing so often; with another number of turns, all else is the same, so the difference
//! of two counts is that of the turns alone. Without arguments it names the scenarios.

mod support;

use std::{env, hint::black_box, time::Duration};

use manometer::{Family, Instrument, NativeOptions, Registry};
use support::{
    inputs::{KEYS, Observations, Request, THRESHOLDS, XorShift, borrowed, label_sets},
    pages::{self, Scraper},
};

/// A name, and what does its turns.
type Scenario = (&'static str, fn(u64));

const SCENARIOS: [Scenario; 16] = [
    ("counter_inc", |turns| {
        let counter = Registry::new().counter("requests").single().expect("nothing is wrong with it");
        repeat(turns, || black_box(&counter).inc());
    }),
    ("typed_inc_2_enums", |turns| {
        let declared = Registry::new().counter("requests").typed::<Request>();
        let family = declared.expect("nothing is wrong with it").at_zero();
        repeat(turns, || family.inc(black_box(&Request::SOME)));
    }),
    ("float_counter_add", |turns| {
        let counter = Registry::new().float_counter("busy").single().expect("nothing is wrong with it");
        repeat(turns, || black_box(&counter).add(0.25));
    }),
    ("gauge_set", |turns| {
        let gauge = Registry::new().gauge("level").single().expect("nothing is wrong with it");
        repeat(turns, || black_box(&gauge).set(0.25));
    }),
    ("up_down_gauge_inc", |turns| {
        let gauge = Registry::new().up_down_gauge("in_flight").single().expect("nothing is wrong with it");
        repeat(turns, || black_box(&gauge).inc());
    }),
    ("histogram_observe_11", |turns| {
        let declared = Registry::new().histogram("latency").buckets(THRESHOLDS).single();
        let histogram = declared.expect("nothing is wrong with it");
        repeat_drawn(turns, |value| black_box(&histogram).observe(value));
    }),
    ("native_histogram_observe", |turns| {
        let declared = Registry::new().histogram("latency").native(NativeOptions::new()).single();
        let histogram = declared.expect("nothing is wrong with it");
        repeat_drawn(turns, |value| black_box(&histogram).observe(value));
    }),
    ("quantile_summary_observe", |turns| {
        let declaration = Registry::new().summary("latency").quantiles([0.5, 0.99]);
        // So long that no window ends while valgrind counts.
        let declared = declaration.interval(Duration::from_secs(3600)).single();
        let summary = declared.expect("nothing is wrong with it");
        repeat_drawn(turns, |value| black_box(&summary).observe(value));
    }),
    ("summary_observe", |turns| {
        let summary = Registry::new().summary("latency").single().expect("nothing is wrong with it");
        repeat(turns, || black_box(&summary).observe(0.25));
    }),
    ("family_inc_3_labels", |turns| {
        let registry = Registry::new();
        let family = labelled(registry.counter("requests").labels(KEYS).declare());
        let sets = label_sets(100);
        pages::touch(&family, &sets);
        let mut random = XorShift::of_thread(0);
        repeat(turns, || family.inc(borrowed(&sets[random.below(sets.len())])).expect("three values"));
    }),
    ("family_observe_3_labels", |turns| {
        let registry = Registry::new();
        let family = labelled(registry.histogram("latency").buckets(THRESHOLDS).labels(KEYS).declare());
        let sets = label_sets(100);
        let mut random = XorShift::of_thread(0);
        let values = Observations::new();
        repeat(turns, || {
            let set = &sets[random.below(sets.len())];
            family.observe(borrowed(set), values.draw(&mut random)).expect("three values");
        });
    }),
    // Of families with a source of exemplars, where none is due.
    ("counter_inc_asking", |turns| {
        let counter = Registry::new().counter("requests").exemplars(TRACE).single().expect("nothing is wrong with it");
        repeat(turns, || black_box(&counter).inc());
    }),
    ("histogram_observe_11_asking", |turns| {
        let declared = Registry::new().histogram("latency").buckets(THRESHOLDS).exemplars(TRACE).single();
        let histogram = declared.expect("nothing is wrong with it");
        let (values, mut random) = (Observations::new(), XorShift::of_thread(0));
        repeat(turns, || black_box(&histogram).observe(values.draw(&mut random)));
    }),
    // Making the strings of its labels is in it.
    ("create_series", |turns| {
        let (_registry, family) = pages::counters(usize::try_from(turns).expect("few"));
        pages::touch(&family, &label_sets(usize::try_from(turns).expect("few")));
    }),
    ("scrape_1000_counters", |turns| {
        let mut scraper = Scraper::new(&pages::written_counters(1000, 1));
        repeat(turns, || _ = black_box(scraper.scrape()));
    }),
    ("scrape_100_histograms", |turns| {
        let registry = Registry::new();
        let family = labelled(registry.histogram("latency").buckets(THRESHOLDS).labels(KEYS).declare());
        let (values, mut random) = (Observations::new(), XorShift::of_thread(0));
        for set in label_sets(100) {
            (0..20).for_each(|_| family.observe(borrowed(&set), values.draw(&mut random)).expect("three values"));
        }
        let mut scraper = Scraper::new(&registry);
        repeat(turns, || _ = black_box(scraper.scrape()));
    }),
];

/// Labels that a source of exemplars always has.
const TRACE: [(&str, &str); 1] = [("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736")];

fn labelled<I: Instrument>(declared: Result<Family<I>, manometer::DeclareError>) -> Family<I> {
    declared.expect("nothing is wrong with it")
}

fn repeat(turns: u64, mut act: impl FnMut()) {
    (0..turns).for_each(|_| act());
}

/// The same with a value drawn for each turn, which is in what is counted.
fn repeat_drawn(turns: u64, mut act: impl FnMut(f64)) {
    let (values, mut random) = (Observations::new(), XorShift::of_thread(0));
    repeat(turns, || act(values.draw(&mut random)));
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.as_slice() {
        [name, turns] => {
            let (_, scenario) = SCENARIOS.iter().find(|scenario| scenario.0 == name).expect("one of those it names");
            scenario(turns.parse().expect("a number of turns"));
        }
        _ => SCENARIOS.iter().for_each(|(name, _)| println!("{name}")),
    }
}
