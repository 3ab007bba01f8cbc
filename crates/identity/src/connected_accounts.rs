//! Connected accounts (contract 04 §8.7): which accounts of a user the application may use, and access tokens of the
//! providers for them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use latchkey_api_types::KnownError;
use latchkey_api_types::connected_account::{ConnectedAccount, ProviderAccessToken};
use latchkey_api_types::ids::{OauthTokensId, UserId};
use latchkey_api_types::input::UserIdOrMe;
use latchkey_storage::oauth_accounts::{self, OauthAccountRow};
use latchkey_storage::oauth_tokens::{self, OauthTokensRow};
use latchkey_storage::users;

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;
use crate::oauth_upstreams::{self, Provider, configured};
use crate::provider_tokens::refresh::{self, Outcome};
use crate::provider_tokens::{self, Kind, covers, is_of};

/// How long a stored access token must still live to be handed out, milliseconds.
const REMAINING: i64 = 5 * 60 * 1000;

/// The pauses in which somebody looks for what another server is fetching: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));

/// The accounts of a user that the application may use, oldest first. Those of providers that the project does not have
/// any more are left out.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`; 403 for clients and other users; `USER_NOT_FOUND`.
pub async fn list(app: &App, auth: &Auth, user: UserIdOrMe) -> Result<Vec<ConnectedAccount>, Failure> {
    let user = auth.addressed_user(user)?;
    let rows = accounts(app, auth, user).await?;
    let view = |row: OauthAccountRow| ConnectedAccount {
        user_id: row.user_id,
        provider: row.provider_config_id,
        provider_account_id: row.account_id,
    };
    let is_known = |row: &OauthAccountRow| configured(&auth.project, &row.provider_config_id).is_ok();
    Ok(rows.into_iter().filter(is_known).map(view).collect())
}

/// The accounts of a user that the application may use, whatever their provider.
async fn accounts(app: &App, auth: &Auth, user: UserId) -> Result<Vec<OauthAccountRow>, Failure> {
    let project = auth.project.id.clone();
    let read = app.store.read(move |tx| {
        Box::pin(async move {
            if users::get(tx, &project, user).await?.is_none() {
                return Err(KnownError::user_not_found().into());
            }
            Ok::<_, Failure>(oauth_accounts::list(tx, &project, user).await?)
        })
    });
    let mut rows = read.await?;
    rows.retain(|row| row.allow_connected_accounts);
    Ok(rows)
}

/// A request for an access token.
pub struct Wanted {
    /// Whose.
    pub user: UserIdOrMe,
    /// The provider's id in the project's configuration.
    pub provider: String,
    /// The provider's id of the account; all that the user has there without it.
    pub account: Option<String>,
    /// The scopes that it must have, separated by spaces.
    pub scope: Option<String>,
}

/// An access token that its provider accepts and that has the scopes, refreshed if it must be.
///
/// # Errors
/// In this order: `CANNOT_GET_OWN_USER_WITHOUT_USER`, 403 for clients and other users,
/// `OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED`, `OAUTH_ACCESS_TOKEN_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS`,
/// `USER_NOT_FOUND`, `OAUTH_CONNECTION_NOT_CONNECTED_TO_USER`, those of a provider that cannot be used, and then
/// `OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE` or `OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE`.
pub async fn access_token(
    app: &Arc<App>,
    auth: &Auth,
    wanted: Wanted,
) -> Result<ProviderAccessToken, Failure> {
    let user = auth.addressed_user(wanted.user)?;
    let (settings, _) = configured(&auth.project, &wanted.provider)?;
    if settings.is_shared && !app.config.oauth.shared.hands_out_access_tokens {
        return Err(KnownError::oauth_access_token_not_available_with_shared_oauth_keys().into());
    }
    let mut accounts = accounts(app, auth, user).await?;
    accounts.retain(|row| {
        row.provider_config_id == wanted.provider
            && wanted.account.as_ref().is_none_or(|account| *account == row.account_id)
    });
    if accounts.is_empty() {
        return Err(KnownError::oauth_connection_not_connected_to_user().into());
    }
    let provider = oauth_upstreams::ready(app, &auth.project, &wanted.provider).await?;
    let scopes = wanted.scope.as_deref().unwrap_or_default().split_whitespace();
    let scopes = scopes.map(|scope| provider.upstream.scope_name(scope).to_owned()).collect();
    let search = Search {
        app,
        provider: Arc::new(provider),
        accounts,
        scopes,
        begun: HashMap::new(),
        exhausted: HashSet::new(),
    };
    search.run().await.map(|access_token| ProviderAccessToken { access_token })
}

