-- Work to be done after a transaction, at least once: mail, webhooks. Times are epoch milliseconds.

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT,
    queue TEXT NOT NULL,
    payload BYTEA NOT NULL,
    state TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    locked_until BIGINT,
    last_error TEXT,
    created_at BIGINT NOT NULL
);

CREATE INDEX jobs_run_at_idx ON jobs (queue, run_at) WHERE state = 'queued';
