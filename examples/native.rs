//! Serves native histograms of values that are spread evenly over (0, 1], so that each quantile is known: one alone, and one beside classic
//! buckets.
//!
//! `cargo run --example native` says where, and runs until its standard input ends. A Prometheus that was started with
//! `--enable-feature=native-histograms` asks for protobuf and gets the buckets:
//! `histogram_quantile(0.9, rate(work_seconds[1m]))`. One that also scrapes classic histograms has `task_seconds_bucket` beside
//! `task_seconds`.

use std::{error::Error, io};

use manometer::{NativeOptions, Registry, http::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let work = registry.histogram("work").unit("seconds").native(NativeOptions::new().schema(3)).single()?;
    let task = registry.histogram("task").unit("seconds").native(NativeOptions::new().schema(3));
    let task = task.buckets([0.1, 0.25, 0.5, 1.0]).single()?;
    let steps = 10_000;
    for value in (1..=steps).map(|step| f64::from(step) / f64::from(steps)) {
        work.observe(value);
        task.observe_with_exemplar(value, [("step", "some")]);
    }

    let server = Server::builder(&registry).address(([127, 0, 0, 1], 0)).start()?;
    println!("metrics: http://{}/metrics", server.local_addrs()[0]);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
