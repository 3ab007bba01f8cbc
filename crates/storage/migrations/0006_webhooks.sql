-- Webhooks: who listens, what was said, what is still to be delivered, and how each attempt went. Deliveries do not
-- refer to their endpoint by a foreign key: an endpoint that goes away must not fail the transaction of an event.
-- Times are epoch milliseconds.

CREATE TABLE webhook_endpoints (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    uid TEXT,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    event_types TEXT,
    secret_sealed BYTEA NOT NULL,
    previous_secret_sealed BYTEA,
    previous_secret_until BIGINT,
    is_disabled BOOLEAN NOT NULL,
    failing_since BIGINT,
    locked_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX webhook_endpoints_uid_key ON webhook_endpoints (project_id, uid);

CREATE TABLE webhook_messages (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX webhook_messages_created_at_idx ON webhook_messages (created_at);

CREATE TABLE webhook_deliveries (
    project_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (project_id, endpoint_id, message_id),
    FOREIGN KEY (project_id, message_id) REFERENCES webhook_messages (project_id, id) ON DELETE CASCADE
);

CREATE INDEX webhook_deliveries_run_at_idx ON webhook_deliveries (project_id, endpoint_id, run_at, message_id);
CREATE INDEX webhook_deliveries_message_id_idx ON webhook_deliveries (project_id, message_id);

CREATE TABLE webhook_attempts (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    url TEXT NOT NULL,
    succeeded BOOLEAN NOT NULL,
    is_manual BOOLEAN NOT NULL,
    status_code BIGINT,
    response TEXT NOT NULL,
    duration_millis BIGINT NOT NULL,
    attempted_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, message_id) REFERENCES webhook_messages (project_id, id) ON DELETE CASCADE
);

CREATE INDEX webhook_attempts_endpoint_id_idx ON webhook_attempts (project_id, endpoint_id, id);
CREATE INDEX webhook_attempts_message_id_idx ON webhook_attempts (project_id, message_id, id);
