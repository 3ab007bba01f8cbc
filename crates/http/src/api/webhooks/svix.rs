//! Webhooks in the form of Svix, for tools that speak it. Who calls says so by the bearer token of
//! `POST /webhooks/svix-token`, which is for one project; no other credential opens these routes. Errors have Svix's
//! form as well, `{"code", "detail"}`.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use latchkey_api_types::input::{Input, Location, NonEmptyText, SecretText, UrlText, Violations};
use latchkey_api_types::timestamps::rfc3339;
use latchkey_api_types::webhook::svix::{
    SvixAccepted, SvixAppPath, SvixAttempt, SvixContentQuery, SvixEndpoint, SvixEndpointIn,
    SvixEndpointPatch, SvixEndpointPath, SvixList, SvixListQuery, SvixMessage, SvixMessagePath,
    SvixResendPath, SvixRotation, SvixSecret,
};
use latchkey_api_types::webhook::{WebhookAttempt, WebhookMessage};
use latchkey_identity::webhooks::{self, Endpoint, EndpointChange, NewEndpoint, Page};
use latchkey_identity::{Failure, Project, Secret};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::call::OpenCall;
use crate::extract::{Body, Extract, Path, Query, Request};
use crate::openapi::Declaration;
use crate::reply::{self, Reply, Response};
use crate::route::Route;

/// Items on a page whose length nobody asks for.
const PAGE: usize = 50;

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/app/{project_id}/endpoint", "List webhook endpoints, as Svix does").open(list),
        Route::post("/app/{project_id}/endpoint", "Create a webhook endpoint, as Svix does").open(create),
        Route::get("/app/{project_id}/endpoint/{endpoint_id}", "Read a webhook endpoint, as Svix does")
            .open(get),
        Route::put("/app/{project_id}/endpoint/{endpoint_id}", "Replace a webhook endpoint, as Svix does")
            .open(replace),
        Route::patch("/app/{project_id}/endpoint/{endpoint_id}", "Change a webhook endpoint, as Svix does")
            .open(update),
        Route::delete("/app/{project_id}/endpoint/{endpoint_id}", "Delete a webhook endpoint, as Svix does")
            .open(delete),
        Route::get("/app/{project_id}/endpoint/{endpoint_id}/secret", "Read a secret, as Svix does")
            .open(secret),
        Route::post(
            "/app/{project_id}/endpoint/{endpoint_id}/secret/rotate",
            "Replace a secret, as Svix does",
        )
        .open(rotate),
        Route::get("/app/{project_id}/attempt/endpoint/{endpoint_id}", "List deliveries, as Svix does")
            .open(attempts_of_endpoint),
        Route::get(
            "/app/{project_id}/attempt/msg/{message_id}",
            "List deliveries of a message, as Svix does",
        )
        .open(attempts_of_message),
        Route::get("/app/{project_id}/msg", "List webhook messages, as Svix does").open(messages),
        Route::get("/app/{project_id}/msg/{message_id}", "Read a webhook message, as Svix does")
            .open(message),
        Route::post(
            "/app/{project_id}/msg/{message_id}/endpoint/{endpoint_id}/resend",
            "Send a webhook message again, as Svix does",
        )
        .open(resend),
    ]
}

/// An answer with this status, or a refusal in Svix's form.
struct Svix<T, const STATUS: u16 = 200>(Result<T, Failure>);

impl<T: Serialize + JsonSchema + Send + 'static, const STATUS: u16> Reply for Svix<T, STATUS> {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        let status = |code: u16| StatusCode::from_u16(code).map_err(Failure::internal);
        match self.0 {
            Ok(body) => reply::json(status(STATUS)?, &body, pretty),
            Err(Failure::Text { status: code, message }) => {
                let word = match code {
                    401 => "authentication_failed",
                    404 => "not_found",
                    409 => "conflict",
                    _ => "invalid",
                };
                reply::json(status(code)?, &json!({ "code": word, "detail": message }), pretty)
            }
            Err(failure) => Err(failure),
        }
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.answer::<T>(STATUS);
    }
}

/// An answer without a body, or a refusal in Svix's form.
struct Done(Result<(), Failure>);

impl Reply for Done {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        match self.0 {
            Ok(()) => {
                let mut response = Response::default();
                *response.status_mut() = StatusCode::NO_CONTENT;
                Ok(response)
            }
            Err(failure) => Svix::<()>(Err(failure)).render(pretty),
        }
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.empty_answer(204);
    }
}

