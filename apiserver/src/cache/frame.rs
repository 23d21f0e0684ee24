//! One event in the ring, and its encodings, made once for all watchers.

use std::sync::OnceLock;

use bytes::Bytes;
use machinery::selector::{FieldSelector, LabelSelector};
use proto::store::{Change, Content, Event, Key, Labels, Revision};

/// An event with room for what it looks like on the wire.
pub struct Cached {
    event: Event,
    frames: [OnceLock<Bytes>; 3],
}

/// What an event means to a watcher with selectors, in the words of the watch protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// It was not selected before, it is now.
    Added,
    /// It was and is selected.
    Modified,
    /// It was selected and is not any more, or is gone.
    Deleted,
}

// === impl Cached ===

impl Cached {
    /// Wraps an event of the store.
    pub fn new(event: Event) -> Self {
        Self { event, frames: Default::default() }
    }

    /// The revision of the event.
    pub fn revision(&self) -> Revision {
        self.event.entry.revision
    }

    /// The namespace of its object.
    pub fn namespace(&self) -> &str {
        &self.event.entry.key.namespace
    }

    /// The event itself.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// About how much memory it takes, encodings included.
    pub fn bytes(&self) -> usize {
        let previous = self.event.previous.as_ref().map_or(0, |previous| previous.content.value.json.len());
        2 * self.event.entry.content.value.json.len() + previous + 512
    }

    /// What the event is to a watcher with these selectors; `None` when it does not concern it.
    ///
    /// An object that leaves a selector is deleted for that watcher, with what it was before the write.
    pub fn seen_through(&self, labels: &LabelSelector, fields: &FieldSelector) -> Option<(Transition, &Content)> {
        let Event { change, entry, previous } = &self.event;
        let selected = |content: &Content| selects(labels, fields, &entry.key, content);
        let now = selected(&entry.content);
        match change {
            Change::Created => now.then_some((Transition::Added, &entry.content)),
            Change::Deleted => now.then_some((Transition::Deleted, &entry.content)),
            Change::Updated => {
                let before = previous.as_ref().map(|previous| &previous.content).filter(|content| selected(content));
                match (before, now) {
                    (Some(_), true) => Some((Transition::Modified, &entry.content)),
                    (None, true) => Some((Transition::Added, &entry.content)),
                    (Some(before), false) => Some((Transition::Deleted, before)),
                    (None, false) => None,
                }
            }
        }
    }

    /// The frame for `transition`, made by `encode` when it is first asked for. Only for frames that are the same for
    /// every watcher.
    pub fn frame<E>(&self, transition: Transition, encode: impl FnOnce() -> Result<Bytes, E>) -> Result<Bytes, E> {
        let frame = &self.frames[transition as usize];
        if let Some(made) = frame.get() {
            return Ok(made.clone());
        }
        let made = encode()?;
        Ok(frame.get_or_init(|| made).clone())
    }
}

// === impl Transition ===

impl Transition {
    /// The `type` of the watch event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

fn selects(labels: &LabelSelector, fields: &FieldSelector, key: &Key, content: &Content) -> bool {
    labels.matches(&content.labels) && fields.matches(&|field| field_of(key, &content.fields, field))
}

fn field_of<'a>(key: &'a Key, fields: &'a Labels, field: &str) -> Option<&'a str> {
    match field {
        "metadata.name" => Some(&key.name),
        "metadata.namespace" => Some(&key.namespace),
        _ => fields.get(field).map(String::as_str),
    }
}
