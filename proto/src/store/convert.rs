//! Between the seam's types and its wire.
//!
//! Outward nothing can fail. Inward a message may lack what proto3 cannot require: that is [`Error::Invalid`].

use machinery::selector::{FieldRequirement, FieldSelector, LabelSelector, Operator, Requirement};

use super::{
    At, Batch, Change, Content, Entry, Error, Event, Expect, Key, ListOptions, Op, Previous, Result, Scope, Status,
    Value, Write, wire,
};

/// `field`, or the error that the message lacks it.
pub(super) fn required<T>(field: Option<T>, name: &str) -> Result<T> {
    field.ok_or_else(|| lacks(name))
}

fn lacks(name: &str) -> Error {
    Error::Invalid { reason: format!("the message lacks its {name}") }
}

// === keys and scopes ===

impl From<Key> for wire::Key {
    fn from(Key { group, resource, namespace, name }: Key) -> Self {
        Self { group, resource, namespace, name }
    }
}

impl From<wire::Key> for Key {
    fn from(wire::Key { group, resource, namespace, name }: wire::Key) -> Self {
        Self { group, resource, namespace, name }
    }
}

impl From<Scope> for wire::Scope {
    fn from(Scope { group, resource, namespace }: Scope) -> Self {
        Self { group, resource, namespace }
    }
}

impl From<wire::Scope> for Scope {
    fn from(wire::Scope { group, resource, namespace }: wire::Scope) -> Self {
        Self { group, resource, namespace }
    }
}

// === contents, entries and events ===

impl From<Content> for wire::Content {
    fn from(Content { uid, labels, fields, value: Value { json, splice, schema } }: Content) -> Self {
        Self { uid, labels, fields, json, splice, schema }
    }
}

impl From<wire::Content> for Content {
    fn from(wire::Content { uid, labels, fields, json, splice, schema }: wire::Content) -> Self {
        Self { uid, labels, fields, value: Value { json, splice, schema } }
    }
}

impl From<Entry> for wire::Entry {
    fn from(Entry { key, revision, content }: Entry) -> Self {
        Self { key: Some(key.into()), revision, content: Some(content.into()) }
    }
}

impl TryFrom<wire::Entry> for Entry {
    type Error = Error;

    fn try_from(wire::Entry { key, revision, content }: wire::Entry) -> Result<Self> {
        Ok(Self { key: required(key, "key")?.into(), revision, content: required(content, "content")?.into() })
    }
}

impl From<Event> for wire::Event {
    fn from(Event { change, entry, previous }: Event) -> Self {
        let change = match change {
            Change::Created => wire::Change::Created,
            Change::Updated => wire::Change::Updated,
            Change::Deleted => wire::Change::Deleted,
        };
        let previous =
            previous.map(|Previous { revision, content }| wire::Previous { revision, content: Some(content.into()) });
        Self { change: change.into(), entry: Some(entry.into()), previous }
    }
}

impl TryFrom<wire::Event> for Event {
    type Error = Error;

    fn try_from(event: wire::Event) -> Result<Self> {
        let change = match event.change() {
            wire::Change::Created => Change::Created,
            wire::Change::Updated => Change::Updated,
            wire::Change::Deleted => Change::Deleted,
            wire::Change::Unspecified => return Err(lacks("change")),
        };
        let previous = event.previous.map(Previous::try_from).transpose()?;
        Ok(Self { change, entry: required(event.entry, "entry")?.try_into()?, previous })
    }
}

impl TryFrom<wire::Previous> for Previous {
    type Error = Error;

    fn try_from(wire::Previous { revision, content }: wire::Previous) -> Result<Self> {
        Ok(Self { revision, content: required(content, "content")?.into() })
    }
}

impl TryFrom<wire::WatchResponse> for Batch {
    type Error = Error;

    fn try_from(wire::WatchResponse { events, upto }: wire::WatchResponse) -> Result<Self> {
        Ok(Self { events: events.into_iter().map(Event::try_from).collect::<Result<_>>()?, upto })
    }
}

