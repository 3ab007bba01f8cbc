//! API keys of users and teams. Owns their rows and SQL; keys are hashes here.

use latchkey_api_types::ids::{ApiKeyId, ProjectId, TeamId, UserId};
use latchkey_crypto::TokenHash;

use crate::engine::{Stmt, StorageError, Tx, args, record, sql, stmt};

record! {
    /// One key.
    pub struct ApiKeyRow {
        /// Project in which it is valid.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: ApiKeyId,
        /// Whose keys these are: `user` or `team`.
        pub r#type: String,
        /// The user whose key it is.
        pub user_id: Option<UserId>,
        /// The team whose key it is.
        pub team_id: Option<TeamId>,
        /// What its owner calls it.
        pub description: String,
        /// Hash of the whole key.
        pub key_hash: TokenHash,
        /// What may be shown of it.
        pub last_four: String,
        /// Whether it is meant to be seen.
        pub is_public: bool,
        /// What it is good for, words divided by spaces.
        pub scopes: String,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// End of validity, epoch milliseconds.
        pub expires_at: Option<i64>,
        /// When it was revoked.
        pub revoked_at: Option<i64>,
        /// When it was last checked, epoch milliseconds.
        pub last_used_at: Option<i64>,
        /// How often it was checked.
        pub request_count: i64,
    }
}

/// `ApiKeyRow::COLUMNS` would say `r#type`, as the field is called in Rust.
const COLUMNS: &str = "project_id, id, type, user_id, team_id, description, key_hash, last_four, is_public, scopes, \
                       created_at, expires_at, revoked_at, last_used_at, request_count";

/// Inserts a key.
pub fn insert(row: &ApiKeyRow) -> Stmt {
    stmt(
        sql![
            "INSERT INTO api_keys (",
            COLUMNS,
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        ],
        args![
            row.project_id,
            row.id,
            row.r#type,
            row.user_id,
            row.team_id,
            row.description,
            row.key_hash,
            row.last_four,
            row.is_public,
            row.scopes,
            row.created_at,
            row.expires_at,
            row.revoked_at,
            row.last_used_at,
            row.request_count
        ],
    )
}

/// One key.
pub async fn get(tx: &mut Tx, project: &ProjectId, id: ApiKeyId) -> Result<Option<ApiKeyRow>, StorageError> {
    tx.query_opt(
        sql!["SELECT ", COLUMNS, " FROM api_keys WHERE project_id = $1 AND id = $2"],
        args![project, id],
    )
    .await
}

/// The keys of a user, newest first.
pub async fn list_of_user(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Vec<ApiKeyRow>, StorageError> {
    tx.query(
        sql![
            "SELECT ",
            COLUMNS,
            " FROM api_keys WHERE project_id = $1 AND user_id = $2 ORDER BY created_at DESC, id"
        ],
        args![project, user],
    )
    .await
}

/// The keys of a team, newest first.
pub async fn list_of_team(
    tx: &mut Tx,
    project: &ProjectId,
    team: TeamId,
) -> Result<Vec<ApiKeyRow>, StorageError> {
    tx.query(
        sql![
            "SELECT ",
            COLUMNS,
            " FROM api_keys WHERE project_id = $1 AND team_id = $2 ORDER BY created_at DESC, id"
        ],
        args![project, team],
    )
    .await
}

/// The key with this hash, whatever its project.
pub async fn find(tx: &mut Tx, hash: &TokenHash) -> Result<Option<ApiKeyRow>, StorageError> {
    tx.query_opt(sql!["SELECT ", COLUMNS, " FROM api_keys WHERE key_hash = $1"], args![hash]).await
}

/// Changes what is given; a key that was revoked stays so, since the time when it was first. Returns the key.
pub fn update(
    project: &ProjectId,
    id: ApiKeyId,
    description: Option<&str>,
    scopes: Option<&str>,
    revoked_at: Option<i64>,
) -> Stmt {
    stmt(
        sql![
            "UPDATE api_keys SET description = COALESCE($3, description), scopes = COALESCE($4, scopes), \
             revoked_at = COALESCE(revoked_at, $5) WHERE project_id = $1 AND id = $2 RETURNING ",
            COLUMNS
        ],
        args![project, id, description, scopes, revoked_at],
    )
}

/// Revokes a key that is not revoked yet.
pub fn revoke(project: &ProjectId, id: ApiKeyId, now: i64) -> Stmt {
    stmt(
        "UPDATE api_keys SET revoked_at = $3 WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL",
        args![project, id, now],
    )
}

/// Adds checks to a key's count, the last of them at `last`.
pub fn count_uses(project: &ProjectId, id: ApiKeyId, checks: i64, last: i64) -> Stmt {
    stmt(
        "UPDATE api_keys SET request_count = request_count + $3, \
         last_used_at = CASE WHEN last_used_at > $4 THEN last_used_at ELSE $4 END \
         WHERE project_id = $1 AND id = $2",
        args![project, id, checks, last],
    )
}
