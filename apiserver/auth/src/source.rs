//! Where it comes from whom to believe: flags and files, and the cluster's ConfigMap for what they do not say.
//!
//! Until everything was read once, nothing is known and nobody is believed. Later, what cannot be read or understood
//! changes nothing: it is logged, and what was read before holds.

mod config_map;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use kube::Client;
use runtime::{
    Tasks,
    files::{self, Contents},
    health::{Health, Probe},
    telemetry::chain,
    tls::ServerTls,
};
use tokio::sync::watch;

use crate::{
    TrustArgs,
    trust::{ProxySettings, Settings, Trust},
};

/// Knows whom to believe, at each moment. Clones share it.
#[derive(Clone)]
pub struct Source {
    trust: watch::Receiver<Option<Arc<Trust>>>,
}

/// What has been read so far, of which [`Trust`] is made.
struct Inputs {
    flags: Settings,
    /// `None` until it was read. With flags that say everything it is never asked for, and empty.
    cluster: Option<Settings>,
    /// What the last trust was made from.
    used: Option<Settings>,
    trust: watch::Sender<Option<Arc<Trust>>>,
}

// === impl Source ===

impl Source {
    /// Reads the files that `args` name and follows them. What they do not name is taken from the cluster of `client`,
    /// and followed there.
    pub fn start(args: &TrustArgs, client: Option<Client>, tasks: &Tasks) -> anyhow::Result<Self> {
        let paths: Vec<PathBuf> =
            [&args.client_ca_file, &args.requestheader_client_ca_file].into_iter().flatten().cloned().collect();
        let contents = files::read(&paths)?;
        let complete = paths.len() == 2;
        let client = client.filter(|_| !complete);
        let (send, trust) = watch::channel(None);
        let mut inputs = Inputs {
            flags: of_files(args, &contents),
            cluster: client.is_none().then(Settings::default),
            used: None,
            trust: send,
        };
        inputs.flags_are_usable()?;
        inputs.publish();
        let inputs = Arc::new(Mutex::new(inputs));
        if !paths.is_empty() {
            let (inputs, args) = (Arc::clone(&inputs), args.clone());
            files::follow(tasks, paths, contents, move |contents| {
                change(&inputs, |inputs| inputs.flags = of_files(&args, contents));
            });
        }
        if let Some(client) = client {
            let draining = tasks.shutdown().draining();
            tasks.spawn("follow extension-apiserver-authentication", async move {
                let read = |settings| change(&inputs, |inputs| inputs.cluster = Some(settings));
                tokio::select! {
                    () = draining => {}
                    never = config_map::follow(client, read) => match never {},
                }
            });
        }
        Ok(Self { trust })
    }

    /// Adds the readiness check that there is somebody to believe.
    pub fn register(&self, health: &Health) {
        let source = self.clone();
        health.register("authentication", Probe::READY, move || {
            let known = source.current().is_some();
            async move { if known { Ok(()) } else { Err("the cluster's CAs are not known yet".to_owned()) } }
        });
    }

    /// Tells the clients of `tls` which CAs are believed, now and whenever that changes.
    pub fn advertise(&self, tls: Arc<ServerTls>, tasks: &Tasks) {
        let (mut trust, draining) = (self.trust.clone(), tasks.shutdown().draining());
        let forever = async move {
            loop {
                let subjects = trust.borrow_and_update().as_ref().map(|trust| trust.subjects()).unwrap_or_default();
                if let Err(error) = tls.advertise(subjects) {
                    tracing::error!("could not advertise the new CAs: {}", chain(&error));
                }
                if trust.changed().await.is_err() {
                    return;
                }
            }
        };
        tasks.spawn("advertise CAs", async move {
            tokio::select! {
                () = draining => {}
                () = forever => {}
            }
        });
    }

    /// Whom to believe now; `None` while nothing is known.
    pub(crate) fn current(&self) -> Option<Arc<Trust>> {
        self.trust.borrow().clone()
    }
}

// === impl Inputs ===

impl Inputs {
    fn flags_are_usable(&self) -> anyhow::Result<()> {
        Trust::new(&self.flags).map(|_| ()).context("using the CAs that the flags name")
    }

    /// Makes trust of what was read, if that is something new.
    fn publish(&mut self) {
        let Some(cluster) = &self.cluster else { return };
        let settings = Settings {
            client_ca: self.flags.client_ca.clone().or_else(|| cluster.client_ca.clone()),
            proxy: self.flags.proxy.clone().or_else(|| cluster.proxy.clone()),
        };
        if self.used.as_ref() == Some(&settings) {
            return;
        }
        match Trust::new(&settings) {
            Ok(trust) => {
                tracing::info!("identities are believed by newly read CAs");
                self.trust.send_replace(Some(Arc::new(trust)));
            }
            Err(error) => tracing::error!("believing whom was believed before: {}", chain(&error)),
        }
        self.used = Some(settings);
    }
}

fn change(inputs: &Mutex<Inputs>, change: impl FnOnce(&mut Inputs)) {
    let mut inputs = inputs.lock().unwrap_or_else(PoisonError::into_inner);
    change(&mut inputs);
    inputs.publish();
}

/// The settings that flags make; `contents` are those of the files that they name, in order.
fn of_files(args: &TrustArgs, contents: &Contents) -> Settings {
    let mut contents = contents.iter().cloned();
    let client_ca = args.client_ca_file.as_ref().and_then(|_| contents.next());
    let proxy_ca = args.requestheader_client_ca_file.as_ref().and_then(|_| contents.next());
    let proxy = proxy_ca.map(|ca| ProxySettings {
        ca,
        allowed_names: args.requestheader_allowed_names.clone(),
        user_headers: args.requestheader_username_headers.clone(),
        uid_headers: args.requestheader_uid_headers.clone(),
        group_headers: args.requestheader_group_headers.clone(),
        extra_prefixes: args.requestheader_extra_headers_prefix.clone(),
    });
    Settings { client_ca, proxy }
}
