//! What providers gave for linked accounts: access tokens and refresh tokens, sealed. Owns the rows and SQL, and with
//! them the claim by which one server at a time refreshes.
//!
//! A row is one grant: somebody agreed once, and refreshing replaces what is in the row. `generation` counts that, so
//! that nothing which was decided about older tokens is done to newer ones.

use latchkey_api_types::ids::{OauthAccountId, OauthTokensId, ProjectId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// The tokens of one grant.
    pub struct OauthTokensRow {
        /// Project of the account.
        pub project_id: ProjectId,
        /// Identifier of the grant.
        pub id: OauthTokensId,
        /// The link between user and account.
        pub oauth_account_id: OauthAccountId,
        /// Our client id at the provider, for which they were made.
        pub client_id: String,
        /// Whether that client is the deployment's.
        pub is_shared: bool,
        /// Opens the provider's API, sealed; gone once the provider refused it.
        pub access_token_sealed: Option<Vec<u8>>,
        /// What the access token may do, separated by spaces.
        pub access_scopes: String,
        /// When the access token ends, epoch milliseconds; `None` if nobody knows.
        pub access_expires_at: Option<i64>,
        /// Gives new ones, sealed; gone once the provider refused it.
        pub refresh_token_sealed: Option<Vec<u8>>,
        /// What access tokens may do that it gives, separated by spaces.
        pub refresh_scopes: String,
        /// How often they were refreshed.
        pub generation: i64,
        /// Until when somebody may be refreshing them, epoch milliseconds.
        pub refreshing_until: i64,
        /// When somebody agreed, epoch milliseconds.
        pub created_at: i64,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT project_id, id, oauth_account_id, client_id, is_shared, access_token_sealed, access_scopes, \
             access_expires_at, refresh_token_sealed, refresh_scopes, generation, refreshing_until, created_at \
             FROM oauth_tokens ",
            $rest
        )
    };
}

/// The grants of an account, newest first.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    account: OauthAccountId,
) -> Result<Vec<OauthTokensRow>, StorageError> {
    tx.query(
        select!("WHERE project_id = $1 AND oauth_account_id = $2 ORDER BY created_at DESC, id"),
        args![project, account],
    )
    .await
}

/// Up to `limit` grants of a project behind `after`, by id.
pub async fn list_all(
    tx: &mut Tx,
    project: &ProjectId,
    after: &str,
    limit: i64,
) -> Result<Vec<OauthTokensRow>, StorageError> {
    tx.query(select!("WHERE project_id = $1 AND id > $2 ORDER BY id LIMIT $3"), args![project, after, limit])
        .await
}

/// Inserts a grant. Violates a foreign key if there is no such account.
pub fn insert(row: &OauthTokensRow) -> Stmt {
    stmt(
        "INSERT INTO oauth_tokens (project_id, id, oauth_account_id, client_id, is_shared, access_token_sealed, \
         access_scopes, access_expires_at, refresh_token_sealed, refresh_scopes, generation, refreshing_until, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        args![
            row.project_id,
            row.id,
            row.oauth_account_id,
            row.client_id,
            row.is_shared,
            row.access_token_sealed,
            row.access_scopes,
            row.access_expires_at,
            row.refresh_token_sealed,
            row.refresh_scopes,
            row.generation,
            row.refreshing_until,
            row.created_at
        ],
    )
}

/// Takes the refresh of a grant upon oneself until `until`. Affects no row while somebody else has it, and if it is not
/// the same grant any more.
pub fn claim(row: &OauthTokensRow, now: i64, until: i64) -> Stmt {
    stmt(
        "UPDATE oauth_tokens SET refreshing_until = $5 WHERE project_id = $1 AND id = $2 AND generation = $3 \
         AND refresh_token_sealed IS NOT NULL AND refreshing_until <= $4",
        args![row.project_id, row.id, row.generation, now, until],
    )
}

/// Ends a claim without a result. Affects no row if it has ended already.
pub fn release(row: &OauthTokensRow, until: i64) -> Stmt {
    stmt(
        "UPDATE oauth_tokens SET refreshing_until = 0 WHERE project_id = $1 AND id = $2 AND generation = $3 \
         AND refreshing_until = $4",
        args![row.project_id, row.id, row.generation, until],
    )
}

/// Replaces the tokens of a grant by those of `row`, which ends the claim. Affects no row if somebody else did.
pub fn renew(row: &OauthTokensRow) -> Stmt {
    stmt(
        "UPDATE oauth_tokens SET access_token_sealed = $4, access_scopes = $5, access_expires_at = $6, \
         refresh_token_sealed = $7, generation = generation + 1, refreshing_until = 0 \
         WHERE project_id = $1 AND id = $2 AND generation = $3",
        args![
            row.project_id,
            row.id,
            row.generation,
            row.access_token_sealed,
            row.access_scopes,
            row.access_expires_at,
            row.refresh_token_sealed
        ],
    )
}

/// Forgets an access token that the provider does not accept any more.
pub fn end_access_token(row: &OauthTokensRow) -> Stmt {
    stmt(
        "UPDATE oauth_tokens SET access_token_sealed = NULL \
         WHERE project_id = $1 AND id = $2 AND generation = $3",
        args![row.project_id, row.id, row.generation],
    )
}

/// Forgets a refresh token that the provider does not accept any more, which ends the claim.
pub fn end_refresh_token(row: &OauthTokensRow) -> Stmt {
    stmt(
        "UPDATE oauth_tokens SET refresh_token_sealed = NULL, refreshing_until = 0 \
         WHERE project_id = $1 AND id = $2 AND generation = $3",
        args![row.project_id, row.id, row.generation],
    )
}

/// Removes a grant of which nothing is left.
pub fn delete_if_empty(row: &OauthTokensRow) -> Stmt {
    stmt(
        "DELETE FROM oauth_tokens WHERE project_id = $1 AND id = $2 AND access_token_sealed IS NULL \
         AND refresh_token_sealed IS NULL",
        args![row.project_id, row.id],
    )
}

/// Removes a grant.
pub fn delete(project: &ProjectId, id: OauthTokensId) -> Stmt {
    stmt("DELETE FROM oauth_tokens WHERE project_id = $1 AND id = $2", args![project, id])
}

/// Removes the grants of an account.
pub fn delete_of_account(project: &ProjectId, account: OauthAccountId) -> Stmt {
    stmt("DELETE FROM oauth_tokens WHERE project_id = $1 AND oauth_account_id = $2", args![project, account])
}

/// Replaces a sealed access token that is still the one that was read.
pub fn reseal_access_token(project: &ProjectId, id: OauthTokensId, old: &[u8], new: &[u8]) -> Stmt {
    stmt(
        "UPDATE oauth_tokens SET access_token_sealed = $4 WHERE project_id = $1 AND id = $2 \
         AND access_token_sealed = $3",
        args![project, id, old, new],
    )
}

/// Replaces a sealed refresh token that is still the one that was read.
pub fn reseal_refresh_token(project: &ProjectId, id: OauthTokensId, old: &[u8], new: &[u8]) -> Stmt {
    stmt(
        "UPDATE oauth_tokens SET refresh_token_sealed = $4 WHERE project_id = $1 AND id = $2 \
         AND refresh_token_sealed = $3",
        args![project, id, old, new],
    )
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) grants, whatever their project, that cannot be refreshed and whose
/// access token ended before `before`.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM oauth_tokens WHERE (project_id, id) IN (SELECT t.project_id, t.id FROM oauth_tokens t \
         WHERE t.access_expires_at < $1 AND t.refresh_token_sealed IS NULL"
        ),
        args![before],
    )
}
