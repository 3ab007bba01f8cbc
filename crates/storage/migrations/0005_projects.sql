-- Projects that administrators make and delete. `settings` holds, sealed, the overrides that the settings are made of.
-- A deleted project keeps its row, marked, until everything that belongs to it is gone.

ALTER TABLE projects ADD COLUMN deleted_at BIGINT;

CREATE INDEX projects_owner_team_id_idx ON projects (owner_team_id, created_at);
CREATE INDEX projects_deleted_at_idx ON projects (deleted_at) WHERE deleted_at IS NOT NULL;
