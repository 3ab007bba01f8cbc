//! What a verifier expects of the registered claims (RFC 7519 §4.1).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::JwtError;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    /// Issuers that are accepted.
    pub issuers: &'a [&'a str],
    /// The audience: the token's only one, or one of several. Whoever wants a single one reads the claims into a type
    /// whose `aud` is a string.
    pub audience: &'a str,
    /// Now, epoch seconds.
    pub now_seconds: i64,
    /// How far clocks may differ, seconds.
    pub leeway_seconds: i64,
}

/// The registered claims that decide whether a token is accepted.
#[derive(Default)]
pub(crate) struct Registered<'p> {
    iss: Option<Cow<'p, str>>,
    aud: Vec<Cow<'p, str>>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
}

impl<'p> Registered<'p> {
    /// Reads the claims. Names that occur twice are refused (RFC 7519 §4): two readers could see two tokens.
    pub(crate) fn read(payload: &'p [u8]) -> Result<Self, JwtError> {
        serde_json::from_slice(payload).map_err(|_| JwtError::Malformed)
    }

    /// Checks all but the end of the token's time.
    pub(crate) fn check(&self, expect: &Expect<'_>) -> Result<(), JwtError> {
        if !self.iss.as_deref().is_some_and(|issuer| expect.issuers.contains(&issuer)) {
            return Err(JwtError::WrongIssuer);
        }
        if !self.aud.iter().any(|audience| audience == expect.audience) {
            return Err(JwtError::WrongAudience);
        }
        if self.nbf.is_some_and(|start| start.0 > expect.now_seconds.saturating_add(expect.leeway_seconds)) {
            return Err(JwtError::NotYetValid);
        }
        // A token without an end would be a password.
        if self.exp.is_none() { Err(JwtError::Malformed) } else { Ok(()) }
    }

    /// Checks the end of the token's time: at `exp`, it is over (RFC 7519 §4.1.4).
    pub(crate) fn check_end(&self, expect: &Expect<'_>) -> Result<(), JwtError> {
        let end = self.exp.ok_or(JwtError::Malformed)?.0.saturating_add(expect.leeway_seconds);
        if end <= expect.now_seconds { Err(JwtError::Expired) } else { Ok(()) }
    }
}

impl<'de: 'p, 'p> Deserialize<'de> for Registered<'p> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Registered<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut claims = Registered::default();
                let mut seen = HashSet::new();
                while let Some(Text(name)) = map.next_key()? {
                    match name.as_ref() {
                        "iss" => claims.iss = map.next_value::<Option<Text<'_>>>()?.map(|text| text.0),
                        "aud" => claims.aud = map.next_value::<Audience<'_>>()?.into_vec(),
                        "exp" => claims.exp = map.next_value()?,
                        "nbf" => claims.nbf = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                    if !seen.insert(name) {
                        return Err(A::Error::custom("a claim occurs twice"));
                    }
                }
                Ok(claims)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A text that is borrowed from the payload where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience<'t> {
    None(()),
    One(#[serde(borrow)] Cow<'t, str>),
    Several(#[serde(borrow)] Vec<Cow<'t, str>>),
}

impl<'t> Audience<'t> {
    fn into_vec(self) -> Vec<Cow<'t, str>> {
        match self {
            Self::None(()) => Vec::new(),
            Self::One(audience) => vec![audience],
            Self::Several(audiences) => audiences,
        }
    }
}

/// Seconds since 1970 (RFC 7519 §2); fractions are allowed and rounded up.
#[derive(Clone, Copy)]
struct NumericDate(i64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        if let Some(seconds) = number.as_i64() {
            return Ok(Self(seconds));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and far away is far enough")]
        let seconds = number.as_f64().map(|seconds| seconds.ceil() as i64);
        seconds.map(Self).ok_or_else(|| D::Error::custom("not a number of seconds"))
    }
}
