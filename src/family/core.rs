//! One family as all its views share it: creating and finding series. How they are read, expire and are removed has a file each.
//!
//! # Invariants
//! - C1: a series is in the map from its creation to its removal, both under the writer lock. The index holds no other.
//! - C2: removal reads the final value only after every look-up that could have found the series has ended, its record included.
//!   So an increment by label values is in what removal hands back, or in the next series of these labels.

mod expiry;
mod reading;
mod removal;

use std::{collections::HashMap, fmt};

use arc_swap::ArcSwap;
use crossbeam_utils::CachePadded;

use super::{
    index::{Index, IndexWriter},
    order::Order,
    owned::Owners,
};
use crate::{
    arena::{self, Pin, Slot},
    instrument::{SeriesRef, Shared},
    model::{OVERFLOW, write_labels},
    sync::{Arc, AtomicBool, AtomicU64, AtomicUsize, GatedMutex, Map, Ordering, mutant},
    tuple::{Borrowed, LabelKey, LabelSeed, Query, Tuple},
};

use expiry::{Condemned, Idle};

/// One family.
#[derive(Debug)]
pub struct Core {
    shared: Arc<Shared>,
    seed: LabelSeed,
    map: Map<Tuple>,
    index: Index,
    writer: GatedMutex<Writer>,
    order: ArcSwap<Order>,
    /// Counts creations and removals, so that the order knows when it is old.
    generation: AtomicU64,
    /// Series in the map, the overflow series not among them.
    len: AtomicUsize,
    /// How many there may be: `max_series`, or as many as there were when the process ran out of slots.
    limit: AtomicUsize,
    max_series: usize,
    /// None for an unlabelled family, which has one series and no other.
    overflow: Option<Overflow>,
    /// Whether the registry still has this family.
    live: AtomicBool,
    /// The series that every look-up gives in a disabled registry: it records nothing, and nobody sees it.
    nowhere: Option<Tuple>,
    /// What is known of idle series, if series expire.
    idle: Option<GatedMutex<Idle>>,
    /// Who shares a series that goes with its last owner.
    owners: GatedMutex<Owners>,
}

/// Where the updates go of series that there is no room for.
#[derive(Debug)]
struct Overflow {
    /// The labels of the overflow series.
    values: Box<[&'static str]>,
    hash: u64,
    /// Look-ups that ended there. Padded: every thread meets here when labels explode.
    count: CachePadded<AtomicU64>,
    /// Whether that was logged.
    reported: AtomicBool,
}

/// What only the holder of the writer lock touches.
#[derive(Debug, Default)]
struct Writer {
    index: IndexWriter,
    /// Series made since the order was last renewed.
    fresh: Vec<Tuple>,
    /// A slot kept for the one series that must never want for it: the overflow series, or that of an unlabelled family.
    spare: Option<Slot>,
    /// Room for the text of a new series.
    text: String,
    /// Series that are hidden from the index, to go if nobody comes for them; by address, with their last mark.
    condemned: HashMap<usize, Condemned>,
    /// Who keeps handles that must not be found any more once their series is removed.
    numberings: Vec<Box<dyn Numbering>>,
}

/// Who is told that series were removed, under the writer lock.
pub trait Numbering: fmt::Debug + Send + Sync {
    /// Finds no handle of a removed series any more. False if nobody finds anything here any more.
    fn forget_removed(&self) -> bool;
}

impl Core {
    /// A family without series; an unlabelled one has its single series at once. None if the process has no slot left for it.
    pub fn new(shared: Arc<Shared>, max_series: usize) -> Option<Self> {
        let keys = shared.metadata.label_keys().len();
        let seed = LabelSeed::default();
        let overflow = (keys > 0).then(|| {
            let values = vec![OVERFLOW; keys].into_boxed_slice();
            let hash = Query::new(&seed, &[], &values).hash();
            Overflow { values, hash, count: CachePadded::default(), reported: AtomicBool::new(false) }
        });
        let spare = Some(shared.ledger().open(&shared)?);
        let map = if keys > 0 { Map::new() } else { Map::small() };
        let this =
            Self { overflow, ..Self::empty(shared, seed, map, Writer { spare, ..Writer::default() }, max_series) };
        if keys == 0 {
            this.with_series(&[], &[], |_| ());
        }
        Some(this)
    }

