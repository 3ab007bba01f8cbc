//! API keys of users and teams (contract 07 §7): creating, listing, changing and checking them, and revoking those that
//! a scanner found in public. A key is shown once and stored as a hash.

mod format;
pub(crate) mod usage;

use latchkey_api_types::api_key::{ApiKey, ApiKeyType, ApiKeyUsage, ApiKeyValue};
use latchkey_api_types::ids::{ApiKeyId, TeamId, UserId};
use latchkey_api_types::input::NonEmptyText;
use latchkey_api_types::{AccessType, KnownError};
use latchkey_crypto::TokenHash;
use latchkey_storage::StorageError;
use latchkey_storage::api_keys::{self, ApiKeyRow};
use latchkey_storage::engine::Outcome;
use latchkey_storage::users::{self, UserRow};
use serde_json::json;

use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::permissions;
use crate::projects::{self, Project};
use crate::reauthentication::{self, Surface};
use crate::system_mails::{self, To};

/// The permission to manage the keys of a team.
const MANAGE: &str = "$manage_api_keys";
/// The longest description, characters.
const MAX_DESCRIPTION: usize = 1000;
/// The most scopes of a key, and the longest of them.
const MAX_SCOPES: (usize, usize) = (50, 64);

/// Whose keys are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A user's.
    User(UserId),
    /// A team's.
    Team(TeamId),
}

impl Owner {
    const fn kind(self) -> ApiKeyType {
        match self {
            Self::User(_) => ApiKeyType::User,
            Self::Team(_) => ApiKeyType::Team,
        }
    }

    fn of(row: &ApiKeyRow) -> Result<Self, Failure> {
        match (row.user_id, row.team_id) {
            (Some(user), None) => Ok(Self::User(user)),
            (None, Some(team)) => Ok(Self::Team(team)),
            _ => Err(Failure::internal("an API key has not exactly one owner")),
        }
    }
}

/// What a new key is made of.
pub struct NewApiKey {
    /// What its owner calls it.
    pub description: String,
    /// End of validity.
    pub expires_at: Option<i64>,
    /// Whether it is meant to be seen.
    pub is_public: bool,
    /// What it is good for.
    pub scopes: Vec<NonEmptyText>,
}

/// What is to change about a key.
#[derive(Default)]
pub struct ApiKeyChange {
    /// What its owner calls it.
    pub description: Option<String>,
    /// What it is good for.
    pub scopes: Option<Vec<NonEmptyText>>,
    /// Whether it is to be revoked.
    pub revoke: bool,
}

/// The project's switch; it comes before everything else.
fn require_enabled(project: &Project, kind: ApiKeyType) -> Result<(), Failure> {
    let enabled = &project.settings.api_keys.enabled;
    match kind {
        ApiKeyType::User if !enabled.user => {
            Err(Failure::text(400, "This project has no API keys of users."))
        }
        ApiKeyType::Team if !enabled.team => {
            Err(Failure::text(400, "This project has no API keys of teams."))
        }
        _ => Ok(()),
    }
}

/// Clients manage their own keys, and those of teams in which they may.
async fn authorise(app: &App, auth: &Auth, owner: Owner) -> Result<(), Failure> {
    if auth.access != AccessType::Client {
        return Ok(());
    }
    let me = auth.user_id().ok_or_else(KnownError::user_authentication_required)?;
    match owner {
        Owner::User(user) if user == me => Ok(()),
        Owner::User(_) => Err(Failure::text(403, "These are the API keys of somebody else.")),
        // Whether the team exists is not told.
        Owner::Team(team) if permissions::has_in_team(app, &auth.project, team, me, MANAGE).await? => Ok(()),
        Owner::Team(_) => Err(KnownError::api_key_not_found().into()),
    }
}

fn view(row: ApiKeyRow, value: Option<String>, with_usage: bool) -> ApiKey {
    let kind = if row.team_id.is_some() { ApiKeyType::Team } else { ApiKeyType::User };
    ApiKey {
        id: row.id,
        description: row.description,
        expires_at_millis: row.expires_at,
        manually_revoked_at_millis: row.revoked_at,
        created_at_millis: row.created_at,
        is_public: row.is_public,
        kind,
        user_id: row.user_id,
        team_id: row.team_id,
        value: value.map_or(ApiKeyValue::End { last_four: row.last_four }, ApiKeyValue::Whole),
        usage: with_usage.then(|| ApiKeyUsage {
            scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            last_used_at_millis: row.last_used_at,
            request_count: row.request_count,
        }),
    }
}

fn check_description(text: &str) -> Result<(), Failure> {
    if text.chars().count() <= MAX_DESCRIPTION {
        return Ok(());
    }
    Err(Failure::text(400, "The description of an API key has at most 1000 characters."))
}

/// Scopes as they are stored. Their characters are those of RFC 6749 §3.3.
fn stored_scopes(scopes: &[NonEmptyText]) -> Result<String, Failure> {
    let (most, longest) = MAX_SCOPES;
    let legal = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let sound = |scope: &NonEmptyText| scope.as_str().len() <= longest && scope.as_str().bytes().all(legal);
    if scopes.len() > most || !scopes.iter().all(sound) {
        return Err(Failure::text(
            400,
            "An API key has at most 50 scopes, each of at most 64 printable ASCII characters but \" and \\.",
        ));
    }
    Ok(scopes.iter().map(NonEmptyText::as_str).collect::<Vec<_>>().join(" "))
}

