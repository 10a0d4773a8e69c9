//! How others see a manager: over HTTP, and as an operator.

use super::Manager;
#[cfg(feature = "http")]
use crate::http::{Options, ServeError, Server};
use crate::{sync::Arc, view::Viewer};

/// How the doors of a manager will be.
pub(super) struct Doors {
    #[cfg(feature = "http")]
    pub(super) http: Options,
    pub(super) compat: bool,
}

impl Manager {
    /// Serves `/metrics` and `/stats` where and to whom the configuration says: this machine, at port 5280, if it says nothing.
    ///
    /// In manual mode each page is preceded by a collection. A disabled manager is served too: its page is a 404 that says so. The
    /// server keeps the manager alive; clients that it turns away are counted in `<namespace>_stats.http_denied`.
    ///
    /// # Errors
    /// As [`ServerBuilder::start`](crate::http::ServerBuilder::start).
    ///
    /// # Examples
    /// ```
    /// use manometer::{Manager, model::Settings};
    ///
    /// let settings = Settings::new().with("statistics_interval", 60).with("http_ports", [0]).with("http_interfaces", "127.0.0.1");
    /// let manager = Manager::new(&settings)?;
    /// manager.start()?;
    /// let server = manager.serve()?;
    /// println!("http://{}/metrics", server.local_addrs()[0]);
    /// server.stop();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn serve(&self) -> Result<Server, ServeError> {
        Server::of(Arc::new(self.clone())).options(self.handle.doors.http.clone()).start()
    }

    /// An operator's view of the values, which disturbs no other viewer and no scraper.
    pub fn viewer(&self) -> Viewer {
        Viewer::new(Arc::new(self.clone())).compat(self.handle.doors.compat)
    }
}
