//! Permissions (contract 06 §5): what is defined, what contains what, who needs what, and what is given without
//! asking. Definitions are a part of the project's settings; grants are rows.

pub mod definitions;
pub mod grants;

use std::cmp::Ordering;
use std::collections::BTreeSet;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
use latchkey_config::settings::{PermissionScope, PermissionSet, RbacSettings, SYSTEM_PERMISSIONS};
use latchkey_storage::engine::{Stmt, Tx};
use latchkey_storage::{project_permissions, team_permissions, users};

use crate::app::App;
use crate::failure::Failure;
use crate::projects::Project;

/// The permissions that the server enforces for clients.
pub mod system {
    /// Change a team.
    pub const UPDATE_TEAM: &str = "$update_team";
    /// Delete it.
    pub const DELETE_TEAM: &str = "$delete_team";
    /// See who else is in it.
    pub const READ_MEMBERS: &str = "$read_members";
    /// Remove others, and take invitations back.
    pub const REMOVE_MEMBERS: &str = "$remove_members";
    /// Invite others.
    pub const INVITE_MEMBERS: &str = "$invite_members";
    /// Make and end its API keys.
    pub const MANAGE_API_KEYS: &str = "$manage_api_keys";
}

/// The order "by id": upper-cased texts by their characters; where those are equal, lower case comes first.
pub fn by_id(one: &str, other: &str) -> Ordering {
    let upper = |id: &str| id.chars().flat_map(char::to_uppercase).collect::<String>();
    upper(one).cmp(&upper(other)).then_with(|| other.cmp(one))
}

/// The ids that a set holds, sorted.
pub fn ids_of(set: &PermissionSet) -> Vec<&str> {
    let mut ids: Vec<&str> = set.iter().filter_map(|(id, held)| held.then_some(id.as_str())).collect();
    ids.sort_by(|one, other| by_id(one, other));
    ids
}

/// The permissions of a project.
#[derive(Clone, Copy)]
pub struct Definitions<'a>(&'a RbacSettings);

impl<'a> Definitions<'a> {
    /// Those that these settings define.
    pub fn of(rbac: &'a RbacSettings) -> Self {
        Self(rbac)
    }

    /// Where a permission can be held; `None` if it is not defined.
    pub fn scope(self, id: &str) -> Option<PermissionScope> {
        if SYSTEM_PERMISSIONS.contains(&id) {
            return Some(PermissionScope::Team);
        }
        self.0.permissions.get(id).map(|definition| definition.scope)
    }

    /// What somebody has who holds these directly: themselves and whatever they contain, as far as it is defined for
    /// this scope. Sorted, each once; circles end.
    pub fn effective<'d>(
        self,
        scope: PermissionScope,
        direct: impl IntoIterator<Item = &'d str>,
    ) -> Vec<String> {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = direct.into_iter().collect();
        while let Some(id) = open.pop() {
            if self.scope(id) != Some(scope) || !found.insert(id) {
                continue;
            }
            if let Some(definition) = self.0.permissions.get(id) {
                open.extend(ids_of(&definition.contained_permission_ids));
            }
        }
        let mut effective: Vec<String> = found.into_iter().map(str::to_owned).collect();
        effective.sort_by(|one, other| by_id(one, other));
        effective
    }

    /// Whether somebody who holds these directly has this permission.
    fn includes(self, direct: &[String], permission: &str) -> bool {
        let effective = self.effective(PermissionScope::Team, direct.iter().map(String::as_str));
        effective.iter().any(|id| id == permission)
    }

    /// Those of a set that are defined for this scope, sorted: entries may outlive their definitions.
    pub fn defined(self, set: &'a PermissionSet, scope: PermissionScope) -> Vec<&'a str> {
        ids_of(set).into_iter().filter(|id| self.scope(id) == Some(scope)).collect()
    }

    /// What the creator of a team is given in it.
    pub fn for_team_creator(self) -> Vec<&'a str> {
        self.defined(&self.0.default_permissions.team_creator, PermissionScope::Team)
    }

    /// What a new member is given in the team.
    pub fn for_team_member(self) -> Vec<&'a str> {
        self.defined(&self.0.default_permissions.team_member, PermissionScope::Team)
    }

    /// What a new user is given in the project.
    pub fn for_new_user(self) -> Vec<&'a str> {
        self.defined(&self.0.default_permissions.sign_up, PermissionScope::Project)
    }
}

