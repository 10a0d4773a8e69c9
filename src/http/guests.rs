//! The open connections, and which of them has to go when there are too many.

use std::{
    collections::HashMap,
    future::Future,
    time::{Duration, Instant},
};

use tokio::{
    task::{AbortHandle, Id, JoinSet},
    time::sleep,
};

use crate::sync::{Arc, AtomicBool, AtomicU64, Ordering};

/// Connections at a time.
const MOST: usize = 128;

/// A connection on which nothing came or went for so long has to go if its place is needed. Who is being served moves bytes all
/// the time.
const PATIENCE: Duration = Duration::from_millis(100);

/// How often the connections are looked at while none can go.
const LOOK: Duration = Duration::from_millis(10);

/// What one connection does, as its own task tells it.
#[derive(Debug)]
pub struct Guest {
    start: Instant,
    /// When bytes came or went last, in milliseconds after the start.
    active_millis: AtomicU64,
    /// Whether it waits for us.
    waits: AtomicBool,
}

// Relaxed throughout: the tasks take turns on one thread.
impl Guest {
    /// A connection that has just been made.
    pub fn new() -> Self {
        Self { start: Instant::now(), active_millis: AtomicU64::new(0), waits: AtomicBool::new(false) }
    }

    /// Bytes came or went.
    pub fn touch(&self) {
        let millis = self.start.elapsed().as_millis() as u64;
        // Relaxed, like everything here: one guest's own times, by which who must go is guessed.
        self.active_millis.store(millis, Ordering::Relaxed);
    }

    /// Runs `work`, for which the client waits, and which it must not lose its place for.
    pub async fn waiting_for<T>(&self, work: impl Future<Output = T>) -> T {
        // Relaxed: see `touch`.
        self.waits.store(true, Ordering::Relaxed);
        let done = work.await;
        // Relaxed: as above.
        self.waits.store(false, Ordering::Relaxed);
        self.touch();
        done
    }

    /// For how long nothing has come or gone; None while it waits for us.
    fn idle(&self) -> Option<Duration> {
        // Relaxed, both: see `touch`.
        let active = Duration::from_millis(self.active_millis.load(Ordering::Relaxed));
        (!self.waits.load(Ordering::Relaxed)).then(|| self.start.elapsed().saturating_sub(active))
    }
}

/// The tasks of all connections.
#[derive(Debug, Default)]
pub struct Guests {
    // A task that panics ends its own connection.
    tasks: JoinSet<()>,
    known: HashMap<Id, (AbortHandle, Arc<Guest>)>,
}

impl Guests {
    /// Runs the task of a connection.
    pub fn admit(&mut self, guest: Arc<Guest>, task: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.known.insert(handle.id(), (handle, guest));
    }

    /// Waits for the end of a task; None if there is none.
    pub async fn leave(&mut self) -> Option<()> {
        let ended = self.tasks.join_next_with_id().await?;
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.known.remove(&id);
        Some(())
    }

    /// Waits until there is a place, and makes one: the connection goes on which nothing came or went for the longest time. So who
    /// opens connections and does nothing with them keeps nobody out.
    pub async fn make_room(&mut self) {
        while self.tasks.len() >= MOST {
            let idle = self.known.values().filter_map(|(handle, guest)| Some((guest.idle()?, handle)));
            if let Some((_, handle)) = idle.filter(|(idle, _)| *idle >= PATIENCE).max_by_key(|(idle, _)| *idle) {
                handle.abort();
                self.leave().await;
            } else {
                tokio::select! {
                    _ = self.leave() => {}
                    () = sleep(LOOK) => {}
                }
            }
        }
    }

    /// Waits for the end of all tasks.
    pub async fn all_leave(&mut self) {
        while self.leave().await.is_some() {}
    }
}
