//! Requests in spans of `tracing`, and the OpenMetrics page whose exemplars lead to them.
//!
//! `cargo run --features opentelemetry --example traced` prints it. A real program would send the spans somewhere, and scrape: each scrape
//! finds, beside the counter and each bucket, the ids of one request since the scrape before.

use std::{error::Error, io};

use manometer::{
    CurrentSpan, Registry, collect,
    encode::{self, Format},
};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;

fn main() -> Result<(), Box<dyn Error>> {
    let spans = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(spans.tracer("traced"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;

    let registry = Registry::new();
    let requests = registry.counter("requests").labels(["method"]).exemplars(CurrentSpan).declare()?;
    let latency =
        registry.histogram("request_latency").unit("seconds").buckets([0.01, 0.1, 1.0]).exemplars(CurrentSpan);
    let latency = latency.single()?;
    for request in 1..=100 {
        let _span = tracing::info_span!("request", number = request).entered();
        requests.inc((if request % 3 == 0 { "PUT" } else { "GET" },))?;
        latency.observe(f64::from(request) / 80.0);
    }

    encode::write(&collect(&registry), Format::OpenMetrics, &mut io::stdout())?;
    Ok(())
}
