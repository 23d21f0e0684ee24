//! What a caller may ask of a store.

use machinery::selector::{FieldSelector, LabelSelector};

use super::{Content, Error, Key, Result, Revision};
use crate::MESSAGE_LIMIT;

/// How many bytes an object may have, its labels and fields included: an event carries two, and must cross the wire.
pub const OBJECT_LIMIT: usize = MESSAGE_LIMIT / 2 - (1 << 20);

/// As of when to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum At {
    /// With every write that was acknowledged before the read began.
    #[default]
    Latest,
    /// With at least this revision; waits up to 3 s for it, then [`super::Error::Future`]. 0 is "whatever you have".
    NotOlderThan(Revision),
    /// Exactly as it was at this revision; [`super::Error::Compacted`] when that is gone.
    Exact(Revision),
}

/// What to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListOptions {
    /// As of when.
    pub at: At,
    /// Begin after this namespace and name, exclusive: where an earlier page ended.
    pub after: Option<(String, String)>,
    /// At most this many entries. `None` is all.
    pub limit: Option<u64>,
    /// Only objects whose labels match.
    pub labels: LabelSelector,
    /// Only objects whose name, namespace and selectable fields match.
    pub fields: FieldSelector,
    /// Count the objects of the whole range into [`super::List::count`]; selectors are not counted by.
    pub count: bool,
}

/// What to watch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// Only events with a greater revision. 0 and anything compacted is [`super::Error::Compacted`], unless nothing
    /// has been compacted yet.
    pub after: Revision,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which object.
    pub key: Key,
    /// What to do with it.
    pub op: Op,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Make an object that is not there.
    Create(Content),
    /// Replace an object that is there.
    Update(Content, Expect),
    /// Remove an object that is there.
    Delete(Expect),
}

/// What must hold of the object for a write to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// It is at this revision.
    pub revision: Option<Revision>,
    /// It has this uid.
    pub uid: Option<String>,
}

/// A durable write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The revision that it made.
    pub revision: Revision,
}

// === impl Write ===

impl Write {
    /// Refuses what no store takes: keys that could not be told apart or read by other tools, objects that could not be
    /// answered with. Every implementation asks this first.
    pub fn check(&self) -> Result<()> {
        let Key { group, resource, namespace, name } = &self.key;
        if resource.is_empty() || name.is_empty() {
            return Err(invalid("a key needs a resource and a name"));
        }
        if [group, resource, namespace, name].iter().any(|part| part.contains('\0')) {
            return Err(invalid("a key cannot contain a zero byte"));
        }
        match &self.op {
            Op::Create(content) | Op::Update(content, _) => content.check(),
            Op::Delete(_) => Ok(()),
        }
    }
}

impl Content {
    fn check(&self) -> Result<()> {
        if self.value.splice as usize > self.value.json.len() {
            return Err(invalid("the splice is outside of the object"));
        }
        match self.weight() > OBJECT_LIMIT {
            true => Err(invalid("the object is too large")),
            false => Ok(()),
        }
    }
}

fn invalid(reason: &str) -> Error {
    Error::Invalid { reason: reason.to_owned() }
}
