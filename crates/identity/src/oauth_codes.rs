//! The authorization codes that we issue, and what they are exchanged for (contract 04 §8.4, 03 §7).

use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::auth::{SignInResult, TokenPair};
use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_crypto::TokenHash;
use latchkey_oauth::authorization_code::{Binding, LIFETIME_MILLIS, Redemption, Refusal};
use latchkey_oauth::pkce::Challenge;
use latchkey_storage::StorageError;
use latchkey_storage::engine::Stmt;
use latchkey_storage::oauth_authorization_codes::{self as codes, OauthAuthorizationCodeRow};
use latchkey_storage::sessions as stored_sessions;

use crate::access_tokens;
use crate::app::App;
use crate::audit::{self, Actor, Event};
use crate::failure::Failure;
use crate::projects::Project;
use crate::refresh_tokens::RefreshToken;
use crate::sessions::{Proven, Standing, find_family, find_user, standing};
use crate::sign_in::{Factor, Origin, Unfinished, finish_with, oauth};

/// What a code is asked for with.
pub(crate) struct Grant<'a> {
    /// Where it goes, as text.
    pub(crate) redirect_uri: &'a str,
    /// Whose possession has to be proven.
    pub(crate) challenge: &'a Challenge,
    /// What the token endpoint gives back.
    pub(crate) after_callback_redirect_url: Option<&'a str>,
}

/// Who signs in by a code.
pub(crate) struct Holder {
    pub(crate) user: UserId,
    /// Whether the account was created, or upgraded, on the way to it.
    pub(crate) is_new_user: bool,
    /// An account that is written when the code is redeemed: what [`sealed_arrival`] gave.
    pub(crate) arrival_sealed: Option<Vec<u8>>,
    /// What the session had proven from which the new one goes on.
    pub(crate) proven: Option<Proven>,
}

impl Holder {
    /// Somebody who signs in by the code itself, with nothing left to be written.
    pub(crate) fn of(user: UserId, is_new_user: bool) -> Self {
        Self { user, is_new_user, arrival_sealed: None, proven: None }
    }
}

/// A code that is not stored yet, and the only copy of it.
pub(crate) struct NewCode {
    /// 64 hexadecimal digits.
    pub(crate) code: String,
    /// Stores it.
    pub(crate) statement: Stmt,
}

/// Makes a code by which somebody signs in.
pub(crate) fn issue(app: &App, project: &ProjectId, grant: &Grant<'_>, holder: Holder) -> NewCode {
    let (code, row) = blank(app, project, grant, holder.user);
    let row = OauthAuthorizationCodeRow {
        is_new_user: holder.is_new_user,
        arrival_sealed: holder.arrival_sealed,
        proven: holder.proven.as_ref().and_then(|proven| serde_json::to_string(proven).ok()),
        ..row
    };
    NewCode { code, statement: codes::insert(&row) }
}

/// Seals what is written when a code is redeemed.
pub(crate) fn sealed_arrival(app: &App, project: &ProjectId, arrival: &[u8]) -> Vec<u8> {
    app.master_keys.seal(&arrival_context(project), arrival)
}

fn arrival_context(project: &ProjectId) -> String {
    format!("oauth-arrival:{project}")
}

/// Makes a code that hands a session over to another domain.
pub(crate) fn hand_over(
    app: &App,
    project: &ProjectId,
    grant: &Grant<'_>,
    session: &stored_sessions::SessionRow,
    refresh_token: &str,
) -> NewCode {
    let (code, row) = blank(app, project, grant, session.user_id);
    let sealed = app.master_keys.seal(&seal_context(project), refresh_token.as_bytes());
    let row = OauthAuthorizationCodeRow {
        handed_over_session_id: Some(session.id),
        refresh_token_sealed: Some(sealed),
        proven: serde_json::to_string(&Proven::by(session)).ok(),
        ..row
    };
    NewCode { code, statement: codes::insert(&row) }
}

fn seal_context(project: &ProjectId) -> String {
    format!("oauth-code:{project}")
}

