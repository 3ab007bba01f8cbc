//! Accounts at OAuth providers that are linked to users. Owns their rows and SQL.

use latchkey_api_types::ids::{OauthAccountId, ProjectId, UserId};

use crate::engine::{Sql, Stmt, StorageError, Tx, args, record, stmt};
use crate::values::json_array;

record! {
    /// One linked account.
    pub struct OauthAccountRow {
        /// Project of the user.
        pub project_id: ProjectId,
        /// Identifier of the link.
        pub id: OauthAccountId,
        /// Owner.
        pub user_id: UserId,
        /// Key of the provider in the project's settings.
        pub provider_config_id: String,
        /// Subject at the provider.
        pub account_id: String,
        /// Address that the provider reported.
        pub email: Option<String>,
        /// Whether it signs the user in.
        pub allow_sign_in: bool,
        /// Whether its access tokens may be asked for.
        pub allow_connected_accounts: bool,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT project_id, id, user_id, provider_config_id, account_id, email, allow_sign_in, \
             allow_connected_accounts, created_at FROM oauth_accounts ",
            $rest
        )
    };
}

/// All linked accounts of a user, oldest first.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Vec<OauthAccountRow>, StorageError> {
    tx.query(select!("WHERE project_id = $1 AND user_id = $2 ORDER BY created_at, id"), args![project, user])
        .await
}

/// The linked accounts of everybody, oldest first.
pub async fn list_all(tx: &mut Tx, project: &ProjectId) -> Result<Vec<OauthAccountRow>, StorageError> {
    tx.query(select!("WHERE project_id = $1 ORDER BY created_at, id"), args![project]).await
}

/// The linked accounts of these users, oldest first.
pub async fn list_of_users(
    tx: &mut Tx,
    project: &ProjectId,
    users: &[UserId],
) -> Result<Vec<OauthAccountRow>, StorageError> {
    let text = Sql::both(select!(
        "WHERE project_id = $1 AND user_id IN (SELECT value FROM json_each($2)) ORDER BY created_at, id"
    ))
    .postgres(select!(
        "WHERE project_id = $1 \
         AND user_id = ANY(ARRAY(SELECT json_array_elements_text(CAST(CAST($2 AS TEXT) AS json)))) \
         ORDER BY created_at, id"
    ));
    tx.query(text, args![project, json_array(users)]).await
}

/// One linked account of a user.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
    id: OauthAccountId,
) -> Result<Option<OauthAccountRow>, StorageError> {
    tx.query_opt(select!("WHERE project_id = $1 AND user_id = $2 AND id = $3"), args![project, user, id])
        .await
}

/// The link by which an account at a provider signs somebody in.
pub async fn by_sign_in(
    tx: &mut Tx,
    project: &ProjectId,
    provider: &str,
    account: &str,
) -> Result<Option<OauthAccountRow>, StorageError> {
    tx.query_opt(
        select!("WHERE project_id = $1 AND provider_config_id = $2 AND account_id = $3 AND allow_sign_in"),
        args![project, provider, account],
    )
    .await
}

/// Whether the account of this row signs somebody in by another row.
pub async fn signs_in_elsewhere(tx: &mut Tx, row: &OauthAccountRow) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM oauth_accounts WHERE project_id = $1 AND provider_config_id = $2 AND account_id = $3 \
         AND allow_sign_in AND id <> $4",
        args![row.project_id, row.provider_config_id, row.account_id, row.id],
    )
    .await
}

/// Writes a link that was read in the same transaction.
pub fn update(row: &OauthAccountRow) -> Stmt {
    stmt(
        "UPDATE oauth_accounts SET account_id = $4, email = $5, allow_sign_in = $6, allow_connected_accounts = $7 \
         WHERE project_id = $1 AND user_id = $2 AND id = $3",
        args![
            row.project_id,
            row.user_id,
            row.id,
            row.account_id,
            row.email,
            row.allow_sign_in,
            row.allow_connected_accounts
        ],
    )
}

/// Removes a link.
pub fn delete(project: &ProjectId, user: UserId, id: OauthAccountId) -> Stmt {
    stmt(
        "DELETE FROM oauth_accounts WHERE project_id = $1 AND user_id = $2 AND id = $3",
        args![project, user, id],
    )
}

/// Inserts a link. Violates `oauth_accounts_sign_in_key`, `…_user_sign_in_key` or `…_user_account_key` if it stands
/// already.
pub fn insert(row: &OauthAccountRow) -> Stmt {
    stmt(
        "INSERT INTO oauth_accounts (project_id, id, user_id, provider_config_id, account_id, email, \
         allow_sign_in, allow_connected_accounts, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            row.project_id,
            row.id,
            row.user_id,
            row.provider_config_id,
            row.account_id,
            row.email,
            row.allow_sign_in,
            row.allow_connected_accounts,
            row.created_at
        ],
    )
}