    /// A family that never has a series: what is recorded in it goes nowhere.
    pub fn disabled(shared: Arc<Shared>, max_series: usize) -> Self {
        let this = Self::empty(shared, LabelSeed::default(), Map::small(), Writer::default(), max_series);
        Self { nowhere: Some(this.nowhere()), ..this }
    }

    fn empty(shared: Arc<Shared>, seed: LabelSeed, map: Map<Tuple>, writer: Writer, max_series: usize) -> Self {
        Self {
            seed,
            map,
            index: Index::new(),
            writer: GatedMutex::new(writer),
            order: ArcSwap::from_pointee(Order::default()),
            generation: AtomicU64::new(0),
            len: AtomicUsize::new(0),
            limit: AtomicUsize::new(max_series),
            max_series,
            overflow: None,
            live: AtomicBool::new(true),
            nowhere: None,
            idle: shared.expire_after.map(|_| GatedMutex::default()),
            owners: GatedMutex::default(),
            shared,
        }
    }

    /// Whether series expire, so that handles must be made where no scan can come between.
    pub fn expires(&self) -> bool {
        self.idle.is_some()
    }

    /// What all its series share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// How many series there are, the overflow series not counted.
    pub fn len(&self) -> usize {
        // Relaxed: a statistic.
        self.len.load(Ordering::Relaxed)
    }

    /// The most series there may be.
    pub fn max_series(&self) -> usize {
        self.max_series
    }

    /// How many look-ups ended in the overflow series.
    pub fn overflowed(&self) -> u64 {
        // Relaxed: a statistic.
        self.overflow.as_ref().map_or(0, |overflow| overflow.count.load(Ordering::Relaxed))
    }

    /// Whether the registry still has this family.
    pub fn is_live(&self) -> bool {
        // Relaxed: it hands nothing over. Who creates a series reads it under the lock that `close` takes after it.
        self.live.load(Ordering::Relaxed)
    }

