//! `rbac`: permissions and who gets them.

use std::collections::BTreeMap;

use latchkey_api_types::permission::SYSTEM_PERMISSIONS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::errors::Findings;

/// A set of permission ids, stored as `{"id": true}`; an id set to `false` is as if it were not there.
pub type PermissionSet = BTreeMap<String, bool>;

/// Permissions and who gets them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RbacSettings {
    /// The permissions by id: lower-case letters, digits, `_` and `:`.
    pub permissions: BTreeMap<String, PermissionDefinition>,
    /// Permissions that are given without asking.
    pub default_permissions: DefaultPermissions,
}

/// One permission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PermissionDefinition {
    /// What it allows, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is held in a team or in the whole project.
    pub scope: PermissionScope,
    /// The permissions that come with it, as `id = true`.
    pub contained_permission_ids: PermissionSet,
}

/// Where a permission is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermissionScope {
    /// In one team.
    #[default]
    Team,
    /// In the whole project.
    Project,
}

/// Permissions that are given without asking, each as `id = true`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DefaultPermissions {
    /// To whoever creates a team, in that team.
    pub team_creator: PermissionSet,
    /// To whoever joins a team, in that team.
    pub team_member: PermissionSet,
    /// To every new user, in the project.
    pub sign_up: PermissionSet,
}

impl RbacSettings {
    /// The two roles `team_member` and `team_admin` with the given contents, given to members and creators of teams.
    pub(super) fn with_team_roles(member: &[&str], admin: &[&str]) -> Self {
        let set = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), true)).collect::<PermissionSet>();
        let role = |contained: &[&str]| PermissionDefinition {
            contained_permission_ids: set(contained),
            ..PermissionDefinition::default()
        };
        Self {
            permissions: [("team_member", role(member)), ("team_admin", role(admin))]
                .map(|(id, definition)| (id.to_owned(), definition))
                .into(),
            default_permissions: DefaultPermissions {
                team_creator: set(&["team_admin"]),
                team_member: set(&["team_member"]),
                sign_up: PermissionSet::new(),
            },
        }
    }

    pub(super) fn validate_form(&self, at: &str, found: &mut Findings) {
        for (id, definition) in &self.permissions {
            let at = format!("{at}.permissions.{id}");
            if !is_custom_id(id) {
                found.error(&at, "must be named by lower-case letters, digits, \"_\" and \":\"");
            }
            check_ids(&definition.contained_permission_ids, &format!("{at}.containedPermissionIds"), found);
        }
        for (name, set) in self.default_permissions.sets() {
            check_ids(set, &format!("{at}.defaultPermissions.{name}"), found);
        }
    }

    /// That every permission that is named is defined.
    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        for (id, definition) in &self.permissions {
            let at = format!("{at}.permissions.{id}");
            self.check_set(
                &definition.contained_permission_ids,
                &format!("{at}.containedPermissionIds"),
                found,
            );
        }
        for (name, set) in self.default_permissions.sets() {
            self.check_set(set, &format!("{at}.defaultPermissions.{name}"), found);
        }
    }

    fn check_set(&self, set: &PermissionSet, at: &str, found: &mut Findings) {
        for id in set.iter().filter_map(|(id, set)| set.then_some(id)) {
            if !SYSTEM_PERMISSIONS.contains(&id.as_str()) && !self.permissions.contains_key(id) {
                found.error(format!("{at}.{id}"), "names a permission that is not defined");
            }
        }
    }
}

impl DefaultPermissions {
    fn sets(&self) -> [(&'static str, &PermissionSet); 3] {
        [("teamCreator", &self.team_creator), ("teamMember", &self.team_member), ("signUp", &self.sign_up)]
    }
}

fn check_ids(set: &PermissionSet, at: &str, found: &mut Findings) {
    for id in set.keys() {
        if !SYSTEM_PERMISSIONS.contains(&id.as_str()) && !is_custom_id(id) {
            found.error(format!("{at}.{id}"), "is no id of a permission");
        }
    }
}

fn is_custom_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | ':'))
}
