//! Permission definitions (contract 06 §6): listing, adding, replacing and removing them. They are part of the
//! project's settings, so each change is a serialisable transaction on the project's row: of two at the same time,
//! the second sees what the first did.

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::ProjectId;
use latchkey_api_types::permission::{
    PermissionDefinition, PermissionDefinitionCreate, PermissionDefinitionUpdate, PermissionId,
};
use latchkey_config::settings::{self, PermissionScope, PermissionSet, RbacSettings, SYSTEM_PERMISSIONS};
use latchkey_storage::engine::Stmt;
use latchkey_storage::{project_permissions, team_permissions};

use super::{Definitions, by_id, ids_of};
use crate::app::App;
use crate::audit;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::change_settings;

/// What the server's own permissions allow, for people.
fn system_description(id: &str) -> &'static str {
    match id {
        "$update_team" => "Change the team's name, picture and metadata",
        "$delete_team" => "Delete the team",
        "$read_members" => "See who else is in the team",
        "$remove_members" => "Remove other members and take invitations back",
        "$invite_members" => "Invite people to the team",
        _ => "Make and revoke the team's API keys",
    }
}

fn view(id: &str, definition: &settings::PermissionDefinition) -> PermissionDefinition {
    PermissionDefinition {
        id: id.to_owned(),
        description: definition.description.clone(),
        contained_permission_ids: ids_of(&definition.contained_permission_ids)
            .into_iter()
            .map(str::to_owned)
            .collect(),
    }
}

/// The permissions of a scope, sorted; those of teams include the server's own.
pub fn list(rbac: &RbacSettings, scope: PermissionScope) -> Vec<PermissionDefinition> {
    let own = rbac.permissions.iter().filter(|(_, definition)| definition.scope == scope);
    let mut all: Vec<PermissionDefinition> = own.map(|(id, definition)| view(id, definition)).collect();
    if scope == PermissionScope::Team {
        all.extend(SYSTEM_PERMISSIONS.map(|id| PermissionDefinition {
            id: id.to_owned(),
            description: Some(system_description(id).to_owned()),
            contained_permission_ids: Vec::new(),
        }));
    }
    all.sort_by(|one, other| by_id(&one.id, &other.id));
    all
}

/// Runs a change of the definitions on the settings as they are, and what follows from it.
async fn change<F>(app: &App, auth: &Auth, id: &str, change: F) -> Result<PermissionDefinition, Failure>
where
    F: Fn(&mut RbacSettings) -> Result<(PermissionDefinition, Vec<Stmt>), Failure> + Send + Sync + 'static,
{
    let recorded = audit::of_definition(app, auth, id);
    change_settings(app, &auth.project.id, auth.access, move |settings| {
        let (definition, mut consequences) = change(&mut settings.rbac)?;
        consequences.push(recorded.clone());
        Ok((definition, consequences))
    })
    .await
}

/// Takes a permission of a scope away from everybody who holds it.
fn revoked_everywhere(project: &ProjectId, scope: PermissionScope, id: &str) -> Stmt {
    match scope {
        PermissionScope::Team => team_permissions::revoke_everywhere(project, id),
        PermissionScope::Project => project_permissions::revoke_everywhere(project, id),
    }
}

fn require_free(rbac: &RbacSettings, id: &str) -> Result<(), Failure> {
    match Definitions::of(rbac).scope(id) {
        None => Ok(()),
        Some(_) => Err(KnownError::permission_id_already_exists(id).into()),
    }
}

/// The contained permissions as a set, all of which must exist in the scope.
fn contained(
    rbac: &RbacSettings,
    scope: PermissionScope,
    ids: Option<&Vec<PermissionId>>,
) -> Result<PermissionSet, Failure> {
    let mut set = PermissionSet::new();
    for id in ids.into_iter().flatten().map(PermissionId::as_str) {
        if Definitions::of(rbac).scope(id) != Some(scope) {
            return Err(KnownError::contained_permission_not_found(id).into());
        }
        set.insert(id.to_owned(), true);
    }
    Ok(set)
}

