//! The hot paths as the processor sees them: no lock prefix, no implicit lock, no fence.
//!
//! Runs on an optimised x86-64 build: `cargo test --release --test disassembly`. Needs objdump, from binutils.
#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "names that objdump can find are exported, and exporting names counts as unsafe")]

use std::{
    hint::black_box,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use manometer::{Counter, FloatCounter, Histogram, Registry, Summary, UpDownGauge};

macro_rules! hot_paths {
    ($($name:ident($($argument:ident: $type:ty),*) $body:expr;)+) => {
        $(
            #[unsafe(no_mangle)]
            #[inline(never)]
            fn $name($($argument: $type),*) {
                $body;
            }
        )+
    };
}

hot_paths! {
    hot_counter_inc(counter: &Counter) counter.inc();
    hot_counter_add(counter: &Counter, amount: u64) counter.add(amount);
    hot_float_counter_add(counter: &FloatCounter, amount: f64) counter.add(amount);
    hot_up_down_gauge_inc(gauge: &UpDownGauge) gauge.inc();
    hot_up_down_gauge_dec(gauge: &UpDownGauge) gauge.dec();
    hot_histogram_observe(histogram: &Histogram, value: f64) histogram.observe(value);
    hot_summary_observe(summary: &Summary, value: f64) summary.observe(value);
    locked_fetch_add(word: &AtomicU64) word.fetch_add(1, Ordering::Relaxed);
    locked_swap(word: &AtomicU64) black_box(word.swap(1, Ordering::Relaxed));
    fenced() std::sync::atomic::fence(Ordering::SeqCst);
}

/// Calls each, so that the linker keeps it.
fn call_all() {
    let registry = Registry::new();
    let counter = registry.counter("c").single().expect("declared once");
    hot_counter_inc(&counter);
    hot_counter_add(&counter, black_box(2));
    hot_float_counter_add(&registry.float_counter("f").single().expect("declared once"), black_box(0.5));
    let gauge = registry.up_down_gauge("g").single().expect("declared once");
    hot_up_down_gauge_inc(&gauge);
    hot_up_down_gauge_dec(&gauge);
    let histogram = registry.histogram("h").buckets([0.1, 1.0]).single().expect("declared once");
    hot_histogram_observe(&histogram, black_box(0.5));
    hot_summary_observe(&registry.summary("s").single().expect("declared once"), black_box(0.5));
    let word = AtomicU64::new(0);
    locked_fetch_add(&word);
    locked_swap(&word);
    fenced();
}

/// The instructions of a function of this very program. What it calls is not among them.
fn instructions(function: &str) -> Vec<String> {
    let program = std::env::current_exe().expect("running");
    let mut objdump = Command::new("objdump");
    objdump.args(["--no-show-raw-insn", &format!("--disassemble={function}")]).arg(program);
    let output = objdump.output().expect("objdump, from binutils, is needed here");
    let text = String::from_utf8(output.stdout).expect("objdump prints text");
    text.lines()
        .filter_map(|line| line.split_once(":\t"))
        .map(|(_, instruction)| instruction.trim().to_owned())
        .collect()
}

/// Whether an instruction locks the bus, or waits for the store buffer to drain.
fn is_heavy(instruction: &str) -> bool {
    let exchanges_memory = instruction.starts_with("xchg") && instruction.contains('(');
    instruction.starts_with("lock") || instruction.starts_with("mfence") || exchanges_memory
}

#[test]
#[cfg_attr(debug_assertions, ignore = "needs an optimised build")]
fn the_hot_paths_have_no_lock_prefix() {
    call_all();
    for function in ["locked_fetch_add", "locked_swap", "fenced"] {
        let instructions = instructions(function);
        assert!(
            instructions.iter().any(|instruction| is_heavy(instruction)),
            "{function} looks light: {instructions:#?}"
        );
    }
    for function in [
        "hot_counter_inc",
        "hot_counter_add",
        "hot_float_counter_add",
        "hot_up_down_gauge_inc",
        "hot_up_down_gauge_dec",
        "hot_histogram_observe",
        "hot_summary_observe",
    ] {
        let instructions = instructions(function);
        assert!(instructions.len() > 8, "{function} was not found: {instructions:#?}");
        let heavy = instructions.iter().find(|instruction| is_heavy(instruction));
        assert_eq!(heavy, None, "{function}: {instructions:#?}");
    }
}
