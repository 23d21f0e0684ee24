//! How a log line looks, with the ids of its trace.
//!
//! The ids are asked of the OpenTelemetry layer through the dispatcher that the subscriber is installed under, which only
//! a layer gets to know: hence [`Ids`] beside the formatters.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use opentelemetry::trace::{SpanContext, TraceContextExt};
use serde_json::{Map, Value, json};
use tracing::{
    Dispatch, Event, Subscriber,
    dispatcher::WeakDispatch,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{Format, Full, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// The layer that writes lines, and the one that it finds trace ids through; both must be installed together.
pub(super) fn lines<S, W>(json: bool, ansi: bool, writer: W) -> (impl Layer<S> + use<S, W>, Ids)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let ids = Ids::default();
    let line = if json { Line::Json(ids.clone()) } else { Line::Text(Format::default().with_ansi(ansi), ids.clone()) };
    (tracing_subscriber::fmt::layer().with_ansi(ansi).event_format(line).with_writer(writer), ids)
}

/// Knows the OpenTelemetry ids of spans.
#[derive(Clone, Default)]
pub(super) struct Ids {
    dispatch: Arc<OnceLock<WeakDispatch>>,
}

enum Line {
    Text(Format<Full>, Ids),
    Json(Ids),
}

/// The fields of an event as JSON.
struct Fields<'a>(&'a mut Map<String, Value>);

// === impl Ids ===

impl<S: Subscriber> Layer<S> for Ids {
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        // A subscriber is registered once; if it were twice, both dispatchers lead to the same layers.
        let _ = self.dispatch.set(subscriber.downgrade());
    }
}

impl Ids {
    /// The ids of the span that an event is in.
    fn of<S, N>(&self, ctx: &FmtContext<'_, S, N>) -> Option<SpanContext>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        N: for<'a> FormatFields<'a> + 'static,
    {
        let span = ctx.lookup_current()?;
        let dispatch = self.dispatch.get()?.upgrade()?;
        let context = tracing_opentelemetry::get_otel_context(&span.id(), &dispatch)?;
        let ids = context.span().span_context().clone();
        ids.is_valid().then_some(ids)
    }
}

// === impl Line ===

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        match self {
            Self::Json(ids) => writeln!(writer, "{}", Value::Object(json_line(event, ids.of(ctx)))),
            Self::Text(format, ids) => {
                let mut line = String::new();
                format.format_event(ctx, Writer::new(&mut line), event)?;
                match ids.of(ctx) {
                    Some(ids) => writeln!(writer, "{} trace_id={}", line.trim_end(), ids.trace_id()),
                    None => writer.write_str(&line),
                }
            }
        }
    }
}

fn json_line(event: &Event<'_>, ids: Option<SpanContext>) -> Map<String, Value> {
    let mut line = Map::new();
    event.record(&mut Fields(&mut line));
    let mut time = String::new();
    if SystemTime.format_time(&mut Writer::new(&mut time)).is_ok() {
        line.insert("timestamp".to_owned(), Value::String(time));
    }
    line.insert("level".to_owned(), json!(event.metadata().level().as_str()));
    line.insert("target".to_owned(), json!(event.metadata().target()));
    if let Some(ids) = ids {
        line.insert("trace_id".to_owned(), json!(ids.trace_id().to_string()));
        line.insert("span_id".to_owned(), json!(ids.span_id().to_string()));
    }
    line
}

// === impl Fields ===

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().trim_start_matches("r#").to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::String(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{io, sync::Mutex};

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(json: bool, log: impl FnOnce()) -> String {
        let memory = Memory::default();
        let written = memory.clone();
        let (lines, ids) = lines(json, false, move || memory.clone());
        let provider = SdkTracerProvider::builder().build();
        let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(traces).with(ids).with(lines), log);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_lines_carry_typed_fields_and_the_ids_of_their_trace() {
        let text = logged(true, || {
            tracing::info_span!("verb.create").in_scope(|| tracing::info!(rev = 7, k8s.name = "a", "created \"a\""));
        });
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "created \"a\"");
        assert_eq!((&line["rev"], &line["k8s.name"]), (&json!(7), &json!("a")));
        assert_eq!((&line["level"], &line["target"]), (&json!("INFO"), &json!(module_path!())));
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
        assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn text_lines_name_the_trace_and_lines_outside_of_one_do_not() {
        let text = logged(false, || {
            tracing::info!("outside");
            tracing::info_span!("verb.get").in_scope(|| tracing::warn!("inside"));
        });
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("outside"), "{text}");
        assert!(lines[1].contains(" WARN verb.get: ") && lines[1].contains("inside trace_id="), "{text}");
    }

    #[test]
    fn a_line_break_in_a_field_does_not_break_the_json_line() {
        let text = logged(true, || tracing::info!(path = "/a\n{}", "get\r\nx"));
        assert_eq!(text.lines().count(), 1);
    }
}
