//! Who is asking: decides from the headers of a request which project, which privilege and which user it speaks
//! for. The order of the checks decides which error wins (contract 01 §4); the letters are those of its table.

use std::sync::Arc;

use latchkey_api_types::ids::{ProjectId, SessionId, UserId};
use latchkey_api_types::input::UserIdOrMe;
use latchkey_api_types::user::RestrictionKind;
use latchkey_api_types::{AccessType, KnownError, Locale};
use latchkey_storage::teams;
use latchkey_storage::users::{self, UserRow};

use crate::access_tokens::{self, TokenProblem};
use crate::app::App;
use crate::claims::AccessClaims;
use crate::failure::Failure;
use crate::projects::{self, Project};
use crate::sessions;

/// The sentinel that public clients send where a publishable key is expected.
pub const PUBLIC_CLIENT: &str = "__stack_public_client__";

/// What the headers say. Absent and empty headers are both `None`.
#[derive(Default, Clone, Copy)]
pub struct Credentials<'a> {
    /// `x-stack-project-id`.
    pub project_id: Option<&'a str>,
    /// `x-stack-branch-id`; absent means `main`.
    pub branch_id: Option<&'a str>,
    /// `x-stack-access-type`.
    pub access_type: Option<&'a str>,
    /// `x-stack-publishable-client-key`.
    pub publishable_client_key: Option<&'a str>,
    /// `x-stack-secret-server-key`.
    pub secret_server_key: Option<&'a str>,
    /// `x-stack-super-secret-admin-key`.
    pub super_secret_admin_key: Option<&'a str>,
    /// `x-stack-admin-access-token`.
    pub admin_access_token: Option<&'a str>,
    /// `x-stack-access-token`, or a bearer token.
    pub access_token: Option<&'a str>,
    /// `x-stack-development-override-key`.
    pub development_override_key: Option<&'a str>,
    /// `accept-language`.
    pub accept_language: Option<&'a str>,
    /// `x-stack-allow-anonymous-user: true`.
    pub allow_anonymous: bool,
    /// `x-stack-allow-restricted-user: true`.
    pub allow_restricted: bool,
}

/// A request whose keys were accepted.
pub struct Auth {
    /// The project it speaks to.
    pub project: Arc<Project>,
    /// The privilege that its key proved.
    pub access: AccessType,
    /// The signed-in user, if the access token names one whose session lives.
    pub user: Option<CurrentUser>,
    /// What the access token says; present even when its user or session is gone.
    pub claims: Option<Arc<AccessClaims>>,
    /// The language that the caller asks for, if it is one that mails are written in.
    pub locale: Option<Locale>,
}

/// The user of the access token, as of now.
pub struct CurrentUser {
    /// The user as read for this request.
    pub row: UserRow,
    /// The session of the token.
    pub session: SessionId,
}

impl Auth {
    /// The signed-in user.
    ///
    /// # Errors
    /// `CANNOT_GET_OWN_USER_WITHOUT_USER` if nobody is.
    pub fn me(&self) -> Result<&CurrentUser, Failure> {
        self.user.as_ref().ok_or_else(|| KnownError::cannot_get_own_user_without_user().into())
    }

    /// The row of the signed-in user, for what only a signed-in user can do.
    ///
    /// # Errors
    /// `USER_AUTHENTICATION_REQUIRED` if nobody is.
    pub fn signed_in(&self) -> Result<&UserRow, Failure> {
        let user = self.user.as_ref().map(|user| &user.row);
        user.ok_or_else(|| KnownError::user_authentication_required().into())
    }

    /// The user that a path, query or body names.
    ///
    /// # Errors
    /// `CANNOT_GET_OWN_USER_WITHOUT_USER` for `me` if nobody is signed in.
    pub fn user_or_me(&self, user: UserIdOrMe) -> Result<UserId, Failure> {
        match user {
            UserIdOrMe::Id(id) => Ok(id),
            UserIdOrMe::Me => Ok(self.me()?.row.id),
        }
    }

