//! One attempt: signs a message, sends it and says how it went. Knows nothing of queues and schedules.

use std::time::Duration;

use latchkey_api_types::ids::{ProjectId, WebhookEndpointId, WebhookMessageId};
use latchkey_storage::webhook_messages::WebhookAttemptRow;

use super::endpoints::seal_context;
use super::signatures;
use crate::app::App;
use crate::failure::Failure;

/// How much of an answer is kept, bytes.
const KEPT: usize = 2048;

/// What is to be sent to whom, and with which secrets it is signed.
pub(super) struct Parcel<'a> {
    pub(super) project: &'a ProjectId,
    pub(super) endpoint: &'a WebhookEndpointId,
    pub(super) message: &'a WebhookMessageId,
    pub(super) payload: &'a str,
    pub(super) url: &'a str,
    pub(super) secret_sealed: &'a [u8],
    pub(super) previous_secret_sealed: Option<&'a [u8]>,
    pub(super) previous_secret_until: Option<i64>,
    pub(super) is_manual: bool,
}

/// Sends it once. What the other side does wrong is part of the outcome.
pub(super) async fn attempt(app: &App, parcel: &Parcel<'_>) -> Result<WebhookAttemptRow, Failure> {
    let begun = app.now();
    let context = seal_context(parcel.project, parcel.endpoint);
    let open = |sealed: &[u8]| app.master_keys.open(&context, sealed).map_err(Failure::internal);
    let mut secrets = vec![open(parcel.secret_sealed)?];
    if let (Some(sealed), Some(until)) = (parcel.previous_secret_sealed, parcel.previous_secret_until)
        && until > begun
    {
        secrets.push(open(sealed)?);
    }
    let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.as_slice()).collect();
    let (id, seconds) = (parcel.message.as_str(), begun.div_euclid(1000));
    let signature = signatures::sign(id, seconds, parcel.payload, &secrets);
    let timestamp = seconds.to_string();
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", concat!("Latchkey-Webhooks/", env!("CARGO_PKG_VERSION"))),
        ("svix-id", id),
        ("svix-timestamp", &timestamp),
        ("svix-signature", &signature),
        ("webhook-id", id),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &signature),
    ];
    let timeout: Duration = app.config.webhooks.timeout.into();
    let answer = app.outgoing.post(parcel.url, &headers, parcel.payload.to_owned(), timeout, KEPT).await;
    let (status_code, response) = match answer {
        Ok(answer) => (Some(i64::from(answer.status)), String::from_utf8_lossy(&answer.body).into_owned()),
        Err(error) => (None, error.to_string()),
    };
    Ok(WebhookAttemptRow {
        project_id: parcel.project.clone(),
        id: app.webhooks.ids.next(app),
        endpoint_id: parcel.endpoint.clone(),
        message_id: parcel.message.clone(),
        url: parcel.url.to_owned(),
        succeeded: status_code.is_some_and(|status| (200..300).contains(&status)),
        is_manual: parcel.is_manual,
        status_code,
        // No database keeps this character.
        response: response.replace('\0', "\u{fffd}"),
        duration_millis: app.now() - begun,
        attempted_at: begun,
    })
}
