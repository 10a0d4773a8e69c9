//! Programs that several threads run at the same time: what they recorded is what was handed back and what is left, and whatever is
//! read meanwhile is legal.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use manometer::{Counter, Declaration, Family, Gauge, MetricFamily, MetricSet, Registry, collect};
use proptest::prelude::*;

use super::{
    common::{self, together, while_running},
    kind::Kind,
    pages_read_back, programs,
    subject::AnyFamily,
    take_turn,
    value::{Value, held},
};

const THREADS: usize = 3;
const VALUES: [&str; 3] = ["x", "y", "z"];

/// How often each thread runs its program.
const ROUNDS: usize = 30;

#[derive(Clone, Copy, Debug)]
enum Step {
    Record {
        family: usize,
        label: usize,
        amount: u8,
    },
    /// Through a handle that was just looked up, in a family whose series stay.
    RecordHeld {
        family: usize,
        label: usize,
        times: u8,
    },
    /// The same with an exemplar.
    RecordWith {
        family: usize,
        label: usize,
        mark: u8,
    },
    ResetHeld {
        family: usize,
        label: usize,
    },
    Clear {
        family: usize,
    },
    Remove {
        family: usize,
        label: usize,
    },
    RemoveAll {
        family: usize,
    },
    /// In the family that is replaced again and again, which is asked of the registry each time.
    RecordReplaced {
        label: usize,
    },
    Replace,
    RemoveFamily,
    Accumulate {
        amount: u8,
    },
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let (family, label) = (|| 0..Kind::ADDING.len(), || 0..VALUES.len());
    prop_oneof![
        12 => (family(), label(), any::<u8>()).prop_map(|(family, label, amount)| Step::Record { family, label, amount }),
        6 => (family(), label(), 1..4u8).prop_map(|(family, label, times)| Step::RecordHeld { family, label, times }),
        4 => (family(), label(), any::<u8>()).prop_map(|(family, label, mark)| Step::RecordWith { family, label, mark }),
        2 => (family(), label()).prop_map(|(family, label)| Step::ResetHeld { family, label }),
        2 => family().prop_map(|family| Step::Clear { family }),
        3 => (family(), label()).prop_map(|(family, label)| Step::Remove { family, label }),
        1 => family().prop_map(|family| Step::RemoveAll { family }),
        6 => label().prop_map(|label| Step::RecordReplaced { label }),
        1 => Just(Step::Replace),
        1 => Just(Step::RemoveFamily),
        2 => any::<u8>().prop_map(|amount| Step::Accumulate { amount }),
        1 => Just(Step::Collect),
    ]
}

proptest! {
    #![proptest_config(programs(16))]

    #[test]
    fn what_was_recorded_is_what_was_handed_back_and_what_is_left(
        plans in prop::collection::vec(prop::collection::vec(step(), 1..24), THREADS),
    ) {
        let _turn = take_turn();
        let world = World::new();
        let mut watcher = Watcher::default();
        while_running(
            || together(THREADS, |thread| (0..ROUNDS).for_each(|_| plans[thread].iter().for_each(|step| world.act(*step)))),
            || watcher.look(&collect(&world.registry)),
        );
        world.balance();
    }
}

/// The engine, and what was recorded in it less what it handed back.
struct World {
    registry: Registry,
    /// Families whose series come and go, and are recorded in by label values alone.
    changing: Vec<(Arc<dyn AnyFamily>, Owed)>,
    /// Families whose series stay, and are recorded in through handles.
    staying: Vec<(Arc<dyn AnyFamily>, Owed)>,
    /// Every family of that name that anybody saw.
    replaced: Mutex<Vec<Family<Counter>>>,
    owed_by_replaced: Owed,
    gauges: Family<Gauge>,
    /// One more for every step; never reset.
    steps: Counter,
    done: AtomicU64,
}

/// What series owe: observations, and quarters of whatever they count.
#[derive(Debug, Default)]
struct Owed {
    observations: AtomicI64,
    quarters: AtomicI64,
}

