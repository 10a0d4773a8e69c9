//! Corks: hints to a push provider that more is to come, counted so that they nest.

use super::{Manager, state::State};
use crate::sync::Mutex;

/// How many corks there are, and what the provider knows of it.
///
/// The provider is told by one thread at a time, so it hears of corks in order, and without a lock, so it may cork and uncork its own
/// manager. Who comes while it is told leaves the news to the thread that tells.
#[derive(Debug, Default)]
pub(super) struct Corks(Mutex<Count>);

#[derive(Debug, Default)]
struct Count {
    corks: usize,
    /// Whether the provider was told of a cork, and not yet that it is gone.
    told: bool,
    /// Whether somebody is telling it.
    telling: bool,
}

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
        self.corks.0.lock().corks += 1;
        self.tell_corks();
    }

    fn uncork(&self) {
        {
            let mut count = self.corks.0.lock();
            count.corks = count.corks.saturating_sub(1);
        }
        self.tell_corks();
    }

    /// Tells the provider of the first cork, or of the last one that went, unless somebody is at it.
    fn tell_corks(&self) {
        let news = || self.corks.0.lock().news();
        while let Some(corked) = news() {
            match corked {
                true => self.ask_provider("cork", |provider| provider.cork()),
                false => self.ask_provider("uncork", |provider| provider.uncork()),
            };
            self.corks.0.lock().telling = false;
        }
    }
}

impl Count {
    /// What the provider is to be told now by who asks this: whether it is corked.
    fn news(&mut self) -> Option<bool> {
        let corked = self.corks > 0;
        (!self.telling && corked != self.told).then(|| {
            (self.told, self.telling) = (corked, true);
            corked
        })
    }
}
