-- Mail on its way out, and what became of it. The content is sealed: it carries links that sign people in. A mail does
-- not refer to its user by a foreign key, since it outlives the user. Times are epoch milliseconds.

CREATE TABLE outbox (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    user_id TEXT,
    addresses TEXT,
    content_sealed BYTEA NOT NULL,
    has_rendered BOOLEAN NOT NULL,
    is_high_priority BOOLEAN NOT NULL,
    is_paused BOOLEAN NOT NULL,
    scheduled_at BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    locked_until BIGINT,
    attempts BIGINT NOT NULL,
    errors TEXT,
    render_error TEXT,
    delivered_to TEXT,
    rendered_at BIGINT,
    started_at BIGINT,
    ended_at BIGINT,
    skipped_reason TEXT,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX outbox_run_at_idx ON outbox (run_at) WHERE state = 'waiting';
CREATE INDEX outbox_created_at_idx ON outbox (project_id, created_at, id);
CREATE INDEX outbox_ended_at_idx ON outbox (project_id, ended_at);

-- How fast a project's mail may leave: until when it rests, and until when it may go faster.

CREATE TABLE mail_capacities (
    project_id TEXT NOT NULL PRIMARY KEY,
    held_until BIGINT NOT NULL,
    boost_expires_at BIGINT NOT NULL,
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
