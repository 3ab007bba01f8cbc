-- Sign-ins of command-line programs that are completed in a browser. Codes are hashes, refresh tokens are sealed and gone
-- as soon as they are handed out. Times are epoch milliseconds.

CREATE TABLE cli_logins (
    project_id TEXT NOT NULL,
    polling_code_hash BYTEA NOT NULL,
    login_code_hash BYTEA NOT NULL,
    refresh_token_sealed BYTEA,
    anonymous_token_sealed BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    completed_at BIGINT,
    used_at BIGINT,
    PRIMARY KEY (project_id, polling_code_hash),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX cli_logins_login_code_key ON cli_logins (project_id, login_code_hash);
CREATE INDEX cli_logins_expires_at_idx ON cli_logins (expires_at);
