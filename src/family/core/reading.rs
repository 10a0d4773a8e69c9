//! How a family is listed and read: its order, its books, and what a collection, a caller or a publication does with both.
//!
//! Order and books are opened together, so that what is read is of one moment; see [`Core::open_books`].

use std::collections::HashMap;

use super::{Core, Writer};
use crate::{
    family::order::Order,
    instrument::{Ledger, Reading, SeriesRef},
    model::{Cardinality, LabelRows, LabelTable, MetricFamily},
    sync::{Arc, GatedGuard, Ordering, mutant},
    tuple::{Query, Tuple},
};

impl Core {
    /// Runs `op` on the series under `prefix`, in label order, while none of them can go.
    pub fn with_all<R>(&self, prefix: &[Box<str>], op: impl FnOnce(&[Tuple]) -> R) -> R {
        let mut writer = self.writer.lock();
        let order = self.renew_order(&mut writer);
        op(order.within(prefix))
    }

    /// The series in label order, as of now.
    pub fn order(&self) -> Arc<Order> {
        self.current_order().unwrap_or_else(|| self.renew_order(&mut self.writer.lock()))
    }

    /// The order and the books of one moment: no series is made, removed or published between the two.
    pub fn open_books(&self) -> (Arc<Order>, GatedGuard<'_, Ledger>) {
        mutant!("order_before_books" => if let Some(order) = self.current_order() {
            return (order, self.shared.ledger());
        });
        {
            let ledger = self.shared.ledger();
            if let Some(order) = self.current_order() {
                return (order, ledger);
            }
        }
        let mut writer = self.writer.lock();
        let order = self.renew_order(&mut writer);
        (order, self.shared.ledger())
    }

    /// The order, unless it is old.
    fn current_order(&self) -> Option<Arc<Order>> {
        let order = self.order.load_full();
        // Relaxed: see `change`. Who sees a newer one goes on to the lock under which it was made.
        (order.generation() == self.generation.load(Ordering::Relaxed)).then_some(order)
    }

    pub(super) fn renew_order(&self, writer: &mut Writer) -> Arc<Order> {
        // Somebody may have done it while this thread waited for the lock.
        self.current_order().unwrap_or_else(|| {
            // Relaxed: it moves only under the lock that is held here.
            let generation = self.generation.load(Ordering::Relaxed);
            let order = self.order.load_full().renewed(std::mem::take(&mut writer.fresh), generation);
            self.order.store(order.clone());
            writer.index.sweep();
            order
        })
    }

    /// Reads all series into `family`, whose columns it reuses; with creation times if `with_created`.
    pub fn collect_into(&self, family: &mut MetricFamily, with_created: bool) {
        let (order, mut ledger) = self.open_books();
        ledger.sweep(&self.shared);
        ledger.reuse_natives(family.lend_natives());
        let points = family.refill(order.clone());
        points.clear();
        ledger.append_all(&self.shared, order.rows(), order.slots(), points, with_created);
        family.refill_natives(ledger.take_natives());
        drop(ledger);
        self.report_overflow(&order);
        self.show_exemplars(order.rows(), family);
    }

    /// Puts the exemplars of `rows` into `family`. Now that they are seen, new ones are due.
    fn show_exemplars(&self, rows: &[Tuple], family: &mut MetricFamily) {
        if let Some(exemplars) = self.shared.exemplars_if_any() {
            family.refill_exemplars(|out| exemplars.append(rows, out));
        }
        if let Some(source) = &self.shared.source {
            source.renew();
        }
    }

    /// Logs, once each time the family has become full, which label has so many values.
    fn report_overflow(&self, order: &Order) {
        let Some(overflow) = &self.overflow else { return };
        let is_over = self.is_full() && self.overflowed() > 0;
        // Relaxed: it only thins out the log.
        if overflow.reported.swap(is_over, Ordering::Relaxed) || !is_over {
            return;
        }
        let cardinality = Cardinality::of(&self.shared.metadata, order, 3);
        log::warn!("a family is full, and what comes goes to its overflow series: {cardinality}");
    }

    /// Takes the quantiles of a window that has ended from the bank that came to rest, for all series at one time.
    pub fn end_window(&self, bank: usize) {
        let (order, mut ledger) = self.open_books();
        for tuple in order.rows() {
            ledger.end_window(SeriesRef { tuple, shared: &self.shared }, bank);
        }
    }

    /// A family for [`collect_into`](Self::collect_into), without series.
    pub fn empty_family(&self) -> MetricFamily {
        let rows: Arc<dyn LabelRows> = Arc::new(Order::default());
        let family = MetricFamily::new(self.shared.metadata.clone(), rows, self.shared.kind.points());
        family.expect("no rows and no points are of one length")
    }

    /// The values of the series under `prefix`; taken off them if `reading` says so.
    pub fn read(&self, prefix: &[Box<str>], reading: Reading) -> MetricFamily {
        let (order, mut ledger) = self.open_books();
        self.copy(order.within(prefix), &mut ledger, reading)
    }

    /// Sets the gauges under `prefix` to `sums` all at once, and those that are not named to 0. Each sum comes with the values
    /// behind the prefix.
    pub fn publish(&self, prefix: &[Box<str>], sums: &HashMap<Vec<Box<str>>, f64>) {
        if self.nowhere.is_some() {
            return;
        }
        let mut writer = self.writer.lock();
        let mut find = |values: &Vec<Box<str>>| {
            let values: Vec<&str> = values.iter().map(|value| &**value).collect();
            self.get_or_create(&mut writer, &Query::new(&self.seed, prefix, &values))
        };
        // By series, since several label sets may share the overflow series.
        let mut named: HashMap<Tuple, f64> = HashMap::new();
        for (values, sum) in sums {
            *named.entry(find(values)).or_default() += sum;
        }
        // Readers open the books under these locks, so they come before all of it or after. The order is renewed under both: a
        // reader that found it new would go by the ledger alone, and see the new series beside the old values.
        let _ledger = mutant!("publish_unlocked", Some(self.shared.ledger()), None);
        let order = self.renew_order(&mut writer);
        // Relaxed: a gauge is one word, and the locks make them change together.
        for tuple in order.within(prefix) {
            tuple.state().store(named.remove(tuple).unwrap_or(0.0), Ordering::Relaxed);
            tuple.mark_written();
        }
        // The overflow series lies outside a prefix. Set, not added: what went there the last time must not pile up.
        for (tuple, sum) in named {
            // Relaxed: as above.
            tuple.state().store(sum, Ordering::Relaxed);
            tuple.mark_written();
        }
    }

    /// Reads `tuples`, which are sorted, into a family that shares nothing with the live one.
    pub(super) fn copy(&self, tuples: &[Tuple], ledger: &mut Ledger, reading: Reading) -> MetricFamily {
        let mut points = self.shared.kind.points();
        for tuple in tuples {
            ledger.append(SeriesRef { tuple, shared: &self.shared }, &mut points, true, reading);
        }
        let rows = tuples.iter().map(|tuple| tuple.values().map(str::to_owned));
        let labels = LabelTable::new(self.shared.metadata.label_keys(), rows);
        let labels = Arc::new(labels.expect("sorted, one value per key, each row once"));
        let family = MetricFamily::new(self.shared.metadata.clone(), labels, points);
        let mut family = family.expect("one point was read per row");
        family.refill_natives(ledger.take_natives());
        self.show_exemplars(tuples, &mut family);
        family
    }
}
