//! Why a token is refused, and why a key cannot be used. Texts are for logs and developers; none holds a secret.

/// Why a token is refused. Checks run in this order, so that each means that all before it were passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// Not a JWS in compact form with a JSON object as header and payload (RFC 7515 §7.1, RFC 7519 §7.2), longer than
    /// 16 KiB, or a claim has the wrong type.
    #[error("this is no token")]
    Malformed,
    /// The header carries `jwk`, `jku`, `x5u` or `x5c`: whoever signed it also says whom to believe. No issuer of ours
    /// does that, so it is an attack or a mistake.
    #[error("the token brings its own key (jwk, jku, x5u or x5c)")]
    BringsKey,
    /// The header demands an extension by `crit` (RFC 7515 §4.1.11), and none is known here.
    #[error("the token demands an extension that is not known")]
    UnknownExtension,
    /// None of the keys has the token's key id; or it has none, and there is more than one key.
    #[error("the token's key is not among the known keys")]
    UnknownKey,
    /// The header names another algorithm than the key is for.
    #[error("the token's algorithm is not that of the key")]
    WrongAlgorithm,
    /// Signed by somebody else, or changed since.
    #[error("the signature is wrong")]
    BadSignature,
    /// The issuer is not one of those expected.
    #[error("the issuer is wrong")]
    WrongIssuer,
    /// It is meant for somebody else.
    #[error("the audience is wrong")]
    WrongAudience,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Everything is right but the time.
    #[error("the token has expired")]
    Expired,
}

/// A key could not be made, read or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub(crate) &'static str);
