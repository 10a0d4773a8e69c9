//! A map beside the hot paths: whoever would have to wait to write in it is told so and goes on.

use std::{
    fmt,
    hash::{BuildHasherDefault, Hash},
};

use dashmap::{DashMap, try_result::TryResult};

use super::{AlreadyHashed, gate};

/// A concurrent map of keys that carry their own hash. Not modelled: it holds nothing that a protocol leans on.
pub struct SideMap<K: Eq + Hash, V>(DashMap<K, V, BuildHasherDefault<AlreadyHashed>>);

impl<K: Eq + Hash + Clone, V> SideMap<K, V> {
    /// Runs `op` on the value of `key`, which `make` makes if there is none. None if another thread is making or removing one
    /// at this moment, or forks.
    pub fn try_with_or_insert<R>(&self, key: &K, make: impl FnOnce() -> V, op: impl FnOnce(&V) -> R) -> Option<R> {
        let _inside = gate::try_enter()?;
        match self.0.try_get(key) {
            TryResult::Present(value) => return Some(op(&value)),
            TryResult::Locked => return None,
            TryResult::Absent => {}
        }
        let value = self.0.try_entry(key.clone())?.or_insert_with(make);
        Some(op(&value))
    }

    /// Runs `op` on the value of `key`, if there is one.
    pub fn with<R>(&self, key: &K, op: impl FnOnce(&V) -> R) -> Option<R> {
        let _inside = gate::enter();
        self.0.get(key).map(|value| op(&value))
    }

    /// Takes `key` out.
    pub fn remove(&self, key: &K) {
        let _inside = gate::enter();
        self.0.remove(key);
    }

    /// Runs `op` on all that there is.
    pub fn for_each(&self, mut op: impl FnMut(&K, &V)) {
        let _inside = gate::enter();
        self.0.iter().for_each(|entry| op(entry.key(), entry.value()));
    }
}

impl<K: Eq + Hash, V> Default for SideMap<K, V> {
    fn default() -> Self {
        Self(DashMap::default())
    }
}

impl<K: Eq + Hash, V> fmt::Debug for SideMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SideMap").field("len", &self.0.len()).finish()
    }
}
