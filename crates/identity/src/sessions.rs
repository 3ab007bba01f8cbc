//! Sessions: creating, refreshing, listing and ending them. A session is one refresh-token family; its access
//! tokens are minted from the user as of now. Refreshing reads; only a rotation writes.

use latchkey_api_types::ids::{ProjectId, SessionId, UserId};
use latchkey_api_types::session::{EndUserIpInfo, Session};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::StorageError;
use latchkey_storage::engine::Stmt;
use latchkey_storage::sessions::{self, OwnedSessionRow, SessionRow};
use latchkey_storage::users::{self, UserRow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access_tokens;
use crate::activity;
use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::projects::Project;
use crate::refresh_tokens::RefreshToken;

/// How a session begins.
pub(crate) struct Beginning<'a> {
    /// Whose it is.
    pub(crate) user: UserId,
    /// How the user proved who they are: methods of RFC 8176, separated by spaces.
    pub(crate) amr: &'a str,
    /// Lifetime; `None` takes the deployment's.
    pub(crate) expires_in_millis: Option<i64>,
    /// Whether somebody acts as the user.
    pub(crate) is_impersonation: bool,
    /// Where the end user is.
    pub(crate) end_user_ip: Option<EndUserIpInfo>,
}

/// What a session had proven, and how long it lasts: whatever goes on from it has no more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Proven {
    session: SessionId,
    amr: String,
    auth_time: i64,
    is_impersonation: bool,
    expires_at: Option<i64>,
}

impl Proven {
    /// Of a session as of now.
    pub(crate) fn by(session: &SessionRow) -> Self {
        let SessionRow { auth_time, is_impersonation, expires_at, .. } = *session;
        Self { session: session.id, amr: session.amr.clone(), auth_time, is_impersonation, expires_at }
    }

    /// Gives a row as long as the session is not over.
    pub(crate) fn lives(&self, project: &ProjectId, user: UserId, now: i64) -> Stmt {
        sessions::lives(project, self.session, user, now)
    }

    /// Takes back what a new session has beyond that.
    pub(crate) fn limit(self, session: &mut SessionRow) {
        session.amr = self.amr;
        session.auth_time = self.auth_time;
        session.is_impersonation = self.is_impersonation;
        session.expires_at = session.expires_at.into_iter().chain(self.expires_at).min();
    }
}

/// A session that is not written yet, and the only copy of its refresh token.
pub(crate) fn begin(app: &App, project: &ProjectId, beginning: Beginning<'_>) -> (SessionRow, RefreshToken) {
    let now = app.now();
    let token = RefreshToken::generate(&app.random);
    let lifetime =
        beginning.expires_in_millis.unwrap_or(app.config.tokens.refresh_token_lifetime.as_millis());
    let row = SessionRow {
        project_id: project.clone(),
        id: SessionId::from_uuid(app.random.uuid()),
        user_id: beginning.user,
        family_hash: token.family_hash(),
        token_hash: token.hash(),
        previous_token_hash: None,
        rotated_at: None,
        created_at: now,
        last_used_at: now,
        expires_at: Some(now.saturating_add(lifetime)),
        is_impersonation: beginning.is_impersonation,
        auth_time: now,
        amr: beginning.amr.to_owned(),
        end_user_ip: beginning.end_user_ip.and_then(|ip| serde_json::to_string(&ip).ok()),
    };
    (row, token)
}

/// The tokens of a session.
pub struct Tokens {
    /// Access token, a JWT.
    pub access_token: String,
    /// Refresh token; `None` where the caller keeps the one it has.
    pub refresh_token: Option<String>,
}

/// Creates a session for a user without asking them: server-side sign-in and impersonation.
///
/// # Errors
/// `USER_ID_DOES_NOT_EXIST`.
pub async fn create(
    app: &App,
    auth: &Auth,
    user: UserId,
    expires_in_millis: i64,
    is_impersonation: bool,
) -> Result<Tokens, Failure> {
    let project = &auth.project;
    let unknown = || Failure::from(KnownError::user_id_does_not_exist(&user.to_string()));
    let row = find_user(app, &project.id, user).await?.ok_or_else(unknown)?;
    let beginning = Beginning {
        user,
        amr: "",
        expires_in_millis: Some(expires_in_millis),
        is_impersonation,
        end_user_ip: None,
    };
    let (session, token) = begin(app, &project.id, beginning);
    let event = Event::of_user(auth.access, user)
        .in_session(session.id)
        .with(json!({ "is_impersonation": is_impersonation }));
    let recorded = audit::record(app, &project.id, audit::kind::SESSION_CREATED, &event);
    match app.store.batch(vec![sessions::insert(&session), recorded]).await {
        // The user was deleted in this moment.
        Err(StorageError::ForeignKey) => return Err(unknown()),
        written => written?,
    };
    app.activity.note(&project.id, session.id, user, app.now(), None);
    let access_token = access_tokens::mint(app, project, &row.subject(), &session).await?;
    Ok(Tokens { access_token, refresh_token: Some(token.into_text()) })
}

