//! The delivery log: messages and attempts to deliver them, sending a message again, and trying an endpoint out.

use latchkey_api_types::ids::{ProjectId, WebhookMessageId};
use latchkey_api_types::webhook::{WebhookAttempt, WebhookEventType, WebhookMessage, WebhookTestOutcome};
use latchkey_storage::webhook_deliveries;
use latchkey_storage::webhook_messages::{self, WebhookAttemptRow, WebhookMessageRow};
use serde_json::{Value, json};

use super::attempts::{Parcel, attempt};
use super::endpoints::find;
use super::{body, message_row, require_own, svix};
use crate::app::App;
use crate::failure::Failure;

/// Above every id.
const END: &str = "~";

/// Some items, newest first, and whether there are more.
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Behind which item the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Of up to `limit + 1` rows.
    fn of<R>(mut rows: Vec<R>, limit: usize, id: impl Fn(&R) -> String, view: impl Fn(R) -> T) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(id) } else { None };
        Self { items: rows.into_iter().map(view).collect(), next }
    }
}

fn view(row: WebhookMessageRow) -> WebhookMessage {
    WebhookMessage {
        id: row.id,
        event_type: row.event_type,
        payload: serde_json::from_str(&row.payload).unwrap_or(Value::Null),
        created_at_millis: row.created_at,
    }
}

fn attempt_view(row: WebhookAttemptRow) -> (WebhookAttempt, bool) {
    let attempt = WebhookAttempt {
        id: row.id,
        endpoint_id: row.endpoint_id,
        message_id: row.message_id,
        url: row.url,
        succeeded: row.succeeded,
        status_code: row.status_code,
        response: row.response,
        duration_millis: row.duration_millis,
        attempted_at_millis: row.attempted_at,
    };
    (attempt, row.is_manual)
}

fn limits(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}

/// A message.
///
/// # Errors
/// 404.
pub async fn message(app: &App, project: &ProjectId, id: &str) -> Result<WebhookMessage, Failure> {
    require_own(app)?;
    let (project, id) = (project.clone(), id.to_owned());
    let read = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(webhook_messages::get(tx, &project, &id).await?) })
    });
    read.await?.map(view).ok_or_else(|| Failure::text(404, "There is no such webhook message."))
}

/// The messages of a project, newest first.
pub async fn messages(
    app: &App,
    project: &ProjectId,
    limit: usize,
    behind: Option<&str>,
) -> Result<Page<WebhookMessage>, Failure> {
    require_own(app)?;
    let (project, before) = (project.clone(), behind.unwrap_or(END).to_owned());
    let read = app.store.lookup(move |tx| {
        Box::pin(async move {
            Ok::<_, Failure>(webhook_messages::list(tx, &project, &before, limits(limit)).await?)
        })
    });
    Ok(Page::of(read.await?, limit, |row| row.id.to_string(), view))
}

/// The attempts to deliver to an endpoint, newest first, each with whether somebody asked for it.
///
/// # Errors
/// 404.
pub async fn attempts_of_endpoint(
    app: &App,
    project: &ProjectId,
    endpoint: &str,
    limit: usize,
    behind: Option<&str>,
) -> Result<Page<(WebhookAttempt, bool)>, Failure> {
    let endpoint = find(app, project, endpoint).await?.id;
    let (project, before) = (project.clone(), behind.unwrap_or(END).to_owned());
    let read = app.store.lookup(move |tx| {
        Box::pin(async move {
            let limit = limits(limit);
            Ok::<_, Failure>(
                webhook_messages::attempts_of_endpoint(tx, &project, &endpoint, &before, limit).await?,
            )
        })
    });
    Ok(Page::of(read.await?, limit, |row| row.id.to_string(), attempt_view))
}

/// The attempts to deliver a message, newest first, each with whether somebody asked for it.
///
/// # Errors
/// 404.
pub async fn attempts_of_message(
    app: &App,
    project: &ProjectId,
    id: &str,
    limit: usize,
    behind: Option<&str>,
) -> Result<Page<(WebhookAttempt, bool)>, Failure> {
    let id = message(app, project, id).await?.id;
    let (project, before) = (project.clone(), behind.unwrap_or(END).to_owned());
    let read = app.store.lookup(move |tx| {
        Box::pin(async move {
            let limit = limits(limit);
            Ok::<_, Failure>(webhook_messages::attempts_of_message(tx, &project, &id, &before, limit).await?)
        })
    });
    Ok(Page::of(read.await?, limit, |row| row.id.to_string(), attempt_view))
}

/// Queues a message once more for an endpoint, from the beginning of the schedule.
///
/// # Errors
/// 404 for an unknown message or endpoint.
pub async fn resend(app: &App, project: &ProjectId, id: &str, endpoint: &str) -> Result<(), Failure> {
    let id: WebhookMessageId = message(app, project, id).await?.id;
    let endpoint = find(app, project, endpoint).await?.id;
    app.store.batch(vec![webhook_deliveries::insert(project, &endpoint, &id, app.now())]).await?;
    app.webhooks.woken.notify_one();
    Ok(())
}

/// Sends a test message to an endpoint at once, without retries, and says how it was taken. Where messages are handed
/// to a Svix server, to an endpoint there.
pub async fn send_test(
    app: &App,
    project: &ProjectId,
    endpoint: &str,
) -> Result<WebhookTestOutcome, Failure> {
    if let Some(server) = app.config.webhooks.svix() {
        return svix::send_test(app, server, project, endpoint).await;
    }
    let refused = |message: String| WebhookTestOutcome { success: false, error_message: Some(message) };
    let endpoint = match find(app, project, endpoint).await {
        Ok(endpoint) => endpoint,
        Err(Failure::Text { message, .. }) => return Ok(refused(message.into_owned())),
        Err(failure) => return Err(failure),
    };
    let data = json!({ "message": "A test message from Latchkey.", "endpointUrl": endpoint.url });
    let (kind, payload) = body(WebhookEventType::Test, data);
    let message = message_row(app, project, kind, payload.map_err(Failure::internal)?);
    let parcel = Parcel {
        project,
        endpoint: &endpoint.id,
        message: &message.id,
        payload: &message.payload,
        url: &endpoint.url,
        secret_sealed: &endpoint.secret_sealed,
        previous_secret_sealed: endpoint.previous_secret_sealed.as_deref(),
        previous_secret_until: endpoint.previous_secret_until,
        is_manual: true,
    };
    let outcome = attempt(app, &parcel).await?;
    let said = match outcome.status_code {
        _ if outcome.succeeded => None,
        Some(status) => Some(format!("The endpoint answered with status {status}.")),
        None => Some(outcome.response.clone()),
    };
    let statements = vec![webhook_messages::insert(&message), webhook_messages::insert_attempt(&outcome)];
    app.store.batch(statements).await?;
    Ok(said.map_or(WebhookTestOutcome { success: true, error_message: None }, refused))
}
