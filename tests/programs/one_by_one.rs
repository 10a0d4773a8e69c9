//! Programs whose steps run one after the other, each on one of several threads: every value is known.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Mutex, mpsc},
    thread,
};

use manometer::{DeclareError, LabelError, Registry, collect};
use proptest::prelude::*;

use super::{
    common, pages_read_back, programs,
    subject::{AnyFamily, AnyHandle, Held, Kind, held},
};

const NAMES: [&str; 3] = ["a", "b/c", "2 d"];
const KEYS: [&str; 2] = ["k", "l"];
const VALUES: [&str; 4] = ["x", "", "\"\\\n", "ÿ,}"];
const THREADS: usize = 3;

/// How many handles are kept.
const HANDLES: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Step {
    Declare {
        name: usize,
        kind: Kind,
        keys: usize,
    },
    Replace {
        name: usize,
        kind: Kind,
        keys: usize,
    },
    RemoveFamily {
        name: usize,
        amount: u8,
    },
    /// By label values.
    Record {
        name: usize,
        labels: [usize; 2],
        amount: u8,
    },
    /// With one label too many.
    Misrecord {
        name: usize,
    },
    Hold {
        name: usize,
        labels: [usize; 2],
    },
    RecordHeld {
        handle: usize,
        amount: u8,
        times: u8,
    },
    Set {
        handle: usize,
        amount: u8,
    },
    Reset {
        handle: usize,
    },
    Clear {
        name: usize,
        prefix: Option<usize>,
    },
    Remove {
        name: usize,
        labels: [usize; 2],
    },
    RemoveAll {
        name: usize,
        prefix: Option<usize>,
    },
    Accumulate {
        name: usize,
        prefix: Option<usize>,
        sums: [(usize, usize, u8); 2],
    },
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let (name, value, handle) = (|| 0..NAMES.len(), || 0..VALUES.len(), || 0..HANDLES);
    let kind = || prop::sample::select(Kind::ADDING.into_iter().chain([Kind::StateSet]).collect::<Vec<_>>());
    let labels = move || [value(), value()];
    let prefix = move || prop::option::of(value());
    prop_oneof![
        3 => (name(), kind(), 0..=KEYS.len()).prop_map(|(name, kind, keys)| Step::Declare { name, kind, keys }),
        1 => (name(), kind(), 0..=KEYS.len()).prop_map(|(name, kind, keys)| Step::Replace { name, kind, keys }),
        1 => (name(), any::<u8>()).prop_map(|(name, amount)| Step::RemoveFamily { name, amount }),
        12 => (name(), labels(), any::<u8>()).prop_map(|(name, labels, amount)| Step::Record { name, labels, amount }),
        1 => name().prop_map(|name| Step::Misrecord { name }),
        4 => (name(), labels()).prop_map(|(name, labels)| Step::Hold { name, labels }),
        8 => (handle(), any::<u8>(), 0..5u8)
            .prop_map(|(handle, amount, times)| Step::RecordHeld { handle, amount, times }),
        2 => (handle(), any::<u8>()).prop_map(|(handle, amount)| Step::Set { handle, amount }),
        2 => handle().prop_map(|handle| Step::Reset { handle }),
        2 => (name(), prefix()).prop_map(|(name, prefix)| Step::Clear { name, prefix }),
        3 => (name(), labels()).prop_map(|(name, labels)| Step::Remove { name, labels }),
        1 => (name(), prefix()).prop_map(|(name, prefix)| Step::RemoveAll { name, prefix }),
        3 => (name(), prefix(), [(value(), value(), any::<u8>()), (value(), value(), any::<u8>())])
            .prop_map(|(name, prefix, sums)| Step::Accumulate { name, prefix, sums }),
        2 => Just(Step::Collect),
    ]
}

proptest! {
    #![proptest_config(programs(64))]

    #[test]
    fn every_step_of_a_program_does_what_the_model_does(
        steps in prop::collection::vec((0..THREADS, step()), 1..120),
    ) {
        let world = Mutex::new(World { registry: common::registry(), families: BTreeMap::new(), series: Vec::new(), handles: Vec::new() });
        let mut failed = None;
        thread::scope(|scope| {
            let (done, next) = mpsc::channel();
            let senders: Vec<_> = (0..THREADS).map(|_| {
                let (sender, orders) = mpsc::channel::<Step>();
                let (world, done) = (&world, done.clone());
                scope.spawn(move || for step in orders {
                    let act = || world.lock().expect("no step has failed").act(step);
                    done.send(catch_unwind(AssertUnwindSafe(act))).expect("the program goes on");
                });
                sender
            }).collect();
            for (thread, step) in &steps {
                senders[*thread].send(*step).expect("a thread waits for orders");
                if let Err(panic) = next.recv().expect("a thread answers") {
                    failed = Some(panic);
                    break;
                }
            }
        });
        if let Some(panic) = failed {
            resume_unwind(panic);
        }
        world.into_inner().expect("no step has failed").check();
    }
}

/// The engine and its model.
struct World {
    registry: Registry,
    families: BTreeMap<&'static str, Stands>,
    /// Every series that there ever was.
    series: Vec<Series>,
    handles: Vec<(Box<dyn AnyHandle>, usize)>,
}

