-- Every revision, and the only place where an object's bytes are. Rows are appended, and deleted by compaction; they
-- are never updated. What is small comes first, so that reading it does not walk through a large value.
CREATE TABLE history (
    revision  INTEGER PRIMARY KEY,
    previous  INTEGER NOT NULL, -- the row before this one of the same key, 0 for none
    change    INTEGER NOT NULL, -- 1 created, 2 updated, 3 deleted
    resource  INTEGER NOT NULL,
    encoding  INTEGER NOT NULL, -- of value: 0 plain, 1 zstd
    splice    INTEGER NOT NULL,
    schema    INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    uid       TEXT NOT NULL,
    labels    TEXT,             -- JSON object, NULL when empty
    fields    TEXT,             -- JSON object, NULL when empty
    value     BLOB              -- NULL for a deletion: its last bytes are at previous
) STRICT;

-- The rowid in it is the revision: the events of one resource in order.
CREATE INDEX history_of_resource ON history (resource);

-- For each key where its newest row is, deletions included until they are compacted.
CREATE TABLE objects (
    resource  INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    revision  INTEGER NOT NULL,
    deleted   INTEGER NOT NULL,
    labels    TEXT,
    fields    TEXT,
    PRIMARY KEY (resource, namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER objects_follow_history AFTER INSERT ON history BEGIN
    INSERT OR REPLACE INTO objects
    VALUES (new.resource, new.namespace, new.name, new.revision, new.change = 3, new.labels, new.fields);
END;

-- What is compacted of a key is its deletion last, unless the key has been used again.
CREATE TRIGGER objects_forget_deletions AFTER DELETE ON history WHEN old.change = 3 BEGIN
    DELETE FROM objects
    WHERE resource = old.resource AND namespace = old.namespace AND name = old.name AND revision = old.revision;
END;

-- Strings that every row would repeat.
CREATE TABLE resources (
    id            INTEGER PRIMARY KEY,
    api_group     TEXT NOT NULL,
    resource      TEXT NOT NULL,
    UNIQUE (api_group, resource)
) STRICT;

CREATE TABLE schemas (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One row: what is only needed below this revision is gone.
CREATE TABLE compaction (
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO compaction VALUES (0);

CREATE VIEW resource_version AS
SELECT max(coalesce((SELECT max(revision) FROM history), 0), revision) AS resource_version,
       revision AS compacted
FROM compaction;

CREATE VIEW watch_events AS
SELECT h.revision AS resource_version,
       CASE h.change WHEN 1 THEN 'ADDED' WHEN 2 THEN 'MODIFIED' ELSE 'DELETED' END AS type,
       r.api_group, r.resource, h.namespace, h.name, h.uid, h.labels, h.fields,
       nullif(h.previous, 0) AS previous_resource_version,
       h.encoding,
       CASE h.encoding WHEN 0 THEN CAST(h.value AS TEXT) ELSE h.value END AS object
FROM history h JOIN resources r ON r.id = h.resource;

-- 'Outr', so that no other database is taken for one of ours.
PRAGMA application_id = 1333097586;
