//! Our own log lines as OpenTelemetry log records, from `info` on, each with its message's trace. Lines of libraries stay
//! at home: what they write is not ours to vouch for.

use std::fmt;
use std::time::SystemTime;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanId, TraceId as Id};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger, SdkLoggerProvider};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::Registry;

use crate::telemetry::TraceId;

/// The layer for the subscriber.
pub(super) fn layer(provider: &SdkLoggerProvider) -> Box<dyn Layer<Registry> + Send + Sync> {
    let records = Records(provider.logger("causeway"));
    records.with_filter(filter_fn(ours)).boxed()
}

fn ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && *metadata.level() <= Level::INFO && metadata.target().starts_with("causeway")
}

struct Records(SdkLogger);

impl<S: Subscriber> Layer<S> for Records {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut record = self.0.create_log_record();
        let level = *event.metadata().level();
        record.set_timestamp(SystemTime::now());
        record.set_severity_text(level.as_str());
        record.set_severity_number(severity(level));
        record.set_target(event.metadata().target());
        if let Some(trace) = TraceId::current() {
            record.set_trace_context(Id::from(trace.get()), SpanId::INVALID, None);
        }
        event.record(&mut Fields(&mut record));
        self.0.emit(record);
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::ERROR => Severity::Error,
        Level::WARN => Severity::Warn,
        Level::INFO => Severity::Info,
        Level::DEBUG => Severity::Debug,
        _ => Severity::Trace,
    }
}

struct Fields<'a>(&'a mut SdkLogRecord);

impl Fields<'_> {
    fn set(&mut self, field: &Field, value: AnyValue) {
        if field.name() == "message" {
            self.0.set_body(value);
        } else {
            self.0.add_attribute(field.name(), value);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, AnyValue::from(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, AnyValue::from(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, AnyValue::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, AnyValue::from(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, AnyValue::from(value));
    }
}
