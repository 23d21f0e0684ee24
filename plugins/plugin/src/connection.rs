//! From kubectl's flags and the kubeconfig to a client.
//!
//! Every way to log in that a kubeconfig knows works: certificates, tokens and their files, programs (`exec`, as EKS has
//! them), proxies, `tls-server-name`, several files in `KUBECONFIG`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use kube::{
    Client, Config,
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::SecretString;

use crate::{kubeconfig, login};

/// kubectl's own flags.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Kubeconfig file; else those of KUBECONFIG, else ~/.kube/config, else the pod's service account.
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig.
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Cluster of the kubeconfig.
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,
    /// User of the kubeconfig.
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Namespace.
    #[arg(long, short, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Address of the API server.
    #[arg(long, short, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Bearer token.
    #[arg(long, global = true, value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
    /// CA of the API server (PEM).
    #[arg(long, global = true, value_name = "FILE")]
    pub certificate_authority: Option<PathBuf>,
    /// Client certificate (PEM).
    #[arg(long, global = true, value_name = "FILE", requires = "client_key")]
    pub client_certificate: Option<PathBuf>,
    /// Key of the client certificate (PEM).
    #[arg(long, global = true, value_name = "FILE", requires = "client_certificate")]
    pub client_key: Option<PathBuf>,
    /// Name that the API server's certificate must have.
    #[arg(long, global = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// Do not check the API server's certificate.
    #[arg(long, global = true)]
    pub insecure_skip_tls_verify: bool,
    /// User to act as.
    #[arg(long = "as", global = true, value_name = "USER")]
    pub act_as: Option<String>,
    /// Group to act as; repeatable.
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    pub act_as_groups: Vec<String>,
}

/// A token that is not shown.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

/// A cluster, and the namespace that is meant.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The namespace of the flags or of the context.
    pub namespace: String,
}

impl std::str::FromStr for Token {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(SecretString::from(text.to_owned())))
    }
}

// === impl ConnectionArgs ===

impl ConnectionArgs {
    /// Makes the client. Nothing is sent yet, but programs that log in may run.
    pub async fn connect(&self) -> Result<Connection> {
        let config = self.config().await?;
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(login::shown).context("setting up the connection")?;
        Ok(Connection { client, namespace })
    }

    async fn config(&self) -> Result<Config> {
        // The provider of TLS is a matter of the process; a second installation is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = self.read().await?;
        if let Some(server) = &self.server {
            config.cluster_url = url(server)?;
        }
        config.default_namespace = self.namespace.clone().unwrap_or(config.default_namespace);
        config.accept_invalid_certs |= self.insecure_skip_tls_verify;
        config.tls_server_name = self.tls_server_name.clone().or(config.tls_server_name);
        if let Some(path) = &self.certificate_authority {
            config.root_cert = Some(certificates(path)?);
        }
        self.log_in(&mut config.auth_info)?;
        // Not every request may be sent twice, and nobody waits for minutes in silence: who tries again says so.
        config.default_retry = false;
        Ok(config)
    }

    /// What the kubeconfig, or else the pod that this runs in, says.
    async fn read(&self) -> Result<Config> {
        let options =
            KubeConfigOptions { context: self.context.clone(), cluster: self.cluster.clone(), user: self.user.clone() };
        let Some(kubeconfig) = kubeconfig::read(self.kubeconfig.as_deref())? else {
            return match &self.server {
                Some(server) => Ok(Config::new(url(server)?)),
                None => Config::incluster().context("there is no kubeconfig: name one with --kubeconfig"),
            };
        };
        let own = proxy(&kubeconfig, &options).unwrap_or_default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        let mut config = config.context("using the kubeconfig: its context is chosen with --context")?;
        // NO_PROXY names the servers that the environment's proxy is not for, and says nothing of the kubeconfig's own.
        config.proxy_url = match own.as_str() {
            "" => config.proxy_url.filter(|_| Matcher::from_env().intercept(&config.cluster_url).is_some()),
            own => Some(own.parse().with_context(|| format!("the kubeconfig's proxy-url {own:?} is no URL"))?),
        };
        Ok(config)
    }

