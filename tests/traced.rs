//! HIS-09 of docs/behaviour.md with the real OpenTelemetry and `tracing`: exemplars of the span that is current.

use std::sync::Mutex;

use manometer::{Counter, CurrentSpan, Registry};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer, TracerProvider},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor},
};
use tracing_subscriber::layer::SubscriberExt;

fn requests(registry: &Registry) -> Counter {
    registry.counter("requests").exemplars(CurrentSpan).single().expect("nothing is wrong with it")
}

/// The labels of an exemplar that leads to this span.
fn labels(span: &SpanContext) -> String {
    format!("trace_id=\"{:032x}\",span_id=\"{:016x}\"", span.trace_id(), span.span_id())
}

fn last(counter: &Counter) -> Option<String> {
    counter.exemplar().map(|exemplar| exemplar.label_text().to_owned())
}

#[test]
fn his_09_a_span_of_opentelemetry_that_is_current_and_sampled() {
    let registry = Registry::new();
    let requests = requests(&registry);
    requests.inc();
    assert_eq!(last(&requests), None, "no span is current");

    let provider = SdkTracerProvider::builder().build();
    provider.tracer("test").in_span("request", |context| {
        requests.inc();
        assert_eq!(last(&requests), Some(labels(context.span().span_context())));
    });
    manometer::collect(&registry);

    let (trace, span) = (TraceId::from(7), SpanId::from(9));
    let remote = |flags| Context::new().with_remote_span_context(context(trace, span, flags)).attach();
    fn context(trace: TraceId, span: SpanId, flags: TraceFlags) -> SpanContext {
        SpanContext::new(trace, span, flags, true, TraceState::default())
    }
    let before = last(&requests);
    let unsampled = remote(TraceFlags::default());
    requests.inc();
    drop(unsampled);
    assert_eq!(last(&requests), before, "nobody could look an unsampled span up");
    let sampled = remote(TraceFlags::SAMPLED);
    requests.inc();
    drop(sampled);
    assert_eq!(last(&requests), Some(labels(&context(trace, span, TraceFlags::SAMPLED))));
    assert_eq!(requests.value(), 4);
}

#[test]
fn his_09_a_span_of_tracing_under_its_opentelemetry_layer() {
    let registry = Registry::new();
    let requests = requests(&registry);
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let outer = tracing::info_span!("request").entered();
        let inner = tracing::info_span!("query").entered();
        requests.inc();
        let current = Context::current().span().span_context().clone();
        assert_eq!(last(&requests), Some(labels(&current)));
        manometer::collect(&registry);
        drop(inner);
        requests.inc();
        let outside = Context::current().span().span_context().clone();
        assert_eq!(last(&requests), Some(labels(&outside)));
        assert_eq!(current.trace_id(), outside.trace_id(), "one trace");
        assert_ne!(current.span_id(), outside.span_id(), "of two spans");
        manometer::collect(&registry);
        drop(outer);
        requests.inc();
        assert_eq!(last(&requests), Some(labels(&outside)), "no span is current any more");
    });
}

#[test]
fn his_09_a_span_of_tracing_that_is_not_sampled_leaves_none() {
    let registry = Registry::new();
    let requests = requests(&registry);
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info_span!("request").in_scope(|| requests.inc());
    });
    assert_eq!((requests.value(), last(&requests)), (1, None));
}

/// Counts spans as they end, while the context may be changing.
#[derive(Debug)]
struct CountEnds(Mutex<Counter>);

impl SpanProcessor for CountEnds {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {
        self.0.lock().expect("nobody panics with it").inc();
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: std::time::Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn his_09_a_record_while_the_context_changes_counts() {
    let registry = Registry::new();
    let requests = requests(&registry);
    let processor = CountEnds(Mutex::new(requests.clone()));
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let tracer = provider.tracer("test");
    // The context is the last to hold the span, so it is leaving it that ends it.
    let entered = Context::current_with_span(tracer.start("request")).attach();
    drop(entered);
    assert_eq!(requests.value(), 1);
    requests.inc();
    assert_eq!(requests.value(), 2);
}