    /// Runs `op` on the series of `prefix` and then `values`, which is created if need be. Their number is the number of keys.
    ///
    /// `op` is the crate's own, short, and does not look anything up: it runs while the series is pinned, or under a lock.
    #[inline]
    pub fn with_series<R>(&self, prefix: &[Box<str>], values: &[&str], op: impl FnOnce(SeriesRef<'_>) -> R) -> R {
        if let Some(nowhere) = &self.nowhere {
            return op(SeriesRef { tuple: nowhere, shared: &self.shared });
        }
        let query = Query::new(&self.seed, prefix, values);
        let pin = arena::pin();
        if let Some(pin) = &pin {
            if let Some(tuple) = self.index.find(pin, &query).or_else(|| self.find_overflow(pin, &query)) {
                return op(SeriesRef { tuple: &tuple, shared: &self.shared });
            }
        }
        let looked = pin.is_some();
        drop(pin);
        self.with_unindexed(&query, looked, op)
    }

    /// What to use if the index did not have the series of `query`: the overflow series, if the family is full and has one, and
    /// the index is known to miss nothing.
    #[cold]
    fn find_overflow<'p>(&self, pin: &'p Pin, query: &Query<'_>) -> Option<Borrowed<'p>> {
        let overflow = self.overflow.as_ref().filter(|_| self.is_full() && self.index.is_complete())?;
        // Once more, now that all places are known to be taken: the last one may have gone to this very series meanwhile.
        if let Some(tuple) = mutant!("no_second_look", self.index.find(pin, query), None) {
            return Some(tuple);
        }
        let tuple = self.index.find(pin, &Query::hashed(overflow.hash, &overflow.values))?;
        self.count_overflow();
        Some(tuple)
    }

    /// Finds the series in the map, or creates it, or ends in the overflow series. `looked` in the index, it was not there.
    #[cold]
    #[inline(never)]
    fn with_unindexed<R>(&self, query: &Query<'_>, looked: bool, op: impl FnOnce(SeriesRef<'_>) -> R) -> R {
        let mut op = Some(op);
        let mut run = |tuple: &Tuple| op.take().expect("one step runs it")(SeriesRef { tuple, shared: &self.shared });
        let full = self.is_full();
        // Who has no slab looks here first; the map's shard keeps removers out meanwhile (C2). Who has looked in the index already
        // need not, unless the overflow series would come next: a few tuples cannot be indexed.
        if full || !looked {
            let query = query as &dyn LabelKey;
            let done = mutant!(
                "record_outside_shard",
                self.map.with(query, &mut run),
                self.map.with(query, Tuple::clone).map(|tuple| run(&tuple))
            );
            if let Some(done) = done {
                return done;
            }
        }
        if let Some(overflow) = self.overflow.as_ref().filter(|_| full) {
            let overflow = Query::hashed(overflow.hash, &overflow.values);
            // A series that is hidden may have been out of the map just now, too. Then the lock is where to ask.
            if !self.index.hides() {
                if let Some(done) = self.idle.as_ref().and_then(|_| self.map.with(query as &dyn LabelKey, &mut run)) {
                    return done;
                }
                if let Some(done) = self.map.with(&overflow as &dyn LabelKey, &mut run) {
                    self.count_overflow();
                    return done;
                }
            }
        }
        let mut writer = self.writer.lock();
        let tuple = self.get_or_create(&mut writer, query);
        // The record of a new series is made under the lock, so that no remover can come in between (C2).
        mutant!("record_unlocked" => drop(writer));
        run(&tuple)
    }

    /// Runs `op` on the series of `prefix` and then `values` if there is one. Short, as for [`with_series`](Self::with_series).
    pub fn find<R>(&self, prefix: &[Box<str>], values: &[&str], op: impl FnOnce(&Tuple) -> R) -> Option<R> {
        let query = Query::new(&self.seed, prefix, values);
        self.map.with(&query as &dyn LabelKey, op)
    }

    /// Tells `numbering` of every removal from now on.
    pub fn tell_of_removals(&self, numbering: Box<dyn Numbering>) {
        let mut writer = self.writer.lock();
        writer.numberings.retain(|numbering| numbering.forget_removed());
        writer.numberings.push(numbering);
    }

    /// Runs `op` while no series is made or removed. Short, and it looks nothing up.
    pub fn while_none_goes(&self, op: impl FnOnce()) {
        let _writer = mutant!("keep_number_unlocked", Some(self.writer.lock()), None);
        op();
    }

    fn is_full(&self) -> bool {
        // Acquire: pairs with Release in `create`; who sees the last series counted finds it in the index.
        let len = self.len.load(mutant!("full_relaxed", Ordering::Acquire, Ordering::Relaxed));
        // Relaxed: a number that stands or was lowered to what there is; whoever goes by an older one asks again under the lock.
        len >= self.limit.load(Ordering::Relaxed)
    }

    fn count_overflow(&self) {
        if let Some(overflow) = &self.overflow {
            // Relaxed: a statistic.
            overflow.count.fetch_add(1, Ordering::Relaxed);
            self.shared.health.overflow();
        }
    }

    /// Whether these are the labels of the overflow series, which does not count as one of the family's own.
    fn is_overflow<'a>(&self, values: impl Iterator<Item = &'a str>) -> bool {
        self.overflow.as_ref().is_some_and(|overflow| values.eq(overflow.values.iter().copied()))
    }

