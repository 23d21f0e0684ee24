//! All statements, one constant or function each.

/// How many columns an `INSERT` into history binds for each row.
pub(crate) const INSERT_BINDS: usize = 13;

/// The columns that a [`crate::rows::content`] is read from, of the history row `$table`.
macro_rules! content {
    ($table:literal) => {
        concat!(
            $table,
            ".revision, ",
            $table,
            ".uid, ",
            $table,
            ".labels, ",
            $table,
            ".fields, ",
            $table,
            ".schema, ",
            $table,
            ".splice, ",
            $table,
            ".encoding, ",
            $table,
            ".value"
        )
    };
}

/// The newest row at or below `?1` of the key of `o`; NULL when all that was is compacted.
macro_rules! as_of {
    () => {
        "iif(o.revision <= ?1, o.revision, (
            WITH RECURSIVE chain (revision) AS (
                SELECT previous FROM history WHERE revision = o.revision
                UNION ALL
                SELECT b.previous FROM chain JOIN history b ON b.revision = chain.revision WHERE chain.revision > ?1
            )
            SELECT revision FROM chain WHERE revision <= ?1
        ))"
    };
}

// === open ===

pub(crate) const APPLICATION_ID: &str = "PRAGMA application_id";
/// Ours or others'; that of the migrations alone is what a crash of the very first start leaves.
pub(crate) const TABLES: &str = "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> '_sqlx_migrations'";
pub(crate) const BOUNDS: &str = "SELECT resource_version, compacted FROM resource_version";
pub(crate) const RESOURCES: &str = "SELECT id, api_group, resource FROM resources";
pub(crate) const SCHEMAS: &str = "SELECT id, name FROM schemas";

// === names ===

pub(crate) const INSERT_SCHEMA: &str = "INSERT INTO schemas (id, name) VALUES (?1, ?2)";
pub(crate) const INSERT_RESOURCE: &str = "INSERT INTO resources (id, api_group, resource) VALUES (?1, ?2, ?3)";
pub(crate) const NAME_TAKEN: &str = "SELECT count(*) FROM sqlite_schema WHERE lower(name) = lower(?1)";

/// The view of the resource with number `id`.
pub(crate) fn create_view(name: &str, id: i64) -> String {
    format!(
        "CREATE VIEW {} AS
        SELECT o.namespace, o.name, h.uid, o.revision AS resource_version, o.labels, o.fields, h.encoding,
               CASE h.encoding WHEN 0 THEN CAST(h.value AS TEXT) ELSE h.value END AS object
        FROM objects o JOIN history h ON h.revision = o.revision
        WHERE o.resource = {id} AND o.deleted = 0",
        quoted(name)
    )
}

/// `name` as an SQL identifier, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

// === a turn ===

/// What keys are, by their places in a JSON array of `[resource, namespace, name]`.
pub(crate) const CURRENT: &str = concat!(
    "SELECT k.key, o.revision, o.deleted, ",
    content!("h"),
    " FROM json_each(?1) k
    CROSS JOIN objects o
        ON o.resource = k.value ->> 0 AND o.namespace = k.value ->> 1 AND o.name = k.value ->> 2
    LEFT JOIN history h ON h.revision = o.revision AND o.deleted = 0"
);

pub(crate) const COMMITTED: &str = "SELECT count(*) FROM history WHERE revision = ?1";

/// Appends `rows` rows, as the whole of a transaction or at one end of it.
pub(crate) fn append(rows: usize, begin: bool, commit: bool) -> String {
    let mut sql = String::with_capacity(160 + rows * (2 * INSERT_BINDS + 4));
    if begin {
        sql.push_str("BEGIN IMMEDIATE; ");
    }
    sql.push_str(
        "INSERT INTO history (revision, previous, change, resource, encoding, splice, schema, \
         namespace, name, uid, labels, fields, value) VALUES ",
    );
    // Without numbers: looking up the number of each would take time by the square of the binds.
    for row in 0..rows {
        sql.push_str(if row == 0 { "(?" } else { "), (?" });
        (1..INSERT_BINDS).for_each(|_| sql.push_str(",?"));
    }
    sql.push(')');
    if commit {
        sql.push_str("; COMMIT");
    }
    sql
}

// === reads ===

pub(crate) const GET: &str = concat!(
    "SELECT ",
    content!("h"),
    " FROM objects o CROSS JOIN history h ON h.revision = ",
    as_of!(),
    " WHERE o.resource = ?2 AND o.namespace = ?3 AND o.name = ?4 AND h.change <> 3"
);

/// The head of every page: what comes after it says which objects.
pub(crate) const PAGE: &str = concat!(
    "SELECT o.namespace, o.name, ",
    content!("h"),
    " FROM objects o CROSS JOIN history h ON h.revision = ",
    as_of!(),
    " WHERE h.change <> 3"
);

pub(crate) const PAGE_END: &str = " ORDER BY o.namespace, o.name LIMIT ";

/// The head of a look at how far a number of keys goes.
pub(crate) const BOUND: &str = "SELECT o.namespace, o.name FROM objects o WHERE TRUE";

pub(crate) const BOUND_END: &str = " ORDER BY o.namespace, o.name LIMIT 1 OFFSET ";

pub(crate) const COUNT: &str = "SELECT count(*) FROM objects o WHERE o.deleted = 0";

/// Events of a resource after `?2` and up to `?3`; in namespace `?4`, if that is not NULL.
pub(crate) const EVENTS: &str = concat!(
    "SELECT h.namespace, h.name, h.change, ",
    content!("h"),
    ", ",
    content!("p"),
    " FROM history h LEFT JOIN history p ON p.revision = h.previous AND h.change <> 1
    WHERE h.resource = ?1 AND h.revision > ?2 AND h.revision <= ?3 AND (?4 IS NULL OR h.namespace = ?4)
    ORDER BY h.revision LIMIT ?5"
);

// === compaction ===

/// Forgets, in the revisions after `?1` and up to `?2`, deletions and what the others replaced.
pub(crate) const COMPACT: &str = "
    BEGIN IMMEDIATE;
    DELETE FROM history WHERE revision IN (
        SELECT previous FROM history WHERE revision > ?1 AND revision <= ?2 AND previous <> 0
    );
    DELETE FROM history WHERE revision > ?1 AND revision <= ?2 AND change = 3;
    UPDATE compaction SET revision = ?2;
    COMMIT";

// === the file ===

pub(crate) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
pub(crate) const RESTART: &str = "PRAGMA wal_checkpoint(RESTART)";
pub(crate) const INTEGRITY: &str = "PRAGMA integrity_check";
pub(crate) const VACUUM_INTO: &str = "VACUUM INTO ?1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_whatever_is_in_them() {
        assert_eq!(quoted("bundledeployments"), "\"bundledeployments\"");
        assert_eq!(quoted("a\"; DROP TABLE history; --"), "\"a\"\"; DROP TABLE history; --\"");
    }

    #[test]
    fn an_append_binds_every_column_of_every_row() {
        let sql = append(2, true, true);
        assert!(sql.starts_with("BEGIN IMMEDIATE; INSERT INTO history"), "{sql}");
        assert!(sql.ends_with(",?); COMMIT"), "{sql}");
        assert_eq!(sql.matches('?').count(), 2 * INSERT_BINDS);
        assert!(!append(1, false, false).contains(';'));
    }
}
