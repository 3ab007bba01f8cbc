//! Mail on its way out. Owns the rows and SQL of `outbox`; what a mail says and when it is worth another try is the
//! business of `latchkey-identity`.
//!
//! A row is `waiting` until it is `sent`, `skipped` or a `server-error`. Whoever delivers claims it for a while; every
//! claim and every change raises `revision`, and only who knows the current one may write how a delivery went.

use latchkey_api_types::ids::{EmailId, ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

/// A mail that is put into the outbox.
#[derive(Clone, Debug)]
pub struct NewOutboxRow {
    /// Project on whose behalf it leaves.
    pub project_id: ProjectId,
    /// Identifier.
    pub id: EmailId,
    /// Whose mail it is; `None` if it is for addresses only.
    pub user_id: Option<UserId>,
    /// A JSON array of addresses; `None` stands for the user's primary one at the time of delivery.
    pub addresses: Option<String>,
    /// What it says, sealed.
    pub content_sealed: Vec<u8>,
    /// Whether it passes mails that are not.
    pub is_high_priority: bool,
    /// Not before this time, epoch milliseconds.
    pub scheduled_at: i64,
    /// Whether it is written already.
    pub has_rendered: bool,
    /// Now, epoch milliseconds.
    pub created_at: i64,
}

/// Puts a mail into the outbox. Add it to the batch whose consequence it is.
pub fn insert(row: &NewOutboxRow) -> Stmt {
    stmt(
        "INSERT INTO outbox (project_id, id, state, user_id, addresses, content_sealed, has_rendered, \
         is_high_priority, is_paused, scheduled_at, run_at, attempts, revision, created_at, updated_at) \
         VALUES ($1, $2, 'waiting', $3, $4, $5, $6, $7, FALSE, $8, $9, 0, 0, $10, $10)",
        args![
            row.project_id,
            row.id,
            row.user_id,
            row.addresses,
            row.content_sealed,
            row.has_rendered,
            row.is_high_priority,
            row.scheduled_at,
            // What is still to be written is looked at at once.
            if row.has_rendered { row.scheduled_at } else { row.created_at },
            row.created_at
        ],
    )
}

record! {
    /// A mail that somebody has claimed.
    pub struct ClaimedMail {
        /// Project on whose behalf it leaves.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: EmailId,
        /// Whose mail it is.
        pub user_id: Option<UserId>,
        /// A JSON array of addresses; `None` stands for the user's primary one.
        pub addresses: Option<String>,
        /// What it says, sealed.
        pub content_sealed: Vec<u8>,
        /// Whether it is written already.
        pub has_rendered: bool,
        /// Not before this time.
        pub scheduled_at: i64,
        /// How often it has been claimed, this time included.
        pub attempts: i64,
        /// What went wrong so far, JSON.
        pub errors: Option<String>,
        /// A JSON array of the addresses that have it.
        pub delivered_to: Option<String>,
        /// What a claimant must know to write how it went.
        pub revision: i64,
    }
}

/// Claims up to `limit` mails that are due until `lease_until`, at most `per_project` of one project: important ones
/// first, then those that are due longest. Where a project's mail is held, those that are only to be written are claimed
/// all the same. A claim that has run out (its claimant died) does not count. Times are
/// epoch milliseconds.
///
/// Run it as the only statement of a [`crate::engine::Store::batch`] and read the outcome as [`ClaimedMail`]s.
pub fn claim(now: i64, lease_until: i64, limit: i64, per_project: i64) -> Stmt {
    stmt(
        // The conditions stand twice: a racing claimant waits for the row and then looks at it again.
        "UPDATE outbox SET locked_until = $2, attempts = attempts + 1, started_at = $1, revision = revision + 1 \
         WHERE state = 'waiting' AND NOT is_paused AND (locked_until IS NULL OR locked_until <= $1) \
         AND (project_id, id) IN (SELECT due.project_id, due.id FROM \
         (SELECT o.project_id, o.id, o.is_high_priority, o.run_at, ROW_NUMBER() OVER \
         (PARTITION BY o.project_id ORDER BY o.is_high_priority DESC, o.run_at, o.id) AS place \
         FROM outbox o LEFT JOIN mail_capacities c ON c.project_id = o.project_id \
         WHERE o.state = 'waiting' AND o.run_at <= $1 AND NOT o.is_paused AND o.render_error IS NULL \
         AND (o.locked_until IS NULL OR o.locked_until <= $1) \
         AND (NOT o.has_rendered OR c.held_until IS NULL OR c.held_until <= $1)) due \
         WHERE due.place <= $4 ORDER BY due.is_high_priority DESC, due.run_at, due.id LIMIT $3) \
         RETURNING project_id, id, user_id, addresses, content_sealed, has_rendered, scheduled_at, attempts, errors, \
         delivered_to, revision",
        args![now, lease_until, limit, per_project],
    )
}

/// The mail is written: due at its time. A claim that only wrote it does not count as a try.
pub fn note_rendered(mail: &ClaimedMail, content_sealed: &[u8], now: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET content_sealed = $4, has_rendered = TRUE, render_error = NULL, run_at = scheduled_at, \
         locked_until = NULL, attempts = 0, started_at = NULL, rendered_at = $5, updated_at = $5 \
         WHERE project_id = $1 AND id = $2 AND revision = $3",
        args![mail.project_id, mail.id, mail.revision, content_sealed, now],
    )
}