/// A family that stands.
struct Stands {
    family: Box<dyn AnyFamily>,
    kind: Kind,
    keys: usize,
    /// Labels to the place of the series.
    series: BTreeMap<Vec<&'static str>, usize>,
}

struct Series {
    kind: Kind,
    value: super::subject::Value,
    live: bool,
}

impl World {
    fn act(&mut self, step: Step) {
        match step {
            Step::Declare { name, kind, keys } => self.declare(NAMES[name], kind, keys),
            Step::Replace { name, kind, keys } => {
                let (family, old) = kind.replace(&self.registry, NAMES[name], &KEYS[..keys]);
                let stood = self.families.remove(NAMES[name]);
                assert_eq!(old.as_ref().map(held), stood.as_ref().map(|stood| self.held(stood)));
                stood.into_iter().for_each(|stood| self.bury(&stood));
                self.stand(NAMES[name], family, kind, keys);
            }
            Step::RemoveFamily { name, amount } => {
                let old = self.registry.remove(NAMES[name]);
                let stood = self.families.remove(NAMES[name]);
                assert_eq!(old.as_ref().map(held), stood.as_ref().map(|stood| self.held(stood)));
                if let Some(stood) = stood {
                    self.bury(&stood);
                    // A family that is gone counts on, from nothing, and nobody sees it.
                    let labels = &VALUES[..stood.keys];
                    stood.family.record(labels, amount).expect("a value for each key");
                    let mut unseen = stood.kind.zero();
                    stood.kind.record(&mut unseen, amount, 1);
                    assert_eq!(stood.family.find(labels), Some(unseen));
                    assert!(!stood.family.handle(labels).is_live());
                    assert_eq!(stood.family.listed(), Vec::<Vec<String>>::new());
                }
            }
            Step::Record { name, labels, amount } => {
                let Some((labels, series)) = self.look_up(NAMES[name], labels) else { return };
                self.families[NAMES[name]].family.record(&labels, amount).expect("a value for each key");
                let Series { kind, value, .. } = &mut self.series[series];
                kind.record(value, amount, 1);
            }
            Step::Misrecord { name } => {
                let Some(stands) = self.families.get(NAMES[name]) else { return };
                let given = stands.keys + 1;
                let error = stands.family.record(&VALUES[..given], 1).expect_err("one value too many");
                assert_eq!(error, LabelError::Arity { family: NAMES[name].to_owned(), expected: stands.keys, given });
            }
            Step::Hold { name, labels } => {
                let Some((labels, series)) = self.look_up(NAMES[name], labels) else { return };
                let handle = self.families[NAMES[name]].family.handle(&labels);
                if self.handles.len() == HANDLES {
                    self.handles.remove(0);
                }
                self.handles.push((handle, series));
            }
            Step::RecordHeld { handle, amount, times } => {
                let Some((handle, series)) = self.handles.get(handle) else { return };
                handle.record(amount, times);
                let Series { kind, value, .. } = &mut self.series[*series];
                kind.record(value, amount, times);
            }
            Step::Set { handle, amount } => {
                let Some((handle, series)) = self.handles.get(handle) else { return };
                handle.set(amount);
                let Series { kind, value, .. } = &mut self.series[*series];
                kind.set(value, amount);
            }
            Step::Reset { handle } => {
                let Some((handle, series)) = self.handles.get(handle) else { return };
                let Series { kind, value, .. } = &mut self.series[*series];
                assert_eq!(handle.reset(), std::mem::replace(value, kind.zero()));
            }
            Step::Clear { name, prefix } => {
                let Some((stands, prefix)) = self.within(NAMES[name], prefix) else { return };
                let cleared = stands.family.clear(prefix);
                let own = own(stands, prefix);
                assert_eq!(cleared, self.held_of(&own));
                own.values().for_each(|series| self.series[*series].value = self.series[*series].kind.zero());
            }
            Step::Remove { name, labels } => {
                let Some(stands) = self.families.get_mut(NAMES[name]) else { return };
                let labels: Vec<_> = labels[..stands.keys].iter().map(|value| VALUES[*value]).collect();
                let removed = stands.family.remove(&labels);
                let series = stands.series.remove(&labels);
                assert_eq!(removed, series.map(|series| self.series[series].value.clone()));
                series.into_iter().for_each(|series| self.series[series].live = false);
            }
            Step::RemoveAll { name, prefix } => {
                let Some((stands, prefix)) = self.within(NAMES[name], prefix) else { return };
                let removed = stands.family.remove_all(prefix);
                let own = own(stands, prefix);
                assert_eq!(removed, self.held_of(&own));
                let stands = self.families.get_mut(NAMES[name]).expect("found before");
                for (labels, series) in own {
                    stands.series.remove(&labels);
                    self.series[series].live = false;
                }
            }
            Step::Accumulate { name, prefix, sums } => self.accumulate(NAMES[name], prefix, sums),
            Step::Collect => self.check(),
        }
    }

