//! A manager as a door sees it: what to show, and where to count what went wrong with it.

use super::{Manager, state::Mode};
use crate::{
    collect::{Sampled, Source},
    model::MetricSet,
    sync::Arc,
};

impl Source for Manager {
    fn is_enabled(&self) -> bool {
        Manager::is_enabled(self)
    }

    fn scrape(&self) -> Arc<MetricSet> {
        self.state().scrape()
    }

    fn is_quick(&self) -> bool {
        !matches!(self.state().mode, Mode::Manual { .. })
    }

    fn created_samples(&self) -> bool {
        self.handle.created_samples
    }

    fn last_two(&self) -> Option<[Sampled; 2]> {
        self.state().last_two()
    }

    fn count_render_errors(&self, metrics: u64) {
        if let Some(more) = self.state().own.as_ref().and_then(|own| own.more.as_ref()) {
            more.render_errors.add(metrics);
        }
    }

    fn count_denied(&self, reason: &'static str) {
        if let Some(more) = self.state().own.as_ref().and_then(|own| own.more.as_ref()) {
            more.http_denied.inc([reason]).expect("one key, one value");
        }
    }
}
