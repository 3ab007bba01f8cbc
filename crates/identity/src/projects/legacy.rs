//! The flat view of the settings, as it is written (contract 07 §2.2): each field becomes keys at the level of the
//! environment, so that it wins over what is pushed to the branch.

use latchkey_api_types::KnownError;
use latchkey_api_types::project::{
    DomainInput, EmailConfigInput, OauthProviderInput, OauthProviderName, PermissionRefInput,
    ProjectConfigUpdate,
};
use latchkey_config::{Override, ProjectSettings};
use latchkey_crypto::Random;
use serde_json::{Map, Value, json};

use super::views::theme_exists;
use crate::failure::Failure;

/// Writes the fields that are given. `settings` are those before.
///
/// # Errors
/// `INVALID_SHARED_OAUTH_PROVIDER_ID`; 400 for an unknown theme and for a provider named twice.
pub(super) fn write(
    fields: &ProjectConfigUpdate,
    settings: &ProjectSettings,
    random: &Random,
    into: &mut Override,
) -> Result<(), Failure> {
    for (key, value) in [
        ("domains.allowLocalhost", fields.allow_localhost),
        ("auth.allowSignUp", fields.sign_up_enabled),
        ("auth.password.allowSignIn", fields.credential_enabled),
        ("auth.otp.allowSignIn", fields.magic_link_enabled),
        ("auth.passkey.allowSignIn", fields.passkey_enabled),
        ("teams.allowClientTeamCreation", fields.client_team_creation_enabled),
        ("users.allowClientUserDeletion", fields.client_user_deletion_enabled),
        ("apiKeys.enabled.user", fields.allow_user_api_keys),
        ("apiKeys.enabled.team", fields.allow_team_api_keys),
        ("teams.createPersonalTeamOnSignUp", fields.create_team_on_sign_up),
        ("onboarding.requireEmailVerification", fields.require_email_verification),
    ] {
        if let Some(value) = value {
            into.set(key, value);
        }
    }
    for (key, set) in [
        ("rbac.defaultPermissions.teamCreator", &fields.team_creator_default_permissions),
        ("rbac.defaultPermissions.teamMember", &fields.team_member_default_permissions),
        ("rbac.defaultPermissions.signUp", &fields.user_default_permissions),
    ] {
        if let Some(set) = set {
            into.set(key, permissions(set));
        }
    }
    if let Some(providers) = &fields.oauth_providers {
        into.set("auth.oauth.providers", oauth_providers(providers, settings)?);
    }
    if let Some(strategy) = fields.oauth_account_merge_strategy {
        into.set("auth.oauth.accountMergeStrategy", strategy.as_str());
    }
    if let Some(domains) = &fields.domains {
        into.set("domains.trustedDomains", trusted_domains(domains, random));
    }
    if let Some(server) = &fields.email_config {
        into.set("emails.server", email_server(server));
    }
    if let Some(theme) = &fields.email_theme {
        let theme = theme.to_ascii_lowercase();
        if !theme_exists(settings, &theme) {
            return Err(Failure::text(400, "The project has no such email theme."));
        }
        into.set("emails.selectedThemeId", theme);
    }
    Ok(())
}

fn permissions(set: &[PermissionRefInput]) -> Value {
    set.iter().map(|permission| (permission.id.clone(), Value::Bool(true))).collect::<Map<_, _>>().into()
}

/// The providers in place of all those that this view shows; what it cannot show stays as it is.
fn oauth_providers(providers: &[OauthProviderInput], settings: &ProjectSettings) -> Result<Value, Failure> {
    let before = &settings.auth.oauth.providers;
    let hidden = before.iter().filter(|(id, provider)| !provider.is_known_to_clients(id));
    let hidden = hidden
        .map(|(id, provider)| Ok((id.clone(), serde_json::to_value(provider).map_err(Failure::internal)?)));
    let hidden: Map<String, Value> = hidden.collect::<Result<_, Failure>>()?;
    let mut entries = Map::new();
    for provider in providers {
        let id = provider.id.as_str();
        let mut entry = json!({
            "type": id,
            "isShared": provider.credentials.is_none(),
            "allowSignIn": true,
            "allowConnectedAccounts": true,
        });
        match &provider.credentials {
            None if !can_be_shared(provider.id) => {
                return Err(KnownError::invalid_shared_oauth_provider_id(id).into());
            }
            None => {}
            Some((client_id, client_secret)) => {
                entry["clientId"] = client_id.as_str().into();
                entry["clientSecret"] = client_secret.as_str().into();
            }
        }
        if let Some(before) = before.get(id)
            && let Some(base_url) = &before.base_url
        {
            entry["baseUrl"] = base_url.as_str().into();
            entry["trustEmailVerified"] = before.trust_email_verified.into();
        }
        if let Some(facebook) = &provider.facebook_config_id {
            entry["facebookConfigId"] = facebook.as_str().into();
        }
        if let Some(tenant) = &provider.microsoft_tenant_id {
            entry["microsoftTenantId"] = tenant.as_str().into();
        }
        if let Some(bundles) = &provider.apple_bundle_ids {
            let bundles = bundles.iter().enumerate();
            entry["appleBundles"] = bundles
                .map(|(index, bundle)| (format!("bundle-{index:03}"), json!({ "bundleId": bundle })))
                .collect::<Map<_, _>>()
                .into();
        }
        if entries.insert(id.to_owned(), entry).is_some() {
            return Err(Failure::text(400, format!("The OAuth provider {id:?} is named twice.")));
        }
    }
    entries.extend(hidden);
    Ok(Value::Object(entries))
}

/// Whether servers may bring credentials of their own for the provider.
fn can_be_shared(provider: OauthProviderName) -> bool {
    matches!(
        provider,
        OauthProviderName::Google
            | OauthProviderName::Github
            | OauthProviderName::Microsoft
            | OauthProviderName::Spotify
    )
}

fn trusted_domains(domains: &[DomainInput], random: &Random) -> Value {
    let entry = |domain: &DomainInput| {
        let value = json!({ "baseUrl": domain.domain.as_str(), "handlerPath": domain.handler_path.as_str() });
        (random.uuid().to_string(), value)
    };
    domains.iter().map(entry).collect::<Map<_, _>>().into()
}

fn email_server(server: &EmailConfigInput) -> Value {
    match server {
        EmailConfigInput::Shared => json!({ "isShared": true }),
        EmailConfigInput::Standard(server) => json!({
            "isShared": false,
            "provider": "smtp",
            "host": server.host,
            "port": server.port,
            "username": server.username,
            "password": server.password.as_str(),
            "senderName": server.sender_name,
            "senderEmail": server.sender_email,
        }),
    }
}
