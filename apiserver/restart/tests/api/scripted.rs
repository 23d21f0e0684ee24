//! A worker that does as it is told, and remembers what it was asked.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use machinery::{json, status::Status};
use proto::{
    restart::{Cancel, Request, Restarts, Result, Submitted},
    store::{Content, Expect, Key, Labels, Op, Store, Value as Stored, Write},
};
use serde_json::{Value, json};

/// The worker.
#[derive(Default)]
pub(crate) struct Scripted {
    store: OnceLock<Arc<dyn Store>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    refusal: Option<Status>,
    forgetful: bool,
    lingers: bool,
    requests: Vec<Request>,
    cancels: Vec<Cancel>,
}

// === impl Scripted ===

impl Scripted {
    /// Writes its NodeRestarts here.
    pub(crate) fn store_in(&self, store: &Arc<dyn Store>) {
        assert!(self.store.set(Arc::clone(store)).is_ok(), "it has one store");
    }

    /// Refuses everything from now on.
    pub(crate) fn refuse(&self, refusal: Status) {
        self.state().refusal = Some(refusal);
    }

    /// Says that it has stored what it has not.
    pub(crate) fn forget(&self) {
        self.state().forgetful = true;
    }

    /// Takes its time to remove what is cancelled.
    pub(crate) fn linger(&self) {
        self.state().lingers = true;
    }

    /// What it was asked to plan or to do.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// What it was asked to cancel.
    pub(crate) fn cancels(&self) -> Vec<Cancel> {
        self.state().cancels.clone()
    }

    /// Makes or changes the NodeRestart `NODE-1`.
    pub(crate) async fn put(&self, node: &str, status: Value) {
        let restart = restart(node, &status);
        let (bytes, splice) = json::encode_stored(&restart);
        let value = Stored { json: bytes.into(), splice, schema: String::new() };
        let phase = status["phase"].as_str().unwrap_or_default().to_owned();
        let fields = Labels::from([("spec.nodeName".to_owned(), node.to_owned()), ("status.phase".to_owned(), phase)]);
        let content = Content { uid: format!("uid-of-{node}-1"), labels: Labels::new(), fields, value };
        let op = if self.has(node).await { Op::Update(content, Expect::default()) } else { Op::Create(content) };
        self.store().write(Write { key: key(node), op }).await.expect("a write");
    }

    async fn has(&self, node: &str) -> bool {
        self.store().get(&key(node), proto::store::At::Latest).await.expect("a read").is_some()
    }

    fn asked(&self, request: Request) -> Result<()> {
        let mut state = self.state();
        state.requests.push(request);
        state.refusal.clone().map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    fn store(&self) -> &Arc<dyn Store> {
        self.store.get().expect("it has a store")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }
}

#[async_trait]
impl Restarts for Scripted {
    async fn plan(&self, request: Request) -> Result<Bytes> {
        let mut plan = restart(&request.node, &json!({ "plan": { "verdict": "it would" } }));
        self.asked(request)?;
        plan["metadata"] = json!({});
        Ok(plan.to_string().into())
    }

    async fn submit(&self, request: Request) -> Result<Submitted> {
        let node = request.node.clone();
        self.asked(request)?;
        let existing = self.has(&node).await;
        if !existing && !self.state().forgetful {
            self.put(&node, json!({ "phase": "Accepted" })).await;
        }
        Ok(Submitted { name: format!("{node}-1"), existing })
    }

    async fn cancel(&self, cancel: Cancel) -> Result<()> {
        let node = cancel.name.strip_suffix("-1").expect("a name of ours").to_owned();
        let (refusal, lingers) = {
            let mut state = self.state();
            state.cancels.push(cancel);
            (state.refusal.clone(), state.lingers)
        };
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        if !lingers {
            let op = Op::Delete(Expect::default());
            self.store().write(Write { key: key(&node), op }).await.expect("a write");
        }
        Ok(())
    }
}

fn restart(node: &str, status: &Value) -> Value {
    json!({
        "apiVersion": "infraops.michael.io/v1",
        "kind": "NodeRestart",
        "metadata": {
            "name": format!("{node}-1"),
            "uid": format!("uid-of-{node}-1"),
            "creationTimestamp": "2023-11-14T22:10:00Z",
        },
        "spec": { "nodeName": node, "mode": "Soft" },
        "status": status,
    })
}

fn key(node: &str) -> Key {
    let (group, resource) = ("infraops.michael.io".to_owned(), "noderestarts".to_owned());
    Key { group, resource, namespace: String::new(), name: format!("{node}-1") }
}
