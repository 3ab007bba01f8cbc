//! The project as administrators see it (contract 07 §2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EnabledOauthProvider, ProjectDomain};
use crate::ids::{ProjectId, TeamId};
use crate::words;

/// A project as administrators see it, credentials included.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AdminProject {
    /// The project.
    pub id: ProjectId,
    /// Its name.
    pub display_name: String,
    /// A sentence about it.
    pub description: String,
    /// Square logo.
    pub logo_url: Option<String>,
    /// Wide logo.
    pub logo_full_url: Option<String>,
    /// Square logo for dark backgrounds.
    pub logo_dark_mode_url: Option<String>,
    /// Wide logo for dark backgrounds.
    pub logo_full_dark_mode_url: Option<String>,
    /// When it was made.
    pub created_at_millis: i64,
    /// Whether it is in use; for people only.
    pub is_production_mode: bool,
    /// The team of `internal` whose members administer it.
    pub owner_team_id: Option<TeamId>,
    /// How far the dashboard's set-up pages have come.
    pub onboarding_status: String,
    /// Its settings.
    pub config: AdminProjectConfig,
}

/// The settings of a project as administrators see them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AdminProjectConfig {
    /// Whether users may be sent to localhost.
    pub allow_localhost: bool,
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
    /// The providers with which users sign in, sorted.
    pub oauth_providers: Vec<AdminOauthProvider>,
    /// The same without their credentials.
    pub enabled_oauth_providers: Vec<EnabledOauthProvider>,
    /// The trusted domains, sorted.
    pub domains: Vec<ProjectDomain>,
    /// Who sends the project's mails.
    pub email_config: EmailConfig,
    /// The theme of mails.
    pub email_theme: String,
    /// Whether new users get a team of their own.
    pub create_team_on_sign_up: bool,
    /// What the creator of a team may do in it, sorted.
    pub team_creator_default_permissions: Vec<PermissionRef>,
    /// What members of a team may do in it, sorted.
    pub team_member_default_permissions: Vec<PermissionRef>,
    /// What users may do in the project, sorted.
    pub user_default_permissions: Vec<PermissionRef>,
    /// What happens to a sign-in by a provider with the email of an existing user.
    pub oauth_account_merge_strategy: AccountMergeStrategy,
}

/// A permission by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PermissionRef {
    /// The permission.
    pub id: String,
}

/// A provider with which users sign in. What is not set is absent.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AdminOauthProvider {
    /// The provider's key in the configuration.
    pub provider_config_id: String,
    /// Whose provider it is.
    pub id: String,
    /// Whether the server's development credentials are used.
    #[serde(rename = "type")]
    pub kind: OauthProviderKind,
    /// The client id at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client secret at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Facebook only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facebook_config_id: Option<String>,
    /// Microsoft only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microsoft_tenant_id: Option<String>,
    /// Apple only: bundles of native apps that sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apple_bundle_ids: Option<Vec<String>>,
}

/// Who sends a project's mails.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum EmailConfig {
    /// The server of this deployment.
    Shared,
    /// One of the project's own.
    Standard {
        /// Name of the SMTP server.
        host: String,
        /// Its port.
        port: u16,
        /// Who signs in there.
        username: String,
        /// The password there.
        password: String,
        /// The name that mails come from.
        sender_name: String,
        /// The address that mails come from.
        sender_email: String,
    },
}

words! {
    /// Whose credentials a provider is used with.
    pub enum OauthProviderKind {
        /// The server's own, for development.
        Shared = "shared",
        /// The project's.
        Standard = "standard",
    }
}

words! {
    /// What happens to a sign-in by a provider with the email of an existing user.
    pub enum AccountMergeStrategy {
        /// The account is linked to the user.
        LinkMethod = "link_method",
        /// The sign-in is refused.
        RaiseError = "raise_error",
        /// A second user is created.
        AllowDuplicates = "allow_duplicates",
    }
}

words! {
    /// How far the dashboard's set-up pages have come.
    pub enum OnboardingStatus {
        /// Choosing settings.
        ConfigChoice = "config_choice",
        /// Choosing apps.
        AppsSelection = "apps_selection",
        /// Setting up sign-in.
        AuthSetup = "auth_setup",
        /// Setting up domains.
        DomainSetup = "domain_setup",
        /// Choosing a theme.
        EmailThemeSetup = "email_theme_setup",
        /// Setting up payments.
        PaymentsSetup = "payments_setup",
        /// The last page.
        Welcome = "welcome",
        /// Done.
        Completed = "completed",
    }
}
