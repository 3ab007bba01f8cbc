//! Projects: the tenants of a deployment. Owns their row and SQL; refuses to know what the settings mean (they are
//! sealed text here). A deleted project is no project for anybody but the purge.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};

use crate::engine::{Stmt, StorageError, Tx, Value, args, record, sql, stmt};

record! {
    /// One project as it stands in the database.
    pub struct ProjectRow {
        /// Identifier: a UUID or `internal`.
        pub id: ProjectId,
        /// Name that users see in mails and on pages.
        pub display_name: String,
        /// Free text for administrators; never null.
        pub description: String,
        /// Square logo.
        pub logo_url: Option<String>,
        /// Wide logo.
        pub logo_full_url: Option<String>,
        /// Square logo for dark backgrounds.
        pub logo_dark_mode_url: Option<String>,
        /// Wide logo for dark backgrounds.
        pub logo_full_dark_mode_url: Option<String>,
        /// Informational flag of the contract (07 §2).
        pub is_production_mode: bool,
        /// Progress of the dashboard's set-up pages.
        pub onboarding_status: String,
        /// Team of the project `internal` whose members administer this project.
        pub owner_team_id: Option<TeamId>,
        /// What the settings are made of, sealed.
        pub settings: String,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
    }
}

/// Reads one project; `None` if it does not exist.
pub async fn get(tx: &mut Tx, project: &ProjectId) -> Result<Option<ProjectRow>, StorageError> {
    tx.query_opt(
        sql!["SELECT ", ProjectRow::COLUMNS, " FROM projects WHERE id = $1 AND deleted_at IS NULL"],
        args![project],
    )
    .await
}

/// The projects that are owned by teams of this user of `internal`, newest first.
pub async fn owned_by(tx: &mut Tx, user: UserId) -> Result<Vec<ProjectRow>, StorageError> {
    tx.query(
        sql![
            "SELECT ",
            ProjectRow::COLUMNS,
            " FROM projects WHERE deleted_at IS NULL AND owner_team_id IN \
             (SELECT team_id FROM team_memberships WHERE project_id = 'internal' AND user_id = $1) \
             ORDER BY created_at DESC, id"
        ],
        args![user],
    )
    .await
}

/// All that can change about a project, behind its id.
fn changeable(row: &ProjectRow) -> Vec<Value> {
    args![
        row.id,
        row.display_name,
        row.description,
        row.logo_url,
        row.logo_full_url,
        row.logo_dark_mode_url,
        row.logo_full_dark_mode_url,
        row.is_production_mode,
        row.onboarding_status,
        row.owner_team_id,
        row.settings
    ]
}

/// Inserts a project.
pub fn insert(row: &ProjectRow) -> Stmt {
    let mut all = changeable(row);
    all.extend(args![row.created_at]);
    stmt(
        sql![
            "INSERT INTO projects (",
            ProjectRow::COLUMNS,
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ],
        all,
    )
}

/// Writes everything of a project that can change. Belongs into the transaction that has read the row.
pub fn update(row: &ProjectRow) -> Stmt {
    stmt(
        "UPDATE projects SET display_name = $2, description = $3, logo_url = $4, logo_full_url = $5, \
         logo_dark_mode_url = $6, logo_full_dark_mode_url = $7, is_production_mode = $8, \
         onboarding_status = $9, owner_team_id = $10, settings = $11 WHERE id = $1 AND deleted_at IS NULL",
        changeable(row),
    )
}

/// Gives a project from the team that owns it to another one.
pub fn hand_over(project: &ProjectId, from: TeamId, to: TeamId) -> Stmt {
    stmt(
        "UPDATE projects SET owner_team_id = $3 WHERE id = $1 AND owner_team_id = $2 AND deleted_at IS NULL",
        args![project, from, to],
    )
}

/// Replaces the sealed settings, when the master key was changed, unless they have changed meanwhile.
pub fn reseal(project: &ProjectId, old: &str, new: &str) -> Stmt {
    stmt("UPDATE projects SET settings = $3 WHERE id = $1 AND settings = $2", args![project, old, new])
}

/// Marks a project as deleted: from then on nobody finds it.
pub fn mark_deleted(project: &ProjectId, now: i64) -> Stmt {
    stmt("UPDATE projects SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL", args![project, now])
}

/// Whether a project is marked as deleted and not gone yet.
pub async fn is_marked_deleted(tx: &mut Tx, project: &ProjectId) -> Result<bool, StorageError> {
    tx.exists("SELECT 1 FROM projects WHERE id = $1 AND deleted_at IS NOT NULL", args![project]).await
}

/// A project that is marked as deleted, the longest one first.
pub async fn next_deleted(tx: &mut Tx) -> Result<Option<ProjectId>, StorageError> {
    let found: Option<(ProjectId,)> = tx
        .query_opt(
            "SELECT id FROM projects WHERE deleted_at IS NOT NULL ORDER BY deleted_at, id LIMIT 1",
            args![],
        )
        .await?;
    Ok(found.map(|(id,)| id))
}

/// Removes the row of a project that is marked as deleted, and with it what is left of its things.
pub fn remove(project: &ProjectId) -> Stmt {
    stmt("DELETE FROM projects WHERE id = $1 AND deleted_at IS NOT NULL", args![project])
}

/// The ids of all projects.
pub async fn ids(tx: &mut Tx) -> Result<Vec<ProjectId>, StorageError> {
    let ids: Vec<(ProjectId,)> =
        tx.query("SELECT id FROM projects WHERE deleted_at IS NULL ORDER BY id", args![]).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}
