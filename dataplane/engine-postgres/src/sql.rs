//! All statements, one constant each. Names are qualified, because a pooler may give each transaction another connection.

/// The columns that a [`crate::rows::content`] is read from, of an object or of what a write replaced.
macro_rules! content {
    ($table:literal, $revision:literal) => {
        concat!(
            $table,
            ".",
            $revision,
            ", ",
            $table,
            ".schema, ",
            $table,
            ".splice, ",
            $table,
            ".uid, ",
            $table,
            ".labels::text, ",
            $table,
            ".fields::text, ",
            $table,
            ".value"
        )
    };
}

/// As `content!`, of what a write made: what the next one replaced, or what is there.
macro_rules! made {
    () => {
        "coalesce(n.previous, o.revision), coalesce(n.schema, o.schema), coalesce(n.splice, o.splice), \
         coalesce(n.uid, o.uid), (CASE WHEN n.revision IS NULL THEN o.labels ELSE n.labels END)::text, \
         (CASE WHEN n.revision IS NULL THEN o.fields ELSE n.fields END)::text, coalesce(n.value, o.value)"
    };
}

/// The head of a read of history.
macro_rules! events {
    () => {
        concat!(
            "SELECT * FROM (SELECT *, sum(bytes) OVER (ORDER BY revision) - bytes AS before, count(*) OVER () AS count
             FROM (SELECT h.resource, h.namespace, h.name, h.change, h.revision, ",
            made!(),
            ", ",
            content!("h", "previous"),
            ", coalesce(octet_length(n.value), octet_length(o.value), 0) + coalesce(octet_length(h.value), 0) AS bytes
            FROM outrigger.history h
            LEFT JOIN LATERAL (
                SELECT * FROM outrigger.history n
                WHERE n.resource = h.resource AND n.namespace = h.namespace AND n.name = h.name
                  AND n.revision > h.revision
                ORDER BY n.revision LIMIT 1
            ) n ON h.change <> 3
            LEFT JOIN outrigger.current o ON h.change <> 3 AND n.revision IS NULL
                AND o.resource = h.resource AND o.namespace = h.namespace AND o.name = h.name"
        )
    };
}

/// The end of a read of history.
macro_rules! events_end {
    () => {
        " ORDER BY h.revision LIMIT $1) event) weighed WHERE before < $2 ORDER BY revision"
    };
}

// === open ===

/// The lock that is held while names are made and partitions are dropped: 'Outr'.
pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(1333097586)";
pub(crate) const BOUNDS: &str = "SELECT revision, compacted FROM outrigger.head";
pub(crate) const RESOURCES: &str = "SELECT id, api_group, resource FROM outrigger.resources";
pub(crate) const SCHEMAS: &str = "SELECT id, name FROM outrigger.schemas";
pub(crate) const BYTES: &str = "SELECT pg_database_size(current_database())";

// === names ===

pub(crate) const INSERT_SCHEMA: &str = "INSERT INTO outrigger.schemas (name) VALUES ($1) ON CONFLICT DO NOTHING";
pub(crate) const INSERT_RESOURCE: &str =
    "INSERT INTO outrigger.resources (api_group, resource) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id";
pub(crate) const NAME_TAKEN: &str = "SELECT to_regclass($1) IS NOT NULL";

/// The view of the resource with number `id`.
pub(crate) fn create_view(name: &str, id: i32) -> String {
    format!(
        "CREATE VIEW {name} AS
        SELECT namespace, name, uid, revision AS resource_version, labels, fields, outrigger.readable(value) AS object
        FROM outrigger.current WHERE resource = {id}"
    )
}

/// `name` as an SQL identifier in our schema, whatever is in it; cut as PostgreSQL would cut it.
pub(crate) fn qualified(name: &str) -> String {
    let end = (0..=63.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
    format!("outrigger.\"{}\"", name[..end].replace('"', "\"\""))
}

// === a turn ===

/// Begins a transaction and takes the turn. Nobody may hold it for long; and what is committed must be on the disk, and on a
/// synchronous standby where the server has one.
pub(crate) const BEGIN: &str = "
    BEGIN;
    SET LOCAL idle_in_transaction_session_timeout = '10s';
    SET LOCAL statement_timeout = '30s';
    SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                      WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true) AS ignored,
           revision, timeline, synchronous, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS here
    FROM outrigger.head FOR UPDATE";
pub(crate) const COMMIT: &str = "COMMIT";
pub(crate) const ROLLBACK: &str = "ROLLBACK";

/// What keys are, by their places in the arrays.
pub(crate) const CURRENT: &str = concat!(
    "SELECT k.place, ",
    content!("o", "revision"),
    " FROM unnest($1::integer[], $2::text[], $3::text[]) WITH ORDINALITY k (resource, namespace, name, place)
    JOIN outrigger.current o ON o.resource = k.resource AND o.namespace = k.namespace AND o.name = k.name"
);

/// Appends writes, of each key one; every part sees what was there before the statement.
pub(crate) const APPEND: &str = "
    WITH w AS (
        SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::integer[], $4::integer[], $5::integer[],
                             $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[])
            w (revision, change, resource, schema, splice, namespace, name, uid, labels, fields, value)
    ), undo AS (
        INSERT INTO outrigger.history
            (revision, change, resource, writer, namespace, name, previous, schema, splice, uid, labels, fields, value)
        SELECT w.revision, w.change, w.resource, $12, w.namespace, w.name,
               o.revision, o.schema, o.splice, o.uid, o.labels, o.fields, o.value
        FROM w LEFT JOIN outrigger.current o
            ON o.resource = w.resource AND o.namespace = w.namespace AND o.name = w.name
    ), gone AS (
        DELETE FROM outrigger.current o USING w
        WHERE w.change = 3 AND o.resource = w.resource AND o.namespace = w.namespace AND o.name = w.name
    )
    INSERT INTO outrigger.current (resource, revision, schema, splice, namespace, name, uid, labels, fields, value)
    SELECT resource, revision, schema, splice, namespace, name, uid, labels::jsonb, fields::jsonb, value
    FROM w WHERE change <> 3
    ON CONFLICT (resource, namespace, name) DO UPDATE SET
        revision = excluded.revision, schema = excluded.schema, splice = excluded.splice, uid = excluded.uid,
        labels = excluded.labels, fields = excluded.fields, value = excluded.value";

