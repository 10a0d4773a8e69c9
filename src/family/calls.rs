//! Times of futures: from the call to the end, and how much of that they were polled, by how they ended.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    time::Duration,
};

use super::view::View;
use crate::{
    instrument::{Clock, Monotonic, Timed},
    model::LabelError,
    sync::Arc,
};

/// How a future ended, as its label says it.
const OUTCOMES: [&str; 4] = ["ok", "error", "cancelled", "panicked"];
const OK: usize = 0;
const ERROR: usize = 1;
const CANCELLED: usize = 2;
const PANICKED: usize = 3;

/// Times futures, by their outcome: `ok`, `error`, `cancelled` (dropped before it was ready) or `panicked`.
///
/// The time on the wall goes from the call to the end; busy time is what the future was polled for. Both are recorded once, however
/// the future ends. Nothing is allocated, and any runtime will do. Cheap to clone.
///
/// # Examples
/// ```
/// use manometer::FutureTimer;
///
/// let registry = manometer::Registry::new();
/// let wall = registry.summary("fetch").unit("seconds").labels(["outcome"]).declare()?;
/// let busy = registry.summary("fetch_busy").unit("seconds").labels(["outcome"]).declare()?;
/// let timer = FutureTimer::new(&wall)?.busy(&busy)?;
/// let fetch = timer.time_result(async { "12".parse::<u32>() });
/// # let mut fetch = std::pin::pin!(fetch);
/// # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// # let polled = std::future::Future::poll(fetch.as_mut(), &mut context);
/// # assert_eq!(polled, std::task::Poll::Ready(Ok(12)));
/// assert_eq!(wall.with_labels(("ok",))?.count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FutureTimer<M, C = Monotonic> {
    shared: Arc<Shared<M, C>>,
}

struct Shared<M, C> {
    clock: C,
    wall: [M; OUTCOMES.len()],
    busy: Option<[M; OUTCOMES.len()]>,
}

impl<M: Timed> FutureTimer<M> {
    /// Records the time on the wall in the series of `wall`, a view whose one free key is the outcome. All outcomes have their series
    /// from now on.
    ///
    /// # Errors
    /// `Arity` if there is not one free key.
    pub fn new(wall: &View<M>) -> Result<Self, LabelError> {
        Self::by(Monotonic::new(), wall)
    }
}

impl<M: Timed, C: Clock> FutureTimer<M, C> {
    /// The same by a clock of the caller's choice.
    ///
    /// # Errors
    /// As [`new`](FutureTimer::new).
    pub fn by(clock: C, wall: &View<M>) -> Result<Self, LabelError> {
        Ok(Self { shared: Arc::new(Shared { clock, wall: handles(wall)?, busy: None }) })
    }

    /// Records busy time, too, in the series of `busy`.
    ///
    /// # Errors
    /// As [`new`](FutureTimer::new).
    pub fn busy(self, busy: &View<M>) -> Result<Self, LabelError>
    where
        C: Clone,
    {
        let (clock, wall, busy) = (self.shared.clock.clone(), self.shared.wall.clone(), Some(handles(busy)?));
        Ok(Self { shared: Arc::new(Shared { clock, wall, busy }) })
    }

    /// Times `future`, from now on. Whatever it gives, is `ok`.
    pub fn time<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F, M, C> {
        self.time_by(future, |_| OK)
    }

    /// Times `future`, from now on; what it gives is `ok` or an `error`.
    pub fn time_result<T, E, F>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<T, E, F, M, C>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.time_by(future, |result| if result.is_ok() { OK } else { ERROR })
    }

    fn time_by<F: Future>(
        &self,
        future: F,
        outcome: fn(&F::Output) -> usize,
    ) -> impl Future<Output = F::Output> + use<F, M, C> {
        let start = self.shared.clock.now();
        let run = Run { shared: self.shared.clone(), start, busy: Duration::ZERO, outcome: CANCELLED };
        async move {
            // All of it, so that it ends with this future and not before.
            let mut run = run;
            let mut future = pin!(future);
            let output = poll_fn(|context| {
                let begun = run.shared.clock.now();
                // If the poll does not come back, this is how it ended.
                run.outcome = PANICKED;
                let polled = future.as_mut().poll(context);
                run.outcome = CANCELLED;
                run.busy += run.shared.clock.now().saturating_sub(begun);
                polled
            })
            .await;
            run.outcome = outcome(&output);
            output
        }
    }
}

fn handles<M: Timed>(view: &View<M>) -> Result<[M; OUTCOMES.len()], LabelError> {
    let [ok, error, cancelled, panicked] = OUTCOMES.map(|outcome| view.with_labels((outcome,)));
    Ok([ok?, error?, cancelled?, panicked?])
}

/// One future that is timed. Its end, whatever it is, is when this is dropped.
struct Run<M: Timed, C: Clock> {
    shared: Arc<Shared<M, C>>,
    start: Duration,
    busy: Duration,
    outcome: usize,
}

impl<M: Timed, C: Clock> Drop for Run<M, C> {
    fn drop(&mut self) {
        let took = self.shared.clock.now().saturating_sub(self.start);
        self.shared.wall[self.outcome].record_seconds(took.as_secs_f64());
        if let Some(busy) = &self.shared.busy {
            busy[self.outcome].record_seconds(self.busy.as_secs_f64());
        }
    }
}

impl<M, C> Clone for FutureTimer<M, C> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<M: fmt::Debug, C> fmt::Debug for FutureTimer<M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { wall, busy, .. } = &*self.shared;
        f.debug_struct("FutureTimer").field("wall", wall).field("busy", busy).finish_non_exhaustive()
    }
}
