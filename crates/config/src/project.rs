//! `[[project]]`: projects declared in the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    errors::Findings,
    settings::{Overrides, ProjectSettings, is_uuid},
    value::SecretText,
};

/// A project that exists as long as it is declared here. Declarations are applied at every start: what stands here
/// wins over what was changed at run time, what does not stand here is left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectDeclaration {
    /// A UUID, or `internal` for the built-in project. Required.
    pub id: String,
    /// The name that people see; the id when not given.
    pub display_name: String,
    /// A sentence for the dashboard.
    pub description: String,
    /// The keys of its key set.
    pub keys: ProjectKeys,
    /// The id of the team in project `internal` that owns the project.
    pub owner_team: Option<String>,
    /// Webhook endpoints that exist as long as they are declared.
    pub webhooks: Vec<WebhookDeclaration>,
    /// Settings, laid over those of a newly created project: password sign-in and redirects to localhost allowed, the
    /// permissions `team_member` and `team_admin` defined. The defaults below hold for what that does not say.
    pub settings: ProjectSettings,
    /// What was stated of them: of settings from a file only what stands there; absent for settings made by a program,
    /// of which everything counts that differs from those of a newly created project.
    #[serde(skip)]
    #[schemars(skip)]
    pub stated: Option<StatedSettings>,
}

/// Settings as they stand in a file, credentials in clear: not to be shown.
#[derive(Clone, PartialEq)]
pub struct StatedSettings(pub(crate) serde_json::Value);

impl std::fmt::Debug for StatedSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatedSettings(***)")
    }
}

/// Fixed keys of a project: letters, digits, `-` and `_`. Best made of a prefix and 45 random characters, as the
/// server makes them itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectKeys {
    /// The key that browsers and apps send (`pck_…`); not confidential.
    pub publishable_client_key: Option<SecretText>,
    /// The key that back ends send (`ssk_…`).
    pub secret_server_key: Option<SecretText>,
    /// The key that administers the project (`sak_…`).
    pub super_secret_admin_key: Option<SecretText>,
}

/// A webhook endpoint that is brought into the database at every start. Whether it is switched off stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookDeclaration {
    /// A name for it, unique in the project: letters, digits, `-`, `_` and `.`. Required.
    pub id: String,
    /// Where events go. Required.
    pub url: String,
    /// A note for people.
    pub description: String,
    /// The events that it listens to, such as `user.created`; all of them when empty.
    pub event_types: Vec<String>,
    /// The secret of the signatures: `whsec_` and the base64 of 24 to 64 bytes. Made by the server when not given.
    pub secret: Option<SecretText>,
}

impl ProjectKeys {
    /// The keys that are given, with their names in the file.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &SecretText)> {
        [
            ("publishable_client_key", &self.publishable_client_key),
            ("secret_server_key", &self.secret_server_key),
            ("super_secret_admin_key", &self.super_secret_admin_key),
        ]
        .into_iter()
        .filter_map(|(name, key)| Some((name, key.as_ref()?)))
    }
}

impl ProjectDeclaration {
    /// The declaration of the built-in project for whoever declares nothing about it.
    pub fn internal() -> Self {
        let mut declaration =
            Self { id: INTERNAL.into(), display_name: "Latchkey".to_owned(), ..Self::default() };
        declaration.settings = ProjectSettings::internal();
        declaration.complete();
        declaration
    }

    /// Whether it declares the built-in project.
    pub fn is_internal(&self) -> bool {
        self.id == INTERNAL
    }

    /// The overrides that a project of this id starts with, before its declaration.
    pub fn first_overrides(&self) -> Overrides {
        if self.is_internal() { Overrides::internal() } else { Overrides::for_new_project() }
    }

    /// Brings a project's overrides to what is declared. What is not declared stays as it is.
    pub fn apply_to(&self, overrides: &mut Overrides) {
        match &self.stated {
            Some(StatedSettings(stated)) => overrides.state(stated),
            None => overrides.change(&Self::base_settings(&self.id), &self.settings),
        }
    }

    /// The settings that a declaration is laid over.
    pub(crate) fn base_settings(id: &str) -> ProjectSettings {
        if id == INTERNAL { ProjectSettings::internal() } else { ProjectSettings::for_new_project() }
    }

    /// Brings the id to lower case and fills the name.
    pub(crate) fn complete(&mut self) {
        self.id.make_ascii_lowercase();
        if self.display_name.is_empty() {
            self.display_name.clone_from(&self.id);
        }
    }

    pub(crate) fn validate(&self, at: &str, found: &mut Findings) {
        if self.id.is_empty() {
            found.error(format!("{at}.id"), "is required: a UUID, or \"internal\"");
        } else if self.id != INTERNAL && !is_uuid(&self.id) {
            found.error(format!("{at}.id"), "must be a UUID, or \"internal\"");
        }
        if let Some(team) = &self.owner_team
            && !is_uuid(team)
        {
            found.error(format!("{at}.owner_team"), "must be the UUID of a team");
        }
        for (name, key) in self.keys.iter() {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if key.is_empty() || key.expose().len() > 256 || !key.expose().chars().all(legal) {
                found.error(
                    format!("{at}.keys.{name}"),
                    "must be 1 to 256 letters, digits, \"-\" and \"_\", as it travels in a header",
                );
            }
        }
        for (index, webhook) in self.webhooks.iter().enumerate() {
            let at = format!("{at}.webhooks.{index}");
            if webhook.id.is_empty() {
                found.error(format!("{at}.id"), "is required: a name for the endpoint");
            } else if self.webhooks[..index].iter().any(|earlier| earlier.id == webhook.id) {
                found.error(format!("{at}.id"), format!("repeats the id {:?}", webhook.id));
            }
            if !url::Url::parse(&webhook.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
                found.error(format!("{at}.url"), "must be an https:// URL");
            }
            for event in &webhook.event_types {
                if !EVENT_TYPES.contains(&event.as_str()) {
                    found
                        .error(format!("{at}.event_types"), format!("{event:?} is not the name of an event"));
                }
            }
        }
        self.settings.validate(&format!("{at}.settings"), found);
    }
}

/// The events that endpoints can listen to.
const EVENT_TYPES: [&str; 13] = [
    "user.created",
    "user.updated",
    "user.deleted",
    "team.created",
    "team.updated",
    "team.deleted",
    "team_membership.created",
    "team_membership.deleted",
    "team_permission.created",
    "team_permission.deleted",
    "project_permission.created",
    "project_permission.deleted",
    "stack.test",
];

/// The id of the built-in project.
pub(crate) const INTERNAL: &str = "internal";
