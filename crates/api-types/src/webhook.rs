//! Webhooks on the wire: endpoints and what became of messages, in the form of our own administration API. The form of
//! Svix is in `webhook/svix.rs`.

pub mod svix;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{WebhookAttemptId, WebhookEndpointId, WebhookMessageId};
use crate::input::{Integer, NonEmptyText, Nullable, SecretText, UrlText};
use crate::{input, words};

words! {
    /// What an endpoint may listen to.
    pub enum WebhookEventType {
        /// A user came to be.
        UserCreated = "user.created",
        /// A user changed.
        UserUpdated = "user.updated",
        /// A user is gone.
        UserDeleted = "user.deleted",
        /// A team came to be.
        TeamCreated = "team.created",
        /// A team changed.
        TeamUpdated = "team.updated",
        /// A team is gone.
        TeamDeleted = "team.deleted",
        /// A user joined a team.
        TeamMembershipCreated = "team_membership.created",
        /// A user left a team.
        TeamMembershipDeleted = "team_membership.deleted",
        /// A user was given a permission in a team.
        TeamPermissionCreated = "team_permission.created",
        /// It was taken away.
        TeamPermissionDeleted = "team_permission.deleted",
        /// A user was given a permission in the project.
        ProjectPermissionCreated = "project_permission.created",
        /// It was taken away.
        ProjectPermissionDeleted = "project_permission.deleted",
        /// Somebody tries an endpoint out.
        Test = "stack.test",
    }
}

/// The body of a delivery.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookPayload<'a, T> {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// To whom, in the form of the API.
    pub data: T,
}

/// An endpoint that webhooks are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookEndpoint {
    /// The endpoint.
    pub id: WebhookEndpointId,
    /// Where events go.
    pub url: String,
    /// A note for people.
    pub description: String,
    /// What it listens to; null for everything.
    pub event_types: Option<Vec<String>>,
    /// Whether nothing is sent to it.
    pub is_disabled: bool,
    /// Since when every attempt failed, epoch milliseconds.
    pub failing_since_millis: Option<i64>,
    /// Creation, epoch milliseconds.
    pub created_at_millis: i64,
    /// Last change, epoch milliseconds.
    pub updated_at_millis: i64,
    /// The secret of the signatures; only in the answer that creates the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

input! {
    /// A new endpoint.
    pub struct WebhookEndpointCreate {
        /// Where events go; https.
        pub url: UrlText,
        /// A note for people.
        pub description: Option<String>,
        /// What it listens to; absent or null for everything.
        pub event_types: Option<Nullable<Vec<WebhookEventType>>>,
        /// Whether nothing is sent to it yet.
        pub is_disabled: Option<bool>,
        /// The secret of the signatures, `whsec_` and base64 of 24 to 64 bytes; made here if absent.
        pub secret: Option<SecretText>,
    }
}

input! {
    /// A change of an endpoint.
    pub struct WebhookEndpointUpdate {
        /// Where events go; https.
        pub url: Option<UrlText>,
        /// A note for people.
        pub description: Option<String>,
        /// What it listens to; null for everything.
        pub event_types: Option<Nullable<Vec<WebhookEventType>>>,
        /// Whether nothing is sent to it.
        pub is_disabled: Option<bool>,
    }
}

input! {
    /// The path of one endpoint.
    pub struct WebhookEndpointPath {
        /// Which endpoint.
        pub endpoint_id: WebhookEndpointId,
    }
}

input! {
    /// The path of one message.
    pub struct WebhookMessagePath {
        /// Which message.
        pub message_id: WebhookMessageId,
    }
}

input! {
    /// A new secret for an endpoint.
    pub struct WebhookSecretRotation {
        /// `whsec_` and base64 of 24 to 64 bytes; made here if absent.
        pub secret: Option<SecretText>,
    }
}

/// The secret of an endpoint's signatures.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WebhookSecret {
    /// `whsec_` and base64.
    pub secret: String,
}

input! {
    /// Where a page of attempts begins.
    pub struct WebhookAttemptsQuery {
        /// How many attempts a page holds; 50 by default.
        pub limit: Option<Integer<1, 250>>,
        /// The `next_cursor` of the page before.
        pub cursor: Option<NonEmptyText>,
    }
}

/// One attempt to deliver a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookAttempt {
    /// The attempt.
    pub id: WebhookAttemptId,
    /// To whom.
    pub endpoint_id: WebhookEndpointId,
    /// What.
    pub message_id: WebhookMessageId,
    /// Where that was then.
    pub url: String,
    /// Whether it was accepted.
    pub succeeded: bool,
    /// Status of the answer; null if there was none.
    pub status_code: Option<i64>,
    /// The beginning of the answer, or why there was none.
    pub response: String,
    /// How long it took.
    pub duration_millis: i64,
    /// When it began, epoch milliseconds.
    pub attempted_at_millis: i64,
}

/// A message to endpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookMessage {
    /// The message; the header `svix-id` of its deliveries.
    pub id: WebhookMessageId,
    /// What happened.
    pub event_type: String,
    /// The body that is sent.
    pub payload: Value,
    /// When it happened, epoch milliseconds.
    pub created_at_millis: i64,
}

input! {
    /// To whom a message is to be sent again.
    pub struct WebhookResend {
        /// The endpoint.
        pub endpoint_id: WebhookEndpointId,
    }
}

input! {
    /// Which endpoint is to be tried out.
    pub struct WebhookTest {
        /// The endpoint, by id or by the name that it was given.
        pub endpoint_id: NonEmptyText,
    }
}

/// How an endpoint took a test message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookTestOutcome {
    /// Whether it accepted the message.
    pub success: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// A key to the Svix-shaped routes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SvixToken {
    /// A bearer token for a while.
    pub token: String,
    /// A page that manages webhooks, where an external Svix server offers one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
