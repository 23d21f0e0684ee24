//! Flags that say whom identities are believed from.

use std::path::PathBuf;

use clap::Args;

/// Whom identities are believed from. What is not given here comes from the cluster, if there is one.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authentication")]
pub struct TrustArgs {
    /// CAs that vouch for users by client certificate (PEM); followed when it changes.
    #[arg(long, env = "OUTRIGGER_CLIENT_CA_FILE", value_name = "FILE")]
    pub client_ca_file: Option<PathBuf>,
    /// CAs that vouch for the front proxy by client certificate (PEM); followed when it changes.
    #[arg(long, env = "OUTRIGGER_REQUESTHEADER_CLIENT_CA_FILE", value_name = "FILE")]
    pub requestheader_client_ca_file: Option<PathBuf>,
    /// Common names of the front proxy's certificate; none means any.
    #[arg(long, env = "OUTRIGGER_REQUESTHEADER_ALLOWED_NAMES", value_name = "NAMES", value_delimiter = ',')]
    pub requestheader_allowed_names: Vec<String>,
    /// Headers in which the front proxy states the user.
    #[arg(
        long,
        env = "OUTRIGGER_REQUESTHEADER_USERNAME_HEADERS",
        value_name = "HEADERS",
        value_delimiter = ',',
        default_value = "X-Remote-User"
    )]
    pub requestheader_username_headers: Vec<String>,
    /// Headers in which it states the user's uid.
    #[arg(
        long,
        env = "OUTRIGGER_REQUESTHEADER_UID_HEADERS",
        value_name = "HEADERS",
        value_delimiter = ',',
        default_value = "X-Remote-Uid"
    )]
    pub requestheader_uid_headers: Vec<String>,
    /// Headers in which it states the user's groups.
    #[arg(
        long,
        env = "OUTRIGGER_REQUESTHEADER_GROUP_HEADERS",
        value_name = "HEADERS",
        value_delimiter = ',',
        default_value = "X-Remote-Group"
    )]
    pub requestheader_group_headers: Vec<String>,
    /// Beginnings of headers in which it states more about the user.
    #[arg(
        long,
        env = "OUTRIGGER_REQUESTHEADER_EXTRA_HEADERS_PREFIX",
        value_name = "PREFIXES",
        value_delimiter = ',',
        default_value = "X-Remote-Extra-"
    )]
    pub requestheader_extra_headers_prefix: Vec<String>,
}

// === impl TrustArgs ===

impl Default for TrustArgs {
    fn default() -> Self {
        let one = |name: &str| vec![name.to_owned()];
        Self {
            client_ca_file: None,
            requestheader_client_ca_file: None,
            requestheader_allowed_names: Vec::new(),
            requestheader_username_headers: one("X-Remote-User"),
            requestheader_uid_headers: one("X-Remote-Uid"),
            requestheader_group_headers: one("X-Remote-Group"),
            requestheader_extra_headers_prefix: one("X-Remote-Extra-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Everything {
        #[command(flatten)]
        trust: TrustArgs,
    }

    #[test]
    fn the_defaults_of_clap_and_of_rust_agree() {
        let parsed = Everything::parse_from(["x"]).trust;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", TrustArgs::default()));
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        for arg in Everything::command().get_arguments() {
            let long = arg.get_long().expect("every argument here is a flag");
            let name = format!("OUTRIGGER_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let parsed = Everything::parse_from(["x", "--requestheader-allowed-names", "a,b"]).trust;
        assert_eq!(parsed.requestheader_allowed_names, ["a", "b"]);
    }
}
