//! The algorithms that are verified, and how a key decides which of them it is for (RFC 7518 §3, RFC 8037 §3.1).
//! There is no way from a token's header to an algorithm.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};

use crate::error::KeyError;
use crate::jwk::{Jwk, number};

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    Es384,
    Es512,
    EdDsa,
    Rsa(Rsa),
}

/// The algorithms for RSA keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rsa {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
}

impl Rsa {
    fn parameters(self) -> &'static RsaParameters {
        match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &RSA_PSS_2048_8192_SHA512,
        }
    }
}

impl Algorithm {
    /// The one algorithm of a key. Where the key's type leaves a choice and the key names none, it is `RS256`, which
    /// is what issuers mean who leave it out.
    pub(crate) fn of(jwk: &Jwk) -> Result<Self, KeyError> {
        match (jwk.kty.as_str(), jwk.crv.as_deref(), jwk.alg.as_deref()) {
            ("EC", Some("P-256"), None | Some("ES256")) => Ok(Self::Es256),
            ("EC", Some("P-384"), None | Some("ES384")) => Ok(Self::Es384),
            ("EC", Some("P-521"), None | Some("ES512")) => Ok(Self::Es512),
            ("OKP", Some("Ed25519"), None | Some("EdDSA")) => Ok(Self::EdDsa),
            ("RSA", _, None | Some("RS256")) => Ok(Self::Rsa(Rsa::Rs256)),
            ("RSA", _, Some("RS384")) => Ok(Self::Rsa(Rsa::Rs384)),
            ("RSA", _, Some("RS512")) => Ok(Self::Rsa(Rsa::Rs512)),
            ("RSA", _, Some("PS256")) => Ok(Self::Rsa(Rsa::Ps256)),
            ("RSA", _, Some("PS384")) => Ok(Self::Rsa(Rsa::Ps384)),
            ("RSA", _, Some("PS512")) => Ok(Self::Rsa(Rsa::Ps512)),
            _ => Err(KeyError("the key's type, curve and algorithm are no pair that is known")),
        }
    }

    /// The name in headers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Rsa(Rsa::Rs256) => "RS256",
            Self::Rsa(Rsa::Rs384) => "RS384",
            Self::Rsa(Rsa::Rs512) => "RS512",
            Self::Rsa(Rsa::Ps256) => "PS256",
            Self::Rsa(Rsa::Ps384) => "PS384",
            Self::Rsa(Rsa::Ps512) => "PS512",
        }
    }

    /// The hash inside the algorithm; that of Ed25519 is SHA-512 (RFC 8032 §5.1).
    pub(crate) fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::Es256 | Self::Rsa(Rsa::Rs256 | Rsa::Ps256) => &digest::SHA256,
            Self::Es384 | Self::Rsa(Rsa::Rs384 | Rsa::Ps384) => &digest::SHA384,
            Self::Es512 | Self::EdDsa | Self::Rsa(Rsa::Rs512 | Rsa::Ps512) => &digest::SHA512,
        }
    }

    /// Reads the public key once, so that verifying need not.
    pub(crate) fn parse(self, jwk: &Jwk) -> Result<ParsedPublicKey, KeyError> {
        let (x, y) = (jwk.x.as_deref(), jwk.y.as_deref());
        let point = |size| Ok([vec![4], number(x, Some(size))?, number(y, Some(size))?].concat());
        match self {
            Self::Es256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(32)?),
            Self::Es384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point(48)?),
            Self::Es512 => ParsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point(66)?),
            Self::EdDsa => ParsedPublicKey::new(&ED25519, number(x, Some(32))?),
            Self::Rsa(rsa) => {
                let (n, e) = (number(jwk.n.as_deref(), None)?, number(jwk.e.as_deref(), None)?);
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa.parameters())
            }
        }
        .map_err(|_| KeyError("the numbers in the key are no key of its type"))
    }
}