fn blank(
    app: &App,
    project: &ProjectId,
    grant: &Grant<'_>,
    user: UserId,
) -> (String, OauthAuthorizationCodeRow) {
    let mut bytes = [0; 32];
    app.random.fill(&mut bytes);
    let code = hex(&bytes);
    let now = app.now();
    let row = OauthAuthorizationCodeRow {
        project_id: project.clone(),
        code_hash: TokenHash::of(&code),
        user_id: user,
        redirect_uri: grant.redirect_uri.to_owned(),
        challenge: grant.challenge.value().to_owned(),
        challenge_method: grant.challenge.method().as_str().to_owned(),
        is_new_user: false,
        after_callback_redirect_url: grant.after_callback_redirect_url.map(str::to_owned),
        handed_over_session_id: None,
        refresh_token_sealed: None,
        created_at: now,
        expires_at: now.saturating_add(LIFETIME_MILLIS),
        used_at: None,
        session_id: None,
        arrival_sealed: None,
        proven: None,
    };
    (code, row)
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// What somebody says who redeems a code.
pub(crate) struct Presented<'a> {
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) code_verifier: Option<&'a str>,
    pub(crate) origin: Origin,
}

/// What a code was exchanged for.
pub struct Redeemed {
    /// Tokens and whether the account is new.
    pub result: SignInResult,
    /// What was given with the request for the code.
    pub after_callback_redirect_url: Option<String>,
}

fn invalid() -> Failure {
    KnownError::invalid_authorization_code().into()
}

/// Exchanges a code, once. A second time, with the right proof, ends the session that the first one began (RFC 6749
/// §4.1.2): one of the two was a thief.
///
/// # Errors
/// `INVALID_AUTHORIZATION_CODE`, 400 for another `redirect_uri`, `MULTI_FACTOR_AUTHENTICATION_REQUIRED`.
pub(crate) async fn redeem(
    app: &App,
    project: &Arc<Project>,
    presented: Presented<'_>,
) -> Result<Redeemed, Failure> {
    let hash = TokenHash::of(presented.code);
    let (of, wanted) = (project.id.clone(), hash.clone());
    let look = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(codes::get(tx, &of, &wanted).await?) }));
    let row = look.await?.ok_or_else(invalid)?;
    let challenge = Challenge::parse(&row.challenge_method, &row.challenge).map_err(Failure::internal)?;
    let binding = Binding {
        client_id: row.project_id.as_str(),
        redirect_uri: &row.redirect_uri,
        challenge: &challenge,
        expires_at: row.expires_at,
    };
    let redemption = Redemption {
        client_id: project.id.as_str(),
        redirect_uri: presented.redirect_uri,
        code_verifier: presented.code_verifier,
        now: app.now(),
    };
    let claim = codes::claim(&project.id, &hash, app.now()).exactly(1);
    let refusal = binding.check(&redemption).err();
    if refusal == Some(Refusal::Invalid) {
        return Err(invalid());
    }
    if row.used_at.is_some() {
        return Err(replayed(app, project, &hash).await?);
    }
    if refusal == Some(Refusal::RedirectUri) {
        return match app.store.batch(vec![claim]).await {
            Ok(_) => Err(Failure::text(400, "redirect_uri is not the one that the code was asked with.")),
            Err(StorageError::Guard { .. }) => Err(invalid()),
            Err(error) => Err(error.into()),
        };
    }
    let after_callback_redirect_url = row.after_callback_redirect_url.clone();
    let result = exchange(app, project, &row, claim, presented.origin).await?;
    Ok(Redeemed { result, after_callback_redirect_url })
}

