//! Clocks, threads and memory: how everything here is measured, the peers of `benches/peers` included.

use std::{sync::Barrier, thread, time::Instant};

use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

/// Nanoseconds of CPU time that this thread has used.
pub fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Keeps this thread on one of the cores that the process may use, counted round, so that threads that should meet do meet.
///
/// Once for each thread: afterwards it knows of no other core.
pub fn pin(index: usize) {
    let allowed = sched_getaffinity(None).expect("a thread may ask");
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
    let mut one = CpuSet::new();
    one.set(cores[index % cores.len()]);
    sched_setaffinity(None, &one).expect("the core is allowed");
}

/// Nanoseconds per operation of one thread.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// On a core.
    pub cpu: f64,
    /// By the clock on the wall, waiting for a core included.
    pub wall: f64,
}

/// What an operation costs, where each of `threads` threads does `ops` of them at the same time.
///
/// `body` is given the number of its thread and how many operations to do. Each thread first does a sixteenth of them unmeasured: it
/// takes its slab, makes its chunks, fills its caches. A single thread is spawned as well, so that one and many are measured alike.
pub fn spent_per_op(threads: usize, ops: u64, body: impl Fn(usize, u64) + Sync) -> Spent {
    let start = Barrier::new(threads);
    let measured = |index: usize| {
        pin(index);
        body(index, ops / 16 + 1);
        start.wait();
        let (before, begun) = (thread_cpu_ns(), Instant::now());
        body(index, ops);
        (thread_cpu_ns() - before, begun.elapsed().as_nanos() as u64)
    };
    let (cpu, wall) = thread::scope(|scope| {
        let spawn = |index| scope.spawn(move || measured(index));
        let workers: Vec<_> = (0..threads).map(spawn).collect();
        let used = workers.into_iter().map(|worker| worker.join().expect("no operation panics"));
        used.fold((0, 0), |sum, used| (sum.0 + used.0, sum.1 + used.1))
    });
    let each = |nanos: u64| nanos as f64 / (threads as u64 * ops) as f64;
    Spent { cpu: each(cpu), wall: each(wall) }
}

/// CPU nanoseconds per operation; see [`spent_per_op`].
pub fn cpu_per_op(threads: usize, ops: u64, body: impl Fn(usize, u64) + Sync) -> f64 {
    spent_per_op(threads, ops, body).cpu
}

/// The middle of `values`, the higher one of two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value that `share` of `sorted` values are not above, by nearest rank.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Bytes of memory that this process has touched and not given back.
pub fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("its second number");
    pages * rustix::param::page_size() as u64
}
