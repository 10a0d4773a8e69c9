//! What programs that run step by step are made of.

use proptest::prelude::*;

use super::kind::Kind;

pub const NAMES: [&str; 3] = ["a", "b/c", "2 d"];
/// The name of the families whose idle series go.
pub const FLEETING: &str = NAMES[2];
pub const KEYS: [&str; 2] = ["k", "l"];
pub const VALUES: [&str; 4] = ["x", "", "\"\\\n", "ÿ,}"];
pub const THREADS: usize = 3;

/// How many handles are kept. Steps that name one mean one of those that there are.
pub const HANDLES: usize = 6;

#[derive(Clone, Copy, Debug)]
pub enum Step {
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
    /// With an exemplar whose text has so many letters.
    RecordWith {
        handle: usize,
        amount: u8,
        letters: usize,
    },
    Set {
        handle: usize,
        amount: u8,
    },
    Drop {
        handle: usize,
    },
    /// For a handle that is let go at once.
    Ask {
        name: usize,
        labels: [usize; 2],
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
    /// Windows end, and series grow idle.
    Pass {
        seconds: u64,
    },
    Collect,
    /// When all is read, and nobody has asked yet which series are idle, something is recorded.
    CollectBeside {
        name: usize,
        labels: [usize; 2],
        amount: u8,
    },
}

/// As many letters as an exemplar's text can have beside a key of one.
pub const MOST_LETTERS: usize = 127;

/// A family of each name, and then some steps.
pub fn program() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let families = prop::array::uniform3((kind(), keys()));
    (families, prop::collection::vec((0..THREADS, step()), 1..120)).prop_map(|(families, steps)| {
        let declare = |(name, (kind, keys))| (0, Step::Declare { name, kind, keys });
        families.into_iter().enumerate().map(declare).chain(steps).collect()
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ADDING.into_iter().chain([Kind::StateSet]).collect::<Vec<_>>())
}

/// How many keys a family has; mostly one.
fn keys() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(1), 1 => 0..=KEYS.len()]
}

fn step() -> impl Strategy<Value = Step> {
    let (name, handle) = (|| 0..NAMES.len(), || 0..HANDLES);
    // Programs that come back to one series have more to say of it.
    let value = || prop_oneof![Just(0), 0..VALUES.len()];
    let labels = move || [value(), value()];
    let prefix = move || prop::option::of(value());
    prop_oneof![
        3 => (name(), kind(), keys()).prop_map(|(name, kind, keys)| Step::Declare { name, kind, keys }),
        1 => (name(), kind(), keys()).prop_map(|(name, kind, keys)| Step::Replace { name, kind, keys }),
        1 => (name(), any::<u8>()).prop_map(|(name, amount)| Step::RemoveFamily { name, amount }),
        12 => (name(), labels(), any::<u8>()).prop_map(|(name, labels, amount)| Step::Record { name, labels, amount }),
        1 => name().prop_map(|name| Step::Misrecord { name }),
        4 => (name(), labels()).prop_map(|(name, labels)| Step::Hold { name, labels }),
        8 => (handle(), any::<u8>(), 0..5u8)
            .prop_map(|(handle, amount, times)| Step::RecordHeld { handle, amount, times }),
        6 => (handle(), any::<u8>(), prop::sample::select(vec![1, MOST_LETTERS, MOST_LETTERS + 1]))
            .prop_map(|(handle, amount, letters)| Step::RecordWith { handle, amount, letters }),
        2 => (handle(), any::<u8>()).prop_map(|(handle, amount)| Step::Set { handle, amount }),
        2 => handle().prop_map(|handle| Step::Drop { handle }),
        2 => (name(), labels()).prop_map(|(name, labels)| Step::Ask { name, labels }),
        2 => handle().prop_map(|handle| Step::Reset { handle }),
        2 => (name(), prefix()).prop_map(|(name, prefix)| Step::Clear { name, prefix }),
        3 => (name(), labels()).prop_map(|(name, labels)| Step::Remove { name, labels }),
        1 => (name(), prefix()).prop_map(|(name, prefix)| Step::RemoveAll { name, prefix }),
        3 => (name(), prefix(), [(value(), value(), any::<u8>()), (value(), value(), any::<u8>())])
            .prop_map(|(name, prefix, sums)| Step::Accumulate { name, prefix, sums }),
        4 => (1..4u64).prop_map(|seconds| Step::Pass { seconds }),
        4 => Just(Step::Collect),
        1 => (name(), labels(), any::<u8>()).prop_map(|(name, labels, amount)| Step::CollectBeside { name, labels, amount }),
    ]
}