/// Moves the head to `$1` and tells the others, who hear it when this is committed. `$2` is how far the ceiling stays above.
pub(crate) const ADVANCE: &str = "
    WITH moved AS (
        UPDATE outrigger.head SET
            revision = $1,
            ceiling = CASE WHEN $1 + $2 > ceiling THEN $1 + 2 * $2 ELSE ceiling END,
            timeline = substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
            synchronous = current_setting('synchronous_standby_names') <> ''
        RETURNING revision
    )
    SELECT pg_notify('outrigger', revision::text) FROM moved";

pub(crate) const MAKE_PARTITION: &str = "SELECT outrigger.make_partition($1)";

/// Who wrote a revision; asked in a turn, when no other can be under way.
pub(crate) const COMMITTED: &str = "SELECT count(*) FROM outrigger.history WHERE revision = $1 AND writer = $2";

// === reads ===

pub(crate) const GET: &str = concat!(
    "SELECT ",
    content!("o", "revision"),
    " FROM outrigger.current o WHERE o.resource = $1 AND o.namespace = $2 AND o.name = $3"
);

/// The head of every page: of at most `$2` bytes, objects that have not changed since `$1`. What comes after it says which.
/// The sizes are known without reading the values.
pub(crate) const PAGE: &str = concat!(
    "SELECT namespace, name, revision, schema, splice, uid, labels, fields, value, count FROM (
        SELECT *, count(*) OVER (),
               sum(octet_length(value)) OVER (ORDER BY namespace, name) - octet_length(value) AS before
        FROM ((SELECT o.namespace, o.name, ",
    content!("o", "revision"),
    " FROM outrigger.current o WHERE o.revision <= $1"
);

/// Between the two halves of a page: those that have, as they were before their first change since.
pub(crate) const PAGE_CHANGED: &str = concat!(
    ") UNION ALL (SELECT o.namespace, o.name, ",
    content!("o", "previous"),
    " FROM outrigger.history o JOIN (
        SELECT min(o.revision) AS revision FROM outrigger.history o WHERE o.revision > $1"
);

pub(crate) const PAGE_END: &str =
    " GROUP BY o.namespace, o.name) first ON first.revision = o.revision WHERE o.change <> 1)
    ORDER BY namespace, name LIMIT $3) page) weighed
    WHERE before < $2 ORDER BY namespace, name";

