//! What a manager measures of itself, under `<namespace>_stats.`.

use super::isolation::isolated;
use crate::{
    backend::{Provider, PushReport},
    family::View,
    instrument::Counter,
    measure::{Amount, Count, Times},
    model::DeclareError,
    registry::Registry,
    scope::Scope,
    sync::Mutex,
};

/// The metrics of a manager itself.
pub(super) struct Own {
    pub(super) collection: Times,
    pub(super) processing: Times,
    /// None in the compatible form, which has only the two above.
    pub(super) more: Option<More>,
}

pub(super) struct More {
    pub(super) scrape: Times,
    families: Amount,
    series: Amount,
    /// By reason: not a number, infinite, negative, unknown state, exemplar.
    rejected: [Counter; 6],
    series_overflow: View<Counter>,
    declaration_conflicts: Count,
    pub(super) collector_errors: View<Counter>,
    pub(super) render_errors: Count,
    pub(super) missed_ticks: Count,
    pub(super) http_denied: View<Counter>,
    /// Datagrams, errors, dropped samples.
    push: [Count; 3],
    queue_used: Option<Amount>,
    /// Held while the engine's totals are carried over: an older one after a newer one would be a reset.
    refreshing: Mutex<()>,
}

impl Own {
    /// Declares them in `root`.
    pub(super) fn declare(root: &Scope, provider: &dyn Provider, compat: bool) -> Result<Self, DeclareError> {
        let times = |name: &str| root.measure(name).times().declare();
        let (collection, processing) = (times("stats.collection")?, times("stats.processing")?);
        if compat {
            return Ok(Self { collection, processing, more: None });
        }
        let count = |name: &str| root.measure(name).counter().declare();
        let amount = |name: &str| root.measure(name).amount().declare();
        let by = |name: &str, key: &str| root.counter(name).help(&format!("{name} counter")).labels([key]).declare();
        let rejected = by("stats.rejected", "reason")?;
        let reason = |reason: &str| rejected.with_labels([reason]).expect("one key, one value");
        let has_queue =
            isolated(|| provider.push_report()).is_ok_and(|report| report.is_some_and(|r| r.queued.is_some()));
        let more = More {
            scrape: times("stats.scrape")?,
            families: amount("stats.families")?,
            series: amount("stats.series")?,
            rejected: ["not_a_number", "infinite", "negative", "unknown_state", "no_room", "exemplar"].map(reason),
            series_overflow: by("stats.series_overflow", "family")?,
            declaration_conflicts: count("stats.declaration_conflicts")?,
            collector_errors: by("stats.collector_errors", "collector")?,
            render_errors: count("stats.render_errors")?,
            missed_ticks: count("stats.missed_ticks")?,
            http_denied: by("stats.http_denied", "reason")?,
            push: [count("stats.push_datagrams")?, count("stats.push_errors")?, count("stats.push_dropped")?],
            queue_used: has_queue.then(|| amount("stats.queue_used")).transpose()?,
            refreshing: Mutex::new(()),
        };
        Ok(Self { collection, processing, more: Some(more) })
    }

    /// Counts an error of a handler, or of a provider.
    pub(super) fn count_error(&self, collector: &str) {
        if let Some(more) = &self.more {
            more.collector_errors.inc([collector]).expect("one key, one value");
        }
    }

    /// Carries over what the engine and the provider have counted.
    pub(super) fn refresh(&self, registry: &Registry, push: impl FnOnce() -> Option<PushReport>) {
        let Some(more) = &self.more else { return };
        // Before the lock: the provider may ask its own manager for a page.
        let report = push();
        let _refreshing = more.refreshing.lock();
        let health = registry.health();
        let totals = [
            health.rejected_not_a_number,
            health.rejected_infinite,
            health.rejected_negative,
            health.rejected_unknown_state,
            health.rejected_no_room,
            health.dropped_exemplars,
        ];
        for (counter, total) in more.rejected.iter().zip(totals) {
            counter.set(total);
        }
        more.declaration_conflicts.instrument().set(health.declaration_conflicts);
        let (mut families, mut series) = (0u64, 0u64);
        registry.for_each_exposed(|core| {
            families += 1;
            series += core.len() as u64;
            if core.overflowed() > 0 {
                let name = core.shared().metadata.name().raw();
                more.series_overflow.with_labels([name]).expect("one key, one value").set(core.overflowed());
            }
        });
        more.families.set(families as f64);
        more.series.set(series as f64);
        if let Some(report) = report {
            for (counter, total) in more.push.iter().zip([report.datagrams, report.errors, report.dropped]) {
                // An older report may come after a newer one, and must not look like a reset.
                let counter = counter.instrument();
                counter.set(total.max(counter.value()));
            }
            if let (Some(used), Some(queued)) = (&more.queue_used, report.queued) {
                used.set(queued as f64);
            }
        }
    }
}
