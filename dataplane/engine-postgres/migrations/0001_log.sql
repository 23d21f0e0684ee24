-- The log is an undo log: `current` has each object as it is, and each row of `history` what its write replaced.
--
--     current   a@9                 b@7
--     history   a@9: was a@4        b@7: was b@2      c@8 deleted: was c@3
--
-- As of a revision, an object is what its first write above that revision replaced, and else what it is. So history is
-- forgotten by dropping its oldest partitions, and nothing is ever deleted from it row by row.

-- One row, locked by whoever appends: this is the order.
CREATE TABLE outrigger.head (
    revision    bigint  NOT NULL,
    compacted   bigint  NOT NULL,
    -- No revision above this one has ever been given out, by any server that this one may have been copied from.
    ceiling     bigint  NOT NULL,
    -- Of the server that wrote last.
    timeline    text    NOT NULL,
    -- Whether a synchronous standby had each write before it was acknowledged.
    synchronous boolean NOT NULL,
    -- How many revisions a partition of the history has. Never changes.
    partition   bigint  NOT NULL,
    one         boolean PRIMARY KEY DEFAULT true CHECK (one)
);

INSERT INTO outrigger.head (revision, compacted, ceiling, timeline, synchronous, partition)
VALUES (0, 0, 1000000, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), false, 65536);

-- Strings that every row would repeat.
CREATE TABLE outrigger.resources (
    id        integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    api_group text NOT NULL,
    resource  text NOT NULL,
    UNIQUE (api_group, resource)
);

CREATE TABLE outrigger.schemas (
    id   integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE
);

CREATE TABLE outrigger.current (
    resource  integer NOT NULL,
    revision  bigint  NOT NULL,
    schema    integer NOT NULL,
    splice    integer NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    uid       text    NOT NULL,
    labels    jsonb,            -- NULL when empty
    fields    jsonb,            -- NULL when empty
    value     bytea   NOT NULL, -- the object's JSON, in UTF-8
    PRIMARY KEY (resource, namespace, name)
) WITH (fillfactor = 80);

CREATE INDEX current_labels ON outrigger.current USING gin (labels jsonb_path_ops) WHERE labels IS NOT NULL;
CREATE INDEX current_fields ON outrigger.current USING gin (fields jsonb_path_ops) WHERE fields IS NOT NULL;

CREATE TABLE outrigger.history (
    revision  bigint   NOT NULL,
    change    smallint NOT NULL, -- 1 created, 2 updated, 3 deleted
    resource  integer  NOT NULL,
    writer    bigint   NOT NULL, -- the log that wrote it, by a number of its own
    namespace text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    -- What the write replaced; NULL for a creation.
    previous  bigint,
    schema    integer,
    splice    integer,
    uid       text,
    labels    jsonb,
    fields    jsonb,
    value     bytea,
    PRIMARY KEY (revision)
) PARTITION BY RANGE (revision);

CREATE INDEX history_of_resource ON outrigger.history (resource, revision);
CREATE INDEX history_of_object ON outrigger.history (resource, namespace, name, revision);

-- Large values are compressed by the server, so that everybody can read them.
DO $$
BEGIN
    ALTER TABLE outrigger.current ALTER COLUMN value SET COMPRESSION lz4;
    ALTER TABLE outrigger.history ALTER COLUMN value SET COMPRESSION lz4;
EXCEPTION WHEN OTHERS THEN
    NULL; -- a server that was built without lz4
END
$$;

-- Makes the partition of `history` that revision `of` belongs to, where it is missing; returns its last revision.
CREATE FUNCTION outrigger.make_partition(of bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    size  bigint := (SELECT partition FROM outrigger.head);
    first bigint := ((of - 1) / size) * size + 1;
    name  text   := format('history_%s', first);
BEGIN
    IF to_regclass('outrigger.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE outrigger.%I (LIKE outrigger.history INCLUDING ALL)', name);
        EXECUTE format('ALTER TABLE outrigger.history ATTACH PARTITION outrigger.%I FOR VALUES FROM (%s) TO (%s)',
                       name, first, first + size);
    END IF;
    RETURN first + size - 1;
END
$$;

-- An object for people: NULL where PostgreSQL cannot show what JSON allows, such as \u0000.
CREATE FUNCTION outrigger.readable(value bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN convert_from(value, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

CREATE VIEW outrigger.objects AS
SELECT r.api_group, r.resource, o.namespace, o.name, o.uid, o.revision AS resource_version, o.labels, o.fields,
       outrigger.readable(o.value) AS object
FROM outrigger.current o JOIN outrigger.resources r ON r.id = o.resource;

CREATE VIEW outrigger.resource_version AS
SELECT revision AS resource_version, compacted FROM outrigger.head;

CREATE VIEW outrigger.watch_events AS
SELECT h.revision AS resource_version,
       CASE h.change WHEN 1 THEN 'ADDED' WHEN 2 THEN 'MODIFIED' ELSE 'DELETED' END AS type,
       r.api_group, r.resource, h.namespace, h.name,
       h.previous AS previous_resource_version,
       outrigger.readable(h.value) AS previous_object
FROM outrigger.history h JOIN outrigger.resources r ON r.id = h.resource
WHERE h.revision > (SELECT compacted FROM outrigger.head);
