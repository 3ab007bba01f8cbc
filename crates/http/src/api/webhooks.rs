//! Webhooks: for admins the endpoints of a project and what became of its messages; for existing tools the same in the
//! form of Svix, in `webhooks/svix.rs`.

mod svix;

use latchkey_api_types::input::Nullable;
use latchkey_api_types::list::List;
use latchkey_api_types::webhook::{
    SvixToken, WebhookAttempt, WebhookAttemptsQuery, WebhookEndpoint, WebhookEndpointCreate,
    WebhookEndpointPath, WebhookEndpointUpdate, WebhookMessage, WebhookMessagePath, WebhookResend,
    WebhookSecret, WebhookSecretRotation, WebhookTest, WebhookTestOutcome,
};
use latchkey_identity::webhooks::{self, Endpoint, EndpointChange, NewEndpoint};
use latchkey_identity::{Failure, Secret};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::{Created, Json, Success};
use crate::route::{ADMIN, Route};

/// Attempts on a page whose length nobody asks for.
const PAGE: usize = 50;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/webhooks/endpoints", "List the webhook endpoints").on(ADMIN, list),
        Route::post("/webhooks/endpoints", "Create a webhook endpoint").on(ADMIN, create),
        Route::get("/webhooks/endpoints/{endpoint_id}", "Read a webhook endpoint").on(ADMIN, get),
        Route::patch("/webhooks/endpoints/{endpoint_id}", "Change a webhook endpoint").on(ADMIN, update),
        Route::delete("/webhooks/endpoints/{endpoint_id}", "Delete a webhook endpoint").on(ADMIN, delete),
        Route::get("/webhooks/endpoints/{endpoint_id}/secret", "Read the secret of an endpoint's signatures")
            .on(ADMIN, secret),
        Route::post("/webhooks/endpoints/{endpoint_id}/secret/rotate", "Replace that secret")
            .on(ADMIN, rotate_secret),
        Route::get("/webhooks/endpoints/{endpoint_id}/attempts", "List the deliveries to an endpoint")
            .on(ADMIN, attempts),
        Route::get("/webhooks/messages/{message_id}", "Read a webhook message").on(ADMIN, message),
        Route::post("/webhooks/messages/{message_id}/resend", "Send a webhook message again")
            .on(ADMIN, resend),
        Route::post("/webhooks/svix-token", "Get a key to the Svix-shaped routes").on(ADMIN, svix_token),
        Route::post("/internal/send-test-webhook", "Try a webhook endpoint out").on(ADMIN, send_test),
    ];
    routes.extend(svix::routes());
    routes
}

fn view(endpoint: Endpoint, secret: Option<String>) -> WebhookEndpoint {
    WebhookEndpoint {
        id: endpoint.id,
        url: endpoint.url,
        description: endpoint.description,
        event_types: endpoint.event_types,
        is_disabled: endpoint.is_disabled,
        failing_since_millis: endpoint.failing_since,
        created_at_millis: endpoint.created_at,
        updated_at_millis: endpoint.updated_at,
        secret,
    }
}

async fn list(call: Call, Query(()): Query<()>) -> Result<Json<List<WebhookEndpoint>>, Failure> {
    let endpoints = webhooks::list(&call.app, &call.auth.project.id).await?;
    Ok(Json(List::whole(endpoints.into_iter().map(|endpoint| view(endpoint, None)).collect())))
}

async fn create(
    call: Call,
    Query(()): Query<()>,
    Body(body): Body<WebhookEndpointCreate>,
) -> Result<Created<WebhookEndpoint>, Failure> {
    let new = NewEndpoint {
        url: body.url.into_string(),
        uid: None,
        description: body.description.unwrap_or_default(),
        event_types: body.event_types.and_then(|events| events.0),
        is_disabled: body.is_disabled.unwrap_or(false),
        secret: body.secret.map(|secret| Secret::new(secret.into_string())),
    };
    let (endpoint, secret) = webhooks::create(&call.app, &call.auth.project.id, new).await?;
    Ok(Created(view(endpoint, Some(secret))))
}

