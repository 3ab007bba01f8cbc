//! Templates of mails on the wire.

use schemars::{JsonSchema, json_schema};
use serde::Serialize;
use serde_json::Value;

use crate::input;
use crate::input::{Input, Location, NonEmptyText, Violations};

/// The body of one kind of mail.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EmailTemplate {
    /// The template.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// Its source.
    pub tsx_source: String,
    /// The id of its theme, or false for none; absent if it takes the project's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme_id: Option<Value>,
}

/// All templates.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EmailTemplates {
    /// The built-in ones, then the project's own.
    pub templates: Vec<EmailTemplate>,
}

/// The theme of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    /// The project's.
    Default,
    /// None.
    Without,
    /// This one.
    Theme(String),
}

impl Input for ThemeChoice {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        match value {
            Some(Value::Null) => return Some(Self::Default),
            Some(Value::Bool(false)) => return Some(Self::Without),
            Some(Value::String(id)) if uuid::Uuid::try_parse(id).is_ok_and(|_| id.len() == 36) => {
                return Some(Self::Theme(id.to_ascii_lowercase()));
            }
            _ => out.add(at, "must be the UUID of a theme, false or null"),
        }
        None
    }
}

crate::schema::inline_schema!(
    ThemeChoice,
    json_schema!({ "anyOf": [{ "type": "string", "format": "uuid" }, { "const": false }, { "type": "null" }] })
);

input! {
    /// A new template.
    pub struct EmailTemplateCreate {
        /// Its name.
        pub display_name: NonEmptyText,
    }
}

input! {
    /// Changes of a template.
    pub struct EmailTemplateUpdate {
        /// Its name.
        pub display_name: Option<NonEmptyText>,
        /// Its source.
        pub tsx_source: Option<String>,
        /// Its theme: an id, false for none, null for the project's.
        pub theme_id: Option<ThemeChoice>,
    }
}

input! {
    /// The path of one template.
    pub struct EmailTemplatePath {
        /// The template.
        pub id: String,
    }
}
