-- Requests of people who forgot their password. Each lives for a moment: whether anybody has its address is looked up
-- behind the answer, so that the answer takes as long for every address.

CREATE TABLE password_reset_requests (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    request_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX password_reset_requests_created_at_idx ON password_reset_requests (created_at, id);
