//! Corks: hints to a push provider that more is to come, counted so that they nest.

use super::{Manager, state::State};
use crate::sync::Mutex;

/// How many corks there are. The lock is held while the provider is told, so that it hears of them in order.
#[derive(Debug, Default)]
pub(super) struct Corks(Mutex<usize>);

impl Manager {
    /// Lets a push provider hold updates back and merge them, until as many [`uncork`](Self::uncork)s have come. Every collection
    /// sends them all the same.
    ///
    /// [`corked`](Self::corked) is the form that cannot be forgotten.
    pub fn cork(&self) {
        self.state().cork();
    }

    /// Takes one cork away; the last one sends what is held. Without a cork it does nothing.
    pub fn uncork(&self) {
        self.state().uncork();
    }

    /// Corks until the guard is dropped, on a panic too.
    ///
    /// # Examples
    /// ```
    /// let manager = manometer::Manager::builder().manual().provider("internal").build()?;
    /// {
    ///     let _cork = manager.corked();
    ///     // many updates, which a push provider sends as few
    /// }
    /// # Ok::<(), manometer::model::ConfigError>(())
    /// ```
    pub fn corked(&self) -> Cork {
        self.cork();
        Cork { manager: self.clone() }
    }
}

/// A cork that is taken away when this is dropped.
#[derive(Debug)]
#[must_use = "a cork that is dropped at once holds nothing"]
pub struct Cork {
    manager: Manager,
}

impl Drop for Cork {
    fn drop(&mut self) {
        self.manager.uncork();
    }
}

impl State {
    fn cork(&self) {
        let mut corks = self.corks.0.lock();
        *corks += 1;
        if *corks == 1 {
            self.ask_provider("cork", |provider| provider.cork());
        }
    }

    fn uncork(&self) {
        let mut corks = self.corks.0.lock();
        if *corks > 0 {
            *corks -= 1;
            if *corks == 0 {
                self.ask_provider("uncork", |provider| provider.uncork());
            }
        }
    }
}
