//! `write`: one write of a record, on the condition that the writer names.

use std::collections::BTreeMap;

use hyperfleet_records::{Error as Refusal, Kind, Put, Records, Resource};
use proto::store::{Content, Error, Expect, Key, Op, Result, Write, Written};
use serde_json::{Value, value::RawValue};

use super::View;
use crate::{
    error::{of_read, of_write},
    finalizers, metadata,
    object::Shape,
    status,
    wanted::Wanted,
};

/// Somebody may be faster so often before a writer that named no revision is told so.
const ATTEMPTS: usize = 10;

pub(super) async fn write(view: &View, write: Write) -> Result<Written> {
    write.check()?;
    let Write { key, op } = write;
    let Some(shape) = view.shape(&key.group, &key.resource, &key.namespace) else {
        return Err(Error::Invalid { reason: format!("{key} is nothing that is recorded here") });
    };
    let writing = Writing { view, shape, key };
    let revision = match op {
        Op::Create(content) => writing.create(&content).await?,
        Op::Update(content, expect) => {
            let wanted = Wanted::read(&content)?;
            writing.change(&expect, |record| writing.update(record, &wanted)).await?
        }
        Op::Delete(expect) => writing.change(&expect, |record| writing.delete(record)).await?,
    };
    Ok(Written { revision })
}

struct Writing<'a> {
    view: &'a View,
    shape: &'a Shape,
    key: Key,
}

// === impl Writing ===

impl Writing<'_> {
    async fn create(&self, content: &Content) -> Result<u64> {
        let Wanted { spec, labels, kubernetes, .. } = Wanted::read(content)?;
        let (owner, name) = self.place().await?;
        self.judge(&name, &labels, &spec)?;
        let put = Put {
            kind: self.shape.kind,
            object_name: self.key.name.clone(),
            // In the order of time, as all ids; the apiserver reads it back.
            id: Records::new_id(),
            owner,
            name,
            expected: None,
            spec,
            labels,
            kubernetes,
            deleting: false,
            by: by(),
        };
        match self.view.records.put(put).await {
            Err(Refusal::Conflict(reason)) => match self.found().await? {
                Some(there) => Err(Error::AlreadyExists { key: self.key.clone(), revision: there.revision }),
                None => Err(Error::Invalid { reason }),
            },
            put => put.map_err(|error| of_write(error, &self.key)),
        }
    }

    /// The id of the cluster that a new record belongs to, and the record's name. A nodepool's are in the object's name.
    async fn place(&self) -> Result<(Option<String>, String)> {
        if self.shape.kind == Kind::Cluster {
            return Ok((None, self.key.name.clone()));
        }
        let invalid = |reason: String| Error::Invalid { reason };
        let parts = self.key.name.rsplit_once('.').filter(|(cluster, name)| !cluster.is_empty() && !name.is_empty());
        let Some((cluster, name)) = parts else {
            return Err(invalid(format!(
                "metadata.name: a nodepool is named CLUSTER.NAME, which {:?} is not",
                self.key.name
            )));
        };
        let found =
            self.view.records.by_object_name(Kind::Cluster, cluster).await.map_err(|error| of_read(error, 0))?;
        match found {
            Some(cluster) => Ok((Some(cluster.id), name.to_owned())),
            None => Err(invalid(format!(
                "metadata.name: a nodepool is named CLUSTER.NAME, and there is no cluster {cluster:?}"
            ))),
        }
    }

    /// Writes what `make` makes of the record, if that is as expected.
    async fn change(&self, expect: &Expect, make: impl Fn(&Resource) -> Result<Put>) -> Result<u64> {
        for _ in 0..ATTEMPTS {
            let Some(record) = self.found().await? else { return Err(Error::NotFound { key: self.key.clone() }) };
            let as_expected = expect.revision.is_none_or(|revision| revision == record.revision)
                && expect.uid.as_ref().is_none_or(|uid| *uid == record.id);
            if !as_expected {
                return Err(self.conflict(expect, &record));
            }
            match self.view.records.put(make(&record)?).await {
                Err(Refusal::NotFound(_)) => {}
                // Either somebody was faster, which the next round sees, or the record does not allow it.
                Err(Refusal::Conflict(reason)) => {
                    if self.found().await?.is_some_and(|now| now.revision == record.revision) {
                        return Err(Error::Invalid { reason });
                    }
                }
                put => return put.map_err(|error| of_write(error, &self.key)),
            }
        }
        Err(Error::Unavailable { reason: format!("{} changes too often to be written", self.key) })
    }

    fn update(&self, record: &Resource, wanted: &Wanted) -> Result<Put> {
        let mut labels = wanted.labels.clone();
        labels.extend(metadata::hidden_labels(&record.labels));
        let deleting = wanted.deleting || record.deleted.is_some();
        // What is no more allowed may stay as it is, and may go.
        if !same(&wanted.spec, &record.spec) || labels != record.labels {
            self.judge(&record.name, &labels, &wanted.spec)?;
        }
        let (spec, kubernetes) = (wanted.spec.clone(), wanted.kubernetes.clone());
        Ok(Put { spec, labels, kubernetes, deleting, ..put(record) })
    }

    /// The apiserver deletes what it thinks nothing holds. Where something does, whoever asked took our finalizers away.
    fn delete(&self, record: &Resource) -> Result<Put> {
        let holding = finalizers::holding(record, &status::read(record), &self.shape.required);
        if !holding.is_empty() {
            let reason = format!(
                "{} is held by {}, which go when adapters report Finalized=True and nodepools are gone; \
                 to remove it all the same, POST to its force-delete in /api/hyperfleet/v1",
                self.key,
                holding.join(", ")
            );
            return Err(Error::Invalid { reason });
        }
        Ok(Put { kubernetes: metadata::without_finalizers(&record.kubernetes), deleting: true, ..put(record) })
    }

    fn judge(&self, name: &str, labels: &BTreeMap<String, String>, spec: &RawValue) -> Result<()> {
        let wrong = (self.view.judge)(self.shape.kind, name, labels, spec);
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid { reason: format!("{}: {}", self.key, wrong.join("; ")) }),
        }
    }

    fn conflict(&self, expected: &Expect, found: &Resource) -> Error {
        let (uid, revision) = (found.id.clone(), found.revision);
        Error::Conflict { key: self.key.clone(), expected: expected.clone(), uid, revision }
    }

    async fn found(&self) -> Result<Option<Resource>> {
        let found = self.view.records.by_object_name(self.shape.kind, &self.key.name).await;
        found.map_err(|error| of_read(error, 0))
    }
}

/// Whether two specs say the same.
fn same(one: &RawValue, other: &RawValue) -> bool {
    let read = |json: &RawValue| serde_json::from_str::<Value>(json.get()).ok();
    one.get() == other.get() || read(one) == read(other)
}

/// A record as it is.
fn put(record: &Resource) -> Put {
    Put {
        kind: record.kind,
        object_name: record.object_name.clone(),
        id: record.id.clone(),
        owner: None,
        name: record.name.clone(),
        expected: Some(record.revision),
        spec: record.spec.clone(),
        labels: record.labels.clone(),
        kubernetes: record.kubernetes.clone(),
        deleting: record.deleted.is_some(),
        by: by(),
    }
}

/// Who writes: whoever asked the apiserver to.
fn by() -> String {
    apiserver::writer().unwrap_or_else(|| "kubernetes".to_owned())
}
