//! One file for each peer, short enough to be judged by those who wrote the peer.

mod fast_telemetry;
mod fastmetrics;
mod manometer;
mod measured;
mod metrics;
mod metrics_lib;
mod metriken;
mod opentelemetry;
mod prometheus;
mod prometheus_client;
mod vise;

pub use self::{
    fast_telemetry::FastTelemetry,
    fastmetrics::FastMetrics,
    manometer::Manometer,
    measured::Measured,
    metrics::Metrics,
    metrics_lib::{MetricsLib, MetricsLibSharded},
    metriken::{Metriken, MetrikenSharded},
    opentelemetry::OpenTelemetry,
    prometheus::Prometheus,
    prometheus_client::PrometheusClient,
    vise::Vise,
};
