//! A collection as bytes: what comes before, between and after its entries.
//!
//! The metadata comes last, in the order that Go gives the keys of a list of custom resources, and so the writer needs to
//! know neither the end nor the length of what it writes.

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use http::{Response, StatusCode};
use machinery::{
    json,
    negotiate::{Encoding, MetaVersion, Shape, View},
    protobuf::{self, PartialObjectMetadata},
};
use proto::store::{Entry, Key, Revision};
use serde_json::{Map, Value};

use crate::{
    context::Context,
    error::Result,
    kinds::Kind,
    object,
    respond::encoded,
    view::{self, IncludeObject},
};
use std::sync::Arc;

/// What is known of a list when it ends.
#[derive(Debug, Default)]
pub(crate) struct ListEnd {
    /// The last object written.
    pub last: Option<Key>,
    /// How many were written.
    pub written: u64,
    /// The token of the next page.
    pub continue_: Option<String>,
    /// How many the next pages hold.
    pub remaining: Option<u64>,
}

/// Writes one collection.
pub(crate) struct ListWriter {
    kind: Arc<Kind>,
    view: View,
    include: IncludeObject,
    now: machinery::time::Timestamp,
    output: machinery::negotiate::Output,
    revision: Revision,
    any: bool,
}

// === impl ListWriter ===

impl ListWriter {
    /// A writer in the media type that was asked for.
    pub(crate) fn new(context: &Context, revision: Revision) -> Result<Self> {
        context.presentable(Shape::List)?;
        Ok(Self {
            kind: Arc::clone(&context.kind),
            view: context.output.view,
            include: IncludeObject::parse(context)?,
            now: context.now,
            output: context.output,
            revision,
            any: false,
        })
    }

    /// Whether the answer can begin before it is complete.
    pub(crate) fn streams(&self) -> bool {
        self.output.encoding == Encoding::Json && !self.output.pretty
    }

    /// What comes before the first entry.
    pub(crate) fn begin(&self) -> Bytes {
        match self.view {
            View::Object => format!("{{\"apiVersion\":{:?},\"items\":[", self.kind.group_version().to_string()).into(),
            view => view::begin_list(&self.kind, view).into(),
        }
    }

    /// Some entries.
    pub(crate) fn entries(&mut self, entries: &[Entry]) -> Result<Bytes> {
        let bytes = entries.iter().map(|entry| entry.content.value.json.len() + 64).sum();
        let mut out = BytesMut::with_capacity(bytes);
        for entry in entries {
            if std::mem::replace(&mut self.any, true) {
                out.put_u8(b',');
            }
            match self.view {
                View::Object => object::write_json(&self.kind, &entry.content, entry.revision, &mut out)?,
                view => {
                    let object = object::decode(&self.kind, &entry.content, entry.revision)?;
                    out.put_slice(&view::item(&self.kind, view, self.include, &object, self.now));
                }
            }
        }
        Ok(out.freeze())
    }

    /// What comes after the last entry of a list that streams: the document ends with a line feed.
    pub(crate) fn end(&self, end: &ListEnd) -> Bytes {
        let mut tail = self.tail(end);
        tail.push('\n');
        tail.into()
    }

    fn tail(&self, end: &ListEnd) -> String {
        let metadata = String::from_utf8_lossy(&json::encode(&self.metadata(end))).into_owned();
        match self.view {
            View::Object => {
                let kind = &self.kind.definition().names.list_kind;
                format!("],\"kind\":{kind:?},\"metadata\":{metadata}}}")
            }
            _ => format!("],\"metadata\":{metadata}}}"),
        }
    }

    /// The answer in one piece, for media types that cannot begin before they end.
    pub(crate) fn whole(mut self, entries: Vec<Entry>, end: ListEnd) -> Result<Response<Body>> {
        let body = match (self.view, self.output.encoding) {
            (View::Partial(version) | View::PartialList(version), Encoding::Protobuf) => {
                self.protobuf(&entries, end, version)?
            }
            _ => [self.begin(), self.entries(&entries)?, self.tail(&end).into()].concat(),
        };
        Ok(encoded(StatusCode::OK, &self.output, body))
    }

    fn protobuf(&self, entries: &[Entry], end: ListEnd, version: MetaVersion) -> Result<Vec<u8>> {
        let items = entries.iter().map(|entry| {
            let object = object::decode(&self.kind, &entry.content, entry.revision)?;
            Ok(PartialObjectMetadata::of(&object))
        });
        let metadata = protobuf::ListMeta {
            resource_version: self.revision.to_string(),
            continue_: end.continue_,
            remaining: end.remaining,
        };
        Ok(protobuf::list(items.collect::<Result<_>>()?, metadata, version))
    }

    /// Custom resources always say `continue`; the typed views leave out what is empty.
    fn metadata(&self, end: &ListEnd) -> Value {
        let mut metadata = Map::new();
        if end.continue_.is_some() || self.view == View::Object {
            metadata.insert("continue".to_owned(), end.continue_.clone().unwrap_or_default().into());
        }
        if let Some(remaining) = end.remaining {
            metadata.insert("remainingItemCount".to_owned(), remaining.into());
        }
        metadata.insert("resourceVersion".to_owned(), self.revision.to_string().into());
        Value::Object(metadata)
    }
}
