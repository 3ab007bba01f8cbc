//! Projects: the tenants of a deployment. Owns their row and SQL; refuses to know what the settings mean
//! (they are JSON text here, typed in `latchkey-config`).

use latchkey_api_types::ids::{ProjectId, TeamId};

use crate::engine::{Stmt, StorageError, Tx, args, record, stmt};

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
        /// Settings as JSON text.
        pub settings: String,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
    }
}

/// Reads one project; `None` if it does not exist.
pub async fn get(tx: &mut Tx, project: &ProjectId) -> Result<Option<ProjectRow>, StorageError> {
    tx.query_opt(
        "SELECT id, display_name, description, logo_url, logo_full_url, logo_dark_mode_url, \
         logo_full_dark_mode_url, is_production_mode, onboarding_status, owner_team_id, settings, created_at \
         FROM projects WHERE id = $1",
        args![project],
    )
    .await
}

/// Inserts a project, or brings the declared columns of an existing one up to date.
/// `created_at` and the columns that administrators set by API stay as they are.
pub fn upsert(row: &ProjectRow) -> Stmt {
    stmt(
        "INSERT INTO projects (id, display_name, description, is_production_mode, onboarding_status, \
         owner_team_id, settings, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name, \
         description = excluded.description, is_production_mode = excluded.is_production_mode, \
         owner_team_id = excluded.owner_team_id, settings = excluded.settings",
        args![
            row.id,
            row.display_name,
            row.description,
            row.is_production_mode,
            row.onboarding_status,
            row.owner_team_id,
            row.settings,
            row.created_at
        ],
    )
}

/// The ids of all projects.
pub async fn ids(tx: &mut Tx) -> Result<Vec<ProjectId>, StorageError> {
    let ids: Vec<(ProjectId,)> = tx.query("SELECT id FROM projects ORDER BY id", args![]).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}
