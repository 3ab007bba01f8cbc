//! Accounts of users with OAuth providers, as records (contract 05 §7). How an account comes to be by signing in is the
//! business of `sign_in`.

use std::sync::Arc;

use latchkey_api_types::KnownError;
use latchkey_api_types::ids::{OauthAccountId, UserId};
use latchkey_api_types::input::UserIdOrMe;
use latchkey_api_types::oauth_account::{
    ClientOauthProvider, OauthProvider, OauthProviderCreate, OauthProviderUpdate,
};
use latchkey_storage::StorageError;
use latchkey_storage::engine::Tx;
use latchkey_storage::oauth_accounts::{self, OauthAccountRow};
use latchkey_storage::oauth_tokens;
use latchkey_storage::users;

use crate::app::App;
use crate::audit::{self, Event};
use crate::authenticate::Auth;
use crate::contact_channels::normalise_email;
use crate::failure::Failure;
use crate::projects::Project;
use crate::reauthentication::{self, Surface};
use crate::users::Written;

/// Which service a provider of the project is; `None` if the project does not have it (any more).
fn service(project: &Project, provider: &str) -> Option<&'static str> {
    Some(project.settings.auth.oauth.providers.get(provider)?.provider_type?.as_str())
}

fn view(project: &Project, row: OauthAccountRow) -> Option<OauthProvider> {
    let kind = service(project, &row.provider_config_id)?.to_owned();
    Some(OauthProvider {
        client: ClientOauthProvider {
            user_id: row.user_id,
            id: row.id,
            email: row.email,
            provider_config_id: row.provider_config_id,
            kind,
            allow_sign_in: row.allow_sign_in,
            allow_connected_accounts: row.allow_connected_accounts,
        },
        account_id: row.account_id,
    })
}

/// Whether clients that know the API only can read the account: its service is one of those that they know.
fn is_known_to_clients(project: &Project, provider: &str) -> bool {
    let settings = project.settings.auth.oauth.providers.get(provider);
    settings.and_then(|settings| settings.provider_type).is_some_and(|kind| !kind.is_generic())
}

fn missing() -> Failure {
    Failure::text(404, "The user has no such OAuth account.")
}

/// The accounts of a user, or, for servers, of everybody, oldest first. Those of services that the project does not
/// have any more are left out, and so are those of generic types unless `with_generic` asks for them: the API has no
/// name for them, and says to leave out what has none.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`; `USER_NOT_FOUND`; 403 for clients that do not name their own user.
pub async fn list(
    app: &App,
    auth: &Auth,
    user: Option<UserIdOrMe>,
    with_generic: bool,
) -> Result<Vec<OauthProvider>, Failure> {
    let user = auth.listed_user(user)?;
    let project = auth.project.id.clone();
    let rows = app.store.scan(move |tx| {
        Box::pin(async move {
            Ok::<_, Failure>(match user {
                Some(user) if users::get(tx, &project, user).await?.is_none() => {
                    return Err(KnownError::user_not_found().into());
                }
                Some(user) => oauth_accounts::list(tx, &project, user).await?,
                None => oauth_accounts::list_all(tx, &project).await?,
            })
        })
    });
    let rows = rows.await?.into_iter();
    let shown =
        rows.filter(|row| with_generic || is_known_to_clients(&auth.project, &row.provider_config_id));
    Ok(shown.filter_map(|row| view(&auth.project, row)).collect())
}

/// One account.
///
/// # Errors
/// 403 for clients and other users; `USER_NOT_FOUND`; 404.
pub async fn get(
    app: &App,
    auth: &Auth,
    user: UserIdOrMe,
    id: OauthAccountId,
) -> Result<OauthProvider, Failure> {
    let user = auth.addressed_user(user)?;
    let project = auth.project.id.clone();
    let row = app.store.read(move |tx| {
        Box::pin(async move {
            if users::get(tx, &project, user).await?.is_none() {
                return Err(KnownError::user_not_found().into());
            }
            Ok::<_, Failure>(oauth_accounts::get(tx, &project, user, id).await?)
        })
    });
    row.await?.and_then(|row| view(&auth.project, row)).ok_or_else(missing)
}

/// Links an account to a user.
///
/// # Errors
/// `USER_NOT_FOUND`, 404 for a provider that the project does not have, 400 for an account that the user has already or
/// a second one that signs in, `OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN`.
pub async fn create(app: &App, auth: &Auth, request: OauthProviderCreate) -> Result<OauthProvider, Failure> {
    let user = auth.addressed_user(request.user_id)?;
    let is_known = service(&auth.project, &request.provider_config_id).is_some();
    let row = OauthAccountRow {
        project_id: auth.project.id.clone(),
        id: OauthAccountId::from_uuid(app.random.uuid()),
        user_id: user,
        provider_config_id: request.provider_config_id,
        account_id: request.account_id.into_string(),
        email: request.email.map(|email| normalise_email(email.as_str())),
        allow_sign_in: request.allow_sign_in,
        allow_connected_accounts: request.allow_connected_accounts,
        created_at: app.now(),
    };
    let event = Event::of_user(auth.access, user);
    let recorded = audit::record(app, &auth.project.id, audit::kind::OAUTH_ACCOUNT_ADDED, &event);
    let outcome = app.store.write(move |tx| {
        let (row, recorded) = (row.clone(), recorded.clone());
        Box::pin(async move {
            if users::get(tx, &row.project_id, user).await?.is_none() {
                return Err(KnownError::user_not_found().into());
            }
            if !is_known {
                let text = format!("The project has no OAuth provider {:?}.", row.provider_config_id);
                return Err(Written::from(Failure::text(404, text)));
            }
            refuse_second(tx, &row).await?;
            tx.run(oauth_accounts::insert(&row)).await?;
            tx.run(recorded).await?;
            Ok(row)
        })
    });
    written(auth, outcome.await)
}

