//! Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037 §2). Private and symmetric members are never read, so a key
//! that was published with them by mistake is at least not passed on.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::error::KeyError;

/// A public key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `EC`, `RSA` or `OKP`.
    pub kty: String,
    /// Curve of EC and OKP keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The one algorithm that the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig` or `enc`; keys of ours leave it out.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Key id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// First coordinate of EC keys, the key of OKP keys; base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Second coordinate of EC keys; base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Modulus of RSA keys; base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Exponent of RSA keys; base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

/// A set of public keys (RFC 7517 §5). Reading skips entries that are no keys, as the RFC asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    #[serde(deserialize_with = "readable")]
    pub keys: Vec<Jwk>,
}

fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Jwk>, D::Error> {
    let entries = Vec::<Value>::deserialize(deserializer)?;
    Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

impl Jwks {
    /// The first key with this id.
    pub fn get(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid.as_deref() == Some(kid))
    }
}

impl Jwk {
    /// The SHA-256 thumbprint (RFC 7638 §3, RFC 8037 appendix A.3), base64url; `None` for types that are not known
    /// and keys without the members of their type.
    pub fn thumbprint(&self) -> Option<String> {
        let member = |name: &'static str, value: &Option<String>| Some((name, value.clone()?));
        let mut members = match self.kty.as_str() {
            "EC" => vec![member("crv", &self.crv)?, member("x", &self.x)?, member("y", &self.y)?],
            "OKP" => vec![member("crv", &self.crv)?, member("x", &self.x)?],
            "RSA" => vec![member("e", &self.e)?, member("n", &self.n)?],
            _ => return None,
        };
        members.push(("kty", self.kty.clone()));
        // The RFC wants the members in the order of their names, which is the order of this map.
        let canonical =
            serde_json::to_vec(&members.into_iter().collect::<std::collections::BTreeMap<_, _>>()).ok()?;
        Some(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &canonical)))
    }
}

/// Decodes a member that is a number, which must have `length` bytes if one is given.
pub(crate) fn number(member: Option<&str>, length: Option<usize>) -> Result<Vec<u8>, KeyError> {
    let text = member.ok_or(KeyError("a member of the key is missing"))?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError("a member of the key is not base64url"))?;
    if length.is_some_and(|length| bytes.len() != length) {
        return Err(KeyError("a coordinate of the key has the wrong length"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_thumbprint_of_the_rfc_comes_out() {
        // RFC 7638 §3.1.
        let key: Jwk = serde_json::from_value(json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
        }))
        .unwrap();
        assert_eq!(key.thumbprint().as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        // RFC 8037 appendix A.3.
        let key = Jwk {
            kty: "OKP".into(),
            crv: Some("Ed25519".into()),
            x: Some("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()),
            ..Jwk::default()
        };
        assert_eq!(key.thumbprint().as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
        assert_eq!(Jwk { kty: "oct".into(), ..Jwk::default() }.thumbprint(), None);
        assert_eq!(Jwk { kty: "EC".into(), ..Jwk::default() }.thumbprint(), None);
    }

    #[test]
    fn entries_of_a_set_that_are_no_keys_are_skipped_and_private_members_are_not_passed_on() {
        let set: Jwks = serde_json::from_value(json!({"keys": [
            {"no": "kty"}, 7, {"kty": "new", "kid": "a"}, {"kty": "OKP", "crv": "Ed25519", "kid": "b", "x": "eA", "d": "s"}
        ]}))
        .unwrap();
        assert_eq!(set.keys.len(), 2);
        assert_eq!(
            serde_json::to_value(set.get("b").unwrap()).unwrap(),
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "b", "x": "eA"})
        );
        assert_eq!(set.get("c"), None);
        assert!(serde_json::from_value::<Jwks>(json!({})).is_err());
    }
}
