//! The ways to sign in, one file each, and what they all end with.

pub mod anonymous;
pub mod cross_domain;
pub mod mfa;
pub mod oauth;
pub mod otp;
pub mod passkey;
pub mod password;
mod targets;

use std::net::IpAddr;

use latchkey_api_types::KnownError;
use latchkey_api_types::auth::{SignInResult, TokenPair};
use latchkey_api_types::session::EndUserIpInfo;
use latchkey_storage::StorageError;
use latchkey_storage::engine::Stmt;
use latchkey_storage::sessions::{self, SessionRow};
use latchkey_storage::users::UserRow;

use crate::access_tokens;
use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;
use crate::one_time_codes::{self, kind};
use crate::projects::Project;
use crate::sessions::{Beginning, Proven, begin};
use crate::sign_in::mfa::Waiting;

/// From where somebody signs up or in.
#[derive(Clone, Default)]
pub struct Origin {
    /// What the session records; browsers only (contract 03 §8).
    pub end_user: Option<EndUserIpInfo>,
    /// For the audit log, whatever the caller claims to be.
    pub address: Option<IpAddr>,
}

impl Origin {
    /// The country, if the operator's proxy tells it: two letters, upper case. `XX` is how proxies say that they do not
    /// know.
    pub(crate) fn country_code(&self) -> Option<String> {
        let code = self.end_user.as_ref()?.country_code.as_ref()?.to_ascii_uppercase();
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) && code != "XX";
        is_code.then_some(code)
    }
}

/// How long a first factor waits for the second, milliseconds (contract 04 §4).
const ATTEMPT_LIFETIME: i64 = 5 * 60 * 1000;

/// A proof of who somebody is that was checked and is not yet used.
pub(crate) struct Factor<'a> {
    /// Whose it is.
    pub(crate) user: &'a UserRow,
    /// How the user proved who they are: methods of RFC 8176, separated by spaces.
    pub(crate) amr: &'a str,
    /// Whether the account was created, or upgraded, by this.
    pub(crate) is_new_user: bool,
    /// From where.
    pub(crate) origin: Origin,
    /// Written together with the session, or with the attempt where a second factor is asked for: whatever uses the
    /// proof up, or makes sure that it still holds.
    pub(crate) statements: Vec<Stmt>,
}

/// Why a proof brought no session.
pub(crate) enum Unfinished {
    /// The statements could not be written, a guard among them perhaps.
    Storage(StorageError),
    /// A second factor is asked for, or something else failed; the statements are written.
    Failed(Failure),
}

impl From<Unfinished> for Failure {
    fn from(unfinished: Unfinished) -> Self {
        match unfinished {
            Unfinished::Storage(error) => error.into(),
            Unfinished::Failed(failure) => failure,
        }
    }
}

/// Ends every way to sign in: begins a session, or asks for the second factor of a user who has one.
///
/// # Errors
/// `MULTI_FACTOR_AUTHENTICATION_REQUIRED`, and what stops the statements.
pub(crate) async fn finish(
    app: &App,
    project: &Project,
    factor: Factor<'_>,
) -> Result<SignInResult, Unfinished> {
    if !factor.user.requires_totp_mfa {
        return open(app, project, factor).await;
    }
    let Factor { user, amr, is_new_user, mut statements, .. } = factor;
    let waiting = Waiting { user_id: user.id, is_new_user, amr: amr.to_owned() };
    let kind = kind::MFA_ATTEMPT;
    let attempt = one_time_codes::issue_for(app, &project.id, user.id, kind, &waiting, ATTEMPT_LIFETIME)
        .map_err(Unfinished::Failed)?;
    statements.push(attempt.statement);
    app.store.batch(statements).await.map_err(Unfinished::Storage)?;
    Err(Unfinished::Failed(KnownError::multi_factor_authentication_required(&attempt.code).into()))
}

/// Begins a session with every factor that the user has.
///
/// # Errors
/// What stops the statements.
async fn open(app: &App, project: &Project, factor: Factor<'_>) -> Result<SignInResult, Unfinished> {
    open_with(app, project, factor, None, |_| Vec::new()).await
}

/// As [`finish`], with statements that have to know the session. A session that goes on from another one has proven no
/// more than that.
pub(crate) async fn finish_with(
    app: &App,
    project: &Project,
    factor: Factor<'_>,
    goes_on_from: Option<Proven>,
    about: impl FnOnce(&SessionRow) -> Vec<Stmt>,
) -> Result<SignInResult, Unfinished> {
    if factor.user.requires_totp_mfa {
        return finish(app, project, factor).await;
    }
    open_with(app, project, factor, goes_on_from, about).await
}

/// As [`open`], for [`finish_with`].
async fn open_with(
    app: &App,
    project: &Project,
    factor: Factor<'_>,
    goes_on_from: Option<Proven>,
    about: impl FnOnce(&SessionRow) -> Vec<Stmt>,
) -> Result<SignInResult, Unfinished> {
    let Factor { user, amr, is_new_user, origin, mut statements } = factor;
    let Origin { end_user: end_user_ip, address } = origin;
    let beginning =
        Beginning { user: user.id, amr, expires_in_millis: None, is_impersonation: false, end_user_ip };
    let (mut session, token) = begin(app, &project.id, beginning);
    if let Some(proven) = goes_on_from {
        proven.limit(&mut session);
    }
    statements.push(sessions::insert(&session));
    statements.extend(about(&session));
    if !is_new_user {
        let event = Event::of_user(Actor::User, user.id).in_session(session.id).at_address(address);
        statements.push(audit::record(app, &project.id, audit::kind::SIGNED_IN, &event));
    }
    app.store.batch(statements).await.map_err(Unfinished::Storage)?;
    app.activity.note(&project.id, session.id, user.id, app.now(), None);
    let minted = access_tokens::mint(app, project, &user.subject(), &session).await;
    let access_token = minted.map_err(Unfinished::Failed)?;
    let tokens = TokenPair { access_token, refresh_token: token.into_text(), user_id: user.id };
    Ok(SignInResult { tokens, is_new_user })
}
