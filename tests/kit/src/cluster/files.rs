//! The files of a control plane: certificates, keys, tokens, kubeconfigs; and the kube-apiserver's flags, which name them.

use std::fmt::Display;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rcgen::KeyPair;

use crate::{Authority, Identity, Scratch, kubeconfig};

use super::{ADMIN, BOB, OUTRIGGER};

/// token, user, uid, groups: the kube-apiserver's format.
const TOKENS: &str = "\
admin-token,admin,1,\"system:masters\"
bob-token,bob,2
outrigger-token,outrigger,3
";

/// What was written, where.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    port: u16,
    pub(crate) authority: Authority,
    pub(crate) front_proxy: Authority,
}

// === impl Files ===

impl Files {
    /// Writes everything a kube-apiserver on `port` needs.
    pub(crate) fn write(scratch: &Scratch, port: u16) -> Result<Self> {
        let (authority, front_proxy) = (Authority::new("kit-ca")?, Authority::new("kit-front-proxy-ca")?);
        let serving = authority.server(&["localhost", "127.0.0.1", "kubernetes.default.svc"])?;
        let proxy = front_proxy.client("front-proxy-client", None)?;
        let accounts = KeyPair::generate().context("generating the service accounts' key")?;
        let server = format!("https://127.0.0.1:{port}");
        for token in [ADMIN, BOB, OUTRIGGER] {
            let config = kubeconfig::document(&server, authority.cert(), &Identity::Token(token.to_owned()));
            scratch.write(&format!("{token}.kubeconfig"), config.to_string())?;
        }
        for (name, content) in [
            ("ca.crt", authority.cert()),
            ("front-proxy-ca.crt", front_proxy.cert()),
            ("apiserver.crt", &serving.cert),
            ("apiserver.key", &serving.key),
            ("front-proxy.crt", &proxy.cert),
            ("front-proxy.key", &proxy.key),
            ("accounts.key", &accounts.serialize_pem()),
            ("accounts.pub", &accounts.public_key_pem()),
            ("tokens.csv", TOKENS),
        ] {
            scratch.write(name, content)?;
        }
        let folder = scratch.path().to_owned();
        fs::create_dir(folder.join("certs")).context("creating the folder of generated certificates")?;
        Ok(Self { folder, port, authority, front_proxy })
    }

    /// The kubeconfig of the owner of a token.
    pub(crate) fn kubeconfig(&self, token: &str) -> PathBuf {
        self.folder.join(format!("{token}.kubeconfig"))
    }

    /// The kube-apiserver's flags: RBAC, a token file, the aggregator, and nothing that only costs time.
    pub(crate) fn apiserver_flags(&self, etcd: u16, more: &[String]) -> Vec<String> {
        let file = |flag: &str, name: &str| format!("--{flag}={}", self.folder.join(name).display());
        let flag = |flag: &str, value: &dyn Display| format!("--{flag}={value}");
        let mut flags = vec![
            flag("etcd-servers", &format!("http://127.0.0.1:{etcd}")),
            flag("secure-port", &self.port),
            flag("bind-address", &"127.0.0.1"),
            flag("advertise-address", &"127.0.0.1"),
            flag("external-hostname", &"127.0.0.1"),
            flag("endpoint-reconciler-type", &"none"),
            file("cert-dir", "certs"),
            file("tls-cert-file", "apiserver.crt"),
            file("tls-private-key-file", "apiserver.key"),
            file("client-ca-file", "ca.crt"),
            file("token-auth-file", "tokens.csv"),
            flag("authorization-mode", &"RBAC"),
            flag("service-cluster-ip-range", &"10.96.0.0/24"),
            flag("service-account-issuer", &"https://kubernetes.default.svc"),
            file("service-account-key-file", "accounts.pub"),
            file("service-account-signing-key-file", "accounts.key"),
            file("requestheader-client-ca-file", "front-proxy-ca.crt"),
            flag("requestheader-allowed-names", &"front-proxy-client"),
            flag("requestheader-username-headers", &"X-Remote-User"),
            flag("requestheader-uid-headers", &"X-Remote-Uid"),
            flag("requestheader-group-headers", &"X-Remote-Group"),
            flag("requestheader-extra-headers-prefix", &"X-Remote-Extra-"),
            file("proxy-client-cert-file", "front-proxy.crt"),
            file("proxy-client-key-file", "front-proxy.key"),
            flag("enable-aggregator-routing", &false),
            flag("shutdown-delay-duration", &"0s"),
        ];
        flags.extend_from_slice(more);
        flags
    }
}
