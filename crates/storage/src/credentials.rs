//! Credentials of users that are one secret each (today: the password hash). Owns their rows and SQL.

use latchkey_api_types::ids::{ProjectId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// What a sign-in by email and password needs to know before it hashes.
    pub struct PasswordRow {
        /// Whose password it is.
        pub user_id: UserId,
        /// PHC string or bcrypt hash; `None` if the user has no password.
        pub hash: Option<String>,
    }
}

/// The user that may sign in with this email, and the password hash, by the first of the two spellings that a
/// channel used for authentication has.
pub async fn password_by_auth_email(
    tx: &mut Tx,
    project: &ProjectId,
    email: &str,
    normalised: &str,
) -> Result<Option<PasswordRow>, StorageError> {
    tx.query_opt(
        "SELECT c.user_id, p.hash FROM contact_channels c \
         LEFT JOIN credentials p ON p.project_id = c.project_id AND p.user_id = c.user_id AND p.kind = 'password' \
         WHERE c.project_id = $1 AND c.type = 'email' AND c.value IN ($2, $3) AND c.used_for_auth \
         ORDER BY CASE WHEN c.value = $2 THEN 0 ELSE 1 END LIMIT 1",
        args![project, email, normalised],
    )
    .await
}

/// The password hash of a user.
pub async fn password(
    tx: &mut Tx,
    project: &ProjectId,
    user: UserId,
) -> Result<Option<PasswordRow>, StorageError> {
    tx.query_opt(
        "SELECT user_id, hash FROM credentials WHERE project_id = $1 AND user_id = $2 AND kind = 'password'",
        args![project, user],
    )
    .await
}

/// Sets the password hash of a user, whether or not there was one.
pub fn set_password(project: &ProjectId, user: UserId, hash: &str, now: i64) -> Stmt {
    stmt(
        "INSERT INTO credentials (project_id, user_id, kind, hash, updated_at) VALUES ($1, $2, 'password', $3, $4) \
         ON CONFLICT (project_id, user_id, kind) DO UPDATE SET hash = excluded.hash, updated_at = excluded.updated_at",
        args![project, user, hash, now],
    )
}

/// Sets the first password of a user; a second one is refused as a unique violation.
pub fn insert_password(project: &ProjectId, user: UserId, hash: &str, now: i64) -> Stmt {
    stmt(
        "INSERT INTO credentials (project_id, user_id, kind, hash, updated_at) VALUES ($1, $2, 'password', $3, $4)",
        args![project, user, hash, now],
    )
}

/// Replaces a known hash: affects no row if somebody else changed the password meanwhile.
pub fn replace_password(project: &ProjectId, user: UserId, old: &str, new: &str, now: i64) -> Stmt {
    stmt(
        "UPDATE credentials SET hash = $4, updated_at = $5 \
         WHERE project_id = $1 AND user_id = $2 AND kind = 'password' AND hash = $3",
        args![project, user, old, new, now],
    )
}

/// Removes the password of a user.
pub fn remove_password(project: &ProjectId, user: UserId) -> Stmt {
    stmt(
        "DELETE FROM credentials WHERE project_id = $1 AND user_id = $2 AND kind = 'password'",
        args![project, user],
    )
}

/// Touches a password that is still the one that was verified: the guard of a sign-in against a change of the
/// password in the same moment (both write this row, so that one waits for the other).
pub fn confirm_password(project: &ProjectId, user: UserId, hash: &str) -> Stmt {
    stmt(
        "UPDATE credentials SET updated_at = updated_at \
         WHERE project_id = $1 AND user_id = $2 AND kind = 'password' AND hash = $3",
        args![project, user, hash],
    )
}
