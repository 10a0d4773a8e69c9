//! Programs whose steps run one after the other, each on one of several threads: every value is known.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use manometer::{DeclareError, LabelError, Registry, collect};
use proptest::prelude::*;

use super::{
    clock::HandClock,
    common,
    kind::Kind,
    pages_read_back, programs,
    series::Series,
    steps::{FLEETING, HANDLES, KEYS, MOST_LETTERS, NAMES, Step, THREADS, VALUES, program},
    subject::{AnyFamily, AnyHandle},
    take_turn,
    value::{Exemplars, Held, exemplars, held},
};

proptest! {
    #![proptest_config(programs(128))]

    #[test]
    fn every_step_of_a_program_does_what_the_model_does(
        steps in program(),
    ) {
        let _turn = take_turn();
        let world = Mutex::new(World::new());
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
        world.into_inner().expect("no step has failed").check(None);
    }
}

/// The engine and its model.
struct World {
    registry: Registry,
    clock: HandClock,
    /// Whether there is a family with windows, and how many were begun since windows last ended.
    has_windows: bool,
    windows_begun: u64,
    /// How many exemplars were refused.
    refused: u64,
    families: BTreeMap<&'static str, Stands>,
    /// Every series that there ever was.
    series: Vec<Series>,
    handles: Vec<(Box<dyn AnyHandle>, usize)>,
}

/// A family that stands.
struct Stands {
    family: Arc<dyn AnyFamily>,
    kind: Kind,
    keys: usize,
    expires: bool,
    /// Labels to the place of the series.
    series: BTreeMap<Vec<&'static str>, usize>,
}