impl Owed {
    // Relaxed, here and below: sums, looked at when all threads have ended.
    fn add(&self, value: &Value, sign: i64) {
        let (observations, quarters) = match value {
            Value::Whole(total) => (0, total * 4),
            Value::Float(value) => (0, (value * 4.0) as i64),
            Value::Observed(cumulative, sum, _) => {
                (cumulative.last().copied().unwrap_or_default() as i64, (sum * 4.0) as i64)
            }
        };
        self.observations.fetch_add(sign * observations, Ordering::Relaxed);
        self.quarters.fetch_add(sign * quarters, Ordering::Relaxed);
    }

    fn give_back<'v>(&self, values: impl IntoIterator<Item = &'v Value>) {
        values.into_iter().for_each(|value| self.add(value, -1));
    }

    fn is_settled(&self) -> bool {
        (self.observations.load(Ordering::Relaxed), self.quarters.load(Ordering::Relaxed)) == (0, 0)
    }
}

/// What is recorded through handles: 1.0 of whatever it is, so that counts and sums are one number.
const ONE: u8 = 4;

impl World {
    fn new() -> Self {
        let registry = common::registry();
        let families = |name: &str| {
            let declare = |(place, kind): (usize, Kind)| {
                (
                    kind.declare(&registry, &format!("{name}_{place}"), &["k"], false).expect("a new name"),
                    Owed::default(),
                )
            };
            Kind::ADDING.into_iter().enumerate().map(declare).collect()
        };
        Self {
            changing: families("changing"),
            staying: families("staying"),
            replaced: Mutex::default(),
            owed_by_replaced: Owed::default(),
            gauges: registry.gauge("gauges").labels(["k"]).declare().expect("a new name"),
            steps: registry.counter("steps").single().expect("a new name"),
            done: AtomicU64::new(0),
            registry,
        }
    }

