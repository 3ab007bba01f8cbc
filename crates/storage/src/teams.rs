//! Teams and who is in them. Owns their rows and SQL.

use latchkey_api_types::ids::{ProjectId, TeamId, UserId};

use crate::engine::{Sql, Stmt, StorageError, Tx, Value, args, record, sql, stmt};
use crate::values::json_array;

record! {
    /// One team.
    pub struct TeamRow {
        /// Project of the team.
        pub project_id: ProjectId,
        /// Identifier.
        pub id: TeamId,
        /// Name.
        pub display_name: String,
        /// Picture.
        pub profile_image_url: Option<String>,
        /// JSON text that clients read and write.
        pub client_metadata: Option<String>,
        /// JSON text that clients read.
        pub client_read_only_metadata: Option<String>,
        /// JSON text for servers only.
        pub server_metadata: Option<String>,
        /// Creation, epoch milliseconds.
        pub created_at: i64,
    }
}

macro_rules! list {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT t.project_id, t.id, t.display_name, t.profile_image_url, t.client_metadata, \
             t.client_read_only_metadata, t.server_metadata, t.created_at ",
            $from,
            $rest
        )
    };
}

/// One team; `None` if it does not exist.
pub async fn get(tx: &mut Tx, project: &ProjectId, team: TeamId) -> Result<Option<TeamRow>, StorageError> {
    tx.query_opt(
        sql!["SELECT ", TeamRow::COLUMNS, " FROM teams WHERE project_id = $1 AND id = $2"],
        args![project, team],
    )
    .await
}

/// These teams, in no order.
pub async fn list_some<'i>(
    tx: &mut Tx,
    project: &ProjectId,
    teams: impl IntoIterator<Item = &'i TeamId>,
) -> Result<Vec<TeamRow>, StorageError> {
    let text = Sql::both(list!(
        "FROM json_each($2) j CROSS JOIN teams t ",
        "ON t.project_id = $1 AND t.id = j.value"
    ))
    .postgres(list!(
        "FROM json_array_elements_text(CAST(CAST($2 AS TEXT) AS json)) AS j (value) ",
        "JOIN teams t ON t.project_id = $1 AND t.id = j.value"
    ));
    tx.query(text, args![project, json_array(teams)]).await
}

/// Renames the teams of a user that are called so.
pub fn rename_of_member(project: &ProjectId, user: UserId, from: &str, to: &str) -> Stmt {
    stmt(
        "UPDATE teams SET display_name = $4 WHERE project_id = $1 AND display_name = $3 AND id IN \
         (SELECT m.team_id FROM team_memberships m WHERE m.project_id = $1 AND m.user_id = $2)",
        args![project, user, from, to],
    )
}

