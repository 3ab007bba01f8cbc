//! The settings of one project: the typed tree of its configuration.
//!
//! Its serialised form (camelCase) is what the database stores and what admins read; in the configuration file the
//! same keys are written in `snake_case` (`camelCase` is read as well). Defaults here are those of the schema; what a new
//! project starts with is [`ProjectSettings::for_new_project`].

mod apps;
mod auth;
mod domains;
mod emails;
mod latchkey;
mod oauth_providers;
mod overrides;
mod rbac;
mod sign_up_rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::errors::Findings;
pub use apps::{AppsSettings, DataVaultSettings, DataVaultStore, InstalledApp};
pub use auth::{AccountMergeStrategy, AuthSettings, OAuthSettings, SignInSwitch};
pub use domains::{DomainPattern, DomainsSettings, TrustedDomain};
pub use emails::{
    BUILT_IN_TEMPLATES, BUILT_IN_THEMES, DEFAULT_THEME, EmailProvider, EmailServer, EmailTemplate,
    EmailTheme, EmailsSettings, TemplateTheme,
};
pub use latchkey::{
    EnforceReauthentication, ExtraClaim, LatchkeySettings, PasskeyRules, PasswordRules, ReauthenticationRules,
};
pub use latchkey_api_types::permission::SYSTEM_PERMISSIONS;
pub use oauth_providers::{
    AppleBundle, OAuthProviderSettings, ProfileMembers, ProviderType, TokenEndpointAuth,
};
pub use overrides::{Level, Override, Overrides};
pub use rbac::{DefaultPermissions, PermissionDefinition, PermissionScope, PermissionSet, RbacSettings};
pub use sign_up_rules::{SignUpAction, SignUpActionKind, SignUpDefault, SignUpRule};

/// All settings of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ProjectSettings {
    /// How clients identify themselves.
    pub project: ProjectAccess,
    /// Ways to sign in.
    pub auth: AuthSettings,
    /// What users may do with their own account.
    pub users: UsersSettings,
    /// What users may do with teams.
    pub teams: TeamsSettings,
    /// What a new user must do before being a full user.
    pub onboarding: OnboardingSettings,
    /// Permissions and who gets them.
    pub rbac: RbacSettings,
    /// API keys of users and teams.
    pub api_keys: ApiKeysSettings,
    /// Where users may be sent back to.
    pub domains: DomainsSettings,
    /// The mail server, and what mails look like.
    pub emails: EmailsSettings,
    /// Which parts of the dashboard are used.
    pub apps: AppsSettings,
    /// Stores of secrets.
    pub data_vault: DataVaultSettings,
    /// What Latchkey has beyond the Stack Auth contract.
    pub latchkey: LatchkeySettings,
}

/// How clients identify themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ProjectAccess {
    /// Whether client requests must carry a publishable client key.
    pub require_publishable_client_key: bool,
}

/// What users may do with their own account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct UsersSettings {
    /// Whether a signed-in user may delete the account.
    pub allow_client_user_deletion: bool,
}

/// What users may do with teams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct TeamsSettings {
    /// Whether each new user gets a team of their own.
    pub create_personal_team_on_sign_up: bool,
    /// Whether a signed-in user may create teams.
    pub allow_client_team_creation: bool,
}

/// What a new user must do before being a full user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct OnboardingSettings {
    /// Whether users stay restricted until their primary email is verified.
    pub require_email_verification: bool,
}

/// API keys of users and teams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ApiKeysSettings {
    /// Who may have API keys.
    pub enabled: ApiKeyKinds,
}

/// Who may have API keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ApiKeyKinds {
    /// Users may.
    pub user: bool,
    /// Teams may.
    pub team: bool,
}

impl ProjectSettings {
    /// What a newly created project starts with: password sign-in, localhost redirects, and the permissions
    /// `team_member` and `team_admin`, given to members and creators of teams.
    pub fn for_new_project() -> Self {
        let mut settings = Self {
            rbac: RbacSettings::with_team_roles(&["$read_members", "$invite_members"], &SYSTEM_PERMISSIONS),
            ..Self::default()
        };
        settings.auth.password.allow_sign_in = true;
        settings.domains.allow_localhost = true;
        settings.apps = AppsSettings::for_new_project();
        settings
    }