/// How a refresh token came, which decides whether it is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum RefreshStyle {
    /// By header or by the SDKs' grant: the token stays, unless the project requires rotation.
    Keep,
    /// By JSON body: the token is replaced.
    Rotate,
}

/// Mints an access token from a refresh token, and rotates the latter where that is asked for or required.
///
/// # Errors
/// `REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED` for unknown, expired, revoked and foreign tokens, and for a token that was
/// rotated away longer ago than the overlap; the last also ends the session and is audited.
pub async fn refresh(
    app: &App,
    project: &Project,
    refresh_token: &str,
    style: RefreshStyle,
    end_user_ip: Option<EndUserIpInfo>,
) -> Result<Tokens, Failure> {
    let refused = || Failure::from(KnownError::refresh_token_not_found_or_expired());
    let token = RefreshToken::parse(refresh_token).ok_or_else(refused)?;
    let rotates = style == RefreshStyle::Rotate || project.settings.latchkey.require_refresh_rotation;
    loop {
        let now = app.now();
        let OwnedSessionRow { session, user } =
            find_family(app, &project.id, &token).await?.ok_or_else(refused)?;
        if session.expires_at.is_some_and(|end| end <= now) {
            return Err(refused());
        }
        let refresh_token = match standing(app, &session, &token, now) {
            Standing::Reused => {
                end_reused(app, &session).await?;
                return Err(refused());
            }
            _ if !rotates => None,
            Standing::Replaced => Some(token.successor(&app.secrets.rotation_key)),
            Standing::Current => {
                let successor = token.successor(&app.secrets.rotation_key);
                let rotated =
                    sessions::rotate(&project.id, session.id, &token.hash(), &successor.hash(), now);
                if app.store.batch(vec![rotated]).await?.first().is_none_or(|outcome| outcome.affected == 0) {
                    continue; // Somebody else rotated it, or ended the session, in this moment: look again.
                }
                Some(successor)
            }
        };
        let end_user_ip = end_user_ip.as_ref().and_then(|ip| serde_json::to_string(ip).ok());
        app.activity.note(&project.id, session.id, user.id, now, end_user_ip);
        let access_token = access_tokens::mint(app, project, &user, &session).await?;
        return Ok(Tokens { access_token, refresh_token: refresh_token.map(RefreshToken::into_text) });
    }
}

/// What a token of the right family is.
pub(crate) enum Standing {
    /// The one that is valid.
    Current,
    /// The one before it, within the overlap: its holder may have lost the answer, or raced.
    Replaced,
    /// Older, or made up: two parties hold tokens of this family.
    Reused,
}

/// What a token is to the session of its family.
pub(crate) fn standing(app: &App, session: &SessionRow, token: &RefreshToken, now: i64) -> Standing {
    let hash = token.hash();
    let overlap = app.config.tokens.rotation_overlap.as_millis();
    if session.token_hash == hash {
        Standing::Current
    } else if session.previous_token_hash.as_ref() == Some(&hash)
        && session.rotated_at.is_some_and(|at| now - at <= overlap)
    {
        Standing::Replaced
    } else {
        Standing::Reused
    }
}

async fn end_reused(app: &App, session: &SessionRow) -> Result<(), Failure> {
    let event = Event::of_user(Actor::System, session.user_id).in_session(session.id);
    let recorded = audit::record(app, &session.project_id, audit::kind::REUSE_DETECTED, &event);
    tracing::warn!(session = %session.id, user = %session.user_id, "a rotated refresh token was used again; session ended");
    app.store.batch(vec![sessions::delete(&session.project_id, session.id), recorded]).await?;
    Ok(())
}

/// The session that a refresh token would refresh now, and its owner. A token that was rotated away longer ago than the
/// overlap ends its session, as it does in a refresh.
pub(crate) async fn of_refresh_token(
    app: &App,
    project: &ProjectId,
    refresh_token: &str,
) -> Result<Option<OwnedSessionRow>, Failure> {
    let Some(token) = RefreshToken::parse(refresh_token) else { return Ok(None) };
    let Some(owned) = find_family(app, project, &token).await? else { return Ok(None) };
    let now = app.now();
    if owned.session.expires_at.is_some_and(|end| end <= now) {
        return Ok(None);
    }
    if matches!(standing(app, &owned.session, &token, now), Standing::Reused) {
        end_reused(app, &owned.session).await?;
        return Ok(None);
    }
    Ok(Some(owned))
}