async fn get(
    call: Call,
    Path(path): Path<WebhookEndpointPath>,
    Query(()): Query<()>,
) -> Result<Json<WebhookEndpoint>, Failure> {
    let endpoint = webhooks::get(&call.app, &call.auth.project.id, path.endpoint_id.as_str()).await?;
    Ok(Json(view(endpoint, None)))
}

async fn update(
    call: Call,
    Path(path): Path<WebhookEndpointPath>,
    Query(()): Query<()>,
    Body(body): Body<WebhookEndpointUpdate>,
) -> Result<Json<WebhookEndpoint>, Failure> {
    let change = EndpointChange {
        url: body.url.map(latchkey_api_types::input::UrlText::into_string),
        uid: None,
        description: body.description,
        event_types: body.event_types.map(|Nullable(events)| events),
        is_disabled: body.is_disabled,
    };
    let project = &call.auth.project.id;
    let endpoint = webhooks::update(&call.app, project, path.endpoint_id.as_str(), change).await?;
    Ok(Json(view(endpoint, None)))
}

async fn delete(
    call: Call,
    Path(path): Path<WebhookEndpointPath>,
    Query(()): Query<()>,
) -> Result<Success, Failure> {
    let project = &call.auth.project.id;
    webhooks::delete(&call.app, project, path.endpoint_id.as_str()).await.map(|()| Success)
}

async fn secret(
    call: Call,
    Path(path): Path<WebhookEndpointPath>,
    Query(()): Query<()>,
) -> Result<Json<WebhookSecret>, Failure> {
    let project = &call.auth.project.id;
    let secret = webhooks::secret(&call.app, project, path.endpoint_id.as_str()).await?;
    Ok(Json(WebhookSecret { secret }))
}

async fn rotate_secret(
    call: Call,
    Path(path): Path<WebhookEndpointPath>,
    Query(()): Query<()>,
    Body(body): Body<WebhookSecretRotation>,
) -> Result<Json<WebhookSecret>, Failure> {
    let new = body.secret.map(|secret| Secret::new(secret.into_string()));
    let project = &call.auth.project.id;
    let secret = webhooks::rotate_secret(&call.app, project, path.endpoint_id.as_str(), new).await?;
    Ok(Json(WebhookSecret { secret }))
}

async fn attempts(
    call: Call,
    Path(path): Path<WebhookEndpointPath>,
    Query(query): Query<WebhookAttemptsQuery>,
) -> Result<Json<List<WebhookAttempt>>, Failure> {
    let limit = query.limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(PAGE);
    let behind = query.cursor.map(latchkey_api_types::input::NonEmptyText::into_string);
    let (project, id) = (&call.auth.project.id, path.endpoint_id.as_str());
    let page = webhooks::attempts_of_endpoint(&call.app, project, id, limit, behind.as_deref()).await?;
    Ok(Json(List::page(page.items.into_iter().map(|(attempt, _)| attempt).collect(), page.next)))
}

async fn message(
    call: Call,
    Path(path): Path<WebhookMessagePath>,
    Query(()): Query<()>,
) -> Result<Json<WebhookMessage>, Failure> {
    webhooks::message(&call.app, &call.auth.project.id, path.message_id.as_str()).await.map(Json)
}

async fn resend(
    call: Call,
    Path(path): Path<WebhookMessagePath>,
    Query(()): Query<()>,
    Body(body): Body<WebhookResend>,
) -> Result<Success, Failure> {
    let (project, message) = (&call.auth.project.id, path.message_id.as_str());
    webhooks::resend(&call.app, project, message, body.endpoint_id.as_str()).await.map(|()| Success)
}

async fn svix_token(call: Call, Body(()): Body<()>) -> Result<Created<SvixToken>, Failure> {
    webhooks::token(&call.app, &call.auth.project.id).await.map(Created)
}

async fn send_test(call: Call, Body(body): Body<WebhookTest>) -> Result<Json<WebhookTestOutcome>, Failure> {
    webhooks::send_test(&call.app, &call.auth.project.id, body.endpoint_id.as_str()).await.map(Json)
}
