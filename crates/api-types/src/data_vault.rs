//! The data vault on the wire. Keys are hashed and values encrypted before they get here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input;
use crate::input::NonEmptyText;

input! {
    /// The path of one store.
    pub struct DataVaultPath {
        /// Which store.
        pub id: NonEmptyText,
    }
}

input! {
    /// Under which key to look.
    pub struct DataVaultGet {
        /// The hash of the key.
        pub hashed_key: NonEmptyText,
    }
}

input! {
    /// What to keep under which key.
    pub struct DataVaultSet {
        /// The hash of the key.
        pub hashed_key: NonEmptyText,
        /// The value, encrypted.
        pub encrypted_value: String,
    }
}

/// What is kept under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataVaultValue {
    /// The value, encrypted.
    pub encrypted_value: String,
}
