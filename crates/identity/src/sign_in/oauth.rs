//! Signing in through an OAuth provider (contract 04 §8.2, §8.3): sending the browser there, and what happens when it
//! comes back. Whose account it is then is in `oauth/accounts.rs`; the codes that come out are in `oauth_codes`.

mod accounts;
pub mod apple_native;
mod arrivals;

use std::net::IpAddr;
use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{ProjectId, UserId};
use latchkey_crypto::TokenHash;
use latchkey_oauth::authorization::{Authorization, is_scope, returned_state};
use latchkey_oauth::pkce::{Challenge, Verifier};
use latchkey_oauth::{authorization_code, redirect};
use latchkey_storage::StorageError;
use latchkey_storage::oauth_states::{self, OauthStateRow};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::access_tokens;
use crate::app::App;
use crate::authenticate::{CurrentUser, client_key, load_user};
use crate::bot_challenge::{self, BotChallenge, Outcome};
use crate::failure::Failure;
use crate::oauth_codes::{self, Grant, Holder};
use crate::oauth_upstreams::{self, Sent, configured};
use crate::projects::{self, Project};
use crate::reauthentication;
use crate::sessions::Proven;
use crate::sign_in::Origin;
use crate::sign_in::targets::{has_targets, trusted};

pub(crate) use arrivals::arrive;

/// How long somebody may stay at the provider, milliseconds.
const LIFETIME: i64 = 10 * 60 * 1000;

/// The longest parameter that is remembered while somebody is at the provider, bytes.
const LONGEST_TEXT: usize = 4096;

/// A request to sign in, or to link an account.
pub struct Beginning {
    /// Key of the provider in the project's settings.
    pub provider: String,
    /// Project id, perhaps with `#branch`.
    pub client_id: String,
    /// Publishable key, or the sentinel of public clients.
    pub client_secret: String,
    /// Where the browser goes in the end.
    pub redirect_uri: String,
    /// Must be `legacy`, which is checked in the end.
    pub scope: String,
    /// Goes back to the client as it is.
    pub state: String,
    /// RFC 7636, checked in the end.
    pub code_challenge: String,
    /// RFC 7636, checked in the end.
    pub code_challenge_method: String,
    /// Whether the account is linked to the user of the token.
    pub is_link: bool,
    /// Access token.
    pub token: Option<String>,
    /// Further scopes for the provider, separated by spaces.
    pub provider_scope: Option<String>,
    /// Where the browser goes with an error if it cannot go to `redirect_uri`.
    pub error_redirect_uri: Option<String>,
    /// What the token endpoint gives back.
    pub after_callback_redirect_url: Option<String>,
    /// Whether this browser is given a cookie.
    pub gives_cookie: bool,
    /// The answer to a challenge against bots.
    pub bot_challenge: BotChallenge,
    /// Where the browser is.
    pub address: Option<IpAddr>,
}

/// Where the browser is sent.
pub struct Begun {
    /// The provider's page.
    pub location: String,
    /// The name of the cookie by which the same browser is known again.
    pub cookie: String,
    /// Whether the provider comes back by a form, with which a browser sends cookies of its own accord only if it is
    /// told to.
    pub comes_back_by_form: bool,
}

/// What is remembered of a flow while the browser is at the provider.
#[derive(Serialize, Deserialize)]
struct Flow {
    provider: String,
    client_secret: String,
    redirect_uri: String,
    scope: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
    /// To whom the account is linked.
    link: Option<UserId>,
    /// What the session had proven in which the account is linked.
    #[serde(default)]
    proven: Option<Proven>,
    /// The anonymous user who becomes a real one.
    upgrade: Option<UserId>,
    error_redirect_uri: Option<String>,
    after_callback_redirect_url: Option<String>,
    verifier: String,
    nonce: String,
    /// Scopes that were asked for beside those that always are.
    #[serde(default)]
    extra_scopes: Vec<String>,
    /// What the challenge against bots said.
    #[serde(default)]
    challenge: Outcome,
}

fn seal_context(project: &ProjectId) -> String {
    format!("oauth-state:{project}")
}

/// The cookie of a flow.
pub fn cookie_name(state: &str) -> String {
    format!("stack-oauth-inner-{state}")
}

