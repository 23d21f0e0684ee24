//! The stub, as tests hold it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    Call, Model, Settings, Snapshot, Trouble,
    quota::Quota,
    serve::{Shared, lock, serve},
    state::State,
};

/// Who may call.
#[derive(Debug, Clone)]
pub struct Key {
    /// The access key's id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// The token that comes with it, if it is of a session.
    pub session: Option<String>,
}

/// A running service, which ends when it is dropped.
pub struct Stub {
    address: SocketAddr,
    shared: Shared,
    _server: JoinSet<()>,
}

// === impl Stub ===

impl Stub {
    /// Serves in `region` on a free loopback port for the owner of `key`; signatures must be of about `clock`'s time.
    pub async fn start(
        model: Arc<Model>,
        region: &str,
        key: Key,
        clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listening")?;
        let address = listener.local_addr().context("reading the listener's address")?;
        let shared = Arc::new(Mutex::new(State {
            model,
            clock,
            ahead: Duration::ZERO,
            keys: vec![key],
            region: region.to_owned(),
            snapshots: HashMap::new(),
            settings: Settings::default(),
            quotas: HashMap::new(),
            plan: None,
            calls: Vec::new(),
            mint: Default::default(),
            waiting: 0,
        }));
        let mut server = JoinSet::new();
        server.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, _server: server })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a snapshot.
    pub fn add(&self, snapshot: Snapshot) {
        lock(&self.shared).snapshots.insert(snapshot.id.clone(), Arc::new(snapshot));
    }

    /// Lets the owner of another key call, too.
    pub fn allow(&self, key: Key) {
        lock(&self.shared).keys.push(key);
    }

    /// Changes how it behaves.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut lock(&self.shared).settings);
    }

    /// Limits an operation to so many calls in a second, after so many at once.
    pub fn limit(&self, operation: &str, per_second: f64, burst: f64) {
        lock(&self.shared).quotas.insert(operation.to_owned(), Quota::new(per_second, burst));
    }

    /// Asks `plan` of every call what goes wrong with it.
    pub fn plan(&self, plan: impl FnMut(&Call) -> Option<Trouble> + Send + 'static) {
        lock(&self.shared).plan = Some(Box::new(plan));
    }

    /// Lets time pass for tokens.
    pub fn advance(&self, time: Duration) {
        lock(&self.shared).ahead += time;
    }

    /// The calls that came, in order.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared).calls.clone()
    }

    /// Forgets the calls that came.
    pub fn forget(&self) {
        lock(&self.shared).calls.clear();
    }

    /// Those that no official SDK would have sent.
    pub fn refused(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.foul).collect()
    }

    /// How many calls wait for their answer.
    pub fn waiting(&self) -> usize {
        lock(&self.shared).waiting
    }
}

async fn accept(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let _ = stream.set_nodelay(true);
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| serve(Arc::clone(&shared), request));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                // A client may leave at any time.
                connections.spawn(async move { drop(connection.await) });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
