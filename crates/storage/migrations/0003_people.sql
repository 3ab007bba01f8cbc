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

-- A user signs in with one account of a provider at most.

CREATE UNIQUE INDEX oauth_accounts_user_sign_in_key ON oauth_accounts (project_id, user_id, provider_config_id)
    WHERE allow_sign_in;

CREATE TABLE notification_preferences (
    project_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    category_id TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    PRIMARY KEY (project_id, user_id, category_id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);

-- Lists show who has signed up; those who have not may be many more.

CREATE INDEX users_signed_up_idx ON users (project_id, signed_up_at, id) WHERE NOT is_anonymous;

-- Searches look for parts of names and addresses, by trigrams. The name is kept in lower case, which the program makes,
-- because databases know that of ASCII only. Beyond this column the engines have nothing in common: SQLite has its
-- full-text search, kept up to date by triggers, PostgreSQL an index over an array.

ALTER TABLE users ADD COLUMN search_name TEXT;
UPDATE users SET search_name = lower(display_name);

-- only on SQLite
-- The tables of trigrams hold no texts, only numbers, which stand in search_id.
ALTER TABLE users ADD COLUMN search_id INTEGER;
ALTER TABLE contact_channels ADD COLUMN search_id INTEGER;
CREATE UNIQUE INDEX users_search_id_key ON users (search_id) WHERE search_id IS NOT NULL;
CREATE UNIQUE INDEX contact_channels_search_id_key ON contact_channels (search_id) WHERE search_id IS NOT NULL;
UPDATE users SET search_id = rowid WHERE search_name IS NOT NULL;
UPDATE contact_channels SET search_id = rowid;

CREATE VIRTUAL TABLE users_grams
    USING fts5(text, content = '', contentless_delete = 1, detail = 'none', tokenize = 'trigram');
CREATE VIRTUAL TABLE contact_channels_grams
    USING fts5(text, content = '', contentless_delete = 1, detail = 'none', tokenize = 'trigram');
INSERT INTO users_grams (rowid, text) SELECT search_id, search_name FROM users WHERE search_id IS NOT NULL;
INSERT INTO contact_channels_grams (rowid, text) SELECT search_id, value FROM contact_channels;

CREATE TRIGGER users_search_insert AFTER INSERT ON users WHEN new.search_name IS NOT NULL BEGIN
    UPDATE users SET search_id = 1 + COALESCE((SELECT MAX(search_id) FROM users WHERE search_id IS NOT NULL), 0)
        WHERE rowid = new.rowid;
    INSERT INTO users_grams (rowid, text) SELECT search_id, search_name FROM users WHERE rowid = new.rowid;
END;
CREATE TRIGGER users_search_update AFTER UPDATE OF search_name ON users
    WHEN old.search_name IS NOT new.search_name BEGIN
    DELETE FROM users_grams WHERE rowid = old.search_id;
    UPDATE users SET search_id = CASE WHEN new.search_name IS NULL THEN NULL ELSE COALESCE(old.search_id,
        1 + COALESCE((SELECT MAX(search_id) FROM users WHERE search_id IS NOT NULL), 0)) END
        WHERE rowid = new.rowid;
    INSERT INTO users_grams (rowid, text)
        SELECT search_id, search_name FROM users WHERE rowid = new.rowid AND search_id IS NOT NULL;
END;
CREATE TRIGGER users_search_delete AFTER DELETE ON users WHEN old.search_id IS NOT NULL BEGIN
    DELETE FROM users_grams WHERE rowid = old.search_id;
END;

CREATE TRIGGER contact_channels_search_insert AFTER INSERT ON contact_channels BEGIN
    UPDATE contact_channels SET search_id =
        1 + COALESCE((SELECT MAX(search_id) FROM contact_channels WHERE search_id IS NOT NULL), 0)
        WHERE rowid = new.rowid;
    INSERT INTO contact_channels_grams (rowid, text)
        SELECT search_id, value FROM contact_channels WHERE rowid = new.rowid;
END;
CREATE TRIGGER contact_channels_search_update AFTER UPDATE OF value ON contact_channels
    WHEN old.value <> new.value BEGIN
    DELETE FROM contact_channels_grams WHERE rowid = old.search_id;
    INSERT INTO contact_channels_grams (rowid, text) VALUES (old.search_id, new.value);
END;
CREATE TRIGGER contact_channels_search_delete AFTER DELETE ON contact_channels WHEN old.search_id IS NOT NULL BEGIN
    DELETE FROM contact_channels_grams WHERE rowid = old.search_id;
END;
-- on both

-- only on PostgreSQL
-- Dear by its cost, so that it is never evaluated row by row, and not for parallel plans, whose start costs more than
-- all the rest.
CREATE FUNCTION search_grams(TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT COST 10000
    AS $$ SELECT array_agg(DISTINCT substr($1, i, 3)) FROM generate_series(1, length($1) - 2) AS i $$;
CREATE INDEX users_search_idx ON users USING gin (search_grams(search_name)) WITH (gin_pending_list_limit = 256);
CREATE INDEX contact_channels_search_idx ON contact_channels USING gin (search_grams(lower(value)))
    WITH (gin_pending_list_limit = 256);
-- on both