    /// The flags have the last word about who asks.
    fn log_in(&self, auth: &mut AuthInfo) -> Result<()> {
        if let Some(Token(token)) = &self.token {
            *auth = AuthInfo { token: Some(token.clone()), ..impersonation(auth) };
        }
        if let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) {
            auth.client_certificate_data = None;
            auth.client_key_data = None;
            auth.client_certificate = Some(text(certificate)?);
            auth.client_key = Some(text(key)?);
        }
        if self.act_as.is_some() {
            auth.impersonate = self.act_as.clone();
            auth.impersonate_groups = Some(self.act_as_groups.clone()).filter(|groups| !groups.is_empty());
        }
        Ok(())
    }
}

/// What of an entry is not about logging in.
fn impersonation(auth: &AuthInfo) -> AuthInfo {
    AuthInfo {
        impersonate: auth.impersonate.clone(),
        impersonate_uid: auth.impersonate_uid.clone(),
        impersonate_groups: auth.impersonate_groups.clone(),
        impersonate_user_extra: auth.impersonate_user_extra.clone(),
        ..AuthInfo::default()
    }
}

/// What the kubeconfig says of a proxy.
fn proxy(kubeconfig: &Kubeconfig, options: &KubeConfigOptions) -> Option<String> {
    let context = options.context.as_ref().or(kubeconfig.current_context.as_ref())?;
    let context = kubeconfig.contexts.iter().find(|named| named.name == *context)?.context.as_ref()?;
    let cluster = options.cluster.as_ref().unwrap_or(&context.cluster);
    kubeconfig.clusters.iter().find(|named| named.name == *cluster)?.cluster.as_ref()?.proxy_url.clone()
}

fn url(server: &str) -> Result<Uri> {
    server.parse().with_context(|| format!("--server {server:?} is no URL"))
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>> {
    let certificates =
        CertificateDer::pem_file_iter(path).and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>());
    let certificates = certificates.with_context(|| format!("reading --certificate-authority {}", path.display()))?;
    Ok(certificates.into_iter().map(|certificate| certificate.to_vec()).collect())
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).with_context(|| format!("{} is not a name in UTF-8", path.display()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
current-context: one
contexts:
  - {name: one, context: {cluster: a, user: u, namespace: ns}}
  - {name: two, context: {cluster: b, user: u}}
clusters:
  - {name: a, cluster: {server: "https://a.example.com"}}
  - {name: b, cluster: {server: "https://b.example.com", tls-server-name: inner}}
users:
  - {name: u, user: {token: old}}
"#;

    async fn config(args: ConnectionArgs) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, KUBECONFIG).unwrap();
        ConnectionArgs { kubeconfig: Some(path), ..args }.config().await.unwrap()
    }

    #[tokio::test]
    async fn the_context_says_where_and_the_flags_have_the_last_word() {
        let usual = config(ConnectionArgs::default()).await;
        assert_eq!((usual.cluster_url.host(), usual.default_namespace.as_str()), (Some("a.example.com"), "ns"));
        let other =
            config(ConnectionArgs { context: Some("two".into()), namespace: Some("x".into()), ..Default::default() })
                .await;
        assert_eq!((other.cluster_url.host(), other.default_namespace.as_str()), (Some("b.example.com"), "x"));
        assert_eq!(other.tls_server_name.as_deref(), Some("inner"));
        let as_bob = ConnectionArgs {
            act_as: Some("bob".into()),
            act_as_groups: vec!["g".into()],
            server: Some("https://c.example.com:6443".into()),
            ..Default::default()
        };
        let as_bob = config(as_bob).await;
        assert_eq!(as_bob.cluster_url.host(), Some("c.example.com"));
        assert_eq!(as_bob.auth_info.impersonate.as_deref(), Some("bob"));
        assert_eq!(as_bob.auth_info.impersonate_groups, Some(vec!["g".to_owned()]));
    }

    #[tokio::test]
    async fn a_token_replaces_the_kubeconfigs_and_is_not_shown() {
        use secrecy::ExposeSecret;
        let args = ConnectionArgs { token: Some("sesame".parse().unwrap()), ..Default::default() };
        assert!(!format!("{args:?}").contains("sesame"));
        let config = config(args).await;
        assert_eq!(config.auth_info.token.unwrap().expose_secret(), "sesame");
    }

    #[tokio::test]
    async fn a_kubeconfig_that_is_not_there_is_named() {
        let args = ConnectionArgs { kubeconfig: Some("/nowhere/config".into()), ..Default::default() };
        assert!(format!("{:#}", args.config().await.unwrap_err()).contains("--kubeconfig /nowhere/config"));
    }
}
