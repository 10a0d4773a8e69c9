//! The claims of PERFORMANCE.md in one run: sides measured in turn, medians, a table, and `ratios.csv` in the target directory.
//!
//! With `--check` it fails where a claim is missed. Without `--bench`, as `cargo test` runs it, it takes a few short rounds and
//! its figures mean nothing.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    env, fs,
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use manometer::{Collector, Registry};
use support::{
    inputs::{KEYS, label_sets},
    load::{Beside, snapshots_under_writers, writer_speed},
    median,
    pages::{self, Scraper},
    percentile, resident_bytes,
    sides::{self, Side},
    table::{Claim, Table},
    thread_cpu_ns,
};

/// Makes this program create its series, print what they cost, and end.
const CREATE: &str = "--create";

const SERIES: usize = 100_000;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator; counts what each thread asks for.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[allow(unsafe_code, reason = "counting allocations takes an allocator")]
// SAFETY: every call is passed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above; `memory` came from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// How many allocations of this thread `act` takes.
fn allocations(act: impl FnOnce()) -> f64 {
    let before = ALLOCATIONS.get();
    act();
    (ALLOCATIONS.get() - before) as f64
}

/// How long to measure. Many short rounds: a median then leaves out those in which something else had a core.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    ops: u64,
    /// Rounds of what takes longer: a process that makes its series, 50 ms of a writer.
    long_rounds: usize,
    snapshots: usize,
}

const FULL: Effort = Effort { rounds: 75, ops: 200_000, long_rounds: 15, snapshots: 3000 };
const SMOKE: Effort = Effort { rounds: 1, ops: 20_000, long_rounds: 1, snapshots: 20 };

/// Medians of CPU nanoseconds per operation. Each round measures every side once, beginning with another one each time.
fn in_turn<const N: usize>(rounds: usize, ops: u64, sides: [(Side, usize); N]) -> [f64; N] {
    let mut seen = [const { Vec::new() }; N];
    for round in 0..rounds {
        for turn in 0..N {
            let at = (round + turn) % N;
            let (side, threads) = &sides[at];
            seen[at].push(side(*threads, ops));
        }
    }
    seen.map(median)
}

fn counters(table: &mut Table, effort: Effort) {
    let sides = [
        (sides::fetch_add(), 1),
        (sides::counter_inc(), 1),
        (sides::counter_inc(), 2),
        (sides::counter_inc(), 8),
        (sides::counter_inc_apart(), 2),
        (sides::counter_inc_reloaded(), 1),
        (sides::typed_inc(), 1),
    ];
    let [locked, one, two, eight, apart, reloaded, typed] = in_turn(effort.rounds, 5 * effort.ops, sides);
    table.row("uncontended fetch_add", locked, "ns", Claim::None);
    table.row("Counter::inc", one, "ns", Claim::None);
    table.row("Counter::inc / fetch_add", one / locked, "x", Claim::AtMost(0.45));
    table.row("Counter::inc, handle reloaded each time / fetch_add", reloaded / locked, "x", Claim::None);
    table.row("labels of two enums and inc", typed, "ns", Claim::None);
    table.row("labels of two enums and inc / Counter::inc, handle reloaded", typed / reloaded, "x", Claim::AtMost(1.5));
    table.row("Counter::inc, 2 threads on one series / 1 thread", two / one, "x", Claim::AtMost(1.2));
    table.row("Counter::inc, 2 threads on one series / on one each", two / apart, "x", Claim::AtMost(1.2));
    table.row("Counter::inc, 8 threads on one series / 1 thread", eight / one, "x", Claim::AtMost(1.2));
    let [locked, one] = in_turn(effort.rounds, effort.ops, [(sides::float_fetch_add(), 1), (sides::float_add(), 1)]);
    table.row("FloatCounter::add", one, "ns", Claim::None);
    table.row("FloatCounter::add / atomic_float fetch_add", one / locked, "x", Claim::AtMost(0.45));
}

fn disabled(table: &mut Table, effort: Effort) {
    let [branch, disabled] =
        in_turn(effort.rounds, 5 * effort.ops, [(sides::one_branch(), 1), (sides::disabled_inc(), 1)]);
    table.row("a loop with one branch", branch, "ns", Claim::None);
    table.row("Counter::inc of a disabled manager", disabled, "ns", Claim::None);
    table.row(
        "Counter::inc of a disabled manager / a loop with one branch",
        disabled / branch,
        "x",
        Claim::AtMost(1.5),
    );
}

fn histograms(table: &mut Table, effort: Effort) {
    let sides = [
        (sides::observe_hot_cold(), 1),
        (sides::observe(), 1),
        (sides::observe_hot_cold(), 2),
        (sides::observe(), 2),
        (sides::draw_alone(), 1),
        (sides::observe_native(), 1),
        (sides::observe_quantiles(), 1),
    ];
    let [rival, own, rival_on_two, own_on_two, draw, native, quantiles] = in_turn(effort.rounds, effort.ops, sides);
    table.row("drawing a value, in each figure below", draw, "ns", Claim::None);
    table.row("Histogram::observe", own, "ns", Claim::None);
    table.row("Histogram::observe / hot/cold", own / rival, "x", Claim::AtMost(0.40));
    table.row("Histogram::observe / hot/cold, 2 threads", own_on_two / rival_on_two, "x", Claim::AtMost(0.06));
    table.row("Histogram::observe, native / 11 buckets", native / own, "x", Claim::AtMost(1.3));
    table.row("Summary::observe, quantiles / Histogram::observe", quantiles / own, "x", Claim::AtMost(1.5));
}