/// A search among the grants of some accounts.
struct Search<'a> {
    app: &'a Arc<App>,
    provider: Arc<Provider>,
    accounts: Vec<OauthAccountRow>,
    scopes: Vec<String>,
    /// The generation of each grant when the search began.
    begun: HashMap<OauthTokensId, i64>,
    /// Grants whose refresh did not help.
    exhausted: HashSet<OauthTokensId>,
}

impl Search<'_> {
    async fn run(mut self) -> Result<String, Failure> {
        let mut pause = PAUSES.0;
        let mut paused = Duration::ZERO;
        loop {
            let grants = self.grants().await?;
            for grant in &grants {
                self.begun.entry(grant.id).or_insert(grant.generation);
            }
            if let Some(token) = self.stored(&grants).await? {
                return Ok(token);
            }
            let may_help = |grant: &&OauthTokensRow| {
                grant.refresh_token_sealed.is_some()
                    && covers(grant, Kind::Refresh, &self.scopes)
                    && !self.exhausted.contains(&grant.id)
            };
            let Some(grant) = grants.iter().find(may_help) else {
                return Err(KnownError::oauth_connection_does_not_have_required_scope().into());
            };
            match refresh::refresh(self.app, &self.provider, grant).await {
                // One more look; what came may be less than what is wanted, and would be so again.
                Outcome::Renewed | Outcome::Refused => {
                    self.exhausted.insert(grant.id);
                }
                Outcome::Elsewhere if paused < self.patience() => {
                    tokio::time::sleep(pause).await;
                    paused += pause;
                    pause = (pause * 2).min(PAUSES.1);
                }
                Outcome::Elsewhere | Outcome::Unavailable => {
                    return Err(KnownError::oauth_provider_temporarily_unavailable().into());
                }
                Outcome::Failed => return Err(Failure::internal("a refresh failed")),
            }
        }
    }

    /// How long another server may take.
    fn patience(&self) -> Duration {
        self.app.config.oauth.provider_timeout.as_std() + Duration::from_secs(5)
    }

    async fn grants(&self) -> Result<Vec<OauthTokensRow>, Failure> {
        let mut grants = Vec::new();
        for account in &self.accounts {
            grants.extend(provider_tokens::list(self.app, &account.project_id, account.id).await?);
        }
        grants.retain(|grant| is_of(grant, &self.provider));
        Ok(grants)
    }

    /// A stored access token that can be handed out. One that the provider refuses is forgotten.
    async fn stored(&self, grants: &[OauthTokensRow]) -> Result<Option<String>, Failure> {
        for grant in grants {
            // What came while we waited is as good as it gets, even if its life is short.
            let is_new = self.begun.get(&grant.id).is_some_and(|begun| grant.generation > *begun);
            let needed = self.app.now() + if is_new { 0 } else { REMAINING };
            let lives = grant.access_expires_at.is_none_or(|end| end > needed);
            if !lives || !covers(grant, Kind::Access, &self.scopes) {
                continue;
            }
            let Some(token) = provider_tokens::open(self.app, grant, Kind::Access)? else { continue };
            if is_new || self.is_accepted(&token).await? {
                return Ok(Some(token));
            }
            let statements =
                vec![oauth_tokens::end_access_token(grant), oauth_tokens::delete_if_empty(grant)];
            self.app.store.batch(statements).await?;
        }
        Ok(None)
    }

    /// Asks the provider. Its trouble is not held against the token.
    async fn is_accepted(&self, token: &str) -> Result<bool, Failure> {
        oauth_upstreams::accepts(self.app, &self.provider, token).await.map_err(|error| {
            tracing::info!(provider = self.provider.id, %error, "a provider did not say whether a token is good");
            KnownError::oauth_provider_temporarily_unavailable().into()
        })
    }
}
