//! The client data: what the browser saw and vouches for (section 5.8.1).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{WebauthnError, sha256};

/// What the browser was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceremony {
    /// Make a credential.
    Registration,
    /// Prove to hold one.
    Authentication,
}

impl Ceremony {
    const fn name(self) -> &'static str {
        match self {
            Self::Registration => "webauthn.create",
            Self::Authentication => "webauthn.get",
        }
    }
}

/// Client data of the right ceremony, not yet compared with anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientData {
    /// The challenge that the page passed on, base64url without padding.
    pub challenge: String,
    /// The origin of the page, as the browser writes it: `https://app.example.com`.
    pub origin: String,
    hash: [u8; 32],
}

/// The members that decide something; browsers may add others. A member that stands twice is an error.
#[derive(Deserialize)]
struct Collected {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<IgnoredAny>,
}

impl ClientData {
    /// Reads what the browser collected for a ceremony.
    ///
    /// # Errors
    /// `MalformedClientData`, `WrongCeremony`, `CrossOrigin`.
    pub fn read(json: &[u8], ceremony: Ceremony) -> Result<Self, WebauthnError> {
        let collected: Collected =
            serde_json::from_slice(json).map_err(|_| WebauthnError::MalformedClientData)?;
        if collected.kind != ceremony.name() {
            return Err(WebauthnError::WrongCeremony);
        }
        if collected.cross_origin || collected.top_origin.is_some() {
            return Err(WebauthnError::CrossOrigin);
        }
        Ok(Self { challenge: collected.challenge, origin: collected.origin, hash: sha256(json) })
    }

    /// SHA-256 of the bytes as they came, of which the authenticator signed nothing else.
    pub(super) const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}