fn lookups(table: &mut Table, effort: Effort) {
    let sides = [
        (sides::dash_inc(100), 1),
        (sides::family_inc(100), 1),
        (sides::dash_inc(100), 2),
        (sides::family_inc(100), 2),
    ];
    let [rival, own, rival_on_two, own_on_two] = in_turn(effort.rounds, effort.ops, sides);
    table.row("look-up of 3 labels and inc", own, "ns", Claim::None);
    table.row("look-up of 3 labels and inc / DashMap", own / rival, "x", Claim::None);
    table.row("look-up of 3 labels and inc / DashMap, 2 threads", own_on_two / rival_on_two, "x", Claim::AtMost(0.65));
    let family = Registry::new().counter("requests").labels(KEYS).declare().expect("nothing is wrong with it");
    let sets = label_sets(100);
    pages::touch(&family, &sets);
    table.row("allocations in 100 look-ups", allocations(|| pages::touch(&family, &sets)), "", Claim::AtMost(0.0));
}

/// What this program does as its own child: it makes the series in a fresh process.
fn create() {
    let sets = label_sets(SERIES);
    let (registry, family) = pages::counters(SERIES);
    let (before, begun) = (resident_bytes(), thread_cpu_ns());
    pages::touch(&family, &sets);
    let (nanos, created) = ((thread_cpu_ns() - begun) as f64, resident_bytes());
    drop(Collector::new(&registry).collect());
    let each = |bytes: u64| (bytes - before) as f64 / SERIES as f64;
    println!("{} {} {}", nanos / SERIES as f64, each(created), each(resident_bytes()));
}

fn creation(table: &mut Table, effort: Effort) {
    let child = || {
        let this = env::current_exe().expect("this program is a file");
        let output = Command::new(this).arg(CREATE).output().expect("it can be started again");
        let text = String::from_utf8(output.stdout).expect("it prints numbers");
        let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().expect("a number")).collect();
        <[f64; 3]>::try_from(numbers).expect("three of them")
    };
    let runs: Vec<_> = (0..effort.long_rounds).map(|_| child()).collect();
    let middle = |index: usize| median(runs.iter().map(|run| run[index]).collect());
    table.row("creating one of 100 000 series with 3 labels", middle(0), "ns", Claim::AtMost(700.0));
    table.row("memory of one of them", middle(1), "B", Claim::AtMost(200.0));
    table.row("memory of one of them after a first collection", middle(2), "B", Claim::None);
}

fn scrapes(table: &mut Table, effort: Effort) {
    let mut scraper = Scraper::new(&pages::written_counters(SERIES, 1));
    let mut scrape = || {
        let begun = thread_cpu_ns();
        scraper.scrape();
        (thread_cpu_ns() - begun) as f64 / 1e6
    };
    table.row("first scrape of 100 000 new counters", scrape(), "ms", Claim::None);
    let second = allocations(|| _ = scrape());
    let later = median((0..effort.rounds).map(|_| scrape()).collect());
    table.row("scrape of 100 000 counters, collect and encode", later, "ms", Claim::AtMost(5.0));
    table.row("allocations in the second scrape", second, "", Claim::AtMost(0.0));
}

fn under_load(table: &mut Table, effort: Effort) {
    let seen = snapshots_under_writers(32, effort.snapshots);
    let millis = |share| percentile(&seen.nanos, share) / 1e6;
    table.row("snapshot of a histogram under 32 writers, p50", millis(0.5), "ms", Claim::None);
    table.row("snapshot of a histogram under 32 writers, p99", millis(0.99), "ms", Claim::AtMost(10.0));
    table.row("snapshot of a histogram under 32 writers, maximum", millis(1.0), "ms", Claim::None);
    table.row("snapshots that were not exact", seen.inexact as f64, "", Claim::AtMost(0.0));
    let time = Duration::from_nanos(effort.ops * 250);
    let cases = [Beside::Idle, Beside::Scrapes, Beside::CollectsHot];
    let mut seen = cases.map(|_| Vec::new());
    for round in 0..effort.long_rounds {
        for turn in 0..cases.len() {
            let at = (round + turn) % cases.len();
            seen[at].push(writer_speed(cases[at], time));
        }
    }
    let [idle, scraped, hot] = seen.map(median);
    table.row("writer beside a scraper that never pauses / alone", scraped / idle, "x", Claim::AtLeast(0.85));
    table.row("writer beside a collector of its two metrics alone / alone", hot / idle, "x", Claim::None);
}

fn main() -> ExitCode {
    let asked = |flag: &str| env::args().any(|argument| argument == flag);
    if asked(CREATE) {
        create();
        return ExitCode::SUCCESS;
    }
    let effort = if asked("--bench") { FULL } else { SMOKE };
    let mut table = Table::default();
    let load = fs::read_to_string("/proc/loadavg").expect("Linux has it");
    let load = load.split(' ').next().and_then(|load| load.parse().ok()).expect("its first number");
    table.row("load average before; rivals lose less where cores are not free", load, "", Claim::None);
    for part in [creation, counters, disabled, histograms, lookups, scrapes, under_load] {
        part(&mut table, effort);
    }
    let csv = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("ratios.csv");
    fs::write(&csv, format!("what,measured,unit,must,verdict\n{}", table.csv))
        .expect("the target directory is writable");
    println!("{} missed; written to {}", table.missed, csv.display());
    ExitCode::from(u8::from(asked("--check") && table.missed > 0))
}
