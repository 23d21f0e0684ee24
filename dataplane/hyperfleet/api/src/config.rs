//! What the API is told: the first version's flags, and ours. Each is also an environment variable, `OUTRIGGER_` and the flag's name.

mod address;
mod tolerated;

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, builder::FalseyValueParser};

use crate::jwt::JwtArgs;

pub(crate) use self::address::listen;
pub use self::tolerated::Tolerated;

/// Origins whose pages may ask, as in the first version.
const ORIGINS: &str = "https://qa.foo.redhat.com:1337,https://prod.foo.redhat.com:1337,https://ci.foo.redhat.com:1337,\
    https://console.redhat.com,https://qaprodauth.console.redhat.com,https://qa.console.redhat.com,https://ci.console.redhat.com,\
    https://console.stage.redhat.com,https://api.stage.openshift.com,https://api.openshift.com,https://access.qa.redhat.com,\
    https://access.stage.redhat.com,https://access.redhat.com";

/// What the API is told.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "hyperfleet_config")]
pub struct Config {
    /// Where it listens.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Who may ask.
    #[command(flatten)]
    pub jwt: JwtArgs,
    /// What is taken.
    #[command(flatten)]
    pub rules: Rules,
}

/// Where the API listens, and how long it waits.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "HyperFleet server")]
pub struct ServerArgs {
    /// Where the API listens: HOST:PORT. Without --enable-jwt it must be this machine.
    #[arg(long, env = "OUTRIGGER_API_SERVER_BINDADDRESS", value_name = "ADDRESS", default_value = "localhost:8000")]
    pub api_server_bindaddress: String,
    /// The name by which clients reach the API: a page on it may write.
    #[arg(long, env = "OUTRIGGER_API_SERVER_HOSTNAME", value_name = "HOST")]
    pub api_server_hostname: Option<String>,
    /// Listen on an address that others reach although no token is asked for: whoever reaches it may do everything.
    #[arg(long, env = "OUTRIGGER_INSECURE_NO_AUTH", value_parser = FalseyValueParser::new())]
    pub insecure_no_auth: bool,
    /// Serve the API over TLS.
    #[arg(long, env = "OUTRIGGER_ENABLE_HTTPS", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value = "false", default_missing_value = "true", value_parser = switch, action = ArgAction::Set)]
    pub enable_https: bool,
    /// Serving certificate (PEM, with the chain); followed when it changes.
    #[arg(long, env = "OUTRIGGER_HTTPS_CERT_FILE", value_name = "FILE")]
    pub https_cert_file: Option<PathBuf>,
    /// Key of the serving certificate (PEM).
    #[arg(long, env = "OUTRIGGER_HTTPS_KEY_FILE", value_name = "FILE")]
    pub https_key_file: Option<PathBuf>,
    /// Where health is served: HOST:PORT.
    #[arg(
        long,
        env = "OUTRIGGER_HEALTH_CHECK_SERVER_BINDADDRESS",
        value_name = "ADDRESS",
        default_value = "localhost:8083"
    )]
    pub health_check_server_bindaddress: String,
    /// Serve health over TLS, with the certificate of --https-cert-file.
    #[arg(long, env = "OUTRIGGER_ENABLE_HEALTH_CHECK_HTTPS", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value = "false", default_missing_value = "true", value_parser = switch, action = ArgAction::Set)]
    pub enable_health_check_https: bool,
    /// Where metrics are served: HOST:PORT.
    #[arg(
        long,
        env = "OUTRIGGER_METRICS_SERVER_BINDADDRESS",
        value_name = "ADDRESS",
        default_value = "localhost:8080"
    )]
    pub metrics_server_bindaddress: String,
    /// Serve metrics over TLS, with the certificate of --https-cert-file.
    #[arg(long, env = "OUTRIGGER_ENABLE_METRICS_HTTPS", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value = "false", default_missing_value = "true", value_parser = switch, action = ArgAction::Set)]
    pub enable_metrics_https: bool,
    /// How long a client may take to send a request's body.
    #[arg(long, env = "OUTRIGGER_HTTP_READ_TIMEOUT", value_name = "DURATION", value_parser = runtime::args::duration, default_value = "10s")]
    pub http_read_timeout: Duration,
    /// How long an answer may take to be made.
    #[arg(long, env = "OUTRIGGER_HTTP_WRITE_TIMEOUT", value_name = "DURATION", value_parser = runtime::args::duration, default_value = "30s")]
    pub http_write_timeout: Duration,
    /// Origins whose pages may ask (CORS).
    #[arg(long, env = "OUTRIGGER_CORS_ALLOWED_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', default_value = ORIGINS)]
    pub cors_allowed_origin: Vec<String>,
}

