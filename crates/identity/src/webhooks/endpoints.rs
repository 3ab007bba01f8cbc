//! Endpoints: creating, changing, declaring and deleting those who listen, and their secrets.

use latchkey_api_types::ids::{ProjectId, WebhookEndpointId};
use latchkey_api_types::webhook::WebhookEventType;
use latchkey_config::WebhookDeclaration;
use latchkey_crypto::{Secret, TokenHash};
use latchkey_storage::engine::Stmt;
use latchkey_storage::webhook_endpoints::{self, WebhookEndpointRow};
use latchkey_storage::{StorageError, webhook_deliveries};
use serde_json::json;
use url::Url;

use super::{require_own, signatures, sortable_ids};
use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;

/// The most endpoints of a project: each event is queued once for each.
const MOST: i64 = 50;
/// How long a replaced secret goes on signing, milliseconds.
const OVERLAP: i64 = 24 * 60 * 60 * 1000;
/// The longest URL.
const MAX_URL: usize = 2048;
/// The longest name and the longest note, characters.
const MAX_TEXT: usize = 256;

/// An endpoint as people see it.
#[derive(Debug)]
pub struct Endpoint {
    /// Identifier.
    pub id: WebhookEndpointId,
    /// The name that it was given.
    pub uid: Option<String>,
    /// Where events go.
    pub url: String,
    /// A note for people.
    pub description: String,
    /// What it listens to; `None` for everything.
    pub event_types: Option<Vec<String>>,
    /// Whether nothing is sent to it.
    pub is_disabled: bool,
    /// Since when every attempt failed.
    pub failing_since: Option<i64>,
    /// Creation, epoch milliseconds.
    pub created_at: i64,
    /// Last change, epoch milliseconds.
    pub updated_at: i64,
}

impl From<WebhookEndpointRow> for Endpoint {
    fn from(row: WebhookEndpointRow) -> Self {
        let words =
            |stored: String| stored.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Self {
            id: row.id,
            uid: row.uid,
            url: row.url,
            description: row.description,
            event_types: row.event_types.map(words),
            is_disabled: row.is_disabled,
            failing_since: row.failing_since,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What a new endpoint is made of.
#[derive(Default)]
pub struct NewEndpoint {
    /// Where events go.
    pub url: String,
    /// A name for it.
    pub uid: Option<String>,
    /// A note for people.
    pub description: String,
    /// What it listens to; `None` for everything.
    pub event_types: Option<Vec<WebhookEventType>>,
    /// Whether nothing is sent to it yet.
    pub is_disabled: bool,
    /// The secret; made here if absent.
    pub secret: Option<Secret<String>>,
}

/// What is to change about an endpoint; `None` stays as it is.
#[derive(Default)]
pub struct EndpointChange {
    /// Where events go.
    pub url: Option<String>,
    /// A name for it.
    pub uid: Option<Option<String>>,
    /// A note for people.
    pub description: Option<String>,
    /// What it listens to.
    pub event_types: Option<Option<Vec<WebhookEventType>>>,
    /// Whether nothing is sent to it.
    pub is_disabled: Option<bool>,
}

/// What the secrets of an endpoint are sealed for.
pub(crate) fn seal_context(project: &ProjectId, endpoint: &WebhookEndpointId) -> String {
    format!("webhook:{project}:{endpoint}")
}

/// A list of events as it is stored. An empty list means everything, as it does for Svix.
fn stored(events: Option<&[WebhookEventType]>) -> Option<String> {
    let events = events.filter(|events| !events.is_empty())?;
    Some(events.iter().fold(",".to_owned(), |text, event| text + event.as_str() + ","))
}

/// Refuses URLs that this server would not call, or that would show people's data to the network.
fn check_url(app: &App, text: &str) -> Result<(), Failure> {
    let refuse = |what: &'static str| Err(Failure::text(400, what));
    let Ok(url) = Url::parse(text) else { return refuse("The endpoint's URL cannot be read.") };
    if text.len() > MAX_URL {
        return refuse("The endpoint's URL must have at most 2048 characters.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("The endpoint's URL must not carry a user name or a password.");
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && app.outgoing.excepts(&url)) {
        return refuse(
            "The endpoint's URL must begin with https://, unless its host is named in outgoing.allow_private_addresses.",
        );
    }
    if app.outgoing.check(&url).is_err() {
        return refuse("The endpoint's address is private; see outgoing.allow_private_addresses.");
    }
    Ok(())
}

fn check_uid(uid: Option<&str>) -> Result<(), Failure> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let sound = |uid: &str| {
        uid.len() <= MAX_TEXT && uid.chars().all(legal) && !uid.starts_with(WebhookEndpointId::PREFIX)
    };
    if uid.is_none_or(sound) {
        return Ok(());
    }
    Err(Failure::text(
        400,
        "A uid has at most 256 letters, digits, \"-\", \"_\" and \".\", and does not begin with ep_.",
    ))
}

fn check_description(text: &str) -> Result<(), Failure> {
    if text.chars().count() <= MAX_TEXT {
        return Ok(());
    }
    Err(Failure::text(400, "A description has at most 256 characters."))
}

fn parse_secret(text: &Secret<String>) -> Result<Secret<Vec<u8>>, Failure> {
    signatures::parse(text.expose())
        .ok_or_else(|| Failure::text(400, "A secret is whsec_ and the base64 of 24 to 64 bytes."))
}

fn not_found() -> Failure {
    Failure::text(404, "There is no such webhook endpoint.")
}

fn event(endpoint: &WebhookEndpointId) -> Event {
    Event::of(Actor::Admin).with(json!({ "endpoint_id": endpoint }))
}

/// The row of an endpoint, by id or name.
pub(super) async fn find(app: &App, project: &ProjectId, name: &str) -> Result<WebhookEndpointRow, Failure> {
    require_own(app)?;
    let (project, name) = (project.clone(), name.to_owned());
    let read = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(webhook_endpoints::get(tx, &project, &name).await?) })
    });
    read.await?.ok_or_else(not_found)
}

