-- The core model. Times are epoch milliseconds. Every key starts with the project.
-- Secrets are SHA-256 hashes (…_hash) or sealed with the master key (…_sealed).

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    description TEXT NOT NULL,
    logo_url TEXT,
    logo_full_url TEXT,
    logo_dark_mode_url TEXT,
    logo_full_dark_mode_url TEXT,
    is_production_mode BOOLEAN NOT NULL,
    onboarding_status TEXT NOT NULL,
    owner_team_id TEXT,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE key_sets (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    description TEXT NOT NULL,
    publishable_client_key_hash BYTEA,
    publishable_client_key_last_four TEXT,
    secret_server_key_hash BYTEA,
    secret_server_key_last_four TEXT,
    super_secret_admin_key_hash BYTEA,
    super_secret_admin_key_last_four TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE TABLE signing_keys (
    project_id TEXT NOT NULL,
    kid TEXT NOT NULL,
    user_kind TEXT NOT NULL,
    state TEXT NOT NULL,
    private_key_sealed BYTEA NOT NULL,
    public_jwk TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    PRIMARY KEY (project_id, kid),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX signing_keys_user_kind_state_key ON signing_keys (project_id, user_kind, state)
    WHERE state IN ('active', 'next');

CREATE TABLE deployment_secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    display_name TEXT,
    profile_image_url TEXT,
    client_metadata TEXT,
    client_read_only_metadata TEXT,
    server_metadata TEXT,
    is_anonymous BOOLEAN NOT NULL,
    restricted_by_admin BOOLEAN NOT NULL,
    restricted_by_admin_reason TEXT,
    restricted_by_admin_private_details TEXT,
    country_code TEXT,
    risk_bot BIGINT NOT NULL,
    risk_free_trial_abuse BIGINT NOT NULL,
    otp_auth_enabled BOOLEAN NOT NULL,
    requires_totp_mfa BOOLEAN NOT NULL,
    totp_secret_sealed BYTEA,
    selected_team_id TEXT,
    signed_up_at BIGINT NOT NULL,
    last_active_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX users_signed_up_at_idx ON users (project_id, signed_up_at, id);

CREATE TABLE contact_channels (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    type TEXT NOT NULL,
    value TEXT NOT NULL,
    is_primary BOOLEAN NOT NULL,
    is_verified BOOLEAN NOT NULL,
    used_for_auth BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX contact_channels_value_key ON contact_channels (project_id, user_id, type, value);
CREATE UNIQUE INDEX contact_channels_used_for_auth_key ON contact_channels (project_id, type, value)
    WHERE used_for_auth;
CREATE UNIQUE INDEX contact_channels_is_primary_key ON contact_channels (project_id, user_id, type)
    WHERE is_primary;

CREATE TABLE credentials (
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    hash TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id, kind),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

CREATE TABLE oauth_accounts (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    provider_config_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    email TEXT,
    allow_sign_in BOOLEAN NOT NULL,
    allow_connected_accounts BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX oauth_accounts_user_account_key
    ON oauth_accounts (project_id, user_id, provider_config_id, account_id);
CREATE UNIQUE INDEX oauth_accounts_sign_in_key ON oauth_accounts (project_id, provider_config_id, account_id)
    WHERE allow_sign_in;

CREATE TABLE sessions (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    family_hash BYTEA NOT NULL,
    token_hash BYTEA NOT NULL,
    previous_token_hash BYTEA,
    rotated_at BIGINT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT,
    is_impersonation BOOLEAN NOT NULL,
    auth_time BIGINT NOT NULL,
    amr TEXT NOT NULL,
    end_user_ip TEXT,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX sessions_family_hash_key ON sessions (project_id, family_hash);
CREATE INDEX sessions_user_id_idx ON sessions (project_id, user_id, created_at);

CREATE TABLE one_time_codes (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    suffix_hash BYTEA NOT NULL,
    data TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX one_time_codes_code_hash_key ON one_time_codes (project_id, kind, code_hash);
CREATE INDEX one_time_codes_suffix_hash_idx ON one_time_codes (project_id, suffix_hash);

CREATE TABLE teams (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    profile_image_url TEXT,
    client_metadata TEXT,
    client_read_only_metadata TEXT,
    server_metadata TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE TABLE team_memberships (
    project_id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, team_id, user_id),
    FOREIGN KEY (project_id, team_id) REFERENCES teams (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

CREATE INDEX team_memberships_user_id_idx ON team_memberships (project_id, user_id);

CREATE TABLE audit_events (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    user_id TEXT,
    session_id TEXT,
    ip TEXT,
    details TEXT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX audit_events_occurred_at_idx ON audit_events (project_id, occurred_at);
CREATE INDEX audit_events_user_id_idx ON audit_events (project_id, user_id, occurred_at);
