//! Webhook deliveries: which message is still to reach which endpoint, and when. Owns their rows and SQL.

use latchkey_api_types::ids::{ProjectId, WebhookEndpointId, WebhookMessageId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

/// Queues a message that was just inserted for every endpoint that listens; `pattern` is that of the message.
pub fn insert_for_listeners(project: &ProjectId, message: &WebhookMessageId, pattern: &str) -> Stmt {
    stmt(
        "INSERT INTO webhook_deliveries (project_id, endpoint_id, message_id, run_at, attempts) \
         SELECT e.project_id, e.id, m.id, m.created_at, 0 FROM webhook_messages m \
         JOIN webhook_endpoints e ON e.project_id = m.project_id \
         WHERE m.project_id = $1 AND m.id = $2 AND NOT e.is_disabled \
         AND (e.event_types IS NULL OR e.event_types LIKE $3)",
        args![project, message, pattern],
    )
}

/// Queues a message for one endpoint, from the beginning of the schedule.
pub fn insert(
    project: &ProjectId,
    endpoint: &WebhookEndpointId,
    message: &WebhookMessageId,
    run_at: i64,
) -> Stmt {
    stmt(
        "INSERT INTO webhook_deliveries (project_id, endpoint_id, message_id, run_at, attempts) \
         VALUES ($1, $2, $3, $4, 0) ON CONFLICT (project_id, endpoint_id, message_id) \
         DO UPDATE SET run_at = excluded.run_at, attempts = 0",
        args![project, endpoint, message, run_at],
    )
}

record! {
    /// A delivery that is due, with everything that it needs.
    pub struct DueDelivery {
        /// What.
        pub message_id: WebhookMessageId,
        /// How often it was tried before.
        pub attempts: i64,
        /// The body.
        pub payload: String,
        /// Where to.
        pub url: String,
        /// Secret of the signature, sealed.
        pub secret_sealed: Vec<u8>,
        /// The secret before, sealed.
        pub previous_secret_sealed: Option<Vec<u8>>,
        /// Until when it signs as well.
        pub previous_secret_until: Option<i64>,
    }
}

/// The delivery to an endpoint that is due first; `None` if there is none, or the endpoint was switched off.
pub async fn next_due(
    tx: &mut Tx,
    project: &ProjectId,
    endpoint: &WebhookEndpointId,
    now: i64,
) -> Result<Option<DueDelivery>, StorageError> {
    tx.query_opt(
        "SELECT d.message_id, d.attempts, m.payload, e.url, e.secret_sealed, e.previous_secret_sealed, \
         e.previous_secret_until FROM webhook_deliveries d \
         JOIN webhook_messages m ON m.project_id = d.project_id AND m.id = d.message_id \
         JOIN webhook_endpoints e ON e.project_id = d.project_id AND e.id = d.endpoint_id \
         WHERE d.project_id = $1 AND d.endpoint_id = $2 AND d.run_at <= $3 AND NOT e.is_disabled \
         ORDER BY d.run_at, d.message_id LIMIT 1",
        args![project, endpoint, now],
    )
    .await
}

/// Ends a delivery: it succeeded, or was given up.
pub fn delete(project: &ProjectId, endpoint: &WebhookEndpointId, message: &WebhookMessageId) -> Stmt {
    stmt(
        "DELETE FROM webhook_deliveries WHERE project_id = $1 AND endpoint_id = $2 AND message_id = $3",
        args![project, endpoint, message],
    )
}

/// Ends all deliveries to an endpoint.
pub fn delete_of_endpoint(project: &ProjectId, endpoint: &WebhookEndpointId) -> Stmt {
    stmt(
        "DELETE FROM webhook_deliveries WHERE project_id = $1 AND endpoint_id = $2",
        args![project, endpoint],
    )
}

/// Notes a failed attempt, the `attempts`-th, and when to try again.
pub fn retry_at(
    project: &ProjectId,
    endpoint: &WebhookEndpointId,
    message: &WebhookMessageId,
    attempts: i64,
    run_at: i64,
) -> Stmt {
    stmt(
        "UPDATE webhook_deliveries SET attempts = $4, run_at = $5 \
         WHERE project_id = $1 AND endpoint_id = $2 AND message_id = $3",
        args![project, endpoint, message, attempts, run_at],
    )
}
