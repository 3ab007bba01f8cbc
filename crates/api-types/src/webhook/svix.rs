//! Webhooks in the form of Svix: what existing tools send to and read from a Svix server. Unknown properties are
//! ignored, as those tools know more of them than we do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{WebhookAttemptId, WebhookEndpointId, WebhookMessageId};
use crate::input;
use crate::input::{Integer, NonEmptyText, Nullable, QueryBool, SecretText, UrlText};
use crate::webhook::WebhookEventType;

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SvixList<T> {
    /// The items.
    pub data: Vec<T>,
    /// Where the next page begins.
    pub iterator: Option<String>,
    /// Always null.
    pub prev_iterator: Option<String>,
    /// Whether there is no next page.
    pub done: bool,
}

/// An endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SvixEndpoint {
    /// The endpoint.
    pub id: WebhookEndpointId,
    /// The name that it was given.
    pub uid: Option<String>,
    /// Where events go.
    pub url: String,
    /// A note for people.
    pub description: String,
    /// Always 1.
    pub version: u32,
    /// Whether nothing is sent to it.
    pub disabled: bool,
    /// What it listens to; null for everything.
    pub event_types: Option<Vec<String>>,
    /// The same by its older name.
    pub filter_types: Option<Vec<String>>,
    /// Always null.
    pub channels: Option<Vec<String>>,
    /// Always null.
    pub throttle_rate: Option<u32>,
    /// The same by its older name.
    pub rate_limit: Option<u32>,
    /// Always empty.
    pub metadata: Value,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

input! {
    open
    /// A new endpoint.
    pub struct SvixEndpointIn {
        /// Where events go.
        pub url: UrlText,
        /// A note for people.
        pub description: Option<Nullable<String>>,
        /// What it listens to; absent or null for everything.
        pub event_types as "eventTypes": Option<Nullable<Vec<WebhookEventType>>>,
        /// The same by its older name.
        pub filter_types as "filterTypes": Option<Nullable<Vec<WebhookEventType>>>,
        /// Whether nothing is sent to it yet.
        pub disabled: Option<Nullable<bool>>,
        /// A name for it.
        pub uid: Option<Nullable<NonEmptyText>>,
        /// The secret of the signatures.
        pub secret: Option<Nullable<SecretText>>,
    }
}

input! {
    open
    /// A change of an endpoint.
    pub struct SvixEndpointPatch {
        /// Where events go.
        pub url: Option<UrlText>,
        /// A note for people.
        pub description: Option<String>,
        /// What it listens to; null for everything.
        pub event_types as "eventTypes": Option<Nullable<Vec<WebhookEventType>>>,
        /// The same by its older name.
        pub filter_types as "filterTypes": Option<Nullable<Vec<WebhookEventType>>>,
        /// Whether nothing is sent to it.
        pub disabled: Option<bool>,
        /// A name for it.
        pub uid: Option<Nullable<NonEmptyText>>,
    }
}

input! {
    open
    /// The path of an application, that is of a project.
    pub struct SvixAppPath {
        /// The project.
        pub project_id: NonEmptyText,
    }
}

input! {
    open
    /// The path of an endpoint.
    pub struct SvixEndpointPath {
        /// The project.
        pub project_id: NonEmptyText,
        /// The endpoint, by id or name.
        pub endpoint_id: NonEmptyText,
    }
}

input! {
    open
    /// The path of a message.
    pub struct SvixMessagePath {
        /// The project.
        pub project_id: NonEmptyText,
        /// The message.
        pub message_id: NonEmptyText,
    }
}

input! {
    open
    /// The path of a message to an endpoint.
    pub struct SvixResendPath {
        /// The project.
        pub project_id: NonEmptyText,
        /// The message.
        pub message_id: NonEmptyText,
        /// The endpoint, by id or name.
        pub endpoint_id: NonEmptyText,
    }
}

input! {
    open
    /// Where a page begins.
    pub struct SvixListQuery {
        /// How many items a page holds.
        pub limit: Option<Integer<1, 250>>,
        /// The `iterator` of the page before.
        pub iterator: Option<NonEmptyText>,
    }
}

input! {
    open
    /// How much of a message is shown.
    pub struct SvixContentQuery {
        /// Whether its payload is.
        pub with_content: Option<QueryBool>,
    }
}

input! {
    open
    /// A new secret.
    #[derive(Default)]
    pub struct SvixRotation {
        /// `whsec_` and base64; made here if absent or null.
        pub key: Option<Nullable<SecretText>>,
    }
}

/// The secret of an endpoint's signatures.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SvixSecret {
    /// `whsec_` and base64.
    pub key: String,
}

/// That something is on its way.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SvixAccepted {}

/// A message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SvixMessage {
    /// The message.
    pub id: WebhookMessageId,
    /// What happened.
    pub event_type: String,
    /// Always null.
    pub event_id: Option<String>,
    /// The body that is sent.
    pub payload: Value,
    /// Always null.
    pub channels: Option<Vec<String>>,
    /// RFC 3339.
    pub timestamp: String,
}

/// An attempt to deliver a message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SvixAttempt {
    /// The attempt.
    pub id: WebhookAttemptId,
    /// To whom.
    pub endpoint_id: WebhookEndpointId,
    /// What.
    pub msg_id: WebhookMessageId,
    /// Where that was then.
    pub url: String,
    /// The beginning of the answer.
    pub response: String,
    /// Status of the answer; 0 if there was none.
    pub response_status_code: i64,
    /// How long it took, milliseconds.
    pub response_duration_ms: i64,
    /// 0: accepted, 2: refused.
    pub status: u8,
    /// `success` or `fail`.
    pub status_text: String,
    /// 0: by schedule, 1: somebody asked for it.
    pub trigger_type: u8,
    /// RFC 3339.
    pub timestamp: String,
}
