//! Handles that own their series: it is removed when the last of them is dropped.
//!
//! # Who wins
//! One lock per family guards who owns what. Asking for an owned handle looks the series up under it; the last owner unlinks the
//! series under it. So who asks while the last owner goes finds the series still owned, and shares it, or gone, and makes a new one;
//! nobody gets a series that is about to be removed.

use std::{collections::HashMap, fmt, ops::Deref, sync::Weak};

use super::{core::Core, values::LabelValues, view::View};
use crate::{
    instrument::{Instrument, Series},
    model::{LabelError, MetricPoint},
    sync::{Arc, mutant},
    tuple::Tuple,
};

/// The owners of a family's series, by the address of its tuple.
pub(super) type Owners = HashMap<usize, Weak<Owner>>;

/// A handle to a series that goes when the last such handle is dropped: a connection, a session, a job.
///
/// It is used like the handle that it holds. All owned handles of the same label values share the series, wherever they were made;
/// plain handles and look-ups do not keep it. What was recorded between the last collection and the drop is on no page, but a push
/// provider still sends it, and [`close`](Self::close) hands it back.
///
/// Dropping the last one takes locks and waits for look-ups in flight; it is no hot path.
///
/// # Examples
/// ```
/// let registry = manometer::Registry::new();
/// let sent = registry.counter("sent").unit("bytes").labels(["session"]).declare()?;
/// {
///     let session = sent.owned(("7",))?;
///     session.add(512);
///     assert_eq!(sent.series_count(), 1);
/// }
/// assert_eq!(sent.series_count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Owned<I> {
    instrument: I,
    owner: Arc<Owner>,
}

/// What all owned handles of one series share.
#[derive(Debug)]
pub(super) struct Owner {
    core: Arc<Core>,
    tuple: Tuple,
    /// Whether its end was seen to already.
    is_done: bool,
}

impl<I: Instrument> View<I> {
    /// The series of these values, one for each free key, as a handle that owns it: see [`Owned`].
    ///
    /// In a family that is full this is the overflow series, which nobody owns and which stays.
    ///
    /// # Errors
    /// `Arity` if there are not as many values as free keys; nothing is created then.
    pub fn owned(&self, values: impl LabelValues) -> Result<Owned<I>, LabelError> {
        let core = self.core();
        // Held over the look-up: see the head of this file.
        let mut owners = core.owners().lock();
        let (tuple, instrument) = self.on_series(values, |series| {
            let tuple = series.tuple.clone();
            (tuple.clone(), I::from_series(Series::new(tuple, core.shared().clone())))
        })?;
        let address = tuple.as_ptr().addr();
        let owner = owners.get(&address).and_then(Weak::upgrade).unwrap_or_else(|| {
            let owner = Arc::new(Owner { core: core.clone(), tuple, is_done: false });
            owners.insert(address, Arc::downgrade(&owner));
            owner
        });
        Ok(Owned { instrument, owner })
    }
}

impl<I> Owned<I> {
    /// Drops this handle, and hands back what the series held if it was the last one; else `None`.
    pub fn close(self) -> Option<MetricPoint> {
        let Self { owner, instrument } = self;
        drop(instrument);
        let mut owner = Arc::into_inner(owner)?;
        // Once. What this leaves to somebody who owns the series again is theirs to hand back: a second try, by `drop`, could come
        // between their going and their own removal, and nobody would get the point.
        owner.is_done = true;
        owner.remove()
    }
}

impl Owner {
    /// Removes the series, unless somebody owns it again, or it is gone, or everybody's. Once.
    fn remove(&self) -> Option<MetricPoint> {
        let unlinked = {
            let mut owners = self.core.owners().lock();
            let address = self.tuple.as_ptr().addr();
            // Somebody may have come since the last one went; or come and gone, and have done this already.
            let is_unowned = owners.get(&address).is_some_and(|owner| owner.strong_count() == 0);
            if !mutant!("drop_for_others", is_unowned, owners.contains_key(&address)) {
                return None;
            }
            owners.remove(&address);
            let unlink = || if self.core.is_for_all(&self.tuple) { None } else { self.core.unlink_one(&self.tuple) };
            mutant!("unlink_unowned", unlink(), {
                drop(owners);
                unlink()
            })
        }?;
        self.core.bury(unlinked).metrics().next().map(|metric| metric.point())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if !self.is_done {
            self.remove();
        }
    }
}

impl<I> Deref for Owned<I> {
    type Target = I;

    #[inline(always)]
    fn deref(&self) -> &I {
        &self.instrument
    }
}

impl<I: fmt::Debug> fmt::Debug for Owned<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Owned").field(&self.instrument).finish()
    }
}
