-- What providers gave for linked accounts: one row per time that somebody agreed, with an access token and perhaps a
-- refresh token, both sealed. Whoever refreshes holds the row until `refreshing_until`. Times are epoch milliseconds.

CREATE TABLE oauth_tokens (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    oauth_account_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    is_shared BOOLEAN NOT NULL,
    access_token_sealed BYTEA,
    access_scopes TEXT NOT NULL,
    access_expires_at BIGINT,
    refresh_token_sealed BYTEA,
    refresh_scopes TEXT NOT NULL,
    generation BIGINT NOT NULL,
    refreshing_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, oauth_account_id) REFERENCES oauth_accounts (project_id, id) ON DELETE CASCADE
);
CREATE INDEX oauth_tokens_oauth_account_id_idx ON oauth_tokens (project_id, oauth_account_id);
CREATE INDEX oauth_tokens_access_expires_at_idx ON oauth_tokens (access_expires_at)
    WHERE refresh_token_sealed IS NULL;
