//! The span that a thread is in, as OpenTelemetry knows it: labels of exemplars.

use opentelemetry::{Context, trace::TraceContextExt};

use super::ExemplarLabels;

/// The current span of OpenTelemetry's context, as the labels `trace_id` and `span_id` in lower-case hexadecimal digits. There are
/// none where no span is current, and where the span is not sampled: nobody could look it up.
///
/// A layer of `tracing-opentelemetry` makes the span of `tracing` that a thread enters the current one here too, unless it was told not to
/// (`with_context_activation(false)`). It has to use the same version of `opentelemetry` as this crate: each version has a
/// context of its own. For any other, [`ExemplarLabels`] is implemented in some lines.
///
/// # Examples
/// ```
/// use manometer::{CurrentSpan, Registry};
/// use opentelemetry::{
///     Context,
///     trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
/// };
///
/// let registry = Registry::new();
/// let latency = registry.histogram("latency").buckets([0.1, 1.0]).exemplars(CurrentSpan).single()?;
/// # let (trace, span) = (TraceId::from(0x4bf9_2f35), SpanId::from(0xf067));
/// let request = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default());
/// let entered = Context::new().with_remote_span_context(request).attach();
/// latency.observe(0.67);
/// drop(entered);
/// let exemplar = latency.exemplar(1).expect("the request was current");
/// assert_eq!(
///     exemplar.label_text(),
///     r#"trace_id="0000000000000000000000004bf92f35",span_id="000000000000f067""#
/// );
/// # Ok::<(), manometer::DeclareError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CurrentSpan;

impl ExemplarLabels for CurrentSpan {
    fn with(&self, op: &mut dyn FnMut(&[(&str, &str)])) {
        // Copied, so that the context is nobody's any more when `op` runs.
        let ids = Context::map_current(|context| {
            let span = context.span();
            let span = span.span_context();
            (span.is_valid() && span.is_sampled()).then(|| (span.trace_id(), span.span_id()))
        });
        if let Some((trace, span)) = ids {
            op(&[("trace_id", &trace.to_string()), ("span_id", &span.to_string())]);
        }
    }
}
