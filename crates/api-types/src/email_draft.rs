//! Drafts of mails, on the wire.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::email_template::ThemeChoice;
use crate::ids::EmailDraftId;
use crate::input;
use crate::input::NonEmptyText;

/// A mail that somebody is writing.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EmailDraft {
    /// The draft.
    pub id: EmailDraftId,
    /// Its name.
    pub display_name: String,
    /// What the mail says: the source of a template.
    pub tsx_source: String,
    /// The id of its theme, or false for none; absent if it takes the project's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme_id: Option<Value>,
    /// When it was sent, in epoch milliseconds, if it was.
    pub sent_at_millis: Option<i64>,
}

/// Drafts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EmailDrafts {
    /// Those that were not sent, the ones that changed last first.
    pub drafts: Vec<EmailDraft>,
}

input! {
    /// A new draft.
    pub struct EmailDraftCreate {
        /// Its name.
        pub display_name: NonEmptyText,
        /// What the mail says; something to begin with when absent.
        pub tsx_source: Option<String>,
        /// Its theme: an id, false for none, null for the project's.
        pub theme_id: Option<ThemeChoice>,
    }
}

input! {
    /// Changes of a draft.
    pub struct EmailDraftUpdate {
        /// Its name.
        pub display_name: Option<NonEmptyText>,
        /// What the mail says.
        pub tsx_source: Option<String>,
        /// Its theme: an id, false for none, null for the project's.
        pub theme_id: Option<ThemeChoice>,
    }
}

input! {
    /// The path of one draft.
    pub struct EmailDraftPath {
        /// The draft.
        pub id: EmailDraftId,
    }
}