    fn act(&self, step: Step) {
        match step {
            Step::Record { family, label, amount } => {
                let (subject, owed) = &self.changing[family];
                owed.add(&recorded(Kind::ADDING[family], amount, 1), 1);
                subject.record(&[VALUES[label]], amount).expect("one value for one key");
            }
            Step::RecordHeld { family, label, times } => {
                let (subject, owed) = &self.staying[family];
                owed.add(&recorded(Kind::ADDING[family], ONE, times), 1);
                subject.handle(&[VALUES[label]]).record(ONE, times);
            }
            Step::RecordWith { family, label, mark } => {
                let (subject, owed) = &self.staying[family];
                owed.add(&recorded(Kind::ADDING[family], ONE, 1), 1);
                let mark = mark.to_string();
                subject.handle(&[VALUES[label]]).record_with(ONE, &[("first", &mark), ("second", &mark)]);
            }
            Step::ResetHeld { family, label } => {
                let (subject, owed) = &self.staying[family];
                let taken = subject.handle(&[VALUES[label]]).reset();
                is_legal(&taken);
                owed.add(&taken, -1);
            }
            Step::Clear { family } => {
                let (subject, owed) = &self.changing[family];
                owed.give_back(subject.clear(None).values());
            }
            Step::Remove { family, label } => {
                let (subject, owed) = &self.changing[family];
                owed.give_back(subject.remove(&[VALUES[label]]).as_ref());
            }
            Step::RemoveAll { family } => {
                let (subject, owed) = &self.changing[family];
                owed.give_back(subject.remove_all(None).values());
            }
            Step::RecordReplaced { label } => {
                let family =
                    self.registry.get("replaced").unwrap_or_else(|| self.declaration().declare().expect("good"));
                self.owed_by_replaced.add(&Value::Whole(1), 1);
                family.inc([VALUES[label]]).expect("one value for one key");
                self.keep(family);
            }
            Step::Replace => {
                let (family, old) = self.declaration().replace().expect("good");
                self.keep(family);
                old.iter().for_each(|old| self.owed_by_replaced.give_back(held(old).values()));
            }
            Step::RemoveFamily => {
                let old = self.registry.remove("replaced");
                old.iter().for_each(|old| self.owed_by_replaced.give_back(held(old).values()));
            }
            Step::Accumulate { amount } => {
                assert!(AnyFamily::accumulate(&self.gauges, None, &VALUES.map(|value| (vec![value], amount))));
            }
            Step::Collect => is_whole(&collect(&self.registry)),
        }
        self.steps.inc();
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn declaration(&self) -> Declaration<Counter> {
        self.registry.counter("replaced").labels(["k"])
    }

    fn keep(&self, family: Family<Counter>) {
        self.replaced.lock().expect("no step has failed").push(family);
    }

    /// All threads have ended: what is exposed, and what is left in families that were replaced, is what is still owed.
    fn balance(self) {
        let set = collect(&self.registry);
        for (name, families) in [("changing", &self.changing), ("staying", &self.staying)] {
            for (place, (_, owed)) in families.iter().enumerate() {
                let exposed = set.family(&format!("{name}_{place}")).expect("it stands");
                owed.give_back(held(exposed).values());
                assert!(owed.is_settled(), "{name} {:?}: {owed:?}", Kind::ADDING[place]);
            }
        }
        // Who recorded in a family that was just being replaced did so unseen, and yet nothing of it is gone.
        for family in self.replaced.into_inner().expect("no step has failed") {
            for label in VALUES {
                let left = AnyFamily::remove(&family, &[label]);
                self.owed_by_replaced.give_back(left.as_ref());
            }
        }
        assert!(self.owed_by_replaced.is_settled(), "{:?}", self.owed_by_replaced);
        assert_eq!(self.steps.value(), self.done.into_inner());
    }
}

/// What one record adds.
fn recorded(kind: Kind, amount: u8, times: u8) -> Value {
    let mut value = kind.zero();
    kind.record(&mut value, amount, times);
    value
}

/// Whether a value in a family of ones is one that the family can have had: as many observations as their sum says, and no quantile
/// but one, to one per cent, or none.
fn is_legal(value: &Value) {
    if let Value::Observed(cumulative, sum, quantiles) = value {
        assert!(cumulative.is_sorted(), "{value:?}");
        assert_eq!(cumulative.last().map(|count| *count as f64), Some(*sum), "{value:?}");
        let is_one = |quantile: &f64| quantile.is_nan() || (quantile - 1.0).abs() <= 0.01;
        assert!(quantiles.0.iter().all(is_one), "{value:?}");
    }
}

/// Whether the exemplars in a family of ones are whole, and each where it belongs.
fn are_whole_exemplars(family: &MetricFamily, kind: Kind) {
    for (bucket, exemplar) in family.metrics().flat_map(|metric| metric.exemplars().collect::<Vec<_>>()) {
        let labels: Vec<_> = exemplar.labels().collect();
        assert_eq!((labels[0].0, labels[1].0, labels[0].1), ("first", "second", labels[1].1), "{exemplar:?}");
        assert_eq!(kind.exemplar(ONE), Some((bucket, exemplar.value())), "{exemplar:?}");
    }
}

/// Whether a collection is one that there can be, whenever it was.
fn is_whole(set: &MetricSet) {
    for (place, kind) in Kind::ADDING.into_iter().enumerate() {
        let family = set.family(&format!("staying_{place}")).expect("it stands");
        held(family).values().for_each(is_legal);
        are_whole_exemplars(family, kind);
    }
    let gauges = held(set.family("gauges").expect("it stands"));
    let mut values = gauges.values();
    let first = values.next();
    assert!(values.all(|value| Some(value) == first), "published all at once: {gauges:?}");
    assert!([0, VALUES.len()].contains(&gauges.len()), "published all at once: {gauges:?}");
    pages_read_back(set);
}

/// Looks at one collection after the other.
#[derive(Default)]
struct Watcher {
    steps: i64,
}

impl Watcher {
    fn look(&mut self, set: &MetricSet) {
        is_whole(set);
        let steps = held(set.family("steps").expect("it stands"));
        let Some(Value::Whole(steps)) = steps.values().next() else { panic!("{steps:?}") };
        assert!(*steps >= self.steps, "a total went back from {} to {steps}", self.steps);
        self.steps = *steps;
    }
}
