//! Refreshing the tokens of a grant: once, however many ask. Providers rotate refresh tokens and end the grant when an
//! old one comes again (RFC 9700 §4.14.2), so that two refreshes at a time would lose the account.
//!
//! In a process, whoever comes second waits for the first one's result. Between processes a claim in the database
//! decides, which no transaction is held for and which ends by itself if its owner dies. A refresh that has begun is
//! brought to its end even if nobody waits for it any more: the provider's answer comes once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_api_types::ids::{OauthTokensId, ProjectId};
use latchkey_oauth::UpstreamError;
use latchkey_oauth::token::ProviderTokens;
use latchkey_storage::engine::Stmt;
use latchkey_storage::oauth_tokens::{self, OauthTokensRow};
use tokio::sync::{RwLock, watch};

use super::{Kind, expiry, open, scopes, seal};
use crate::app::App;
use crate::failure::Failure;
use crate::oauth_upstreams::{self, Provider};

/// How long beyond the provider's time a claim lasts, milliseconds: for the clocks of several servers, and for writing
/// down what came.
const LEASE_MARGIN: i64 = 20_000;

/// What providers say of a refresh token that they do not take any more: RFC 6749 §5.2, and GitHub's own word.
const GONE: [&str; 2] = ["invalid_grant", "bad_refresh_token"];

/// How a refresh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The row holds new tokens.
    Renewed,
    /// This grant gives nothing any more, or not to us.
    Refused,
    /// The provider has trouble; nothing is held against the grant.
    Unavailable,
    /// Another server is at it, or the row is not what it was.
    Elsewhere,
    /// Something is wrong here; the log says what.
    Failed,
}

/// A grant as it was read: whoever has seen what one refresh brought is not answered by the end of that one.
type Key = (ProjectId, OauthTokensId, i64);

/// The refreshes that are under way in this process.
#[derive(Default)]
pub(crate) struct Refreshes {
    under_way: Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>,
    /// Held by each of them.
    in_flight: Arc<RwLock<()>>,
}

impl Refreshes {
    fn under_way(&self) -> MutexGuard<'_, HashMap<Key, watch::Receiver<Option<Outcome>>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a refresh from the list, however it ended.
struct UnderWay {
    app: Arc<App>,
    key: Key,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.app.refreshes.under_way().remove(&self.key);
    }
}

/// Waits until no refresh is under way.
pub(crate) async fn finish(app: &App) {
    drop(app.refreshes.in_flight.write().await);
}

/// Refreshes a grant as it was read, or waits for whoever is at it in this process.
pub(crate) async fn refresh(app: &Arc<App>, provider: &Arc<Provider>, row: &OauthTokensRow) -> Outcome {
    let key = (row.project_id.clone(), row.id, row.generation);
    let mut receiver = {
        let mut under_way = app.refreshes.under_way();
        if let Some(receiver) = under_way.get(&key) {
            receiver.clone()
        } else {
            let (sender, receiver) = watch::channel(None);
            under_way.insert(key.clone(), receiver.clone());
            let listed = UnderWay { app: Arc::clone(app), key };
            let (app, provider, row) = (Arc::clone(app), Arc::clone(provider), row.clone());
            tokio::spawn(async move {
                let working = Arc::clone(&app.refreshes.in_flight).read_owned().await;
                let outcome = attempt(&app, &provider, row).await.unwrap_or_else(|error| {
                    tracing::error!(?error, "a refresh of a provider's tokens failed");
                    Outcome::Failed
                });
                // Off the list before anybody hears of it: whoever comes then looks at the row again.
                drop(listed);
                let _ = sender.send(Some(outcome));
                drop(working);
            });
            receiver
        }
    };
    let outcome = receiver.wait_for(Option::is_some).await.map(|outcome| *outcome);
    outcome.ok().flatten().unwrap_or(Outcome::Failed)
}

async fn attempt(app: &App, provider: &Provider, row: OauthTokensRow) -> Result<Outcome, Failure> {
    let Some(token) = open(app, &row, Kind::Refresh)? else { return Ok(Outcome::Elsewhere) };
    let now = app.now();
    let until = now + app.config.oauth.provider_timeout.as_millis() + LEASE_MARGIN;
    if !affects(app, vec![oauth_tokens::claim(&row, now, until)]).await? {
        return Ok(Outcome::Elsewhere);
    }
    match oauth_upstreams::refreshed(app, provider, &token).await {
        Ok(tokens) => {
            let written = affects(app, vec![oauth_tokens::renew(&renewed(app, row, &tokens))]).await?;
            Ok(if written { Outcome::Renewed } else { Outcome::Elsewhere })
        }
        Err(error) => {
            let UpstreamError::Refused(code) = &error else {
                tracing::info!(project = %row.project_id, provider = provider.id, %error, "a refresh failed");
                app.store.batch(vec![oauth_tokens::release(&row, until)]).await?;
                let is_transient = error.is_transient();
                return Ok(if is_transient { Outcome::Unavailable } else { Outcome::Refused });
            };
            tracing::info!(project = %row.project_id, provider = provider.id, %error, "a refresh was refused");
            // RFC 6749 §5.2. Other codes are about the client or the request, and say nothing about the token.
            let statements = if GONE.contains(&code.as_str()) {
                vec![oauth_tokens::end_refresh_token(&row), oauth_tokens::delete_if_empty(&row)]
            } else {
                vec![oauth_tokens::release(&row, until)]
            };
            affects(app, statements).await?;
            Ok(Outcome::Refused)
        }
    }
}

/// The row with new tokens. A refresh token that is not replaced stays (RFC 6749 §6), and so do its scopes: the access
/// token may have fewer.
fn renewed(app: &App, mut row: OauthTokensRow, tokens: &ProviderTokens) -> OauthTokensRow {
    let asked: Vec<String> = row.refresh_scopes.split(' ').map(str::to_owned).collect();
    row.access_token_sealed = Some(seal(app, &row, Kind::Access, &tokens.access_token));
    row.access_scopes = scopes(tokens, &asked);
    row.access_expires_at = expiry(app, tokens);
    if let Some(token) = &tokens.refresh_token {
        row.refresh_token_sealed = Some(seal(app, &row, Kind::Refresh, token));
    }
    row
}

/// Runs statements; whether the first one affected a row.
async fn affects(app: &App, statements: Vec<Stmt>) -> Result<bool, Failure> {
    let outcomes = app.store.batch(statements).await?;
    Ok(outcomes.first().is_some_and(|outcome| outcome.affected > 0))
}