    /// What the built-in project `internal` starts with: its users own the other projects through their teams. Nobody
    /// can sign up to it until the operator allows that, since whoever can makes projects and sends mail from this server.
    pub fn internal() -> Self {
        let mut settings = Self::for_new_project();
        settings.auth.allow_sign_up = false;
        settings.rbac = RbacSettings::with_team_roles(
            &["$read_members"],
            &["$read_members", "$remove_members", "$update_team"],
        );
        settings.teams =
            TeamsSettings { create_personal_team_on_sign_up: true, allow_client_team_creation: true };
        settings
    }

    /// The stored form: a JSON object, camelCase, every key present. It holds client secrets.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Reads the stored form. Missing keys take their defaults; unknown keys and wrong types are errors.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Everything wrong with the form of the settings beyond their types, one sentence each with the key in front. For
    /// settings that arrive through the API, whose parts come one by one: what is not complete yet, such as a provider
    /// without credentials or a permission that is defined later, is no problem here.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Findings::default();
        self.validate_form("", &mut found);
        found.into_sentences().into_iter().map(|line| line.trim_start_matches('.').to_owned()).collect()
    }

    /// What is checked when the configuration file is loaded: the form, and that nothing is missing.
    pub(crate) fn validate(&self, at: &str, found: &mut Findings) {
        self.validate_form(at, found);
        self.auth.validate(&format!("{at}.auth"), found);
        self.rbac.validate(&format!("{at}.rbac"), found);
    }

    fn validate_form(&self, at: &str, found: &mut Findings) {
        self.auth.validate_form(&format!("{at}.auth"), found);
        self.rbac.validate_form(&format!("{at}.rbac"), found);
        self.domains.validate(&format!("{at}.domains"), found);
        self.emails.validate(&format!("{at}.emails"), found);
        self.apps.validate(&format!("{at}.apps"), found);
        self.data_vault.validate(&format!("{at}.dataVault"), found);
        self.latchkey.validate(&format!("{at}.latchkey"), found);
    }
}

/// Whether `id` may name an entry of a record: a letter, digit or `_`, then also `-`, 63 characters at most.
fn is_entry_id(id: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (1..=63).contains(&id.len()) && !id.starts_with('-') && id.chars().all(legal)
}

/// The canonical form of RFC 9562 §4, in lower case.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(index, c)| match index {
            8 | 13 | 18 | 23 => c == '-',
            _ => matches!(c, '0'..='9' | 'a'..='f'),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_settings_are_camel_case_and_complete() {
        let json = serde_json::to_value(ProjectSettings::default()).unwrap();
        assert_eq!(json["auth"]["allowSignUp"], true);
        assert_eq!(json["auth"]["oauth"]["accountMergeStrategy"], "link_method");
        assert_eq!(json["domains"], serde_json::json!({ "allowLocalhost": false, "trustedDomains": {} }));
        assert_eq!(json["apiKeys"]["enabled"]["user"], false);
        assert_eq!(serde_json::from_value::<ProjectSettings>(json).unwrap(), ProjectSettings::default());
        assert_eq!(serde_json::from_str::<ProjectSettings>("{}").unwrap(), ProjectSettings::default());
    }

    #[test]
    fn a_new_project_has_what_the_contract_gives_it() {
        let settings = ProjectSettings::for_new_project();
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(json["auth"]["password"]["allowSignIn"], true);
        assert_eq!(json["domains"]["allowLocalhost"], true);
        assert_eq!(
            json["rbac"]["defaultPermissions"]["teamCreator"],
            serde_json::json!({ "team_admin": true })
        );
        assert_eq!(json["rbac"]["defaultPermissions"]["signUp"], serde_json::json!({}));
        assert_eq!(
            json["rbac"]["permissions"]["team_member"]["containedPermissionIds"],
            serde_json::json!({ "$read_members": true, "$invite_members": true })
        );
        assert_eq!(settings.rbac.permissions["team_admin"].contained_permission_ids.len(), 6);
        assert_eq!(settings.problems(), Vec::<String>::new());
        assert_eq!(ProjectSettings::internal().problems(), Vec::<String>::new());
        assert!(!ProjectSettings::internal().auth.allow_sign_up);
    }
}
