//! A write under way: what it has locked, what it changes, and the revisions that it takes at the end.
//!
//! ```text
//!   lock the cluster ─▶ lock the record ─▶ decide ─▶ its statuses ─▶ take revisions ─▶ rows · labels · log ─▶ COMMIT
//!                                                                    └── all other writers wait from here ──┘
//! ```
//!
//! Locks are taken in this order by all, the counter last: so no two wait for each other, and commits are in the order
//! of revisions.

use jiff::Timestamp;

use crate::{
    Changed, Error, Key, Kind, Options, Resource, Result,
    aggregate::Subject,
    database::{Connection, Statement, Value, error},
    report::Counted,
    rows,
    sql::{self, Dialect},
};

/// Why a write did not happen.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database failed, or refused a statement.
    Database(sqlx::Error),
    /// The write is refused.
    Refused(Error),
}

/// A write under way.
pub(crate) struct Transaction<'a> {
    connection: &'a mut Connection,
    pub(crate) options: &'a Options,
    pub(crate) now: Timestamp,
    changes: Vec<Change>,
}

/// A record that is changed.
struct Change {
    changed: Changed,
    /// As it is after; its revision is still the one before.
    resource: Resource,
    relabelled: bool,
}

// === impl Failure ===

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl Failure {
    /// What it means to who asked.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Database(failure) => error(failure),
            Self::Refused(error) => error,
        }
    }
}

// === impl Transaction ===

impl<'a> Transaction<'a> {
    pub(crate) fn new(connection: &'a mut Connection, options: &'a Options, now: Timestamp) -> Self {
        Self { connection, options, now, changes: Vec::new() }
    }

    fn dialect(&self) -> Dialect {
        self.connection.dialect()
    }

    /// The record, locked.
    pub(crate) async fn lock(&mut self, key: &Key) -> Result<Resource, Failure> {
        let found = match key.kind {
            Kind::Cluster => self.lock_cluster(&key.id).await?,
            Kind::NodePool => self.lock_node_pool(key).await?,
        };
        Ok(found.ok_or_else(|| not_found(key))?)
    }

    pub(crate) async fn lock_cluster(&mut self, id: &str) -> Result<Option<Resource>, Failure> {
        self.select(Kind::Cluster, id).await
    }

    /// A node pool, its cluster locked before it.
    async fn lock_node_pool(&mut self, key: &Key) -> Result<Option<Resource>, Failure> {
        let owner = self.connection.row(Statement::new(sql::OWNER, [Value::text(printable(&key.id)?)])).await?;
        let owner = owner.map(|row| row.text(0).map(str::to_owned)).transpose()?;
        let cluster = key.owner.as_ref().or(owner.as_ref());
        if let Some(cluster) = cluster
            && self.lock_cluster(cluster).await?.is_none()
        {
            return Err(cluster_not_found(cluster).into());
        }
        match owner.is_some() && owner.as_ref() == cluster {
            true => self.select(Kind::NodePool, &key.id).await,
            false => Ok(None),
        }
    }

    async fn select(&mut self, kind: Kind, id: &str) -> Result<Option<Resource>, Failure> {
        let statement = Statement::new(sql::get(kind, Some(self.dialect())), [Value::text(printable(id)?)]);
        let row = self.connection.row(statement).await?;
        Ok(row.map(|row| rows::resource(&row, kind)).transpose()?)
    }

    /// The record with this name of the Kubernetes view, locked.
    pub(crate) async fn lock_object(&mut self, kind: Kind, name: &str) -> Result<Option<Resource>, Failure> {
        let row = self
            .connection
            .row(Statement::new(sql::get_by_object_name(kind, None), [Value::text(printable(name)?)]))
            .await?;
        let Some(found) = row.map(|row| rows::resource(&row, kind)).transpose()? else { return Ok(None) };
        match self.lock(&Key { kind, owner: None, id: found.id }).await {
            Err(Failure::Refused(Error::NotFound(_))) => Ok(None),
            locked => locked.map(Some),
        }
    }

    /// The id of the cluster with this id or name.
    pub(crate) async fn cluster_called(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let row = self.connection.row(Statement::new(sql::CLUSTER_CALLED, [Value::text(printable(name)?)])).await?;
        Ok(row.map(|row| row.text(0).map(str::to_owned)).transpose()?)
    }

    /// The node pools of a cluster, locked.
    pub(crate) async fn lock_children(&mut self, cluster: &str) -> Result<Vec<Resource>, Failure> {
        let statement = Statement::new(sql::of_owner(self.dialect()), [Value::text(cluster)]);
        let rows = self.connection.rows(statement).await?;
        Ok(rows.iter().map(|row| rows::resource(row, Kind::NodePool)).collect::<Result<_>>()?)
    }