/// All endpoints of a project, oldest first.
///
/// # Errors
/// 404 where messages are handed to a Svix server.
pub async fn list(app: &App, project: &ProjectId) -> Result<Vec<Endpoint>, Failure> {
    require_own(app)?;
    let project = project.clone();
    let read = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(webhook_endpoints::list(tx, &project).await?) })
    });
    Ok(read.await?.into_iter().map(Endpoint::from).collect())
}

/// An endpoint, by id or name.
///
/// # Errors
/// 404.
pub async fn get(app: &App, project: &ProjectId, name: &str) -> Result<Endpoint, Failure> {
    find(app, project, name).await.map(Endpoint::from)
}

/// Creates an endpoint; it hears of what happens from now on. Gives it with the text form of its secret.
///
/// # Errors
/// 400 for a URL that is not called, a malformed secret, too many endpoints; 409 for a name that is taken; 404 where
/// messages are handed to a Svix server.
pub async fn create(app: &App, project: &ProjectId, new: NewEndpoint) -> Result<(Endpoint, String), Failure> {
    require_own(app)?;
    check_url(app, &new.url)?;
    check_uid(new.uid.as_deref())?;
    check_description(&new.description)?;
    let secret = match &new.secret {
        Some(text) => parse_secret(text)?,
        None => signatures::fresh(&app.random),
    };
    let id: WebhookEndpointId = app.webhooks.ids.next(app);
    let now = app.now();
    let row = WebhookEndpointRow {
        project_id: project.clone(),
        secret_sealed: app.master_keys.seal(&seal_context(project, &id), secret.expose()),
        id,
        uid: new.uid,
        url: new.url,
        description: new.description,
        event_types: stored(new.event_types.as_deref()),
        previous_secret_sealed: None,
        previous_secret_until: None,
        is_disabled: new.is_disabled,
        failing_since: None,
        created_at: now,
        updated_at: now,
    };
    let statements = vec![
        webhook_endpoints::insert(&row, MOST).exactly(1),
        audit::record(app, project, audit::kind::WEBHOOK_ENDPOINT_CREATED, &event(&row.id)),
    ];
    match app.store.batch(statements).await {
        Ok(_) => {
            app.projects.forget(project);
            Ok((row.into(), signatures::text(secret.expose())))
        }
        Err(StorageError::Guard { .. }) => {
            Err(Failure::text(400, "A project has at most 50 webhook endpoints."))
        }
        Err(error) => Err(taken(error)),
    }
}

fn taken(error: StorageError) -> Failure {
    match error {
        StorageError::Unique { index } if index == "webhook_endpoints_uid_key" => {
            Failure::text(409, "Another endpoint has this uid.")
        }
        other => other.into(),
    }
}

/// Changes an endpoint. One that is switched on again goes on with what was queued before.
///
/// # Errors
/// 404, and those of [`create`].
pub async fn update(
    app: &App,
    project: &ProjectId,
    name: &str,
    change: EndpointChange,
) -> Result<Endpoint, Failure> {
    if let Some(url) = &change.url {
        check_url(app, url)?;
    }
    if let Some(uid) = &change.uid {
        check_uid(uid.as_deref())?;
    }
    if let Some(text) = &change.description {
        check_description(text)?;
    }
    let mut row = find(app, project, name).await?;
    row.url = change.url.unwrap_or(row.url);
    row.uid = change.uid.unwrap_or(row.uid);
    row.description = change.description.unwrap_or(row.description);
    if let Some(events) = change.event_types {
        row.event_types = stored(events.as_deref());
    }
    if row.is_disabled {
        row.failing_since = None;
    }
    row.is_disabled = change.is_disabled.unwrap_or(row.is_disabled);
    row.updated_at = app.now();
    let statements = vec![
        webhook_endpoints::update(&row).exactly(1),
        audit::record(app, project, audit::kind::WEBHOOK_ENDPOINT_UPDATED, &event(&row.id)),
    ];
    match app.store.batch(statements).await {
        Ok(_) => {
            app.projects.forget(project);
            app.webhooks.woken.notify_one();
            Ok(row.into())
        }
        Err(StorageError::Guard { .. }) => Err(not_found()),
        Err(error) => Err(taken(error)),
    }
}

