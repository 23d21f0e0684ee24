-- Times are microseconds since 1970-01-01T00:00:00Z. JSON is text. Foreign keys are enforced by every connection.

-- One row. Each transaction that writes takes its revisions from here, so commits are in the order of revisions.
CREATE TABLE counter (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    head INTEGER NOT NULL,        -- the newest revision
    compacted INTEGER NOT NULL,   -- changes after this revision are in the log
    clusters INTEGER NOT NULL,    -- how many there are
    node_pools INTEGER NOT NULL
);
INSERT INTO counter VALUES (1, 0, 0, 0, 0);

CREATE TABLE clusters (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    object_name TEXT NOT NULL UNIQUE,
    generation INTEGER NOT NULL,
    created_time INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_time INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    deleted_time INTEGER,
    deleted_by TEXT,
    status_phase TEXT NOT NULL,
    status_observed_generation INTEGER NOT NULL,
    status_last_transition_time INTEGER NOT NULL,
    status_last_updated_time INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    conditions TEXT NOT NULL,     -- of the status, by type, for searches
    labels TEXT NOT NULL,         -- as in the table of labels
    status TEXT NOT NULL,
    kubernetes TEXT NOT NULL,
    spec TEXT NOT NULL
);
CREATE INDEX clusters_by_time ON clusters (created_time DESC, id);

CREATE TABLE node_pools (
    id TEXT NOT NULL PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES clusters (id),
    name TEXT NOT NULL,
    object_name TEXT NOT NULL UNIQUE,
    generation INTEGER NOT NULL,
    created_time INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_time INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    deleted_time INTEGER,
    deleted_by TEXT,
    status_phase TEXT NOT NULL,
    status_observed_generation INTEGER NOT NULL,
    status_last_transition_time INTEGER NOT NULL,
    status_last_updated_time INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    conditions TEXT NOT NULL,
    labels TEXT NOT NULL,
    status TEXT NOT NULL,
    kubernetes TEXT NOT NULL,
    spec TEXT NOT NULL,
    UNIQUE (owner_id, name)
);
CREATE INDEX node_pools_by_time ON node_pools (created_time DESC, id);
CREATE INDEX node_pools_by_owner ON node_pools (owner_id, created_time DESC, id);
CREATE INDEX node_pools_by_name ON node_pools (name);

CREATE TABLE adapter_statuses (
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    adapter TEXT NOT NULL,
    observed_generation INTEGER NOT NULL,
    observed_time INTEGER NOT NULL,
    created_time INTEGER NOT NULL,
    last_report_time INTEGER NOT NULL,
    conditions TEXT NOT NULL,
    data TEXT NOT NULL,
    metadata TEXT,
    PRIMARY KEY (resource_type, resource_id, adapter)
) WITHOUT ROWID;

CREATE TABLE labels (
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (resource_type, resource_id, key)
) WITHOUT ROWID;
CREATE INDEX labels_by_value ON labels (resource_type, key, value, resource_id);

-- What each revision made of a record. Compaction keeps each record's newest entry at or below counter.compacted.
CREATE TABLE log (
    revision INTEGER NOT NULL PRIMARY KEY,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    object_name TEXT NOT NULL,
    change INTEGER NOT NULL,      -- 1 created, 2 updated, 3 gone
    previous INTEGER NOT NULL,    -- the revision of the record before, 0 for none
    time INTEGER NOT NULL,
    record TEXT NOT NULL          -- the record after it, before it where it is gone
);
CREATE INDEX log_by_name ON log (resource_type, object_name, revision);
