//! Every snapshot of a histogram is the state after a whole number of observations, in the order in which they were made.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use manometer::{
    Histogram, MetricPoint, collect,
    model::{HistogramPoint, Metric},
};

use super::common::{LEASED, family, registry, stress, together, while_running};

/// More than 64 buckets make a cell of two banks.
const NARROW: usize = 11;
const WIDE: usize = 160;

/// Snapshots of a moving histogram that a reader wants.
const SNAPSHOTS: usize = 2_000;

/// A known sequence of observations. All are small multiples of 1/8, so that their sums are exact in any order.
#[derive(Clone)]
struct Sequence(u64);

impl Iterator for Sequence {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((self.0 >> 52) as f64 / 8.0)
    }
}

fn bounds(buckets: usize) -> impl Iterator<Item = f64> {
    (1..buckets).map(move |bound| bound as f64 * 512.0 / buckets as f64)
}

/// What a histogram must show after some number of observations of a sequence; it only moves forward.
struct Replay {
    sequence: Sequence,
    count: u64,
    buckets: Vec<u64>,
    sum: f64,
}

impl Replay {
    fn new(seed: u64, buckets: usize) -> Self {
        Self { sequence: Sequence(seed), count: 0, buckets: vec![0; buckets], sum: 0.0 }
    }

    /// Checks that `point` is the state after exactly as many observations as it counts.
    fn check(&mut self, point: &HistogramPoint) {
        let more = point.count().checked_sub(self.count).unwrap_or_else(|| panic!("fewer than {}", self.count));
        for value in self.sequence.by_ref().take(more as usize) {
            self.buckets[point.thresholds.partition_point(|bound| *bound < value)] += 1;
            self.sum += value;
        }
        self.count += more;
        let cumulative: Vec<_> =
            self.buckets.iter().scan(0, |sum, count| Some(std::mem::replace(sum, *sum + count) + count)).collect();
        assert!(point.cumulative == cumulative, "the buckets are not those after {} observations", self.count);
        assert!(point.sum == self.sum, "{} is not the sum of the first {}, {}", point.sum, self.count, self.sum);
    }
}

fn histogram_of(metric: &Metric<'_>) -> HistogramPoint {
    match metric.point() {
        MetricPoint::Histogram(point) => point,
        other => panic!("{other:?} is not of a histogram"),
    }
}

/// A thread that leases writes in several slabs, of which each alone is a prefix.
const PREFIXES: bool = !LEASED;

/// One writer and one reader of one histogram. What the reader saw is checked afterwards, for that takes longer than writing.
fn snapshots_of_one_writer(buckets: usize) {
    let registry = registry();
    let histogram = registry.histogram("h").buckets(bounds(buckets)).single().expect("declared once");
    let enough = AtomicBool::new(false);
    let mut seen = vec![histogram.point()];
    while_running(
        || together(1, |_| observe(7, &histogram, &enough)),
        || {
            let point = histogram.point();
            if seen[seen.len() - 1].count() < point.count() {
                seen.push(point);
                enough.store(seen.len() >= stress(SNAPSHOTS), Ordering::Relaxed);
            }
        },
    );
    let mut replay = Replay::new(7, buckets);
    seen.iter().filter(|_| PREFIXES).for_each(|point| replay.check(point));
    replay.check(&histogram.point());
}

/// Observes a sequence until the reader has enough. Lets others run now and then: a reader that is not run sees nothing.
fn observe(seed: u64, histogram: &Histogram, enough: &AtomicBool) {
    let mut sequence = Sequence(seed);
    while !enough.load(Ordering::Relaxed) {
        sequence.by_ref().take(8192).for_each(|value| histogram.observe(value));
        thread::yield_now();
    }
}

#[test]
fn gen_04_a_narrow_snapshot_is_a_prefix() {
    snapshots_of_one_writer(NARROW);
}

#[test]
fn gen_04_a_wide_snapshot_is_a_prefix() {
    snapshots_of_one_writer(WIDE);
}

#[test]
fn gen_04_snapshots_under_32_writers_are_prefixes() {
    for buckets in [NARROW, WIDE] {
        let registry = registry();
        let family_of_32 = registry.histogram("h").buckets(bounds(buckets)).labels(["writer"]).declare().unwrap();
        let handles: Vec<Histogram> = (0..32).map(|writer| family_of_32.with_labels((writer,)).unwrap()).collect();
        let enough = AtomicBool::new(false);
        let (mut seen, mut last) = (Vec::new(), 0);
        while_running(
            || together(32, |writer| observe(writer as u64, &handles[writer], &enough)),
            || {
                let set = collect(&registry);
                let count = family(&set, "h").metrics().map(|metric| histogram_of(&metric).count()).sum();
                if last < count {
                    last = count;
                    seen.push(set);
                    enough.store(seen.len() >= stress(SNAPSHOTS / 10), Ordering::Relaxed);
                }
            },
        );
        let mut replays: Vec<_> = (0..32).map(|writer| Replay::new(writer, buckets)).collect();
        for metric in seen.iter().filter(|_| PREFIXES).flat_map(|set| family(set, "h").metrics()) {
            let writer: usize = metric.value("writer").unwrap().parse().unwrap();
            replays[writer].check(&histogram_of(&metric));
        }
    }
}

#[test]
fn gen_04_sum_and_count_agree_under_32_writers_of_one_series() {
    for buckets in [1, NARROW, WIDE] {
        let registry = registry();
        let histogram = registry.histogram("h").buckets(bounds(buckets)).labels(["k"]).declare().unwrap();
        let observations = stress(400_000);
        let mut before = 0;
        while_running(
            || {
                together(32, |writer| {
                    let held = histogram.with_labels(("x",)).unwrap();
                    for round in 0..observations {
                        match (writer + round) % 4 {
                            0 => histogram.observe(("x",), 1.0).unwrap(),
                            1 => held.observe_many(1.0, 3),
                            _ => held.observe(1.0),
                        }
                    }
                });
            },
            || {
                let set = collect(&registry);
                let Some(metric) = family(&set, "h").metrics().next() else { return };
                let point = histogram_of(&metric);
                assert_eq!(point.count() as f64, point.sum);
                assert!(point.count() >= before && point.cumulative.is_sorted());
                before = point.count();
            },
        );
        let all = (32 * observations / 4 * 6) as u64;
        assert_eq!(histogram.with_labels(("x",)).unwrap().count(), all);
    }
}