/// The project of the path, if the bearer token is for it.
async fn project(call: &OpenCall, named: &NonEmptyText) -> Result<Arc<Project>, Failure> {
    webhooks::project_of_token(&call.app, bearer(&call.request.headers), named.as_str()).await
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn endpoint_view(endpoint: Endpoint) -> SvixEndpoint {
    SvixEndpoint {
        id: endpoint.id,
        uid: endpoint.uid,
        url: endpoint.url,
        description: endpoint.description,
        version: 1,
        disabled: endpoint.is_disabled,
        filter_types: endpoint.event_types.clone(),
        event_types: endpoint.event_types,
        channels: None,
        throttle_rate: None,
        rate_limit: None,
        metadata: json!({}),
        created_at: rfc3339(endpoint.created_at),
        updated_at: rfc3339(endpoint.updated_at),
    }
}

fn message_view(message: WebhookMessage, with_content: bool) -> SvixMessage {
    SvixMessage {
        id: message.id,
        event_type: message.event_type,
        event_id: None,
        payload: if with_content { message.payload } else { json!({}) },
        channels: None,
        timestamp: rfc3339(message.created_at_millis),
    }
}

fn attempt_view((attempt, is_manual): (WebhookAttempt, bool)) -> SvixAttempt {
    SvixAttempt {
        id: attempt.id,
        endpoint_id: attempt.endpoint_id,
        msg_id: attempt.message_id,
        url: attempt.url,
        response: attempt.response,
        response_status_code: attempt.status_code.unwrap_or(0),
        response_duration_ms: attempt.duration_millis,
        status: if attempt.succeeded { 0 } else { 2 },
        status_text: if attempt.succeeded { "success" } else { "fail" }.to_owned(),
        trigger_type: u8::from(is_manual),
        timestamp: rfc3339(attempt.attempted_at_millis),
    }
}

fn page<T, U>(page: Page<T>, view: impl Fn(T) -> U) -> SvixList<U> {
    SvixList {
        done: page.next.is_none(),
        data: page.items.into_iter().map(view).collect(),
        iterator: page.next,
        prev_iterator: None,
    }
}

/// Length of the page and what it begins behind.
fn place(query: &SvixListQuery) -> (usize, Option<&str>) {
    let limit = query.limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(PAGE);
    (limit, query.iterator.as_ref().map(NonEmptyText::as_str))
}

async fn list(
    call: OpenCall,
    Path(path): Path<SvixAppPath>,
    Query(query): Query<SvixListQuery>,
) -> Result<Svix<SvixList<SvixEndpoint>>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let (limit, behind) = place(&query);
        let mut endpoints = webhooks::list(&call.app, &project.id).await?;
        // A project has few enough of them to be cut into pages here.
        if let Some(behind) = behind {
            let at = endpoints.iter().position(|endpoint| endpoint.id.as_str() == behind);
            endpoints.drain(..at.map_or(endpoints.len(), |at| at + 1));
        }
        let more = endpoints.len() > limit;
        endpoints.truncate(limit);
        let next = if more { endpoints.last().map(|endpoint| endpoint.id.to_string()) } else { None };
        Ok(page(Page { items: endpoints, next }, endpoint_view))
    };
    Ok(Svix(work.await))
}

fn new_endpoint(body: SvixEndpointIn) -> NewEndpoint {
    let secret = body.secret.and_then(|secret| secret.0).map(SecretText::into_string);
    NewEndpoint {
        url: body.url.into_string(),
        uid: body.uid.and_then(|uid| uid.0).map(NonEmptyText::into_string),
        description: body.description.and_then(|text| text.0).unwrap_or_default(),
        event_types: body.event_types.or(body.filter_types).and_then(|events| events.0),
        is_disabled: body.disabled.and_then(|disabled| disabled.0).unwrap_or(false),
        secret: secret.map(Secret::new),
    }
}

async fn create(
    call: OpenCall,
    Path(path): Path<SvixAppPath>,
    Body(body): Body<SvixEndpointIn>,
) -> Result<Svix<SvixEndpoint, 201>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let (endpoint, _) = webhooks::create(&call.app, &project.id, new_endpoint(body)).await?;
        Ok(endpoint_view(endpoint))
    };
    Ok(Svix(work.await))
}

async fn get(call: OpenCall, Path(path): Path<SvixEndpointPath>) -> Result<Svix<SvixEndpoint>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        webhooks::get(&call.app, &project.id, path.endpoint_id.as_str()).await.map(endpoint_view)
    };
    Ok(Svix(work.await))
}

async fn replace(
    call: OpenCall,
    Path(path): Path<SvixEndpointPath>,
    Body(body): Body<SvixEndpointIn>,
) -> Result<Svix<SvixEndpoint>, Failure> {
    let new = new_endpoint(body);
    let change = EndpointChange {
        url: Some(new.url),
        uid: Some(new.uid),
        description: Some(new.description),
        event_types: Some(new.event_types),
        is_disabled: Some(new.is_disabled),
    };
    Ok(Svix(change_endpoint(&call, &path, change).await))
}

