//! Watch events as the client asked to see them.

use std::sync::Arc;

use crate::{
    cache::{Cached, Transition},
    context::Context,
    error::Result,
    kinds::Kind,
    object, respond,
    view::{self, IncludeObject},
};
use bytes::{BufMut, Bytes, BytesMut};
use machinery::{
    negotiate::{Encoding, Output, View},
    options::ListOptions,
    protobuf,
    selector::{FieldSelector, LabelSelector},
    status::Status,
    time::Clock,
    watch,
};
use proto::store::{Content, Entry, Revision};

/// Encodes one watch's events.
pub(crate) struct Frames {
    output: Output,
    include: IncludeObject,
    labels: LabelSelector,
    fields: FieldSelector,
    clock: Arc<dyn Clock>,
    /// Column definitions come with the first table only.
    begun: bool,
}

// === impl Frames ===

impl Frames {
    /// The frames of a watch with these options.
    pub(crate) fn new(context: &Context, options: &ListOptions) -> Result<Self> {
        Ok(Self {
            output: context.output,
            include: IncludeObject::parse(context)?,
            labels: options.labels.clone(),
            fields: options.fields.clone(),
            clock: Arc::clone(context.api.clock()),
            begun: false,
        })
    }

    /// The content type of the stream.
    pub(crate) fn content_type(&self) -> &'static str {
        match self.output.encoding {
            Encoding::Protobuf => "application/vnd.kubernetes.protobuf;stream=watch",
            Encoding::Json | Encoding::Yaml => respond::JSON,
        }
    }

    /// Objects that are there when the watch begins. The store has applied the selectors.
    pub(crate) fn state(&mut self, kind: &Kind, entries: &[Entry]) -> Result<Bytes> {
        let mut out = BytesMut::new();
        for entry in entries {
            self.put(kind, Transition::Added, &entry.content, entry.revision, &mut out)?;
        }
        Ok(out.freeze())
    }

    /// Events, those left out that the selectors don't pick.
    pub(crate) fn events(&mut self, kind: &Kind, events: &[Arc<Cached>]) -> Result<Bytes> {
        let (labels, fields) = (self.labels.clone(), self.fields.clone());
        let mut frames = Vec::with_capacity(events.len());
        for event in events {
            if let Some((transition, content)) = event.seen_through(&labels, &fields) {
                frames.push(self.event(kind, event, transition, content)?);
            }
        }
        // One event is the rule, and its bytes are shared with every other watcher.
        if frames.len() == 1 {
            return Ok(frames.swap_remove(0));
        }
        Ok(frames.concat().into())
    }

    /// How far the client is. `initial_end` marks the end of the initial state.
    pub(crate) fn bookmark(&mut self, kind: &Kind, revision: Revision, initial_end: bool) -> Bytes {
        let object = view::bookmark(kind, self.output, revision, initial_end, self.first_table());
        self.frame("BOOKMARK", &object)
    }

    /// The last words of a watch that cannot go on.
    pub(crate) fn error(&self, status: &Status) -> Bytes {
        self.frame("ERROR", &view::status(status, self.output.encoding))
    }

    /// A plain object that passes through looks the same to every watcher: it is encoded once.
    fn event(&mut self, kind: &Kind, event: &Cached, transition: Transition, content: &Content) -> Result<Bytes> {
        let shared = self.output.view == View::Object && content.value.schema == kind.tag();
        let mut encode = || {
            let mut out = BytesMut::new();
            self.put(kind, transition, content, event.revision(), &mut out).map(|()| out.freeze())
        };
        if shared { event.frame(transition, encode) } else { encode() }
    }

    fn put(
        &mut self,
        kind: &Kind,
        transition: Transition,
        content: &Content,
        revision: Revision,
        out: &mut BytesMut,
    ) -> Result<()> {
        if self.output.view == View::Object {
            watch::begin(transition.as_str(), out);
            object::write_json(kind, content, revision, out)?;
            watch::end(out);
            return Ok(());
        }
        let object = object::decode(kind, content, revision)?;
        let first = self.first_table();
        let object = view::one(kind, self.output, self.include, &object, self.clock.now(), first);
        out.put_slice(&self.frame(transition.as_str(), &object));
        Ok(())
    }

    fn frame(&self, kind: &str, object: &[u8]) -> Bytes {
        match self.output.encoding {
            Encoding::Protobuf => protobuf::watch_frame(kind, object).into(),
            Encoding::Json | Encoding::Yaml => watch::frame(kind, object).into(),
        }
    }

    fn first_table(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }
}
