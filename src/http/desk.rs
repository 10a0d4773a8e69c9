//! Where a source is asked that may wait for application code: on a thread of its own, once for everybody who waits.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
};

use tokio::sync::oneshot;

use crate::{
    collect::Source,
    model::MetricSet,
    sync::{Arc, Mutex},
};

/// The source panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

/// What a source came to.
pub type Scraped = Result<Arc<MetricSet>, Failed>;

/// Asks one source.
#[derive(Debug)]
pub struct Desk {
    source: Arc<dyn Source>,
    /// To the thread, which there is once somebody waits. It ends when this does and the source has answered.
    waiting: Mutex<Option<mpsc::Sender<oneshot::Sender<Scraped>>>>,
}

impl Desk {
    /// A desk for `source`.
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source, waiting: Mutex::new(None) }
    }

    /// The source.
    pub fn source(&self) -> &Arc<dyn Source> {
        &self.source
    }

    /// Asks here and now, and waits.
    pub fn scrape_here(&self) -> Scraped {
        ask(&*self.source)
    }

    /// Asks on the thread, unless the source is quick. Whoever asks while the source is busy shares its next answer.
    pub async fn scrape(&self) -> Scraped {
        if self.source.is_quick() {
            return self.scrape_here();
        }
        let (sender, answer) = oneshot::channel();
        self.queue(sender).map_err(|error| {
            log::error!("a scrape failed, since there is no thread for it: {error}");
            Failed
        })?;
        answer.await.unwrap_or(Err(Failed))
    }

    fn queue(&self, sender: oneshot::Sender<Scraped>) -> io::Result<()> {
        let mut waiting = self.waiting.lock();
        let queue = match &mut *waiting {
            Some(queue) => queue,
            none => none.insert(start(self.source.clone())?),
        };
        // The thread lives as long as this does: it catches what panics in the source.
        queue.send(sender).map_err(|_| io::Error::other("the thread has ended"))
    }
}

/// Starts the thread.
fn start(source: Arc<dyn Source>) -> io::Result<mpsc::Sender<oneshot::Sender<Scraped>>> {
    let (queue, incoming) = mpsc::channel::<oneshot::Sender<Scraped>>();
    let serve = move || {
        while let Ok(first) = incoming.recv() {
            // Whoever is in the queue by now came before what follows.
            let mut waiting: Vec<_> = [first].into_iter().chain(incoming.try_iter()).collect();
            waiting.retain(|sender| !sender.is_closed());
            if waiting.is_empty() {
                continue;
            }
            let scraped = ask(&*source);
            for sender in waiting {
                // Who went away meanwhile gets nothing.
                let _ = sender.send(scraped.clone());
            }
        }
    };
    thread::Builder::new().name("manometer-scrape".to_owned()).spawn(serve)?;
    Ok(queue)
}

fn ask(source: &dyn Source) -> Scraped {
    // What a panic leaves behind is not looked at again: a collection begins by refilling the set.
    catch_unwind(AssertUnwindSafe(|| source.scrape())).map_err(|_| {
        log::error!("a scrape was answered with 500: collecting panicked");
        Failed
    })
}
