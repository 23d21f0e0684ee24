//! A server of one VolumeSnapshotDelta, `week`, that is in trouble when it is told to, and remembers what was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::StatusCode;
use plugin_testing::{Caller, Https};
use proto::cbt::{Block, Builder, Kind, MEDIA_TYPE};
use serde_json::json;

/// Bytes in a block.
pub(crate) const SIZE: u64 = 512;

/// Blocks in a message.
const PER_MESSAGE: usize = 7;

/// The server.
pub(crate) struct Server {
    https: Https,
    now: Arc<Mutex<Now>>,
}

/// What becomes of a request instead of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// A code, with the cause that a script would look for.
    Code(u16, &'static str),
    /// A code, and seconds after which to come again.
    Later(u16, u64),
    /// The connection ends before the head.
    Hangup,
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The answer is whole, with so many bytes.
    Length(usize),
    /// Nothing comes, and nothing ends.
    Silence,
}

/// What it serves.
pub(crate) struct Now {
    /// The object's.
    pub(crate) uid: &'static str,
    /// The earlier snapshot, if any.
    pub(crate) base: &'static str,
    /// The volume's size in bytes.
    pub(crate) capacity: u64,
    /// The indices of the blocks.
    pub(crate) blocks: Vec<u64>,
    /// Whether they have tokens.
    pub(crate) reads: bool,
    /// Tokens of an earlier generation have expired.
    pub(crate) generation: u64,
    /// After so many reads the generation ends.
    pub(crate) expires_after: Option<u64>,
    /// For the next lists.
    pub(crate) lists: VecDeque<Trouble>,
    /// For the next reads.
    pub(crate) data: VecDeque<Trouble>,
    /// From the block of this index on there is no answer.
    pub(crate) stops_at: Option<u64>,
    /// Paths and queries, in order.
    pub(crate) seen: Vec<String>,
}

#[derive(Clone)]
struct Connection {
    now: Arc<Mutex<Now>>,
    caller: Caller,
}

// === impl Server ===

impl Server {
    /// Starts it with these blocks of a volume that ends within its last one.
    pub(crate) fn start(blocks: impl IntoIterator<Item = u64>) -> Self {
        let blocks: Vec<u64> = blocks.into_iter().collect();
        let capacity = blocks.last().map_or(1 << 20, |last| last * SIZE + SIZE - 100);
        let now = Arc::new(Mutex::new(Now {
            uid: "first",
            base: "monday",
            capacity,
            blocks,
            reads: true,
            generation: 0,
            expires_after: None,
            lists: VecDeque::new(),
            data: VecDeque::new(),
            stops_at: None,
            seen: Vec::new(),
        }));
        let shared = Arc::clone(&now);
        let router =
            move |caller| Router::new().fallback(answer).with_state(Connection { now: Arc::clone(&shared), caller });
        Self { https: Https::start(router).unwrap(), now }
    }

    /// Where it is, and who vouches for it.
    pub(crate) fn https(&self) -> &Https {
        &self.https
    }

    /// To be looked at and changed.
    pub(crate) fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap()
    }

    /// Requests whose path and query have a word in them.
    pub(crate) fn seen(&self, word: &str) -> usize {
        self.now().seen.iter().filter(|uri| uri.contains(word)).count()
    }
}

/// What a block holds.
pub(crate) fn content(index: u64, capacity: u64) -> Vec<u8> {
    let length = SIZE.min(capacity - index * SIZE);
    (0..length).map(|at| (index * 31 + at % 7) as u8).collect()
}