pub(crate) const COUNT: &str = "SELECT count(*) FROM outrigger.current o WHERE true";

/// Events of resource `$3` after `$4` and up to `$5`; in namespace `$6`, if that is not NULL. At most `$1`, and not many more
/// bytes than `$2`.
pub(crate) const EVENTS: &str = concat!(
    events!(),
    " WHERE h.resource = $3 AND h.revision > $4 AND h.revision <= $5 AND ($6::text IS NULL OR h.namespace = $6)",
    events_end!()
);

/// Events of every resource after `$3`.
pub(crate) const ALL_EVENTS: &str = concat!(events!(), " WHERE h.revision > $3", events_end!());

// === compaction ===

pub(crate) const COMPACT: &str =
    "UPDATE outrigger.head SET compacted = greatest(compacted, least($1, revision)) RETURNING compacted";

/// The oldest partition whose every revision is compacted.
pub(crate) const COMPACTED_PARTITION: &str = r"
    SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid CROSS JOIN outrigger.head
    WHERE i.inhparent = 'outrigger.history'::regclass
      AND substring(c.relname FROM '^history_(\d+)$')::bigint + partition - 1 <= compacted
    ORDER BY substring(c.relname FROM '^history_(\d+)$')::bigint LIMIT 1";

/// Drops a partition, unless readers hold it for long: then another time.
pub(crate) fn drop_partition(name: &str) -> String {
    format!("BEGIN; SET LOCAL lock_timeout = '1s'; DROP TABLE IF EXISTS {}; COMMIT", qualified(name))
}

// === recovery ===

/// Goes on above whatever a server that is gone may have given out, with nothing to resume from.
pub(crate) const RECOVER: &str = "
    UPDATE outrigger.head SET
        revision = ceiling, compacted = ceiling, ceiling = ceiling + $1,
        timeline = substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), synchronous = false
    RETURNING revision";

// === operators ===

pub(crate) const READ_ONLY: &str =
    "SET default_transaction_read_only = on; SET search_path = outrigger, public; SET statement_timeout = '60s'";

/// A line for each thing that cannot be.
pub(crate) const CHECK: &str = "
    SELECT format('the head is %s, but there is revision %s', h.revision, o.revision)
    FROM outrigger.head h, outrigger.current o WHERE o.revision > h.revision
    UNION ALL
    SELECT format('revisions %s to %s of the history are missing', after + 1, revision - 1)
    FROM (
        SELECT e.revision, lag(e.revision, 1, h.compacted) OVER (ORDER BY e.revision) AS after
        FROM outrigger.history e, outrigger.head h WHERE e.revision > h.compacted
        UNION ALL
        SELECT h.revision + 1, coalesce((SELECT max(revision) FROM outrigger.history WHERE revision > h.compacted), h.compacted)
        FROM outrigger.head h
    ) e WHERE revision <> after + 1
    UNION ALL
    SELECT format('%s/%s of %s.%s is not JSON', o.namespace, o.name, r.resource, r.api_group)
    FROM outrigger.current o JOIN outrigger.resources r ON r.id = o.resource
    WHERE outrigger.readable(o.value) IS NULL AND position(convert_to('\\u0000', 'UTF8') IN o.value) = 0
    LIMIT 100";
