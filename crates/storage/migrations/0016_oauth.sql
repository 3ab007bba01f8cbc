-- Signing in through OAuth providers: flows on their way through the browser, and the codes that end them. Times are
-- epoch milliseconds.

CREATE TABLE oauth_states (
    project_id TEXT NOT NULL,
    state_hash BYTEA NOT NULL,
    flow_sealed BYTEA NOT NULL,
    has_cookie BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, state_hash),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX oauth_states_created_at_idx ON oauth_states (created_at);

CREATE TABLE oauth_authorization_codes (
    project_id TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    user_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    challenge_method TEXT NOT NULL,
    is_new_user BOOLEAN NOT NULL,
    after_callback_redirect_url TEXT,
    handed_over_session_id TEXT,
    refresh_token_sealed BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    session_id TEXT,
    PRIMARY KEY (project_id, code_hash),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);
CREATE INDEX oauth_authorization_codes_user_id_idx ON oauth_authorization_codes (project_id, user_id);
CREATE INDEX oauth_authorization_codes_expires_at_idx ON oauth_authorization_codes (expires_at);
