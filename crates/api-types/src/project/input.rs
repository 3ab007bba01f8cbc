//! What administrators write about projects (contract 07 §2.2 to §2.4).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::{AccountMergeStrategy, OauthProviderKind, OnboardingStatus};
use crate::ids::{ProjectId, TeamId};
use crate::input::{
    HandlerPath, ImageUrl, Input, Integer, Location, NonEmptyText, Nullable, QueryBool, SecretText,
    Violations, WebUrl,
};
use crate::{input, words};

input! {
    /// Changes of a project.
    #[derive(Default)]
    pub struct ProjectUpdate {
        /// Its name.
        pub display_name: Option<NonEmptyText>,
        /// A sentence about it; null is none.
        pub description: Option<Nullable<String>>,
        /// Square logo.
        pub logo_url: Option<Nullable<ImageUrl>>,
        /// Wide logo.
        pub logo_full_url: Option<Nullable<ImageUrl>>,
        /// Square logo for dark backgrounds.
        pub logo_dark_mode_url: Option<Nullable<ImageUrl>>,
        /// Wide logo for dark backgrounds.
        pub logo_full_dark_mode_url: Option<Nullable<ImageUrl>>,
        /// Whether it is in use; for people only.
        pub is_production_mode: Option<bool>,
        /// How far the dashboard's set-up pages have come.
        pub onboarding_status: Option<OnboardingStatus>,
        /// Its settings; what is absent stays as it is.
        pub config: Option<ProjectConfigUpdate>,
    }
}

input! {
    /// A new project.
    pub struct ProjectCreate {
        /// Its name.
        pub display_name: NonEmptyText,
        /// The team of `internal` whose members administer it.
        pub owner_team_id: TeamId,
        /// A sentence about it; null is none.
        pub description: Option<Nullable<String>>,
        /// Square logo.
        pub logo_url: Option<Nullable<ImageUrl>>,
        /// Wide logo.
        pub logo_full_url: Option<Nullable<ImageUrl>>,
        /// Square logo for dark backgrounds.
        pub logo_dark_mode_url: Option<Nullable<ImageUrl>>,
        /// Wide logo for dark backgrounds.
        pub logo_full_dark_mode_url: Option<Nullable<ImageUrl>>,
        /// Whether it is in use; for people only.
        pub is_production_mode: Option<bool>,
        /// How far the dashboard's set-up pages have come.
        pub onboarding_status: Option<OnboardingStatus>,
        /// Its settings.
        pub config: Option<ProjectConfigUpdate>,
    }
}

input! {
    /// Settings of a project, laid over those that it has.
    #[derive(Default)]
    pub struct ProjectConfigUpdate {
        /// Whether users may be sent to localhost.
        pub allow_localhost: Option<bool>,
        /// Whether new accounts are accepted.
        pub sign_up_enabled: Option<bool>,
        /// Whether users sign in with passwords.
        pub credential_enabled: Option<bool>,
        /// Whether users sign in with codes sent by mail.
        pub magic_link_enabled: Option<bool>,
        /// Whether users sign in with passkeys.
        pub passkey_enabled: Option<bool>,
        /// Whether users create teams themselves.
        pub client_team_creation_enabled: Option<bool>,
        /// Whether users delete their accounts themselves.
        pub client_user_deletion_enabled: Option<bool>,
        /// Whether users have API keys.
        pub allow_user_api_keys: Option<bool>,
        /// Whether teams have API keys.
        pub allow_team_api_keys: Option<bool>,
        /// All providers with which users sign in.
        pub oauth_providers: Option<Vec<OauthProviderInput>>,
        /// All trusted domains.
        pub domains: Option<Vec<DomainInput>>,
        /// Who sends the project's mails.
        pub email_config: Option<EmailConfigInput>,
        /// The theme of mails.
        pub email_theme: Option<String>,
        /// Whether new users get a team of their own.
        pub create_team_on_sign_up: Option<bool>,
        /// What the creator of a team may do in it.
        pub team_creator_default_permissions: Option<Vec<PermissionRefInput>>,
        /// What members of a team may do in it.
        pub team_member_default_permissions: Option<Vec<PermissionRefInput>>,
        /// What users may do in the project.
        pub user_default_permissions: Option<Vec<PermissionRefInput>>,
        /// What happens to a sign-in by a provider with the email of an existing user.
        pub oauth_account_merge_strategy: Option<AccountMergeStrategy>,
        /// Whether users stay restricted until their email is verified. Never shown.
        pub require_email_verification: Option<bool>,
    }
}