/// The project of a client id.
///
/// # Errors
/// `INVALID_OAUTH_CLIENT_ID_OR_SECRET`, which repeats the id.
async fn client(app: &App, client_id: &str) -> Result<Arc<Project>, Failure> {
    let unknown = || Failure::from(KnownError::invalid_oauth_client_id_or_secret(Some(client_id)));
    let (id, branch) = client_id.split_once('#').unwrap_or((client_id, "main"));
    let id: ProjectId = id.parse().map_err(|_| unknown())?;
    let project = projects::find(app, &id).await?.filter(|_| branch == "main");
    project.ok_or_else(unknown)
}

/// Begins a flow.
///
/// # Errors
/// In this order: `INVALID_OAUTH_CLIENT_ID_OR_SECRET`, those of the publishable key,
/// `OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED`, 400 for linking without token, `REDIRECT_URL_NOT_WHITELISTED`,
/// those of the challenge against bots, `OAUTH_EXTRA_SCOPE_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS`, those of the token, 403 for the token of another project,
/// and those of the provider.
pub async fn begin(app: &App, request: Beginning) -> Result<Begun, Failure> {
    let project = client(app, &request.client_id).await?;
    client_key(app, &project, Some(&request.client_secret))?;
    let (settings, kind) = configured(&project, &request.provider)?;
    // The contract does not ask the switches of the providers that it names.
    let is_allowed = if request.is_link { settings.allow_connected_accounts } else { settings.allow_sign_in };
    if kind.is_generic() && !is_allowed {
        return Err(KnownError::oauth_provider_not_found_or_not_enabled().into());
    }
    let token = request.token.as_deref().filter(|token| !token.is_empty());
    if request.is_link && token.is_none() {
        return Err(Failure::text(400, "Linking an account needs the access token of its user."));
    }
    if let Some(address) = &request.after_callback_redirect_url {
        trusted(&project, address)?;
    }
    let texts = [&request.state, &request.redirect_uri, &request.scope, &request.code_challenge];
    let texts =
        texts.into_iter().chain(&request.after_callback_redirect_url).chain(&request.error_redirect_uri);
    if texts.chain(&request.provider_scope).any(|text| text.len() > LONGEST_TEXT) {
        return Err(Failure::text(400, format!("A parameter is longer than {LONGEST_TEXT} bytes.")));
    }
    let challenge = bot_challenge::check(app, &request.bot_challenge, request.address).await?;
    let extra: Vec<&str> = request.provider_scope.as_deref().unwrap_or_default().split_whitespace().collect();
    if settings.is_shared && !extra.is_empty() {
        return Err(KnownError::oauth_extra_scope_not_available_with_shared_oauth_keys().into());
    }
    if !extra.iter().all(|scope| is_scope(scope)) {
        return Err(Failure::text(400, "provider_scope has characters that no scope has."));
    }
    let caller = match token {
        Some(token) => user_of(app, &project, token).await?,
        None => None,
    };
    if request.is_link {
        let gone = || Failure::text(400, "The user of the access token is not signed in any more.");
        let linking = caller.as_ref().ok_or_else(gone)?;
        reauthentication::require_recent_of_client(app, &project, linking).await?;
    }
    let proven = match caller.as_ref().filter(|_| request.is_link) {
        Some(linking) => reauthentication::session_of(app, &project, linking).await?.as_ref().map(Proven::by),
        None => None,
    };

    let provider = oauth_upstreams::ready(app, &project, &request.provider).await?;
    let mut random = [0; 32];
    app.random.fill(&mut random);
    let verifier = Verifier::from_random(&random);
    let nonce = app.random.token();
    // The project stands in front, as the provider brings back nothing else.
    let state = format!("{}.{}", project.id, app.random.token());
    let authorization = Authorization {
        client: &provider.client,
        state: &state,
        nonce: &nonce,
        verifier: &verifier,
        extra_scopes: &extra,
    };
    let location = authorization
        .url(&provider.upstream)
        .map_err(|error| oauth_upstreams::refused(&project, &provider.id, &error))?;
    let flow = Flow {
        provider: request.provider,
        client_secret: request.client_secret,
        redirect_uri: request.redirect_uri.split('#').next().unwrap_or_default().to_owned(),
        scope: request.scope,
        state: request.state,
        code_challenge: request.code_challenge,
        code_challenge_method: request.code_challenge_method,
        link: caller.as_ref().filter(|_| request.is_link).map(|user| user.row.id),
        proven,
        upgrade: caller.filter(|user| !request.is_link && user.row.is_anonymous).map(|user| user.row.id),
        error_redirect_uri: request.error_redirect_uri,
        after_callback_redirect_url: request.after_callback_redirect_url,
        verifier: verifier.as_str().to_owned(),
        nonce,
        extra_scopes: extra.into_iter().map(str::to_owned).collect(),
        challenge,
    };
    let flow = serde_json::to_vec(&flow).map_err(Failure::internal)?;
    let row = OauthStateRow {
        project_id: project.id.clone(),
        state_hash: TokenHash::of(&state),
        flow_sealed: app.master_keys.seal(&seal_context(&project.id), &flow),
        has_cookie: request.gives_cookie,
        created_at: app.now(),
    };
    app.store.batch(vec![oauth_states::insert(&row)]).await?;
    Ok(Begun {
        location: location.into(),
        cookie: cookie_name(&state),
        comes_back_by_form: provider.upstream.comes_back_by_form(),
    })
}