    /// How many node pools a cluster has, not counting those that go in this transaction.
    pub(crate) async fn children(&mut self, resource: &Resource) -> Result<u64, Failure> {
        if resource.kind == Kind::NodePool {
            return Ok(0);
        }
        let row = self.connection.row(Statement::new(sql::CHILDREN, [Value::text(&resource.id)])).await?;
        let there = row.map_or(Ok(0), |row| row.integer(0))? as u64;
        let going = self.changes.iter().filter(|change| {
            let of_it = change.resource.owner.as_ref().is_some_and(|owner| owner.id == resource.id);
            change.changed == Changed::Gone && of_it
        });
        Ok(there.saturating_sub(going.count() as u64))
    }

    /// Whether a name, and an object name, are taken.
    pub(crate) async fn taken(
        &mut self,
        kind: Kind,
        owner: Option<&str>,
        name: &str,
        object: &str,
    ) -> Result<(bool, bool), Failure> {
        let mut values = vec![Value::text(name), Value::text(object)];
        values.extend(owner.map(Value::text));
        let row = self.connection.row(Statement::new(sql::taken(kind), values)).await?;
        let Some(row) = row else { return Ok((false, false)) };
        Ok((row.integer(0)? > 0, row.integer(1)? > 0))
    }

    /// What adapters have reported of a record.
    pub(crate) async fn reports(&mut self, kind: Kind, id: &str) -> Result<Vec<Counted>, Failure> {
        let values = [Value::text(kind.as_str()), Value::text(id)];
        let rows = self.connection.rows(Statement::new(sql::STATUSES, values)).await?;
        Ok(rows.iter().map(rows::report).collect::<Result<_>>()?)
    }

    pub(crate) async fn put_report(&mut self, kind: Kind, id: &str, counted: &Counted) -> Result<(), Failure> {
        self.connection.execute(Statement::new(sql::PUT_STATUS, rows::report_values(kind, id, counted))).await?;
        Ok(())
    }

    /// Aggregates a record that has changed, or lets it go; its place among the changes.
    pub(crate) async fn settle(
        &mut self,
        mut resource: Resource,
        reports: &[Counted],
        relabelled: bool,
    ) -> Result<usize, Failure> {
        let reports: Vec<_> = reports.iter().map(|report| report.status.clone()).collect();
        let children = match resource.deleted {
            Some(_) => self.children(&resource).await?,
            None => 0,
        };
        let before = rows::status(&resource)?;
        let subject = Subject {
            generation: resource.generation,
            deleting: resource.deleted.is_some(),
            children,
            required: self.options.required(resource.kind),
            reports: &reports,
            before: &before,
            now: self.now,
        };
        resource.status = serde_json::value::to_raw_value(&subject.aggregate()).expect("a status can be JSON");
        let gone = subject.may_go() && !holds(&resource);
        resource.updated.0 = self.now;
        Ok(self.change(if gone { Changed::Gone } else { Changed::Updated }, resource, relabelled))
    }

    /// A record changes; its place among the changes.
    pub(crate) fn change(&mut self, changed: Changed, resource: Resource, relabelled: bool) -> usize {
        self.changes.push(Change { changed, resource, relabelled });
        self.changes.len() - 1
    }

    /// Whether the change at `place` removes its record.
    pub(crate) fn is_gone(&self, place: usize) -> bool {
        self.changes[place].changed == Changed::Gone
    }

    /// Takes the revisions and writes what has changed: the records as they are now, in the order of the changes.
    pub(crate) async fn finish(mut self) -> Result<Vec<Resource>, Failure> {
        let changes = std::mem::take(&mut self.changes);
        match changes.as_slice() {
            [] => return Ok(Vec::new()),
            [Change { changed: Changed::Updated, resource, relabelled: false }]
                if self.dialect() == Dialect::Postgres =>
            {
                return Ok(vec![self.update_and_log(resource.clone()).await?]);
            }
            _ => (),
        }
        let mut revision = self.take_revisions(&changes).await? - changes.len() as u64;
        let mut after = Vec::with_capacity(changes.len());
        for mut change in changes {
            revision += 1;
            let previous = std::mem::replace(&mut change.resource.revision, revision);
            self.write(&change, previous).await?;
            after.push(change.resource);
        }
        Ok(after)
    }

