//! One file for each way to run the binary, and what they share.

pub(crate) mod admin;
mod admission;
pub(crate) mod all_in_one;
pub(crate) mod apiserver;
pub(crate) mod cbt;
mod changed_blocks;
pub(crate) mod hyperfleet;
mod hyperfleet_view;
pub(crate) mod restart;
pub(crate) mod storage;
pub(crate) mod tokens;

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use ::apiserver::{Config, Extension, Identities, Server};
use ::storage::Database;
use anyhow::Context as _;
use proto::store::Store;
use runtime::{
    Context,
    tls::{Identity, bootstrap::Pair},
};

/// Opens the database of this process, and makes the folder that a file is to be in.
async fn embedded(
    database: &Database,
    config: &::storage::Config,
    context: &Context,
) -> anyhow::Result<Arc<dyn Store>> {
    if let Database::Sqlite(path) = database
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).with_context(|| {
            format!("creating the folder of the database {}: choose another with --db", path.display())
        })?;
    }
    ::storage::open(database, config, context).await
}

/// The serving certificate: the files that are given, or those in `dir`, which are made when they are missing.
fn serving_certificate(config: &Config, dir: &Path, context: &Context) -> anyhow::Result<Pair> {
    if let (Some(cert), Some(key)) = (&config.serving.tls_cert_file, &config.serving.tls_private_key_file) {
        return Ok(Pair { cert: cert.clone(), key: key.clone() });
    }
    let (names, dir) = (config.names.clone(), dir.to_owned());
    let make = move |now| runtime::tls::bootstrap::serving(&dir, &names, now);
    let serving = make((context.clock)()).context("making a serving certificate: give one with --cert-dir")?;
    if serving.ca.is_some() {
        runtime::tls::bootstrap::renew(&context.tasks, Arc::clone(&context.clock), make);
    }
    Ok(serving.pair)
}

/// The certificate in `pair`, followed when it changes.
fn loaded(pair: &Pair, context: &Context) -> anyhow::Result<Arc<Identity>> {
    Identity::load(pair, &context.tasks)
        .with_context(|| format!("loading the serving certificate {}", pair.cert.display()))
}

/// Listens with the certificate of `identity`.
async fn listen(
    config: &Config,
    store: Arc<dyn Store>,
    extensions: &[Extension],
    identities: Identities,
    identity: Arc<Identity>,
    context: &Context,
) -> anyhow::Result<Server> {
    let admission = admission::chain(&identities, context);
    Server::bind(config, store, extensions, identities, admission, identity, context).await
}

/// The URL by which this machine reaches a server that listens on `address`.
fn local_url(address: Option<SocketAddr>) -> String {
    let port = address.map(|address| address.port()).unwrap_or_default();
    match address.map(|address| address.ip()) {
        Some(ip) if !ip.is_unspecified() => format!("https://{}", SocketAddr::new(ip, port)),
        _ => format!("https://127.0.0.1:{port}"),
    }
}

/// Says something to whoever started the process.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("writing to standard output")
}

/// The path for people, relative where that is shorter.
fn shown(path: &Path) -> PathBuf {
    std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned))
        .unwrap_or_else(|| path.to_owned())
}
