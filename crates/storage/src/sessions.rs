//! Sessions: one row a refresh-token family. Owns their rows and SQL. The row knows hashes only: of the part of the
//! token that stays the same through rotations (`family_hash`), of the token that is valid now, and of the one
//! before it.

use latchkey_api_types::ids::{ProjectId, SessionId, UserId};
use latchkey_crypto::TokenHash;

use crate::engine::{Cells, Record, Stmt, StorageError, Tx, args, record, stmt};
use crate::users::{self, SubjectRow};

record! {
    /// One session.
    pub struct SessionRow {
        /// Project of the user.
        pub project_id: ProjectId,
        /// Identifier; the claim `refresh_token_id`.
        pub id: SessionId,
        /// Owner.
        pub user_id: UserId,
        /// Hash of the unchanging part of the refresh token; unique in the project.
        pub family_hash: TokenHash,
        /// Hash of the refresh token that is valid now.
        pub token_hash: TokenHash,
        /// Hash of the refresh token that was rotated away last.
        pub previous_token_hash: Option<TokenHash>,
        /// When it was, epoch milliseconds.
        pub rotated_at: Option<i64>,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
        /// Last time that a token was minted from it, epoch milliseconds.
        pub last_used_at: i64,
        /// End, epoch milliseconds; `None` never ends.
        pub expires_at: Option<i64>,
        /// Created by an administrator to act as the user.
        pub is_impersonation: bool,
        /// When the user last proved who they are, epoch milliseconds.
        pub auth_time: i64,
        /// How: authentication methods of RFC 8176, separated by spaces.
        pub amr: String,
        /// Address of the end user, JSON object of contract 03 §5.2.
        pub end_user_ip: Option<String>,
    }
}

macro_rules! columns {
    () => {
        "s.project_id, s.id, s.user_id, s.family_hash, s.token_hash, s.previous_token_hash, s.rotated_at, \
         s.created_at, s.last_used_at, s.expires_at, s.is_impersonation, s.auth_time, s.amr, s.end_user_ip"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM sessions s ", $rest)
    };
}

/// A session and whose it is.
#[derive(Debug, Clone)]
pub struct OwnedSessionRow {
    /// The session.
    pub session: SessionRow,
    /// Its owner, as the tokens of the session know them.
    pub user: SubjectRow,
}

impl Record for OwnedSessionRow {
    fn read(cells: &mut Cells<'_>) -> Result<Self, StorageError> {
        Ok(Self { session: SessionRow::read(cells)?, user: SubjectRow::read(cells)? })
    }
}

/// The session of a refresh-token family, and its owner. The hot path of every refresh.
pub async fn by_family(
    tx: &mut Tx,
    project: &ProjectId,
    family_hash: &TokenHash,
) -> Result<Option<OwnedSessionRow>, StorageError> {
    tx.query_opt(
        concat!(
            "SELECT ",
            columns!(),
            ", ",
            users::subject_columns!(),
            "FROM sessions s JOIN ",
            users::subject_tables!("ON u.project_id = s.project_id AND u.id = s.user_id"),
            "WHERE s.project_id = $1 AND s.family_hash = $2"
        ),
        args![project, family_hash],
    )
    .await
}

/// One session.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    id: SessionId,
) -> Result<Option<SessionRow>, StorageError> {
    tx.query_opt(select!("WHERE s.project_id = $1 AND s.id = $2"), args![project, id]).await
}

/// All sessions of a user, newest first, expired ones included.
pub async fn list(tx: &mut Tx, project: &ProjectId, user: UserId) -> Result<Vec<SessionRow>, StorageError> {
    tx.query(
        select!("WHERE s.project_id = $1 AND s.user_id = $2 ORDER BY s.created_at DESC, s.id"),
        args![project, user],
    )
    .await
}