fn event(actor: impl Into<Actor>, owner: Owner, id: ApiKeyId) -> Event {
    let user = match owner {
        Owner::User(user) => Some(user),
        Owner::Team(_) => None,
    };
    let team = match owner {
        Owner::User(_) => None,
        Owner::Team(team) => Some(team),
    };
    let details = json!({ "api_key_id": id, "team_id": team });
    Event { user, ..Event::of(actor).with(details) }
}

/// Creates a key; the answer is the only one that shows it.
///
/// # Errors
/// 400 where the project has none of this kind; those of the permission rules; `USER_ID_DOES_NOT_EXIST` and
/// `TEAM_NOT_FOUND` for servers.
pub async fn create(app: &App, auth: &Auth, owner: Owner, new: NewApiKey) -> Result<ApiKey, Failure> {
    require_enabled(&auth.project, owner.kind())?;
    authorise(app, auth, owner).await?;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    check_description(&new.description)?;
    let scopes = stored_scopes(&new.scopes)?;
    let id = ApiKeyId::from_uuid(app.random.uuid());
    let key = format::make(&app.random.token(), id, owner.kind(), new.is_public);
    let (user_id, team_id) = match owner {
        Owner::User(user) => (Some(user), None),
        Owner::Team(team) => (None, Some(team)),
    };
    let row = ApiKeyRow {
        project_id: auth.project.id.clone(),
        id,
        r#type: owner.kind().as_str().to_owned(),
        user_id,
        team_id,
        description: new.description,
        key_hash: TokenHash::of(&key),
        last_four: format::last_four(&key).to_owned(),
        is_public: new.is_public,
        scopes,
        created_at: app.now(),
        expires_at: new.expires_at,
        revoked_at: None,
        last_used_at: None,
        request_count: 0,
    };
    let statements = vec![
        api_keys::insert(&row),
        audit::record(app, &auth.project.id, audit::kind::API_KEY_CREATED, &event(auth.access, owner, id)),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(view(row, Some(key), false)),
        Err(StorageError::ForeignKey) => Err(match owner {
            Owner::User(user) => KnownError::user_id_does_not_exist(&user.to_string()).into(),
            Owner::Team(team) => KnownError::team_not_found(&team.to_string()).into(),
        }),
        Err(error) => Err(error.into()),
    }
}

/// The keys of an owner, newest first, also those that are not valid any more.
///
/// # Errors
/// Those of the switch and the permission rules.
pub async fn list(app: &App, auth: &Auth, owner: Owner, with_usage: bool) -> Result<Vec<ApiKey>, Failure> {
    require_enabled(&auth.project, owner.kind())?;
    authorise(app, auth, owner).await?;
    if with_usage {
        usage::flush(app).await?;
    }
    let project = auth.project.id.clone();
    let read = app.store.lookup(move |tx| {
        Box::pin(async move {
            Ok::<_, Failure>(match owner {
                Owner::User(user) => api_keys::list_of_user(tx, &project, user).await?,
                Owner::Team(team) => api_keys::list_of_team(tx, &project, team).await?,
            })
        })
    });
    Ok(read.await?.into_iter().map(|row| view(row, None, with_usage)).collect())
}

/// The row of a key of this kind that the caller may see. `named` is the owner that the request names, if it does.
async fn find(
    app: &App,
    auth: &Auth,
    kind: ApiKeyType,
    named: Option<Owner>,
    id: ApiKeyId,
) -> Result<(ApiKeyRow, Owner), Failure> {
    require_enabled(&auth.project, kind)?;
    if auth.access == AccessType::Client && auth.user_id().is_none() {
        return Err(KnownError::user_authentication_required().into());
    }
    let project = auth.project.id.clone();
    let read = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(api_keys::get(tx, &project, id).await?) }));
    let not_found = || Failure::from(KnownError::api_key_not_found());
    let row = read.await?.ok_or_else(not_found)?;
    let owner = Owner::of(&row)?;
    if owner.kind() != kind {
        return Err(not_found());
    }
    authorise(app, auth, owner).await?;
    if named.is_some_and(|named| named != owner) {
        return Err(not_found());
    }
    Ok((row, owner))
}

/// One key.
///
/// # Errors
/// `API_KEY_NOT_FOUND`; those of the switch and the permission rules.
pub async fn get(
    app: &App,
    auth: &Auth,
    kind: ApiKeyType,
    named: Option<Owner>,
    id: ApiKeyId,
    with_usage: bool,
) -> Result<ApiKey, Failure> {
    if with_usage {
        usage::flush(app).await?;
    }
    let (row, _) = find(app, auth, kind, named, id).await?;
    Ok(view(row, None, with_usage))
}

