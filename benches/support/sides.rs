//! The sides of each comparison, one function each: its state is made once, then it is measured as often as asked.
//!
//! A side is held by reference, as a function of a program holds it, so the compiler may keep what a handle says in registers. It
//! cannot fold the loop: each update is an atomic store, or a locked instruction. The `reloaded` twin hides its handle behind
//! `black_box`, which makes each turn load it anew from memory: the worst that a program can do.

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use atomic_float::AtomicF64;
use crossbeam_utils::CachePadded;
use manometer::{Declaration, ExemplarLabels, Histogram, Manager, NativeOptions, Registry};
use prometheus::HistogramOpts;

use super::{
    cpu_per_op,
    inputs::{KEYS, Observations, Request, THRESHOLDS, XorShift, borrowed, label_sets},
    lookup::DashFamily,
};

/// CPU nanoseconds per operation on so many threads, which do so many operations each.
pub type Side = Box<dyn Fn(usize, u64) -> f64>;

/// What is added to floats; one value, since no adder here looks at it.
const AMOUNT: f64 = 0.25;

/// Does `op` with `held`, so often.
#[inline(never)]
fn repeat<T>(ops: u64, held: &T, mut op: impl FnMut(&T)) {
    for _ in 0..ops {
        op(held);
    }
}

/// One shared word, added to with a locked instruction.
pub fn fetch_add() -> Side {
    let word = CachePadded::new(AtomicU64::new(0));
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            repeat(ops, &word, |word| _ = word.fetch_add(1, Ordering::Relaxed));
        })
    })
}

/// `Counter::inc` through one handle that all threads share.
pub fn counter_inc() -> Side {
    let counter = Registry::new().counter("requests").single().expect("nothing is wrong with it");
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            repeat(ops, &counter, |counter| counter.inc());
        })
    })
}

/// `Counter::inc` where each thread has a series of its own: what threads cost each other that share nothing but the machine.
pub fn counter_inc_apart() -> Side {
    let counters = Registry::new().counter("requests").labels(["thread"]).declare().expect("nothing is wrong with it");
    let handles: Vec<_> = (0..8).map(|thread| counters.with_labels((thread,)).expect("one key")).collect();
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |index, ops| {
            repeat(ops, &handles[index], |counter| counter.inc());
        })
    })
}

/// `Counter::inc` through a handle that is loaded anew each time.
pub fn counter_inc_reloaded() -> Side {
    let counter = Registry::new().counter("requests").single().expect("nothing is wrong with it");
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            repeat(ops, &counter, |counter| black_box(counter).inc());
        })
    })
}

/// `Counter::inc` through a held handle of a family that asks `source` for exemplars.
pub fn counter_inc_asking(source: impl ExemplarLabels + Send + Sync + 'static) -> Side {
    let declaration = Registry::new().counter("requests").exemplars(source);
    let counter = declaration.single().expect("nothing is wrong with it");
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            repeat(ops, &counter, |counter| counter.inc());
        })
    })
}

/// A typed family's series of two enums, which are loaded anew each time.
pub fn typed_inc() -> Side {
    let family = Registry::new().counter("requests").typed::<Request>().expect("nothing is wrong with it").at_zero();
    let labels = Request::SOME;
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            repeat(ops, &labels, |labels| family.inc(black_box(labels)));
        })
    })
}

/// A loop that asks each time whether to do nothing: what recording costs at least where it is switched off.
pub fn one_branch() -> Side {
    let wanted = false;
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            repeat(ops, &wanted, |wanted| {
                if *black_box(wanted) {
                    black_box(());
                }
            });
        })
    })
}

/// `Counter::inc` through a handle of a disabled manager, loaded anew each time, as the flag of [`one_branch`] is.
pub fn disabled_inc() -> Side {
    let counter = Manager::new_disabled().counter("requests").single().expect("nothing is wrong with it");
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            repeat(ops, &counter, |counter| black_box(counter).inc());
        })
    })
}

/// One shared float, added to by compare and exchange.
pub fn float_fetch_add() -> Side {
    let word = CachePadded::new(AtomicF64::new(0.0));
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            let amount = black_box(AMOUNT);
            repeat(ops, &word, |word| _ = word.fetch_add(amount, Ordering::Relaxed));
        })
    })
}