/// The mail cannot be written; it waits until somebody changes it.
pub fn note_render_error(mail: &ClaimedMail, error: &str, now: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET render_error = $4, locked_until = NULL, attempts = 0, started_at = NULL, rendered_at = $5, \
         updated_at = $5 WHERE project_id = $1 AND id = $2 AND revision = $3",
        args![mail.project_id, mail.id, mail.revision, error, now],
    )
}

/// Notes that some addresses have a mail of several.
pub fn note_delivered(mail: &ClaimedMail, delivered_to: &str) -> Stmt {
    stmt(
        "UPDATE outbox SET delivered_to = $4 WHERE project_id = $1 AND id = $2 AND revision = $3",
        args![mail.project_id, mail.id, mail.revision, delivered_to],
    )
}

/// The mail has left.
pub fn note_sent(mail: &ClaimedMail, now: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET state = 'sent', locked_until = NULL, ended_at = $4, updated_at = $4 \
         WHERE project_id = $1 AND id = $2 AND revision = $3",
        args![mail.project_id, mail.id, mail.revision, now],
    )
}

/// The mail is not to leave, for this reason.
pub fn note_skipped(mail: &ClaimedMail, reason: &str, now: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET state = 'skipped', skipped_reason = $4, locked_until = NULL, ended_at = $5, \
         updated_at = $5 WHERE project_id = $1 AND id = $2 AND revision = $3",
        args![mail.project_id, mail.id, mail.revision, reason, now],
    )
}

/// The mail could not leave; it is tried again at `run_at`. `errors` is JSON and holds no secret.
pub fn retry_later(mail: &ClaimedMail, run_at: i64, errors: &str, now: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET run_at = $4, errors = $5, locked_until = NULL, updated_at = $6 \
         WHERE project_id = $1 AND id = $2 AND revision = $3",
        args![mail.project_id, mail.id, mail.revision, run_at, errors, now],
    )
}

/// The mail could not leave, and is given up; it stays for people to see.
pub fn give_up(mail: &ClaimedMail, errors: &str, now: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET state = 'server-error', errors = $4, locked_until = NULL, ended_at = $5, updated_at = $5 \
         WHERE project_id = $1 AND id = $2 AND revision = $3",
        args![mail.project_id, mail.id, mail.revision, errors, now],
    )
}

/// Gives a claimed mail back as if it had not been claimed, due again at `run_at`.
pub fn release(mail: &ClaimedMail, run_at: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET run_at = $4, locked_until = NULL, attempts = attempts - 1, started_at = NULL \
         WHERE project_id = $1 AND id = $2 AND revision = $3",
        args![mail.project_id, mail.id, mail.revision, run_at],
    )
}

record! {
    /// A mail and how it stands.
    pub struct OutboxRow {
        /// Identifier.
        pub id: EmailId,
        /// Whose mail it is.
        pub user_id: Option<UserId>,
        /// A JSON array of addresses; `None` stands for the user's primary one.
        pub addresses: Option<String>,
        /// What it says, sealed.
        pub content_sealed: Vec<u8>,
        /// Whether it is written already.
        pub has_rendered: bool,
        /// Whether it passes mails that are not.
        pub is_high_priority: bool,
        /// Whether it waits until somebody says otherwise.
        pub is_paused: bool,
        /// Not before this time.
        pub scheduled_at: i64,
        /// When it is tried next.
        pub run_at: i64,
        /// How often it was tried.
        pub attempts: i64,
        /// What went wrong so far, JSON.
        pub errors: Option<String>,
        /// Why it cannot be written, if it cannot.
        pub render_error: Option<String>,
        /// When it was written.
        pub rendered_at: Option<i64>,
        /// When it was tried last.
        pub started_at: Option<i64>,
        /// When it was sent, skipped or given up.
        pub ended_at: Option<i64>,
        /// Why it was skipped.
        pub skipped_reason: Option<String>,
        /// What somebody must know to change it.
        pub revision: i64,
        /// When it was queued.
        pub created_at: i64,
        /// When it changed last.
        pub updated_at: i64,
        /// `queued`, `sent` and so on: the word of the API.
        pub status: String,
    }
}

/// The word of the API for how a mail `o` stands at the time `$2`.
macro_rules! status {
    () => {
        "CASE WHEN o.state <> 'waiting' THEN o.state WHEN o.locked_until > $2 THEN \
         CASE WHEN o.has_rendered THEN 'sending' ELSE 'rendering' END \
         WHEN o.is_paused THEN 'paused' WHEN o.render_error IS NOT NULL THEN 'render-error' \
         WHEN NOT o.has_rendered THEN 'preparing' WHEN o.scheduled_at > $2 THEN 'scheduled' ELSE 'queued' END"
    };
}

macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT o.id, o.user_id, o.addresses, o.content_sealed, o.has_rendered, o.is_high_priority, o.is_paused, \
             o.scheduled_at, o.run_at, o.attempts, o.errors, o.render_error, o.rendered_at, o.started_at, o.ended_at, o.skipped_reason, o.revision, \
             o.created_at, o.updated_at, ",
            status!(),
            " AS status FROM outbox o WHERE o.project_id = $1 AND ",
            $rest
        )
    };
}

/// One mail, as it stands at `now`.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    id: EmailId,
    now: i64,
) -> Result<Option<OutboxRow>, StorageError> {
    tx.query_opt(select!("o.id = $3"), args![project, now, id]).await
}

/// Mails, newest first, from the one that was created at `from.0` and has the id `from.1`; only those whose status is
/// among `statuses`, written `,queued,sent,`.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    now: i64,
    statuses: &str,
    from: Option<(i64, EmailId)>,
    limit: i64,
) -> Result<Vec<OutboxRow>, StorageError> {
    let (created_at, id) = from.map_or((i64::MAX, String::new()), |(at, id)| (at, id.to_string()));
    tx.query(
        concat!(
            select!("CAST($3 AS TEXT) LIKE '%,' || "),
            status!(),
            " || ',%' AND (o.created_at < $4 OR (o.created_at = $4 AND o.id >= $5)) \
             ORDER BY o.created_at DESC, o.id LIMIT $6"
        ),
        args![project, now, statuses, created_at, id, limit],
    )
    .await
}

/// Writes what may change about a mail that nobody is sending; touches no row if it changed since it was read. Who is
/// writing what it says has no say any more.
pub fn update(project: &ProjectId, row: &OutboxRow, now: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET state = 'waiting', locked_until = NULL, user_id = $4, addresses = $5, content_sealed = $6, is_paused = $7, \
         scheduled_at = $8, run_at = $9, attempts = $10, errors = $11, render_error = $12, has_rendered = $13, \
         ended_at = NULL, delivered_to = CASE WHEN addresses = $5 THEN delivered_to END, updated_at = $14, \
         revision = revision + 1 WHERE project_id = $1 AND id = $2 AND revision = $3 \
         AND state IN ('waiting', 'server-error') AND (locked_until IS NULL OR locked_until <= $14 OR NOT has_rendered)",
        args![
            project,
            row.id,
            row.revision,
            row.user_id,
            row.addresses,
            row.content_sealed,
            row.is_paused,
            row.scheduled_at,
            row.run_at,
            row.attempts,
            row.errors,
            row.render_error,
            row.has_rendered,
            now
        ],
    )
}

/// Cancels a mail that nobody is sending; touches no row if it changed since it was read.
pub fn cancel(project: &ProjectId, row: &OutboxRow, now: i64) -> Stmt {
    stmt(
        "UPDATE outbox SET state = 'skipped', skipped_reason = 'MANUALLY_CANCELLED', locked_until = NULL, \
         ended_at = $4, updated_at = $4, revision = revision + 1 WHERE project_id = $1 AND id = $2 AND revision = $3 \
         AND state IN ('waiting', 'server-error') AND (locked_until IS NULL OR locked_until <= $4 OR NOT has_rendered)",
        args![project, row.id, row.revision, now],
    )
}

/// How many mails of a project left at `since` or later.
pub async fn count_sent(tx: &mut Tx, project: &ProjectId, since: i64) -> Result<i64, StorageError> {
    let counted: Option<(i64,)> = tx
        .query_opt(
            "SELECT COUNT(*) FROM outbox WHERE project_id = $1 AND ended_at >= $2 AND state = 'sent'",
            args![project, since],
        )
        .await?;
    Ok(counted.map_or(0, |(count,)| count))
}

record! {
    /// What seals a mail.
    pub struct SealedMail {
        /// Identifier.
        pub id: EmailId,
        /// What it says, sealed.
        pub content_sealed: Vec<u8>,
    }
}

/// Up to `limit` mails of a project in the order of their ids, behind `after` (an id, or nothing).
pub async fn list_sealed(
    tx: &mut Tx,
    project: &ProjectId,
    after: &str,
    limit: i64,
) -> Result<Vec<SealedMail>, StorageError> {
    tx.query(
        "SELECT id, content_sealed FROM outbox WHERE project_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        args![project, after, limit],
    )
    .await
}

/// Replaces a seal by another one of the same content.
pub fn reseal(project: &ProjectId, mail: &SealedMail, content_sealed: &[u8]) -> Stmt {
    stmt(
        "UPDATE outbox SET content_sealed = $4 WHERE project_id = $1 AND id = $2 AND content_sealed = $3",
        args![project, mail.id, mail.content_sealed, content_sealed],
    )
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) mails of a project that were sent, skipped or given up before `before`.
pub fn prune(project: &ProjectId, before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM outbox WHERE project_id = $1 AND id IN (SELECT o.id FROM outbox o \
         WHERE o.project_id = $1 AND o.ended_at < $2 ORDER BY o.ended_at"
        ),
        args![project, before],
    )
}
