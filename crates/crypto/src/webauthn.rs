//! What a relying party checks of passkeys (W3C Web Authentication Level 3, sections 7.1 and 7.2), without I/O: the
//! caller brings the bytes that the browser sent and what they must agree with, and keeps what comes out.
//!
//! Not checked here, since it takes a look at what is stored: whether the challenge is the one that was given out,
//! whether the origin is trusted, whose credential it is, and whether the signature counter grew. Attestation is not
//! asked for and its statement is not looked at: what an authenticator says of its maker decides nothing.

mod authenticator_data;
mod client_data;
mod cose_key;

use aws_lc_rs::digest::{SHA256, digest};

pub use self::authenticator_data::Flags;
use self::authenticator_data::{AuthenticatorData, attestation_object};
pub use self::client_data::{Ceremony, ClientData};
use self::cose_key::CoseKey;

/// Why an answer of an authenticator is not accepted. For logs and the audit log, not for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebauthnError {
    /// What the browser collected is no JSON of the right shape.
    #[error("the client data is malformed")]
    MalformedClientData,
    /// The answer to another kind of question: an assertion instead of a registration, or the reverse.
    #[error("the client data is of another ceremony")]
    WrongCeremony,
    /// The page was embedded in a page of somebody else.
    #[error("the page was embedded in another origin")]
    CrossOrigin,
    /// The attestation object is not the CBOR that it must be.
    #[error("the attestation object is malformed")]
    MalformedAttestation,
    /// The authenticator data is cut short, too long, or contradicts itself.
    #[error("the authenticator data is malformed")]
    MalformedAuthenticatorData,
    /// The credential belongs to another relying party.
    #[error("the relying party id is another one")]
    WrongRelyingParty,
    /// Nobody touched the authenticator.
    #[error("the user was not present")]
    UserNotPresent,
    /// The authenticator did not ask for a PIN or a biometric, and must have.
    #[error("the user was not verified")]
    UserNotVerified,
    /// The public key is of no kind that was asked for, or no key at all.
    #[error("the public key is not one that was asked for")]
    UnusableKey,
    /// The key did not sign this.
    #[error("the signature is wrong")]
    BadSignature,
}

/// What the answer of an authenticator must agree with.
#[derive(Debug, Clone, Copy)]
pub struct Demands<'a> {
    /// The relying party ids that are allowed, any of them.
    pub rp_ids: &'a [&'a str],
    /// Whether the authenticator must have verified its user by PIN or biometric.
    pub user_verification: bool,
}

/// A credential that an authenticator made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// Its id, at most [`LONGEST_CREDENTIAL_ID`] bytes.
    pub credential_id: Vec<u8>,
    /// The `COSE_Key` as the authenticator wrote it; what [`verify_assertion`] takes.
    pub public_key: Vec<u8>,
    /// Which of the allowed relying party ids it is for.
    pub rp_id: String,
    /// The signature counter; zero from authenticators that do not count.
    pub sign_count: u32,
    /// The model of the authenticator; zeros if it does not tell.
    pub aaguid: [u8; 16],
    /// What the authenticator says of user and credential.
    pub flags: Flags,
}

/// The answer of an authenticator that proved to hold the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assertion {
    /// The signature counter; zero from authenticators that do not count.
    pub sign_count: u32,
    /// What the authenticator says of user and credential.
    pub flags: Flags,
}

/// The longest credential id, bytes (Level 3, section 7.1, step 24).
pub const LONGEST_CREDENTIAL_ID: usize = 1023;

/// The algorithms that passkeys may use, best first: `EdDSA`, ES256 and RS256 of the IANA COSE registry.
pub const ALGORITHMS: [i64; 3] = [cose_key::EDDSA, cose_key::ES256, cose_key::RS256];

/// Reads a new credential from an attestation object (section 7.1, steps 12 to 24).
///
/// # Errors
/// [`WebauthnError`]: what is malformed, or disagrees with the demands.
pub fn read_registration(object: &[u8], demands: &Demands<'_>) -> Result<NewCredential, WebauthnError> {
    let data = AuthenticatorData::read(attestation_object(object)?)?;
    let rp_id = data.check(demands)?.to_owned();
    let attested = data.attested.ok_or(WebauthnError::MalformedAuthenticatorData)?;
    // Only keys that could verify something are kept.
    CoseKey::read(attested.public_key)?.parse()?;
    Ok(NewCredential {
        credential_id: attested.credential_id.to_vec(),
        public_key: attested.public_key.to_vec(),
        rp_id,
        sign_count: data.sign_count,
        aaguid: attested.aaguid,
        flags: data.flags,
    })
}

/// Checks that the key signed these client data and this authenticator data (section 7.2, steps 13 to 21).
///
/// # Errors
/// [`WebauthnError`]: what is malformed, disagrees with the demands, or was not signed.
pub fn verify_assertion(
    public_key: &[u8],
    client_data: &ClientData,
    authenticator_data: &[u8],
    signature: &[u8],
    demands: &Demands<'_>,
) -> Result<Assertion, WebauthnError> {
    let data = AuthenticatorData::read(authenticator_data)?;
    data.check(demands)?;
    let key = CoseKey::read(public_key)?.parse()?;
    let signed = [authenticator_data, client_data.hash()].concat();
    key.verify_sig(&signed, signature).map_err(|_| WebauthnError::BadSignature)?;
    Ok(Assertion { sign_count: data.sign_count, flags: data.flags })
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests;
