//! Signing in a command-line program (contract 04 §7): the program asks for two codes and polls with one of them, a
//! browser answers with the other and a refresh token, and the program gets that token once. Every step is one
//! conditional statement, so that of racing requests one wins. Nothing here signs anybody in: a refresh token exists
//! only where a sign-in was finished, its second factor included.

use std::net::IpAddr;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::ProjectId;
use latchkey_crypto::{TokenHash, base32};
use latchkey_storage::StorageError;
use latchkey_storage::cli_logins::{self, CliLoginRow};
use latchkey_storage::sessions::OwnedSessionRow;

use crate::access_tokens;
use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;
use crate::projects::Project;
use crate::sessions::{self, Tokens};

/// How long an attempt lives unless the program says otherwise, milliseconds.
const LIFETIME: i64 = 2 * 60 * 60 * 1000;

/// An attempt that began.
pub struct Started {
    /// By which the program asks for the result; nobody else may know it.
    pub polling_code: String,
    /// By which the browser answers.
    pub login_code: String,
    /// End of the attempt, epoch milliseconds.
    pub expires_at: i64,
}

/// How an attempt stands, as the program sees it.
pub enum Progress {
    /// No browser has answered.
    Waiting,
    /// Its time is over.
    Expired,
    /// The result was handed out before.
    Used,
    /// The refresh token, this once.
    Success(String),
}

/// For what the tokens of an attempt are sealed.
pub(crate) fn seal_context(login: &CliLoginRow) -> String {
    format!("cli-login:{}:{}", login.project_id, base32(login.polling_code_hash.as_bytes()))
}

/// Begins an attempt. `anonymous_token` is the refresh token of the program's anonymous session, if it has one.
///
/// # Errors
/// 400 for a token that is not that of a living session of an anonymous user of this project.
pub async fn start(
    app: &App,
    project: &ProjectId,
    lifetime: Option<i64>,
    anonymous_token: Option<&str>,
) -> Result<Started, Failure> {
    if let Some(token) = anonymous_token {
        anonymous_session(app, project, token).await?.ok_or_else(|| {
            Failure::text(400, "anon_refresh_token must belong to a session of an anonymous user.")
        })?;
    }
    let (polling_code, login_code) = (app.random.token(), app.random.token());
    let now = app.now();
    let mut row = CliLoginRow {
        project_id: project.clone(),
        polling_code_hash: TokenHash::of(&polling_code),
        login_code_hash: TokenHash::of(&login_code),
        refresh_token_sealed: None,
        anonymous_token_sealed: None,
        created_at: now,
        expires_at: now.saturating_add(lifetime.unwrap_or(LIFETIME)),
        completed_at: None,
        used_at: None,
    };
    let context = seal_context(&row);
    row.anonymous_token_sealed =
        anonymous_token.map(|token| app.master_keys.seal(&context, token.as_bytes()));
    app.store.batch(vec![cli_logins::insert(&row)]).await?;
    Ok(Started { polling_code, login_code, expires_at: row.expires_at })
}

/// How an attempt stands. A refresh token is given once.
///
/// # Errors
/// `INVALID_POLLING_CODE`.
pub async fn poll(app: &App, project: &ProjectId, polling_code: &str) -> Result<Progress, Failure> {
    let (id, code) = (project.clone(), TokenHash::of(polling_code));
    let hash = code.clone();
    let found = app
        .store
        .lookup(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(cli_logins::by_polling_code(tx, &id, &hash).await?) })
        })
        .await?;
    let row = found.ok_or_else(KnownError::invalid_polling_code)?;
    let now = app.now();
    if row.expires_at <= now {
        return Ok(Progress::Expired);
    }
    if row.used_at.is_some() {
        return Ok(Progress::Used);
    }
    let Some(sealed) = &row.refresh_token_sealed else { return Ok(Progress::Waiting) };
    let token = open(app, &row, sealed)?;
    match app.store.batch(vec![cli_logins::hand_out(project, &code, now).exactly(1)]).await {
        Ok(_) => Ok(Progress::Success(token)),
        // Another poll of the same program was faster.
        Err(StorageError::Guard { .. }) => Ok(Progress::Used),
        Err(error) => Err(error.into()),
    }
}

