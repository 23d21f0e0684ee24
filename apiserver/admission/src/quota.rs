//! ResourceQuota `count/RESOURCE.GROUP`: how many objects of a kind a namespace may have.
//!
//! The hard limit of a quota's status is held against what the status says is used. Both are the cluster's: a creation is
//! counted there by compare-and-write, and the kube-controller-manager, which counts the objects themselves, corrects it when
//! some are gone.

mod count;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::{Request, header};
use kube::Client;
use machinery::status::Status;
use runtime::{Tasks, telemetry::chain};
use serde_json::Value;
use tokio::{sync::Mutex as Turn, time::timeout};

use self::count::Verdict;
use crate::{Attributes, Follow, Notes, Operation, Plugin, Refusal};

/// Somebody may count faster so often.
const ATTEMPTS: usize = 4;
/// For one question.
const PATIENCE: Duration = Duration::from_secs(10);

/// The stage of ResourceQuotas.
pub struct Quotas {
    follow: Follow<Value>,
    client: Client,
    /// Creations in one namespace are counted one after the other.
    turns: Mutex<HashMap<String, Arc<Turn<()>>>>,
}

// === impl Quotas ===

impl Quotas {
    /// Follows the quotas of a cluster.
    pub fn start(client: Client, tasks: &Tasks) -> Arc<Self> {
        let follow = Follow::start("follow quotas", client.clone(), "/api/v1/resourcequotas", tasks, |quota| quota);
        Arc::new(Self { follow, client, turns: Mutex::default() })
    }

    /// The names of the quotas of a namespace that count a resource.
    fn counting(&self, namespace: &str, counted: &str) -> Option<Vec<String>> {
        let quotas = self.follow.snapshot()?;
        let all = quotas.range((namespace.to_owned(), String::new())..).take_while(|((of, _), _)| of == namespace);
        Some(all.filter(|(_, quota)| count::counts(quota, counted)).map(|((_, name), _)| name.clone()).collect())
    }

    fn turn(&self, namespace: &str) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(namespace.to_owned()).or_default())
    }

    /// Counts one more object in one quota.
    async fn charge(&self, attributes: &Attributes, name: &str, counted: &str) -> Result<(), Refusal> {
        for _ in 0..ATTEMPTS {
            let path = format!("/api/v1/namespaces/{}/resourcequotas/{name}", attributes.namespace);
            // As it is now: who comes right after another must not be held against what the other saw.
            let quota = match self.ask(Request::get(&path).body(Vec::new())).await {
                // Whoever took it away allows everything.
                Err(Failed::Absent) => return Ok(()),
                answer => answer.map_err(|failed| failed.refusal(attributes))?,
            };
            let mut charged = match count::charge(&quota, counted) {
                Verdict::NotCounted => return Ok(()),
                Verdict::Charged(charged) => charged,
                Verdict::Refused(why) => return Err(attributes.forbidden(&why)),
            };
            if attributes.dry_run {
                return Ok(());
            }
            if let Some(metadata) = charged["metadata"].as_object_mut() {
                metadata.remove("managedFields");
            }
            let write = Request::put(format!("{path}/status")).header(header::CONTENT_TYPE, "application/json");
            match self.ask(write.body(machinery::json::encode(&charged))).await {
                Ok(_) => return Ok(()),
                Err(Failed::Absent | Failed::Overtaken) => {}
                Err(failed) => return Err(failed.refusal(attributes)),
            }
        }
        Err(Box::new(Status::conflict(
            &attributes.group_resource(),
            &attributes.name,
            "the quota is counted by too many at once",
        )))
    }

    async fn ask(&self, request: http::Result<Request<Vec<u8>>>) -> Result<Value, Failed> {
        let request = request.map_err(|error| Failed::Unanswered(error.to_string()))?;
        match timeout(PATIENCE, self.client.request::<Value>(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => Err(Failed::Absent),
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => Err(Failed::Overtaken),
            Ok(Err(error)) => Err(Failed::Unanswered(chain(&error))),
            Err(_) => Err(Failed::Unanswered("no answer".to_owned())),
        }
    }
}

#[async_trait]
impl Plugin for Quotas {
    fn handles(&self, attributes: &Attributes) -> bool {
        let one_more = attributes.operation == Operation::Create && attributes.subresource.is_empty();
        one_more
            && !attributes.namespace.is_empty()
            && self.counting(&attributes.namespace, &counted(attributes)).is_none_or(|quotas| !quotas.is_empty())
    }

    async fn validate(&self, attributes: &Attributes, _: &mut Notes) -> Result<(), Refusal> {
        if self.follow.ready(PATIENCE).await.is_none() {
            return Err(attributes.forbidden("not yet ready to handle request"));
        }
        let turn = self.turn(&attributes.namespace);
        let _turn = turn.lock().await;
        let counted = counted(attributes);
        for name in self.counting(&attributes.namespace, &counted).unwrap_or_default() {
            self.charge(attributes, &name, &counted).await?;
        }
        Ok(())
    }
}

/// Why the cluster did not do what it was asked.
enum Failed {
    Absent,
    Overtaken,
    Unanswered(String),
}

// === impl Failed ===

impl Failed {
    fn refusal(self, attributes: &Attributes) -> Refusal {
        let why = match self {
            Self::Absent => "it is gone".to_owned(),
            Self::Overtaken => "somebody was faster".to_owned(),
            Self::Unanswered(why) => why,
        };
        tracing::warn!("a quota of {} cannot be counted: {why}", attributes.namespace);
        Box::new(Status::internal(&format!("counting a quota: {why}")))
    }
}

/// What quotas call the objects of a request.
fn counted(attributes: &Attributes) -> String {
    format!("count/{}", attributes.group_resource())
}
