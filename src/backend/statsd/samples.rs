//! Single observations on their way to the sender: a bounded queue, so that recording neither waits nor allocates.

use crossbeam_queue::ArrayQueue;

use super::{
    lines::{Field, Head, Lines, Note, Source},
    names::Naming,
    options::HistogramMode,
};
use crate::{
    instrument::{SampleSink, SeriesRef},
    model::Metadata,
    sync::{Arc, AtomicU64, Ordering},
    tuple::Tuple,
};

/// One observation, or several of one value.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) metadata: Arc<Metadata>,
    pub(super) tuple: Tuple,
    value: f64,
    times: u32,
}

/// The queue. Its counts are Relaxed: each is a statistic of its own.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: ArrayQueue<Sample>,
    rate: f64,
    /// Counts what could be sent, to choose among it.
    seen: AtomicU64,
    dropped: AtomicU64,
}

impl Queue {
    pub(super) fn new(capacity: usize, rate: f64) -> Self {
        let waiting = ArrayQueue::new(capacity);
        Self { waiting, rate, seen: AtomicU64::new(0), dropped: AtomicU64::new(0) }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many found no room.
    pub(super) fn dropped(&self) -> u64 {
        // Relaxed: a count that publishes nothing but itself.
        self.dropped.load(Ordering::Relaxed)
    }

    /// Whether the next one is among those that are sent.
    fn chooses(&self) -> bool {
        self.rate >= 1.0 || {
            // The number of the observation, mixed (SplitMix64): no pattern of the program's own can fall in step with it.
            // Relaxed: an exchange gives each observation a number of its own, and nothing goes by their order.
            let mut bits =
                self.seen.fetch_add(1, Ordering::Relaxed).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64 <= self.rate
        }
    }
}

impl SampleSink for Queue {
    fn sample(&self, series: SeriesRef<'_>, value: f64, times: u32) {
        if self.chooses() {
            let (metadata, tuple) = (series.shared.metadata.clone(), series.tuple.clone());
            if self.waiting.push(Sample { metadata, tuple, value, times }).is_err() {
                // Relaxed: a count that publishes nothing but itself.
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// What was taken from the queue and is not sent yet.
#[derive(Debug, Default)]
pub(super) struct Taken {
    samples: Vec<Sample>,
    sent: usize,
    name: String,
    tail: String,
}

impl Taken {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    /// Takes what waits, except what `keeps` refuses; no more than the queue can hold.
    pub(super) fn take(&mut self, queue: &Queue, keeps: impl Fn(&Sample) -> bool) {
        // Not until it is empty: others may fill it as fast.
        for _ in 0..queue.len().min(queue.waiting.capacity().saturating_sub(self.samples.len())) {
            let Some(sample) = queue.waiting.pop() else { break };
            if keeps(&sample) {
                self.samples.push(sample);
            }
        }
    }

    /// Appends the line of the sample number `row`.
    pub(super) fn write(&mut self, row: usize, naming: &Naming, mode: HistogramMode, rate: f64, lines: &mut Lines) {
        let sample = &self.samples[row];
        self.name.clear();
        self.tail.clear();
        naming.write_series(&sample.metadata, &sample.tuple, &mut self.name, &mut self.tail);
        let (kind, scale) = match mode {
            HistogramMode::Milliseconds if sample.metadata.name().unit() == "seconds" => ("ms", 1000.0),
            HistogramMode::Milliseconds => ("ms", 1.0),
            HistogramMode::Distribution => ("d", 1.0),
            HistogramMode::Histogram | HistogramMode::Buckets => ("h", 1.0),
        };
        let head = Head { name: &self.name, part: "", rest: "", tail: &self.tail };
        let note = Note { from: Source::Sample, row: row as u32, field: Field::Value };
        let value = (sample.value * scale).clamp(f64::MIN, f64::MAX);
        lines.sample(head, value, kind, rate / f64::from(sample.times), note);
    }

    /// Notes that the next sample was sent. They go in order.
    pub(super) fn note(&mut self, note: Note) {
        self.sent = note.row as usize + 1;
    }

    /// Forgets what was sent.
    pub(super) fn forget_sent(&mut self) {
        self.samples.drain(..self.sent);
        self.sent = 0;
    }
}
