//! Handing messages to a Svix server, where the operator names one: it keeps endpoints, signs, retries and logs. The
//! project's id is the uid of its application there, which is made when it is first needed.
//!
//! A message waits in the job queue, written with the deed, until the Svix server has taken it: at least once, and the
//! message's id is the event id by which the Svix server knows it again.

use std::sync::Arc;
use std::time::Duration;

use latchkey_api_types::ids::{ProjectId, WebhookMessageId};
use latchkey_api_types::webhook::{SvixToken, WebhookEventType, WebhookTestOutcome};
use latchkey_config::SvixServer;
use latchkey_storage::engine::{Outcome, Stmt};
use latchkey_storage::jobs::{self, JobRow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::body;
use super::delivery::PAUSES;
use crate::app::App;
use crate::failure::Failure;
use crate::jobs::TICK;
use crate::projects;

/// The queue that messages wait in.
const QUEUE: &str = "svix";
/// How many messages are claimed, and sent, at once.
const CHUNK: i64 = 20;
/// How much longer than the requests for a message a claim lasts, milliseconds.
const LEASE_MARGIN: i64 = 5_000;
/// Requests that one message may need: itself, the application, itself again.
const REQUESTS: i64 = 3;
/// How much of an answer is read, bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// How often a test asks what became of its message, and the pause in between.
const LOOKS: u32 = 20;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A message as it waits.
#[derive(Serialize, Deserialize)]
struct Waiting {
    project: ProjectId,
    id: WebhookMessageId,
    event_type: String,
    /// JSON text.
    payload: String,
}

/// The answer of the Svix server to a request for a token.
#[derive(Deserialize)]
struct PortalAccess {
    token: String,
    #[serde(default)]
    url: Option<String>,
}

/// The statement that queues a message for the Svix server.
pub(super) fn queue(
    app: &App,
    project: &ProjectId,
    id: WebhookMessageId,
    kind: WebhookEventType,
    payload: String,
) -> serde_json::Result<Stmt> {
    let waiting = Waiting { project: project.clone(), id, event_type: kind.as_str().to_owned(), payload };
    let (payload, now) = (serde_json::to_vec(&waiting)?, app.now());
    Ok(jobs::insert_stmt(waiting.id.as_str(), Some(project.as_str()), QUEUE, &payload, now, now))
}

/// Hands over what waits, until `stop` says so. Ends at once where no Svix server is named.
pub(crate) async fn work(app: &Arc<App>, mut stop: watch::Receiver<bool>) {
    if app.config.webhooks.svix().is_none() {
        return;
    }
    loop {
        if let Err(error) = run_due(app).await {
            tracing::error!(?error, "the queue for the Svix server could not be worked on");
        }
        tokio::select! {
            () = app.webhooks.handed.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Hands over everything that is due now; returns how many messages were tried.
pub(crate) async fn run_due(app: &Arc<App>) -> Result<usize, Failure> {
    if app.config.webhooks.svix().is_none() {
        return Ok(0);
    }
    let _alone = app.webhooks.handing.lock().await;
    let lease = REQUESTS * app.config.webhooks.timeout.as_millis() + LEASE_MARGIN;
    let mut done = 0;
    loop {
        let now = app.now();
        let outcomes = app.store.batch(vec![jobs::claim(QUEUE, now, now + lease, CHUNK)]).await?;
        let claimed: Vec<JobRow> = outcomes.first().map(Outcome::read).transpose()?.unwrap_or_default();
        if claimed.is_empty() {
            return Ok(done);
        }
        done += claimed.len();
        let mut sending = JoinSet::new();
        for job in claimed {
            let app = Arc::clone(app);
            sending.spawn(async move { run(&app, &job).await });
        }
        let mut outcomes = Ok(());
        while let Some(ended) = sending.join_next().await {
            match ended {
                Ok(outcome) => outcomes = outcomes.and(outcome),
                // The claim runs out, and the message is tried again.
                Err(error) => tracing::error!(%error, "handing over a message panicked"),
            }
        }
        outcomes?;
    }
}

async fn run(app: &App, job: &JobRow) -> Result<(), Failure> {
    let (id, attempts) = (job.id.as_str(), job.attempts);
    let pause = usize::try_from(attempts - 1).ok().and_then(|failed| PAUSES.get(failed));
    let statement = match (hand_over(app, &job.payload).await, pause) {
        (Ok(()), _) => jobs::complete(id, attempts),
        (Err(problem), Some(pause)) => {
            tracing::warn!(job = %id, attempts, problem, "the Svix server did not take a message");
            jobs::retry_later(id, attempts, app.now() + pause, &problem)
        }
        (Err(problem), None) => {
            tracing::error!(job = %id, problem, "the Svix server did not take a message, for the last time");
            jobs::bury(id, attempts, &problem)
        }
    };
    app.store.batch(vec![statement]).await?;
    Ok(())
}

/// Hands over one message; the error is for the operator.
async fn hand_over(app: &App, waiting: &[u8]) -> Result<(), String> {
    let waiting: Waiting = serde_json::from_slice(waiting).map_err(|error| error.to_string())?;
    create_message(app, &waiting).await.map(drop)
}

/// Creates a message at the Svix server, with its application if that does not exist yet; gives its id there, if it
/// was new.
async fn create_message(app: &App, waiting: &Waiting) -> Result<Option<String>, String> {
    let svix = app.config.webhooks.svix().ok_or("no Svix server is configured")?;
    let application = application(app, &waiting.project).await;
    let payload: Value = serde_json::from_str(&waiting.payload).map_err(|error| error.to_string())?;
    let message = json!({
        "eventId": waiting.id, "eventType": waiting.event_type, "payload": payload, "application": application,
    });
    let path = ["app", waiting.project.as_str(), "msg"];
    match with_application(app, svix, &path, &message, &application).await? {
        (200..300, said) => Ok(said["id"].as_str().map(str::to_owned)),
        // It has this event already: the answer to an earlier attempt got lost.
        (409, _) => Ok(None),
        (status, said) => Err(refusal(status, &said)),
    }
}

/// The application of a project, as the Svix server is told of it.
async fn application(app: &App, project: &ProjectId) -> Value {
    let known = projects::find(app, project).await.ok().flatten();
    let name = known.as_ref().map_or(project.as_str(), |known| known.display_name.as_str());
    let name = if name.trim().is_empty() { project.as_str() } else { name };
    json!({ "uid": project, "name": name })
}

/// A token for the application of a project, and the address of the page that manages it.
///
/// # Errors
/// 502 if the Svix server gives none.
pub(super) async fn token(
    app: &App,
    svix: SvixServer<'_>,
    project: &ProjectId,
) -> Result<SvixToken, Failure> {
    match portal_access(app, svix, project).await {
        Ok(PortalAccess { token, url }) => Ok(SvixToken { token, url }),
        Err(problem) => {
            tracing::error!(%project, problem, "the Svix server gave no token");
            Err(Failure::text(502, "The Svix server of this deployment did not give a token."))
        }
    }
}

async fn portal_access(app: &App, svix: SvixServer<'_>, project: &ProjectId) -> Result<PortalAccess, String> {
    let application = application(app, project).await;
    let request = json!({ "application": application });
    let path = ["auth", "app-portal-access", project.as_str()];
    match with_application(app, svix, &path, &request, &application).await? {
        (200..300, said) => serde_json::from_value(said).map_err(|error| error.to_string()),
        (status, said) => Err(refusal(status, &said)),
    }
}

/// POSTs what the Svix server may make the application along with; where it does not, being of an older version, makes
/// it first.
async fn with_application(
    app: &App,
    svix: SvixServer<'_>,
    path: &[&str],
    request: &Value,
    application: &Value,
) -> Result<(u16, Value), String> {
    let answer = post(app, svix, path, request).await?;
    if answer.0 != 404 {
        return Ok(answer);
    }
    match post(app, svix, &["app"], application).await? {
        // 409: somebody else made it in this moment.
        (200..300 | 409, _) => post(app, svix, path, request).await,
        (status, said) => Err(refusal(status, &said)),
    }
}

/// Sends a test message and asks what became of it at the endpoint.
pub(super) async fn send_test(
    app: &App,
    svix: SvixServer<'_>,
    project: &ProjectId,
    endpoint: &str,
) -> Result<WebhookTestOutcome, Failure> {
    let refused = |message: String| WebhookTestOutcome { success: false, error_message: Some(message) };
    let found = match get(app, svix, &["app", project.as_str(), "endpoint", endpoint], None).await {
        Ok(found) => found,
        Err(problem) => return Ok(refused(problem)),
    };
    let data = json!({ "message": "A test message from Latchkey.", "endpointUrl": found["url"] });
    let (kind, payload) = body(WebhookEventType::Test, data);
    let payload = payload.map_err(Failure::internal)?;
    let id = app.webhooks.ids.next(app);
    let waiting = Waiting { project: project.clone(), id, event_type: kind.as_str().to_owned(), payload };
    let message = match create_message(app, &waiting).await {
        Ok(Some(message)) => message,
        Ok(None) => return Ok(refused("The Svix server knows this message already.".to_owned())),
        Err(problem) => return Ok(refused(problem)),
    };
    for _ in 0..LOOKS {
        let path = ["app", project.as_str(), "attempt", "endpoint", endpoint];
        let attempts = match get(app, svix, &path, Some("limit=50")).await {
            Ok(attempts) => attempts,
            Err(problem) => return Ok(refused(problem)),
        };
        let attempt = attempts["data"]
            .as_array()
            .and_then(|all| all.iter().find(|attempt| attempt["msgId"] == message.as_str()));
        // Svix counts: 0 success, 1 pending, 2 failure, 3 sending.
        match attempt.map(|attempt| (&attempt["status"], &attempt["responseStatusCode"])) {
            Some((status, _)) if *status == 0 => {
                return Ok(WebhookTestOutcome { success: true, error_message: None });
            }
            Some((status, answered)) if *status == 2 => {
                return Ok(refused(format!("The endpoint answered with status {answered}.")));
            }
            _ => tokio::time::sleep(LOOK_AGAIN_AFTER).await,
        }
    }
    Ok(refused("The Svix server has not delivered the message yet.".to_owned()))
}

/// The URL of a resource of the Svix API; the parts cannot leave it.
fn address(svix: SvixServer<'_>, path: &[&str], query: Option<&str>) -> Result<Url, String> {
    let mut url = Url::parse(svix.url).map_err(|error| error.to_string())?;
    url.path_segments_mut()
        .map_err(|()| "webhooks.svix_url cannot be a base".to_owned())?
        .pop_if_empty()
        .extend(["api", "v1"])
        .extend(path);
    url.set_query(query);
    Ok(url)
}

/// POSTs JSON; the status and the JSON of the answer, null if it is none.
async fn post(app: &App, svix: SvixServer<'_>, path: &[&str], body: &Value) -> Result<(u16, Value), String> {
    let url = address(svix, path, None)?;
    let authorization = format!("Bearer {}", svix.token);
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    let timeout: Duration = app.config.webhooks.timeout.into();
    let answer = app.outgoing.post(url.as_str(), &headers, body.to_string(), timeout, LONGEST_ANSWER).await;
    let answer = answer.map_err(|error| error.to_string())?;
    Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null)))
}

/// GETs JSON.
async fn get(app: &App, svix: SvixServer<'_>, path: &[&str], query: Option<&str>) -> Result<Value, String> {
    let url = address(svix, path, query)?;
    let authorization = format!("Bearer {}", svix.token);
    let headers = [("authorization", authorization.as_str())];
    let timeout: Duration = app.config.webhooks.timeout.into();
    let answer = app.outgoing.get_text(url.as_str(), &headers, timeout, 16 * LONGEST_ANSWER).await;
    let text = answer.map_err(|error| format!("The Svix server: {error}."))?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// What a refusal of the Svix server says to the operator: `{"code", "detail"}`, the detail of which may be a list.
fn refusal(status: u16, said: &Value) -> String {
    let detail: String = said["detail"].to_string().chars().take(300).collect();
    format!(
        "The Svix server answered with status {status}: {} {detail}",
        said["code"].as_str().unwrap_or("-")
    )
}
