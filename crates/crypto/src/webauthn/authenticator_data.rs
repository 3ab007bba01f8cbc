//! The authenticator data (section 6.1) and the attestation object around it (section 6.5.4).

use minicbor::Decoder;
use minicbor::data::Type;

use super::{Demands, LONGEST_CREDENTIAL_ID, WebauthnError, sha256};
use crate::mac::constant_time_eq;

/// What an authenticator says of its user and of the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// The user gave a PIN or a biometric.
    pub user_verified: bool,
    /// The credential may be copied to other devices of its owner.
    pub backup_eligible: bool,
    /// The credential is copied.
    pub backed_up: bool,
}

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// Authenticator data, taken apart.
pub(super) struct AuthenticatorData<'a> {
    rp_id_hash: &'a [u8],
    user_present: bool,
    pub(super) flags: Flags,
    pub(super) sign_count: u32,
    pub(super) attested: Option<Attested<'a>>,
}

/// A credential in authenticator data (section 6.5.1).
pub(super) struct Attested<'a> {
    pub(super) aaguid: [u8; 16],
    pub(super) credential_id: &'a [u8],
    pub(super) public_key: &'a [u8],
}

/// The bytes that are left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], WebauthnError> {
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or(WebauthnError::MalformedAuthenticatorData)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WebauthnError> {
        self.take(N)?.try_into().map_err(|_| WebauthnError::MalformedAuthenticatorData)
    }

    /// One CBOR map, whatever is in it.
    fn map(&mut self) -> Result<&'a [u8], WebauthnError> {
        let mut decoder = Decoder::new(self.0);
        if !matches!(decoder.datatype(), Ok(Type::Map)) || decoder.skip().is_err() {
            return Err(WebauthnError::MalformedAuthenticatorData);
        }
        self.take(decoder.position())
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Takes authenticator data apart, to the last byte.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, WebauthnError> {
        let mut rest = Rest(bytes);
        let rp_id_hash = rest.take(32)?;
        let [bits] = rest.array()?;
        let sign_count = u32::from_be_bytes(rest.array()?);
        let has = |bit: u8| bits & bit != 0;
        let attested = if has(ATTESTED) {
            let aaguid = rest.array()?;
            let length = usize::from(u16::from_be_bytes(rest.array()?));
            if !(1..=LONGEST_CREDENTIAL_ID).contains(&length) {
                return Err(WebauthnError::MalformedAuthenticatorData);
            }
            Some(Attested { aaguid, credential_id: rest.take(length)?, public_key: rest.map()? })
        } else {
            None
        };
        if has(EXTENSIONS) {
            rest.map()?;
        }
        let flags = Flags {
            user_verified: has(USER_VERIFIED),
            backup_eligible: has(BACKUP_ELIGIBLE),
            backed_up: has(BACKED_UP),
        };
        // What cannot be copied is not copied (section 7.1, step 18).
        if !rest.0.is_empty() || (flags.backed_up && !flags.backup_eligible) {
            return Err(WebauthnError::MalformedAuthenticatorData);
        }
        Ok(Self { rp_id_hash, user_present: has(USER_PRESENT), flags, sign_count, attested })
    }

    /// Compares it with what is demanded, and says for which relying party id it is.
    pub(super) fn check<'d>(&self, demands: &Demands<'d>) -> Result<&'d str, WebauthnError> {
        let is_hashed = |id: &&&str| constant_time_eq(&sha256(id.as_bytes()), self.rp_id_hash);
        let rp_id = demands.rp_ids.iter().find(is_hashed).ok_or(WebauthnError::WrongRelyingParty)?;
        if !self.user_present {
            return Err(WebauthnError::UserNotPresent);
        }
        if demands.user_verification && !self.flags.user_verified {
            return Err(WebauthnError::UserNotVerified);
        }
        Ok(rp_id)
    }
}

/// The authenticator data in an attestation object. Format and statement must be there and are not looked at.
pub(super) fn attestation_object(bytes: &[u8]) -> Result<&[u8], WebauthnError> {
    read_attestation_object(bytes).ok().flatten().ok_or(WebauthnError::MalformedAttestation)
}

/// `None` for CBOR that is no attestation object.
fn read_attestation_object(bytes: &[u8]) -> Result<Option<&[u8]>, minicbor::decode::Error> {
    let mut decoder = Decoder::new(bytes);
    let Some(members) = decoder.map()? else { return Ok(None) };
    let (mut format, mut statement, mut data) = (None, None, None);
    for _ in 0..members {
        let known = match decoder.str()? {
            "fmt" => format.replace(decoder.str()?).is_none(),
            "attStmt" => {
                let is_map = decoder.datatype()? == Type::Map;
                decoder.skip()?;
                is_map && statement.replace(()).is_none()
            }
            "authData" => data.replace(decoder.bytes()?).is_none(),
            _ => false,
        };
        if !known {
            return Ok(None);
        }
    }
    let is_whole = decoder.position() == bytes.len() && format.is_some() && statement.is_some();
    Ok(data.filter(|_| is_whole))
}