    /// The user whom a list is about. Clients must ask for their own.
    ///
    /// # Errors
    /// `CANNOT_GET_OWN_USER_WITHOUT_USER` if a client is nobody, or for `me`; 403 for clients that ask for others.
    pub fn user_filter(&self, user: Option<UserIdOrMe>) -> Result<Option<UserId>, Failure> {
        let named = user.map(|user| self.user_or_me(user)).transpose()?;
        if self.access == AccessType::Client && named != Some(self.me()?.row.id) {
            return Err(Failure::text(403, "Clients must ask, by user_id, for what is their own user's."));
        }
        Ok(named)
    }

    /// The id of the signed-in user.
    pub fn user_id(&self) -> Option<UserId> {
        self.user.as_ref().map(|user| user.row.id)
    }
}

/// Authenticates a request; `None` if it declares no access type and carries no key.
pub async fn authenticate(app: &App, credentials: &Credentials<'_>) -> Result<Option<Auth>, Failure> {
    let Some(access) = access_type(credentials)? else { return Ok(None) };
    // d
    let Some(project_id) = credentials.project_id else {
        return Err(KnownError::access_type_without_project_id(access).into());
    };
    // e
    let claims = match credentials.access_token {
        Some(token) => Some(access_token(app, credentials, project_id, token).await?),
        None => None,
    };
    // f
    let project = match project_id.parse::<ProjectId>() {
        Ok(id) => projects::find(app, &id).await?,
        Err(_) => None,
    };
    let Some(project) = project else {
        return Err(KnownError::current_project_not_found(project_id).into());
    };
    // g, h, i
    if credentials.development_override_key.is_some() {
        return Err(Failure::text(401, "Development override keys are not accepted by this server."));
    } else if let Some(token) = credentials.admin_access_token {
        admin_access_token(app, &project, token).await?;
    } else {
        project_key(app, &project, access, credentials)?;
    }
    // j
    if let Some(branch) = credentials.branch_id
        && branch != "main"
    {
        return Err(KnownError::branch_does_not_exist(branch).into());
    }
    // k
    let user = match &claims {
        Some(claims) => load_user(app, &project.id, claims).await?,
        None => None,
    };
    let locale = credentials.accept_language.and_then(Locale::negotiate);
    Ok(Some(Auth { project, access, user, claims, locale }))
}

/// Somebody on one of the server's own pages: a client of the project, signed in if the refresh token is good.
pub async fn visitor(
    app: &App,
    project: Arc<Project>,
    refresh_token: Option<&str>,
    accept_language: Option<&str>,
) -> Result<Auth, Failure> {
    let owned = match refresh_token {
        Some(token) => sessions::of_refresh_token(app, &project.id, token).await?,
        None => None,
    };
    let user = match owned {
        Some(owned) => sessions::find_user(app, &project.id, owned.user.id)
            .await?
            .map(|row| CurrentUser { row, session: owned.session.id }),
        None => None,
    };
    let locale = accept_language.and_then(Locale::negotiate);
    Ok(Auth { project, access: AccessType::Client, user, claims: None, locale })
}

/// Steps a to c.
fn access_type(credentials: &Credentials<'_>) -> Result<Option<AccessType>, Failure> {
    let has_key = credentials.publishable_client_key.is_some()
        || credentials.secret_server_key.is_some()
        || credentials.super_secret_admin_key.is_some()
        || credentials.admin_access_token.is_some();
    match credentials.access_type {
        None if has_key => Err(KnownError::project_key_without_access_type().into()),
        None => Ok(None),
        Some(word) => word.parse().map(Some).map_err(|_| KnownError::invalid_access_type(word).into()),
    }
}

/// Step e. The decision about anonymous and restricted users is the token's, not the database's.
async fn access_token(
    app: &App,
    credentials: &Credentials<'_>,
    project_id: &str,
    token: &str,
) -> Result<Arc<AccessClaims>, Failure> {
    let claims = access_tokens::verify(app, token).await?;
    if !claims.project_id.as_str().eq_ignore_ascii_case(project_id) {
        return Err(
            KnownError::invalid_project_for_access_token(project_id, claims.project_id.as_str()).into()
        );
    }
    match claims.restricted_reason {
        Some(reason) if reason.kind == RestrictionKind::Anonymous && !credentials.allow_anonymous => {
            Err(KnownError::anonymous_authentication_not_allowed().into())
        }
        Some(reason) if !credentials.allow_anonymous && !credentials.allow_restricted => {
            Err(KnownError::restricted_user_not_allowed(reason).into())
        }
        _ => Ok(claims),
    }
}

