//! VolumeSnapshotDelta: which blocks changed between two snapshots, asked for by name.
//!
//! It is stored like any other kind. A GET of one with `fetchcbd=true` asks the driver, and streams what it says:
//!
//! | the client accepts | it gets |
//! |---|---|
//! | `application/json`, `application/yaml` | the object with `status.changedBlockDeltas` |
//! | `application/x-ndjson` | an entry a line |
//! | [`proto::cbt::MEDIA_TYPE`] | `outrigger.cbt.v1.BlocksResponse` messages, each after its length as a varint |
//!
//! * `offset` is a block's index, and the entries are those of blocks at or after it. To go on after a page, or after a
//!   break, ask from the last index plus one; it costs the same wherever that is.
//! * `limit` is how many entries there may be, 256 if nothing is said. 0 asks for all, and so does every number that is
//!   larger than what there is. A page that is not full is the last one.
//! * What cannot be had is a Status while nothing was sent. Later it breaks the connection: what was sent is good, and
//!   the list is not whole. Of lines the last one is `{"error": Status}` then, if it still arrives.
//! * A parameter that begins with `fetchcbd` and is not it, or a value that makes no sense, is 400. `offset` and `limit`
//!   without `fetchcbd` change nothing, and the client is warned.
//! * It takes more than `get` on the object: `get` on the VolumeSnapshots of the namespace.
//!
//! `GET .../data?token=...` reads the data of the blocks with these tokens, one after another as they are, in the order of
//! the parameters. [`BLOCK_OFFSET`] says where the first one begins. Tokens are percent-encoded like every query.

mod data;
mod delta;
mod driver;
mod envelope;
mod fetch;
mod page;
mod representation;
mod summary;

use std::sync::Arc;

use apiserver::{Actor, Call, Verb};
use async_trait::async_trait;
use auth::Attributes;
use axum::body::Body;
use http::Response;
use machinery::status::Status;
use openapi::{QueryParameter, Subresource, SubresourceKind};
use proto::cbt::ChangedBlocks;

pub use data::BLOCK_OFFSET;

use crate::refusal::Subject;
use driver::Drivers;
use page::Page;

/// The subresource of the blocks' data.
const DATA: &str = "data";

/// What a VolumeSnapshotDelta does.
pub(crate) struct VolumeSnapshotDeltas {
    drivers: Drivers,
}

// === impl VolumeSnapshotDeltas ===

impl VolumeSnapshotDeltas {
    pub(crate) fn new(source: Arc<dyn ChangedBlocks>, cluster: Option<kube::Client>) -> Self {
        Self { drivers: Drivers { source, cluster } }
    }
}

#[async_trait]
impl Actor for VolumeSnapshotDeltas {
    fn subresources(&self) -> Vec<Subresource> {
        vec![Subresource { name: DATA.to_owned(), kind: SubresourceKind::Own, verbs: vec![openapi::Verb::Get] }]
    }

    fn parameters(&self) -> Vec<QueryParameter> {
        let get = |subresource, name, kind, description| QueryParameter {
            verb: openapi::Verb::Get,
            subresource,
            name,
            kind,
            description,
        };
        vec![
            get("", page::FETCH, "boolean", "Whether to ask the driver for the blocks, as status.changedBlockDeltas."),
            get("", page::LIMIT, "integer", "With fetchcbd, how many blocks at most. Defaults to 256; 0 is all."),
            get("", page::OFFSET, "integer", "With fetchcbd, the index of the block to begin at. Defaults to 0."),
            get(DATA, data::TOKEN, "string", "The token of a block to read; repeatable. Required."),
        ]
    }

    async fn act(&self, call: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        match (call.verb(), call.subresource()) {
            (Verb::Get, None) => match Page::parse(call.query())? {
                Some(page) => fetch::fetch(&self.drivers, call, page).await.map(Some),
                None => {
                    page::ignored(call.query()).into_iter().for_each(|warning| call.warn(&warning));
                    Ok(None)
                }
            },
            (verb, subresource) => {
                page::refuse(call.query())?;
                match (verb, subresource) {
                    (Verb::Get, Some(DATA)) => data::data(&*self.drivers.source, call).await.map(Some),
                    _ => Ok(None),
                }
            }
        }
    }
}

/// As errors name the object of a call.
fn subject(call: &Call<'_>) -> Subject {
    Subject { resource: "volumesnapshotdeltas", name: call.name().unwrap_or_default().to_owned() }
}

/// Who looks into snapshots may read VolumeSnapshots.
async fn authorize(call: &Call<'_>) -> Result<(), Status> {
    let attributes = Attributes {
        verb: "get".to_owned(),
        group: "snapshot.storage.k8s.io".to_owned(),
        version: "v1".to_owned(),
        resource: "volumesnapshots".to_owned(),
        namespace: call.namespace().unwrap_or_default().to_owned(),
        ..Attributes::default()
    };
    call.authorize(&attributes).await
}
