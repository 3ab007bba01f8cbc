//! Project keys on the wire: sets of up to three, shown whole once (contract 07 §6).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::KeySetId;
use crate::input;
use crate::input::OnlyTrue;

input! {
    /// A new set of keys.
    pub struct KeySetCreate {
        /// What it is for.
        pub description: String,
        /// When the keys end; may be in the past.
        pub expires_at_millis: i64,
        /// Whether it has a publishable client key.
        pub has_publishable_client_key: bool,
        /// Whether it has a secret server key.
        pub has_secret_server_key: bool,
        /// Whether it has a super secret admin key.
        pub has_super_secret_admin_key: bool,
    }
}

input! {
    /// Changes of a set of keys.
    pub struct KeySetUpdate {
        /// What it is for.
        pub description: Option<String>,
        /// Revokes the keys for good.
        pub revoked: Option<OnlyTrue>,
    }
}

input! {
    /// The path of one set of keys.
    pub struct KeySetPath {
        /// The set.
        pub id: KeySetId,
    }
}

/// A set of keys as it is shown once, when it is made. Keys that it does not have are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewKeySet {
    /// The set.
    pub id: KeySetId,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at_millis: i64,
    /// When its keys end.
    pub expires_at_millis: i64,
    /// The key that browsers and apps send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishable_client_key: Option<String>,
    /// The key that back ends send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_server_key: Option<String>,
    /// The key that administers the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub super_secret_admin_key: Option<String>,
}

/// A set of keys as it is shown later. Keys that it does not have are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeySet {
    /// The set.
    pub id: KeySetId,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at_millis: i64,
    /// When its keys end.
    pub expires_at_millis: i64,
    /// When it was revoked; absent if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manually_revoked_at_millis: Option<i64>,
    /// The key that browsers and apps send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishable_client_key: Option<ShownKey>,
    /// The key that back ends send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_server_key: Option<ShownKey>,
    /// The key that administers the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub super_secret_admin_key: Option<ShownKey>,
}

/// What is shown of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownKey {
    /// Its last four characters.
    pub last_four: String,
}