async fn answer(State(Connection { now, caller }): State<Connection>, request: Request) -> Response {
    let uri = request.uri().path_and_query().unwrap().to_string();
    let (trouble, body, media_type) = {
        let mut now = now.lock().unwrap();
        now.seen.push(uri.clone());
        let (path, query) = uri.split_once('?').unwrap_or((&uri, ""));
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        match path.strip_prefix("/apis/cbt.storage.k8s.io/v1alpha1/namespaces/default/volumesnapshotdeltas") {
            Some("") => (None, now.table(), "application/json"),
            Some("/week") if query.is_empty() => (None, now.object(), "application/json"),
            Some("/week") => {
                let number = |name| value(name).unwrap().parse().unwrap();
                (now.lists.pop_front(), now.page(number("offset"), number("limit")), MEDIA_TYPE)
            }
            Some("/week/data") => {
                let token = value("token").unwrap().replace("%2D", "-");
                let (generation, index) = token.split_once('-').unwrap();
                let (generation, index) = (generation.parse().unwrap(), index.parse().unwrap());
                (now.trouble(generation, index), content(index, now.capacity), "application/octet-stream")
            }
            _ => (Some(Trouble::Code(404, "NotFound")), Vec::new(), "text/plain"),
        }
    };
    match trouble {
        None => respond(200, media_type, Body::from(body)),
        Some(Trouble::Code(code, reason)) => respond(code, "application/json", Body::from(status(code, reason))),
        Some(Trouble::Later(code, seconds)) => {
            let mut response = respond(code, "application/json", Body::from(status(code, "Later")));
            response.headers_mut().insert("retry-after", seconds.into());
            response
        }
        Some(Trouble::Length(length)) => respond(200, media_type, Body::from(vec![0; length])),
        Some(Trouble::Cut(at)) => {
            let piece = Bytes::from(body).split_to(at);
            let end = stream::once(async {
                // Breaking a connection discards what still waits to be sent.
                tokio::time::sleep(Duration::from_millis(100)).await;
                Err(std::io::Error::other("broken on purpose"))
            });
            respond(200, media_type, Body::from_stream(stream::iter([Ok(piece)]).chain(end)))
        }
        Some(Trouble::Silence) => std::future::pending().await,
        Some(Trouble::Hangup) => {
            caller.hangup.notify_one();
            std::future::pending().await
        }
    }
}

// === impl Now ===

impl Now {
    fn object(&self) -> Vec<u8> {
        let spec = json!({ "baseVolumeSnapshotName": self.base, "targetVolumeSnapshotName": "tuesday" });
        let metadata = json!({ "namespace": "default", "name": "week", "uid": self.uid });
        json!({ "kind": "VolumeSnapshotDelta", "metadata": metadata, "spec": spec }).to_string().into()
    }

    fn table(&self) -> Vec<u8> {
        let columns = json!([{ "name": "Name", "priority": 0 }, { "name": "Mode", "priority": 1 }]);
        json!({ "kind": "Table", "columnDefinitions": columns, "rows": [{ "cells": ["week", "block"] }] })
            .to_string()
            .into()
    }

    fn page(&self, start: u64, limit: u64) -> Vec<u8> {
        let limit = usize::try_from(limit).unwrap();
        let blocks: Vec<u64> = self.blocks.iter().copied().filter(|block| *block >= start).take(limit).collect();
        if blocks.is_empty() {
            return frame(Builder::new(Kind::Fixed, self.capacity));
        }
        blocks.chunks(PER_MESSAGE).flat_map(|blocks| self.message(blocks)).collect()
    }

    fn message(&self, blocks: &[u64]) -> Vec<u8> {
        let mut builder = Builder::new(Kind::Fixed, self.capacity);
        for index in blocks {
            let token = if self.reads { format!("{}-{index}", self.generation) } else { String::new() };
            builder.push(Block { offset: index * SIZE, size: SIZE, token: token.as_bytes() });
        }
        frame(builder)
    }

    fn trouble(&mut self, generation: u64, index: u64) -> Option<Trouble> {
        if self.stops_at.is_some_and(|stops| index >= stops) {
            return Some(Trouble::Silence);
        }
        if let Some(left) = &mut self.expires_after {
            match left.checked_sub(1) {
                Some(fewer) => *left = fewer,
                None => (self.generation, self.expires_after) = (self.generation + 1, None),
            }
        }
        if generation != self.generation {
            return Some(Trouble::Code(410, "Expired"));
        }
        self.data.pop_front()
    }
}

fn frame(builder: Builder) -> Vec<u8> {
    let encoded = builder.finish().encoded().clone();
    let length = encoded.len();
    assert!(length < 0x4000);
    let mut framed = vec![(length & 0x7f) as u8 | 0x80, (length >> 7) as u8];
    framed.extend(encoded);
    framed
}

fn status(code: u16, reason: &str) -> String {
    json!({ "kind": "Status", "code": code, "reason": reason, "message": format!("on purpose: {code}") }).to_string()
}

fn respond(code: u16, media_type: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response.headers_mut().insert("content-type", media_type.parse().unwrap());
    response
}
