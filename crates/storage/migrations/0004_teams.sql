-- Teams: what members may do, what they are called there, and who is invited. Times are epoch milliseconds.

ALTER TABLE team_memberships ADD COLUMN display_name TEXT;
ALTER TABLE team_memberships ADD COLUMN profile_image_url TEXT;

CREATE INDEX teams_created_at_idx ON teams (project_id, created_at, id);
CREATE INDEX team_memberships_created_at_idx ON team_memberships (project_id, team_id, created_at, user_id);

-- Direct grants. They go with the membership, and with the user.

CREATE TABLE team_permissions (
    project_id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    permission_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, team_id, user_id, permission_id),
    FOREIGN KEY (project_id, team_id, user_id)
        REFERENCES team_memberships (project_id, team_id, user_id) ON DELETE CASCADE
);

CREATE INDEX team_permissions_user_id_idx ON team_permissions (project_id, user_id);
CREATE INDEX team_permissions_permission_id_idx ON team_permissions (project_id, permission_id);

CREATE TABLE project_permissions (
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    permission_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id, permission_id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

CREATE INDEX project_permissions_permission_id_idx ON project_permissions (project_id, permission_id);

CREATE TABLE team_invitations (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    recipient_email TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    suffix_hash BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, team_id) REFERENCES teams (project_id, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX team_invitations_code_hash_key ON team_invitations (project_id, code_hash);
CREATE INDEX team_invitations_suffix_hash_idx ON team_invitations (project_id, suffix_hash);
CREATE INDEX team_invitations_team_id_idx ON team_invitations (project_id, team_id, created_at);
CREATE INDEX team_invitations_recipient_email_idx ON team_invitations (project_id, recipient_email, created_at);