/// Lists the sessions of a user, newest first. Impersonation is shown to administrators only.
pub async fn list(app: &App, auth: &Auth, user: UserId) -> Result<Vec<Session>, Failure> {
    if auth.access == AccessType::Client && auth.me()?.row.id != user {
        return Err(Failure::text(403, "Clients may list the sessions of their own user only."));
    }
    activity::flush_uses(app).await?;
    let project = auth.project.id.clone();
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { Ok::<_, Failure>(sessions::list(tx, &project, user).await?) }))
        .await?;
    let current = auth.claims.as_ref().map(|claims| claims.refresh_token_id);
    let visible = rows.into_iter().filter(|row| !row.is_impersonation || auth.access == AccessType::Admin);
    Ok(visible.map(|row| view(row, current)).collect())
}

fn view(row: SessionRow, current: Option<SessionId>) -> Session {
    Session {
        id: row.id,
        user_id: row.user_id,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        is_impersonation: row.is_impersonation,
        is_current_session: current == Some(row.id),
        last_used_at_end_user_ip_info: row.end_user_ip.and_then(|ip| serde_json::from_str(&ip).ok()),
    }
}

/// Ends one session by its id.
///
/// # Errors
/// `CANNOT_DELETE_CURRENT_SESSION` for the caller's own; 404 for an unknown one and, for clients, another user's.
pub async fn end(app: &App, auth: &Auth, id: SessionId) -> Result<(), Failure> {
    if auth.user.as_ref().is_some_and(|user| user.session == id) {
        return Err(KnownError::cannot_delete_current_session().into());
    }
    let project = auth.project.id.clone();
    let row = app
        .store
        .read(move |tx| Box::pin(async move { Ok::<_, Failure>(sessions::get(tx, &project, id).await?) }))
        .await?;
    let own = |row: &SessionRow| auth.access != AccessType::Client || auth.user_id() == Some(row.user_id);
    let Some(row) = row.filter(own) else { return Err(no_such_session()) };
    if delete(app, auth, id, row.user_id).await? { Ok(()) } else { Err(no_such_session()) }
}

fn no_such_session() -> Failure {
    Failure::text(404, "There is no such session.")
}

/// Signs out: ends the session that the access token names.
///
/// # Errors
/// `ACCESS_TOKEN_EXPIRED` without an access token; `REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED` if the session is gone.
pub async fn end_current(app: &App, auth: &Auth) -> Result<(), Failure> {
    let Some(claims) = &auth.claims else {
        return Err(KnownError::access_token_expired(Some(app.now()), None, None, None).into());
    };
    if delete(app, auth, claims.refresh_token_id, claims.sub).await? {
        Ok(())
    } else {
        Err(KnownError::refresh_token_not_found_or_expired().into())
    }
}

/// Ends the session of whoever is signed in, if it still lives; where nobody is, there is nothing to do.
pub async fn end_own(app: &App, auth: &Auth) -> Result<(), Failure> {
    if let Some(user) = &auth.user {
        delete(app, auth, user.session, user.row.id).await?;
    }
    Ok(())
}

/// Deletes a session and records it; whether there was one.
async fn delete(app: &App, auth: &Auth, id: SessionId, user: UserId) -> Result<bool, Failure> {
    let project = &auth.project.id;
    let event = Event::of_user(auth.access, user).in_session(id);
    let recorded = audit::record(app, project, audit::kind::SESSION_ENDED, &event);
    match app.store.batch(vec![sessions::delete(project, id).exactly(1), recorded]).await {
        Ok(_) => Ok(true),
        Err(StorageError::Guard { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn find_user(
    app: &App,
    project: &ProjectId,
    user: UserId,
) -> Result<Option<UserRow>, Failure> {
    let project = project.clone();
    app.store.lookup(move |tx| Box::pin(async move { Ok(users::get(tx, &project, user).await?) })).await
}

/// The session of a refresh token's family, with its owner.
pub(crate) async fn find_family(
    app: &App,
    project: &ProjectId,
    token: &RefreshToken,
) -> Result<Option<OwnedSessionRow>, Failure> {
    let (project, family) = (project.clone(), token.family_hash());
    let look =
        app.store.lookup(move |tx| Box::pin(async move { sessions::by_family(tx, &project, &family).await }));
    Ok(look.await?)
}
