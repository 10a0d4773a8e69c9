//! Which scopes there are, what each declared, and who uses which family.
//!
//! One lock guards it all. Declaring in a scope and closing one both hold it, so that no family is removed under a scope that is
//! just declaring it. Recording never comes here.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use crate::{
    model::{DeclareError, MetricFamily, MetricSet},
    registry::Registry,
    sync::GatedMutex,
};

/// Who a scope is. Scopes that are opened alike are one member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    /// The manager itself. It lasts as long as the registry, so nothing of it is ever removed here.
    Root,
    Module {
        name: String,
        preset: Option<(String, String)>,
    },
}

impl Identity {
    pub(super) fn module(&self) -> &str {
        match self {
            Self::Root => "",
            Self::Module { name, .. } => name,
        }
    }

    pub(super) fn preset(&self) -> Option<(&str, &str)> {
        match self {
            Self::Root => None,
            Self::Module { preset, .. } => preset.as_ref().map(|(key, value)| (key.as_str(), value.as_str())),
        }
    }
}

/// A family as far as a scope goes that declared it.
pub(super) trait Used: Send + Sync {
    /// Whether the registry still has the family.
    fn is_live(&self) -> bool;
    /// Whether the family has no series of anybody.
    fn is_empty(&self) -> bool;
    /// Removes the series of the scope.
    fn take(&self) -> MetricFamily;
}

/// The scopes of one manager.
pub(crate) struct Books {
    registry: Registry,
    namespace: String,
    /// Sends what a push provider has not sent yet.
    push: Box<dyn Fn() + Send + Sync>,
    entries: GatedMutex<Entries>,
}

#[derive(Default)]
pub(super) struct Entries {
    /// How many scopes were ever opened.
    opened: u64,
    open: HashMap<u64, Lines>,
    members: HashMap<Identity, Member>,
}

/// What one open scope declared, for operators: raw name and line.
type Lines = Vec<(String, String)>;

/// All scopes of one identity.
#[derive(Default)]
struct Member {
    /// How many of them are open.
    open: usize,
    /// What they use, by raw name.
    used: BTreeMap<String, Box<dyn Used>>,
}

impl Books {
    /// Books without scopes.
    pub(crate) fn new(registry: &Registry, namespace: &str, push: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { registry: registry.clone(), namespace: namespace.to_owned(), push, entries: GatedMutex::default() }
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Enters a scope; returns its number.
    pub(super) fn open(&self, identity: &Identity) -> u64 {
        let mut entries = self.entries.lock();
        entries.opened += 1;
        let number = entries.opened;
        entries.open.insert(number, Lines::new());
        entries.members.entry(identity.clone()).or_default().open += 1;
        number
    }

    /// Runs `declare` for the scope `number` while it cannot be closed, and enters what it declared. Before it makes a series of a
    /// family, it asks [`Entries::check_preset`].
    pub(super) fn declare<T>(
        &self,
        number: u64,
        identity: &Identity,
        closed: impl FnOnce() -> DeclareError,
        declare: impl FnOnce(&Entries) -> Result<Entry<T>, DeclareError>,
    ) -> Result<T, DeclareError> {
        let mut entries = self.entries.lock();
        if !entries.open.contains_key(&number) {
            return Err(closed());
        }
        let Entry { raw, line, used, result } = declare(&entries)?;
        if *identity != Identity::Root {
            if let Some(lines) = entries.open.get_mut(&number).filter(|lines| !lines.iter().any(|(own, _)| *own == raw))
            {
                lines.push((raw.clone(), line));
            }
            if let Some(member) = entries.members.get_mut(identity) {
                member.used.insert(raw, used);
            }
        }
        Ok(result)
    }

    pub(super) fn lines(&self, number: u64) -> Vec<String> {
        let entries = self.entries.lock();
        entries.open.get(&number).into_iter().flatten().map(|(_, line)| line.clone()).collect()
    }

    /// The scope `number` is dropped. What it declared stays.
    pub(super) fn leave(&self, number: u64, identity: &Identity) {
        self.entries.lock().leave(number, identity);
    }

    /// Closes the scope `number`; see [`Scope::close`](super::Scope::close).
    pub(super) fn close(&self, number: u64, identity: &Identity) -> MetricSet {
        // Without the lock: a push may take its time.
        (self.push)();
        let mut entries = self.entries.lock();
        let mut set = MetricSet::default();
        if !entries.leave(number, identity) || entries.members.get(identity).is_none_or(|member| member.open > 0) {
            return set;
        }
        let Some(member) = entries.members.remove(identity) else { return set };
        for (raw, used) in member.used {
            set.families.push(used.take());
            let is_shared = entries.members.values().any(|other| other.used.contains_key(&raw));
            if !is_shared && used.is_live() && used.is_empty() {
                self.registry.remove(&raw);
            }
        }
        set.families.sort_by(|a, b| a.metadata().name().exposed().cmp(b.metadata().name().exposed()));
        set
    }
}

/// What a declaration enters in the books.
pub(super) struct Entry<T> {
    pub(super) raw: String,
    pub(super) line: String,
    pub(super) used: Box<dyn Used>,
    pub(super) result: T,
}

impl Entries {
    /// Whether a scope of this identity may use the family `raw`: not if a scope with a preset and one without would both, since to
    /// the one without all of its series are its own.
    pub(super) fn check_preset(&self, raw: &str, identity: &Identity) -> Result<(), DeclareError> {
        let named = |identity: &Identity| identity.preset().map_or_else(String::new, |(key, _)| key.to_owned());
        let uses = |member: &Member| member.used.get(raw).is_some_and(|used| used.is_live());
        let mut others = self.members.iter().filter(|(_, member)| uses(member)).map(|(other, _)| named(other));
        let given = named(identity);
        match others.find(|standing| *standing != given) {
            Some(standing) if *identity != Identity::Root => {
                Err(DeclareError::Conflict { name: raw.to_owned(), field: "preset", standing, given })
            }
            _ => Ok(()),
        }
    }

    /// Whether the scope `number` was open until now.
    fn leave(&mut self, number: u64, identity: &Identity) -> bool {
        let was_open = self.open.remove(&number).is_some();
        if let Some(member) = self.members.get_mut(identity).filter(|_| was_open) {
            member.open -= 1;
            if member.open == 0 && member.used.is_empty() {
                self.members.remove(identity);
            }
        }
        was_open
    }
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes = self.entries.lock().open.len();
        f.debug_struct("Books").field("namespace", &self.namespace).field("scopes", &scopes).finish_non_exhaustive()
    }
}
