//! Sending mails, on the wire (contract 08 §2.1).

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::email_template::ThemeChoice;
use crate::ids::EmailTemplateId;
use crate::input;
use crate::input::{Input, Location, OnlyTrue, StrictEmail, UrlText, Violations};

/// A JSON object with any properties.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variables(pub Map<String, Value>);

impl Input for Variables {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        input::object(value, at, None, out).cloned().map(Self)
    }
}

impl JsonSchema for Variables {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Variables".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object" })
    }
}

input! {
    /// A mail to users: exactly one of `user_ids` and `all_users`, and exactly one of `html`, `template_id` and
    /// `draft_id`.
    pub struct SendEmail {
        /// Whom it goes to, at their primary addresses.
        pub user_ids: Option<Vec<String>>,
        /// Everybody, anonymous and restricted users included.
        pub all_users: Option<OnlyTrue>,
        /// What it says, as it is.
        pub html: Option<String>,
        /// The template that says it.
        pub template_id: Option<EmailTemplateId>,
        /// What the template may show.
        pub variables: Option<Variables>,
        /// The draft that says it; it counts as sent afterwards.
        pub draft_id: Option<String>,
        /// The subject, in place of the one that the template says.
        pub subject: Option<String>,
        /// `Transactional` or `Marketing`; what the template says when absent, and else transactional.
        pub notification_category_name: Option<String>,
        /// The theme: an id, false for none, null for the template's or the project's.
        pub theme_id: Option<ThemeChoice>,
        /// Whether it passes mails that are not.
        pub is_high_priority: Option<bool>,
        /// When it may leave, in epoch milliseconds; now when absent.
        pub scheduled_at_millis: Option<i64>,
    }
}

/// Who will get a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SentEmails {
    /// One entry per user that was named; it does not mean that the mail has arrived.
    pub results: Vec<SentEmail>,
}

/// A user who will get a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SentEmail {
    /// The user.
    pub user_id: String,
}

input! {
    open
    /// The link that ends a kind of mail.
    pub struct UnsubscribeQuery {
        /// The code of the mail.
        pub code: Option<String>,
    }
}

input! {
    /// An invitation to sign in.
    pub struct SignInInvitationCreate {
        /// Who is invited.
        pub email: StrictEmail,
        /// Where they sign in.
        pub callback_url: UrlText,
    }
}
