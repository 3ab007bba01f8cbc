//! OAuth accounts of users on the wire; the API calls them OAuth providers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ids::{OauthAccountId, UserId};
use crate::input::{NonEmptyText, PlainEmail, UserIdOrMe};
use crate::{input, words};

/// An account as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClientOauthProvider {
    /// Whose it is.
    pub user_id: UserId,
    /// The link between user and account.
    pub id: OauthAccountId,
    /// The address that the provider told; left out if it told none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The provider's id in the project's configuration.
    pub provider_config_id: String,
    /// Which service it is, for example `google`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the account signs the user in.
    pub allow_sign_in: bool,
    /// Whether access tokens of the account may be asked for.
    pub allow_connected_accounts: bool,
}

/// An account as servers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OauthProvider {
    /// What clients see, too.
    #[serde(flatten)]
    pub client: ClientOauthProvider,
    /// The provider's id of the account.
    pub account_id: String,
}

impl From<OauthProvider> for ClientOauthProvider {
    fn from(provider: OauthProvider) -> Self {
        provider.client
    }
}

words! {
    /// What is listed on demand.
    pub enum OauthProvidersInclude {
        /// Accounts of services of the types `oidc` and `oauth2`, too, which clients of the API need not know.
        Generic = "generic",
    }
}

input! {
    /// Which accounts are listed. Accepted, without effect, wherever accounts are addressed.
    #[derive(Default)]
    pub struct OauthProvidersQuery {
        /// Those of this user; servers may leave it out.
        pub user_id: Option<UserIdOrMe>,
        /// What else is listed.
        pub include: Option<OauthProvidersInclude>,
    }
}

input! {
    /// The path of one account.
    pub struct OauthProviderPath {
        /// Whose it is.
        pub user_id: UserIdOrMe,
        /// Which.
        pub provider_id: OauthAccountId,
    }
}

input! {
    /// An account that a server links to a user.
    pub struct OauthProviderCreate {
        /// To whom.
        pub user_id: UserIdOrMe,
        /// The provider's id in the project's configuration.
        pub provider_config_id: String,
        /// The provider's id of the account.
        pub account_id: NonEmptyText,
        /// The address that the provider told.
        pub email: Option<PlainEmail>,
        /// Whether the account signs the user in.
        pub allow_sign_in: bool,
        /// Whether access tokens of the account may be asked for.
        pub allow_connected_accounts: bool,
    }
}

input! {
    /// What clients may change about an account. Absent properties stay as they are.
    #[derive(Default)]
    pub struct ClientOauthProviderUpdate {
        /// Whether the account signs the user in.
        pub allow_sign_in: Option<bool>,
        /// Whether access tokens of the account may be asked for.
        pub allow_connected_accounts: Option<bool>,
    }
}

input! {
    /// What servers may change about an account. Absent properties stay as they are.
    #[derive(Default)]
    pub struct OauthProviderUpdate {
        /// The address that the provider told.
        pub email: Option<PlainEmail>,
        /// The provider's id of the account.
        pub account_id: Option<NonEmptyText>,
        /// Whether the account signs the user in.
        pub allow_sign_in: Option<bool>,
        /// Whether access tokens of the account may be asked for.
        pub allow_connected_accounts: Option<bool>,
    }
}

impl From<ClientOauthProviderUpdate> for OauthProviderUpdate {
    fn from(update: ClientOauthProviderUpdate) -> Self {
        Self {
            allow_sign_in: update.allow_sign_in,
            allow_connected_accounts: update.allow_connected_accounts,
            ..Self::default()
        }
    }
}