async fn update(
    call: OpenCall,
    Path(path): Path<SvixEndpointPath>,
    Body(body): Body<SvixEndpointPatch>,
) -> Result<Svix<SvixEndpoint>, Failure> {
    let change = EndpointChange {
        url: body.url.map(UrlText::into_string),
        uid: body.uid.map(|uid| uid.0.map(NonEmptyText::into_string)),
        description: body.description,
        event_types: body.event_types.or(body.filter_types).map(|events| events.0),
        is_disabled: body.disabled,
    };
    Ok(Svix(change_endpoint(&call, &path, change).await))
}

async fn change_endpoint(
    call: &OpenCall,
    path: &SvixEndpointPath,
    change: EndpointChange,
) -> Result<SvixEndpoint, Failure> {
    let project = project(call, &path.project_id).await?;
    webhooks::update(&call.app, &project.id, path.endpoint_id.as_str(), change).await.map(endpoint_view)
}

async fn delete(call: OpenCall, Path(path): Path<SvixEndpointPath>) -> Result<Done, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        webhooks::delete(&call.app, &project.id, path.endpoint_id.as_str()).await
    };
    Ok(Done(work.await))
}

async fn secret(call: OpenCall, Path(path): Path<SvixEndpointPath>) -> Result<Svix<SvixSecret>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let key = webhooks::secret(&call.app, &project.id, path.endpoint_id.as_str()).await?;
        Ok(SvixSecret { key })
    };
    Ok(Svix(work.await))
}

/// A body that may be missing.
struct Rotation(SvixRotation);

impl Extract for Rotation {
    fn extract(request: &Request, out: &mut Violations) -> Option<Self> {
        match request.body.to_json() {
            None => Some(Self(SvixRotation::default())),
            body => SvixRotation::read(body.as_deref(), &Location::Root("body"), out).map(Self),
        }
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.body::<SvixRotation>();
    }
}

async fn rotate(
    call: OpenCall,
    Path(path): Path<SvixEndpointPath>,
    Rotation(body): Rotation,
) -> Result<Done, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let key = body.key.and_then(|key| key.0).map(|key| Secret::new(key.into_string()));
        webhooks::rotate_secret(&call.app, &project.id, path.endpoint_id.as_str(), key).await.map(drop)
    };
    Ok(Done(work.await))
}

async fn attempts_of_endpoint(
    call: OpenCall,
    Path(path): Path<SvixEndpointPath>,
    Query(query): Query<SvixListQuery>,
) -> Result<Svix<SvixList<SvixAttempt>>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let ((limit, behind), id) = (place(&query), path.endpoint_id.as_str());
        let found = webhooks::attempts_of_endpoint(&call.app, &project.id, id, limit, behind).await?;
        Ok(page(found, attempt_view))
    };
    Ok(Svix(work.await))
}

async fn attempts_of_message(
    call: OpenCall,
    Path(path): Path<SvixMessagePath>,
    Query(query): Query<SvixListQuery>,
) -> Result<Svix<SvixList<SvixAttempt>>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let ((limit, behind), id) = (place(&query), path.message_id.as_str());
        let found = webhooks::attempts_of_message(&call.app, &project.id, id, limit, behind).await?;
        Ok(page(found, attempt_view))
    };
    Ok(Svix(work.await))
}

async fn messages(
    call: OpenCall,
    Path(path): Path<SvixAppPath>,
    Query(query): Query<SvixListQuery>,
    Query(content): Query<SvixContentQuery>,
) -> Result<Svix<SvixList<SvixMessage>>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let (limit, behind) = place(&query);
        let found = webhooks::messages(&call.app, &project.id, limit, behind).await?;
        let with_content = content.with_content.is_none_or(|flag| flag.0);
        Ok(page(found, |message| message_view(message, with_content)))
    };
    Ok(Svix(work.await))
}

async fn message(
    call: OpenCall,
    Path(path): Path<SvixMessagePath>,
    Query(content): Query<SvixContentQuery>,
) -> Result<Svix<SvixMessage>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let found = webhooks::message(&call.app, &project.id, path.message_id.as_str()).await?;
        Ok(message_view(found, content.with_content.is_none_or(|flag| flag.0)))
    };
    Ok(Svix(work.await))
}

async fn resend(
    call: OpenCall,
    Path(path): Path<SvixResendPath>,
) -> Result<Svix<SvixAccepted, 202>, Failure> {
    let work = async {
        let project = project(&call, &path.project_id).await?;
        let (message, endpoint) = (path.message_id.as_str(), path.endpoint_id.as_str());
        webhooks::resend(&call.app, &project.id, message, endpoint).await?;
        Ok(SvixAccepted {})
    };
    Ok(Svix(work.await))
}
