//! The OAuth providers of a project at work: which one is meant, by whose credentials, and the requests to it. The
//! rules of the protocol are in `latchkey-oauth`; here they meet the network, with documents kept in memory.

mod described;
mod kept;
#[cfg(feature = "upstream-stand-ins")]
mod stand_ins;

use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_config::settings::{OAuthProviderSettings, ProviderType};
use latchkey_jose::VerifyingKeys;
use latchkey_oauth::authorization::{Client, returned_code, returned_person};
use latchkey_oauth::client_secret::ClientSecret;
use latchkey_oauth::discovery::{self, Metadata};
use latchkey_oauth::id_token::{self, IdTokenError, IdTokenRules};
use latchkey_oauth::key_sets;
use latchkey_oauth::pkce::Verifier;
use latchkey_oauth::profile::{Documents, FORM, ID_TOKEN, Profile};
use latchkey_oauth::request::{Answer, LONGEST_ANSWER, Request};
use latchkey_oauth::token::{ProviderTokens, is_accepted, read_document};
use latchkey_oauth::upstream::{IdTokenUse, OpenId};
use latchkey_oauth::{Upstream, UpstreamError};
use serde_json::Value;

use self::kept::Kept;
use crate::app::App;
use crate::failure::Failure;
use crate::outgoing::{OutgoingError, OutgoingReply};
use crate::projects::Project;

/// How often a document of a profile is asked for while the provider has trouble (contract 02 §8).
const ATTEMPTS: usize = 3;

/// Discovery documents and key sets, as they were fetched.
#[derive(Default)]
pub(crate) struct UpstreamDocuments {
    metadata: Kept<Metadata>,
    key_sets: Kept<VerifyingKeys>,
    #[cfg(feature = "upstream-stand-ins")]
    stand_ins: stand_ins::StandIns,
}

/// A provider of a project, ready to be asked.
pub(crate) struct Provider {
    /// Its key in the project's settings.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) kind: ProviderType,
    /// Whether we are there as the deployment, and not as the project.
    pub(crate) is_shared: bool,
    /// Its description.
    pub(crate) upstream: Upstream,
    /// We.
    pub(crate) client: Client,
}

impl Provider {
    /// What sign-up rules call it: its type, or where a type has many, its key in the settings.
    pub(crate) fn named_in_rules(&self) -> &str {
        if self.kind.is_generic() { &self.id } else { self.kind.as_str() }
    }
}

/// What a request for an authorization left behind, to be met by the answer.
pub(crate) struct Sent<'a> {
    pub(crate) nonce: &'a str,
    pub(crate) verifier: &'a Verifier,
}

/// A provider in the settings of a project.
///
/// # Errors
/// `OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED`.
pub(crate) fn configured<'p>(
    project: &'p Project,
    id: &str,
) -> Result<(&'p OAuthProviderSettings, ProviderType), Failure> {
    let settings = project.settings.auth.oauth.providers.get(id);
    settings
        .and_then(|settings| Some((settings, settings.provider_type?)))
        .ok_or_else(|| KnownError::oauth_provider_not_found_or_not_enabled().into())
}

/// Makes a provider of a project ready.
///
/// # Errors
/// `OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED`, and what [`refused`] makes of a provider that cannot be used.
pub(crate) async fn ready(app: &App, project: &Project, id: &str) -> Result<Provider, Failure> {
    let (settings, kind) = configured(project, id)?;
    let callback = settings.callback_name(id).unwrap_or(kind.as_str());
    let redirect_uri = format!("{}/api/v1/auth/oauth/callback/{callback}", app.public_url);
    let made = if !settings.is_shared {
        own(app, settings, kind, redirect_uri).await
    } else if kind.is_generic() || settings.base_url.is_some() {
        Err(UpstreamError::Misconfigured("nobody has shared credentials for it"))
    } else {
        shared(app, kind, redirect_uri).await
    };
    let (upstream, client) = made.map_err(|error| refused(project, id, &error))?;
    Ok(Provider { id: id.to_owned(), kind, is_shared: settings.is_shared, upstream, client })
}

