-- The data vault: values that back ends have encrypted, under keys that they have hashed. Times are epoch milliseconds.

CREATE TABLE data_vault_entries (
    project_id TEXT NOT NULL,
    store_id TEXT NOT NULL,
    hashed_key TEXT NOT NULL,
    encrypted_value TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, store_id, hashed_key),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

-- By these the daily clean-up finds what has outlived its time, whatever the project.

CREATE INDEX sessions_expires_at_idx ON sessions (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX one_time_codes_expires_at_idx ON one_time_codes (expires_at);
CREATE INDEX one_time_codes_used_at_idx ON one_time_codes (used_at) WHERE used_at IS NOT NULL;
CREATE INDEX jobs_created_at_idx ON jobs (created_at) WHERE state = 'dead';
