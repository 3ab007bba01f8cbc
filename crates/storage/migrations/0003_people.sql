-- Pictures that were sent inline. `owner` is the place that a picture fills, at most one each; the ids beside it are
-- there so that pictures go with whom they show. Times are epoch milliseconds.

CREATE TABLE images (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    folder TEXT NOT NULL,
    owner TEXT NOT NULL,
    user_id TEXT,
    team_id TEXT,
    format TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, team_id) REFERENCES teams (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, team_id, user_id)
        REFERENCES team_memberships (project_id, team_id, user_id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX images_owner_key ON images (project_id, owner);
CREATE INDEX images_user_id_idx ON images (project_id, user_id);
CREATE INDEX images_team_id_idx ON images (project_id, team_id, user_id);
