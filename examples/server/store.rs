//! Keys and values in shards, each behind its own lock.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Mutex, MutexGuard, PoisonError},
};

use manometer::{GaugeHistogram, UpDownGauge};

const SHARDS: usize = 16;

type Shard = HashMap<String, String>;

/// A map that tells its size by two gauges, and the sizes of its values by a third, which move with every change.
pub struct Store {
    shards: [Mutex<Shard>; SHARDS],
    hash: RandomState,
    keys: UpDownGauge,
    bytes: UpDownGauge,
    values: GaugeHistogram,
}

impl Store {
    pub fn new(keys: UpDownGauge, bytes: UpDownGauge, values: GaugeHistogram) -> Self {
        Self { shards: Default::default(), hash: RandomState::new(), keys, bytes, values }
    }

    pub fn get(&self, key: &str) -> Option<String> {
        self.shard(key).get(key).cloned()
    }

    pub fn set(&self, key: &str, value: &str) {
        self.put(&mut self.shard(key), key, value.to_owned());
    }

    pub fn remove(&self, key: &str) -> bool {
        let removed = self.shard(key).remove(key);
        if let Some(value) = &removed {
            self.keys.dec();
            self.bytes.add(-signed(key.len() + value.len()));
            self.values.dec(value.len() as f64);
        }
        removed.is_some()
    }

    /// Adds one to a whole number, which begins at 0. `None` if the value is not one, or has no next.
    pub fn increment(&self, key: &str) -> Option<i64> {
        let mut shard = self.shard(key);
        let next = shard.get(key).map_or(Some(0), |value| value.parse::<i64>().ok())?.checked_add(1)?;
        self.put(&mut shard, key, next.to_string());
        Some(next)
    }

    /// How many keys there are, and the bytes of keys and values, counted one by one.
    pub fn size(&self) -> (usize, usize) {
        self.shards.iter().map(lock).fold((0, 0), |(keys, bytes), shard| {
            (keys + shard.len(), bytes + shard.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>())
        })
    }

    fn put(&self, shard: &mut Shard, key: &str, value: String) {
        let length = signed(value.len());
        self.values.inc(value.len() as f64);
        match shard.insert(key.to_owned(), value) {
            Some(old) => {
                self.values.dec(old.len() as f64);
                self.bytes.add(length - signed(old.len()));
            }
            None => {
                self.keys.inc();
                self.bytes.add(length + signed(key.len()));
            }
        }
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        lock(&self.shards[self.hash.hash_one(key) as usize % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory ends long before `i64` does.
fn signed(length: usize) -> i64 {
    length as i64
}
