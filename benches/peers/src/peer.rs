//! What a client library is asked. Its adapter answers in the way that its own documentation calls the fastest.

/// The values of a label set: method, path, status.
pub type Values<'a> = [&'a str; 3];

/// How a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// In one word that all threads add to.
    OneAtomic,
    /// In several words that threads are spread over, with locked instructions.
    Striped,
    /// In a word that no other thread writes.
    Owned,
}

impl Counting {
    /// As the tables say it.
    pub fn text(self) -> &'static str {
        match self {
            Self::OneAtomic => "one atomic",
            Self::Striped => "striped",
            Self::Owned => "owned",
        }
    }
}

/// What a library does not have.
#[derive(Debug)]
pub enum Absent {}

/// One client library with one registry, empty at first.
///
/// What returns `Option` returns `None` where the library has no such thing; the question is then not asked.
pub trait Peer: Sized + Send + Sync + 'static {
    /// Its name on the registry, and what is special about the setting, if there are several.
    const NAME: &'static str;

    /// How its counter counts.
    const COUNTING: Counting;

    /// What the sum of a histogram on the page is to be multiplied by, to be in the unit of what was observed.
    const SUM_UNIT: f64 = 1.0;

    /// A counter, held by those that increment it.
    type Counter: Send + Sync + 'static;
    /// A histogram with the thresholds of the harness, held by those that observe.
    type Histogram: Send + Sync + 'static;
    /// Counters by label values that are known at run time only.
    type Counters: Send + Sync + 'static;
    /// Histograms by such label values.
    type Histograms: Send + Sync + 'static;
    /// What a page is rendered with, kept from page to page.
    type Page: Send + 'static;

    /// A registry that takes `max_series` series of one name.
    fn new(max_series: usize) -> Self;

    /// Declares the counter `requests`.
    fn counter(&mut self) -> Self::Counter;
    /// Adds one.
    fn inc(counter: &Self::Counter);

    /// Declares the histogram `latency`.
    fn histogram(&mut self) -> Option<Self::Histogram>;
    /// Adds an observation.
    fn observe(histogram: &Self::Histogram, value: f64);

    /// Declares the counters `http_requests` with three labels.
    fn counters(&mut self) -> Option<Self::Counters>;
    /// Whether [`inc_by`](Self::inc_by) finds a series that is there already.
    const LOOKS_UP: bool = true;
    /// Adds one to the series of these values, making it if it is new.
    fn inc_by(counters: &Self::Counters, values: Values<'_>);

    /// Declares the histograms `http_latency` with three labels.
    fn histograms(&mut self) -> Option<Self::Histograms>;
    /// Adds an observation to the histogram of these values, making it if it is new.
    fn observe_by(histograms: &Self::Histograms, values: Values<'_>, value: f64);

    /// What pages are rendered with, or None if it has no page.
    fn page(&self) -> Option<Self::Page>;
    /// Renders everything, in text.
    fn render<'p>(&self, page: &'p mut Self::Page) -> &'p [u8];

    /// What its documentation wants done every few seconds. It is done between measurements, unmeasured.
    fn upkeep(&self) {}
}

/// The version of `package` that this was built with; the newest, if a peer brings an older one along.
pub fn version_of(package: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = format!("name = \"{package}\"\nversion = \"");
    let Some(at) = lock.rfind(&entry) else { return "?" };
    let version = &lock[at + entry.len()..];
    version.split('"').next().unwrap_or("?")
}
