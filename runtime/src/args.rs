//! Flags that several processes share. Each is also an environment variable, `OUTRIGGER_` and the flag's name.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::shutdown::Grace;

/// What every process takes: [`crate::run()`] needs it.
#[derive(Debug, Clone, Default, Args)]
pub struct ProcessArgs {
    /// What is logged and traced.
    #[command(flatten)]
    pub log: LogArgs,
    /// How the process ends.
    #[command(flatten)]
    pub shutdown: ShutdownArgs,
}

/// What is logged, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Logs and traces")]
pub struct LogArgs {
    /// Log at debug level.
    #[arg(long, env = "OUTRIGGER_DEBUG", value_parser = clap::builder::FalseyValueParser::new())]
    pub debug: bool,
    /// How much --debug logs: from 6 on what each part does step by step, from 9 on what the libraries do too.
    #[arg(long, env = "OUTRIGGER_DEBUG_LEVEL", value_name = "N", default_value_t = 0)]
    pub debug_level: u8,
    /// Log what this filter lets through, such as `info,revlog=trace`; it overrides the two above.
    #[arg(long, env = "OUTRIGGER_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How log lines look.
    #[arg(long, env = "OUTRIGGER_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// The standard variables of OpenTelemetry that say whether traces are exported.
    #[command(flatten)]
    pub export: ExportArgs,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Whether traces are exported. The exporter reads these and its other `OTEL_*` variables itself.
#[derive(Debug, Clone, Default, Args)]
pub struct ExportArgs {
    /// Where to export to.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide = true)]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// Where to export traces to.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", hide = true)]
    pub otel_exporter_otlp_traces_endpoint: Option<String>,
    /// `none` exports no traces.
    #[arg(long, env = "OTEL_TRACES_EXPORTER", hide = true)]
    pub otel_traces_exporter: Option<String>,
    /// `true` exports nothing.
    #[arg(long, env = "OTEL_SDK_DISABLED", hide = true)]
    pub otel_sdk_disabled: Option<String>,
}

/// How the process ends.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Shutdown")]
pub struct ShutdownArgs {
    /// After the first signal, serve for so long with readiness off, until load balancers have noticed.
    #[arg(long, env = "OUTRIGGER_SHUTDOWN_DELAY", value_name = "DURATION", value_parser = duration, default_value = "0s")]
    pub shutdown_delay: Duration,
    /// Then let requests that run finish for so long.
    #[arg(long, env = "OUTRIGGER_SHUTDOWN_GRACE_PERIOD", value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub shutdown_grace_period: Duration,
}

/// The serving certificate.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct ServingCertArgs {
    /// Folder of the serving certificate, `tls.crt` and `tls.key`; they are made when missing.
    #[arg(long, env = "OUTRIGGER_CERT_DIR", value_name = "DIR")]
    pub cert_dir: Option<PathBuf>,
    /// Serving certificate (PEM, with the chain); followed when it changes.
    #[arg(long, env = "OUTRIGGER_TLS_CERT_FILE", value_name = "FILE", requires = "tls_private_key_file")]
    pub tls_cert_file: Option<PathBuf>,
    /// Key of the serving certificate (PEM).
    #[arg(long, env = "OUTRIGGER_TLS_PRIVATE_KEY_FILE", value_name = "FILE", requires = "tls_cert_file")]
    pub tls_private_key_file: Option<PathBuf>,
}

/// What our processes show each other: both ends of a connection take the same three.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "TLS between processes")]
pub struct PeerTlsArgs {
    /// CA that the other process's certificate is from (PEM).
    #[arg(long, env = "OUTRIGGER_PEER_CA_FILE", value_name = "FILE", requires_all = ["peer_cert_file", "peer_key_file"])]
    pub peer_ca_file: Option<PathBuf>,
    /// Certificate to show to the other process (PEM).
    #[arg(long, env = "OUTRIGGER_PEER_CERT_FILE", value_name = "FILE", requires_all = ["peer_ca_file", "peer_key_file"])]
    pub peer_cert_file: Option<PathBuf>,
    /// Key of that certificate (PEM).
    #[arg(long, env = "OUTRIGGER_PEER_KEY_FILE", value_name = "FILE", requires_all = ["peer_ca_file", "peer_cert_file"])]
    pub peer_key_file: Option<PathBuf>,
}

/// Where a service of ours listens.
#[derive(Debug, Clone, Args)]
pub struct ListenArgs {
    /// Where to listen: https://IP:PORT, or unix:///PATH.
    #[arg(long, env = "OUTRIGGER_LISTEN", value_name = "URL")]
    pub listen: String,
    /// Whom it believes.
    #[command(flatten)]
    pub peer: PeerTlsArgs,
}

// === impl ShutdownArgs ===

impl ShutdownArgs {
    /// The durations of the phases.
    pub fn grace(&self) -> Grace {
        Grace { delay: self.shutdown_delay, period: self.shutdown_grace_period }
    }
}

impl Default for ShutdownArgs {
    fn default() -> Self {
        Self { shutdown_delay: Duration::ZERO, shutdown_grace_period: Duration::from_secs(30) }
    }
}

/// Reads a duration in Go's notation: `0`, `5m`, `1h30m`, `1.5s`, `300ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let read = machinery::time::parse_duration(text).ok().flatten();
    read.ok_or_else(|| format!("invalid duration {text:?}: write it like 300ms, 5m or 1h30m"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Everything {
        #[command(flatten)]
        process: ProcessArgs,
        #[command(flatten)]
        serving: ServingCertArgs,
        #[command(flatten)]
        listen: ListenArgs,
    }

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let cases = [
            ("0", 0),
            ("0s", 0),
            ("300ms", 300),
            ("1.5s", 1_500),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1m0.5s", 60_500),
        ];
        for (text, millis) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "m", "-5m", "5 m", "5d", "1h30", "1e3s", "..s", "99999999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        for arg in Everything::command().get_arguments().filter(|arg| !arg.is_hide_set()) {
            let long = arg.get_long().expect("every argument here is a flag");
            let name = format!("OUTRIGGER_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn the_defaults_of_clap_and_of_rust_agree() {
        let parsed = Everything::parse_from(["x", "--listen", "unix:///x"]);
        assert_eq!(format!("{:?}", parsed.process.shutdown), format!("{:?}", ShutdownArgs::default()));
        assert_eq!(parsed.process.log.log_format, LogFormat::default());
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        for args in [["x", "--tls-cert-file", "a"], ["x", "--peer-ca-file", "a"], ["x", "--peer-key-file", "a"]] {
            assert!(Everything::try_parse_from(args).is_err(), "{args:?}");
        }
    }
}
