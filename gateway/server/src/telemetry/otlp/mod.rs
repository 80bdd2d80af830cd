//! Traces, metrics and logs for an OpenTelemetry collector, as OTLP over HTTP (protobuf). Everything goes through bounded
//! queues to threads of the SDK's own: a collector that is slow or gone costs telemetry and never a message. What is sent
//! is made of numbers, names of listeners, labels and our own log lines.

mod client;
mod ids;
mod logs;
mod metrics;

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use opentelemetry::trace::{
    Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use tracing_subscriber::Layer;
use tracing_subscriber::registry::Registry;

use super::{Caller, Delivery, Ended, Family, Options, Stages, TraceId};
use crate::transport::tls::Clients;
use client::House;

/// How long a collector may take for one export.
const PATIENCE: Duration = Duration::from_secs(5);
/// Spans that wait to be sent, ten a message; those beyond are dropped.
const SPANS: usize = 16_384;

/// A running exporter.
#[derive(Debug)]
pub struct Otlp {
    tracer: SdkTracer,
    one_in: u32,
    traces: SdkTracerProvider,
    logs: SdkLoggerProvider,
    metrics: SdkMeterProvider,
}

/// An exporter, and the layer that hands it log lines.
pub struct Started {
    /// The exporter.
    pub otlp: std::sync::Arc<Otlp>,
    /// For the subscriber.
    pub lines: Box<dyn Layer<Registry> + Send + Sync>,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started")
            .field("otlp", &self.otlp)
            .finish_non_exhaustive()
    }
}

