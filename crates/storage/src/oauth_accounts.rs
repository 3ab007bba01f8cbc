//! Accounts at OAuth providers that are linked to users. Owns their rows and SQL.

use latchkey_api_types::ids::{OauthAccountId, ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

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

/// All linked accounts of a user, oldest first.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Vec<OauthAccountRow>, StorageError> {
    tx.query(
        "SELECT project_id, id, user_id, provider_config_id, account_id, email, allow_sign_in, \
         allow_connected_accounts, created_at FROM oauth_accounts \
         WHERE project_id = $1 AND user_id = $2 ORDER BY created_at, id",
        args![project, user],
    )
    .await
}

/// Inserts a link. Violates `oauth_accounts_sign_in_key` or `oauth_accounts_user_account_key` if it stands already.
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
