-- Second factors: what a user's TOTP needs beside its secret, which is a column of the user, and the codes for the day
-- when the phone is lost. Codes of sign-ins that wait for the second factor name their user, so that a new password
-- ends them.

CREATE TABLE second_factors (
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    pending_secret_sealed BYTEA,
    pending_expires_at BIGINT,
    last_step BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

CREATE TABLE backup_codes (
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (project_id, user_id, code_hash),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

ALTER TABLE one_time_codes ADD COLUMN user_id TEXT;

CREATE INDEX one_time_codes_user_id_idx ON one_time_codes (project_id, user_id) WHERE user_id IS NOT NULL;
