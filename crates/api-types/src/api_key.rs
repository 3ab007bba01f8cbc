//! API keys of users and teams on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{ApiKeyId, TeamId, UserId};
use crate::input::{NonEmptyText, Nullable, OnlyTrue, SecretText, UserIdOrMe};
use crate::{input, words};

words! {
    /// Whose key a key is.
    pub enum ApiKeyType {
        /// A user's.
        User = "user",
        /// A team's.
        Team = "team",
    }
}

words! {
    /// What is shown of keys on demand.
    pub enum ApiKeyInclude {
        /// What the key is good for, and how it is used.
        Usage = "usage",
    }
}

/// An API key.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ApiKey {
    /// The key.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub description: String,
    /// End of validity, epoch milliseconds; omitted if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at_millis: Option<i64>,
    /// When it was revoked, epoch milliseconds; omitted if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manually_revoked_at_millis: Option<i64>,
    /// Creation, epoch milliseconds.
    pub created_at_millis: i64,
    /// Whether it is meant to be seen.
    pub is_public: bool,
    /// Whose key it is.
    #[serde(rename = "type")]
    pub kind: ApiKeyType,
    /// The user whose key it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The team whose key it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    /// The key itself when it is created, its end ever after.
    pub value: ApiKeyValue,
    /// On demand, for servers and admins.
    #[serde(flatten)]
    pub usage: Option<ApiKeyUsage>,
}

/// As much of a key as may be shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ApiKeyValue {
    /// All of it.
    Whole(String),
    /// Its end.
    End {
        /// The last four characters.
        last_four: String,
    },
}

/// How a key is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyUsage {
    /// What it is good for, in the words of the project.
    pub scopes: Vec<String>,
    /// When it was last checked, epoch milliseconds.
    pub last_used_at_millis: Option<i64>,
    /// How often it was checked.
    pub request_count: i64,
}

macro_rules! keys_of {
    ($owner:ident: $type:ty, $owner_doc:literal, $required:ty,
     $create:ident, $server_create:ident, $list:ident, $server_list:ident, $query:ident, $server_query:ident) => {
        input! {
            /// A new key.
            pub struct $create {
                /// What its owner calls it.
                pub description: String,
                /// End of validity, epoch milliseconds; null for none.
                pub expires_at_millis: Nullable<i64>,
                /// Whether it is meant to be seen.
                pub is_public: Option<bool>,
                #[doc = $owner_doc]
                pub $owner: $type,
            }
        }

        input! {
            /// A new key.
            pub struct $server_create {
                /// What its owner calls it.
                pub description: String,
                /// End of validity, epoch milliseconds; null for none.
                pub expires_at_millis: Nullable<i64>,
                /// Whether it is meant to be seen.
                pub is_public: Option<bool>,
                #[doc = $owner_doc]
                pub $owner: $type,
                /// What it is good for, in the words of the project.
                pub scopes: Option<Vec<NonEmptyText>>,
            }
        }

        input! {
            /// Whose keys are meant.
            pub struct $list {
                #[doc = $owner_doc]
                pub $owner: $type,
            }
        }

        input! {
            /// Whose keys are meant, and what is shown of them.
            pub struct $server_list {
                #[doc = $owner_doc]
                pub $owner: $type,
                /// What is shown beyond the usual.
                pub include: Option<ApiKeyInclude>,
            }
        }

        input! {
            /// Whose key is meant.
            pub struct $query {
                #[doc = $owner_doc]
                pub $owner: $required,
            }
        }

        input! {
            /// Whose key is meant, and what is shown of it.
            pub struct $server_query {
                #[doc = $owner_doc]
                pub $owner: $required,
                /// What is shown beyond the usual.
                pub include: Option<ApiKeyInclude>,
            }
        }
    };
}

keys_of! {
    user_id: UserIdOrMe, "The user.", Option<UserIdOrMe>,
    UserApiKeyCreate, ServerUserApiKeyCreate, UserApiKeysQuery, ServerUserApiKeysQuery, UserApiKeyQuery, ServerUserApiKeyQuery
}

keys_of! {
    team_id: TeamId, "The team.", TeamId,
    TeamApiKeyCreate, ServerTeamApiKeyCreate, TeamApiKeysQuery, ServerTeamApiKeysQuery, TeamApiKeyQuery, ServerTeamApiKeyQuery
}

input! {
    /// A change of a key.
    pub struct ApiKeyUpdate {
        /// What its owner calls it.
        pub description: Option<String>,
        /// Ends its validity for good.
        pub revoked: Option<OnlyTrue>,
    }
}

input! {
    /// A change of a key by a server.
    pub struct ServerApiKeyUpdate {
        /// What its owner calls it.
        pub description: Option<String>,
        /// Ends its validity for good.
        pub revoked: Option<OnlyTrue>,
        /// What it is good for, in the words of the project.
        pub scopes: Option<Vec<NonEmptyText>>,
    }
}

input! {
    /// The path of one key.
    pub struct ApiKeyPath {
        /// Which key.
        pub api_key_id: ApiKeyId,
    }
}

input! {
    /// A key that somebody presented.
    pub struct ApiKeyCheck {
        /// The whole key.
        pub api_key: SecretText,
    }
}

input! {
    /// What is shown of a key that was checked.
    pub struct ApiKeyCheckQuery {
        /// What is shown beyond the usual.
        pub include: Option<ApiKeyInclude>,
    }
}