impl World {
    fn new() -> Self {
        let (registry, clock) = (common::registry(), HandClock::default());
        registry.set_clock(clock.clone());
        Self {
            registry,
            clock,
            has_windows: false,
            windows_begun: 0,
            refused: 0,
            families: BTreeMap::new(),
            series: Vec::new(),
            handles: Vec::new(),
        }
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Declare { name, kind, keys } => self.declare(NAMES[name], kind, keys),
            Step::Replace { name, kind, keys } => {
                let (name, expires) = (NAMES[name], NAMES[name] == FLEETING);
                let (family, old) = kind.replace(&self.registry, name, &KEYS[..keys], expires);
                let stood = self.families.remove(name);
                assert_eq!(old.as_ref().map(held), stood.as_ref().map(|stood| self.held(stood)));
                stood.into_iter().for_each(|stood| self.bury(&stood));
                self.stand(name, family, kind, keys);
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
                self.series[series].record(amount, 1, self.clock.read());
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
                self.series[series].ask(self.clock.read());
                if self.handles.len() == HANDLES {
                    self.handles.remove(0);
                }
                self.handles.push((handle, series));
            }
            Step::RecordHeld { handle, amount, times } => {
                let Some((handle, series)) = self.handle(handle) else { return };
                handle.record(amount, times);
                self.series[series].record(amount, times, self.clock.read());
            }
            Step::RecordWith { handle, amount, letters } => {
                let Some((handle, series)) = self.handle(handle) else { return };
                let text = char::from(b'a' + amount % 26).to_string().repeat(letters);
                handle.record_with(amount, &[("t", &text)]);
                let fits = letters <= MOST_LETTERS;
                let refused = self.series[series].record_with(amount, &text, fits, self.clock.read());
                self.refused += u64::from(refused);
            }
            Step::Set { handle, amount } => {
                let Some((handle, series)) = self.handle(handle) else { return };
                handle.set(amount);
                self.series[series].set(amount, self.clock.read());
            }
            Step::Ask { name, labels } => {
                let Some((labels, series)) = self.look_up(NAMES[name], labels) else { return };
                drop(self.families[NAMES[name]].family.handle(&labels));
                self.series[series].ask(self.clock.read());
            }
            Step::Drop { handle } => {
                if !self.handles.is_empty() {
                    self.handles.remove(handle % self.handles.len());
                }
            }
            Step::Reset { handle } => {
                let Some((handle, series)) = self.handle(handle) else { return };
                assert_eq!(handle.reset(), self.series[series].reset());
            }
            Step::Clear { name, prefix } => {
                let Some((stands, prefix)) = self.within(NAMES[name], prefix) else { return };
                let cleared = stands.family.clear(prefix);
                let own = own(stands, prefix);
                assert_eq!(cleared, self.held_of(&own));
                own.values().for_each(|series| _ = self.series[*series].reset());
            }
            Step::Remove { name, labels } => {
                let Some(stands) = self.families.get_mut(NAMES[name]) else { return };
                let labels: Vec<_> = labels[..stands.keys].iter().map(|value| VALUES[*value]).collect();
                let removed = stands.family.remove(&labels);
                let series = stands.series.remove(&labels);
                assert_eq!(removed, series.map(|series| self.series[series].value.clone()));
                series.into_iter().for_each(|series| self.series[series].die());
            }
            Step::RemoveAll { name, prefix } => {
                let Some((stands, prefix)) = self.within(NAMES[name], prefix) else { return };
                let removed = stands.family.remove_all(prefix);
                let own = own(stands, prefix);
                assert_eq!(removed, self.held_of(&own));
                let stands = self.families.get_mut(NAMES[name]).expect("found before");
                for (labels, series) in own {
                    stands.series.remove(&labels);
                    self.series[series].die();
                }
            }
            Step::Accumulate { name, prefix, sums } => self.accumulate(NAMES[name], prefix, sums),
            Step::Pass { seconds } => {
                self.clock.advance(Duration::from_secs(seconds));
                if self.has_windows {
                    self.clock.settle(std::mem::take(&mut self.windows_begun));
                }
                self.series.iter_mut().for_each(Series::end_window);
            }
            Step::Collect => self.check(None),
            Step::CollectBeside { name, labels, amount } => self.check(Some((NAMES[name], labels, amount))),
        }
    }

    /// One of the handles that there are, and the place of its series.
    fn handle(&self, handle: usize) -> Option<(&dyn AnyHandle, usize)> {
        let (handle, series) = self.handles.get(handle % self.handles.len().max(1))?;
        Some((&**handle, *series))
    }

    fn declare(&mut self, name: &'static str, kind: Kind, keys: usize) {
        let declared = kind.declare(&self.registry, name, &KEYS[..keys], name == FLEETING);
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

    fn stand(&mut self, name: &'static str, family: Arc<dyn AnyFamily>, kind: Kind, keys: usize) {
        // The one series of a family without keys stays.
        let expires = name == FLEETING && keys > 0;
        self.families.insert(name, Stands { family, kind, keys, expires, series: BTreeMap::new() });
        if kind == Kind::Quantiles {
            self.has_windows = true;
            self.windows_begun += 1;
        }
        if keys == 0 {
            self.look_up(name, [0, 0]);
        }
    }

    /// The labels that a family with its keys has of these, and the series that they mean, which is there from now on.
    fn look_up(&mut self, name: &'static str, labels: [usize; 2]) -> Option<(Vec<&'static str>, usize)> {
        let Self { families, series, clock, .. } = self;
        let stands = families.get_mut(name)?;
        let labels: Vec<_> = labels[..stands.keys].iter().map(|value| VALUES[*value]).collect();
        let kind = stands.kind;
        let place = *stands.series.entry(labels.clone()).or_insert_with(|| {
            series.push(Series::new(kind, clock.read()));
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
        let mut published: BTreeMap<usize, u32> = own(stands, prefix).values().map(|series| (*series, 0)).collect();
        for (mut labels, (_, _, amount)) in given.iter().map(|(labels, _)| labels.clone()).zip(sums) {
            labels.splice(0..0, prefix);
            let places: Vec<_> = labels.iter().map(|label| VALUES.iter().position(|value| value == label)).collect();
            let place = |at: usize| places.get(at).copied().flatten().unwrap_or(0);
            let (_, series) = self.look_up(name, [place(0), place(1)]).expect("it stands");
            *published.entry(series).or_default() += u32::from(amount);
        }
        for (series, quarters) in published {
            self.series[series].publish(f64::from(quarters) * 0.25, self.clock.read());
        }
    }

    /// Its series are no longer seen.
    fn bury(&mut self, stood: &Stands) {
        stood.series.values().for_each(|series| self.series[*series].die());
    }

    fn held(&self, stands: &Stands) -> Held {
        self.held_of(&stands.series)
    }

    fn held_of(&self, series: &BTreeMap<Vec<&'static str>, usize>) -> Held {
        let texts = |labels: &Vec<&str>| labels.iter().map(|label| (*label).to_owned()).collect();
        series.iter().map(|(labels, series)| (texts(labels), self.series[*series].value.clone())).collect()
    }

    /// What is exposed, listed and read through handles is what the model holds. `beside` is recorded while a collection runs.
    fn check(&mut self, beside: Option<(&'static str, [usize; 2], u8)>) {
        if let Some((stands, labels, amount)) = beside.and_then(|beside| self.beside(beside)) {
            let act = move || stands.record(&labels, amount).expect("a value for each key");
            self.clock.meanwhile(Box::new(act));
        }
        let set = collect(&self.registry);
        self.clock.make_up();
        assert_eq!(set.families.len(), self.families.len());
        assert!(set.families.is_sorted_by_key(|family| family.metadata().name().exposed().to_owned()));
        for (name, stands) in &self.families {
            let family = set.family(name).expect("it stands");
            assert_eq!(held(family), self.held(stands), "{name}");
            assert_eq!(exemplars(family), self.exemplars(stands), "{name}");
        }
        self.series.iter_mut().for_each(Series::show);
        if let Some((name, labels, amount)) = beside {
            if let Some((_, series)) = self.look_up(name, labels) {
                self.series[series].record(amount, 1, self.clock.read());
            }
        }
        self.expire();
        for stands in self.families.values() {
            let texts = |labels: &Vec<&str>| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
            let shown: Vec<_> = match stands.expires {
                // To list series is to ask for them.
                true => stands.family.exposed().into_keys().collect(),
                false => stands.family.listed(),
            };
            assert_eq!(shown, stands.series.keys().map(texts).collect::<Vec<_>>());
        }
        for (handle, series) in &self.handles {
            let Series { value, live, exemplars, kind, .. } = &self.series[*series];
            assert_eq!((handle.value(), handle.is_live()), (value.clone(), *live));
            let last = |bucket| Some((bucket, handle.exemplar(bucket)?));
            assert_eq!(&(0..=kind.thresholds().len()).filter_map(last).collect::<Exemplars>(), exemplars);
        }
        assert_eq!(self.registry.health().dropped_exemplars, self.refused);
        pages_read_back(&set);
    }

    /// The family of a record that is made while a collection runs, and the labels that it has of these.
    fn beside(
        &self,
        (name, labels, amount): (&str, [usize; 2], u8),
    ) -> Option<(Arc<dyn AnyFamily>, Vec<&'static str>, u8)> {
        let stands = self.families.get(name)?;
        Some((stands.family.clone(), labels[..stands.keys].iter().map(|value| VALUES[*value]).collect(), amount))
    }

    /// A collection has ended: which series went is for the engine to say, if they may, and if none stays that may not.
    fn expire(&mut self) {
        let now = self.clock.read();
        let held: Vec<usize> = self.handles.iter().map(|(_, series)| *series).collect();
        for (name, stands) in self.families.iter_mut().filter(|(_, stands)| stands.expires) {
            let left = stands.family.exposed();
            stands.series.retain(|labels, place| {
                let series = &mut self.series[*place];
                let (may_go, must_go) = series.grow_idle(held.contains(place), now);
                let texts: Vec<_> = labels.iter().map(|label| (*label).to_owned()).collect();
                let stays = left.contains_key(&texts);
                assert!(stays || may_go, "{name}{labels:?} is gone at {now:?}: {series:?}");
                assert!(!stays || !must_go, "{name}{labels:?} is still there at {now:?}: {series:?}");
                if !stays {
                    series.die();
                }
                stays
            });
        }
    }

    /// The exemplars of a family's series, of those that have some.
    fn exemplars(&self, stands: &Stands) -> BTreeMap<Vec<String>, Exemplars> {
        let own = |(labels, series): (&Vec<&str>, &usize)| {
            let labels = labels.iter().map(|label| (*label).to_owned()).collect();
            (labels, self.series[*series].exemplars.clone())
        };
        stands.series.iter().map(own).filter(|(_, own)| !own.is_empty()).collect()
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
