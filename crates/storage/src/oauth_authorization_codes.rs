//! Authorization codes of the OAuth token endpoint. Owns their rows and SQL; codes are hashes here.

use latchkey_api_types::ids::{ProjectId, SessionId, UserId};
use latchkey_crypto::TokenHash;

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One code.
    pub struct OauthAuthorizationCodeRow {
        /// Project in which it is valid.
        pub project_id: ProjectId,
        /// Hash of the code.
        pub code_hash: TokenHash,
        /// Who signs in by it.
        pub user_id: UserId,
        /// Where it was sent, as text.
        pub redirect_uri: String,
        /// Challenge of RFC 7636.
        pub challenge: String,
        /// How the challenge follows from the verifier.
        pub challenge_method: String,
        /// Whether the account was created, or upgraded, on the way to it.
        pub is_new_user: bool,
        /// What the token endpoint gives back to the client.
        pub after_callback_redirect_url: Option<String>,
        /// The session that it hands over to another domain, instead of beginning one.
        pub handed_over_session_id: Option<SessionId>,
        /// The refresh token of that session, sealed.
        pub refresh_token_sealed: Option<Vec<u8>>,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// End of validity, epoch milliseconds.
        pub expires_at: i64,
        /// When it was used.
        pub used_at: Option<i64>,
        /// The session that it began.
        pub session_id: Option<SessionId>,
        /// An account that is written when the code is redeemed, sealed.
        pub arrival_sealed: Option<Vec<u8>>,
        /// What the session had proven from which the new one goes on, as JSON.
        pub proven: Option<String>,
    }
}

/// Inserts a code. Violates the foreign key if the user is gone.
pub fn insert(row: &OauthAuthorizationCodeRow) -> Stmt {
    stmt(
        "INSERT INTO oauth_authorization_codes (project_id, code_hash, user_id, redirect_uri, challenge, \
         challenge_method, is_new_user, after_callback_redirect_url, handed_over_session_id, \
         refresh_token_sealed, created_at, expires_at, used_at, session_id, arrival_sealed, proven) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        args![
            row.project_id,
            row.code_hash,
            row.user_id,
            row.redirect_uri,
            row.challenge,
            row.challenge_method,
            row.is_new_user,
            row.after_callback_redirect_url,
            row.handed_over_session_id,
            row.refresh_token_sealed,
            row.created_at,
            row.expires_at,
            row.used_at,
            row.session_id,
            row.arrival_sealed,
            row.proven
        ],
    )
}

/// The code of this hash, used or not.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    code: &TokenHash,
) -> Result<Option<OauthAuthorizationCodeRow>, StorageError> {
    tx.query_opt(
        "SELECT project_id, code_hash, user_id, redirect_uri, challenge, challenge_method, is_new_user, \
         after_callback_redirect_url, handed_over_session_id, refresh_token_sealed, created_at, expires_at, \
         used_at, session_id, arrival_sealed, proven FROM oauth_authorization_codes WHERE project_id = $1 AND code_hash = $2",
        args![project, code],
    )
    .await
}

/// Uses a code. Affects no row if it was used, or has expired, meanwhile.
pub fn claim(project: &ProjectId, code: &TokenHash, now: i64) -> Stmt {
    stmt(
        "UPDATE oauth_authorization_codes SET used_at = $3, refresh_token_sealed = NULL, arrival_sealed = NULL \
         WHERE project_id = $1 AND code_hash = $2 AND used_at IS NULL AND expires_at > $3",
        args![project, code, now],
    )
}

/// Takes out what is written when a code is redeemed. Affects no row if it was taken or the code used meanwhile.
pub fn take_arrival(project: &ProjectId, code: &TokenHash, now: i64) -> Stmt {
    stmt(
        "UPDATE oauth_authorization_codes SET arrival_sealed = NULL WHERE project_id = $1 AND code_hash = $2 \
         AND arrival_sealed IS NOT NULL AND used_at IS NULL AND expires_at > $3",
        args![project, code, now],
    )
}

/// Deletes the codes of a user that nobody has used: with all their sessions, what would begin one ends.
pub fn delete_unused(project: &ProjectId, user: UserId) -> Stmt {
    stmt(
        "DELETE FROM oauth_authorization_codes WHERE project_id = $1 AND user_id = $2 AND used_at IS NULL",
        args![project, user],
    )
}

/// Remembers the session that a code began, so that it ends if the code is used again.
pub fn set_session(project: &ProjectId, code: &TokenHash, session: SessionId) -> Stmt {
    stmt(
        "UPDATE oauth_authorization_codes SET session_id = $3 WHERE project_id = $1 AND code_hash = $2",
        args![project, code, session],
    )
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) codes that expired before `before`, whatever their project.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM oauth_authorization_codes WHERE (project_id, code_hash) IN (SELECT c.project_id, c.code_hash \
         FROM oauth_authorization_codes c WHERE c.expires_at < $1"
        ),
        args![before],
    )
}