/// The statements that give a new user what every user of the project gets.
pub(crate) fn grants_for_new_user(project: &Project, user: UserId, now: i64) -> Vec<Stmt> {
    let ids = Definitions::of(&project.settings.rbac).for_new_user();
    ids.into_iter().map(|id| project_permissions::grant(&project.id, user, id, now)).collect()
}

/// The statements that give a member these permissions.
pub(crate) fn team_grants(
    project: &ProjectId,
    team: TeamId,
    user: UserId,
    ids: &[&str],
    now: i64,
) -> Vec<Stmt> {
    ids.iter().map(|id| team_permissions::grant(project, team, user, id, now)).collect()
}

/// The error for somebody who is not in a team.
pub(crate) fn not_a_member(team: TeamId, user: UserId) -> Failure {
    KnownError::team_membership_not_found(&team.to_string(), &user.to_string()).into()
}

/// What a member holds directly.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`.
pub(crate) async fn held_by_member(
    tx: &mut Tx,
    project: &ProjectId,
    team: TeamId,
    user: UserId,
) -> Result<Vec<String>, Failure> {
    if let Some(held) = team_permissions::of_member(tx, project, team, user).await? {
        return Ok(held);
    }
    match users::get(tx, project, user).await? {
        Some(_) => Err(not_a_member(team, user)),
        None => Err(KnownError::user_not_found().into()),
    }
}

/// Demands that a user is in a team and has each of these permissions there, the first one first.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`, `TEAM_PERMISSION_REQUIRED`.
pub async fn require_in_team(
    app: &App,
    project: &Project,
    team: TeamId,
    user: UserId,
    permissions: &[&str],
) -> Result<(), Failure> {
    let id = project.id.clone();
    let held =
        app.store.read(move |tx| Box::pin(async move { held_by_member(tx, &id, team, user).await })).await?;
    require_all(project, team, user, &held, permissions)
}

/// The same in a transaction.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`, `TEAM_PERMISSION_REQUIRED`.
pub(crate) async fn check_in_team(
    tx: &mut Tx,
    project: &Project,
    team: TeamId,
    user: UserId,
    permissions: &[&str],
) -> Result<(), Failure> {
    let held = held_by_member(tx, &project.id, team, user).await?;
    require_all(project, team, user, &held, permissions)
}

fn require_all(
    project: &Project,
    team: TeamId,
    user: UserId,
    held: &[String],
    permissions: &[&str],
) -> Result<(), Failure> {
    let definitions = Definitions::of(&project.settings.rbac);
    match permissions.iter().find(|permission| !definitions.includes(held, permission)) {
        None => Ok(()),
        Some(missing) => {
            Err(KnownError::team_permission_required(&team.to_string(), &user.to_string(), missing).into())
        }
    }
}

/// Demands that a user is in a team.
///
/// # Errors
/// `USER_NOT_FOUND`, `TEAM_MEMBERSHIP_NOT_FOUND`.
pub async fn require_membership(
    app: &App,
    project: &Project,
    team: TeamId,
    user: UserId,
) -> Result<(), Failure> {
    require_in_team(app, project, team, user, &[]).await
}

/// Whether a user is in a team and has this permission there.
pub async fn has_in_team(
    app: &App,
    project: &Project,
    team: TeamId,
    user: UserId,
    permission: &str,
) -> Result<bool, Failure> {
    let id = project.id.clone();
    let held = app
        .store
        .lookup(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(team_permissions::of_member(tx, &id, team, user).await?) })
        })
        .await?;
    Ok(held.is_some_and(|held| Definitions::of(&project.settings.rbac).includes(&held, permission)))
}