async fn exchange(
    app: &App,
    project: &Arc<Project>,
    row: &OauthAuthorizationCodeRow,
    claim: Stmt,
    origin: Origin,
) -> Result<SignInResult, Failure> {
    let proven: Option<Proven> =
        row.proven.as_deref().map(serde_json::from_str).transpose().map_err(Failure::internal)?;
    // Whoever ends a session ends what was to go on from it.
    let lives = proven.as_ref().map(|proven| proven.lives(&project.id, row.user_id, app.now()).exactly(1));
    if let Some(lives) = &lives {
        match app.store.batch(vec![lives.clone()]).await {
            Err(StorageError::Guard { .. }) => return Err(invalid()),
            outcome => outcome?,
        };
    }
    if let Some(sealed) = &row.arrival_sealed {
        let arrival =
            app.master_keys.open(&arrival_context(&project.id), sealed).map_err(Failure::internal)?;
        let taken = codes::take_arrival(&project.id, &row.code_hash, app.now()).exactly(1);
        oauth::arrive(app, project, &arrival, row.user_id, taken).await?;
    }
    let user = find_user(app, &project.id, row.user_id).await?.ok_or_else(invalid)?;
    if !user.requires_totp_mfa
        && let Some(tokens) = handed_over(app, project, row, &claim).await?
    {
        return Ok(SignInResult { tokens, is_new_user: false });
    }
    let factor = Factor {
        user: &user,
        // RFC 8176 has no word for a proof that somebody else checked.
        amr: "",
        is_new_user: row.is_new_user && !user.requires_totp_mfa,
        origin,
        statements: [claim].into_iter().chain(lives).collect(),
    };
    let remember = |session: &stored_sessions::SessionRow| {
        vec![codes::set_session(&project.id, &row.code_hash, session.id)]
    };
    match finish_with(app, project, factor, proven, remember).await {
        Ok(result) => Ok(result),
        // Somebody else was faster, with the right proof, or the session that it goes on from has ended.
        Err(Unfinished::Storage(StorageError::Guard { .. })) => {
            Err(replayed(app, project, &row.code_hash).await?)
        }
        Err(Unfinished::Storage(StorageError::ForeignKey)) => Err(invalid()),
        Err(unfinished) => Err(unfinished.into()),
    }
}

/// Goes on with the session that a code hands over, with the same refresh token; `None` if it hands none over, or the
/// session is over or has another token by now.
async fn handed_over(
    app: &App,
    project: &Project,
    row: &OauthAuthorizationCodeRow,
    claim: &Stmt,
) -> Result<Option<TokenPair>, Failure> {
    let (Some(id), Some(sealed)) = (row.handed_over_session_id, &row.refresh_token_sealed) else {
        return Ok(None);
    };
    let opened = app.master_keys.open(&seal_context(&project.id), sealed).map_err(Failure::internal)?;
    let text = std::str::from_utf8(&opened).map_err(Failure::internal)?;
    let Some(token) = RefreshToken::parse(text) else { return Ok(None) };
    let Some(found) = find_family(app, &project.id, &token).await? else { return Ok(None) };
    let now = app.now();
    let is_current = matches!(standing(app, &found.session, &token, now), Standing::Current);
    if found.session.id != id || found.user.id != row.user_id || !is_current {
        return Ok(None);
    }
    let end = now.saturating_add(app.config.tokens.refresh_token_lifetime.as_millis());
    // Whoever acts as a user does so for as long as they were allowed to.
    let end = found.session.expires_at.filter(|_| found.session.is_impersonation).unwrap_or(end);
    let prolonged = stored_sessions::prolong(&project.id, id, row.user_id, now, end).exactly(1);
    match app.store.batch(vec![prolonged, claim.clone()]).await {
        // The session has ended, or the code was used: the guards of a new session tell which.
        Err(StorageError::Guard { .. }) => return Ok(None),
        outcome => outcome?,
    };
    app.activity.note(&project.id, id, row.user_id, now, None);
    let access_token = access_tokens::mint(app, project, &found.user, &found.session).await?;
    Ok(Some(TokenPair { access_token, refresh_token: token.into_text(), user_id: row.user_id }))
}

/// Ends the session that a code began which is used again.
async fn replayed(app: &App, project: &Project, hash: &TokenHash) -> Result<Failure, Failure> {
    let (of, wanted) = (project.id.clone(), hash.clone());
    let look = app
        .store
        .lookup(move |tx| Box::pin(async move { Ok::<_, Failure>(codes::get(tx, &of, &wanted).await?) }));
    if let Some(row) = look.await?
        && let Some(session) = row.session_id
    {
        let event = Event::of_user(Actor::System, row.user_id).in_session(session);
        let recorded = audit::record(app, &project.id, audit::kind::REUSE_DETECTED, &event);
        tracing::warn!(%session, user = %row.user_id, "an authorization code was used again; session ended");
        match app.store.batch(vec![stored_sessions::delete(&project.id, session).exactly(1), recorded]).await
        {
            Ok(_) | Err(StorageError::Guard { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(invalid())
}