/// Inserts a session.
pub fn insert(row: &SessionRow) -> Stmt {
    stmt(
        "INSERT INTO sessions (project_id, id, user_id, family_hash, token_hash, previous_token_hash, rotated_at, \
         created_at, last_used_at, expires_at, is_impersonation, auth_time, amr, end_user_ip) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        args![
            row.project_id,
            row.id,
            row.user_id,
            row.family_hash,
            row.token_hash,
            row.previous_token_hash,
            row.rotated_at,
            row.created_at,
            row.last_used_at,
            row.expires_at,
            row.is_impersonation,
            row.auth_time,
            row.amr,
            row.end_user_ip
        ],
    )
}

/// Replaces the valid token by its successor. Affects no row if the token is not the valid one any more.
pub fn rotate(project: &ProjectId, id: SessionId, old: &TokenHash, new: &TokenHash, now: i64) -> Stmt {
    stmt(
        "UPDATE sessions SET token_hash = $4, previous_token_hash = $3, rotated_at = $5, last_used_at = $5 \
         WHERE project_id = $1 AND id = $2 AND token_hash = $3",
        args![project, id, old, new, now],
    )
}

/// Notes that the user of a session proved again who they are, and how they have done so since its beginning. Affects
/// no row if the session has ended.
pub fn prove(project: &ProjectId, id: SessionId, user: UserId, auth_time: i64, amr: &str) -> Stmt {
    stmt(
        "UPDATE sessions SET auth_time = $4, amr = $5 WHERE project_id = $1 AND id = $2 AND user_id = $3",
        args![project, id, user, auth_time, amr],
    )
}

/// Notes that a token was minted. Affects no row if the session has ended.
pub fn touch(project: &ProjectId, id: SessionId, now: i64, end_user_ip: Option<&str>) -> Stmt {
    stmt(
        "UPDATE sessions SET last_used_at = CASE WHEN last_used_at < $3 THEN $3 ELSE last_used_at END, \
         end_user_ip = COALESCE($4, end_user_ip) WHERE project_id = $1 AND id = $2",
        args![project, id, now, end_user_ip],
    )
}

/// Sets the end of a session that somebody goes on with elsewhere. Affects no row if it is over.
pub fn prolong(project: &ProjectId, id: SessionId, user: UserId, now: i64, expires_at: i64) -> Stmt {
    stmt(
        "UPDATE sessions SET expires_at = $5 WHERE project_id = $1 AND id = $2 AND user_id = $3 \
         AND (expires_at IS NULL OR expires_at > $4)",
        args![project, id, user, now, expires_at],
    )
}

/// Gives a row if a session of this user is not over.
pub fn lives(project: &ProjectId, id: SessionId, user: UserId, now: i64) -> Stmt {
    stmt(
        "SELECT id FROM sessions WHERE project_id = $1 AND id = $2 AND user_id = $3 \
         AND (expires_at IS NULL OR expires_at > $4)",
        args![project, id, user, now],
    )
}

/// Ends one session.
pub fn delete(project: &ProjectId, id: SessionId) -> Stmt {
    stmt("DELETE FROM sessions WHERE project_id = $1 AND id = $2", args![project, id])
}

/// Ends all sessions of a user but one (`None` spares none).
pub fn delete_of_user(project: &ProjectId, user: UserId, spare: Option<SessionId>) -> Stmt {
    match spare {
        Some(spare) => stmt(
            "DELETE FROM sessions WHERE project_id = $1 AND user_id = $2 AND id <> $3",
            args![project, user, spare],
        ),
        None => stmt("DELETE FROM sessions WHERE project_id = $1 AND user_id = $2", args![project, user]),
    }
}

/// Deletes up to [`AT_ONCE`](crate::AT_ONCE) sessions that ended before `before`, whatever their project.
pub fn prune(before: i64) -> Stmt {
    stmt(
        at_once!(
            "DELETE FROM sessions WHERE (project_id, id) IN (SELECT s.project_id, s.id FROM sessions s \
         WHERE s.expires_at < $1 ORDER BY s.expires_at"
        ),
        args![before],
    )
}