/// Whether the program has an anonymous session that a browser can still claim. Changes nothing.
///
/// # Errors
/// 400 for a login code that is unknown, over or completed.
pub async fn has_anonymous_session(
    app: &App,
    project: &ProjectId,
    login_code: &str,
) -> Result<bool, Failure> {
    let row = waiting(app, project, login_code).await?;
    let Some(sealed) = &row.anonymous_token_sealed else { return Ok(false) };
    let token = open(app, &row, sealed)?;
    Ok(anonymous_session(app, project, &token).await?.is_some())
}

/// Gives the program's anonymous session to a browser, once, so that a sign-up there keeps its user.
///
/// # Errors
/// 400 for a login code that is unknown, over or completed, and where there is no anonymous session (any more).
pub async fn claim_anonymous_session(
    app: &App,
    project: &Project,
    login_code: &str,
) -> Result<Tokens, Failure> {
    let nothing = || Failure::text(400, "This sign-in holds no anonymous session that could be claimed.");
    let row = waiting(app, &project.id, login_code).await?;
    let sealed = row.anonymous_token_sealed.as_ref().ok_or_else(nothing)?;
    let token = open(app, &row, sealed)?;
    // Somebody who signed up meanwhile is not given away.
    let OwnedSessionRow { session, user } =
        anonymous_session(app, &project.id, &token).await?.ok_or_else(nothing)?;
    let now = app.now();
    let claimed = cli_logins::claim_anonymous(&project.id, &row.polling_code_hash, now).exactly(1);
    match app.store.batch(vec![claimed]).await {
        Ok(_) => {}
        Err(StorageError::Guard { .. }) => return Err(nothing()),
        Err(error) => return Err(error.into()),
    }
    app.activity.note(&project.id, session.id, user.id, now, None);
    let access_token = access_tokens::mint(app, project, &user, &session).await?;
    Ok(Tokens { access_token, refresh_token: Some(token) })
}

/// Leaves the refresh token of a living session for the program. `address` is the browser's, for the audit log.
///
/// # Errors
/// 400 for a login code that is unknown, over or completed, and for a refresh token that is missing or would not be
/// refreshed.
pub async fn complete(
    app: &App,
    project: &ProjectId,
    login_code: &str,
    refresh_token: Option<&str>,
    address: Option<IpAddr>,
) -> Result<(), Failure> {
    let row = waiting(app, project, login_code).await?;
    let token = refresh_token
        .ok_or_else(|| Failure::text(400, "Send the refresh_token of the session to sign in with."))?;
    let owned = sessions::of_refresh_token(app, project, token)
        .await?
        .ok_or_else(|| Failure::text(400, "refresh_token is not that of a session of this project."))?;
    let sealed = app.master_keys.seal(&seal_context(&row), token.as_bytes());
    let event = Event::of_user(Actor::User, owned.user.id).in_session(owned.session.id).at_address(address);
    let statements = vec![
        cli_logins::complete(project, &row.polling_code_hash, &sealed, app.now()).exactly(1),
        audit::record(app, project, audit::kind::SESSION_GIVEN_TO_PROGRAM, &event),
    ];
    match app.store.batch(statements).await {
        Ok(_) => Ok(()),
        Err(StorageError::Guard { .. }) => Err(over()),
        Err(error) => Err(error.into()),
    }
}

fn over() -> Failure {
    Failure::text(400, "There is no sign-in of a program that waits for this login code.")
}

/// The attempt that waits for a browser with this code.
async fn waiting(app: &App, project: &ProjectId, login_code: &str) -> Result<CliLoginRow, Failure> {
    let (project, code) = (project.clone(), TokenHash::of(login_code));
    let found = app
        .store
        .lookup(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(cli_logins::by_login_code(tx, &project, &code).await?) })
        })
        .await?;
    let now = app.now();
    found
        .filter(|row| row.expires_at > now && row.completed_at.is_none() && row.used_at.is_none())
        .ok_or_else(over)
}

/// The session of a refresh token, if it lives and its user is anonymous.
async fn anonymous_session(
    app: &App,
    project: &ProjectId,
    token: &str,
) -> Result<Option<OwnedSessionRow>, Failure> {
    let owned = sessions::of_refresh_token(app, project, token).await?;
    Ok(owned.filter(|owned| owned.user.is_anonymous))
}

fn open(app: &App, row: &CliLoginRow, sealed: &[u8]) -> Result<String, Failure> {
    let opened = app.master_keys.open(&seal_context(row), sealed).map_err(Failure::internal)?;
    String::from_utf8(opened.to_vec()).map_err(Failure::internal)
}