input! {
    /// A permission by its id.
    pub struct PermissionRefInput {
        /// The permission.
        pub id: String,
    }
}

input! {
    /// A trusted domain.
    pub struct DomainInput {
        /// Scheme and host, perhaps with wildcards.
        pub domain: WebUrl,
        /// The path of the pages that handle authentication.
        pub handler_path: HandlerPath,
    }
}

input! {
    /// Who moves a project where.
    pub struct ProjectTransfer {
        /// The project.
        pub project_id: ProjectId,
        /// Its new owner, a team of `internal`.
        pub new_team_id: TeamId,
    }
}

words! {
    /// The providers that there are.
    pub enum OauthProviderName {
        /// Google.
        Google = "google",
        /// GitHub.
        Github = "github",
        /// Microsoft.
        Microsoft = "microsoft",
        /// Spotify.
        Spotify = "spotify",
        /// Facebook.
        Facebook = "facebook",
        /// Discord.
        Discord = "discord",
        /// GitLab.
        Gitlab = "gitlab",
        /// Bitbucket.
        Bitbucket = "bitbucket",
        /// `LinkedIn`.
        Linkedin = "linkedin",
        /// Apple.
        Apple = "apple",
        /// X.
        X = "x",
        /// Twitch.
        Twitch = "twitch",
    }
}

input! {
    /// A provider with which users sign in.
    struct OauthProviderFields {
        /// Whose provider it is.
        id: OauthProviderName,
        /// Whose credentials are used.
        kind as "type": OauthProviderKind,
        /// The client id at the provider; required unless shared.
        client_id: Option<NonEmptyText>,
        /// The client secret at the provider; required unless shared.
        client_secret: Option<SecretText>,
        /// Facebook only.
        facebook_config_id: Option<String>,
        /// Microsoft only.
        microsoft_tenant_id: Option<String>,
        /// Apple only: bundles of native apps that sign in.
        apple_bundle_ids: Option<Vec<NonEmptyText>>,
    }
}

/// A provider with which users sign in.
#[derive(Clone, Debug)]
pub struct OauthProviderInput {
    /// Whose provider it is.
    pub id: OauthProviderName,
    /// The project's own credentials: client id and secret; `None` for the server's.
    pub credentials: Option<(String, String)>,
    /// Facebook only.
    pub facebook_config_id: Option<String>,
    /// Microsoft only.
    pub microsoft_tenant_id: Option<String>,
    /// Apple only: bundles of native apps that sign in.
    pub apple_bundle_ids: Option<Vec<String>>,
}

impl Input for OauthProviderInput {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let fields = OauthProviderFields::read(value, at, out)?;
        let credentials = match fields.kind {
            OauthProviderKind::Shared => None,
            OauthProviderKind::Standard => {
                let secret = fields.client_secret.filter(|secret| !secret.as_str().is_empty());
                for (name, is_missing) in
                    [("client_id", fields.client_id.is_none()), ("client_secret", secret.is_none())]
                {
                    if is_missing {
                        out.add(&at.property(name), "is required for credentials of the project's own");
                    }
                }
                Some((fields.client_id?.into_string(), secret?.into_string()))
            }
        };
        let texts = |ids: Vec<NonEmptyText>| ids.into_iter().map(NonEmptyText::into_string).collect();
        Some(Self {
            id: fields.id,
            credentials,
            facebook_config_id: fields.facebook_config_id,
            microsoft_tenant_id: fields.microsoft_tenant_id,
            apple_bundle_ids: fields.apple_bundle_ids.map(texts),
        })
    }
}

