//! Project keys: sets of up to three secrets that authenticate callers of a project. Shown whole once, kept as hashes.

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::KeySetId;
use latchkey_api_types::key_sets::{KeySet, KeySetCreate, KeySetUpdate, NewKeySet, ShownKey};
use latchkey_crypto::TokenHash;
use latchkey_storage::StorageError;
use latchkey_storage::engine::{Outcome, Stmt};
use latchkey_storage::key_sets::{self, KeySetRow};

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;

/// The last moment that JavaScript's dates can hold: when keys end that never do.
const NEVER: i64 = 8_640_000_000_000_000;

/// Makes a set of keys.
pub async fn create(app: &App, auth: &Auth, request: KeySetCreate) -> Result<NewKeySet, Failure> {
    let new = |wanted: bool, prefix: &str| wanted.then(|| format!("{prefix}_{}", app.random.token()));
    let made = NewKeySet {
        id: KeySetId::from_uuid(app.random.uuid()),
        description: request.description,
        created_at_millis: app.now(),
        expires_at_millis: request.expires_at_millis,
        publishable_client_key: new(request.has_publishable_client_key, "pck"),
        secret_server_key: new(request.has_secret_server_key, "ssk"),
        super_secret_admin_key: new(request.has_super_secret_admin_key, "sak"),
    };
    let hash = |key: &Option<String>| key.as_ref().map(|key| TokenHash::of(key));
    let shown = |key: &Option<String>| key.as_ref().map(|key| last_four(key));
    let row = KeySetRow {
        project_id: auth.project.id.clone(),
        id: made.id,
        description: made.description.clone(),
        publishable_client_key_hash: hash(&made.publishable_client_key),
        publishable_client_key_last_four: shown(&made.publishable_client_key),
        secret_server_key_hash: hash(&made.secret_server_key),
        secret_server_key_last_four: shown(&made.secret_server_key),
        super_secret_admin_key_hash: hash(&made.super_secret_admin_key),
        super_secret_admin_key_last_four: shown(&made.super_secret_admin_key),
        created_at: made.created_at_millis,
        expires_at: Some(made.expires_at_millis),
        revoked_at: None,
    };
    let statements = vec![key_sets::upsert(&row), noted(app, auth, audit::kind::KEYS_CREATED, made.id)];
    app.store.batch(statements).await?;
    app.projects.forget(&auth.project.id);
    Ok(made)
}

/// All sets of keys, newest first.
pub async fn list(app: &App, auth: &Auth) -> Result<Vec<KeySet>, Failure> {
    let project = auth.project.id.clone();
    let rows = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(key_sets::list(tx, &project).await?) }))
        .await?;
    Ok(rows.into_iter().map(view).collect())
}

/// One set of keys.
///
/// # Errors
/// `API_KEY_NOT_FOUND`.
pub async fn get(app: &App, auth: &Auth, id: KeySetId) -> Result<KeySet, Failure> {
    let project = auth.project.id.clone();
    let row = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(key_sets::get(tx, &project, id).await?) }))
        .await?;
    row.map(view).ok_or_else(|| KnownError::api_key_not_found().into())
}

/// Renames a set of keys, or revokes it.
///
/// # Errors
/// `API_KEY_NOT_FOUND`.
pub async fn update(app: &App, auth: &Auth, id: KeySetId, request: KeySetUpdate) -> Result<KeySet, Failure> {
    let project = &auth.project.id;
    let revoked_at = request.revoked.map(|_| app.now());
    let statements = vec![
        key_sets::update(project, id, request.description.as_deref(), revoked_at).exactly(1),
        noted(app, auth, audit::kind::KEYS_CHANGED, id),
    ];
    let outcomes = match app.store.batch(statements).await {
        Err(StorageError::Guard { .. }) => return Err(KnownError::api_key_not_found().into()),
        outcomes => outcomes?,
    };
    app.projects.forget(project);
    let row = outcomes.first().map(Outcome::first::<KeySetRow>).transpose()?.flatten();
    row.map(view).ok_or_else(|| KnownError::api_key_not_found().into())
}

fn noted(app: &App, auth: &Auth, kind: &str, id: KeySetId) -> Stmt {
    let details = serde_json::json!({ "key_set_id": id });
    let event = Event::of(auth.access).with(details);
    audit::record(app, &auth.project.id, kind, &event)
}

fn view(row: KeySetRow) -> KeySet {
    let shown = |last_four: Option<String>| last_four.map(|last_four| ShownKey { last_four });
    KeySet {
        id: row.id,
        description: row.description,
        created_at_millis: row.created_at,
        expires_at_millis: row.expires_at.unwrap_or(NEVER),
        manually_revoked_at_millis: row.revoked_at,
        publishable_client_key: shown(row.publishable_client_key_last_four),
        secret_server_key: shown(row.secret_server_key_last_four),
        super_secret_admin_key: shown(row.super_secret_admin_key_last_four),
    }
}

/// What may be shown of a key: its last four characters.
pub(crate) fn last_four(key: &str) -> String {
    let start = key.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    key[start..].to_owned()
}
