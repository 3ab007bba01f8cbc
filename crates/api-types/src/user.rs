//! The user on the wire.
//!
//! Owns the JSON shapes per access level; what a field means is decided by the server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a user is restricted; JSON `{"type": …}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RestrictedReason {
    /// The first reason that applies.
    #[serde(rename = "type")]
    pub kind: RestrictionKind,
}

/// The reasons for a restriction, in the order in which they are examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestrictionKind {
    /// The user never signed up.
    Anonymous,
    /// The project requires a verified primary email and there is none.
    EmailNotVerified,
    /// An administrator restricted the user.
    RestrictedByAdministrator,
}