const INSERT: &str =
    sql!["INSERT INTO teams (", TeamRow::COLUMNS, ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"];

/// All columns of a team.
fn all(row: &TeamRow) -> Vec<Value> {
    args![
        row.project_id,
        row.id,
        row.display_name,
        row.profile_image_url,
        row.client_metadata,
        row.client_read_only_metadata,
        row.server_metadata,
        row.created_at
    ]
}

/// Inserts a team unless it exists.
pub fn insert_if_absent(row: &TeamRow) -> Stmt {
    stmt(sql![INSERT, " ON CONFLICT (project_id, id) DO NOTHING"], all(row))
}

/// Inserts a team. Violates `teams_pkey` if it exists.
pub fn insert(row: &TeamRow) -> Stmt {
    stmt(INSERT, all(row))
}

/// Writes what may change about a team that was read in the same transaction.
pub fn update(row: &TeamRow) -> Stmt {
    stmt(
        "UPDATE teams SET display_name = $3, profile_image_url = $4, client_metadata = $5, \
         client_read_only_metadata = $6, server_metadata = $7 WHERE project_id = $1 AND id = $2",
        args![
            row.project_id,
            row.id,
            row.display_name,
            row.profile_image_url,
            row.client_metadata,
            row.client_read_only_metadata,
            row.server_metadata
        ],
    )
}

/// Deletes a team and, by cascade, all that belongs to it.
pub fn delete(project: &ProjectId, team: TeamId) -> Stmt {
    stmt("DELETE FROM teams WHERE project_id = $1 AND id = $2", args![project, team])
}

/// Which teams are listed.
#[derive(Clone, Debug, Default)]
pub struct TeamFilter {
    /// Teams of this user only.
    pub member: Option<UserId>,
    /// Newest first instead of oldest first.
    pub descending: bool,
    /// Only this team and those behind it in the order: its creation and id.
    pub from: Option<(i64, TeamId)>,
    /// Only teams whose name contains this, whatever the case of ASCII letters, or whose id it is. Every team is compared
    /// until the page is full: some 0.1 s for 100 000 of them, which is why users are searched otherwise and teams not.
    pub search: Option<String>,
    /// The most teams to read.
    pub limit: i64,
}

/// Teams in the order of their creation.
pub async fn list(
    tx: &mut Tx,
    project: &ProjectId,
    filter: &TeamFilter,
) -> Result<Vec<TeamRow>, StorageError> {
    // Bounds beyond every team stand for no bound, so that one text serves with and without a cursor.
    let unbounded = if filter.descending { (i64::MAX, "g".to_owned()) } else { (i64::MIN, String::new()) };
    let (created_at, id) = filter.from.map_or(unbounded, |(created_at, id)| (created_at, id.to_string()));
    let pattern = filter.search.as_deref().map(contains_pattern).unwrap_or_default();
    let exact = filter.search.as_deref().map(str::to_ascii_lowercase).unwrap_or_default();
    let limit = filter.limit;
    match (filter.member, filter.descending) {
        (None, false) => {
            tx.query(
                list!(
                    "FROM teams t ",
                    "WHERE t.project_id = $1 AND (t.created_at, t.id) >= ($2, $3) \
                     AND ($4 = '' OR lower(t.display_name) LIKE $4 ESCAPE '!' OR t.id = $5) \
                     ORDER BY t.created_at, t.id LIMIT $6"
                ),
                args![project, created_at, id, pattern, exact, limit],
            )
            .await
        }
        (None, true) => {
            tx.query(
                list!(
                    "FROM teams t ",
                    "WHERE t.project_id = $1 AND (t.created_at, t.id) <= ($2, $3) \
                     AND ($4 = '' OR lower(t.display_name) LIKE $4 ESCAPE '!' OR t.id = $5) \
                     ORDER BY t.created_at DESC, t.id DESC LIMIT $6"
                ),
                args![project, created_at, id, pattern, exact, limit],
            )
            .await
        }
        (Some(user), false) => {
            tx.query(
                list!(
                    "FROM team_memberships m JOIN teams t ON t.project_id = m.project_id AND t.id = m.team_id ",
                    "WHERE m.project_id = $1 AND m.user_id = $7 AND (t.created_at, t.id) >= ($2, $3) \
                     AND ($4 = '' OR lower(t.display_name) LIKE $4 ESCAPE '!' OR t.id = $5) \
                     ORDER BY t.created_at, t.id LIMIT $6"
                ),
                args![project, created_at, id, pattern, exact, limit, user],
            )
            .await
        }
        (Some(user), true) => {
            tx.query(
                list!(
                    "FROM team_memberships m JOIN teams t ON t.project_id = m.project_id AND t.id = m.team_id ",
                    "WHERE m.project_id = $1 AND m.user_id = $7 AND (t.created_at, t.id) <= ($2, $3) \
                     AND ($4 = '' OR lower(t.display_name) LIKE $4 ESCAPE '!' OR t.id = $5) \
                     ORDER BY t.created_at DESC, t.id DESC LIMIT $6"
                ),
                args![project, created_at, id, pattern, exact, limit, user],
            )
            .await
        }
    }
}

/// A pattern of `LIKE … ESCAPE '!'` for lower-case texts that contain this.
fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from('%');
    for c in text.to_ascii_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Whether a user is in a team.
pub async fn is_member(
    tx: &mut Tx,
    project: &ProjectId,
    team: TeamId,
    user: UserId,
) -> Result<bool, StorageError> {
    tx.exists(
        "SELECT 1 FROM team_memberships WHERE project_id = $1 AND team_id = $2 AND user_id = $3",
        args![project, team, user],
    )
    .await
}

/// A statement that returns a row if a user is in a team: guards a batch that only members may run.
pub fn member_exists(project: &ProjectId, team: TeamId, user: UserId) -> Stmt {
    stmt(
        "SELECT user_id FROM team_memberships WHERE project_id = $1 AND team_id = $2 AND user_id = $3",
        args![project, team, user],
    )
}

/// Puts a user into a team; nothing happens if the user is in it.
pub fn add_member(project: &ProjectId, team: TeamId, user: UserId, now: i64) -> Stmt {
    stmt(
        "INSERT INTO team_memberships (project_id, team_id, user_id, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (project_id, team_id, user_id) DO NOTHING",
        args![project, team, user, now],
    )
}
