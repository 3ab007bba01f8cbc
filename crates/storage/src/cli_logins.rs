//! Sign-ins of command-line programs that are completed in a browser. Owns their rows and SQL. Of the two codes only
//! hashes are here; refresh tokens are sealed, and leave the row with the statement that hands them out.

use latchkey_api_types::ids::ProjectId;
use latchkey_crypto::TokenHash;

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One attempt.
    pub struct CliLoginRow {
        /// Project into which the program signs in.
        pub project_id: ProjectId,
        /// Hash of the code by which the program asks for the result.
        pub polling_code_hash: TokenHash,
        /// Hash of the code by which the browser answers.
        pub login_code_hash: TokenHash,
        /// The refresh token for the program, from completion until it is handed out.
        pub refresh_token_sealed: Option<Vec<u8>>,
        /// The refresh token of the program's anonymous session, until a browser claims it.
        pub anonymous_token_sealed: Option<Vec<u8>>,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// End of validity, epoch milliseconds.
        pub expires_at: i64,
        /// When a browser completed it.
        pub completed_at: Option<i64>,
        /// When the program took the result.
        pub used_at: Option<i64>,
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT project_id, polling_code_hash, login_code_hash, refresh_token_sealed, \
             anonymous_token_sealed, created_at, expires_at, completed_at, used_at FROM cli_logins ",
            $rest
        )
    };
}

/// Inserts an attempt.
pub fn insert(row: &CliLoginRow) -> Stmt {
    stmt(
        "INSERT INTO cli_logins (project_id, polling_code_hash, login_code_hash, refresh_token_sealed, \
         anonymous_token_sealed, created_at, expires_at, completed_at, used_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            row.project_id,
            row.polling_code_hash,
            row.login_code_hash,
            row.refresh_token_sealed,
            row.anonymous_token_sealed,
            row.created_at,
            row.expires_at,
            row.completed_at,
            row.used_at
        ],
    )
}

/// The attempt of a program.
pub async fn by_polling_code(
    tx: &mut Tx,
    project: &ProjectId,
    code: &TokenHash,
) -> Result<Option<CliLoginRow>, StorageError> {
    tx.query_opt(select!("WHERE project_id = $1 AND polling_code_hash = $2"), args![project, code]).await
}

/// The attempt that a browser answers.
pub async fn by_login_code(
    tx: &mut Tx,
    project: &ProjectId,
    code: &TokenHash,
) -> Result<Option<CliLoginRow>, StorageError> {
    tx.query_opt(select!("WHERE project_id = $1 AND login_code_hash = $2"), args![project, code]).await
}

/// Takes the anonymous session out of an open attempt. Affects no row if that was done before, or if the attempt is
/// completed or over.
pub fn claim_anonymous(project: &ProjectId, polling_code: &TokenHash, now: i64) -> Stmt {
    stmt(
        "UPDATE cli_logins SET anonymous_token_sealed = NULL WHERE project_id = $1 AND polling_code_hash = $2 \
         AND anonymous_token_sealed IS NOT NULL AND completed_at IS NULL AND expires_at > $3",
        args![project, polling_code, now],
    )
}

/// Leaves a refresh token for the program. Affects no row if somebody did before, or if the attempt is over.
pub fn complete(project: &ProjectId, polling_code: &TokenHash, sealed: &[u8], now: i64) -> Stmt {
    stmt(
        "UPDATE cli_logins SET refresh_token_sealed = $3, anonymous_token_sealed = NULL, completed_at = $4 \
         WHERE project_id = $1 AND polling_code_hash = $2 AND completed_at IS NULL AND expires_at > $4",
        args![project, polling_code, sealed, now],
    )
}

/// Takes the refresh token out. Affects no row if it was taken before, or if the attempt is over.
pub fn hand_out(project: &ProjectId, polling_code: &TokenHash, now: i64) -> Stmt {
    stmt(
        "UPDATE cli_logins SET refresh_token_sealed = NULL, used_at = $3 WHERE project_id = $1 \
         AND polling_code_hash = $2 AND refresh_token_sealed IS NOT NULL AND used_at IS NULL AND expires_at > $3",
        args![project, polling_code, now],
    )
}

/// The attempts of a project that hold a secret.
pub async fn sealed(tx: &mut Tx, project: &ProjectId) -> Result<Vec<CliLoginRow>, StorageError> {
    tx.query(
        select!(
            "WHERE project_id = $1 AND (refresh_token_sealed IS NOT NULL OR anonymous_token_sealed IS NOT NULL)"
        ),
        args![project],
    )
    .await
}

/// Replaces a sealed refresh token that is still the one that was read.
pub fn reseal(project: &ProjectId, polling_code: &TokenHash, old: &[u8], new: &[u8]) -> Stmt {
    stmt(
        "UPDATE cli_logins SET refresh_token_sealed = $4 WHERE project_id = $1 AND polling_code_hash = $2 \
         AND refresh_token_sealed = $3",
        args![project, polling_code, old, new],
    )
}

/// Replaces a sealed token of an anonymous session that is still the one that was read.
pub fn reseal_anonymous(project: &ProjectId, polling_code: &TokenHash, old: &[u8], new: &[u8]) -> Stmt {
    stmt(
        "UPDATE cli_logins SET anonymous_token_sealed = $4 WHERE project_id = $1 AND polling_code_hash = $2 \
         AND anonymous_token_sealed = $3",
        args![project, polling_code, old, new],
    )
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) attempts that ended before `before`, whatever their project.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM cli_logins WHERE (project_id, polling_code_hash) IN (SELECT c.project_id, c.polling_code_hash \
         FROM cli_logins c WHERE c.expires_at < $1"
        ),
        args![before],
    )
}
