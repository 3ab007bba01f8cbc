//! Who holds which permission (contract 06 §7, §8): listing, granting and revoking. A grant reads the definitions in
//! its own transaction, so that none slips past their removal.

use std::collections::BTreeMap;
use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{TeamId, UserId};
use latchkey_api_types::permission::{
    PermissionId, ProjectPermission, ProjectPermissionsQuery, TeamPermission, TeamPermissionsQuery,
};
use latchkey_config::settings::{PermissionScope, RbacSettings};
use latchkey_storage::engine::Tx;
use latchkey_storage::{project_permissions, team_permissions, users};

use super::{Definitions, held_by_member};
use crate::app::App;
use crate::audit;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::settings_in;
use crate::webhooks::{self, Event};

/// What somebody has: everything that comes with what they hold, or, unless `recursive`, just that, as far as it is
/// defined; sorted.
fn shown(rbac: &RbacSettings, scope: PermissionScope, held: &[String], recursive: bool) -> Vec<String> {
    let effective = Definitions::of(rbac).effective(scope, held.iter().map(String::as_str));
    effective.into_iter().filter(|id| recursive || held.contains(id)).collect()
}

/// Lists permissions in teams: for clients those of the signed-in user, for servers all that the query does not rule
/// out. Sorted by team, user and id.
///
/// # Errors
/// For clients `CANNOT_GET_OWN_USER_WITHOUT_USER`, and 403 unless they ask for their own.
pub async fn list_in_teams(
    app: &App,
    auth: &Auth,
    query: TeamPermissionsQuery,
) -> Result<Vec<TeamPermission>, Failure> {
    let user = auth.user_filter(query.user_id)?;
    let (project, team) = (auth.project.id.clone(), query.team_id);
    let rows = app.store.scan(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(team_permissions::list(tx, &project, team, user).await?) })
    });
    let mut held: BTreeMap<(TeamId, UserId), Vec<String>> = BTreeMap::new();
    for row in rows.await? {
        held.entry((row.team_id, row.user_id)).or_default().push(row.permission_id);
    }
    let recursive = query.recursive.is_some_and(|recursive| recursive.0);
    let mut listed = Vec::new();
    for ((team_id, user_id), held) in held {
        let ids = shown(&auth.project.settings.rbac, PermissionScope::Team, &held, recursive);
        let wanted = ids.into_iter().filter(|id| is_wanted(query.permission_id.as_ref(), id));
        listed.extend(wanted.map(|id| TeamPermission { id, user_id, team_id }));
    }
    Ok(listed)
}

fn is_wanted(filter: Option<&PermissionId>, id: &str) -> bool {
    filter.is_none_or(|filter| filter.as_str() == id)
}

/// Lists permissions in the project: for clients those of the signed-in user, for servers all that the query does not
/// rule out. Sorted by user and id.
///
/// # Errors
/// For clients `CANNOT_GET_OWN_USER_WITHOUT_USER`, and 403 unless they ask for their own.
pub async fn list_in_project(
    app: &App,
    auth: &Auth,
    query: ProjectPermissionsQuery,
) -> Result<Vec<ProjectPermission>, Failure> {
    let user = auth.user_filter(query.user_id)?;
    let project = auth.project.id.clone();
    let rows = app.store.scan(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(project_permissions::list(tx, &project, user).await?) })
    });
    let mut held: BTreeMap<UserId, Vec<String>> = BTreeMap::new();
    for row in rows.await? {
        held.entry(row.user_id).or_default().push(row.permission_id);
    }
    let recursive = query.recursive.is_some_and(|recursive| recursive.0);
    let mut listed = Vec::new();
    for (user_id, held) in held {
        let ids = shown(&auth.project.settings.rbac, PermissionScope::Project, &held, recursive);
        let wanted = ids.into_iter().filter(|id| is_wanted(query.permission_id.as_ref(), id));
        listed.extend(wanted.map(|id| ProjectPermission { id, user_id }));
    }
    Ok(listed)
}

/// Demands that a permission can be held in this scope.
fn require_scope(rbac: &RbacSettings, expected: PermissionScope, id: &str) -> Result<(), Failure> {
    let word = |scope| match scope {
        PermissionScope::Team => "team",
        PermissionScope::Project => "project",
    };
    match Definitions::of(rbac).scope(id) {
        Some(scope) if scope == expected => Ok(()),
        // The server's own permissions do not exist outside teams.
        Some(scope) if !id.starts_with('$') => {
            Err(KnownError::wrong_permission_scope(id, word(expected), Some(word(scope))).into())
        }
        _ => Err(KnownError::permission_not_found(id).into()),
    }
}