/// What is taken, beyond what the first version takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "HyperFleet rules")]
pub struct Rules {
    /// OpenAPI 3.0 document (YAML or JSON) whose schemas ClusterSpec and NodePoolSpec a spec must fit; followed when it changes.
    #[arg(long, env = "OPENAPI_SCHEMA_PATH", value_name = "FILE", default_value = "openapi/openapi.yaml")]
    pub openapi_schema_path: PathBuf,
    /// Names are DNS labels (clusters of 3 to 53 characters, node pools of 3 to 15), and kinds are the right ones.
    #[arg(long, env = "OUTRIGGER_STRICT_NAMES", value_parser = FalseyValueParser::new())]
    pub strict_names: bool,
    /// Labels are as Kubernetes has them.
    #[arg(long, env = "OUTRIGGER_STRICT_LABELS", value_parser = FalseyValueParser::new())]
    pub strict_labels: bool,
    /// Lists take page (to 100000), size (to 100, else 20) and order, and refuse what is not a number within these.
    #[arg(long, env = "OUTRIGGER_STRICT_LISTS", value_parser = FalseyValueParser::new())]
    pub strict_lists: bool,
    /// Reports have Available, Applied and Health, no type twice, and a generation of at least 1.
    #[arg(long, env = "OUTRIGGER_STRICT_REPORTS", value_parser = FalseyValueParser::new())]
    pub strict_reports: bool,
    /// A report's observed_time is at most 5 minutes ahead and 30 minutes old.
    #[arg(long, env = "OUTRIGGER_STRICT_TIMES", value_parser = FalseyValueParser::new())]
    pub strict_times: bool,
    /// Answer 204 to a report that does not count because a newer one does; else 201 with the one that counts.
    #[arg(long, env = "OUTRIGGER_STALE_NO_CONTENT", value_parser = FalseyValueParser::new())]
    pub stale_no_content: bool,
}

/// Reads a boolean as Go's flags do.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Everything {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        database: crate::DatabaseArgs,
        #[command(flatten)]
        tolerated: Tolerated,
    }

    fn parsed(args: &[&str]) -> Everything {
        Everything::parse_from(std::iter::once("x").chain(args.iter().copied()))
    }

    #[test]
    fn the_first_versions_command_lines_are_understood() {
        let first = parsed(&[
            "--enable-jwt=false",
            "--enable-authz=false",
            "--enable-https",
            "--api-server-bindaddress=:8000",
            "--ocm-base-url=https://api.openshift.com",
            "--enable-ocm-mock",
            "-v",
            "10",
            "--logtostderr",
            "--alsologtostderr=true",
            "--http-read-timeout=5s",
        ]);
        assert!(!first.config.jwt.enable_jwt && first.config.server.enable_https);
        assert_eq!(first.config.server.http_read_timeout, Duration::from_secs(5));
        let told = first.tolerated.given();
        assert_eq!(
            told,
            ["--alsologtostderr", "--enable-authz", "--enable-ocm-mock", "--logtostderr", "--ocm-base-url", "-v"]
        );
        assert!(parsed(&["--enable-jwt"]).config.jwt.enable_jwt);
        assert_eq!(parsed(&[]).config.server.cors_allowed_origin.len(), 13);
        assert!(parsed(&[]).tolerated.given().is_empty());
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        let command = Everything::command();
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let long = arg.get_long().expect("every argument here is a flag");
            let expected = match long {
                "openapi-schema-path" => "OPENAPI_SCHEMA_PATH".to_owned(),
                long => format!("OUTRIGGER_{}", long.replace('-', "_").to_uppercase()),
            };
            assert_eq!(arg.get_env().map(|env| env.to_string_lossy().into_owned()), Some(expected), "{long}");
        }
    }
}
