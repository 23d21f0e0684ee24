//! Namespace lifecycle: nothing is created in a namespace that is not there or is going away.
//!
//! Behind a cluster the namespaces are the cluster's: asked for one by one, remembered for a moment. Without a cluster
//! every namespace exists.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};
use machinery::{
    GroupResource,
    status::{Cause, Status},
};
use tokio::time::Instant;

use crate::error::Result;

/// A namespace that was there is taken to be there for so long.
const REMEMBERED: Duration = Duration::from_secs(1);
/// So many namespaces are remembered at most.
const REMEMBERED_AT_MOST: usize = 10_000;

/// Which namespaces there are.
pub struct Namespaces {
    cluster: Option<Api<Namespace>>,
    active: Mutex<HashMap<String, Instant>>,
}

enum State {
    Active,
    Terminating,
    Missing,
}

// === impl Namespaces ===

impl Namespaces {
    /// Every namespace exists.
    pub fn implicit() -> Self {
        Self { cluster: None, active: Mutex::default() }
    }

    /// Those of a cluster.
    pub fn of(client: Client) -> Self {
        Self { cluster: Some(Api::all(client)), active: Mutex::default() }
    }

    /// Whether every namespace exists.
    pub fn are_implicit(&self) -> bool {
        self.cluster.is_none()
    }

    /// Refuses a creation of `name` of `resource` in `namespace` when the namespace cannot take it.
    pub async fn admit(&self, namespace: Option<&str>, resource: &GroupResource, name: &str) -> Result<()> {
        let (Some(api), Some(namespace)) = (&self.cluster, namespace) else { return Ok(()) };
        if self.remembers(namespace) {
            return Ok(());
        }
        match ask(api, namespace).await? {
            State::Active => {
                self.remember(namespace);
                Ok(())
            }
            State::Missing => Err(Status::not_found(&GroupResource::new("", "namespaces"), namespace).into()),
            State::Terminating => Err(terminating(resource, name, namespace).into()),
        }
    }

    fn remembers(&self, namespace: &str) -> bool {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.get(namespace).is_some_and(|seen| seen.elapsed() < REMEMBERED)
    }

    fn remember(&self, namespace: &str) {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        if active.len() >= REMEMBERED_AT_MOST {
            active.retain(|_, seen| seen.elapsed() < REMEMBERED);
        }
        active.insert(namespace.to_owned(), Instant::now());
    }
}

/// The refusal, with the cause that controllers tell it by.
fn terminating(resource: &GroupResource, name: &str, namespace: &str) -> Status {
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut status = Status::forbidden(resource, name, &why);
    let cause = Cause {
        reason: "NamespaceTerminating".to_owned(),
        message: format!("namespace {namespace} is being terminated"),
        field: "metadata.namespace".to_owned(),
    };
    status.details.get_or_insert_default().causes.push(cause);
    status
}

async fn ask(api: &Api<Namespace>, namespace: &str) -> Result<State> {
    match api.get_opt(namespace).await {
        Ok(None) => Ok(State::Missing),
        Ok(Some(found)) if found.metadata.deletion_timestamp.is_some() => Ok(State::Terminating),
        Ok(Some(_)) => Ok(State::Active),
        Err(error) => {
            tracing::warn!(k8s.namespace = namespace, error = %error, "a namespace cannot be looked up");
            Err(Status::unavailable("the cluster cannot be asked whether the namespace exists", 1).into())
        }
    }
}