/// Gives a member a permission; one that is held already is given again.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`, `PERMISSION_NOT_FOUND`, `WRONG_PERMISSION_SCOPE`.
pub async fn grant_in_team(
    app: &App,
    auth: &Auth,
    team: TeamId,
    user: UserId,
    permission: PermissionId,
) -> Result<TeamPermission, Failure> {
    let (project, id) = (auth.project.id.clone(), permission.into_string());
    let mut statements = vec![team_permissions::grant(&project, team, user, &id, app.now())];
    statements.extend(webhooks::queue(app, &project, &Event::TeamPermissionCreated { id: &id, team, user }));
    statements.push(audit::of_permission(app, auth, audit::kind::PERMISSION_GRANTED, user, Some(team), &id));
    let granted = TeamPermission { id: id.clone(), user_id: user, team_id: team };
    let plan = Arc::new((project, id, statements, app.master_keys.clone()));
    app.store
        .write(move |tx| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, id, statements, keys) = &*plan;
                held_by_member(tx, project, team, user).await?;
                let settings = settings_in(tx, keys, project).await?;
                require_scope(&settings.rbac, PermissionScope::Team, id)?;
                Ok::<_, Failure>(tx.run_all(statements).await?)
            })
        })
        .await?;
    Ok(granted)
}

/// Takes a permission away that a member holds directly.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`, `TEAM_PERMISSION_NOT_FOUND`.
pub async fn revoke_in_team(
    app: &App,
    auth: &Auth,
    team: TeamId,
    user: UserId,
    permission: PermissionId,
) -> Result<(), Failure> {
    let (project, id) = (auth.project.id.clone(), permission.into_string());
    let mut statements = vec![team_permissions::revoke(&project, team, user, &id)];
    statements.extend(webhooks::queue(app, &project, &Event::TeamPermissionDeleted { id: &id, team, user }));
    statements.push(audit::of_permission(app, auth, audit::kind::PERMISSION_REVOKED, user, Some(team), &id));
    let plan = Arc::new((project, id, statements));
    app.store
        .write(move |tx| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, id, statements) = &*plan;
                if !held_by_member(tx, project, team, user).await?.contains(id) {
                    let (team, user) = (team.to_string(), user.to_string());
                    return Err(KnownError::team_permission_not_found(&team, &user, id).into());
                }
                Ok::<_, Failure>(tx.run_all(statements).await?)
            })
        })
        .await
}

/// What a user holds directly in the project.
async fn held_by_user(
    tx: &mut Tx,
    project: &latchkey_api_types::ids::ProjectId,
    user: UserId,
) -> Result<Vec<String>, Failure> {
    if users::get(tx, project, user).await?.is_none() {
        return Err(KnownError::user_not_found().into());
    }
    let rows = project_permissions::list(tx, project, Some(user)).await?;
    Ok(rows.into_iter().map(|row| row.permission_id).collect())
}

/// Gives a user a permission in the project; one that is held already is given again.
///
/// # Errors
/// `USER_NOT_FOUND`, `PERMISSION_NOT_FOUND`, `WRONG_PERMISSION_SCOPE`.
pub async fn grant_in_project(
    app: &App,
    auth: &Auth,
    user: UserId,
    permission: PermissionId,
) -> Result<ProjectPermission, Failure> {
    let (project, id) = (auth.project.id.clone(), permission.into_string());
    let mut statements = vec![project_permissions::grant(&project, user, &id, app.now())];
    statements.extend(webhooks::queue(app, &project, &Event::ProjectPermissionCreated { id: &id, user }));
    statements.push(audit::of_permission(app, auth, audit::kind::PERMISSION_GRANTED, user, None, &id));
    let granted = ProjectPermission { id: id.clone(), user_id: user };
    let plan = Arc::new((project, id, statements, app.master_keys.clone()));
    app.store
        .write(move |tx| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, id, statements, keys) = &*plan;
                held_by_user(tx, project, user).await?;
                let settings = settings_in(tx, keys, project).await?;
                require_scope(&settings.rbac, PermissionScope::Project, id)?;
                Ok::<_, Failure>(tx.run_all(statements).await?)
            })
        })
        .await?;
    Ok(granted)
}

/// Takes a permission away that a user holds directly in the project.
///
/// # Errors
/// `USER_NOT_FOUND`, `PERMISSION_NOT_FOUND`.
pub async fn revoke_in_project(
    app: &App,
    auth: &Auth,
    user: UserId,
    permission: PermissionId,
) -> Result<(), Failure> {
    let (project, id) = (auth.project.id.clone(), permission.into_string());
    let mut statements = vec![project_permissions::revoke(&project, user, &id)];
    statements.extend(webhooks::queue(app, &project, &Event::ProjectPermissionDeleted { id: &id, user }));
    statements.push(audit::of_permission(app, auth, audit::kind::PERMISSION_REVOKED, user, None, &id));
    let plan = Arc::new((project, id, statements));
    app.store
        .write(move |tx| {
            let plan = Arc::clone(&plan);
            Box::pin(async move {
                let (project, id, statements) = &*plan;
                if !held_by_user(tx, project, user).await?.contains(id) {
                    return Err(KnownError::permission_not_found(id).into());
                }
                Ok::<_, Failure>(tx.run_all(statements).await?)
            })
        })
        .await
}
