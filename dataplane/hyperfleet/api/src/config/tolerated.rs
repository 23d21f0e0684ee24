//! Flags of the first version that mean nothing here. They are taken, so that its command lines work, and a warning says so.

/// Flags of the first version that mean nothing here.
#[derive(Debug, Clone, Default, clap::Args)]
#[expect(missing_docs, reason = "they mean nothing")]
#[rustfmt::skip]
pub struct Tolerated {
    #[arg(long, env = "OCM_ENV", hide = true)]
    pub ocm_env: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub enable_authz: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub enable_db_debug: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub enable_ocm_mock: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub ocm_debug: Option<String>,
    #[arg(long, hide = true)]
    pub ocm_base_url: Option<String>,
    #[arg(long, hide = true)]
    pub ocm_token_url: Option<String>,
    #[arg(long, hide = true)]
    pub ocm_client_id_file: Option<String>,
    #[arg(long, hide = true)]
    pub ocm_client_secret_file: Option<String>,
    #[arg(long, hide = true)]
    pub self_token_file: Option<String>,
    #[arg(long, hide = true)]
    pub label_metrics_inclusion_duration: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub logtostderr: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub alsologtostderr: Option<String>,
    #[arg(long, hide = true)]
    pub stderrthreshold: Option<String>,
    #[arg(long = "log_dir", hide = true)]
    pub log_dir: Option<String>,
    #[arg(long = "log_backtrace_at", hide = true)]
    pub log_backtrace_at: Option<String>,
    #[arg(long, hide = true)]
    pub vmodule: Option<String>,
    #[arg(short = 'v', long = "v", hide = true, value_name = "LEVEL")]
    pub v: Option<String>,
}

// === impl Tolerated ===

impl Tolerated {
    /// Says which were given, and what to give instead.
    pub fn warn(&self) {
        if self.ocm_env.as_deref().is_some_and(|env| !env.is_empty()) {
            tracing::warn!("OCM_ENV changes nothing here: --enable-jwt alone decides whether tokens are asked for");
        }
        for flag in self.given() {
            tracing::warn!(
                "{flag} changes nothing here: logs are set by --log and --log-format, access by --enable-jwt and --acl-file"
            );
        }
    }

    /// The flags that were given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let flags = [
            ("--alsologtostderr", &self.alsologtostderr),
            ("--enable-authz", &self.enable_authz),
            ("--enable-db-debug", &self.enable_db_debug),
            ("--enable-ocm-mock", &self.enable_ocm_mock),
            ("--label-metrics-inclusion-duration", &self.label_metrics_inclusion_duration),
            ("--log_backtrace_at", &self.log_backtrace_at),
            ("--log_dir", &self.log_dir),
            ("--logtostderr", &self.logtostderr),
            ("--ocm-base-url", &self.ocm_base_url),
            ("--ocm-client-id-file", &self.ocm_client_id_file),
            ("--ocm-client-secret-file", &self.ocm_client_secret_file),
            ("--ocm-debug", &self.ocm_debug),
            ("--ocm-token-url", &self.ocm_token_url),
            ("--self-token-file", &self.self_token_file),
            ("--stderrthreshold", &self.stderrthreshold),
            ("--vmodule", &self.vmodule),
            ("-v", &self.v),
        ];
        flags.into_iter().filter(|(_, value)| value.is_some()).map(|(flag, _)| flag).collect()
    }
}
