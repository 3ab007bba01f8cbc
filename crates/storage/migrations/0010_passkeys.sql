-- Passkeys of users. A credential id means one user in a project. Keys are public; nothing here is secret. Times are epoch
-- milliseconds.

CREATE TABLE passkeys (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    credential_id BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    rp_id TEXT NOT NULL,
    aaguid TEXT NOT NULL,
    sign_count BIGINT NOT NULL,
    is_backup_eligible BOOLEAN NOT NULL,
    is_backed_up BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX passkeys_credential_id_key ON passkeys (project_id, credential_id);
CREATE INDEX passkeys_user_id_idx ON passkeys (project_id, user_id, created_at);
