//! Names and units: accepted exactly by the rules, exposed as a page can have them, and no two families share a sample.
#![no_main]

use std::collections::{HashMap, HashSet};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manometer::{
    DeclareError, MetricType, Registry, collect,
    model::{FamilyName, UnitRule, reserved_names},
};
use manometer_fuzz::{Kind, pages_read_back};

#[derive(Arbitrary, Debug)]
struct Given {
    name: String,
    unit: String,
    kind: Kind,
}

fuzz_target!(|input: Vec<Given>| {
    let registry = Registry::new();
    let mut standing: HashMap<String, (MetricType, FamilyName)> = HashMap::new();
    let mut reserved: HashSet<String> = HashSet::new();
    for Given { name, unit, kind } in &input {
        let kind = MetricType::from(*kind);
        let composed = FamilyName::compose(name, unit, kind);
        check(name, unit, kind, &composed);
        let declared = declare(&registry, name, unit, kind);
        match composed {
            Err(error) => assert_eq!(declared, Err(error), "a registry keeps to the same rules"),
            Ok(composed) => {
                let samples: HashSet<_> = reserved_names(composed.exposed(), kind).collect();
                let expected = match standing.get(composed.raw()) {
                    Some((stands, _)) => *stands == kind,
                    None => reserved.is_disjoint(&samples),
                };
                assert_eq!(declared.is_ok(), expected, "{composed:?} as {kind}: {declared:?}");
                if expected && !standing.contains_key(composed.raw()) {
                    reserved.extend(samples);
                    standing.insert(composed.raw().to_owned(), (kind, composed));
                }
            }
        }
    }
    let set = collect(&registry);
    assert_eq!(set.families.len(), standing.len(), "what is refused leaves nothing behind");
    for family in &set.families {
        let (kind, name) = &standing[family.metadata().name().raw()];
        assert_eq!((family.metadata().kind(), family.metadata().name()), (*kind, name), "the first declaration stands");
    }
    pages_read_back(&set);
});

fn declare(registry: &Registry, name: &str, unit: &str, kind: MetricType) -> Result<(), DeclareError> {
    match kind {
        MetricType::Counter => registry.counter(name).unit(unit).declare().map(drop),
        MetricType::Gauge => registry.gauge(name).unit(unit).declare().map(drop),
        MetricType::Histogram => registry.histogram(name).unit(unit).buckets([1.0]).declare().map(drop),
        _ => registry.summary(name).unit(unit).declare().map(drop),
    }
}

/// The rules of names, said once more.
fn check(name: &str, unit: &str, kind: MetricType, composed: &Result<FamilyName, DeclareError>) {
    let is_word = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let stem = match kind == MetricType::Counter && name.ends_with("_total") {
        true => &name[..name.len() - "_total".len()],
        false => name,
    };
    let expected = match () {
        () if name.contains(char::is_control) => {
            let at = name.find(char::is_control).expect("one is there");
            Err(DeclareError::InvalidName { name: name.to_owned(), at })
        }
        () if !is_word(unit) => Err(DeclareError::InvalidUnit { unit: unit.to_owned(), rule: UnitRule::Characters }),
        () if stem.is_empty() => Err(DeclareError::EmptyName),
        () if unit.is_empty() || stem.ends_with(&format!("_{unit}")) => Ok(stem.to_owned()),
        () => Ok(format!("{stem}_{unit}")),
    };
    match (composed, expected) {
        (Err(error), expected) => assert_eq!(Some(error), expected.err().as_ref()),
        (Ok(name), expected) => {
            assert_eq!(Some(name.raw()), expected.ok().as_deref());
            assert_eq!(name.unit(), unit);
            let exposed = name.exposed();
            assert!(is_word(exposed) && !exposed.starts_with(|first: char| first.is_ascii_digit()), "{exposed:?}");
            assert!(!exposed.is_empty() && (unit.is_empty() || exposed.ends_with(&format!("_{unit}"))), "{exposed:?}");
            let again = FamilyName::compose(name.raw(), unit, MetricType::Gauge).expect("what was accepted");
            assert_eq!(again.raw(), name.raw(), "a whole name stays as it is");
        }
    }
}