/// `FloatCounter::add` through a held handle.
pub fn float_add() -> Side {
    let counter = Registry::new().float_counter("busy").single().expect("nothing is wrong with it");
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            let amount = black_box(AMOUNT);
            repeat(ops, &counter, |counter| counter.add(amount));
        })
    })
}

/// `Gauge::add` through a held handle: one shared float, the same as [`float_fetch_add`].
pub fn gauge_add() -> Side {
    let gauge = Registry::new().gauge("level").single().expect("nothing is wrong with it");
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            let amount = black_box(AMOUNT);
            repeat(ops, &gauge, |gauge| gauge.add(amount));
        })
    })
}

/// `UpDownGauge::inc` and `dec` in turn.
pub fn up_down_inc() -> Side {
    let gauge = Registry::new().up_down_gauge("in_flight").single().expect("nothing is wrong with it");
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |_, ops| {
            repeat(ops.div_ceil(2), &gauge, |gauge| {
                gauge.inc();
                gauge.dec();
            });
        })
    })
}

/// What drawing a value costs: it is in all figures of histograms.
pub fn draw_alone() -> Side {
    let values = Observations::new();
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            repeat(ops, &values, |values| _ = black_box(values.draw(&mut random)));
        })
    })
}

/// `Histogram::observe` of random values, 11 thresholds, search included.
pub fn observe() -> Side {
    observe_in(Registry::new().histogram("latency").buckets(THRESHOLDS))
}

/// `Histogram::observe` of the same values in native buckets, schema 3.
pub fn observe_native() -> Side {
    observe_in(Registry::new().histogram("latency").native(NativeOptions::new()))
}

/// `Histogram::observe` of the same values, 11 thresholds, in a family that asks `source` for exemplars.
pub fn observe_asking(source: impl ExemplarLabels + Send + Sync + 'static) -> Side {
    observe_in(Registry::new().histogram("latency").buckets(THRESHOLDS).exemplars(source))
}

fn observe_in(declaration: Declaration<Histogram>) -> Side {
    let histogram = declaration.unit("seconds").single().expect("nothing is wrong with it");
    let values = Observations::new();
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            repeat(ops, &histogram, |histogram| histogram.observe(values.draw(&mut random)));
        })
    })
}

/// `Summary::observe` of the same values, with quantiles.
pub fn observe_quantiles() -> Side {
    let declaration = Registry::new().summary("latency").unit("seconds").quantiles([0.5, 0.99]);
    let summary = declaration.interval(Duration::from_secs(10)).single().expect("nothing is wrong with it");
    let values = Observations::new();
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            repeat(ops, &summary, |summary| summary.observe(values.draw(&mut random)));
        })
    })
}

/// The same on the hot/cold histogram of the crate `prometheus`.
pub fn observe_hot_cold() -> Side {
    let options = HistogramOpts::new("latency_seconds", "Latency").buckets(THRESHOLDS.to_vec());
    let histogram = prometheus::Histogram::with_opts(options).expect("nothing is wrong with it");
    let values = Observations::new();
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            repeat(ops, &histogram, |histogram| histogram.observe(values.draw(&mut random)));
        })
    })
}

/// Look-up of three labels among `series` and `inc`, by the family.
pub fn family_inc(series: usize) -> Side {
    let family = Registry::new().counter("requests").labels(KEYS).declare().expect("nothing is wrong with it");
    let sets = label_sets(series);
    for set in &sets {
        family.inc(borrowed(set)).expect("three values");
    }
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            repeat(ops, &family, |family| {
                let set = &sets[random.below(sets.len())];
                family.inc(borrowed(set)).expect("three values");
            });
        })
    })
}

/// The same by one DashMap.
pub fn dash_inc(series: usize) -> Side {
    let sets = label_sets(series);
    let family = DashFamily::new(&sets);
    Box::new(move |threads, ops| {
        cpu_per_op(threads, ops, |index, ops| {
            let mut random = XorShift::of_thread(index);
            repeat(ops, &family, |family| family.inc(borrowed(&sets[random.below(sets.len())])));
        })
    })
}
