//! Permissions on the wire: their definitions, and who holds them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{TeamId, UserId};
use crate::input;
use crate::input::{QueryBool, UserIdOrMe, texts};

/// The permissions that the server itself enforces: defined in every project, for teams.
pub const SYSTEM_PERMISSIONS: [&str; 6] = [
    "$update_team",
    "$delete_team",
    "$read_members",
    "$remove_members",
    "$invite_members",
    "$manage_api_keys",
];

fn is_custom(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | ':'))
}

texts! {
    /// The id of a permission: lower-case letters, digits, `_` and `:`, or one that the server defines, with `$`.
    PermissionId { "type": "string", "pattern": "^\\$?[a-z0-9_:]+$" },
        |id| SYSTEM_PERMISSIONS.contains(&id) || is_custom(id),
        "must be a permission id: lower-case letters, digits, \"_\" and \":\", or a system permission";
    /// The id of a permission that a project defines: lower-case letters, digits, `_` and `:`.
    CustomPermissionId { "type": "string", "pattern": "^[a-z0-9_:]+$" },
        is_custom, "must be a permission id: lower-case letters, digits, \"_\" and \":\"";
}

/// A permission that a project defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionDefinition {
    /// The permission.
    pub id: String,
    /// What it allows, for people; omitted if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The permissions that come with it, sorted.
    pub contained_permission_ids: Vec<String>,
}

input! {
    /// The path of one definition.
    pub struct PermissionPath {
        /// Which permission.
        pub permission_id: PermissionId,
    }
}

input! {
    /// A permission to be defined.
    pub struct PermissionDefinitionCreate {
        /// Must be free in both scopes.
        pub id: CustomPermissionId,
        /// What it allows, for people.
        pub description: Option<String>,
        /// The permissions that come with it.
        pub contained_permission_ids: Option<Vec<PermissionId>>,
    }
}

input! {
    /// A definition that replaces another: what is absent here is empty afterwards.
    pub struct PermissionDefinitionUpdate {
        /// A new id.
        pub id: Option<CustomPermissionId>,
        /// What it allows, for people.
        pub description: Option<String>,
        /// The permissions that come with it.
        pub contained_permission_ids: Option<Vec<PermissionId>>,
    }
}

/// A permission that somebody holds in a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TeamPermission {
    /// The permission.
    pub id: String,
    /// Who holds it.
    pub user_id: UserId,
    /// In which team.
    pub team_id: TeamId,
}

/// A permission that somebody holds in the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectPermission {
    /// The permission.
    pub id: String,
    /// Who holds it.
    pub user_id: UserId,
}

input! {
    /// Which permissions in teams are listed. Accepted, without effect, where one is addressed.
    pub struct TeamPermissionsQuery {
        /// In this team only.
        pub team_id: Option<TeamId>,
        /// Of this user only; clients must ask for their own.
        pub user_id: Option<UserIdOrMe>,
        /// This permission only.
        pub permission_id: Option<PermissionId>,
        /// Also permissions that come with others; false if absent.
        pub recursive: Option<QueryBool>,
    }
}

input! {
    /// The path of one permission of one member.
    pub struct TeamPermissionPath {
        /// In which team.
        pub team_id: TeamId,
        /// Who.
        pub user_id: UserIdOrMe,
        /// Which permission.
        pub permission_id: PermissionId,
    }
}

input! {
    /// Which permissions in the project are listed. Accepted, without effect, where one is addressed.
    pub struct ProjectPermissionsQuery {
        /// Of this user only; clients must ask for their own.
        pub user_id: Option<UserIdOrMe>,
        /// This permission only.
        pub permission_id: Option<PermissionId>,
        /// Also permissions that come with others; false if absent.
        pub recursive: Option<QueryBool>,
    }
}

input! {
    /// The path of one permission of one user.
    pub struct ProjectPermissionPath {
        /// Who.
        pub user_id: UserIdOrMe,
        /// Which permission.
        pub permission_id: PermissionId,
    }
}
