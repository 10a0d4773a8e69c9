//! What the benches record: values and labels that neither a branch predictor nor a cache learns by heart.

use std::array;

use manometer_derive::{LabelEnum, LabelSet};

/// The thresholds that most clients begin with: 11 of them, and `+Inf`.
pub const THRESHOLDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The keys of every labelled family here.
pub const KEYS: [&str; 3] = ["method", "path", "status"];

/// How many values are drawn from: 8 KiB, so that they stay in the first cache.
const VALUES: usize = 1024;

/// A generator whose step costs about a nanosecond. Its sequence does not repeat within a measurement.
#[derive(Clone, Debug)]
pub struct XorShift(u64);

impl XorShift {
    /// The generator of one thread.
    pub fn of_thread(index: usize) -> Self {
        Self(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(index as u64 + 1))
    }

    /// The next number.
    #[inline(always)]
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// The next number below `limit`, which is small.
    #[inline(always)]
    pub fn below(&mut self, limit: usize) -> usize {
        (((self.draw() >> 32) * limit as u64) >> 32) as usize
    }
}

/// Latencies as servers have them: log-normal in shape, around 50 ms, all buckets but few in the outer ones.
#[derive(Debug)]
pub struct Observations([f64; VALUES]);

impl Observations {
    /// The same values on each call.
    pub fn new() -> Self {
        let mut random = XorShift::of_thread(99);
        let mut uniform = || random.draw() as f64 / u64::MAX as f64;
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        Self(array::from_fn(|_| 0.05 * (1.5 * normal()).exp()))
    }

    /// One of them, at random.
    #[inline(always)]
    pub fn draw(&self, random: &mut XorShift) -> f64 {
        self.0[random.below(VALUES)]
    }
}

/// `count` different label sets, as a web service has them.
pub fn label_sets(count: usize) -> Vec<[String; 3]> {
    let methods = ["GET", "PUT", "POST", "DELETE"];
    let set = |i: usize| {
        let (method, status) = (methods[i % 4], ["200", "404"][i / 4 % 2]);
        [method.to_owned(), format!("/api/v1/tenants/{:06}/items", i / 8), status.to_owned()]
    };
    (0..count).map(set).collect()
}

/// A label set as a look-up borrows it.
#[inline(always)]
pub fn borrowed(set: &[String; 3]) -> [&str; 3] {
    set.each_ref().map(String::as_str)
}

/// A label of two values.
#[derive(LabelEnum)]
pub enum Method {
    Get,
    Put,
}

/// A label of three values.
#[derive(LabelEnum)]
pub enum Outcome {
    Hit,
    Miss,
    Failed,
}

/// Labels that are a type: six sets of them.
#[derive(LabelSet)]
pub struct Request {
    pub method: Method,
    pub outcome: Outcome,
}

impl Request {
    /// One of them.
    pub const SOME: Self = Self { method: Method::Get, outcome: Outcome::Miss };
}
