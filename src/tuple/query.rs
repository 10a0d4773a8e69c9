//! What is asked for, and how it is compared with what is there: by hash, then value by value.

use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
};

use super::{LabelSeed, Tuple};

/// What is asked for: label values by reference, hashed once.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    pub(super) hash: u64,
    /// The values that a view has fixed.
    pub(super) prefix: &'a [Box<str>],
    /// The values given in the call.
    pub(super) values: &'a [&'a str],
}

impl<'a> Query<'a> {
    /// The tuple of `prefix` and then `values`.
    #[inline]
    pub fn new(seed: &LabelSeed, prefix: &'a [Box<str>], values: &'a [&'a str]) -> Self {
        let hash = match prefix {
            [] => seed.hash(values.iter().copied()),
            _ => seed.hash(prefix.iter().map(|value| &**value).chain(values.iter().copied())),
        };
        Self { hash, prefix, values }
    }

    /// The tuple of `values`, whose hash is known to be `hash`.
    pub fn hashed(hash: u64, values: &'a [&'a str]) -> Self {
        Self { hash, prefix: &[], values }
    }

    /// The hash of all values.
    #[inline(always)]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// All values in key order.
    pub fn values(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.prefix.iter().map(|value| &**value).chain(self.values.iter().copied())
    }
}

/// What a map of tuples may be asked with: a tuple, or a query that was hashed already.
pub trait LabelKey {
    /// The hash of all values.
    fn label_hash(&self) -> u64;
    /// The value number `index`, if there are so many.
    fn nth(&self, index: usize) -> Option<&str>;
}

impl LabelKey for Tuple {
    fn label_hash(&self) -> u64 {
        self.hash()
    }
    fn nth(&self, index: usize) -> Option<&str> {
        (index < self.spans().len()).then(|| self.value(index))
    }
}

impl LabelKey for Query<'_> {
    fn label_hash(&self) -> u64 {
        self.hash
    }
    fn nth(&self, index: usize) -> Option<&str> {
        match index.checked_sub(self.prefix.len()) {
            None => Some(&self.prefix[index]),
            Some(given) => self.values.get(given).copied(),
        }
    }
}

impl PartialEq for dyn LabelKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        let same_values = || {
            let pairs = (0..).map(|index| (self.nth(index), other.nth(index)));
            pairs.take_while(|pair| *pair != (None, None)).all(|(own, asked)| own == asked)
        };
        self.label_hash() == other.label_hash() && same_values()
    }
}

impl Eq for dyn LabelKey + '_ {}

impl Hash for dyn LabelKey + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.label_hash());
    }
}

impl PartialEq for Tuple {
    fn eq(&self, other: &Self) -> bool {
        (self as &dyn LabelKey) == (other as &dyn LabelKey)
    }
}

impl Eq for Tuple {}

impl Hash for Tuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Tuple::hash(self));
    }
}

impl<'a> Borrow<dyn LabelKey + 'a> for Tuple {
    fn borrow(&self) -> &(dyn LabelKey + 'a) {
        self
    }
}
