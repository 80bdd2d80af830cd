//! How log lines look: as tracing-subscriber writes them, with the trace of the message that the task works on at their
//! end. A line costs an allocation; work that logs nothing costs none.

use std::fmt;
use std::io::IsTerminal;

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{self as lines, FmtContext};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;

use super::TraceId;

/// A format with the trace at the end.
#[derive(Debug, Clone, Copy)]
pub struct Lines<F> {
    inner: F,
    json: bool,
}

impl<S, N, F> FormatEvent<S, N> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(trace) = TraceId::current() else {
            return self.inner.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end_matches('\n');
        match line.strip_suffix('}').filter(|_| self.json) {
            Some(open) => writeln!(writer, "{open},\"trace\":\"{trace}\"}}"),
            None => writeln!(writer, "{line} trace={trace}"),
        }
    }
}

/// Logs to stderr, and to a layer beside it; `RUST_LOG` sets what of both, `json` how the lines look.
pub fn subscribe(json: bool, beside: Option<Box<dyn Layer<Registry> + Send + Sync>>) {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .from_env_lossy();
    let ansi = std::io::stderr().is_terminal();
    let text = lines::layer().with_ansi(ansi).with_writer(std::io::stderr);
    let text: Box<dyn Layer<_> + Send + Sync> = if json {
        text.json().map_event_format(|inner| Lines { inner, json }).boxed()
    } else {
        text.map_event_format(|inner| Lines { inner, json }).boxed()
    };
    let all = tracing_subscriber::registry()
        .with(beside)
        .with(text.with_filter(filter));
    // A second subscriber in one process is a test's; the first stays.
    let _second = all.try_init();
}
