//! `rotate`: another plaintext for a token that there is. The one before is good for nothing from then on.
//!
//! It is for tokens whose plaintext was lost, in an answer that never arrived or since, and for those that others may have
//! seen. The token stays: its name, its uid, its groups, and when it expires.

use apiserver::{Call, Session as _};
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::{options::WriteOptions, status::Status};
use proto::{
    store::{At, Entry, Error, Expect, Key, Op, Write},
    token::{Credential, Presented},
};
use serde_json::Value;

use crate::session::{self, Session};

/// Somebody may be faster so often.
const ATTEMPTS: usize = 10;

pub(crate) async fn rotate(session: &Session, call: &mut Call<'_>) -> Result<Response<Body>, Status> {
    call.acceptable()?;
    // Before anything is done: there the plaintext would be lost at once.
    if call.accept().contains("as=") {
        return Err(Status::not_acceptable(&["application/json", "application/yaml"]));
    }
    let dry_run = WriteOptions::create(call.query())?.dry_run;
    call.body().await?;
    let name = call.name().unwrap_or_default().to_owned();
    let key = call.kind().key(call.namespace(), &name);
    if dry_run {
        current(session, call, &key).await?;
        return call.object(StatusCode::CREATED, &call.stored().await?);
    }
    let token = replace(session, call, &key).await?;
    let mut object = call.stored().await?;
    object["status"]["plaintextToken"] = Value::from(token.expose());
    call.object(StatusCode::CREATED, &object)
}

/// The token as it is, if it can be given another plaintext.
async fn current(session: &Session, call: &Call<'_>, key: &Key) -> Result<(Entry, Value), Status> {
    let entry = session.store().get(key, At::Latest).await.map_err(|error| call.failed(&error))?;
    let entry = entry.ok_or_else(|| Status::not_found(&call.kind().group_resource(), &key.name))?;
    let object: Value =
        serde_json::from_slice(&entry.content.value.json).map_err(|_| Status::internal("a token is not JSON"))?;
    let refused = |why: &str| Err(Status::conflict(&call.kind().group_resource(), &key.name, why));
    match object["status"]["state"].as_str() {
        Some("Invalid") => refused(object["status"]["message"].as_str().unwrap_or_default()),
        Some("Deleting") => refused("it is being deleted"),
        Some("Expired") => refused("it has expired: create another"),
        _ => Ok((entry, object)),
    }
}

async fn replace(session: &Session, call: &Call<'_>, key: &Key) -> Result<Presented, Status> {
    for _ in 0..ATTEMPTS {
        let (entry, mut object) = current(session, call, key).await?;
        let secret = session::fresh();
        Credential { hash: secret.hash(session::random()), groups: Vec::new() }.attach(&mut object);
        let expect = Expect { revision: Some(entry.revision), uid: Some(entry.content.uid.clone()) };
        let op = Op::Update(session::with_json(entry.content, &object), expect);
        match session.store().write(Write { key: key.clone(), op }).await {
            Ok(_) => return Ok(Presented { namespace: key.namespace.clone(), name: key.name.clone(), secret }),
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(call.failed(&error)),
        }
    }
    Err(Status::conflict(&call.kind().group_resource(), &key.name, "others change it all the time: try again"))
}
