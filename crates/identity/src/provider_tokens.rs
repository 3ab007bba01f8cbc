//! What providers gave for linked accounts: sealed when it comes, opened when it is used, and which of it is of use any
//! more. Handing access tokens out is the business of `connected_accounts`.

pub(crate) mod refresh;

use latchkey_api_types::ids::{OauthAccountId, OauthTokensId, ProjectId};
use latchkey_oauth::authorization::is_scope;
use latchkey_oauth::token::ProviderTokens;
use latchkey_storage::engine::Stmt;
use latchkey_storage::oauth_tokens::{self, OauthTokensRow};

use crate::app::App;
use crate::failure::Failure;
use crate::oauth_upstreams::Provider;

/// How many grants of one account are kept: one for each set of scopes that no other one has.
const MOST: usize = 10;

/// The two tokens of a grant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
}

/// What a token is sealed for: nobody who can write to the database can exchange those of two accounts.
pub(crate) fn seal_context(row: &OauthTokensRow, kind: Kind) -> String {
    let kind = match kind {
        Kind::Access => "access",
        Kind::Refresh => "refresh",
    };
    format!("oauth-{kind}-token:{}:{}:{}", row.project_id, row.oauth_account_id, row.id)
}

fn seal(app: &App, row: &OauthTokensRow, kind: Kind, token: &str) -> Vec<u8> {
    app.master_keys.seal(&seal_context(row, kind), token.as_bytes())
}

/// A token of a grant; `None` if it has none of this kind.
pub(crate) fn open(app: &App, row: &OauthTokensRow, kind: Kind) -> Result<Option<String>, Failure> {
    let sealed = match kind {
        Kind::Access => &row.access_token_sealed,
        Kind::Refresh => &row.refresh_token_sealed,
    };
    let Some(sealed) = sealed else { return Ok(None) };
    let opened = app.master_keys.open(&seal_context(row, kind), sealed).map_err(Failure::internal)?;
    String::from_utf8(opened.to_vec()).map(Some).map_err(Failure::internal)
}

/// The grants of an account, newest first.
pub(crate) async fn list(
    app: &App,
    project: &ProjectId,
    account: OauthAccountId,
) -> Result<Vec<OauthTokensRow>, Failure> {
    let project = project.clone();
    let look = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(oauth_tokens::list(tx, &project, account).await?) })
    });
    look.await
}

/// Whether tokens were made for the client that we are at the provider now. Those of another one cannot be refreshed,
/// and those of the deployment's must not reach a project that has replaced it by its own.
pub(crate) fn is_of(row: &OauthTokensRow, provider: &Provider) -> bool {
    row.is_shared == provider.is_shared && row.client_id == provider.client.id
}

/// Scopes as they are kept: what the provider said, or else what it was asked for (RFC 6749 §5.1).
fn scopes(tokens: &ProviderTokens, asked: &[String]) -> String {
    let granted = tokens.scopes.as_deref().unwrap_or(asked);
    let mut scopes: Vec<&str> = granted.iter().map(String::as_str).filter(|scope| is_scope(scope)).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes.join(" ")
}

fn holds(scopes: &str, wanted: &str) -> bool {
    scopes.split(' ').any(|scope| scope == wanted)
}

/// Whether tokens of this kind in a grant have all the scopes that are wanted. `offline_access` is no right but the
/// wish for a refresh token (OpenID Connect Core 1.0 §11), and not every provider repeats it.
pub(crate) fn covers(row: &OauthTokensRow, kind: Kind, wanted: &[String]) -> bool {
    let scopes = match kind {
        Kind::Access => &row.access_scopes,
        Kind::Refresh => &row.refresh_scopes,
    };
    let is_met =
        |scope: &str| scope == "offline_access" && row.refresh_token_sealed.is_some() || holds(scopes, scope);
    wanted.iter().all(|scope| is_met(scope))
}

/// Whether nothing can be had by the old grant that cannot be had by the new one.
fn is_superseded(old: &OauthTokensRow, new: &OauthTokensRow) -> bool {
    let lasts = new.refresh_token_sealed.is_some() || old.refresh_token_sealed.is_none();
    lasts && old.refresh_scopes.split(' ').all(|scope| scope.is_empty() || holds(&new.refresh_scopes, scope))
}

fn expiry(app: &App, tokens: &ProviderTokens) -> Option<i64> {
    tokens.expires_in_seconds.map(|seconds| app.now().saturating_add(seconds.saturating_mul(1000)))
}

/// What keeps the tokens of a callback for an account, in place of those that they supersede.
pub(crate) async fn keep(
    app: &App,
    project: &ProjectId,
    provider: &Provider,
    account: OauthAccountId,
    tokens: &ProviderTokens,
    asked: &[String],
) -> Result<Vec<Stmt>, Failure> {
    let scopes = scopes(tokens, asked);
    let mut row = OauthTokensRow {
        project_id: project.clone(),
        id: OauthTokensId::from_uuid(app.random.uuid()),
        oauth_account_id: account,
        client_id: provider.client.id.clone(),
        is_shared: provider.is_shared,
        access_token_sealed: None,
        access_scopes: scopes.clone(),
        access_expires_at: expiry(app, tokens),
        refresh_token_sealed: None,
        refresh_scopes: scopes,
        generation: 0,
        refreshing_until: 0,
        created_at: app.now(),
    };
    row.access_token_sealed = Some(seal(app, &row, Kind::Access, &tokens.access_token));
    row.refresh_token_sealed =
        tokens.refresh_token.as_deref().map(|token| seal(app, &row, Kind::Refresh, token));
    let held = list(app, project, account).await?;
    let mut statements: Vec<Stmt> = held
        .iter()
        .enumerate()
        .filter(|(place, old)| place + 1 >= MOST || !is_of(old, provider) || is_superseded(old, &row))
        .map(|(_, old)| oauth_tokens::delete(project, old.id))
        .collect();
    statements.push(oauth_tokens::insert(&row));
    Ok(statements)
}
