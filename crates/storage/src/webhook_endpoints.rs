//! Webhook endpoints: who listens to a project's events. Owns their rows and SQL, and the lease by which one server at
//! a time delivers to an endpoint. `event_types` is a list with a comma before and behind each word, or NULL for all.

use latchkey_api_types::ids::{ProjectId, WebhookEndpointId};

use crate::engine::{Stmt, StorageError, ToValue, Tx, Value, args, record, sql, stmt};

record! {
    /// One endpoint.
    pub struct WebhookEndpointRow {
        /// Project that it listens to.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: WebhookEndpointId,
        /// Another name of it, chosen by whoever made it.
        pub uid: Option<String>,
        /// Where events go.
        pub url: String,
        /// A note for people.
        pub description: String,
        /// What it listens to: `,user.created,team.created,`; `None` for everything.
        pub event_types: Option<String>,
        /// Secret of the signatures, sealed.
        pub secret_sealed: Vec<u8>,
        /// The secret before, sealed, while it still signs as well.
        pub previous_secret_sealed: Option<Vec<u8>>,
        /// Until when it does, epoch milliseconds.
        pub previous_secret_until: Option<i64>,
        /// Whether nothing is queued for it or sent to it.
        pub is_disabled: bool,
        /// Since when every attempt failed, epoch milliseconds.
        pub failing_since: Option<i64>,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// Last change by people, epoch milliseconds.
        pub updated_at: i64,
    }
}

const INTO: &str = "INSERT INTO webhook_endpoints (project_id, id, uid, url, description, event_types, secret_sealed, \
                    previous_secret_sealed, previous_secret_until, is_disabled, failing_since, locked_until, \
                    created_at, updated_at) ";

/// What a new endpoint begins with, and one value more.
fn new_args(row: &WebhookEndpointRow, last: impl ToValue) -> Vec<Value> {
    args![
        row.project_id,
        row.id,
        row.uid,
        row.url,
        row.description,
        row.event_types,
        row.secret_sealed,
        row.is_disabled,
        row.created_at,
        row.updated_at,
        last
    ]
}

/// Inserts an endpoint while the project has fewer than `most`; touches no row otherwise.
pub fn insert(row: &WebhookEndpointRow, most: i64) -> Stmt {
    stmt(
        sql![
            INTO,
            "SELECT CAST($1 AS TEXT), $2, $3, $4, $5, $6, $7, NULL, NULL, $8, NULL, 0, $9, $10 \
         WHERE (SELECT COUNT(*) FROM webhook_endpoints WHERE project_id = $1) < $11"
        ],
        new_args(row, most),
    )
}

/// Inserts an endpoint that the configuration declares, or brings it up to date. The secret of one that exists is
/// replaced if `with_secret`.
pub fn declare(row: &WebhookEndpointRow, with_secret: bool) -> Stmt {
    stmt(
        sql![
            INTO,
            "VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, NULL, $8, NULL, 0, $9, $10) \
         ON CONFLICT (project_id, id) DO UPDATE SET url = excluded.url, description = excluded.description, \
         event_types = excluded.event_types, uid = excluded.uid, \
         secret_sealed = CASE WHEN $11 THEN excluded.secret_sealed ELSE webhook_endpoints.secret_sealed END"
        ],
        new_args(row, with_secret),
    )
}

/// All endpoints of a project, oldest first.
pub async fn list(tx: &mut Tx, project: &ProjectId) -> Result<Vec<WebhookEndpointRow>, StorageError> {
    tx.query(
        sql![
            "SELECT ",
            WebhookEndpointRow::COLUMNS,
            " FROM webhook_endpoints WHERE project_id = $1 ORDER BY created_at, id"
        ],
        args![project],
    )
    .await
}

/// Whether a project has an endpoint that is switched on.
pub async fn any_enabled(tx: &mut Tx, project: &ProjectId) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM webhook_endpoints WHERE project_id = $1 AND NOT is_disabled LIMIT 1",
        args![project],
    )
    .await
}

/// One endpoint by its id or its other name.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    name: &str,
) -> Result<Option<WebhookEndpointRow>, StorageError> {
    tx.query_opt(
        sql![
            "SELECT ",
            WebhookEndpointRow::COLUMNS,
            " FROM webhook_endpoints WHERE project_id = $1 AND (id = $2 OR uid = $2)"
        ],
        args![project, name],
    )
    .await
}

