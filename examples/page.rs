//! A shop that nobody visits, with its metrics, to see the live page at work.
//!
//! ```text
//! cargo run --release --example page -- [PORT] [SERIES] [TOKEN]
//! ```
//!
//! Port 0 takes any that is free. With SERIES, a family with so many more changes all the time; with a TOKEN, the page asks for it. It
//! runs until its standard input ends.

use std::{env, error::Error, f64::consts::TAU, io, thread, time::Duration};

use manometer::{
    Registry,
    http::{Options, Server},
};

/// How often something happens.
const STEP: Duration = Duration::from_millis(50);

/// What visitors look for. Some of them are no visitors.
const TERMS: [&str; 6] = [
    "teapot",
    "kettle, 2 l",
    "<img src=x onerror=\"document.title='broken in'\">",
    "\"><script>document.title='broken in'</script>",
    "{le=\"0.5\"} 3\\",
    "чайник ☕",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(5280), |port| port.parse())?;
    let series: usize = arguments.next().map_or(Ok(0), |series| series.parse())?;
    let mut options = Options::new().address(([127, 0, 0, 1], port)).live_page(true)?;
    if let Some(token) = arguments.next() {
        options = options.token(&token)?;
    }
    let registry = Registry::new();
    let mut shop = Shop::open(&registry, series)?;
    let server = Server::builder(&registry).options(options).start()?;
    println!("in a browser: http://{}/", server.local_addrs()[0]);
    thread::spawn(move || {
        loop {
            shop.step().expect("its labels are fixed");
            thread::sleep(STEP);
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Numbers without a pattern that one would see.
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }

    /// Around `middle`, seldom far above it.
    fn latency(&mut self, middle: f64) -> f64 {
        let spread: f64 = (0..6).map(|_| self.roll()).sum::<f64>() - 3.0;
        middle * (1.1 * spread).exp()
    }
}

struct Shop {
    seconds: f64,
    dice: Dice,
    requests: manometer::Family<manometer::Counter>,
    latency: manometer::Family<manometer::Histogram>,
    response: manometer::Histogram,
    busy: manometer::Family<manometer::FloatCounter>,
    searches: manometer::Family<manometer::Counter>,
    queue: manometer::Family<manometer::Gauge>,
    memory: manometer::Family<manometer::Gauge>,
    hits: manometer::Gauge,
    queries: manometer::Family<manometer::Summary>,
    shelves: Vec<manometer::Counter>,
}

impl Shop {
    fn open(registry: &Registry, series: usize) -> Result<Self, Box<dyn Error>> {
        registry.counter("shop_orders").help("Orders since the shop opened").single()?.add(1_234_567);
        let opened = registry.gauge("shop_opened_time").unit("seconds").help("When the shop opened, as Unix time");
        opened.single()?.set(std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs_f64() - 93_784.0);
        let shelf = registry.counter("shop_shelf_visits").help("Visits of each shelf").labels(["hall", "shelf"]);
        let shelf = shelf.max_series(series.max(1)).declare()?;
        let shelves = (0..series).map(|at| shelf.with_labels((at % 40, at))).collect::<Result<_, _>>()?;
        let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
        let sizes = [256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];
        let latency = registry.histogram("shop_request").unit("seconds").help("How long requests took").buckets(bounds);
        let response =
            registry.histogram("shop_response").unit("bytes").help("How large responses were").buckets(sizes);
        let requests = registry.counter("shop_requests").help("Requests answered, by route and status");
        let busy = registry.float_counter("shop_worker_busy").unit("seconds").help("Time that workers were at work");
        let hits = registry.gauge("shop_cache_hit").unit("ratio").help("Share of look-ups that the cache answered");
        Ok(Self {
            seconds: 0.0,
            dice: Dice(7),
            requests: requests.labels(["method", "route", "status"]).declare()?,
            latency: latency.labels(["route"]).declare()?,
            response: response.single()?,
            busy: busy.labels(["worker"]).declare()?,
            searches: registry.counter("shop_searches").help("What was searched for").labels(["term"]).declare()?,
            queue: registry.gauge("shop_queue_jobs").help("Jobs that wait").labels(["queue"]).declare()?,
            memory: registry.gauge("shop_memory").unit("bytes").help("Memory in use").labels(["pool"]).declare()?,
            hits: hits.single()?,
            queries: registry
                .summary("shop_query")
                .unit("seconds")
                .help("Queries of the database")
                .labels(["table"])
                .declare()?,
            shelves,
        })
    }

    /// What happens in one step: more and less of everything, in waves.
    fn step(&mut self) -> Result<(), manometer::LabelError> {
        let Self { seconds, dice, .. } = self;
        *seconds += STEP.as_secs_f64();
        let wave = |length: f64| (*seconds / length * TAU).sin();
        let routes = [
            ("GET", "/teapots", 0.006),
            ("GET", "/cart", 0.018),
            ("POST", "/cart", 0.045),
            ("POST", "/checkout", 0.16),
        ];
        for (at, (method, route, middle)) in routes.into_iter().enumerate() {
            let mean = (6.0 - 1.4 * at as f64) * (1.3 + wave(20.0 + 13.0 * at as f64));
            for _ in 0..(mean * 2.0 * dice.roll()) as u32 {
                let status = if dice.roll() < 0.03 { "500" } else { "200" };
                self.requests.inc((method, route, status))?;
                let took = dice.latency(middle);
                self.latency.observe((route,), took)?;
                self.response.observe(dice.latency(6000.0));
                self.busy.add((at,), took / 20.0)?;
                self.queries.observe((["orders", "items"][at / 2],), took / 3.0)?;
            }
        }
        let term = TERMS[(dice.roll() * TERMS.len() as f64) as usize % TERMS.len()];
        self.searches.inc((term,))?;
        self.queue.set(("mail",), (12.0 + 9.0 * wave(31.0)).round())?;
        self.queue.set(("invoices",), (3.0 + 3.0 * wave(11.0)).round())?;
        self.memory.set(("heap",), 3.1e8 + 4e7 * wave(47.0) + 1e6 * dice.roll())?;
        self.memory.set(("buffers",), 6.4e7)?;
        self.hits.set(0.91 + 0.04 * wave(23.0));
        for shelf in self.shelves.iter().step_by(3) {
            shelf.add((dice.roll() * 4.0) as u64);
        }
        Ok(())
    }
}
