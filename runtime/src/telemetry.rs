//! Logs and traces.
//!
//! Log lines are text on a terminal and JSON elsewhere, and carry the ids of the trace that they belong to. Spans get
//! their ids always, so that lines of several processes can be joined; they are exported over OTLP when the standard
//! `OTEL_*` variables name an endpoint. The W3C context comes in with [`set_parent`] or [`Extract`] and goes out with
//! [`Inject`]; nobody else touches it.

mod format;
mod levels;
mod propagate;

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
};

use anyhow::Context;
use opentelemetry::{Key, trace::TracerProvider};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing_subscriber::{Layer, filter::LevelFilter, filter::Targets, layer::SubscriberExt, registry::LookupSpan};

use crate::args::{ExportArgs, LogArgs, LogFormat};

pub use propagate::{Extract, ExtractLayer, Inject, InjectLayer, SpanBody, parent_headers, set_parent};

/// The telemetry of a process, to be flushed at its end.
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

// === impl Telemetry ===

impl Telemetry {
    /// Makes logs and traces of the whole process go where `args` say. Call it once, inside the async runtime.
    pub fn install(service: &'static str, args: &LogArgs) -> anyhow::Result<Self> {
        let levels = levels::targets(args)?;
        let provider = provider(service, &args.export)?;
        let terminal = io::stderr().is_terminal();
        let json = match args.log_format {
            LogFormat::Auto => !terminal,
            LogFormat::Text => false,
            LogFormat::Json => true,
        };
        let (lines, ids) = format::lines(json, terminal, io::stderr);
        let subscriber = tracing_subscriber::registry()
            .with(spans(&provider, service, levels.clone()))
            .with(ids)
            .with(lines.with_filter(levels));
        tracing::subscriber::set_global_default(subscriber).context("installing the log")?;
        std::panic::set_hook(Box::new(|panic| {
            tracing::error!(location = panic.location().map(tracing::field::display), "{panic}");
        }));
        Ok(Self { provider })
    }

    /// Exports what is not exported yet. Call it outside of the async runtime's threads, while that runs.
    pub fn flush(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!("could not export the last spans: {}", chain(&error));
        }
    }
}

/// An error and its causes on one line. A cause that the line already ends with is not repeated.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// Says why a process did not even start: there is no log yet.
pub(crate) fn print_error(name: &str, error: &anyhow::Error) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "{name}: {}", chain(error.as_ref()));
}

/// The layer that turns `tracing`'s spans into OpenTelemetry's. It sees spans of info level whatever is logged. Nobody
/// here asks OpenTelemetry for the current context, so it is not kept up to date.
fn spans<S>(provider: &SdkTracerProvider, service: &'static str, levels: Targets) -> impl Layer<S> + use<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let quiet = levels::QUIET.iter().map(|target| (*target, LevelFilter::OFF));
    let filter =
        Targets::new().with_default(levels.default_level().unwrap_or(LevelFilter::INFO).max(LevelFilter::INFO));
    tracing_opentelemetry::layer()
        .with_context_activation(false)
        .with_tracer(provider.tracer(service))
        .with_filter(filter.with_targets(quiet))
}

fn provider(service: &'static str, args: &ExportArgs) -> anyhow::Result<SdkTracerProvider> {
    let builder = SdkTracerProvider::builder();
    if !exports(args) {
        // Ids are made and passed on, spans are not recorded unless the caller's are.
        return Ok(builder.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff))).build());
    }
    let exporter =
        opentelemetry_otlp::SpanExporter::builder().with_tonic().build().context("setting up the export of traces")?;
    Ok(builder.with_batch_exporter(exporter).with_resource(resource(service)).build())
}

/// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over the name given here.
fn resource(service: &'static str) -> Resource {
    let named = |resource: &Resource| resource.get(&Key::new("service.name")).map(|name| name.to_string());
    match named(&Resource::builder().build()) {
        Some(name) if !name.starts_with("unknown_service") => Resource::builder().build(),
        _ => Resource::builder().with_service_name(service).build(),
    }
}

fn exports(args: &ExportArgs) -> bool {
    let set = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
    let says =
        |value: &Option<String>, text: &str| value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(text));
    (set(&args.otel_exporter_otlp_endpoint) || set(&args.otel_exporter_otlp_traces_endpoint))
        && !says(&args.otel_traces_exporter, "none")
        && !says(&args.otel_sdk_disabled, "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layered(&'static str, #[source] Option<Box<Layered>>);

    fn layers(texts: &[&'static str]) -> Layered {
        let (first, rest) = texts.split_first().expect("at least one layer");
        Layered(first, (!rest.is_empty()).then(|| Box::new(layers(rest))))
    }

    #[test]
    fn a_chain_names_each_cause_once() {
        assert_eq!(chain(&layers(&["alone"])), "alone");
        assert_eq!(
            chain(&layers(&["opening the log", "disk I/O", "no space left"])),
            "opening the log: disk I/O: no space left"
        );
        assert_eq!(chain(&layers(&["connecting: refused", "refused"])), "connecting: refused");
    }

    #[test]
    fn traces_are_exported_when_the_environment_names_an_endpoint() {
        let some = |text: &str| Some(text.to_owned());
        let endpoint = ExportArgs { otel_exporter_otlp_endpoint: some("http://localhost:4317"), ..Default::default() };
        assert!(exports(&endpoint));
        assert!(exports(&ExportArgs { otel_exporter_otlp_traces_endpoint: some("http://x"), ..Default::default() }));
        assert!(!exports(&ExportArgs::default()));
        assert!(!exports(&ExportArgs { otel_exporter_otlp_endpoint: some(""), ..Default::default() }));
        assert!(!exports(&ExportArgs { otel_traces_exporter: some("none"), ..endpoint.clone() }));
        assert!(!exports(&ExportArgs { otel_sdk_disabled: some("TRUE"), ..endpoint }));
    }
}
