//! Fixed statements. [`Kind`] decides between those of clusters and of node pools.

use crate::{Kind, sql::Dialect};

/// The columns of a record, in the order in which `rows::resource` reads them.
macro_rules! columns {
    () => {
        "r.id, r.name, r.object_name, r.spec, r.labels, r.generation, r.created_time, r.created_by, r.updated_time, \
         r.updated_by, r.deleted_time, r.deleted_by, r.status, r.kubernetes, r.revision"
    };
    (Cluster) => {
        columns!()
    };
    (NodePool) => {
        concat!(columns!(), ", o.id, o.name, o.object_name")
    };
}

macro_rules! from {
    (Cluster) => {
        "clusters r"
    };
    (NodePool) => {
        "node_pools r JOIN clusters o ON o.id = r.owner_id"
    };
}

macro_rules! select {
    ($kind:ident, $where:literal) => {
        concat!("SELECT ", columns!($kind), " FROM ", from!($kind), " WHERE ", $where)
    };
}

/// A statement for each kind, and with a lock where the database has locks of rows.
macro_rules! selects {
    ($(#[$doc:meta])* $name:ident, $where:literal) => {
        $(#[$doc])*
        pub(crate) fn $name(kind: Kind, lock: Option<Dialect>) -> &'static str {
            match (kind, lock) {
                (Kind::Cluster, Some(Dialect::Postgres)) => concat!(select!(Cluster, $where), " FOR UPDATE OF r"),
                (Kind::NodePool, Some(Dialect::Postgres)) => concat!(select!(NodePool, $where), " FOR UPDATE OF r"),
                (Kind::Cluster, _) => select!(Cluster, $where),
                (Kind::NodePool, _) => select!(NodePool, $where),
            }
        }
    };
}

selects!(
    /// A record by its id.
    get, "r.id = $1"
);
selects!(
    /// A record by the name of the Kubernetes view.
    get_by_object_name, "r.object_name = $1"
);

/// The node pools of a cluster.
pub(crate) fn of_owner(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => concat!(select!(NodePool, "r.owner_id = $1 ORDER BY r.id"), " FOR UPDATE OF r"),
        Dialect::Sqlite => select!(NodePool, "r.owner_id = $1 ORDER BY r.id"),
    }
}

pub(super) fn columns(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => columns!(Cluster),
        Kind::NodePool => columns!(NodePool),
    }
}

pub(super) fn from(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => from!(Cluster),
        Kind::NodePool => from!(NodePool),
    }
}

/// How many columns a record has, before what else a statement selects.
pub(crate) fn width(kind: Kind) -> usize {
    match kind {
        Kind::Cluster => 15,
        Kind::NodePool => 18,
    }
}

/// Whether there is a cluster.
pub(crate) const CLUSTER_EXISTS: &str = "SELECT 1 FROM clusters WHERE id = $1";

/// The cluster of a node pool.
pub(crate) const OWNER: &str = "SELECT owner_id FROM node_pools WHERE id = $1";

/// The id of a cluster with this id or name.
pub(crate) const CLUSTER_CALLED: &str = "SELECT id FROM clusters WHERE id = $1 OR name = $1 ORDER BY id <> $1 LIMIT 1";

/// How many node pools a cluster has.
pub(crate) const CHILDREN: &str = "SELECT count(*) FROM node_pools WHERE owner_id = $1";

/// Whether the name or the object name of a record is taken.
pub(crate) fn taken(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => {
            "SELECT (SELECT count(*) FROM clusters WHERE name = $1), \
             (SELECT count(*) FROM clusters WHERE object_name = $2)"
        }
        Kind::NodePool => {
            "SELECT (SELECT count(*) FROM node_pools WHERE owner_id = $3 AND name = $1), \
             (SELECT count(*) FROM node_pools WHERE object_name = $2)"
        }
    }
}

macro_rules! insert {
    ($table:literal, $columns:literal, $values:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (id, name, spec, labels, generation, updated_time, updated_by, deleted_time, deleted_by, status, \
             status_phase, status_observed_generation, status_last_transition_time, status_last_updated_time, \
             conditions, kubernetes, revision, object_name, created_time, created_by",
            $columns,
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20",
            $values,
            ")"
        )
    };
}

/// Makes a record.
pub(crate) fn insert(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => insert!("clusters", "", ""),
        Kind::NodePool => insert!("node_pools", ", owner_id", ", $21"),
    }
}

macro_rules! set {
    ($table:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET name = $2, spec = $3, labels = $4, generation = $5, updated_time = $6, updated_by = $7, \
             deleted_time = $8, deleted_by = $9, status = $10, status_phase = $11, status_observed_generation = $12, \
             status_last_transition_time = $13, status_last_updated_time = $14, conditions = $15, kubernetes = $16, \
             revision = "
        )
    };
}

macro_rules! update {
    ($table:literal) => {
        concat!(set!($table), "$17 WHERE id = $1")
    };
}

macro_rules! update_and_log {
    ($table:literal) => {
        concat!(
            "WITH taken AS (UPDATE counter SET head = head + 1 RETURNING head), changed AS (",
            set!($table),
            "taken.head FROM taken WHERE id = $1) \
             INSERT INTO log (revision, resource_type, resource_id, object_name, change, previous, time, record) \
             SELECT taken.head, $18, $1, $19, 2, $17, $20, $21 FROM taken RETURNING revision"
        )
    };
}