impl Otlp {
    /// Starts exporting as configured; nothing where no collector is. Call it within a runtime, whose tasks send.
    ///
    /// # Errors
    /// The URL is none, or a certificate cannot be used.
    pub fn start(options: &Options, clients: &Clients) -> anyhow::Result<Option<Started>> {
        let Some(base) = &options.otlp else { return Ok(None) };
        let base = base.trim_end_matches('/');
        let client = House::new(base, options, clients).context("telemetry.otlp")?;
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", "causeway"),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            ])
            .build();
        let (spans, lines, numbers) = exporters(base, &client)?;
        let batches = BatchConfigBuilder::default().with_max_queue_size(SPANS);
        let batches = batches.with_scheduled_delay(Duration::from_secs(1)).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(spans).with_batch_config(batches).build())
            .with_id_generator(ids::Ids::default())
            .with_resource(resource.clone())
            .build();
        let logs = SdkLoggerProvider::builder()
            .with_batch_exporter(lines)
            .with_resource(resource.clone())
            .build();
        let reader = PeriodicReader::builder(numbers).with_interval(options.every).build();
        let metrics = SdkMeterProvider::builder()
            .with_reader(reader)
            .with_resource(resource)
            .build();
        let lines = logs::layer(&logs);
        let otlp = std::sync::Arc::new(Self {
            tracer: provider.tracer("causeway"),
            one_in: options.trace_one_in,
            traces: provider,
            logs,
            metrics,
        });
        Ok(Some(Started { otlp, lines }))
    }

    /// Whether a message is among those that are traced: as its caller is, else by its trace id.
    pub(super) fn traces(&self, trace: TraceId, caller: Option<Caller>) -> bool {
        // The last bits of an id are as good as random (W3C Trace Context level 2, 4.1.1).
        let chosen = || trace.get().is_multiple_of(u128::from(self.one_in.max(1)));
        caller.map_or_else(chosen, |caller| caller.sampled)
    }

    /// Tells of one message that was answered, and of its steps.
    pub(super) fn message(&self, ended: &Ended<'_>, stages: &Stages) {
        let begun = time(ended.received);
        let _id = ids::this_thread(ended.trace);
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let builder = self
            .tracer
            .span_builder("message")
            .with_kind(SpanKind::Server)
            .with_start_time(begun)
            .with_attributes([
                KeyValue::new("causeway.listener", ended.slot.listener.to_string()),
                KeyValue::new("causeway.type", ended.slot.message_type.to_string()),
                KeyValue::new("causeway.number", number(ended.number)),
                KeyValue::new("causeway.positive", ended.positive),
                KeyValue::new("causeway.resend", ended.again),
                KeyValue::new("causeway.not_evaluated", number(ended.not_evaluated)),
            ]);
        let parent = stages.caller.map(|caller| context(caller.trace.get(), caller.span));
        let mut span = self.tracer.build_with_context(builder, &parent.unwrap_or_default());
        if !ended.positive {
            span.set_status(Status::error("refused"));
        }
        let within = Context::new().with_remote_span_context(span.span_context().clone());
        let end = ended.received.checked_add(ended.took).unwrap_or(ended.received);
        for (name, begin, end) in stages.ended(end) {
            let step = self.tracer.span_builder(name).with_start_time(time(begin));
            self.tracer
                .build_with_context(step, &within)
                .end_with_timestamp(time(end));
        }
        span.end_with_timestamp(begun + ended.took);
    }

    /// Tells of one attempt to deliver, in the trace of its message.
    pub(super) fn delivery(&self, told: &Delivery<'_>) {
        let _id = ids::this_span(told.ours.trace, told.ours.span);
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let builder = self
            .tracer
            .span_builder("deliver")
            .with_kind(SpanKind::Client)
            .with_start_time(time(told.begun))
            .with_attributes([
                KeyValue::new("causeway.destination", told.destination.to_owned()),
                KeyValue::new("causeway.number", number(told.number)),
                KeyValue::new("causeway.attempt", i64::from(told.attempt)),
                KeyValue::new("causeway.outcome", told.outcome),
            ]);
        let parent = told.caller.map(|caller| context(caller.trace.get(), caller.span));
        let mut span = self.tracer.build_with_context(builder, &parent.unwrap_or_default());
        if told.outcome != Delivery::DONE {
            span.set_status(Status::error(told.outcome));
        }
        span.end();
    }

    /// Exports these metrics from now on.
    pub fn measure(&self, gather: impl Fn() -> Vec<Family> + Send + Sync + 'static) {
        let gather: metrics::Gather = std::sync::Arc::new(gather);
        metrics::observe(&self.metrics, &gather);
    }

    /// Sends what is still there and ends. Blocks, a collector's patience at most for each kind.
    pub fn close(&self) {
        let ended = [
            self.traces.shutdown_with_timeout(PATIENCE),
            self.metrics.shutdown_with_timeout(PATIENCE),
            self.logs.shutdown_with_timeout(PATIENCE),
        ];
        for error in ended.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "telemetry was not all sent");
        }
    }
}

fn time(time: jiff::Timestamp) -> SystemTime {
    let since = time.duration_since(jiff::Timestamp::UNIX_EPOCH);
    SystemTime::UNIX_EPOCH + Duration::try_from(since).unwrap_or_default()
}

/// A span of somebody else's that ours is part of.
fn context(trace: u128, span: u64) -> Context {
    let (trace, span) = (trace.into(), SpanId::from(span));
    let theirs = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default());
    Context::new().with_remote_span_context(theirs)
}

fn exporters(base: &str, client: &House) -> anyhow::Result<(SpanExporter, LogExporter, MetricExporter)> {
    let at = |signal: &str| format!("{base}/v1/{signal}");
    let spans = SpanExporter::builder()
        .with_http()
        .with_http_client(client.clone())
        .with_endpoint(at("traces"));
    let lines = LogExporter::builder()
        .with_http()
        .with_http_client(client.clone())
        .with_endpoint(at("logs"));
    let numbers = MetricExporter::builder()
        .with_http()
        .with_http_client(client.clone())
        .with_endpoint(at("metrics"));
    Ok((
        spans.with_timeout(PATIENCE).build()?,
        lines.with_timeout(PATIENCE).build()?,
        numbers.with_timeout(PATIENCE).build()?,
    ))
}