/// Deletes an endpoint and what was queued for it.
///
/// # Errors
/// 404.
pub async fn delete(app: &App, project: &ProjectId, name: &str) -> Result<(), Failure> {
    let row = find(app, project, name).await?;
    let statements = vec![
        webhook_endpoints::delete(project, &row.id).exactly(1),
        webhook_deliveries::delete_of_endpoint(project, &row.id),
        audit::record(app, project, audit::kind::WEBHOOK_ENDPOINT_DELETED, &event(&row.id)),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(()),
        Err(StorageError::Guard { .. }) => Err(not_found()),
        Err(error) => Err(error.into()),
    }
}

/// The text form of an endpoint's secret.
///
/// # Errors
/// 404.
pub async fn secret(app: &App, project: &ProjectId, name: &str) -> Result<String, Failure> {
    let row = find(app, project, name).await?;
    let context = seal_context(project, &row.id);
    let secret = app.master_keys.open(&context, &row.secret_sealed).map_err(Failure::internal)?;
    Ok(signatures::text(&secret))
}

/// Gives an endpoint a new secret. For a day, deliveries are signed with the old one as well. Returns its text form.
///
/// # Errors
/// 404; 400 for a malformed secret; 409 if somebody else does the same.
pub async fn rotate_secret(
    app: &App,
    project: &ProjectId,
    name: &str,
    new: Option<Secret<String>>,
) -> Result<String, Failure> {
    let new = match &new {
        Some(text) => parse_secret(text)?,
        None => signatures::fresh(&app.random),
    };
    let row = find(app, project, name).await?;
    let now = app.now();
    let sealed = app.master_keys.seal(&seal_context(project, &row.id), new.expose());
    let statements = vec![
        webhook_endpoints::rotate(project, &row.id, &row.secret_sealed, &sealed, now + OVERLAP, now)
            .exactly(1),
        audit::record(app, project, audit::kind::WEBHOOK_SECRET_ROTATED, &event(&row.id)),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(signatures::text(new.expose())),
        Err(StorageError::Guard { .. }) => {
            Err(Failure::text(409, "The endpoint was changed at the same time."))
        }
        Err(error) => Err(error.into()),
    }
}

/// The secret that a declaration gives, checked.
fn declared_secret(declaration: &WebhookDeclaration) -> Result<Option<Secret<Vec<u8>>>, Failure> {
    let text = declaration.secret.as_ref().map(|text| Secret::new(text.expose().to_owned()));
    text.as_ref().map(parse_secret).transpose()
}

/// The statement that brings a declared endpoint into the database. Its id follows from its name, so that each start
/// finds the same.
///
/// # Errors
/// Those of [`create`], as sentences for the operator.
pub(crate) fn declaration(
    app: &App,
    project: &ProjectId,
    declaration: &WebhookDeclaration,
) -> Result<Stmt, Failure> {
    let refused = |failure: Failure| match failure {
        Failure::Text { message, .. } => {
            Failure::internal(format_args!("project {project}, webhook {:?}: {message}", declaration.id))
        }
        other => other,
    };
    check_url(app, &declaration.url).map_err(refused)?;
    check_uid(Some(&declaration.id)).map_err(refused)?;
    let given = declared_secret(declaration).map_err(refused)?;
    let with_secret = given.is_some();
    let secret = given.unwrap_or_else(|| signatures::fresh(&app.random));
    let name = TokenHash::of(&format!("webhook endpoint {project} {}", declaration.id));
    let id: WebhookEndpointId = sortable_ids::of_bytes(name.as_bytes());
    let now = app.now();
    let events = &declaration.event_types;
    let row = WebhookEndpointRow {
        project_id: project.clone(),
        secret_sealed: app.master_keys.seal(&seal_context(project, &id), secret.expose()),
        id,
        uid: Some(declaration.id.clone()),
        url: declaration.url.clone(),
        description: declaration.description.clone(),
        event_types: (!events.is_empty()).then(|| format!(",{},", events.join(","))),
        previous_secret_sealed: None,
        previous_secret_until: None,
        is_disabled: false,
        failing_since: None,
        created_at: now,
        updated_at: now,
    };
    Ok(webhook_endpoints::declare(&row, with_secret))
}