/// All of a change that is the only one of its transaction, for PostgreSQL: takes a revision, which is answered,
/// changes the record and logs it in one round trip, since all other writers wait from here to the commit. `$17` is the
/// revision before.
pub(crate) fn update_and_log(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => update_and_log!("clusters"),
        Kind::NodePool => update_and_log!("node_pools"),
    }
}

/// Changes what of a record may change.
pub(crate) fn update(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => update!("clusters"),
        Kind::NodePool => update!("node_pools"),
    }
}

/// Removes a record.
pub(crate) fn remove(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "DELETE FROM clusters WHERE id = $1",
        Kind::NodePool => "DELETE FROM node_pools WHERE id = $1",
    }
}

pub(crate) const REMOVE_LABELS: &str = "DELETE FROM labels WHERE resource_type = $1 AND resource_id = $2";
pub(crate) const REMOVE_STATUSES: &str = "DELETE FROM adapter_statuses WHERE resource_type = $1 AND resource_id = $2";

/// Adds the labels of a record, from a JSON object.
pub(crate) fn insert_labels(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "INSERT INTO labels SELECT $1, $2, key, value FROM json_each($3)",
        Dialect::Postgres => "INSERT INTO labels SELECT $1, $2, key, value FROM json_each_text($3)",
    }
}

/// All reports of a record.
pub(crate) const STATUSES: &str = "SELECT adapter, observed_generation, observed_time, created_time, last_report_time, \
     conditions, data, metadata FROM adapter_statuses WHERE resource_type = $1 AND resource_id = $2 ORDER BY adapter";

/// Some reports of a record, and how many there are in all.
pub(crate) const STATUSES_PAGE: &str = "SELECT adapter, observed_generation, observed_time, created_time, \
     last_report_time, conditions, data, metadata, \
     (SELECT count(*) FROM adapter_statuses WHERE resource_type = $1 AND resource_id = $2) \
     FROM adapter_statuses WHERE resource_type = $1 AND resource_id = $2 ORDER BY adapter LIMIT $3 OFFSET $4";

/// How many reports a record has.
pub(crate) const STATUSES_TOTAL: &str =
    "SELECT count(*) FROM adapter_statuses WHERE resource_type = $1 AND resource_id = $2";

/// Makes or replaces a report.
pub(crate) const PUT_STATUS: &str = "INSERT INTO adapter_statuses (resource_type, resource_id, adapter, \
     observed_generation, observed_time, created_time, last_report_time, conditions, data, metadata) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     ON CONFLICT (resource_type, resource_id, adapter) DO UPDATE SET \
     observed_generation = excluded.observed_generation, observed_time = excluded.observed_time, \
     last_report_time = excluded.last_report_time, conditions = excluded.conditions, \
     data = excluded.data, metadata = excluded.metadata";

/// Takes revisions: the newest of them. From here to the commit all others wait.
pub(crate) const TAKE_REVISIONS: &str = "UPDATE counter SET head = head + $1, clusters = clusters + $2, \
     node_pools = node_pools + $3 RETURNING head";

pub(crate) const LOG: &str = "INSERT INTO log (revision, resource_type, resource_id, object_name, change, previous, \
     time, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

pub(crate) const BOUNDS: &str = "SELECT head, compacted FROM counter";

/// Changes of a kind after a revision, and the records before them.
pub(crate) const CHANGES: &str = "SELECT l.revision, l.change, l.record, p.revision, p.record FROM log l \
     LEFT JOIN log p ON p.revision = l.previous AND l.change = 2 \
     WHERE l.revision > $1 AND l.revision <= $2 AND l.resource_type = $3 ORDER BY l.revision LIMIT $4";

/// The records of a kind as of a revision, behind a name.
pub(crate) const AS_OF: &str = "SELECT l.revision, l.record FROM log l \
     WHERE l.resource_type = $1 AND l.object_name > $2 AND l.revision <= $3 AND l.change <> 3 \
     AND NOT EXISTS (SELECT 1 FROM log n WHERE n.resource_type = $1 AND n.object_name = l.object_name \
     AND n.revision > l.revision AND n.revision <= $3) \
     ORDER BY l.object_name LIMIT $4";

/// The next entries that compaction may pass.
pub(crate) const OLDEST: &str = "SELECT revision, time FROM log WHERE revision > $1 ORDER BY revision LIMIT $2";

/// Says that changes up to a revision are forgotten.
pub(crate) const COMPACT: &str = "UPDATE counter SET compacted = $2 WHERE compacted = $1";

/// Removes the entries that later ones up to the new bound replace.
pub(crate) const FORGET_REPLACED: &str =
    "DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE revision > $1 AND revision <= $2)";

/// Removes the entries of what is gone.
pub(crate) const FORGET_GONE: &str = "DELETE FROM log WHERE revision > $1 AND revision <= $2 AND change = 3";

/// Changes whenever another connection has written to the file.
pub(crate) const DATA_VERSION: &str = "PRAGMA data_version";