/// The user of an access token that came in the query; anonymous and restricted ones, too.
async fn user_of(app: &App, project: &Project, token: &str) -> Result<Option<CurrentUser>, Failure> {
    let claims = access_tokens::verify(app, token).await?;
    if claims.project_id != project.id {
        return Err(Failure::text(403, "The access token is for another project."));
    }
    load_user(app, &project.id, &claims).await
}

/// The browser has come back.
pub struct Returned<'a> {
    /// The name in the path.
    pub provider: &'a str,
    /// Query or form.
    pub parameters: &'a [(String, String)],
    /// Whether the browser has a cookie of this name that says so.
    pub has_cookie: &'a (dyn Fn(&str) -> bool + Sync),
    /// From where.
    pub origin: Origin,
}

/// Where the browser goes from here.
pub struct Sending {
    /// The address.
    pub location: String,
    /// Whether a code goes with it; otherwise an error.
    pub is_success: bool,
}

/// A flow that is over, however it ended.
pub struct Ended {
    /// Where the browser goes; an error that cannot be sent to the client.
    pub outcome: Result<Sending, Failure>,
    /// The cookie of the flow, which goes with it.
    pub cookie: String,
}

/// Ends a flow: redeems the provider's code, finds or makes the account, and sends a code to the client. Known errors
/// go to the client as well, if there is an address that the project trusts.
///
/// # Errors
/// 400 for a flow that is not known, was ended before, or was begun by another browser: such a one does not end now.
pub async fn finish(app: &App, returned: Returned<'_>) -> Result<Ended, Failure> {
    let unknown = || {
        Failure::text(
            400,
            "This sign-in is not known, was finished before or was begun in another browser; please start it again.",
        )
    };
    let state = returned_state(returned.parameters).ok_or_else(unknown)?;
    let (id, _) = state.split_once('.').ok_or_else(unknown)?;
    let id: ProjectId = id.parse().map_err(|_| unknown())?;
    let hash = TokenHash::of(state);
    let (of, wanted) = (id.clone(), hash.clone());
    let row = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(oauth_states::get(tx, &of, &wanted).await?) })
    });
    let row = row.await?.ok_or_else(unknown)?;
    let cookie = cookie_name(state);
    if row.has_cookie && !(returned.has_cookie)(&cookie) {
        return Err(unknown());
    }
    match app.store.batch(vec![oauth_states::claim(&id, &hash).exactly(1)]).await {
        Err(StorageError::Guard { .. }) => return Err(unknown()),
        outcome => outcome?,
    };
    let flow = app.master_keys.open(&seal_context(&id), &row.flow_sealed).map_err(Failure::internal)?;
    let flow: Flow = serde_json::from_slice(&flow).map_err(Failure::internal)?;
    let project = projects::find(app, &id).await?.ok_or_else(unknown)?;
    let outcome = match code(app, &project, &flow, &row, returned).await {
        Ok(location) => Ok(Sending { location: location.into(), is_success: true }),
        Err(failure) => match error_address(&project, &flow, &failure) {
            Some(location) => Ok(Sending { location: location.into(), is_success: false }),
            None => Err(failure),
        },
    };
    Ok(Ended { outcome, cookie })
}