/// Changes a key. One that is revoked twice keeps the time of the first.
///
/// # Errors
/// Those of [`get`].
pub async fn update(
    app: &App,
    auth: &Auth,
    kind: ApiKeyType,
    named: Option<Owner>,
    id: ApiKeyId,
    change: ApiKeyChange,
) -> Result<ApiKey, Failure> {
    if let Some(text) = &change.description {
        check_description(text)?;
    }
    let scopes = change.scopes.as_deref().map(stored_scopes).transpose()?;
    let (_, owner) = find(app, auth, kind, named, id).await?;
    let (project, now) = (&auth.project.id, app.now());
    let what = if change.revoke { audit::kind::API_KEY_REVOKED } else { audit::kind::API_KEY_UPDATED };
    let revoked_at = change.revoke.then_some(now);
    let statements = vec![
        api_keys::update(project, id, change.description.as_deref(), scopes.as_deref(), revoked_at)
            .exactly(1),
        audit::record(app, project, what, &event(auth.access, owner, id)),
    ];
    match app.store.batch(statements).await {
        Ok(outcomes) => {
            let row = outcomes.first().map(Outcome::first).transpose()?.flatten();
            row.map(|row| view(row, None, false))
                .ok_or_else(|| Failure::internal("a changed API key vanished"))
        }
        Err(StorageError::Guard { .. }) => Err(KnownError::api_key_not_found().into()),
        Err(error) => Err(error.into()),
    }
}

/// The key that somebody presented, if it is valid; the check is counted.
///
/// # Errors
/// In this order: `API_KEY_NOT_FOUND`, `WRONG_API_KEY_TYPE`, `API_KEY_REVOKED`, `API_KEY_EXPIRED`.
pub async fn check(
    app: &App,
    auth: &Auth,
    kind: ApiKeyType,
    key: &str,
    with_usage: bool,
) -> Result<ApiKey, Failure> {
    require_enabled(&auth.project, kind)?;
    let row = find_by_key(app, key).await?.filter(|row| row.project_id == auth.project.id);
    let row = row.ok_or_else(KnownError::api_key_not_found)?;
    let actual = Owner::of(&row)?.kind();
    let now = app.now();
    if actual != kind {
        return Err(KnownError::wrong_api_key_type(kind.as_str(), actual.as_str()).into());
    }
    if row.revoked_at.is_some() {
        return Err(KnownError::api_key_revoked().into());
    }
    if row.expires_at.is_some_and(|end| end <= now) {
        return Err(KnownError::api_key_expired().into());
    }
    app.key_usage.note(&row.project_id, row.id, now);
    Ok(view(row, None, with_usage))
}

/// Finds a key by the hash of all of it: one look-up, whether it is known, malformed or neither.
async fn find_by_key(app: &App, key: &str) -> Result<Option<ApiKeyRow>, Failure> {
    let hash = TokenHash::of(key);
    let read = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(api_keys::find(tx, &hash).await?) }));
    read.await
}

/// Revokes a key that was found where everybody can read it, and tells its owners by mail. Whoever has the key may do
/// this: it proves itself.
///
/// # Errors
/// `API_KEY_NOT_FOUND`, `PUBLIC_API_KEY_CANNOT_BE_REVOKED`, `API_KEY_EXPIRED`.
pub async fn revoke_leaked(app: &App, key: &str) -> Result<(), Failure> {
    let row = find_by_key(app, key).await?.ok_or_else(KnownError::api_key_not_found)?;
    let now = app.now();
    if row.is_public {
        return Err(KnownError::public_api_key_cannot_be_revoked().into());
    }
    if row.expires_at.is_some_and(|end| end <= now) {
        return Err(KnownError::api_key_expired().into());
    }
    if row.revoked_at.is_some() {
        return Ok(());
    }
    let owner = Owner::of(&row)?;
    let project = projects::find(app, &row.project_id).await?.ok_or_else(KnownError::api_key_not_found)?;
    let mut statements = vec![
        api_keys::revoke(&project.id, row.id, now).exactly(1),
        audit::record(app, &project.id, audit::kind::API_KEY_LEAKED, &event(Actor::System, owner, row.id)),
    ];
    let owners = owners(app, &project, owner).await?;
    for person in &owners {
        let Some(address) = &person.primary_email else { continue };
        // Whoever reports the key is somebody else: their language says nothing.
        let to = To { address, user: Some(person), accepted: None };
        statements.push(system_mails::api_key_revoked(app, &project, &to, &row.description)?);
    }
    match app.store.batch(statements).await {
        Ok(_) => {
            if !owners.is_empty() {
                app.jobs.wake();
            }
            Ok(())
        }
        // Somebody else revoked it first.
        Err(StorageError::Guard { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Those who manage the keys of an owner.
async fn owners(app: &App, project: &Project, owner: Owner) -> Result<Vec<UserRow>, Failure> {
    let people = match owner {
        Owner::User(user) => vec![user],
        Owner::Team(team) => permissions::members_with(app, project, team, MANAGE).await?,
    };
    let id = project.id.clone();
    let read = app.store.read(move |tx| {
        Box::pin(async move {
            let mut found = Vec::new();
            for user in people {
                found.extend(users::get(tx, &id, user).await?);
            }
            Ok::<_, Failure>(found)
        })
    });
    read.await
}
