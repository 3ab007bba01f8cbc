//! The project on the wire.

mod admin;
mod input;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ProjectId;

pub use admin::{
    AccountMergeStrategy, AdminOauthProvider, AdminProject, AdminProjectConfig, EmailConfig,
    OauthProviderKind, OnboardingStatus, PermissionRef,
};
pub use input::{
    DomainInput, EmailConfigInput, EmailServerInput, JwksQuery, OauthProviderInput, OauthProviderName,
    PermissionRefInput, ProjectConfigUpdate, ProjectCreate, ProjectPath, ProjectTransfer, ProjectUpdate,
};

/// A project as `GET /projects/current` shows it, to every access level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientProject {
    /// The project.
    pub id: ProjectId,
    /// Its name.
    pub display_name: String,
    /// The settings that a client needs to know.
    pub config: ClientProjectConfig,
}

/// The settings that a client needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientProjectConfig {
    /// Whether new accounts are accepted.
    pub sign_up_enabled: bool,
    /// Whether users sign in with passwords.
    pub credential_enabled: bool,
    /// Whether users sign in with codes sent by mail.
    pub magic_link_enabled: bool,
    /// Whether users sign in with passkeys.
    pub passkey_enabled: bool,
    /// Whether users create teams themselves.
    pub client_team_creation_enabled: bool,
    /// Whether users delete their accounts themselves.
    pub client_user_deletion_enabled: bool,
    /// Whether users have API keys.
    pub allow_user_api_keys: bool,
    /// Whether teams have API keys.
    pub allow_team_api_keys: bool,
    /// The providers with which users sign in, sorted by id.
    pub enabled_oauth_providers: Vec<EnabledOauthProvider>,
    /// The trusted domains, sorted.
    pub domains: Vec<ProjectDomain>,
}

/// A provider with which users sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnabledOauthProvider {
    /// For example `google`.
    pub id: String,
}

/// A domain to which links in mails and redirects may lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectDomain {
    /// A base URL, possibly with wildcards in its host name.
    pub domain: String,
    /// The path of the pages that handle authentication.
    pub handler_path: String,
}
