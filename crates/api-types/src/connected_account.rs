//! Connected accounts on the wire: accounts of users at OAuth providers, for use by the application.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ids::UserId;
use crate::input;
use crate::input::{NonEmptyText, UserIdOrMe};

/// An account that the application may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConnectedAccount {
    /// Whose it is.
    pub user_id: UserId,
    /// The provider's id in the project's configuration.
    pub provider: String,
    /// The provider's id of the account.
    pub provider_account_id: String,
}

/// An access token of a provider. Its Debug form does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProviderAccessToken {
    /// Opens the provider's API.
    pub access_token: String,
}

impl std::fmt::Debug for ProviderAccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderAccessToken").finish_non_exhaustive()
    }
}

input! {
    /// The path of a user's accounts.
    pub struct ConnectedAccountsPath {
        /// Whose.
        pub user_id: UserIdOrMe,
    }
}

input! {
    /// The path of a user's accounts at one provider.
    pub struct ProviderAccountsPath {
        /// Whose.
        pub user_id: UserIdOrMe,
        /// The provider's id in the project's configuration.
        pub provider_id: String,
    }
}

input! {
    /// The path of one account.
    pub struct ConnectedAccountPath {
        /// Whose.
        pub user_id: UserIdOrMe,
        /// The provider's id in the project's configuration.
        pub provider_id: String,
        /// The provider's id of the account.
        pub provider_account_id: NonEmptyText,
    }
}

input! {
    /// The path of the signed-in user's accounts at one provider.
    pub struct OwnProviderAccountsPath {
        /// The provider's id in the project's configuration.
        pub provider_id: String,
    }
}

input! {
    /// What an access token is wanted for.
    #[derive(Default)]
    pub struct ProviderAccessTokenRequest {
        /// The scopes that it must have, separated by spaces.
        pub scope: Option<String>,
    }
}
