//! How series leave a family: by their labels, by a predicate, with the family, or with their last owner.
//!
//! A series is unlinked under the writer lock, and buried when every look-up of that moment has ended (C2): only then is its final
//! value read, and only then may its slot be used again.

use super::{Core, Writer};
use crate::{
    arena::arena,
    instrument::{Reading, SeriesRef},
    model::{MetricFamily, MetricPoint},
    sync::{GatedGuard, GatedMutex, Ordering, mutant, yield_now},
    tuple::{LabelKey, Tuple},
};

/// Series that were unlinked and not buried yet.
#[derive(Debug)]
pub struct Unlinked {
    tuples: Vec<Tuple>,
    /// Of each, whether a push provider has seen it; none if there is none.
    seen: Vec<bool>,
    /// What a mutant has read too early.
    too_early: Vec<MetricFamily>,
}

impl Core {
    /// Removes the series of `prefix` and then `values`, and hands back what it held. None if there is none.
    pub fn remove(&self, prefix: &[Box<str>], values: &[&str]) -> Option<MetricPoint> {
        let writer = self.writer.lock();
        let tuple = self.find(prefix, values, Tuple::clone)?;
        self.take_out(writer, &[tuple]).metrics().next().map(|metric| metric.point())
    }

    /// Removes every series under `prefix`, and hands back what they held.
    pub fn remove_all(&self, prefix: &[Box<str>]) -> MetricFamily {
        let mut writer = self.writer.lock();
        let order = self.renew_order(&mut writer);
        self.take_out(writer, order.within(prefix))
    }

    /// Removes every series under `prefix` that `keep` says no to, by its tuple and its value, and hands back what they held.
    /// `keep` runs without a lock; what is made meanwhile stays.
    pub fn retain(&self, prefix: &[Box<str>], mut keep: impl FnMut(&Tuple, &MetricPoint) -> bool) -> MetricFamily {
        let (order, family) = {
            let (order, mut ledger) = self.open_books();
            let family = self.copy(order.within(prefix), &mut ledger, Reading::Look);
            (order, family)
        };
        let rows = order.within(prefix).iter().zip(family.metrics());
        let mut going: Vec<Tuple> =
            rows.filter(|(tuple, metric)| !keep(tuple, &metric.point())).map(|(t, _)| t.clone()).collect();
        let writer = self.writer.lock();
        // Somebody else may have removed them meanwhile.
        going.retain(Tuple::is_live);
        self.take_out(writer, &going)
    }

    /// Takes the family off the registry: every series is detached, and so is every later one. Hands back what they held.
    pub fn close(&self) -> MetricFamily {
        // Relaxed: see `is_live`.
        self.live.store(false, Ordering::Relaxed);
        self.remove_all(&[])
    }

    /// Unlinks a series, unless it is gone already. To be buried, soon, without any lock.
    pub fn unlink_one(&self, tuple: &Tuple) -> Option<Unlinked> {
        let mut writer = self.writer.lock();
        tuple.is_live().then(|| self.unlink(&mut writer, vec![tuple.clone()]))
    }

    /// Removes `tuples`, which are in the map and sorted, and reads their final values.
    fn take_out(&self, mut writer: GatedGuard<'_, Writer>, tuples: &[Tuple]) -> MetricFamily {
        let unlinked = self.unlink(&mut writer, tuples.to_vec());
        // Scrapes need this lock for a new order, and must not wait for what comes now.
        mutant!("remove_keeps_lock", drop(writer), ());
        self.bury(unlinked)
    }

    /// Takes `tuples`, which are in the map, out of everything where a look-up can find them.
    pub(super) fn unlink(&self, writer: &mut Writer, tuples: Vec<Tuple>) -> Unlinked {
        let too_early = mutant!("remove_before_final_read", Vec::new(), {
            vec![self.copy(&tuples, &mut self.shared.ledger(), Reading::Look)]
        });
        mutant!("removal_unsaid", self.change(), ());
        // What a push provider has not seen yet it will never see as a series of its own.
        let seen: Vec<bool> = match self.shared.push {
            Some(_) => tuples.iter().map(|tuple| self.shared.ledger().leave(tuple)).collect(),
            None => Vec::new(),
        };
        for tuple in &tuples {
            // Waits for whoever records through the map's shard.
            self.map.remove(tuple as &dyn LabelKey);
            mutant!("no_unlink", self.index.remove(&mut writer.index, tuple), ());
            writer.condemned.remove(&tuple.as_ptr().addr());
            mutant!("no_detach", tuple.detach(), ());
            self.shared.forget_exemplars(tuple);
        }
        mutant!("no_forget", writer.numberings.retain(|numbering| numbering.forget_removed()), ());
        let counted = tuples.iter().filter(|tuple| !self.is_overflow(tuple.values())).count();
        // Relaxed: read as a hint, or under the lock that is held here.
        self.len.fetch_sub(counted, Ordering::Relaxed);
        // Relaxed: as in `create`.
        self.limit.store(self.max_series, Ordering::Relaxed);
        if writer.spare.is_none() && !tuples.is_empty() {
            writer.spare = self.shared.ledger().open(&self.shared);
        }
        Unlinked { tuples, seen, too_early }
    }

    /// Waits for whoever found an unlinked series in the index, and reads the final values.
    pub fn bury(&self, unlinked: Unlinked) -> MetricFamily {
        let mut pinned = arena().pinned();
        while !pinned.passed() {
            yield_now();
        }
        let mut unlinked = unlinked;
        let too_early = unlinked.too_early.pop();
        let family = too_early.unwrap_or_else(|| self.copy(&unlinked.tuples, &mut self.shared.ledger(), Reading::Look));
        self.retire(unlinked);
        family
    }

    /// Hands unlinked series, which no look-up has in its hands any more, to the books. Until this, nobody can use their slots again.
    pub(super) fn retire(&self, unlinked: Unlinked) {
        let mut ledger = self.shared.ledger();
        for (index, tuple) in unlinked.tuples.into_iter().enumerate() {
            if let Some(seen) = unlinked.seen.get(index) {
                ledger.depart(SeriesRef { tuple: &tuple, shared: &self.shared }, *seen);
            }
            ledger.retire(tuple);
        }
    }

    /// Whether a series is nobody's own: the overflow series.
    pub fn is_for_all(&self, tuple: &Tuple) -> bool {
        self.is_overflow(tuple.values())
    }

    /// Who shares series that go with their last owner.
    pub(in crate::family) fn owners(&self) -> &GatedMutex<super::Owners> {
        &self.owners
    }
}
