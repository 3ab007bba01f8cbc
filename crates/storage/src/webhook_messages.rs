//! Webhook messages: what was said, and how each attempt to deliver it went. Owns the rows and SQL of both.

use latchkey_api_types::ids::{ProjectId, WebhookAttemptId, WebhookEndpointId, WebhookMessageId};

use crate::engine::{Stmt, StorageError, Tx, args, record, sql, stmt};

record! {
    /// One message.
    pub struct WebhookMessageRow {
        /// Project whose event it is.
        pub project_id: ProjectId,
        /// Identifier; sorts by time.
        pub id: WebhookMessageId,
        /// `user.created` and its like.
        pub event_type: String,
        /// The body as it is sent and signed.
        pub payload: String,
        /// When it was queued, epoch milliseconds.
        pub created_at: i64,
    }
}

/// Inserts a message if an endpoint of the project listens to `,event.type,`, given as `pattern` for LIKE.
pub fn insert_if_heard(row: &WebhookMessageRow, pattern: &str) -> Stmt {
    stmt(
        sql![
            "INSERT INTO webhook_messages (",
            WebhookMessageRow::COLUMNS,
            ") SELECT CAST($1 AS TEXT), $2, $3, $4, $5 WHERE EXISTS (SELECT 1 FROM webhook_endpoints e \
             WHERE e.project_id = $1 AND NOT e.is_disabled AND (e.event_types IS NULL OR e.event_types LIKE $6))"
        ],
        args![row.project_id, row.id, row.event_type, row.payload, row.created_at, pattern],
    )
}

/// Inserts a message, whoever listens.
pub fn insert(row: &WebhookMessageRow) -> Stmt {
    stmt(
        sql!["INSERT INTO webhook_messages (", WebhookMessageRow::COLUMNS, ") VALUES ($1, $2, $3, $4, $5)"],
        args![row.project_id, row.id, row.event_type, row.payload, row.created_at],
    )
}

/// One message.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    id: &str,
) -> Result<Option<WebhookMessageRow>, StorageError> {
    tx.query_opt(
        sql![
            "SELECT ",
            WebhookMessageRow::COLUMNS,
            " FROM webhook_messages WHERE project_id = $1 AND id = $2"
        ],
        args![project, id],
    )
    .await
}

/// Messages, newest first, before `before` (an id, or something above all ids).
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    before: &str,
    limit: i64,
) -> Result<Vec<WebhookMessageRow>, StorageError> {
    tx.query(
        sql![
            "SELECT ",
            WebhookMessageRow::COLUMNS,
            " FROM webhook_messages WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
        ],
        args![project, before, limit],
    )
    .await
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) messages from before `before`, with their deliveries and attempts.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM webhook_messages WHERE (project_id, id) IN (SELECT m.project_id, m.id FROM webhook_messages m \
         WHERE m.created_at < $1 ORDER BY m.created_at"
        ),
        args![before],
    )
}

record! {
    /// One attempt.
    pub struct WebhookAttemptRow {
        /// Project whose event it was.
        pub project_id: ProjectId,
        /// Identifier; sorts by time.
        pub id: WebhookAttemptId,
        /// To whom.
        pub endpoint_id: WebhookEndpointId,
        /// What.
        pub message_id: WebhookMessageId,
        /// Where that was then.
        pub url: String,
        /// Whether it was accepted.
        pub succeeded: bool,
        /// Whether somebody asked for it.
        pub is_manual: bool,
        /// Status of the answer, if there was one.
        pub status_code: Option<i64>,
        /// The beginning of the answer, or why there was none.
        pub response: String,
        /// How long it took.
        pub duration_millis: i64,
        /// When it began, epoch milliseconds.
        pub attempted_at: i64,
    }
}

/// Records an attempt.
pub fn insert_attempt(row: &WebhookAttemptRow) -> Stmt {
    stmt(
        sql![
            "INSERT INTO webhook_attempts (",
            WebhookAttemptRow::COLUMNS,
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ],
        args![
            row.project_id,
            row.id,
            row.endpoint_id,
            row.message_id,
            row.url,
            row.succeeded,
            row.is_manual,
            row.status_code,
            row.response,
            row.duration_millis,
            row.attempted_at
        ],
    )
}

/// Attempts to deliver to an endpoint, newest first, before `before`.
pub async fn attempts_of_endpoint(
    tx: &mut Tx,
    project: &ProjectId,
    endpoint: &WebhookEndpointId,
    before: &str,
    limit: i64,
) -> Result<Vec<WebhookAttemptRow>, StorageError> {
    tx.query(
        sql!["SELECT ", WebhookAttemptRow::COLUMNS, " FROM webhook_attempts WHERE project_id = $1 AND endpoint_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"],
        args![project, endpoint, before, limit],
    )
    .await
}

/// Attempts to deliver a message, newest first, before `before`.
pub async fn attempts_of_message(
    tx: &mut Tx,
    project: &ProjectId,
    message: &WebhookMessageId,
    before: &str,
    limit: i64,
) -> Result<Vec<WebhookAttemptRow>, StorageError> {
    tx.query(
        sql!["SELECT ", WebhookAttemptRow::COLUMNS, " FROM webhook_attempts WHERE project_id = $1 AND message_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4"],
        args![project, message, before, limit],
    )
    .await
}
