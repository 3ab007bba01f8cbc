//! Access tokens: minting them from a user and a session, and verifying them. A token whose signature was good once
//! is remembered by its hash, so that the curve is not climbed again for every request; its expiry is checked each
//! time, and whether its session still lives is asked of the database each time (see `authenticate`).

use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::ProjectId;
use latchkey_config::settings::ExtraClaim;
use latchkey_crypto::TokenHash;
use latchkey_jose::{Expect, JwtError, peek_claims, peek_kid};
use latchkey_storage::sessions::SessionRow;
use latchkey_storage::users::SubjectRow;
use quick_cache::sync::Cache;
use serde_json::Value;

use crate::app::App;
use crate::claims::{AccessClaims, UserKind, restricted_reason};
use crate::failure::Failure;
use crate::permissions;
use crate::projects::Project;
use crate::signing_keys;

const CAPACITY: usize = 20_000;

/// Tokens whose signature, issuer and audience were found good.
pub(crate) struct VerifiedTokens(Cache<[u8; 32], Arc<AccessClaims>>);

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

/// Why a token is not accepted.
#[derive(Debug)]
pub(crate) enum TokenProblem {
    /// Malformed, forged, or of a foreign issuer.
    Unparsable,
    /// Everything is right but the time. Details are what the token says.
    Expired(Expired),
    /// The token could not be looked at.
    Failure(Failure),
}

impl From<TokenProblem> for Failure {
    fn from(problem: TokenProblem) -> Self {
        match problem {
            TokenProblem::Unparsable => KnownError::unparsable_access_token().into(),
            TokenProblem::Expired(expired) => KnownError::access_token_expired(
                expired.at_millis,
                expired.project_id.as_deref(),
                expired.user_id.as_deref(),
                expired.refresh_token_id.as_deref(),
            )
            .into(),
            TokenProblem::Failure(failure) => failure,
        }
    }
}

/// What an expired token says about itself.
#[derive(Debug, Default)]
pub(crate) struct Expired {
    pub(crate) at_millis: Option<i64>,
    pub(crate) project_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) refresh_token_id: Option<String>,
    /// Whether its user was anonymous or restricted.
    pub(crate) is_restricted: bool,
}

/// Mints a token for a user as of now.
pub(crate) async fn mint(
    app: &App,
    project: &Project,
    user: &SubjectRow,
    session: &SessionRow,
) -> Result<String, Failure> {
    let reason = restricted_reason(user, project);
    let kind = UserKind::of_reason(reason);
    // By project setting, anonymous users get tokens that plain verifiers accept, and can tell by the role.
    let (kind, role) = match kind {
        UserKind::Anonymous if project.settings.latchkey.anonymous_tokens_use_project_audience => {
            (UserKind::Normal, "anon")
        }
        kind => (kind, "authenticated"),
    };
    let now = app.clock.now_seconds();
    let wants = |claim: ExtraClaim| project.settings.latchkey.extra_claims.contains(&claim);
    let permissions = if wants(ExtraClaim::Permissions) {
        Some(permissions::effective_in_project(app, project, user.id).await?)
    } else {
        None
    };
    let claims = AccessClaims {
        sub: user.id,
        iss: kind.issuer(&app.public_url, &project.id),
        aud: kind.audience(&project.id),
        iat: now,
        exp: now + app.config.tokens.access_token_lifetime.as_millis() / 1000,
        project_id: project.id.clone(),
        branch_id: "main".to_owned(),
        refresh_token_id: session.id,
        role: role.to_owned(),
        name: user.display_name.clone(),
        email: user.primary_email.clone(),
        email_verified: user.primary_email_verified == Some(true),
        selected_team_id: user.selected_team_id,
        signed_up_at: user.signed_up_at.div_euclid(1000),
        is_anonymous: user.is_anonymous,
        is_restricted: reason.is_some(),
        restricted_reason: reason,
        requires_totp_mfa: user.requires_totp_mfa,
        jti: wants(ExtraClaim::Jti).then(|| app.random.token()),
        amr: wants(ExtraClaim::Amr).then(|| session.amr.split_whitespace().map(str::to_owned).collect()),
        auth_time: wants(ExtraClaim::AuthTime).then(|| session.auth_time.div_euclid(1000)),
        permissions,
    };
    signing_keys::sign(app, &project.id, kind, &claims).await
}

/// Verifies signature, issuer, audience, consistency and time of a token of any project and kind.
pub(crate) async fn verify(app: &App, token: &str) -> Result<Arc<AccessClaims>, TokenProblem> {
    let digest = *TokenHash::of(token).as_bytes();
    let now = app.clock.now_seconds();
    let claims = if let Some(claims) = app.verified_tokens.0.get(&digest) {
        claims
    } else {
        let claims = Arc::new(verify_signature(app, token, now).await?);
        app.verified_tokens.0.insert(digest, Arc::clone(&claims));
        claims
    };
    if claims.exp <= now { Err(TokenProblem::Expired(expired(token))) } else { Ok(claims) }
}

async fn verify_signature(app: &App, token: &str, now: i64) -> Result<AccessClaims, TokenProblem> {
    let (project, kind) = audience(token).ok_or(TokenProblem::Unparsable)?;
    let kid = peek_kid(token).ok_or(TokenProblem::Unparsable)?;
    let keys = signing_keys::for_verification(app, &project, &kid).await.map_err(TokenProblem::Failure)?;
    let key = keys.verifying(&kid, kind).ok_or(TokenProblem::Unparsable)?;
    let issuer = kind.issuer(&app.public_url, &project);
    let audience = kind.audience(&project);
    let expect = Expect { issuers: &[&issuer], audience: &audience, now_seconds: now, leeway_seconds: 0 };
    let claims: AccessClaims = key.verify(token, &expect).map_err(|error| match error {
        JwtError::Expired => TokenProblem::Expired(expired(token)),
        _ => TokenProblem::Unparsable,
    })?;
    if claims.are_consistent() { Ok(claims) } else { Err(TokenProblem::Unparsable) }
}

/// Reads, without believing it, for which project and kind of user the token claims to be.
fn audience(token: &str) -> Option<(ProjectId, UserKind)> {
    UserKind::of_audience(peek_claims(token)?.get("aud")?.as_str()?)
}

fn expired(token: &str) -> Expired {
    let Some(claims) = peek_claims(token) else { return Expired::default() };
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Expired {
        at_millis: claims.get("exp").and_then(Value::as_i64).map(|seconds| seconds.saturating_mul(1000)),
        project_id: text("project_id"),
        user_id: text("sub"),
        refresh_token_id: text("refresh_token_id"),
        is_restricted: claims.get("restricted_reason").is_some_and(|reason| !reason.is_null()),
    }
}