/// Changes an account; absent fields stay as they are.
///
/// # Errors
/// 403 for clients and other users; `USER_NOT_FOUND`; 404; otherwise as [`create`].
pub async fn update(
    app: &App,
    auth: &Auth,
    user: UserIdOrMe,
    id: OauthAccountId,
    request: OauthProviderUpdate,
) -> Result<OauthProvider, Failure> {
    let user = auth.addressed_user(user)?;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    let event = Event::of_user(auth.access, user);
    let recorded = audit::record(app, &auth.project.id, audit::kind::OAUTH_ACCOUNT_CHANGED, &event);
    let shared = Arc::new((Arc::clone(&auth.project), request, recorded));
    let outcome = app.store.write(move |tx| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (project, request, recorded) = &*shared;
            let mut row = stored(tx, project, user, id).await?;
            if let Some(email) = &request.email {
                row.email = Some(normalise_email(email.as_str()));
            }
            if let Some(account) = request.account_id.as_ref().filter(|id| id.as_str() != row.account_id) {
                account.as_str().clone_into(&mut row.account_id);
                // What the provider gave was for the other account.
                tx.run(oauth_tokens::delete_of_account(&project.id, id)).await?;
            }
            row.allow_sign_in = request.allow_sign_in.unwrap_or(row.allow_sign_in);
            row.allow_connected_accounts =
                request.allow_connected_accounts.unwrap_or(row.allow_connected_accounts);
            refuse_second(tx, &row).await?;
            tx.run(oauth_accounts::update(&row)).await?;
            tx.run(recorded.clone()).await?;
            Ok(row)
        })
    });
    written(auth, outcome.await)
}

/// Unlinks an account, which then signs nobody in.
///
/// # Errors
/// 403 for clients and other users; `USER_NOT_FOUND`; 404.
pub async fn delete(app: &App, auth: &Auth, user: UserIdOrMe, id: OauthAccountId) -> Result<(), Failure> {
    let user = auth.addressed_user(user)?;
    reauthentication::require_recent(app, auth, Surface::Contract).await?;
    let event = Event::of_user(auth.access, user);
    let recorded = audit::record(app, &auth.project.id, audit::kind::OAUTH_ACCOUNT_REMOVED, &event);
    let project = Arc::clone(&auth.project);
    let outcome = app.store.write(move |tx| {
        let (project, recorded) = (Arc::clone(&project), recorded.clone());
        Box::pin(async move {
            stored(tx, &project, user, id).await?;
            tx.run(oauth_accounts::delete(&project.id, user, id)).await?;
            tx.run(recorded).await?;
            Ok(())
        })
    });
    outcome.await.map_err(|error| match error {
        Written::Storage(error) => error.into(),
        Written::Failure(failure) => failure,
    })
}

/// An account of a user.
async fn stored(
    tx: &mut Tx,
    project: &Project,
    user: UserId,
    id: OauthAccountId,
) -> Result<OauthAccountRow, Written> {
    if users::get(tx, &project.id, user).await?.is_none() {
        return Err(KnownError::user_not_found().into());
    }
    let row = oauth_accounts::get(tx, &project.id, user, id).await?;
    let row = row.filter(|row| service(project, &row.provider_config_id).is_some());
    row.ok_or_else(|| missing().into())
}

/// A user signs in with one account of a provider, and has each account once.
async fn refuse_second(tx: &mut Tx, row: &OauthAccountRow) -> Result<(), Written> {
    let own = oauth_accounts::list(tx, &row.project_id, row.user_id).await?;
    let of_provider =
        |other: &&OauthAccountRow| other.id != row.id && other.provider_config_id == row.provider_config_id;
    let mut others = own.iter().filter(of_provider);
    if row.allow_sign_in && others.clone().any(|other| other.allow_sign_in) {
        return Err(Written::from(second_sign_in()));
    }
    if others.any(|other| other.account_id == row.account_id) {
        return Err(Written::from(linked_already()));
    }
    if row.allow_sign_in && oauth_accounts::signs_in_elsewhere(tx, row).await? {
        return Err(KnownError::oauth_provider_account_id_already_used_for_sign_in().into());
    }
    Ok(())
}

fn second_sign_in() -> Failure {
    Failure::text(400, "The user signs in with another account of this provider already.")
}

fn linked_already() -> Failure {
    Failure::text(400, "The user has this account of the provider already.")
}

fn written(auth: &Auth, outcome: Result<OauthAccountRow, Written>) -> Result<OauthProvider, Failure> {
    match outcome {
        Ok(row) => view(&auth.project, row).ok_or_else(missing),
        Err(Written::Storage(error)) => Err(conflict(error)),
        Err(Written::Failure(failure)) => Err(failure),
    }
}

/// What a violated index means for somebody who links accounts.
pub(crate) fn conflict(error: StorageError) -> Failure {
    let StorageError::Unique { index } = error else {
        return match error {
            StorageError::ForeignKey => KnownError::user_not_found().into(),
            other => other.into(),
        };
    };
    match index.as_str() {
        "oauth_accounts_sign_in_key" => {
            KnownError::oauth_provider_account_id_already_used_for_sign_in().into()
        }
        "oauth_accounts_user_sign_in_key" => second_sign_in(),
        "oauth_accounts_user_account_key" => linked_already(),
        _ => StorageError::Unique { index }.into(),
    }
}
