//! What is asked of the outbox.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::{EmailStatus, SimpleEmailStatus};
use crate::ids::{EmailId, UserId};
use crate::input::{
    Input, Integer, JsonValue, Location, NonEmptyText, Nullable, OnlyTrue, PlainEmail, SecretText, Violations,
};
use crate::{input, words};

input! {
    /// The path of one mail.
    pub struct OutboxPath {
        /// Which mail.
        pub id: EmailId,
    }
}

input! {
    /// Which mails are listed.
    pub struct OutboxQuery {
        /// Only those that stand so.
        pub status: Option<EmailStatus>,
        /// Only those that stand so, in three words.
        pub simple_status: Option<SimpleEmailStatus>,
        /// How many mails a page holds, from 1 to 100; 100 if absent.
        pub limit: Option<i64>,
        /// The first mail of the page.
        pub cursor: Option<EmailId>,
    }
}

words! {
    /// Whom a mail is for.
    enum RecipientKind {
        /// A user, at the primary address.
        UserPrimaryEmail = "user-primary-email",
        /// A user, at these addresses.
        UserCustomEmails = "user-custom-emails",
        /// Whoever reads these addresses.
        CustomEmails = "custom-emails",
    }
}

input! {
    /// Whom a mail is for.
    struct RecipientFields {
        /// What the other properties mean.
        kind as "type": RecipientKind,
        /// The user.
        user_id: Option<UserId>,
        /// The addresses.
        emails: Option<Vec<PlainEmail>>,
    }
}

/// Whom a mail is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailRecipientInput {
    /// A user, at whatever is the primary address when the mail leaves.
    UserPrimaryEmail(UserId),
    /// A user, at these addresses.
    UserCustomEmails(UserId, Vec<String>),
    /// Whoever reads these addresses.
    CustomEmails(Vec<String>),
}

/// The most addresses of one mail.
const MOST_ADDRESSES: usize = 100;

impl Input for EmailRecipientInput {
    fn read(value: Option<&Value>, at: &Location<'_>, out: &mut Violations) -> Option<Self> {
        let fields = RecipientFields::read(value, at, out)?;
        let takes_user = fields.kind != RecipientKind::CustomEmails;
        let takes_emails = fields.kind != RecipientKind::UserPrimaryEmail;
        for (name, taken, given) in [
            ("user_id", takes_user, fields.user_id.is_some()),
            ("emails", takes_emails, fields.emails.is_some()),
        ] {
            match (taken, given) {
                (true, false) => out.add(&at.property(name), "is required"),
                (false, true) => out.add(&at.property(name), "does not belong to this type"),
                _ => {}
            }
        }
        let emails: Vec<String> =
            fields.emails.unwrap_or_default().into_iter().map(|email| email.as_str().to_owned()).collect();
        if emails.len() > MOST_ADDRESSES {
            out.add(&at.property("emails"), format_args!("must hold at most {MOST_ADDRESSES} addresses"));
        }
        Some(match fields.kind {
            RecipientKind::UserPrimaryEmail => Self::UserPrimaryEmail(fields.user_id?),
            RecipientKind::UserCustomEmails => Self::UserCustomEmails(fields.user_id?, emails),
            RecipientKind::CustomEmails => Self::CustomEmails(emails),
        })
    }
}

impl JsonSchema for EmailRecipientInput {
    fn schema_name() -> Cow<'static, str> {
        "EmailRecipientInput".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RecipientFields::json_schema(generator)
    }
}

input! {
    /// Changes of a mail that has not left.
    pub struct OutboxUpdate {
        /// The source that it is made of.
        pub tsx_source: Option<String>,
        /// Its theme; null for the project's.
        pub theme_id: Option<Nullable<String>>,
        /// Whom it is for.
        pub to: Option<EmailRecipientInput>,
        /// What is put into its source: an object.
        pub variables: Option<JsonValue>,
        /// Whether it leaves without a look at whether it can arrive.
        pub skip_deliverability_check: Option<bool>,
        /// When it may leave, epoch milliseconds.
        pub scheduled_at_millis: Option<i64>,
        /// Whether it is held.
        pub is_paused: Option<bool>,
        /// That it shall not leave.
        pub cancel: Option<OnlyTrue>,
    }
}

input! {
    /// A mail server that is tried out.
    pub struct TestEmailConfig {
        /// Name of the SMTP server.
        pub host: NonEmptyText,
        /// Its port.
        pub port: Integer<0, 65_535>,
        /// Who signs in there.
        pub username: NonEmptyText,
        /// The password there.
        pub password: SecretText,
        /// The name that mails come from.
        pub sender_name: NonEmptyText,
        /// The address that mails come from.
        pub sender_email: NonEmptyText,
    }
}

input! {
    /// A mail by which a mail server is tried out.
    pub struct TestEmailCreate {
        /// Where it goes.
        pub recipient_email: PlainEmail,
        /// By which server.
        pub email_config: TestEmailConfig,
    }
}
