-- API keys of users and teams. Only a hash of a key is kept. Times are epoch milliseconds.

CREATE TABLE api_keys (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    user_id TEXT,
    team_id TEXT,
    description TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    last_four TEXT NOT NULL,
    is_public BOOLEAN NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    request_count BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, team_id) REFERENCES teams (project_id, id) ON DELETE CASCADE
);

-- A scanner that found a key does not know its project.
CREATE UNIQUE INDEX api_keys_key_hash_key ON api_keys (key_hash);
CREATE INDEX api_keys_user_id_idx ON api_keys (project_id, user_id, created_at);
CREATE INDEX api_keys_team_id_idx ON api_keys (project_id, team_id, created_at);
