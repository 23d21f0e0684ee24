-- Text compares byte by byte, whatever the locale of the database: lists are in the same order everywhere.

-- One row. Each transaction that writes takes its revisions from here, so commits are in the order of revisions.
CREATE TABLE counter (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    head BIGINT NOT NULL,        -- the newest revision
    compacted BIGINT NOT NULL,   -- changes after this revision are in the log
    clusters BIGINT NOT NULL,    -- how many there are
    node_pools BIGINT NOT NULL
);
INSERT INTO counter VALUES (1, 0, 0, 0, 0);

CREATE TABLE clusters (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    object_name TEXT COLLATE "C" NOT NULL UNIQUE,
    generation BIGINT NOT NULL,
    created_time TIMESTAMPTZ NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_time TIMESTAMPTZ NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    deleted_time TIMESTAMPTZ,
    deleted_by TEXT COLLATE "C",
    status_phase TEXT COLLATE "C" NOT NULL,
    status_observed_generation BIGINT NOT NULL,
    status_last_transition_time TIMESTAMPTZ NOT NULL,
    status_last_updated_time TIMESTAMPTZ NOT NULL,
    revision BIGINT NOT NULL,
    conditions JSONB NOT NULL,     -- of the status, by type, for searches
    labels JSON NOT NULL,         -- as in the table of labels
    status JSON NOT NULL,
    kubernetes JSON NOT NULL,
    spec JSON NOT NULL
);
CREATE INDEX clusters_by_time ON clusters (created_time DESC, id);

CREATE TABLE node_pools (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner_id TEXT COLLATE "C" NOT NULL REFERENCES clusters (id),
    name TEXT COLLATE "C" NOT NULL,
    object_name TEXT COLLATE "C" NOT NULL UNIQUE,
    generation BIGINT NOT NULL,
    created_time TIMESTAMPTZ NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    updated_time TIMESTAMPTZ NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    deleted_time TIMESTAMPTZ,
    deleted_by TEXT COLLATE "C",
    status_phase TEXT COLLATE "C" NOT NULL,
    status_observed_generation BIGINT NOT NULL,
    status_last_transition_time TIMESTAMPTZ NOT NULL,
    status_last_updated_time TIMESTAMPTZ NOT NULL,
    revision BIGINT NOT NULL,
    conditions JSONB NOT NULL,
    labels JSON NOT NULL,
    status JSON NOT NULL,
    kubernetes JSON NOT NULL,
    spec JSON NOT NULL,
    UNIQUE (owner_id, name)
);
CREATE INDEX node_pools_by_time ON node_pools (created_time DESC, id);
CREATE INDEX node_pools_by_owner ON node_pools (owner_id, created_time DESC, id);
CREATE INDEX node_pools_by_name ON node_pools (name);

CREATE TABLE adapter_statuses (
    resource_type TEXT COLLATE "C" NOT NULL,
    resource_id TEXT COLLATE "C" NOT NULL,
    adapter TEXT COLLATE "C" NOT NULL,
    observed_generation BIGINT NOT NULL,
    observed_time TIMESTAMPTZ NOT NULL,
    created_time TIMESTAMPTZ NOT NULL,
    last_report_time TIMESTAMPTZ NOT NULL,
    conditions JSON NOT NULL,
    data JSON NOT NULL,
    metadata JSON,
    PRIMARY KEY (resource_type, resource_id, adapter)
);

CREATE TABLE labels (
    resource_type TEXT COLLATE "C" NOT NULL,
    resource_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (resource_type, resource_id, key)
);
CREATE INDEX labels_by_value ON labels (resource_type, key, value, resource_id);

-- What each revision made of a record. Compaction keeps each record's newest entry at or below counter.compacted.
CREATE TABLE log (
    revision BIGINT NOT NULL PRIMARY KEY,
    resource_type TEXT COLLATE "C" NOT NULL,
    resource_id TEXT COLLATE "C" NOT NULL,
    object_name TEXT COLLATE "C" NOT NULL,
    change BIGINT NOT NULL,      -- 1 created, 2 updated, 3 gone
    previous BIGINT NOT NULL,    -- the revision of the record before, 0 for none
    time TIMESTAMPTZ NOT NULL,
    record TEXT NOT NULL          -- the record after it, before it where it is gone
);
CREATE INDEX log_by_name ON log (resource_type, object_name, revision);

-- Wakes whoever waits for a change. The log is the truth when a notification is lost.
CREATE FUNCTION hyperfleet_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('hyperfleet_changed', NEW.head::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER hyperfleet_changed AFTER UPDATE OF head ON counter FOR EACH ROW EXECUTE FUNCTION hyperfleet_changed();
