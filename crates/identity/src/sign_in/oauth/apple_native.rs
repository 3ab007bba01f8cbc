//! Signing in with an ID token that an app on an Apple device got from the system (contract 04 §8.6). No browser comes
//! along: there is no state, no code, and no nonce of ours. The token is a bearer of a sign-in for as long as Apple says
//! that it is good.

use latchkey_api_types::KnownError;
use latchkey_api_types::auth::SignInResult;
use latchkey_api_types::ids::UserId;
use latchkey_config::settings::{OAuthProviderSettings, ProviderType};
use latchkey_oauth::UpstreamError;
use latchkey_oauth::authorization::Client;
use latchkey_oauth::upstream::{Options, Provider as Known};
use latchkey_storage::StorageError;

use super::accounts::{self, Arrival};
use crate::app::App;
use crate::authenticate::Auth;
use crate::bot_challenge::Outcome;
use crate::failure::Failure;
use crate::oauth_upstreams::{self, Provider};
use crate::projects::Project;
use crate::sessions::find_user;
use crate::sign_in::{Factor, Origin, finish};

/// The project's provider of type `apple` with which people may sign in; that of the same id if there are several.
fn configured(project: &Project) -> Result<(&str, &OAuthProviderSettings), Failure> {
    let all = project.settings.auth.oauth.providers.iter();
    let apple = all.filter(|(_, settings)| {
        settings.provider_type == Some(ProviderType::Apple) && settings.allow_sign_in
    });
    let found = apple.min_by_key(|(id, _)| id.as_str() != ProviderType::Apple.as_str());
    let found = found.map(|(id, settings)| (id.as_str(), settings));
    found.ok_or_else(|| KnownError::oauth_provider_not_found_or_not_enabled().into())
}

/// Signs in, or up.
///
/// # Errors
/// `OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED`, `APPLE_BUNDLE_ID_NOT_CONFIGURED`, `INVALID_APPLE_CREDENTIALS`,
/// `OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE` if Apple's keys cannot be had, those of [`accounts::resolve`], and
/// `MULTI_FACTOR_AUTHENTICATION_REQUIRED`.
pub async fn sign_in(
    app: &App,
    auth: &Auth,
    id_token: &str,
    origin: Origin,
) -> Result<SignInResult, Failure> {
    let project = &auth.project;
    let (id, settings) = configured(project)?;
    let bundles = settings.apple_bundles.values().filter_map(|bundle| bundle.bundle_id.as_deref());
    let bundles: Vec<&str> = bundles.filter(|bundle| !bundle.is_empty()).collect();
    let Some(first) = bundles.first() else {
        return Err(KnownError::apple_bundle_id_not_configured().into());
    };
    let refused = |error: UpstreamError| oauth_upstreams::refused(project, id, &error);
    let upstream = Known::Apple.describe(&Options::default()).map_err(refused)?;
    let client = Client::new(*first, "", "");
    let provider =
        Provider { id: id.to_owned(), kind: ProviderType::Apple, is_shared: false, upstream, client };
    let profile = match oauth_upstreams::native_profile(app, &provider.upstream, &bundles, id_token).await {
        Ok(profile) => profile,
        Err(error @ UpstreamError::IdToken(_)) => {
            tracing::info!(project = %project.id, %error, "an identity token of Apple was refused");
            return Err(KnownError::invalid_apple_credentials().into());
        }
        Err(error) => return Err(refused(error)),
    };
    let arrival = Arrival {
        project,
        provider: &provider,
        profile: &profile,
        link: None,
        upgrade: None,
        challenge: Outcome::Off,
        origin: &origin,
    };
    let (user, is_new_user) = settle(app, &arrival).await?;
    let user = find_user(app, &project.id, user).await?;
    let user = user.ok_or_else(|| Failure::text(400, "The user was removed in this moment."))?;
    // RFC 8176 has no word for a proof that somebody else checked.
    let factor = Factor { user: &user, amr: "", is_new_user, origin: origin.clone(), statements: Vec::new() };
    Ok(finish(app, project, factor).await?)
}

/// Makes the account and its user what they have to be. Somebody may come by the same account in this moment: then it
/// is found when looked for again.
async fn settle(app: &App, arrival: &Arrival<'_>) -> Result<(UserId, bool), Failure> {
    for is_last in [false, true] {
        let resolved = accounts::resolve(app, arrival).await?;
        let found = (resolved.user, resolved.is_new_user);
        if resolved.statements.is_empty() {
            return Ok(found);
        }
        match app.store.batch(resolved.statements).await {
            Ok(_) => {
                app.jobs.wake();
                return Ok(found);
            }
            Err(StorageError::Unique { .. } | StorageError::Guard { .. } | StorageError::ForeignKey)
                if !is_last => {}
            Err(error) => return Err(accounts::conflict(error, arrival.profile)),
        }
    }
    Err(Failure::internal("neither attempt to sign in ended"))
}