    fn get_or_create(&self, writer: &mut Writer, query: &Query<'_>) -> Tuple {
        let present = match mutant!("no_recheck_insert", true, false) {
            true => self.map.with(query as &dyn LabelKey, Tuple::clone),
            false => None,
        };
        match present {
            Some(tuple) => {
                self.reprieve(writer, &tuple);
                tuple
            }
            None => self.create(writer, query),
        }
    }

    /// Makes the series of `query`, or gives the overflow series if there is no room for it.
    fn create(&self, writer: &mut Writer, query: &Query<'_>) -> Tuple {
        let Some(overflow) = self.overflow.as_ref().filter(|_| !self.is_overflow(query.values())) else {
            // The one series that may use the spare slot.
            let slot = writer.spare.take().or_else(|| self.shared.ledger().open(&self.shared));
            let Some(tuple) = slot.and_then(|slot| self.intern(writer, query, slot)) else {
                return self.nowhere();
            };
            // Relaxed: who has no overflow series never asks whether it is full, and the overflow series does not count.
            self.len.fetch_add(usize::from(self.overflow.is_none()), Ordering::Relaxed);
            return tuple;
        };
        if !self.is_full() {
            let slot = self.shared.ledger().open(&self.shared);
            if slot.is_none() {
                // Relaxed: a limit; whoever misses it comes here once more. Removing series lifts it again.
                self.limit.store(self.len(), Ordering::Relaxed);
            }
            if let Some(tuple) = slot.and_then(|slot| self.intern(writer, query, slot)) {
                // Release: pairs with Acquire in `is_full`.
                self.len.fetch_add(1, mutant!("count_relaxed", Ordering::Release, Ordering::Relaxed));
                return tuple;
            }
        }
        self.count_overflow();
        self.get_or_create(writer, &Query::hashed(overflow.hash, &overflow.values))
    }

    /// A series that nobody sees: for a disabled family, and for a single or overflow series that was removed when the process
    /// had no slot left.
    fn nowhere(&self) -> Tuple {
        let query = Query::new(&self.seed, &[], &[]);
        let tuple = Tuple::new(&query, &[], "", Slot::NOWHERE, 0.0).expect("an empty text is short");
        tuple.detach();
        tuple
    }

    /// Makes the tuple of `query` at `slot` and puts it into the map, the index and the list of fresh ones.
    ///
    /// None if the labels are too long to be kept; the slot is given back then.
    fn intern(&self, writer: &mut Writer, query: &Query<'_>, slot: Slot) -> Option<Tuple> {
        let keys = self.shared.metadata.key_texts();
        writer.text.clear();
        write_labels(keys.iter(), query.values(), &mut writer.text);
        let make = if self.idle.is_some() { Tuple::tracked } else { Tuple::new };
        let Some(tuple) = make(query, keys, &writer.text, slot, self.shared.first_state()) else {
            self.shared.ledger().give_back(slot, &self.shared);
            return None;
        };
        if let Some(source) = &self.shared.source {
            source.open(slot, self.shared.metadata.most_exemplars());
        }
        if self.is_live() {
            if writer.fresh.len() == writer.fresh.capacity() {
                // Nobody may ever scrape: what was removed meanwhile must not pile up here.
                writer.fresh.retain(Tuple::is_live);
            }
            writer.fresh.push(tuple.clone());
            if let Some(push) = &self.shared.push {
                self.shared.ledger().arrive(&tuple, push.birth());
            }
        } else {
            tuple.detach();
        }
        mutant!("change_late", self.change(), ());
        self.map.insert(tuple.clone());
        self.index.insert(&mut writer.index, &tuple);
        mutant!("change_late" => self.change());
        Some(tuple)
    }

    /// Tells the order that it is old, before anybody can find what is made or miss what is removed: whoever did, and then
    /// collects, waits for the writer and gets the order after the change.
    fn change(&self) {
        // Relaxed: finding a series, or missing it, orders this before, and then no older generation can be read. For everybody
        // else the change may as well come later.
        self.generation.fetch_add(1, Ordering::Relaxed);
    }
}
