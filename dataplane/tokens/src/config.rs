//! What is said of tokens on the command line or by the environment.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use runtime::args::duration;

/// Where tokens are, and who may ask about them.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Tokens")]
#[group(id = "tokens-config")]
pub struct Config {
    /// Serve tokens, group tomlebreux.com, kept in Secrets of the cluster. Without a cluster they are served in any case.
    #[arg(long, env = "OUTRIGGER_TOKENS", value_parser = clap::builder::FalseyValueParser::new())]
    pub tokens: bool,
    /// Namespace of the Secrets of ClusterRancherTokens; it must be there.
    #[arg(long, env = "OUTRIGGER_TOKEN_NAMESPACE", value_name = "NAMESPACE", default_value = "outrigger-tokens")]
    pub token_namespace: String,
    /// Namespace of the Secret with the key that tokens are sealed with: Outrigger's own.
    #[arg(long, env = "OUTRIGGER_TOKEN_KEY_NAMESPACE", value_name = "NAMESPACE", default_value = "outrigger-system")]
    pub token_key_namespace: String,
    /// File with that key instead; made when it is missing. Without a cluster: token.key in --data-dir.
    #[arg(long, env = "OUTRIGGER_TOKEN_KEY_FILE", value_name = "FILE")]
    pub token_key_file: Option<PathBuf>,
    /// Where to answer the kube-apiserver's TokenReviews: IP:PORT.
    #[arg(
        long,
        env = "OUTRIGGER_TOKEN_WEBHOOK_LISTEN",
        value_name = "IP:PORT",
        requires = "token_webhook_client_ca_file"
    )]
    pub token_webhook_listen: Option<SocketAddr>,
    /// CA of the certificates that may ask there (PEM): one of their own, or the front proxy's.
    #[arg(long, env = "OUTRIGGER_TOKEN_WEBHOOK_CLIENT_CA_FILE", value_name = "FILE")]
    pub token_webhook_client_ca_file: Option<PathBuf>,
    /// TokenReviews answered in a second; more are told to come again.
    #[arg(long, env = "OUTRIGGER_TOKEN_REVIEWS_PER_SECOND", value_name = "N", default_value_t = 5000)]
    pub token_reviews_per_second: u32,
    /// How often it is written down which tokens were used.
    #[arg(long, env = "OUTRIGGER_TOKEN_LAST_USED_INTERVAL", value_name = "DURATION", value_parser = duration, default_value = "5m")]
    pub token_last_used_interval: Duration,
    /// How often expired tokens are looked for, to delete them; they are refused at once.
    #[arg(long, env = "OUTRIGGER_TOKEN_EXPIRY_INTERVAL", value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub token_expiry_interval: Duration,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        for arg in Command::command().get_arguments() {
            let long = arg.get_long().expect("every argument here is a flag");
            let name = format!("OUTRIGGER_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn a_webhook_that_anybody_could_ask_is_refused() {
        assert!(Command::try_parse_from(["x", "--token-webhook-listen=127.0.0.1:1"]).is_err());
        let both = ["x", "--token-webhook-listen=127.0.0.1:1", "--token-webhook-client-ca-file=a"];
        assert!(Command::try_parse_from(both).is_ok_and(|command| command.config.token_webhook_listen.is_some()));
    }
}