    fn declare(&mut self, name: &'static str, kind: Kind, keys: usize) {
        let declared = kind.declare(&self.registry, name, &KEYS[..keys]);
        match self.families.get(name) {
            None => self.stand(name, declared.expect("a new name"), kind, keys),
            Some(stands) if stands.kind.is_declared_by(kind) && stands.keys == keys => {
                drop(declared.expect("the same"))
            }
            Some(stands) => {
                let wrong = if stands.kind.is_declared_by(kind) { "labels" } else { "type" };
                match declared {
                    Err(DeclareError::Conflict { field, .. }) => assert_eq!(field, wrong),
                    other => panic!("{other:?} for {kind:?} in place of {:?}", stands.kind),
                }
            }
        }
    }

    fn stand(&mut self, name: &'static str, family: Box<dyn AnyFamily>, kind: Kind, keys: usize) {
        self.families.insert(name, Stands { family, kind, keys, series: BTreeMap::new() });
        if keys == 0 {
            self.look_up(name, [0, 0]);
        }
    }

    /// The labels that a family with its keys has of these, and the series that they mean, which is there from now on.
    fn look_up(&mut self, name: &'static str, labels: [usize; 2]) -> Option<(Vec<&'static str>, usize)> {
        let Self { families, series, .. } = self;
        let stands = families.get_mut(name)?;
        let labels: Vec<_> = labels[..stands.keys].iter().map(|value| VALUES[*value]).collect();
        let kind = stands.kind;
        let place = *stands.series.entry(labels.clone()).or_insert_with(|| {
            series.push(Series { kind, value: kind.zero(), live: true });
            series.len() - 1
        });
        Some((labels, place))
    }

    /// A family, and the prefix if there can be one.
    fn within(&self, name: &str, prefix: Option<usize>) -> Option<(&Stands, Option<&'static str>)> {
        let stands = self.families.get(name)?;
        Some((stands, prefix.filter(|_| stands.keys > 0).map(|value| VALUES[value])))
    }

    fn accumulate(&mut self, name: &'static str, prefix: Option<usize>, sums: [(usize, usize, u8); 2]) {
        let Some((stands, prefix)) = self.within(name, prefix).filter(|(stands, _)| stands.kind == Kind::Gauge) else {
            return;
        };
        let fixed = usize::from(prefix.is_some());
        let free = |(first, second, _): &(usize, usize, u8)| -> Vec<&'static str> {
            [*first, *second][fixed..stands.keys.max(fixed)].iter().map(|value| VALUES[*value]).collect()
        };
        let given: Vec<_> = sums.iter().map(|sum| (free(sum), sum.2)).collect();
        assert!(stands.family.accumulate(prefix, &given));
        for series in own(stands, prefix).values() {
            self.series[*series].value = Kind::Gauge.zero();
        }
        for (mut labels, (_, _, amount)) in given.iter().map(|(labels, _)| labels.clone()).zip(sums) {
            labels.splice(0..0, prefix);
            let places: Vec<_> = labels.iter().map(|label| VALUES.iter().position(|value| value == label)).collect();
            let place = |at: usize| places.get(at).copied().flatten().unwrap_or(0);
            let (_, series) = self.look_up(name, [place(0), place(1)]).expect("it stands");
            if let super::subject::Value::Float(value) = &mut self.series[series].value {
                *value += f64::from(amount) * 0.25;
            }
        }
    }

    /// Its series are no longer seen.
    fn bury(&mut self, stood: &Stands) {
        stood.series.values().for_each(|series| self.series[*series].live = false);
    }

    fn held(&self, stands: &Stands) -> Held {
        self.held_of(&stands.series)
    }

    fn held_of(&self, series: &BTreeMap<Vec<&'static str>, usize>) -> Held {
        let texts = |labels: &Vec<&str>| labels.iter().map(|label| (*label).to_owned()).collect();
        series.iter().map(|(labels, series)| (texts(labels), self.series[*series].value.clone())).collect()
    }

    /// What is exposed, listed and read through handles is what the model holds.
    fn check(&self) {
        let set = collect(&self.registry);
        assert_eq!(set.families.len(), self.families.len());
        assert!(set.families.is_sorted_by_key(|family| family.metadata().name().exposed().to_owned()));
        for (name, stands) in &self.families {
            let family = set.family(name).expect("it stands");
            assert_eq!(held(family), self.held(stands), "{name}");
            let texts = |labels: &Vec<&str>| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
            assert_eq!(stands.family.listed(), stands.series.keys().map(texts).collect::<Vec<_>>());
        }
        for (handle, series) in &self.handles {
            let Series { value, live, .. } = &self.series[*series];
            assert_eq!((handle.value(), handle.is_live()), (value.clone(), *live));
        }
        pages_read_back(&set);
    }
}

/// The series of a family under a prefix.
fn own(stands: &Stands, prefix: Option<&'static str>) -> BTreeMap<Vec<&'static str>, usize> {
    let is_own = |labels: &Vec<&str>| prefix.is_none_or(|value| labels[0] == value);
    stands
        .series
        .iter()
        .filter(|(labels, _)| is_own(labels))
        .map(|(labels, series)| (labels.clone(), *series))
        .collect()
}
