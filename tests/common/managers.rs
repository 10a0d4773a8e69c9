//! Managers for tests: a clock that stands still until it is told, and a provider that notes what it is asked.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use manometer::{
    Clock, Counter, Gauge, Manager, Registry, RegistryOptions, Source,
    backend::{Provider, PushError, PushReport},
    manager::ManagerBuilder,
};

/// A clock that stands still until it is moved.
#[derive(Clone, Debug, Default)]
pub struct HandClock {
    now: Arc<Mutex<Duration>>,
    reads: Arc<AtomicU64>,
}

impl HandClock {
    /// More reads than a collection of a few handlers takes.
    const MANY_READS: u64 = 40;

    pub fn advance(&self, seconds: f64) {
        *self.now.lock().expect("no test panics here") += Duration::from_secs_f64(seconds);
    }

    /// Waits until whoever goes by this clock has looked at it so often that it must be waiting for the next tick.
    pub fn settle(&self) {
        let before = self.reads.load(Ordering::SeqCst);
        until("the wait for a tick", || self.reads.load(Ordering::SeqCst) > before + Self::MANY_READS);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Duration {
        self.reads.fetch_add(1, Ordering::SeqCst);
        *self.now.lock().expect("no test panics here")
    }
}

/// What a [`Noting`] provider was asked, in order, and what it shall answer.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    asked: Arc<Mutex<Vec<&'static str>>>,
    pub trouble: Arc<Mutex<Trouble>>,
}

/// What goes wrong in a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    #[default]
    None,
    Errors,
    Panics,
    /// It takes its time.
    Delays,
}

impl Notes {
    /// What was asked since the last time.
    pub fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.asked.lock().expect("no test panics here"))
    }

    /// A provider that notes here what it is asked.
    pub fn provider(&self, options: RegistryOptions) -> Noting {
        Noting { registry: options.build(), notes: self.clone() }
    }

    fn note(&self, what: &'static str) {
        self.asked.lock().expect("no test panics here").push(what);
        if *self.trouble.lock().expect("no test panics here") == Trouble::Panics {
            panic!("{what} goes wrong");
        }
    }
}

/// A provider that notes what it is asked.
#[derive(Debug)]
pub struct Noting {
    registry: Registry,
    notes: Notes,
}

impl Provider for Noting {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn display_name(&self) -> Option<&str> {
        Some("a noting one")
    }

    fn cork(&self) {
        self.notes.note("cork");
    }

    fn uncork(&self) {
        self.notes.note("uncork");
    }

    fn flush(&self) -> Result<(), PushError> {
        self.notes.note("flush");
        match *self.notes.trouble.lock().expect("no test panics here") {
            Trouble::Errors => {
                let source = io::Error::other("nobody there");
                Err(PushError::Send { server: "127.0.0.1:1".to_owned(), source })
            }
            Trouble::Delays => {
                thread::sleep(Duration::from_millis(100));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn shutdown(&self) {
        self.notes.note("shutdown");
    }

    fn push_report(&self) -> Option<PushReport> {
        Some(PushReport { datagrams: 7, errors: 5, dropped: 3, queued: Some(2) })
    }
}

/// A builder whose provider `:noting` notes what it is asked.
pub fn noting() -> (ManagerBuilder, Notes) {
    let notes = Notes::default();
    let own = notes.clone();
    let make = move |_: &_, options: RegistryOptions| Ok(Box::new(own.provider(options)) as Box<dyn Provider>);
    (Manager::builder().factory("noting", make).provider(":noting"), notes)
}

/// A manager that collects when asked.
pub fn manual() -> Manager {
    Manager::builder().provider("internal").manual().build().expect("a good description")
}

/// A manager that is disabled.
pub fn disabled() -> Manager {
    Manager::builder().build().expect("a good description")
}

/// Waits until `what` is so. Whoever fails here has waited ten seconds.
pub fn until(text: &str, mut what: impl FnMut() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(10), "{text} did not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The count in the histogram of this raw name.
pub fn count(manager: &Manager, raw: &str) -> u64 {
    let registry = manager.registry().expect("enabled");
    let family = registry.get::<manometer::Histogram>(raw).unwrap_or_else(|| panic!("no histogram {raw}"));
    family.with_labels(()).expect("no keys").count()
}

/// The total of the counter of this raw name and labels; None if there is no such series.
pub fn total<const KEYS: usize>(manager: &Manager, raw: &str, labels: [&str; KEYS]) -> Option<u64> {
    let registry = manager.registry().expect("enabled");
    let family = registry.get::<Counter>(raw).unwrap_or_else(|| panic!("no counter {raw}"));
    family.find(labels).expect("as many as keys").map(|counter| counter.value())
}

/// The value of the gauge of this raw name.
pub fn gauge(manager: &Manager, raw: &str) -> f64 {
    let registry = manager.registry().expect("enabled");
    registry.get::<Gauge>(raw).unwrap_or_else(|| panic!("no gauge {raw}")).with_labels(()).expect("no keys").value()
}

/// The page that a scraper gets.
pub fn scraped(manager: &Manager) -> String {
    let mut page = Vec::new();
    let mut rest = manometer::encode::Page::new(manager.scrape(), manometer::encode::Format::OpenMetrics);
    if !manager.created_samples() {
        rest = rest.without_created();
    }
    assert!(!rest.fill(&mut page, usize::MAX));
    assert_eq!(rest.skipped(), 0);
    String::from_utf8(page).expect("a page is text")
}