    /// The newest of the revisions taken, one for each change.
    async fn take_revisions(&mut self, changes: &[Change]) -> Result<u64, Failure> {
        let grown = |kind| {
            let of_kind = changes.iter().filter(|change| change.resource.kind == kind);
            Value::Integer(of_kind.map(|change| change.changed.grows()).sum())
        };
        let values = [Value::Integer(changes.len() as i64), grown(Kind::Cluster), grown(Kind::NodePool)];
        let row = self.connection.row(Statement::new(sql::TAKE_REVISIONS, values)).await?;
        let row = row.ok_or_else(|| Error::Internal("the table counter has no row".to_owned()))?;
        Ok(row.integer(0)? as u64)
    }

    /// All of a change that is the only one, at once.
    async fn update_and_log(&mut self, mut resource: Resource) -> Result<Resource, Failure> {
        let mut values = rows::update_values(&resource)?;
        values.extend([
            Value::text(resource.kind.as_str()),
            Value::text(&resource.object_name),
            Value::time(self.now),
            Value::text(rows::logged(resource.clone())),
        ]);
        let row = self.connection.row(Statement::new(sql::update_and_log(resource.kind), values)).await?;
        let row = row.ok_or_else(|| Error::Internal("the table counter has no row".to_owned()))?;
        resource.revision = row.integer(0)? as u64;
        Ok(resource)
    }

    async fn write(&mut self, change: &Change, previous: u64) -> Result<(), Failure> {
        let Change { changed, resource, relabelled } = change;
        let kind = resource.kind;
        let place = || [Value::text(kind.as_str()), Value::text(&resource.id)];
        let touched = match changed {
            Changed::Created => {
                self.connection.execute(Statement::new(sql::insert(kind), rows::insert_values(resource)?)).await?
            }
            Changed::Updated => {
                self.connection.execute(Statement::new(sql::update(kind), rows::update_values(resource)?)).await?
            }
            Changed::Gone => {
                self.connection.execute(Statement::new(sql::REMOVE_STATUSES, place())).await?;
                self.connection.execute(Statement::new(sql::remove(kind), [Value::text(&resource.id)])).await?
            }
        };
        if touched != 1 {
            return Err(Error::Internal(format!("{touched} rows for {} {}", kind.as_str(), resource.id)).into());
        }
        if *changed == Changed::Gone || (*relabelled && *changed == Changed::Updated) {
            self.connection.execute(Statement::new(sql::REMOVE_LABELS, place())).await?;
        }
        if *changed != Changed::Gone && *relabelled && !resource.labels.is_empty() {
            let [kind, id] = place();
            let labels = [kind, id, Value::Json(Some(rows::json(&resource.labels)))];
            self.connection.execute(Statement::new(sql::insert_labels(self.dialect()), labels)).await?;
        }
        self.log(change, previous).await
    }

    async fn log(&mut self, Change { changed, resource, .. }: &Change, previous: u64) -> Result<(), Failure> {
        let values = [
            Value::Integer(resource.revision as i64),
            Value::text(resource.kind.as_str()),
            Value::text(&resource.id),
            Value::text(&resource.object_name),
            Value::Integer(changed.number()),
            Value::Integer(previous as i64),
            Value::time(self.now),
            Value::text(rows::logged(resource.clone())),
        ];
        self.connection.execute(Statement::new(sql::LOG, values)).await?;
        Ok(())
    }
}

/// Whether finalizers of the Kubernetes view hold a record.
fn holds(resource: &Resource) -> bool {
    #[derive(serde::Deserialize)]
    struct Kubernetes {
        #[serde(default)]
        finalizers: Vec<serde_json::Value>,
    }
    let kubernetes = serde_json::from_str::<Kubernetes>(resource.kubernetes.get());
    kubernetes.is_ok_and(|kubernetes| !kubernetes.finalizers.is_empty())
}

/// A text that can be bound. One that cannot is no id and no name of anything.
pub(crate) fn printable(text: &str) -> Result<&str> {
    match text.contains('\0') {
        true => Err(Error::NotFound("no id and no name has a NUL character".to_owned())),
        false => Ok(text),
    }
}

pub(crate) fn not_found(Key { kind, owner, id }: &Key) -> Error {
    Error::NotFound(match (kind, owner) {
        (Kind::NodePool, Some(owner)) => format!("NodePool '{id}' not found for cluster '{owner}'"),
        (kind, _) => format!("{} with id='{id}' not found", kind.as_str()),
    })
}

pub(crate) fn cluster_not_found(id: &str) -> Error {
    Error::NotFound(format!("Cluster with id='{id}' not found"))
}