// === options ===

impl From<At> for wire::At {
    fn from(at: At) -> Self {
        let at = match at {
            At::Latest => None,
            At::NotOlderThan(revision) => Some(wire::at::At::NotOlderThan(revision)),
            At::Exact(revision) => Some(wire::at::At::Exact(revision)),
        };
        Self { at }
    }
}

impl From<Option<wire::At>> for At {
    fn from(at: Option<wire::At>) -> Self {
        match at.and_then(|at| at.at) {
            None => At::Latest,
            Some(wire::at::At::NotOlderThan(revision)) => At::NotOlderThan(revision),
            Some(wire::at::At::Exact(revision)) => At::Exact(revision),
        }
    }
}

impl From<Requirement> for wire::LabelRequirement {
    fn from(Requirement { key, operator, values }: Requirement) -> Self {
        use wire::label_requirement::Operator as Wire;
        let operator = match operator {
            Operator::In => Wire::In,
            Operator::NotIn => Wire::NotIn,
            Operator::Exists => Wire::Exists,
            Operator::DoesNotExist => Wire::DoesNotExist,
            Operator::GreaterThan => Wire::GreaterThan,
            Operator::LessThan => Wire::LessThan,
        };
        Self { key, operator: operator.into(), values }
    }
}

impl TryFrom<wire::LabelRequirement> for Requirement {
    type Error = Error;

    fn try_from(requirement: wire::LabelRequirement) -> Result<Self> {
        use wire::label_requirement::Operator as Wire;
        let operator = match requirement.operator() {
            Wire::In => Operator::In,
            Wire::NotIn => Operator::NotIn,
            Wire::Exists => Operator::Exists,
            Wire::DoesNotExist => Operator::DoesNotExist,
            Wire::GreaterThan => Operator::GreaterThan,
            Wire::LessThan => Operator::LessThan,
            Wire::Unspecified => return Err(lacks("operator")),
        };
        Ok(Self { key: requirement.key, operator, values: requirement.values })
    }
}

impl From<FieldRequirement> for wire::FieldRequirement {
    fn from(FieldRequirement { field, equal, value }: FieldRequirement) -> Self {
        Self { field, equal, value }
    }
}

impl From<wire::FieldRequirement> for FieldRequirement {
    fn from(wire::FieldRequirement { field, equal, value }: wire::FieldRequirement) -> Self {
        Self { field, equal, value }
    }
}

impl wire::ListRequest {
    pub(super) fn new(scope: Scope, options: ListOptions) -> Self {
        let ListOptions { at, after, limit, labels, fields, count } = options;
        Self {
            scope: Some(scope.into()),
            at: Some(at.into()),
            after: after.map(|(namespace, name)| wire::list_request::After { namespace, name }),
            limit,
            labels: labels.requirements.into_iter().map(Into::into).collect(),
            fields: fields.requirements.into_iter().map(Into::into).collect(),
            count,
        }
    }

    pub(super) fn split(self) -> Result<(Scope, ListOptions)> {
        let labels = self.labels.into_iter().map(Requirement::try_from).collect::<Result<_>>()?;
        let options = ListOptions {
            at: self.at.into(),
            after: self.after.map(|after| (after.namespace, after.name)),
            limit: self.limit,
            labels: LabelSelector { requirements: labels },
            fields: FieldSelector { requirements: self.fields.into_iter().map(Into::into).collect() },
            count: self.count,
        };
        Ok((required(self.scope, "scope")?.into(), options))
    }
}

// === writes ===

impl From<Expect> for wire::Expect {
    fn from(Expect { revision, uid }: Expect) -> Self {
        Self { revision, uid }
    }
}

impl From<wire::Expect> for Expect {
    fn from(wire::Expect { revision, uid }: wire::Expect) -> Self {
        Self { revision, uid }
    }
}

