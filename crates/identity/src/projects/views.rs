//! Projects as they are shown: to everybody, and to administrators (contract 07 §2).

use latchkey_api_types::project::{
    AccountMergeStrategy, AdminOauthProvider, AdminProject, AdminProjectConfig, ClientProject,
    ClientProjectConfig, EmailConfig, EnabledOauthProvider, OauthProviderKind, PermissionRef, ProjectDomain,
};
use latchkey_config::ProjectSettings;
use latchkey_config::settings::{
    AccountMergeStrategy as Merge, BUILT_IN_THEMES, DEFAULT_THEME, EmailServer, OAuthProviderSettings,
    PermissionScope, PermissionSet,
};
use latchkey_storage::projects::ProjectRow;

use super::Project;
use crate::images::shown;
use crate::permissions::{Definitions, by_id, ids_of};

/// What every caller may know of a project. Lists are sorted.
pub fn client_view(project: &Project) -> ClientProject {
    let settings = &project.settings;
    ClientProject {
        id: project.id.clone(),
        display_name: project.display_name.clone(),
        config: ClientProjectConfig {
            sign_up_enabled: settings.auth.allow_sign_up,
            credential_enabled: settings.auth.password.allow_sign_in,
            magic_link_enabled: settings.auth.otp.allow_sign_in,
            passkey_enabled: settings.auth.passkey.allow_sign_in,
            client_team_creation_enabled: settings.teams.allow_client_team_creation,
            client_user_deletion_enabled: settings.users.allow_client_user_deletion,
            allow_user_api_keys: settings.api_keys.enabled.user,
            allow_team_api_keys: settings.api_keys.enabled.team,
            enabled_oauth_providers: enabled_providers(&providers(settings)),
            domains: domains(settings),
        },
    }
}

/// What administrators see of a project, credentials included.
pub(crate) fn admin_view(public_url: &str, row: ProjectRow, settings: &ProjectSettings) -> AdminProject {
    let providers = providers(settings);
    let defaults = &settings.rbac.default_permissions;
    AdminProject {
        id: row.id,
        display_name: row.display_name,
        description: row.description,
        logo_url: shown(public_url, row.logo_url),
        logo_full_url: shown(public_url, row.logo_full_url),
        logo_dark_mode_url: shown(public_url, row.logo_dark_mode_url),
        logo_full_dark_mode_url: shown(public_url, row.logo_full_dark_mode_url),
        created_at_millis: row.created_at,
        is_production_mode: row.is_production_mode,
        owner_team_id: row.owner_team_id,
        onboarding_status: row.onboarding_status,
        config: AdminProjectConfig {
            allow_localhost: settings.domains.allow_localhost,
            sign_up_enabled: settings.auth.allow_sign_up,
            credential_enabled: settings.auth.password.allow_sign_in,
            magic_link_enabled: settings.auth.otp.allow_sign_in,
            passkey_enabled: settings.auth.passkey.allow_sign_in,
            client_team_creation_enabled: settings.teams.allow_client_team_creation,
            client_user_deletion_enabled: settings.users.allow_client_user_deletion,
            allow_user_api_keys: settings.api_keys.enabled.user,
            allow_team_api_keys: settings.api_keys.enabled.team,
            enabled_oauth_providers: enabled_providers(&providers),
            oauth_providers: providers,
            domains: domains(settings),
            email_config: email_config(&settings.emails.server),
            email_theme: email_theme(settings).to_owned(),
            create_team_on_sign_up: settings.teams.create_personal_team_on_sign_up,
            team_creator_default_permissions: permissions(
                settings,
                &defaults.team_creator,
                PermissionScope::Team,
            ),
            team_member_default_permissions: permissions(
                settings,
                &defaults.team_member,
                PermissionScope::Team,
            ),
            user_default_permissions: permissions(settings, &defaults.sign_up, PermissionScope::Project),
            oauth_account_merge_strategy: match settings.auth.oauth.account_merge_strategy {
                Merge::LinkMethod => AccountMergeStrategy::LinkMethod,
                Merge::RaiseError => AccountMergeStrategy::RaiseError,
                Merge::AllowDuplicates => AccountMergeStrategy::AllowDuplicates,
            },
        },
    }
}

