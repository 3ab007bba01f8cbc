//! The three privileges with which a request can be made.
//!
//! Owns their names and their order; which key proves which privilege is decided by the server.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The privilege that a request declares in `x-stack-access-type`; ordered from the least to the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessType {
    /// A browser or an app: may do what its user may do.
    Client,
    /// A back end that holds the secret server key.
    Server,
    /// An operator that holds the super-secret admin key.
    Admin,
}

impl AccessType {
    /// Every access type, least privilege first.
    pub const ALL: [Self; 3] = [Self::Client, Self::Server, Self::Admin];

    /// The word used on the wire: `client`, `server` or `admin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for AccessType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text was none of `client`, `server`, `admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAccessType;

impl fmt::Display for UnknownAccessType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be one of client, server, admin")
    }
}

impl std::error::Error for UnknownAccessType {}

impl FromStr for AccessType {
    type Err = UnknownAccessType;

    fn from_str(text: &str) -> Result<Self, UnknownAccessType> {
        Self::ALL.into_iter().find(|access| access.as_str() == text).ok_or(UnknownAccessType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_types_are_ordered_by_privilege() {
        assert!(AccessType::Client < AccessType::Server && AccessType::Server < AccessType::Admin);
    }

    #[test]
    fn every_access_type_parses_from_its_own_word_and_nothing_else_does() {
        for access in AccessType::ALL {
            assert_eq!(access.as_str().parse(), Ok(access));
        }
        assert_eq!("Client".parse::<AccessType>(), Err(UnknownAccessType));
    }
}