impl From<Write> for wire::WriteRequest {
    fn from(Write { key, op }: Write) -> Self {
        let op = match op {
            Op::Create(content) => wire::write_request::Op::Create(content.into()),
            Op::Update(content, expect) => wire::write_request::Op::Update(wire::write_request::Update {
                content: Some(content.into()),
                expect: Some(expect.into()),
            }),
            Op::Delete(expect) => wire::write_request::Op::Delete(expect.into()),
        };
        Self { key: Some(key.into()), op: Some(op) }
    }
}

impl TryFrom<wire::WriteRequest> for Write {
    type Error = Error;

    fn try_from(wire::WriteRequest { key, op }: wire::WriteRequest) -> Result<Self> {
        let op = match required(op, "operation")? {
            wire::write_request::Op::Create(content) => Op::Create(content.into()),
            wire::write_request::Op::Update(update) => Op::Update(
                required(update.content, "content")?.into(),
                required(update.expect, "preconditions")?.into(),
            ),
            wire::write_request::Op::Delete(expect) => Op::Delete(expect.into()),
        };
        Ok(Self { key: required(key, "key")?.into(), op })
    }
}

impl From<Status> for wire::StatusResponse {
    fn from(Status { revision, compacted, bytes }: Status) -> Self {
        Self { revision, compacted, bytes }
    }
}

impl From<wire::StatusResponse> for Status {
    fn from(wire::StatusResponse { revision, compacted, bytes }: wire::StatusResponse) -> Self {
        Self { revision, compacted, bytes }
    }
}

// === errors ===

impl From<Error> for wire::Error {
    fn from(error: Error) -> Self {
        use wire::error::{AlreadyExists, Compacted, Conflict, Error as Wire, Future, NotFound, Reason};
        let error = match error {
            Error::NotFound { key } => Wire::NotFound(NotFound { key: Some(key.into()) }),
            Error::AlreadyExists { key, revision } => {
                Wire::AlreadyExists(AlreadyExists { key: Some(key.into()), revision })
            }
            Error::Conflict { key, expected, uid, revision } => {
                Wire::Conflict(Conflict { key: Some(key.into()), expected: Some(expected.into()), uid, revision })
            }
            Error::Compacted { requested, oldest } => Wire::Compacted(Compacted { requested, oldest }),
            Error::Future { requested, current } => Wire::Future(Future { requested, current }),
            Error::Invalid { reason } => Wire::Invalid(Reason { reason }),
            Error::OutOfSpace { reason } => Wire::OutOfSpace(Reason { reason }),
            Error::Unavailable { reason } => Wire::Unavailable(Reason { reason }),
            Error::Internal { reason } => Wire::Internal(Reason { reason }),
        };
        Self { error: Some(error) }
    }
}

impl TryFrom<wire::Error> for Error {
    type Error = Error;

    fn try_from(error: wire::Error) -> Result<Self> {
        use wire::error::{Compacted, Error as Wire, Future, Reason};
        Ok(match required(error.error, "error")? {
            Wire::NotFound(error) => Error::NotFound { key: required(error.key, "key")?.into() },
            Wire::AlreadyExists(error) => {
                Error::AlreadyExists { key: required(error.key, "key")?.into(), revision: error.revision }
            }
            Wire::Conflict(error) => Error::Conflict {
                key: required(error.key, "key")?.into(),
                expected: required(error.expected, "preconditions")?.into(),
                uid: error.uid,
                revision: error.revision,
            },
            Wire::Compacted(Compacted { requested, oldest }) => Error::Compacted { requested, oldest },
            Wire::Future(Future { requested, current }) => Error::Future { requested, current },
            Wire::Invalid(Reason { reason }) => Error::Invalid { reason },
            Wire::OutOfSpace(Reason { reason }) => Error::OutOfSpace { reason },
            Wire::Unavailable(Reason { reason }) => Error::Unavailable { reason },
            Wire::Internal(Reason { reason }) => Error::Internal { reason },
        })
    }
}
