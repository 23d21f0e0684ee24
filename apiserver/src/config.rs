//! The flags of an apiserver. Each is also an environment variable.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;

/// What an apiserver is told.
#[derive(Debug, Clone, Args)]
#[group(id = "apiserver")]
pub struct Config {
    /// Address to listen on [default: every one behind a cluster, 127.0.0.1 without one].
    #[arg(long, env = "OUTRIGGER_BIND_ADDRESS", value_name = "IP")]
    pub bind_address: Option<IpAddr>,
    /// Port to serve HTTPS on; 0 takes a free one.
    #[arg(long, env = "OUTRIGGER_SECURE_PORT", value_name = "PORT", default_value_t = 8443)]
    pub secure_port: u16,
    /// Name or address that clients reach this server by, for certificates of our own making; repeatable.
    #[arg(long = "tls-san", env = "OUTRIGGER_TLS_SAN", value_name = "NAME", value_delimiter = ',')]
    pub names: Vec<String>,
    /// The serving certificate.
    #[command(flatten)]
    pub serving: runtime::args::ServingCertArgs,
    /// CustomResourceDefinition documents to serve, a file or a folder; repeatable.
    #[arg(long, env = "OUTRIGGER_CRDS", value_name = "PATH", value_delimiter = ',')]
    pub crds: Vec<PathBuf>,
    /// The cluster to serve behind: it says who asks and what they may.
    #[arg(long, env = "OUTRIGGER_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Whom to believe.
    #[command(flatten)]
    pub trust: auth::TrustArgs,
    /// What is said of requests.
    #[command(flatten)]
    pub audit: crate::AuditArgs,
    /// Bytes of events kept for watchers, for each resource.
    #[arg(long, env = "OUTRIGGER_WATCH_CACHE_BYTES", value_name = "BYTES", default_value_t = 16 << 20)]
    pub watch_cache_bytes: usize,
    /// Requests that read and are under way at once, watches not counted.
    #[arg(long, env = "OUTRIGGER_MAX_REQUESTS_INFLIGHT", value_name = "N", default_value_t = 400)]
    pub max_requests_inflight: usize,
    /// Requests that write and are under way at once.
    #[arg(long, env = "OUTRIGGER_MAX_MUTATING_REQUESTS_INFLIGHT", value_name = "N", default_value_t = 200)]
    pub max_mutating_requests_inflight: usize,
}
