//! Codes that work once: verification, sign-in, reset. Owns their rows and SQL; codes are hashes here.

use latchkey_api_types::ids::{OneTimeCodeId, ProjectId, UserId};
use latchkey_crypto::TokenHash;

use crate::engine::{Stmt, Value, args, record, stmt};

record! {
    /// One code. `suffix_hash` is of everything behind the six characters that a person may type, so that wrong
    /// guesses count against the right code.
    pub struct OneTimeCodeRow {
        /// Project in which it is valid.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: OneTimeCodeId,
        /// Purpose; a code of one purpose is unknown to every other.
        pub kind: String,
        /// Hash of the whole code.
        pub code_hash: TokenHash,
        /// Hash of the code from its seventh character on.
        pub suffix_hash: TokenHash,
        /// What the code stands for, JSON.
        pub data: String,
        /// Requests that hit this code or one with the same suffix.
        pub attempts: i64,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// End of validity, epoch milliseconds.
        pub expires_at: i64,
        /// When it was consumed.
        pub used_at: Option<i64>,
        /// Whose it is, if it ends with the user's sessions.
        pub user_id: Option<UserId>,
    }
}

macro_rules! insert {
    ($user:literal) => {
        concat!(
            "INSERT INTO one_time_codes (project_id, id, kind, code_hash, suffix_hash, data, attempts, created_at, \
             expires_at, used_at, user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ",
            $user,
            ")"
        )
    };
}

/// Inserts a code.
pub fn insert(row: &OneTimeCodeRow) -> Stmt {
    let mut args = shared(row);
    args.extend(args![row.user_id]);
    stmt(insert!("$11"), args)
}

/// Inserts a code that belongs to whoever signs in with an address: the same statement whether or not somebody does.
pub fn insert_for_owner(row: &OneTimeCodeRow, email: &str) -> Stmt {
    let mut args = shared(row);
    args.extend(args![email]);
    let text = insert!(
        "(SELECT c.user_id FROM contact_channels c WHERE c.project_id = $1 AND c.type = 'email' AND c.value = $11 \
         AND c.used_for_auth)"
    );
    stmt(text, args)
}

/// The arguments of both, up to whose the code is.
fn shared(row: &OneTimeCodeRow) -> Vec<Value> {
    args![
        row.project_id,
        row.id,
        row.kind,
        row.code_hash,
        row.suffix_hash,
        row.data,
        row.attempts,
        row.created_at,
        row.expires_at,
        row.used_at
    ]
}

/// Counts a look-up against every code with this suffix.
pub fn count_attempt(project: &ProjectId, suffix: &TokenHash) -> Stmt {
    stmt(
        "UPDATE one_time_codes SET attempts = attempts + 1 WHERE project_id = $1 AND suffix_hash = $2",
        args![project, suffix],
    )
}

/// The code of this kind, as a statement, so that it can follow the count. Gives a [`OneTimeCodeRow`].
pub fn find(project: &ProjectId, kind: &str, code: &TokenHash) -> Stmt {
    stmt(
        "SELECT project_id, id, kind, code_hash, suffix_hash, data, attempts, created_at, expires_at, used_at, user_id \
         FROM one_time_codes WHERE project_id = $1 AND kind = $2 AND code_hash = $3",
        args![project, kind, code],
    )
}

/// The code of a link that ends a kind of mail, whatever its project, which the link does not name. Gives a
/// [`OneTimeCodeRow`].
pub fn find_unsubscribe(code: &TokenHash) -> Stmt {
    stmt(
        "SELECT project_id, id, kind, code_hash, suffix_hash, data, attempts, created_at, expires_at, used_at, user_id \
         FROM one_time_codes WHERE kind = 'unsubscribe' AND code_hash = $1",
        args![code],
    )
}

/// Uses a code. Affects no row if it was used, or has expired, meanwhile.
pub fn claim(project: &ProjectId, id: OneTimeCodeId, now: i64) -> Stmt {
    stmt(
        "UPDATE one_time_codes SET used_at = $3 \
         WHERE project_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3",
        args![project, id, now],
    )
}

/// Ends the codes that name this user, as if they were used.
pub fn end_of_user(project: &ProjectId, user: UserId, now: i64) -> Stmt {
    stmt(
        "UPDATE one_time_codes SET used_at = $3 WHERE project_id = $1 AND user_id = $2 AND used_at IS NULL",
        args![project, user, now],
    )
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) codes that were used or expired before `before`, whatever their project.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM one_time_codes WHERE (project_id, id) IN (SELECT c.project_id, c.id FROM one_time_codes c \
         WHERE c.expires_at < $1 OR c.used_at < $1"
        ),
        args![before],
    )
}