/// Writes what people may change. One that is switched on begins without a record of failures.
pub fn update(row: &WebhookEndpointRow) -> Stmt {
    stmt(
        "UPDATE webhook_endpoints SET uid = $3, url = $4, description = $5, event_types = $6, \
         failing_since = CASE WHEN is_disabled THEN NULL ELSE failing_since END, is_disabled = $7, updated_at = $8 \
         WHERE project_id = $1 AND id = $2",
        args![
            row.project_id,
            row.id,
            row.uid,
            row.url,
            row.description,
            row.event_types,
            row.is_disabled,
            row.updated_at
        ],
    )
}

/// Replaces the secret that is still `old`; the old one goes on signing beside the new one until `until`.
pub fn rotate(
    project: &ProjectId,
    id: &WebhookEndpointId,
    old: &[u8],
    new: &[u8],
    until: i64,
    now: i64,
) -> Stmt {
    stmt(
        "UPDATE webhook_endpoints SET secret_sealed = $4, previous_secret_sealed = $3, previous_secret_until = $5, \
         updated_at = $6 WHERE project_id = $1 AND id = $2 AND secret_sealed = $3",
        args![project, id, old, new, until, now],
    )
}

/// Replaces sealed secrets that are still those that were read, when the master key was changed.
pub fn reseal(row: &WebhookEndpointRow, new: &[u8], previous: Option<&[u8]>) -> Stmt {
    stmt(
        "UPDATE webhook_endpoints SET secret_sealed = $4, previous_secret_sealed = $5 \
         WHERE project_id = $1 AND id = $2 AND secret_sealed = $3",
        args![row.project_id, row.id, row.secret_sealed, new, previous],
    )
}

/// Deletes an endpoint.
pub fn delete(project: &ProjectId, id: &WebhookEndpointId) -> Stmt {
    stmt("DELETE FROM webhook_endpoints WHERE project_id = $1 AND id = $2", args![project, id])
}

record! {
    /// An endpoint that is ours to deliver to for a while.
    pub struct ClaimedEndpoint {
        /// Project that it listens to.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: WebhookEndpointId,
    }
}

/// Claims up to `limit` endpoints that something is due for, those that waited longest; ours until `until`. Run it as
/// the only statement of a batch and read the outcome as [`ClaimedEndpoint`]s.
pub fn claim(now: i64, until: i64, limit: i64) -> Stmt {
    // The outer condition is looked at again by whoever comes second to a row.
    stmt(
        "UPDATE webhook_endpoints SET locked_until = $2 WHERE locked_until <= $1 AND (project_id, id) IN (\
         SELECT e.project_id, e.id FROM webhook_endpoints e WHERE e.locked_until <= $1 AND NOT e.is_disabled \
         AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.project_id = e.project_id \
         AND d.endpoint_id = e.id AND d.run_at <= $1) ORDER BY e.locked_until, e.id LIMIT $3) \
         RETURNING project_id, id",
        args![now, until, limit],
    )
}

/// Moves the end of a lease that is still ours; touches no row if somebody else has taken over.
pub fn move_lease(project: &ProjectId, id: &WebhookEndpointId, from: i64, to: i64) -> Stmt {
    stmt(
        "UPDATE webhook_endpoints SET locked_until = $4 WHERE project_id = $1 AND id = $2 AND locked_until = $3",
        args![project, id, from, to],
    )
}

/// Notes that an attempt succeeded.
pub fn note_success(project: &ProjectId, id: &WebhookEndpointId) -> Stmt {
    stmt(
        "UPDATE webhook_endpoints SET failing_since = NULL \
         WHERE project_id = $1 AND id = $2 AND failing_since IS NOT NULL",
        args![project, id],
    )
}

/// Notes that an attempt failed; switches off an endpoint that has failed since `too_long_ago`. Returns whether it is
/// off now, if anything was noted.
pub fn note_failure(project: &ProjectId, id: &WebhookEndpointId, now: i64, too_long_ago: i64) -> Stmt {
    stmt(
        "UPDATE webhook_endpoints SET is_disabled = (is_disabled OR COALESCE(failing_since, $3) <= $4), \
         failing_since = COALESCE(failing_since, $3) WHERE project_id = $1 AND id = $2 \
         AND (failing_since IS NULL OR failing_since <= $4) RETURNING is_disabled",
        args![project, id, now, too_long_ago],
    )
}