/// The definition of this id and scope; the server's own cannot be changed.
fn require_defined(rbac: &RbacSettings, scope: PermissionScope, id: &str) -> Result<(), Failure> {
    match rbac.permissions.get(id) {
        Some(definition) if definition.scope == scope => Ok(()),
        _ => Err(KnownError::permission_not_found(id).into()),
    }
}

/// Defines a permission.
///
/// # Errors
/// `PERMISSION_ID_ALREADY_EXISTS`, `CONTAINED_PERMISSION_NOT_FOUND`.
pub async fn create(
    app: &App,
    auth: &Auth,
    scope: PermissionScope,
    request: PermissionDefinitionCreate,
) -> Result<PermissionDefinition, Failure> {
    let project = auth.project.id.clone();
    let id = request.id.as_str().to_owned();
    change(app, auth, &id.clone(), move |rbac| {
        require_free(rbac, &id)?;
        let definition = settings::PermissionDefinition {
            description: request.description.clone(),
            scope,
            contained_permission_ids: contained(rbac, scope, request.contained_permission_ids.as_ref())?,
        };
        let shown = view(&id, &definition);
        rbac.permissions.insert(id.clone(), definition);
        // Nobody may have held it before it was defined.
        Ok((shown, vec![revoked_everywhere(&project, scope, &id)]))
    })
    .await
}

/// Replaces a definition as a whole; with a new id, containments and direct grants follow.
///
/// # Errors
/// `PERMISSION_NOT_FOUND`, `PERMISSION_ID_ALREADY_EXISTS`, `CONTAINED_PERMISSION_NOT_FOUND`.
pub async fn update(
    app: &App,
    auth: &Auth,
    scope: PermissionScope,
    id: &PermissionId,
    request: PermissionDefinitionUpdate,
) -> Result<PermissionDefinition, Failure> {
    let project = auth.project.id.clone();
    let old = id.as_str().to_owned();
    change(app, auth, id.as_str(), move |rbac| {
        require_defined(rbac, scope, &old)?;
        let new = request.id.as_ref().map_or(old.as_str(), |id| id.as_str());
        let is_renamed = new != old;
        if is_renamed {
            require_free(rbac, new)?;
        }
        let definition = settings::PermissionDefinition {
            description: request.description.clone(),
            scope,
            contained_permission_ids: contained(rbac, scope, request.contained_permission_ids.as_ref())?,
        };
        rbac.permissions.remove(&old);
        rbac.permissions.insert(new.to_owned(), definition);
        let mut consequences = Vec::new();
        if is_renamed {
            for other in rbac.permissions.values_mut() {
                if let Some(held) = other.contained_permission_ids.remove(&old) {
                    other.contained_permission_ids.insert(new.to_owned(), held);
                }
            }
            consequences.push(revoked_everywhere(&project, scope, new));
            consequences.push(match scope {
                PermissionScope::Team => team_permissions::rename(&project, &old, new),
                PermissionScope::Project => project_permissions::rename(&project, &old, new),
            });
        }
        let shown = rbac.permissions.get(new).map(|definition| view(new, definition));
        Ok((shown.ok_or_else(|| Failure::internal("a definition that was just written"))?, consequences))
    })
    .await
}

/// Removes a definition, wherever it is contained, and from everybody who holds it. The sets of default permissions
/// keep its id, which means nothing there.
///
/// # Errors
/// `PERMISSION_NOT_FOUND`.
pub async fn delete(
    app: &App,
    auth: &Auth,
    scope: PermissionScope,
    id: &PermissionId,
) -> Result<(), Failure> {
    let project = auth.project.id.clone();
    let id = id.as_str().to_owned();
    change(app, auth, &id.clone(), move |rbac| {
        require_defined(rbac, scope, &id)?;
        let removed = rbac.permissions.remove(&id).unwrap_or_default();
        for other in rbac.permissions.values_mut() {
            other.contained_permission_ids.remove(&id);
        }
        Ok((view(&id, &removed), vec![revoked_everywhere(&project, scope, &id)]))
    })
    .await
    .map(|_| ())
}
