//! The ways to sign in, one file each, and what they all end with.

pub mod password;

use std::net::IpAddr;

use latchkey_api_types::auth::TokenPair;
use latchkey_api_types::session::EndUserIpInfo;
use latchkey_api_types::{KnownError, ids::OneTimeCodeId};
use latchkey_crypto::TokenHash;
use latchkey_storage::StorageError;
use latchkey_storage::engine::Stmt;
use latchkey_storage::one_time_codes::{self, OneTimeCodeRow};
use latchkey_storage::sessions::SessionRow;
use latchkey_storage::users::UserRow;
use serde_json::json;

use crate::access_tokens;
use crate::app::App;
use crate::failure::Failure;
use crate::one_time_codes::{kind, suffix};
use crate::projects::Project;
use crate::refresh_tokens::RefreshToken;

/// From where somebody signs up or in.
#[derive(Clone, Default)]
pub struct Origin {
    /// What the session records; browsers only (contract 03 §8).
    pub end_user: Option<EndUserIpInfo>,
    /// For the audit log, whatever the caller claims to be.
    pub address: Option<IpAddr>,
}

/// How long a first factor waits for the second, milliseconds (contract 04 §4).
const ATTEMPT_LIFETIME: i64 = 5 * 60 * 1000;

/// The answer to a sign-in whose session is written.
async fn token_pair(
    app: &App,
    project: &Project,
    user: &UserRow,
    session: &SessionRow,
    refresh_token: RefreshToken,
) -> Result<TokenPair, Failure> {
    app.activity.note(&project.id, session.id, user.id, app.now(), None);
    Ok(TokenPair {
        access_token: access_tokens::mint(app, project, user, session).await?,
        refresh_token: refresh_token.into_text(),
        user_id: user.id,
    })
}

/// Answers a first factor of a user who has a second one: remembers the attempt and asks for the code. `guard` is
/// what must still hold of the first factor when the attempt is written.
async fn second_factor_required(
    app: &App,
    project: &Project,
    user: &UserRow,
    is_new_user: bool,
    guard: Option<Stmt>,
) -> Result<Failure, StorageError> {
    let code = app.random.token();
    let now = app.now();
    let row = OneTimeCodeRow {
        project_id: project.id.clone(),
        id: OneTimeCodeId::from_uuid(app.random.uuid()),
        kind: kind::MFA_ATTEMPT.to_owned(),
        code_hash: TokenHash::of(&code),
        suffix_hash: TokenHash::of(suffix(&code)),
        data: json!({ "user_id": user.id, "is_new_user": is_new_user }).to_string(),
        attempts: 0,
        created_at: now,
        expires_at: now + ATTEMPT_LIFETIME,
        used_at: None,
    };
    app.store.batch(guard.into_iter().chain([one_time_codes::insert(&row)]).collect()).await?;
    Ok(KnownError::multi_factor_authentication_required(&code).into())
}
