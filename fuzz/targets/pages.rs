//! Any set of families: both pages read back as what the set holds, and a page in pieces is the page as a whole.
#![no_main]

use std::{collections::HashSet, sync::Arc};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    MetricFamily, MetricSet, MetricType,
    encode::{Page, encode},
    model::{FamilyName, LabelTable, Metadata, Points, Timestamp, reserved_names},
};
use manometer_fuzz::{FORMATS, Kind, pages_read_back};

const KEYS: [&str; 3] = ["a", "key_2", "Z9"];

#[derive(Arbitrary, Debug)]
struct Input {
    families: Vec<Family>,
    pieces: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
struct Family {
    name: String,
    unit: String,
    help: String,
    kind: Kind,
    floats: bool,
    created: bool,
    keys: u8,
    values: Vec<String>,
    bounds: Vec<f64>,
    counts: Vec<u64>,
    numbers: Vec<f64>,
}

fuzz_target!(|input: Input| {
    let mut taken = HashSet::new();
    let families = input.families.iter().filter_map(|family| family.build(&mut taken)).collect();
    let set = MetricSet { families };
    pages_read_back(&set);
    for format in FORMATS {
        let mut whole = Vec::new();
        encode(&set, format, &mut whole);
        let (mut pieces, mut page) = (Vec::new(), Page::new(&set, format));
        let mut sizes = input.pieces.iter().copied().chain(std::iter::repeat(200));
        loop {
            // A size of 0 is legal, and asks for nothing.
            let (size, before) = (usize::from(sizes.next().unwrap_or(1)), pieces.len());
            let more = page.fill(&mut pieces, size);
            assert!(!more || pieces.len() - before >= size, "a piece is as long as was asked for");
            if !more {
                break;
            }
        }
        assert_eq!(pieces, whole, "{format:?} in pieces");
    }
});

impl Family {
    /// The family, unless it breaks a rule of declarations or exposes what another one does.
    fn build(&self, taken: &mut HashSet<String>) -> Option<MetricFamily> {
        let kind = MetricType::from(self.kind);
        let name = FamilyName::compose(&self.name, &self.unit, kind).ok()?;
        let samples: Vec<_> = reserved_names(name.exposed(), kind).collect();
        if samples.iter().any(|sample| taken.contains(sample)) {
            return None;
        }
        taken.extend(samples);

        let keys = &KEYS[..usize::from(self.keys) % (KEYS.len() + 1)];
        let mut rows: Vec<&[String]> = match keys.len() {
            0 => vec![&[]],
            keys => self.values.chunks_exact(keys).collect(),
        };
        rows.sort();
        rows.dedup();
        let labels = LabelTable::new(keys, rows.iter().map(|row| row.iter().cloned())).expect("sorted rows");

        let mut bounds: Vec<f64> = self.bounds.iter().copied().filter(|bound| bound.is_finite()).collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        bounds.truncate(20);
        let metadata = Metadata::new(name, kind).with_help(&self.help).with_labels(keys).expect("good keys");
        let metadata = match kind {
            MetricType::Histogram => metadata.with_thresholds(bounds.into()),
            MetricType::Summary => metadata.with_quantiles(bounds.into()),
            _ => metadata,
        };

        let counts = |times: usize| cycled(&self.counts, rows.len() * times);
        let numbers = |times: usize| cycled(&self.numbers, rows.len() * times);
        let created = match self.created {
            true => counts(1).into_iter().map(Timestamp::from_millis).collect(),
            false => Vec::new(),
        };
        let points = match (kind, self.floats) {
            (MetricType::Counter, false) => Points::Counter { totals: counts(1), created },
            (MetricType::Counter, true) => Points::FloatCounter { totals: numbers(1), created },
            (MetricType::Gauge, false) => {
                Points::UpDown { values: counts(1).into_iter().map(|count| count as i64).collect() }
            }
            (MetricType::Gauge, true) => Points::Gauge { values: numbers(1) },
            (MetricType::Histogram, ascending) => {
                let mut cumulative = counts(metadata.buckets());
                if ascending {
                    cumulative.chunks_mut(metadata.buckets()).for_each(<[u64]>::sort);
                }
                Points::Histogram { cumulative, sums: numbers(1), created }
            }
            (_, _) => {
                let quantiles = numbers(metadata.quantiles().len());
                Points::Summary { counts: counts(1), sums: numbers(1), quantiles, created }
            }
        };
        Some(MetricFamily::new(Arc::new(metadata), Arc::new(labels), points).expect("columns of the rows' length"))
    }
}

/// As many values as are needed, those that are given again and again.
fn cycled<T: Copy + Default>(given: &[T], needed: usize) -> Vec<T> {
    given.iter().copied().chain(given.is_empty().then(T::default)).cycle().take(needed).collect()
}
