//! The flags of the driver, and the environment variables that Tencent Cloud's own tools read.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use power::{Secret, http::Endpoint};
use runtime::args::duration;

/// What an operator decides.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tencent Cloud")]
pub struct Config {
    /// The region of nodes whose providerID and labels name no zone, such as ap-guangzhou.
    #[arg(long, env = "OUTRIGGER_TENCENT_REGION", value_name = "REGION")]
    pub tencent_region: Option<String>,
    /// Where CVM is: inside Tencent Cloud cvm.internal.tencentcloudapi.com is nearer.
    #[arg(
        long,
        env = "OUTRIGGER_TENCENT_ENDPOINT",
        value_name = "URL",
        default_value = "https://cvm.tencentcloudapi.com"
    )]
    pub tencent_endpoint: Endpoint,
    /// Where STS is, which gives a TKE service account its keys.
    #[arg(
        long,
        env = "OUTRIGGER_TENCENT_STS_ENDPOINT",
        value_name = "URL",
        default_value = "https://sts.tencentcloudapi.com"
    )]
    pub tencent_sts_endpoint: Endpoint,
    /// CA of both endpoints (PEM); without it, the system's.
    #[arg(long, env = "OUTRIGGER_TENCENT_CA_FILE", value_name = "FILE")]
    pub tencent_ca_file: Option<PathBuf>,
    /// Folder with the files TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, as a Secret is mounted; read at each use.
    #[arg(long, env = "OUTRIGGER_TENCENT_CREDENTIALS_DIR", value_name = "DIR")]
    pub tencent_credentials_dir: Option<PathBuf>,
    /// How long Tencent Cloud may take to answer.
    #[arg(long, env = "OUTRIGGER_CALL_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub call_timeout: Duration,
    /// The variables of Tencent Cloud's own tools.
    #[command(flatten)]
    pub environment: Environment,
}

/// What Tencent Cloud's own tools read from the environment.
#[derive(Debug, Clone, Default, Args)]
pub struct Environment {
    /// Id of a key.
    #[arg(long, env = "TENCENTCLOUD_SECRET_ID", hide = true, hide_env_values = true)]
    pub tencentcloud_secret_id: Option<String>,
    /// The key.
    #[arg(long, env = "TENCENTCLOUD_SECRET_KEY", hide = true, hide_env_values = true)]
    pub tencentcloud_secret_key: Option<Secret>,
    /// The token of a key that is temporary.
    #[arg(long, env = "TENCENTCLOUD_TOKEN", hide = true, hide_env_values = true)]
    pub tencentcloud_token: Option<Secret>,
    /// Region of the STS of a TKE cluster.
    #[arg(long, env = "TKE_REGION", hide = true)]
    pub tke_region: Option<String>,
    /// The identity provider of a TKE cluster.
    #[arg(long, env = "TKE_PROVIDER_ID", hide = true)]
    pub tke_provider_id: Option<String>,
    /// File of the service account's token.
    #[arg(long, env = "TKE_WEB_IDENTITY_TOKEN_FILE", hide = true)]
    pub tke_web_identity_token_file: Option<PathBuf>,
    /// The role of the service account.
    #[arg(long, env = "TKE_ROLE_ARN", hide = true)]
    pub tke_role_arn: Option<String>,
}
