//! Public keys of authenticators: `COSE_Key` (RFC 9052 section 7) of the three kinds that are asked for. The key alone
//! decides the algorithm of the signature.

use std::ops::RangeInclusive;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use minicbor::Decoder;

use super::WebauthnError;

/// `EdDSA`, which for passkeys means Ed25519 (RFC 9053 section 2.2; Level 3, section 5.8.5).
pub(super) const EDDSA: i64 = -8;
/// ECDSA with SHA-256, which for passkeys means on P-256 (RFC 9053 section 2.1).
pub(super) const ES256: i64 = -7;
/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8812 section 2).
pub(super) const RS256: i64 = -257;

// Labels (RFC 9052 section 7.1), and those of each kind of key (RFC 9053 section 7, RFC 8230 section 4).
const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV_OR_N: i64 = -1;
const X_OR_E: i64 = -2;
const Y: i64 = -3;

const OKP: i64 = 1;
const EC2: i64 = 2;
const RSA: i64 = 3;
const P256: i64 = 1;
const CURVE_ED25519: i64 = 6;

/// The sizes of RSA moduli, bytes: 2048 to 4096 bits. Smaller ones are weak, larger ones only cost time.
const MODULUS: RangeInclusive<usize> = 256..=512;
/// The largest RSA exponent, bytes.
const LARGEST_EXPONENT: usize = 4;

/// The members of a key, of which each kind needs other ones.
#[derive(Default)]
pub(super) struct CoseKey<'a> {
    kty: Option<i64>,
    alg: Option<i64>,
    crv: Option<i64>,
    n: Option<&'a [u8]>,
    x_or_e: Option<&'a [u8]>,
    y: Option<&'a [u8]>,
}

impl<'a> CoseKey<'a> {
    /// Reads a key, to the last byte.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, WebauthnError> {
        Self::decode(bytes).ok().flatten().ok_or(WebauthnError::UnusableKey)
    }

    /// `None` for CBOR that is no key: something else, or with a member twice.
    fn decode(bytes: &'a [u8]) -> Result<Option<Self>, minicbor::decode::Error> {
        let mut decoder = Decoder::new(bytes);
        let Some(members) = decoder.map()? else { return Ok(None) };
        let mut key = Self::default();
        for _ in 0..members {
            let is_new = match decoder.i64()? {
                KTY => key.kty.replace(decoder.i64()?).is_none(),
                ALG => key.alg.replace(decoder.i64()?).is_none(),
                CRV_OR_N if key.kty == Some(RSA) => key.n.replace(decoder.bytes()?).is_none(),
                CRV_OR_N => key.crv.replace(decoder.i64()?).is_none(),
                X_OR_E => key.x_or_e.replace(decoder.bytes()?).is_none(),
                Y => key.y.replace(decoder.bytes()?).is_none(),
                // Authenticators leave all others out (Level 3, section 6.5.1.1).
                _ => false,
            };
            if !is_new {
                return Ok(None);
            }
        }
        Ok(Some(key).filter(|_| decoder.position() == bytes.len()))
    }

    /// The key, ready to verify with the one algorithm that it is for.
    pub(super) fn parse(&self) -> Result<ParsedPublicKey, WebauthnError> {
        let number = |number: Option<&'a [u8]>| number.ok_or(WebauthnError::UnusableKey);
        let coordinate = |value: Option<&'a [u8]>| {
            value.filter(|bytes| bytes.len() == 32).ok_or(WebauthnError::UnusableKey)
        };
        match (self.kty, self.alg, self.crv) {
            (Some(EC2), Some(ES256), Some(P256)) => {
                let point = [&[4], coordinate(self.x_or_e)?, coordinate(self.y)?].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
            }
            (Some(OKP), Some(EDDSA), Some(CURVE_ED25519)) if self.y.is_none() => {
                ParsedPublicKey::new(&ED25519, coordinate(self.x_or_e)?)
            }
            (Some(RSA), Some(RS256), None) if self.y.is_none() => {
                let (n, e) = (number(self.n)?, number(self.x_or_e)?);
                if !MODULUS.contains(&n.len()) || e.len() > LARGEST_EXPONENT {
                    return Err(WebauthnError::UnusableKey);
                }
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            }
            _ => return Err(WebauthnError::UnusableKey),
        }
        .map_err(|_| WebauthnError::UnusableKey)
    }
}