/// Step h: the token of a user of `internal` who is in the team that owns the project.
async fn admin_access_token(app: &App, project: &Project, token: &str) -> Result<(), Failure> {
    let claims = access_tokens::verify(app, token).await.map_err(|problem| match problem {
        TokenProblem::Unparsable => KnownError::unparsable_admin_access_token().into(),
        TokenProblem::Expired(expired) if expired.is_restricted => {
            KnownError::unparsable_admin_access_token().into()
        }
        TokenProblem::Expired(expired) => KnownError::admin_access_token_expired(expired.at_millis).into(),
        TokenProblem::Failure(failure) => failure,
    })?;
    if claims.restricted_reason.is_some() {
        return Err(KnownError::unparsable_admin_access_token().into());
    }
    if !claims.project_id.is_internal() {
        return Err(KnownError::admin_access_token_is_not_admin().into());
    }
    if load_user(app, &claims.project_id, &claims).await?.is_none() {
        return Err(Failure::text(401, "The user of the admin access token is gone, or has signed out."));
    }
    let user = claims.sub;
    let manages = match project.owner_team_id {
        Some(team) => {
            app.store
                .lookup(move |tx| {
                    Box::pin(async move {
                        Ok::<_, Failure>(teams::is_member(tx, &ProjectId::internal(), team, user).await?)
                    })
                })
                .await?
        }
        None => false,
    };
    if manages { Ok(()) } else { Err(KnownError::admin_access_token_is_not_admin().into()) }
}

/// Step i: the key that belongs to the declared access type. Keys of other kinds are ignored.
fn project_key(
    app: &App,
    project: &Project,
    access: AccessType,
    credentials: &Credentials<'_>,
) -> Result<(), Failure> {
    let id = project.id.as_str();
    let (key, missing, wrong): (_, _, fn(&str) -> KnownError) = match access {
        AccessType::Client => return client_key(app, project, credentials.publishable_client_key),
        AccessType::Server => (
            credentials.secret_server_key,
            KnownError::server_authentication_required(),
            KnownError::invalid_secret_server_key,
        ),
        AccessType::Admin => (
            credentials.super_secret_admin_key,
            KnownError::admin_authentication_required(),
            KnownError::invalid_super_secret_admin_key,
        ),
    };
    match key {
        None => Err(missing.into()),
        Some(key) if project.accepts_key(access, key, app.now()) => Ok(()),
        Some(_) => Err(wrong(id).into()),
    }
}

/// The rules for publishable client keys, in the header and as the `client_secret` of OAuth requests: optional
/// unless the project requires one, but right if sent.
pub(crate) fn client_key(app: &App, project: &Project, key: Option<&str>) -> Result<(), Failure> {
    let id = project.id.as_str();
    let required = project.settings.project.require_publishable_client_key;
    match key {
        None | Some(PUBLIC_CLIENT) if required => {
            Err(KnownError::publishable_client_key_required_for_project(Some(id)).into())
        }
        None | Some(PUBLIC_CLIENT) => Ok(()),
        Some(key) if project.accepts_key(AccessType::Client, key, app.now()) => Ok(()),
        Some(_) => Err(KnownError::invalid_publishable_client_key(id).into()),
    }
}

/// Step k. A user whose session has ended is nobody, at once (design, section 5).
pub(crate) async fn load_user(
    app: &App,
    project: &ProjectId,
    claims: &AccessClaims,
) -> Result<Option<CurrentUser>, Failure> {
    let (project, user, session) = (project.clone(), claims.sub, claims.refresh_token_id);
    let now = app.now();
    let row = app
        .store
        .lookup(move |tx| {
            Box::pin(
                async move { Ok::<_, Failure>(users::of_session(tx, &project, user, session, now).await?) },
            )
        })
        .await?;
    Ok(row.map(|row| CurrentUser { row, session }))
}
