//! Serves a native histogram of values that are spread evenly over (0, 1], so that each quantile is known.
//!
//! `cargo run --example native` says where, and runs until its standard input ends. A Prometheus that was started with
//! `--enable-feature=native-histograms` asks for protobuf and gets the buckets:
//! `histogram_quantile(0.9, rate(work_seconds[1m]))`.

use std::{error::Error, io};

use manometer::{NativeOptions, Registry, http::Server};

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let work = registry.histogram("work").unit("seconds").native(NativeOptions::new().schema(3)).single()?;
    let steps = 10_000;
    (1..=steps).for_each(|step| work.observe(f64::from(step) / f64::from(steps)));

    let server = Server::builder(&registry).address(([127, 0, 0, 1], 0)).start()?;
    println!("metrics: http://{}/metrics", server.local_addrs()[0]);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