/// With the project's own credentials.
async fn own(
    app: &App,
    settings: &OAuthProviderSettings,
    kind: ProviderType,
    redirect_uri: String,
) -> Result<(Upstream, Client), UpstreamError> {
    let client_id = settings.client_id.as_deref().filter(|id| !id.is_empty());
    let client_id = client_id.ok_or(UpstreamError::Misconfigured("it has no client id"))?;
    let secret = settings.client_secret.as_ref().ok_or(UpstreamError::Misconfigured("it has no secret"))?;
    let secret = ClientSecret::parse(secret.expose())?.at(client_id, app.clock.now_seconds())?;
    let client = Client::new(client_id, secret.as_str(), redirect_uri);
    Ok((described::describe(app, settings, kind).await?, client))
}

/// With the deployment's credentials, at the issuer that stands in for all of them.
async fn shared(
    app: &App,
    kind: ProviderType,
    redirect_uri: String,
) -> Result<(Upstream, Client), UpstreamError> {
    let config = &app.config.oauth.shared;
    let issuer = app.shared_oauth_issuer.as_deref();
    let issuer = issuer.ok_or(UpstreamError::Misconfigured("this server has no shared credentials"))?;
    let metadata = metadata(app, issuer).await?;
    let upstream = OpenId::stand_in(kind.as_str()).describe(&metadata)?;
    let client_id = config.client_ids.get(kind.as_str()).map_or(kind.as_str(), String::as_str);
    let secret = config.client_secret.as_ref().map_or("shared", |secret| secret.expose());
    Ok((upstream, Client::new(client_id, secret, redirect_uri)))
}

/// What somebody learns whose sign-in failed at a provider; the details go to the log.
pub(crate) fn refused(project: &Project, provider: &str, error: &UpstreamError) -> Failure {
    tracing::info!(project = %project.id, provider, %error, "a sign-in failed at its provider");
    match error {
        UpstreamError::Denied => KnownError::oauth_provider_access_denied().into(),
        error if error.is_transient() => KnownError::oauth_provider_temporarily_unavailable().into(),
        UpstreamError::EmailMissing => Failure::text(
            400,
            "The provider gave no email address; it is needed, so please allow it to be read and try again.",
        ),
        UpstreamError::Misconfigured(_) => {
            Failure::text(400, "The sign-in provider is not set up well in this project.")
        }
        _ => Failure::text(400, "The provider's answer was not accepted; please start the sign-in again."),
    }
}

/// Whose account it is, by what came back through the browser: redeems the code and reads the profile. And the tokens
/// that came for the code. All together may take no longer than one answer, so that nobody waits for each of several.
pub(crate) async fn profile(
    app: &App,
    provider: &Provider,
    sent: &Sent<'_>,
    parameters: &[(String, String)],
) -> Result<(Profile, ProviderTokens), UpstreamError> {
    let limit = app.config.oauth.provider_timeout.as_std();
    let asked = tokio::time::timeout(limit, ask(app, provider, sent, parameters)).await;
    asked.unwrap_or_else(|_| Err(UpstreamError::Unavailable("it took too long".to_owned())))
}

async fn ask(
    app: &App,
    provider: &Provider,
    sent: &Sent<'_>,
    parameters: &[(String, String)],
) -> Result<(Profile, ProviderTokens), UpstreamError> {
    let Provider { upstream, client, .. } = provider;
    let code = returned_code(upstream, parameters)?;
    let request = upstream.code_request(client, &code, sent.verifier)?;
    let reply = send(app, request).await?;
    let tokens = upstream.read_tokens(&answer(&reply))?;

    let mut documents = Documents::default();
    match (&tokens.id_token, upstream.id_token) {
        (_, IdTokenUse::Ignored) | (None, IdTokenUse::CheckedIfPresent) => {}
        (None, IdTokenUse::Required) => return Err(IdTokenError::Missing.into()),
        (Some(token), _) => {
            let rules = IdTokenRules {
                issuers: &upstream.issuers,
                client_ids: &[&client.id],
                trusted_audiences: &upstream.trusted_audiences,
                nonce: Some(sent.nonce),
                access_token: Some(&tokens.access_token),
                now_seconds: app.clock.now_seconds(),
            };
            let claims = verified(app, upstream, token, &rules).await?;
            documents.insert(ID_TOKEN, Value::Object(claims));
        }
    }
    if let Some(person) = returned_person(parameters) {
        documents.insert(FORM, person);
    }
    for (name, request) in upstream.document_requests(&client.id, &tokens.access_token)? {
        documents.insert(name, document(app, name, &request).await?);
    }
    Ok((Profile::read(&upstream.profile, &documents)?, tokens))
}

