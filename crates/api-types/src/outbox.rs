//! Mail on its way out, on the wire (contract 08 §2.2): what waits, what became of it, and how fast it may leave.

mod input;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ids::{EmailId, NotificationCategoryId, UserId};
use crate::words;

pub use input::{
    EmailRecipientInput, OutboxPath, OutboxQuery, OutboxUpdate, TestEmailConfig, TestEmailCreate,
};

words! {
    /// How a mail stands.
    pub enum EmailStatus {
        /// Somebody holds it.
        Paused = "paused",
        /// It is to be written.
        Preparing = "preparing",
        /// It is being written.
        Rendering = "rendering",
        /// It cannot be written.
        RenderError = "render-error",
        /// It waits for its time.
        Scheduled = "scheduled",
        /// It waits for its turn.
        Queued = "queued",
        /// It is being handed over.
        Sending = "sending",
        /// The mail server did not take it, and it is given up.
        ServerError = "server-error",
        /// It came back.
        Bounced = "bounced",
        /// It is late.
        DeliveryDelayed = "delivery-delayed",
        /// The mail server took it.
        Sent = "sent",
        /// It was opened.
        Opened = "opened",
        /// A link in it was followed.
        Clicked = "clicked",
        /// Its reader does not want it.
        MarkedAsSpam = "marked-as-spam",
        /// It is not to leave.
        Skipped = "skipped",
    }
}

words! {
    /// The same in three words.
    pub enum SimpleEmailStatus {
        /// Something is still to happen.
        InProgress = "in-progress",
        /// All is well.
        Ok = "ok",
        /// It did not arrive.
        Error = "error",
    }
}

impl EmailStatus {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Paused,
        Self::Preparing,
        Self::Rendering,
        Self::RenderError,
        Self::Scheduled,
        Self::Queued,
        Self::Sending,
        Self::ServerError,
        Self::Bounced,
        Self::DeliveryDelayed,
        Self::Sent,
        Self::Opened,
        Self::Clicked,
        Self::MarkedAsSpam,
        Self::Skipped,
    ];

    /// In three words.
    pub const fn simple(self) -> SimpleEmailStatus {
        match self {
            Self::Paused
            | Self::Preparing
            | Self::Rendering
            | Self::Scheduled
            | Self::Queued
            | Self::Sending => SimpleEmailStatus::InProgress,
            Self::RenderError | Self::ServerError | Self::Bounced => SimpleEmailStatus::Error,
            Self::DeliveryDelayed
            | Self::Sent
            | Self::Opened
            | Self::Clicked
            | Self::MarkedAsSpam
            | Self::Skipped => SimpleEmailStatus::Ok,
        }
    }

    /// Whether a mail that stands so may be changed.
    pub const fn is_editable(self) -> bool {
        matches!(
            self,
            Self::Paused
                | Self::Preparing
                | Self::Rendering
                | Self::RenderError
                | Self::Scheduled
                | Self::Queued
                | Self::ServerError
        )
    }
}

/// Whom a mail is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum EmailRecipient {
    /// A user, at whatever is the primary address when the mail leaves.
    UserPrimaryEmail {
        /// The user.
        user_id: UserId,
    },
    /// A user, at these addresses.
    UserCustomEmails {
        /// The user.
        user_id: UserId,
        /// The addresses.
        emails: Vec<String>,
    },
    /// Whoever reads these addresses.
    CustomEmails {
        /// The addresses.
        emails: Vec<String>,
    },
}

/// What went wrong at one try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SendAttemptError {
    /// Which try, from 1.
    pub attempt_number: i64,
    /// When, RFC 3339.
    pub timestamp: String,
    /// What went wrong.
    pub external_message: String,
    /// Always empty.
    pub external_details: Map<String, Value>,
}

