//! Connected accounts: accounts of users at OAuth providers, for use by the application.

use latchkey_api_types::ErrorCode::{
    CannotGetOwnUserWithoutUser, OauthAccessTokenNotAvailableWithSharedOauthKeys,
    OauthConnectionDoesNotHaveRequiredScope, OauthConnectionNotConnectedToUser,
    OauthProviderNotFoundOrNotEnabled, OauthProviderTemporarilyUnavailable, UserNotFound,
};
use latchkey_api_types::connected_account::{
    ConnectedAccount, ConnectedAccountPath, ConnectedAccountsPath, OwnProviderAccountsPath,
    ProviderAccessToken, ProviderAccessTokenRequest, ProviderAccountsPath,
};
use latchkey_api_types::input::UserIdOrMe;
use latchkey_api_types::list::List;
use latchkey_api_types::oauth_account::OauthProvidersQuery;
use latchkey_identity::Failure;
use latchkey_identity::connected_accounts::{self, Wanted};

use crate::call::Call;
use crate::extract::{Body, Path, Query};
use crate::reply::{Created, Json};
use crate::route::{ANY, Route};

/// The rows of the table.
pub(super) fn routes() -> Vec<Route> {
    let token = |path, summary| {
        Route::post(path, summary).errors(&[
            CannotGetOwnUserWithoutUser,
            OauthProviderNotFoundOrNotEnabled,
            OauthAccessTokenNotAvailableWithSharedOauthKeys,
            UserNotFound,
            OauthConnectionNotConnectedToUser,
            OauthConnectionDoesNotHaveRequiredScope,
            OauthProviderTemporarilyUnavailable,
        ])
    };
    vec![
        Route::get("/connected-accounts/{user_id}", "List the connected accounts of a user")
            .errors(&[CannotGetOwnUserWithoutUser, UserNotFound])
            .on(ANY, list),
        token(
            "/connected-accounts/{user_id}/{provider_id}/access-token",
            "Get a provider's access token for any of a user's accounts there",
        )
        .on(ANY, of_provider),
        token(
            "/connected-accounts/{user_id}/{provider_id}/{provider_account_id}/access-token",
            "Get a provider's access token for an account of a user",
        )
        .on(ANY, of_account),
        token(
            "/auth/oauth/connected-accounts/{provider_id}/access-token",
            "Get a provider's access token for any of the signed-in user's accounts there (deprecated)",
        )
        .on(ANY, own),
    ]
}

async fn list(
    call: Call,
    Path(path): Path<ConnectedAccountsPath>,
    Query(_): Query<OauthProvidersQuery>,
) -> Result<Json<List<ConnectedAccount>>, Failure> {
    connected_accounts::list(&call.app, &call.auth, path.user_id).await.map(List::whole).map(Json)
}

async fn of_provider(
    call: Call,
    Path(path): Path<ProviderAccountsPath>,
    Body(request): Body<ProviderAccessTokenRequest>,
) -> Result<Created<ProviderAccessToken>, Failure> {
    let (user, provider, scope) = (path.user_id, path.provider_id, request.scope);
    let wanted = Wanted { user, provider, account: None, scope };
    connected_accounts::access_token(&call.app, &call.auth, wanted).await.map(Created)
}

async fn of_account(
    call: Call,
    Path(path): Path<ConnectedAccountPath>,
    Body(request): Body<ProviderAccessTokenRequest>,
) -> Result<Created<ProviderAccessToken>, Failure> {
    let account = Some(path.provider_account_id.into_string());
    let (user, provider, scope) = (path.user_id, path.provider_id, request.scope);
    let wanted = Wanted { user, provider, account, scope };
    connected_accounts::access_token(&call.app, &call.auth, wanted).await.map(Created)
}

async fn own(
    call: Call,
    Path(path): Path<OwnProviderAccountsPath>,
    Body(request): Body<ProviderAccessTokenRequest>,
) -> Result<Created<ProviderAccessToken>, Failure> {
    let (provider, scope) = (path.provider_id, request.scope);
    let wanted = Wanted { user: UserIdOrMe::Me, provider, account: None, scope };
    connected_accounts::access_token(&call.app, &call.auth, wanted).await.map(Created)
}
