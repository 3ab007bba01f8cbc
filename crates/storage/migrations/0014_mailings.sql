-- Mail to all users of a project, on its way into the outbox: a few users at a time, in the order of their ids, so that
-- nobody's writes wait for it. The mail is sealed. `reached` is the last user who has it. Times are epoch milliseconds.

CREATE TABLE mailings (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    mail_sealed BYTEA NOT NULL,
    reached TEXT NOT NULL,
    locked_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX mailings_locked_until_idx ON mailings (locked_until);

-- Drafts of mails. `theme_id` is the id of a theme or `false`.

CREATE TABLE email_drafts (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    source TEXT NOT NULL,
    theme_id TEXT,
    sent_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

-- The link that ends a kind of mail names no project.

CREATE UNIQUE INDEX one_time_codes_unsubscribe_key ON one_time_codes (code_hash) WHERE kind = 'unsubscribe';