/// A mail in the outbox.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OutboxEmail {
    /// The mail.
    pub id: EmailId,
    /// When it was queued, epoch milliseconds.
    pub created_at_millis: i64,
    /// When it changed last, epoch milliseconds.
    pub updated_at_millis: i64,
    /// The source that it is made of.
    pub tsx_source: String,
    /// Its theme; null for the project's.
    pub theme_id: Option<String>,
    /// Whom it is for.
    pub to: EmailRecipient,
    /// What is put into its source.
    pub variables: Map<String, Value>,
    /// Whether it leaves without a look at whether it can arrive.
    pub skip_deliverability_check: bool,
    /// When it may leave, epoch milliseconds.
    pub scheduled_at_millis: i64,
    /// How it came to be: `draft` or `programmatic-call`.
    pub created_with: &'static str,
    /// The draft that it was made of.
    pub email_draft_id: Option<String>,
    /// The template that it was made of.
    pub email_programmatic_call_template_id: Option<String>,
    /// How often it was tried in vain.
    pub send_retries: i64,
    /// When it is tried again, epoch milliseconds.
    pub next_send_retry_at_millis: Option<i64>,
    /// What went wrong so far.
    pub send_attempt_errors: Option<Vec<SendAttemptError>>,
    /// How it stands.
    pub status: EmailStatus,
    /// The same in three words.
    pub simple_status: SimpleEmailStatus,
    /// Whether somebody holds it.
    pub is_paused: bool,
    /// Whether what it says is known.
    pub has_rendered: bool,
    /// Whether the mail server took it.
    pub has_delivered: bool,
    /// When it began to be written, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_rendering_at_millis: Option<i64>,
    /// When it was written, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_at_millis: Option<i64>,
    /// Why it cannot be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub render_error: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub rendered: Option<RenderedEmail>,
    /// When it was last begun to be handed over, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_sending_at_millis: Option<i64>,
    /// When it was given up, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_at_millis: Option<i64>,
    /// Why it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_error: Option<String>,
    /// When the mail server took it, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at_millis: Option<i64>,
    /// Whether it will be known that it was opened or came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_have_delivery_info: Option<bool>,
    /// When it was skipped, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped_at_millis: Option<i64>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped_reason: Option<String>,
    /// Always empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped_details: Option<Map<String, Value>>,
}

/// What a mail says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RenderedEmail {
    /// Its subject.
    pub subject: String,
    /// Its content as HTML.
    pub html: String,
    /// The same as plain text.
    pub text: String,
    /// Whether users cannot refuse it.
    pub is_transactional: bool,
    /// Whether it passes mails that are not.
    pub is_high_priority: bool,
    /// What kind of mail it is.
    pub notification_category_id: NotificationCategoryId,
}

/// A mail as the dashboard lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SentEmail {
    /// The mail.
    pub id: EmailId,
    /// Its subject.
    pub subject: String,
    /// When it left or was queued, epoch milliseconds.
    pub sent_at_millis: i64,
    /// Its addresses; users are named in words.
    pub to: Vec<String>,
    /// What went wrong last.
    pub error: Option<String>,
}

/// How much mail has left, and how fast it may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EmailDeliveryInfo {
    /// How much has left.
    pub stats: EmailStats,
    /// How fast it may.
    pub capacity: EmailCapacity,
}

/// How much mail has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EmailStats {
    /// In the last hour.
    pub hour: EmailCounts,
    /// In the last day.
    pub day: EmailCounts,
    /// In the last seven days.
    pub week: EmailCounts,
    /// In the last thirty days.
    pub month: EmailCounts,
}

/// How much mail has left in some time. Mail servers do not tell us what came back or was not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EmailCounts {
    /// Mails that a server took.
    pub sent: i64,
    /// Always 0.
    pub bounced: i64,
    /// Always 0.
    pub marked_as_spam: i64,
}

impl EmailCounts {
    /// So many mails that a server took.
    pub const fn sent(sent: i64) -> Self {
        Self { sent, bounced: 0, marked_as_spam: 0 }
    }
}

/// How fast mail may leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EmailCapacity {
    /// Mails per second, by each server of the deployment.
    pub rate_per_second: i64,
    /// How many times the usual that is.
    pub boost_multiplier: i64,
    /// Always 1.
    pub penalty_factor: i64,
    /// Whether it is more than usual.
    pub is_boost_active: bool,
    /// Until when, RFC 3339.
    pub boost_expires_at: Option<String>,
}

/// A boost that began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EmailBoost {
    /// Until when mail may leave faster, RFC 3339.
    pub expires_at: String,
}

/// Whether a mail server took a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TestEmailOutcome {
    /// Whether it did.
    pub success: bool,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}
