//! What a registry does for a provider that pushes from it: keeps names apart on the wire, and hands over families that go.
#![cfg_attr(not(feature = "statsd"), allow(dead_code, reason = "only a provider that pushes asks for this"))]

use std::{fmt, mem};

use super::{Names, Registry, RegistryOptions, State};
use crate::{
    family::Core,
    instrument::Push,
    model::{DeclareError, Metadata},
    sync::{Arc, GatedMutex},
};

/// The wire of a push provider, as far as declarations meet it.
pub(crate) trait Wire: fmt::Debug + Send + Sync {
    /// The names that no other family may have on the wire.
    ///
    /// # Errors
    /// Why this family cannot be sent.
    fn names(&self, metadata: &Metadata) -> Result<Vec<String>, DeclareError>;
}

/// The provider that pushes from a registry.
#[derive(Debug)]
pub(super) struct Pushed {
    push: Push,
    wire: Arc<dyn Wire>,
    /// Families that went since the last push.
    closed: GatedMutex<Vec<Arc<Core>>>,
}

impl Pushed {
    pub(super) fn push(&self) -> &Push {
        &self.push
    }

    pub(super) fn closed(&self, core: Arc<Core>) {
        self.closed.lock().push(core);
    }
}

impl RegistryOptions {
    /// A registry that a provider pushes from.
    pub(crate) fn build_pushed(self, push: Push, wire: Arc<dyn Wire>) -> Registry {
        self.build_with(Some(Pushed { push, wire, closed: GatedMutex::default() }))
    }
}

impl Registry {
    /// The families in the order of raw names, for a push.
    pub(crate) fn for_each_raw(&self, mut visit: impl FnMut(&Arc<Core>)) {
        for core in &self.listing().by_raw {
            visit(core);
        }
    }

    /// The families that went since this was last asked. What their series held is in their books.
    pub(crate) fn take_closed(&self) -> Vec<Arc<Core>> {
        self.inner.pushed.as_ref().map_or_else(Vec::new, |pushed| mem::take(&mut pushed.closed.lock()))
    }
}

impl State {
    /// Whether every name that a new family will have on the wire is free.
    pub(super) fn check_wire(&self, names: &Names, metadata: &Metadata) -> Result<(), DeclareError> {
        let Some(pushed) = &self.pushed else { return Ok(()) };
        let raw = metadata.name().raw();
        for sample in pushed.wire.names(metadata)? {
            if let Some(other) = names.on_wire.get(&sample).filter(|other| *other != raw) {
                return Err(DeclareError::NameClash { name: raw.to_owned(), other: other.clone(), sample });
            }
        }
        Ok(())
    }

    /// Reserves the names on the wire of a family that was checked.
    pub(super) fn reserve_wire(&self, names: &mut Names, metadata: &Metadata) {
        let on_wire = self.pushed.as_ref().and_then(|pushed| pushed.wire.names(metadata).ok()).unwrap_or_default();
        let raw = metadata.name().raw();
        names.on_wire.extend(on_wire.into_iter().map(|name| (name, raw.to_owned())));
    }
}