impl JsonSchema for OauthProviderInput {
    fn schema_name() -> Cow<'static, str> {
        "OauthProviderInput".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        OauthProviderFields::json_schema(generator)
    }
}

words! {
    /// Whose mail server sends.
    enum EmailConfigKind {
        /// That of this deployment.
        Shared = "shared",
        /// The project's own.
        Standard = "standard",
    }
}

input! {
    /// Who sends a project's mails.
    struct EmailConfigFields {
        /// Whose server it is; everything else is required for the project's own.
        kind as "type": EmailConfigKind,
        /// Name of the SMTP server.
        host: Option<NonEmptyText>,
        /// Its port.
        port: Option<Integer<0, 65_535>>,
        /// Who signs in there.
        username: Option<NonEmptyText>,
        /// The password there.
        password: Option<SecretText>,
        /// The name that mails come from.
        sender_name: Option<NonEmptyText>,
        /// The address that mails come from.
        sender_email: Option<NonEmptyText>,
    }
}

/// Who sends a project's mails.
#[derive(Clone, Debug)]
pub enum EmailConfigInput {
    /// The server of this deployment.
    Shared,
    /// One of the project's own.
    Standard(EmailServerInput),
}

/// A mail server of the project's own.
#[derive(Clone, Debug)]
pub struct EmailServerInput {
    /// Name of the SMTP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who signs in there.
    pub username: String,
    /// The password there.
    pub password: SecretText,
    /// The name that mails come from.
    pub sender_name: String,
    /// The address that mails come from.
    pub sender_email: String,
}

/// The longest password of a mail server, characters.
const LONGEST_PASSWORD: usize = 70;

impl Input for EmailConfigInput {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let fields = EmailConfigFields::read(value, at, out)?;
        if fields.kind == EmailConfigKind::Shared {
            return Some(Self::Shared);
        }
        let password = fields.password.filter(|password| !password.as_str().is_empty());
        for (name, is_missing) in [
            ("host", fields.host.is_none()),
            ("port", fields.port.is_none()),
            ("username", fields.username.is_none()),
            ("password", password.is_none()),
            ("sender_name", fields.sender_name.is_none()),
            ("sender_email", fields.sender_email.is_none()),
        ] {
            if is_missing {
                out.add(&at.property(name), "is required for a mail server of the project's own");
            }
        }
        if password.as_ref().is_some_and(|password| password.as_str().chars().count() > LONGEST_PASSWORD) {
            let most = format_args!("must have at most {LONGEST_PASSWORD} characters");
            out.add(&at.property("password"), most);
        }
        Some(Self::Standard(EmailServerInput {
            host: fields.host?.into_string(),
            port: u16::try_from(fields.port?.0).ok()?,
            username: fields.username?.into_string(),
            password: password?,
            sender_name: fields.sender_name?.into_string(),
            sender_email: fields.sender_email?.into_string(),
        }))
    }
}

impl JsonSchema for EmailConfigInput {
    fn schema_name() -> Cow<'static, str> {
        "EmailConfigInput".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        EmailConfigFields::json_schema(generator)
    }
}

input! {
    /// The path of one project.
    pub struct ProjectPath {
        /// A UUID, or `internal`.
        pub project_id: String,
    }
}

input! {
    /// For which users keys are wanted besides those of ordinary ones.
    pub struct JwksQuery {
        /// Restricted users.
        pub include_restricted: Option<QueryBool>,
        /// Anonymous users; implies restricted ones.
        pub include_anonymous: Option<QueryBool>,
    }
}
