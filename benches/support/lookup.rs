//! The rival of a look-up: one DashMap from label values to a slot, as well as it can be done.
//!
//! A key is one boxed string, the three values end to end, with their ends beside it. A look-up borrows its values through a
//! trait object and allocates nothing, and the hash runs over their bytes alone. It is foldhash in its faster variant (the engine uses the better one), and what is
//! counted is the cheapest thing that is exact: a load and a store in an array that each thread has for itself, the slab without
//! growth, registration or removal.

use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use dashmap::DashMap;

/// The most series.
pub const SLOTS: usize = 1 << 14;

thread_local! {
    static CELLS: [AtomicU64; SLOTS] = const { [const { AtomicU64::new(0) }; SLOTS] };
}

/// Series by label values.
#[derive(Debug)]
pub struct DashFamily(DashMap<Key, u32, foldhash::fast::RandomState>);

impl DashFamily {
    /// A family with these series.
    pub fn new(sets: &[[String; 3]]) -> Self {
        assert!(sets.len() <= SLOTS, "each series has a slot");
        Self(sets.iter().map(Key::new).zip(0..).collect())
    }

    /// Adds one to the series of these values, in this thread's own count.
    #[inline]
    pub fn inc(&self, values: [&str; 3]) {
        if let Some(slot) = self.0.get(&values as &dyn Values) {
            CELLS.with(|cells| {
                let cell = &cells[*slot as usize];
                cell.store(cell.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            });
        }
    }
}

/// Three values in one allocation.
#[derive(Debug)]
struct Key {
    text: Box<str>,
    /// Where the first and the second value end.
    ends: [u32; 2],
}

impl Key {
    fn new(set: &[String; 3]) -> Self {
        let ends = [set[0].len() as u32, (set[0].len() + set[1].len()) as u32];
        Self { text: set.concat().into(), ends }
    }
}

/// What the map may be asked with.
trait Values {
    fn values(&self) -> [&[u8]; 3];
}

impl Values for Key {
    #[inline(always)]
    fn values(&self) -> [&[u8]; 3] {
        let [first, second] = self.ends.map(|end| end as usize);
        let bytes = self.text.as_bytes();
        [&bytes[..first], &bytes[first..second], &bytes[second..]]
    }
}

impl Values for [&str; 3] {
    #[inline(always)]
    fn values(&self) -> [&[u8]; 3] {
        self.map(str::as_bytes)
    }
}

impl Hash for dyn Values + '_ {
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        for value in self.values() {
            state.write(value);
        }
    }
}

impl PartialEq for dyn Values + '_ {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.values() == other.values()
    }
}

impl Eq for dyn Values + '_ {}

impl Hash for Key {
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self as &dyn Values).hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (self as &dyn Values) == (other as &dyn Values)
    }
}

impl Eq for Key {}

impl<'a> Borrow<dyn Values + 'a> for Key {
    #[inline(always)]
    fn borrow(&self) -> &(dyn Values + 'a) {
        self
    }
}