/// The providers with which users may sign in, as far as clients of the API know what they are: strict ones refuse a
/// project with a type that is not among theirs.
fn providers(settings: &ProjectSettings) -> Vec<AdminOauthProvider> {
    let all = settings.auth.oauth.providers.iter();
    let all = all.filter(|(key, provider)| provider.allow_sign_in && provider.is_known_to_clients(key));
    let mut shown: Vec<_> = all.filter_map(|(key, provider)| shown_provider(key, provider)).collect();
    shown.sort_by(|one, other| by_id(&one.id, &other.id));
    shown
}

fn shown_provider(key: &str, provider: &OAuthProviderSettings) -> Option<AdminOauthProvider> {
    let own = !provider.is_shared;
    let bundles: Vec<String> =
        provider.apple_bundles.values().filter_map(|bundle| bundle.bundle_id.clone()).collect();
    Some(AdminOauthProvider {
        provider_config_id: key.to_owned(),
        id: provider.provider_type?.as_str().to_owned(),
        kind: if own { OauthProviderKind::Standard } else { OauthProviderKind::Shared },
        client_id: own.then(|| provider.client_id.clone().unwrap_or_default()),
        client_secret: own
            .then(|| provider.client_secret.as_ref().map_or("", |secret| secret.expose()).to_owned()),
        facebook_config_id: provider.facebook_config_id.clone().filter(|_| own),
        microsoft_tenant_id: provider.microsoft_tenant_id.clone().filter(|_| own),
        apple_bundle_ids: (own && !bundles.is_empty()).then_some(bundles),
    })
}

fn enabled_providers(providers: &[AdminOauthProvider]) -> Vec<EnabledOauthProvider> {
    providers.iter().map(|provider| EnabledOauthProvider { id: provider.id.clone() }).collect()
}

fn domains(settings: &ProjectSettings) -> Vec<ProjectDomain> {
    let trusted = settings.domains.trusted_domains.values();
    let mut domains: Vec<ProjectDomain> = trusted
        .filter_map(|domain| {
            Some(ProjectDomain {
                domain: domain.base_url.clone()?,
                handler_path: domain.handler_path.clone(),
            })
        })
        .collect();
    domains.sort_by(|one, other| by_id(&one.domain, &other.domain));
    domains
}

fn email_config(server: &EmailServer) -> EmailConfig {
    if server.is_shared {
        return EmailConfig::Shared;
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    EmailConfig::Standard {
        host: text(&server.host),
        port: server.port.unwrap_or_default(),
        username: text(&server.username),
        password: server.password.as_ref().map_or("", |password| password.expose()).to_owned(),
        sender_name: text(&server.sender_name),
        sender_email: text(&server.sender_email),
    }
}

/// The theme of mails; one that does not exist counts as the default one.
pub(crate) fn email_theme(settings: &ProjectSettings) -> &str {
    let chosen = settings.emails.selected_theme_id.as_str();
    if theme_exists(settings, chosen) { chosen } else { DEFAULT_THEME }
}

/// Whether a theme is built in or the project's own.
pub(crate) fn theme_exists(settings: &ProjectSettings, id: &str) -> bool {
    settings.emails.themes.contains_key(id) || BUILT_IN_THEMES.iter().any(|(built_in, _)| *built_in == id)
}

/// The permissions of a default set that are defined for the scope.
fn permissions(
    settings: &ProjectSettings,
    set: &PermissionSet,
    scope: PermissionScope,
) -> Vec<PermissionRef> {
    let defined = Definitions::of(&settings.rbac);
    let chosen = ids_of(set).into_iter().filter(|id| defined.scope(id) == Some(scope));
    chosen.map(|id| PermissionRef { id: id.to_owned() }).collect()
}
