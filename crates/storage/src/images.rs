//! Pictures that were sent inline. Owns their rows and SQL; what counts as a picture is decided in
//! `latchkey-identity`.

use latchkey_api_types::ids::{ImageId, ProjectId, TeamId, UserId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

record! {
    /// One picture.
    pub struct ImageRow {
        /// Project of whom it shows.
        pub project_id: ProjectId,
        /// Identifier; a new picture has a new one.
        pub id: ImageId,
        /// Kind of place, as in its URL.
        pub folder: String,
        /// The place that it fills; at most one picture each.
        pub owner: String,
        /// User with whom it goes.
        pub user_id: Option<UserId>,
        /// Team with which it goes.
        pub team_id: Option<TeamId>,
        /// The format that its bytes show.
        pub format: String,
        /// The picture.
        pub bytes: Vec<u8>,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
    }
}

/// One picture; `None` if there is none with this id in this folder.
pub async fn get(
    tx: &mut Tx,
    project: &ProjectId,
    folder: &str,
    id: ImageId,
) -> Result<Option<ImageRow>, StorageError> {
    tx.query_opt(
        "SELECT project_id, id, folder, owner, user_id, team_id, format, bytes, created_at FROM images \
         WHERE project_id = $1 AND folder = $2 AND id = $3",
        args![project, folder, id],
    )
    .await
}

/// Puts a picture into its place, instead of the one that was there. Violates a foreign key if the owner is not
/// there (any more).
pub fn put(row: &ImageRow) -> Stmt {
    stmt(
        "INSERT INTO images (project_id, id, folder, owner, user_id, team_id, format, bytes, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (project_id, owner) DO UPDATE SET id = excluded.id, format = excluded.format, \
         bytes = excluded.bytes, created_at = excluded.created_at",
        args![
            row.project_id,
            row.id,
            row.folder,
            row.owner,
            row.user_id,
            row.team_id,
            row.format,
            row.bytes,
            row.created_at
        ],
    )
}

/// Empties a place, unless the picture in it is the one to keep.
pub fn remove(project: &ProjectId, owner: &str, keep: Option<ImageId>) -> Stmt {
    let keep = keep.map(|id| id.to_string()).unwrap_or_default();
    stmt("DELETE FROM images WHERE project_id = $1 AND owner = $2 AND id <> $3", args![project, owner, keep])
}
