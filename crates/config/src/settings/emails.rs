//! `emails`: the mail server of a project, and what its mails look like.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::is_uuid;
use crate::{errors::Findings, value::SecretText};

/// The theme of mails for which nobody chose another one.
pub const DEFAULT_THEME: &str = "1df07ae6-abf3-4a40-83a5-a1a2cbe336ac";

/// The built-in themes: id and name.
pub const BUILT_IN_THEMES: [(&str, &str); 3] = [
    (DEFAULT_THEME, "Default Light"),
    ("a0172b5d-cff0-463b-83bb-85124697373a", "Default Dark"),
    ("c7e2d94f-8a1b-4e6d-b3f5-9d0a2e7c1b8f", "Default Colorful"),
];

/// The built-in templates: id and name.
pub const BUILT_IN_TEMPLATES: [(&str, &str); 5] = [
    ("e7d009ce-8d47-4528-b245-5bf119f2ffa3", "Email Verification"),
    ("a70fb3a4-56c1-4e42-af25-49d25603abd0", "Password Reset"),
    ("822687fe-8d0a-4467-a0d1-416b6e639478", "Magic Link/OTP"),
    ("e84de395-2076-4831-9c19-8e9a96a868e4", "Team Invitation"),
    ("066dd73c-36da-4fd0-b6d6-ebf87683f8bc", "Sign In Invitation"),
];

/// Whether a theme is there without anybody making it.
pub(super) fn is_built_in_theme(id: &str) -> bool {
    BUILT_IN_THEMES.iter().any(|(built_in, _)| *built_in == id)
}

/// Whether a template is there without anybody making it.
pub(super) fn is_built_in_template(id: &str) -> bool {
    BUILT_IN_TEMPLATES.iter().any(|(built_in, _)| *built_in == id)
}

/// The mail server of a project, and what its mails look like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct EmailsSettings {
    /// The id of the theme around every mail. One that does not exist counts as the default one.
    pub selected_theme_id: String,
    /// Themes by id, a UUID: those of the project, and changed ones of the built-in three.
    pub themes: BTreeMap<String, EmailTheme>,
    /// Templates by id, a UUID: those of the project, and changed ones of the built-in ones.
    pub templates: BTreeMap<String, EmailTemplate>,
    /// Who sends the project's mails.
    pub server: EmailServer,
}

/// The frame around mails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct EmailTheme {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsx_source: Option<String>,
}

/// The body of one kind of mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct EmailTemplate {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tsx_source: Option<String>,
    /// The id of its theme, or false for none; the project's when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme_id: Option<TemplateTheme>,
}

/// The theme of a template: the id of one, or `false` for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateTheme {
    /// Mails go without a theme.
    Without,
    /// This theme.
    Theme(String),
}

/// Who sends the project's mails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct EmailServer {
    /// Whether the mail server of this deployment does, under the project's name.
    pub is_shared: bool,
    /// What kind of server the project has.
    pub provider: EmailProvider,
    /// Name of the SMTP server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its port: 465 and 2465 speak TLS from the start, others change to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Who signs in there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretText>,
    /// The name that mails come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// The address that mails come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_email: Option<String>,
    /// The domain of a managed server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_subdomain: Option<String>,
    /// What stands before the `@` in addresses of a managed server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_sender_local_part: Option<String>,
}

/// Kinds of mail servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EmailProvider {
    /// Any SMTP server.
    #[default]
    Smtp,
    /// The service of that name.
    Resend,
    /// One that somebody runs for the project.
    Managed,
}

impl Default for EmailsSettings {
    fn default() -> Self {
        Self {
            selected_theme_id: DEFAULT_THEME.to_owned(),
            themes: BTreeMap::new(),
            templates: BTreeMap::new(),
            server: EmailServer::default(),
        }
    }
}

impl Default for EmailServer {
    fn default() -> Self {
        Self {
            is_shared: true,
            provider: EmailProvider::Smtp,
            host: None,
            port: None,
            username: None,
            password: None,
            sender_name: None,
            sender_email: None,
            managed_subdomain: None,
            managed_sender_local_part: None,
        }
    }
}

impl Serialize for TemplateTheme {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Without => serializer.serialize_bool(false),
            Self::Theme(id) => serializer.serialize_str(id),
        }
    }
}

impl<'de> Deserialize<'de> for TemplateTheme {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(false) => Ok(Self::Without),
            Value::String(id) if is_uuid(&id) => Ok(Self::Theme(id)),
            _ => Err(de::Error::custom("must be the UUID of a theme, or false")),
        }
    }
}

impl JsonSchema for TemplateTheme {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TemplateTheme".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "boolean"] })
    }
}

impl EmailsSettings {
    pub(super) fn validate(&self, at: &str, found: &mut Findings) {
        if !is_uuid(&self.selected_theme_id) {
            found.error(format!("{at}.selectedThemeId"), "must be the UUID of a theme");
        }
        let themes = self.themes.keys().map(|id| ("themes", id));
        for (kind, id) in themes.chain(self.templates.keys().map(|id| ("templates", id))) {
            if !is_uuid(id) {
                found.error(format!("{at}.{kind}.{id}"), "must be named by a UUID in lower case");
            }
        }
    }
}