/// The members of a team who have this permission there.
pub async fn members_with(
    app: &App,
    project: &Project,
    team: TeamId,
    permission: &str,
) -> Result<Vec<UserId>, Failure> {
    let id = project.id.clone();
    let held = app
        .store
        .lookup(move |tx| {
            Box::pin(
                async move { Ok::<_, Failure>(team_permissions::list(tx, &id, Some(team), None).await?) },
            )
        })
        .await?;
    let definitions = Definitions::of(&project.settings.rbac);
    let with = held
        .into_iter()
        .filter(|row| definitions.includes(std::slice::from_ref(&row.permission_id), permission));
    let members: BTreeSet<UserId> = with.map(|row| row.user_id).collect();
    Ok(members.into_iter().collect())
}

/// What a user has in the project, directly and by containment, sorted.
pub(crate) async fn effective_in_project(
    app: &App,
    project: &Project,
    user: UserId,
) -> Result<Vec<String>, Failure> {
    let id = project.id.clone();
    let held = app
        .store
        .lookup(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(project_permissions::list(tx, &id, Some(user)).await?) })
        })
        .await?;
    let direct = held.iter().map(|row| row.permission_id.as_str());
    Ok(Definitions::of(&project.settings.rbac).effective(PermissionScope::Project, direct))
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_config::ProjectSettings;
    use latchkey_config::settings::PermissionDefinition;

    fn rbac(definitions: &[(&str, PermissionScope, &[&str])]) -> RbacSettings {
        let mut rbac = RbacSettings::default();
        for (id, scope, contained) in definitions {
            rbac.permissions.insert(
                (*id).to_owned(),
                PermissionDefinition {
                    scope: *scope,
                    contained_permission_ids: contained.iter().map(|id| ((*id).to_owned(), true)).collect(),
                    ..PermissionDefinition::default()
                },
            );
        }
        rbac
    }

    #[test]
    fn ids_are_sorted_as_if_they_were_in_upper_case() {
        let mut ids = ["team_b", "teama", "$x", "1a", "a", "_a", "a:b", "B", "b"];
        ids.sort_by(|one, other| by_id(one, other));
        assert_eq!(ids, ["$x", "1a", "a", "a:b", "b", "B", "teama", "team_b", "_a"]);
    }

    #[test]
    fn containment_is_followed_to_its_end_and_through_circles() {
        use PermissionScope::{Project, Team};
        let rbac = rbac(&[
            ("a", Team, &["b", "$read_members"]),
            ("b", Team, &["c", "a"]),
            ("c", Team, &["gone", "p"]),
            ("p", Project, &[]),
        ]);
        let definitions = Definitions::of(&rbac);
        assert_eq!(definitions.effective(Team, ["a"]), ["$read_members", "a", "b", "c"]);
        assert_eq!(
            definitions.effective(Team, ["c", "c", "gone", "p"]),
            ["c"],
            "what is not defined here is nothing"
        );
        assert_eq!(definitions.effective(Project, ["p", "a"]), ["p"]);
        assert!(definitions.effective(Project, ["$read_members"]).is_empty());
    }

    #[test]
    fn what_a_set_holds_as_false_is_not_in_it() {
        let mut rbac = rbac(&[("a", PermissionScope::Team, &["$read_members"])]);
        let contained = &mut rbac.permissions.get_mut("a").unwrap().contained_permission_ids;
        contained.insert("$update_team".to_owned(), false);
        let definitions = Definitions::of(&rbac);
        assert_eq!(definitions.effective(PermissionScope::Team, ["a"]), ["$read_members", "a"]);
    }

    #[test]
    fn defaults_without_a_definition_of_their_scope_are_skipped() {
        let mut rbac = ProjectSettings::for_new_project().rbac;
        let defaults = &mut rbac.default_permissions;
        defaults.team_member.extend([("gone".to_owned(), true), ("$read_members".to_owned(), true)]);
        defaults.sign_up.extend([("team_member".to_owned(), true), ("gone".to_owned(), true)]);
        let definitions = Definitions::of(&rbac);
        assert_eq!(definitions.for_team_creator(), ["team_admin"]);
        assert_eq!(definitions.for_team_member(), ["$read_members", "team_member"]);
        assert!(definitions.for_new_user().is_empty());
    }
}