/// The address of the client with a code.
async fn code(
    app: &App,
    project: &Arc<Project>,
    flow: &Flow,
    row: &OauthStateRow,
    returned: Returned<'_>,
) -> Result<Url, Failure> {
    if app.now() - row.created_at > LIFETIME {
        return Err(KnownError::outer_oauth_timeout().into());
    }
    let (settings, _) = configured(project, &flow.provider)?;
    client_key(app, project, Some(&flow.client_secret))?;
    if settings.callback_name(&flow.provider) != Some(returned.provider) && returned.provider != flow.provider
    {
        return Err(Failure::text(
            400,
            "The answer came from another provider than the sign-in was sent to.",
        ));
    }
    if flow.scope != authorization_code::SCOPE {
        return Err(Failure::text(400, "The scope must be \"legacy\"."));
    }
    let challenge = Challenge::parse(&flow.code_challenge_method, &flow.code_challenge)
        .map_err(|error| Failure::text(400, format!("The request is not valid: {error}.")))?;
    let redirect_uri = trusted(project, &flow.redirect_uri)?;
    if !has_targets(project) {
        return Err(KnownError::redirect_url_not_whitelisted().into());
    }

    let provider = oauth_upstreams::ready(app, project, &flow.provider).await?;
    let verifier = Verifier::parse(&flow.verifier)
        .ok_or_else(|| Failure::internal("a flow remembers what is no verifier"))?;
    let sent = Sent { nonce: &flow.nonce, verifier: &verifier };
    let (profile, tokens) = oauth_upstreams::profile(app, &provider, &sent, returned.parameters)
        .await
        .map_err(|error| oauth_upstreams::refused(project, &provider.id, &error))?;

    let arrival = accounts::Arrival {
        project,
        provider: &provider,
        profile: &profile,
        link: flow.link,
        upgrade: flow.upgrade,
        challenge: flow.challenge,
        origin: &returned.origin,
    };
    let grant = Grant {
        redirect_uri: &flow.redirect_uri,
        challenge: &challenge,
        after_callback_redirect_url: flow.after_callback_redirect_url.as_deref(),
    };
    let asked = [provider.upstream.scopes.as_slice(), &flow.extra_scopes].concat();
    let resolved = accounts::resolve(app, &arrival).await?;
    // Whose account grows was said by a token in an address, which anybody can have written. Whoever began proves by the
    // verifier that it is their browser which came back, and only then anything is written.
    if flow.link.is_some() || flow.upgrade == Some(resolved.user) {
        let pending = arrivals::Pending {
            provider: flow.provider.clone(),
            link: flow.link,
            upgrade: flow.upgrade,
            challenge: flow.challenge,
            end_user: returned.origin.end_user.clone(),
            address: returned.origin.address,
            profile,
            tokens,
            asked,
        };
        let waiting = serde_json::to_vec(&pending).map_err(Failure::internal)?;
        let holder = Holder {
            arrival_sealed: Some(oauth_codes::sealed_arrival(app, &project.id, &waiting)),
            proven: flow.proven.clone(),
            ..Holder::of(resolved.user, resolved.is_new_user)
        };
        let code = oauth_codes::issue(app, &project.id, &grant, holder);
        // The user may be gone since.
        let written = app.store.batch(vec![code.statement]).await;
        written.map_err(|error| accounts::conflict(error, &pending.profile))?;
        return Ok(redirect::with_code(&redirect_uri, &code.code, &flow.state));
    }
    let mut code = None;
    arrivals::write(app, &arrival, resolved, &tokens, &asked, |resolved| {
        let holder = Holder::of(resolved.user, resolved.is_new_user);
        let new = oauth_codes::issue(app, &project.id, &grant, holder);
        code = Some(new.code);
        new.statement
    })
    .await?;
    let code = code.ok_or_else(|| Failure::internal("nothing was written"))?;
    Ok(redirect::with_code(&redirect_uri, &code, &flow.state))
}

/// Where a known error goes: to the address of the request, or else to that for errors. Text errors go nowhere.
fn error_address(project: &Project, flow: &Flow, failure: &Failure) -> Option<Url> {
    let Failure::Known(error) = failure else { return None };
    let address = trusted(project, &flow.redirect_uri)
        .ok()
        .or_else(|| trusted(project, flow.error_redirect_uri.as_deref()?).ok())?;
    let details = error.details.as_ref().and_then(|details| serde_json::to_string(details).ok());
    let details = details.as_deref().unwrap_or("{}");
    let address = redirect::without_fragment(&address);
    Some(redirect::with_error(&address, error.code.as_str(), &error.message, details))
}
