//! Pushing to a statsd server: increases of counters and buckets, values of gauges, packed into few datagrams.
//!
//! Recording touches the engine and nothing else. A thread wakes every `flush_interval`, reads what each series was ever given,
//! and sends what that is more than was sent before; so a thousand observations cost a few lines, a reset loses nothing, and a send
//! that fails is made up for by the next one.
//!
//! # Not promised
//! A datagram that the network took and lost is lost. Of a stream that breaks, so is what the system had taken and the server had
//! not read.

mod book;
mod burst;
mod flusher;
mod lines;
mod link;
mod names;
mod number;
mod options;
mod owed;
mod rows;
mod samples;

use std::{
    error::Error,
    sync::{Condvar, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use flusher::{Counts, Flusher};
use names::Naming;
use samples::Queue;

use super::{Provider, PushError, PushReport};
use crate::{
    instrument::{Push, SampleSink},
    model::{ConfigError, Settings},
    registry::{Registry, RegistryOptions},
    sync::{Arc, Mutex},
};

pub use options::{HistogramMode, StatsdOptions, TagMode, Transport};

/// Pushes the values of its registry to a statsd server. Made by [`StatsdOptions::start`]; dropping it is a
/// [`shutdown`](Provider::shutdown).
#[derive(Debug)]
pub struct Statsd {
    registry: Registry,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the provider and its thread share.
#[derive(Debug)]
struct Shared {
    flusher: Mutex<Flusher>,
    queue: Option<Arc<Queue>>,
    /// As of the last flush, so that a report does not wait for one.
    counts: Mutex<Counts>,
    wish: Mutex<Wish>,
    wished: Condvar,
}

/// What the thread is asked for.
#[derive(Debug, Default)]
struct Wish {
    corked: bool,
    stop: bool,
}

/// Makes a statsd provider of the part of a configuration that is its own; see [`StatsdOptions::from_settings`].
///
/// # Errors
/// The `ConfigError` of a key or value that cannot be.
pub fn statsd(
    settings: &Settings,
    registry: RegistryOptions,
) -> Result<Box<dyn Provider>, Box<dyn Error + Send + Sync>> {
    Ok(Box::new(StatsdOptions::from_settings(settings)?.start(registry)?))
}

impl Statsd {
    fn new(options: StatsdOptions, registry: RegistryOptions) -> Result<Self, ConfigError> {
        let naming = Naming::new(&options.prefix, options.tags, options.histograms);
        let queue = match options.histograms {
            HistogramMode::Buckets => None,
            _ => Some(Arc::new(Queue::new(options.queue, options.sample_rate))),
        };
        let sink = queue.clone().map(|queue| queue as Arc<dyn SampleSink>);
        let registry = registry.build_pushed(Push::new(sink), Arc::new(naming.clone()));
        let mut flusher = Flusher::new(&options, registry.clone(), naming, queue.clone());
        flusher.greet();
        let shared = Arc::new(Shared {
            flusher: Mutex::new(flusher),
            queue,
            counts: Mutex::default(),
            wish: Mutex::default(),
            wished: Condvar::new(),
        });
        let thread = thread::Builder::new().name("statsd".to_owned()).spawn({
            let shared = shared.clone();
            move || shared.run(options.flush_interval)
        });
        let thread =
            thread.map_err(|error| ConfigError::Provider { name: "statsd".to_owned(), source: error.into() })?;
        Ok(Self { registry, shared, thread: Mutex::new(Some(thread)) })
    }
}

impl Provider for Statsd {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn display_name(&self) -> Option<&str> {
        Some("statsd")
    }

    fn cork(&self) {
        self.shared.wish.lock().corked = true;
    }

    fn uncork(&self) {
        self.shared.wish.lock().corked = false;
        // The outage behind an error is logged once, where it begins.
        let _ = self.flush();
    }

    fn flush(&self) -> Result<(), PushError> {
        self.shared.flush(|_| ())
    }

    fn shutdown(&self) {
        let Some(thread) = self.thread.lock().take() else { return };
        self.shared.wish.lock().stop = true;
        self.shared.wished.notify_all();
        // A thread that panicked has said so.
        let _ = thread.join();
        if let Err(error) = self.shared.flush(Flusher::wait_no_longer) {
            log::warn!("statsd: the last flush failed: {error}");
        }
    }

    fn push_report(&self) -> Option<PushReport> {
        let Counts { datagrams, errors, dropped, taken } = *self.shared.counts.lock();
        let queue = self.shared.queue.as_ref();
        Some(PushReport {
            datagrams,
            errors,
            dropped: dropped + queue.map_or(0, |queue| queue.dropped()),
            queued: queue.map(|queue| (queue.len() + taken) as u64),
        })
    }
}

impl Drop for Statsd {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Shared {
    fn flush(&self, prepare: impl FnOnce(&mut Flusher)) -> Result<(), PushError> {
        let mut flusher = self.flusher.lock();
        prepare(&mut flusher);
        let flushed = flusher.flush();
        *self.counts.lock() = flusher.counts();
        flushed
    }

    /// Flushes at start + n · `interval`, unless corked, until asked to stop. A tick that is late is left out.
    fn run(&self, interval: Duration) {
        let start = Instant::now();
        loop {
            let passed = start.elapsed().as_nanos();
            let until = interval - Duration::from_nanos((passed % interval.as_nanos()) as u64);
            let wish = self.wait(Instant::now() + until);
            if wish.stop {
                return;
            }
            let corked = wish.corked;
            drop(wish);
            if !corked {
                // The outage behind an error is logged once, where it begins.
                let _ = self.flush(|_| ());
            }
        }
    }

    /// Waits until a moment, or until asked to stop.
    fn wait(&self, until: Instant) -> MutexGuard<'_, Wish> {
        let mut wish = self.wish.lock();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if wish.stop || left.is_zero() {
                return wish;
            }
            wish = match self.wished.wait_timeout(wish, left) {
                Ok((wish, _)) => wish,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}
