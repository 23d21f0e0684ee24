//! `nodes`: what the cluster says of its nodes, for who restarts them. Read only; the deed is `nodes/restart`.

mod cluster;
mod last;
mod restart;
mod view;

use std::sync::Arc;

use apiserver::{Actor, Call, Verb};
use async_trait::async_trait;
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{
    meta::{self, ObjectMeta},
    options::ListOptions,
    status::Status,
};
use openapi::{RequestBody, Subresource, SubresourceKind};
use proto::restart::Restarts;
use schema::Schema;
use serde_json::Value;

pub(crate) use self::cluster::Cluster;
use crate::options;

/// The actor of `nodes`.
pub(crate) struct Nodes {
    cluster: Arc<Cluster>,
    restarts: Arc<dyn Restarts>,
    options: Schema,
}

// === impl Nodes ===

impl Nodes {
    pub(crate) fn new(cluster: Arc<Cluster>, restarts: Arc<dyn Restarts>) -> Self {
        Self { cluster, restarts, options: options::schema() }
    }

    async fn get(&self, call: &Call<'_>) -> Result<Response<Body>, Status> {
        call.acceptable()?;
        let name = call.name().unwrap_or_default();
        let node = self.cluster.get(name).await?;
        let node = node.ok_or_else(|| Status::not_found(&call.kind().group_resource(), name))?;
        let last = last::of(call, Some(name)).await?;
        call.object(StatusCode::OK, &view::with_last(node, &last))
    }

    async fn list(&self, call: &Call<'_>) -> Result<Response<Body>, Status> {
        call.acceptable()?;
        let options = ListOptions::parse(call.query(), call.kind().selectable_fields())?;
        let (revision, nodes) = self.cluster.list().await?;
        let last = last::of(call, None).await?;
        let selected = nodes.into_iter().filter(|node| selects(&options, node));
        let nodes: Vec<Value> = selected.map(|node| view::with_last(node, &last)).collect();
        call.objects(revision, &nodes)
    }
}

#[async_trait]
impl Actor for Nodes {
    fn verbs(&self) -> &[openapi::Verb] {
        &[openapi::Verb::Get, openapi::Verb::List]
    }

    fn subresources(&self) -> Vec<Subresource> {
        let kind = SubresourceKind::Other("NodeRestart");
        vec![Subresource { name: "restart".to_owned(), kind, verbs: vec![openapi::Verb::Create] }]
    }

    fn bodies(&self) -> Vec<RequestBody> {
        vec![RequestBody {
            verb: openapi::Verb::Create,
            subresource: "restart",
            kind: options::KIND,
            schema: self.options.document().clone(),
            optional: true,
        }]
    }

    async fn act(&self, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        match (call.subresource(), call.verb()) {
            (None, Verb::List) => self.list(call).await,
            (None, _) => self.get(call).await,
            (Some(_), Verb::Create) => restart::restart(&*self.restarts, &self.options, call).await,
            (Some(_), verb) => Err(Status::method_not_allowed(&call.kind().group_resource(), verb.as_str())),
        }
        .map(Some)
    }
}

/// Whether a list with these options is to hold the node. It is not cut into pages: a page of all is a page.
fn selects(options: &ListOptions, node: &Value) -> bool {
    let field = |path: &str| meta::field(node, path);
    let mut fields = options.fields.requirements.iter();
    options.labels.matches(&ObjectMeta::of(node).labels())
        && fields.all(|one| (field(&one.field).as_deref() == Some(&one.value)) == one.equal)
}