/// New tokens by a refresh token. Asked once only: the provider may have replaced the token although its answer was
/// lost, and would take a second time for theft.
pub(crate) async fn refreshed(
    app: &App,
    provider: &Provider,
    refresh_token: &str,
) -> Result<ProviderTokens, UpstreamError> {
    let request = provider.upstream.refresh_request(&provider.client, refresh_token)?;
    let reply = send(app, request).await?;
    provider.upstream.read_tokens(&answer(&reply))
}

/// Whether a provider accepts an access token of its own. One that has no place to ask at is believed to.
pub(crate) async fn accepts(
    app: &App,
    provider: &Provider,
    access_token: &str,
) -> Result<bool, UpstreamError> {
    match provider.upstream.check_request(&provider.client.id, access_token)? {
        Some(request) => is_accepted(&answer(&send(app, request).await?)),
        None => Ok(true),
    }
}

/// Whose account it is, by an ID token that an app got from the provider itself, for one of `clients`. It was not made
/// for a request of ours, so that there is no nonce to be met.
pub(crate) async fn native_profile(
    app: &App,
    upstream: &Upstream,
    clients: &[&str],
    token: &str,
) -> Result<Profile, UpstreamError> {
    let rules = IdTokenRules {
        issuers: &upstream.issuers,
        client_ids: clients,
        trusted_audiences: &[],
        nonce: None,
        access_token: None,
        now_seconds: app.clock.now_seconds(),
    };
    let claims = verified(app, upstream, token, &rules).await?;
    let mut documents = Documents::default();
    documents.insert(ID_TOKEN, Value::Object(claims));
    Profile::read(&upstream.profile, &documents)
}

/// The claims of an ID token. A key that is not known may be new: then the key set is fetched once more.
async fn verified(
    app: &App,
    upstream: &Upstream,
    token: &str,
    rules: &IdTokenRules<'_>,
) -> Result<serde_json::Map<String, Value>, UpstreamError> {
    let uri = upstream.jwks_uri.as_deref();
    let uri = uri.ok_or(UpstreamError::Misconfigured("it has no key set"))?;
    let keys = keys(app, uri, false).await?;
    match id_token::verify(token, &keys, rules) {
        Err(error) if error.wants_fresh_keys() => {
            let keys = self::keys(app, uri, true).await?;
            Ok(id_token::verify(token, &keys, rules)?)
        }
        outcome => Ok(outcome?),
    }
}

/// A key set, newer than the one at hand if `wants_fresh`; see [`Kept::get`].
async fn keys(app: &App, uri: &str, wants_fresh: bool) -> Result<Arc<VerifyingKeys>, UpstreamError> {
    let fetch = async { key_sets::read(&answer(&send(app, key_sets::request(uri)?).await?)) };
    app.upstream_documents.key_sets.get(uri, app.clock.now_seconds(), wants_fresh, fetch).await
}

/// What an issuer says about itself; kept as key sets are.
async fn metadata(app: &App, issuer: &str) -> Result<Arc<Metadata>, UpstreamError> {
    let fetch = async { Metadata::read(issuer, &answer(&send(app, discovery::request(issuer)?).await?)) };
    app.upstream_documents.metadata.get(issuer, app.clock.now_seconds(), false, fetch).await
}

/// A document of a profile, asked for again while the provider has trouble.
async fn document(app: &App, name: &str, request: &Request) -> Result<Value, UpstreamError> {
    let mut attempt = 1;
    loop {
        let outcome = match send(app, request.clone()).await {
            Ok(reply) => read_document(name, &answer(&reply)),
            Err(error) => Err(error),
        };
        match outcome {
            Err(error) if error.is_transient() && attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

async fn send(app: &App, request: Request) -> Result<OutgoingReply, UpstreamError> {
    let Request { url, headers, form } = request;
    #[cfg(feature = "upstream-stand-ins")]
    let url = app.upstream_documents.stand_ins.in_place_of(url);
    let timeout = app.config.oauth.provider_timeout.as_std();
    app.outgoing.send(url, &headers, form, timeout, LONGEST_ANSWER).await.map_err(|error| match error {
        OutgoingError::TooLong(_) => UpstreamError::Garbled("the answer is too long"),
        OutgoingError::Forbidden(_) => {
            UpstreamError::Misconfigured("its address is not one that may be called")
        }
        other => UpstreamError::Unavailable(other.to_string()),
    })
}

fn answer(reply: &OutgoingReply) -> Answer<'_> {
    Answer { status: reply.status, content_type: reply.content_type.as_deref(), body: &reply.body }
}
