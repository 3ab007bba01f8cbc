//! Proof Key for Code Exchange (RFC 7636): who redeems a code is who asked for it. Both sides: the verifier that we
//! make as a client, and the challenge that we keep as a server.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Why something is no challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// Neither `S256` nor `plain`.
    #[error("the code challenge method is neither S256 nor plain")]
    Method,
    /// Not 43 to 128 characters of the grammar; or, for `S256`, not the form of a hash.
    #[error("the code challenge is not well-formed")]
    Form,
}

/// How a challenge follows from the verifier (RFC 7636 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeMethod {
    /// The base64url of the SHA-256 of the verifier.
    S256,
    /// The verifier itself.
    Plain,
}

impl ChallengeMethod {
    /// The name in requests. Names are compared as they are: `s256` is no method.
    ///
    /// # Errors
    /// [`ChallengeError::Method`] for any other name.
    pub fn parse(name: &str) -> Result<Self, ChallengeError> {
        match name {
            "S256" => Ok(Self::S256),
            "plain" => Ok(Self::Plain),
            _ => Err(ChallengeError::Method),
        }
    }

    /// The name in requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S256 => "S256",
            Self::Plain => "plain",
        }
    }
}

/// A challenge with its method: kept together, so that a code asked for with `S256` cannot be redeemed with `plain`.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    method: ChallengeMethod,
    value: String,
}

impl Challenge {
    /// Reads a challenge (RFC 7636 §4.3).
    ///
    /// # Errors
    /// [`ChallengeError`].
    pub fn parse(method: &str, value: &str) -> Result<Self, ChallengeError> {
        let method = ChallengeMethod::parse(method)?;
        // The hash of any verifier has this length; a challenge of another one could never be met.
        if !is_verifier(value) || method == ChallengeMethod::S256 && value.len() != 43 {
            return Err(ChallengeError::Form);
        }
        Ok(Self { method, value: value.to_owned() })
    }

    /// The method.
    pub const fn method(&self) -> ChallengeMethod {
        self.method
    }

    /// The text in requests.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether this is the challenge of a verifier (RFC 7636 §4.6); what is no verifier by its grammar never is.
    pub fn is_met_by(&self, verifier: &str) -> bool {
        if !is_verifier(verifier) {
            return false;
        }
        let derived = match self.method {
            ChallengeMethod::S256 => hash(verifier),
            ChallengeMethod::Plain => verifier.to_owned(),
        };
        constant_time::verify_slices_are_equal(derived.as_bytes(), self.value.as_bytes()).is_ok()
    }
}

impl fmt::Debug for Challenge {
    /// A `plain` challenge is the secret itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").field("method", &self.method).finish_non_exhaustive()
    }
}

/// A secret made for one authorization request. Its Debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier(String);

impl Verifier {
    /// Makes a verifier of 43 characters from fresh random bytes (RFC 7636 §4.1).
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a verifier that was kept; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        is_verifier(text).then(|| Self(text.to_owned()))
    }

    /// The verifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its challenge by `S256`.
    pub fn challenge(&self) -> Challenge {
        Challenge { method: ChallengeMethod::S256, value: hash(&self.0) }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

fn hash(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// The grammar of verifiers and challenges (RFC 7636 §4.1, §4.2).
fn is_verifier(text: &str) -> bool {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_is_met() {
        assert!(Challenge::parse("S256", CHALLENGE).unwrap().is_met_by(VERIFIER));
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(VERIFIER).unwrap().try_into().unwrap();
        let verifier = Verifier::from_random(&bytes);
        assert_eq!(verifier.as_str(), VERIFIER);
        assert_eq!(verifier.challenge().value(), CHALLENGE);
        assert_eq!(Verifier::parse(VERIFIER), Some(verifier));
    }

    #[test]
    fn a_challenge_by_s256_is_not_met_by_itself() {
        let challenge = Challenge::parse("S256", CHALLENGE).unwrap();
        assert!(!challenge.is_met_by(CHALLENGE), "that would be plain");
        let plain = Challenge::parse("plain", VERIFIER).unwrap();
        assert!(plain.is_met_by(VERIFIER));
        assert!(!plain.is_met_by(CHALLENGE));
    }

    #[test]
    fn texts_outside_of_the_grammar_are_neither_challenges_nor_verifiers() {
        let (short, long) = ("a".repeat(42), "a".repeat(129));
        let odd = format!("{}+", "a".repeat(43));
        let wide = format!("{}ä", "a".repeat(42));
        for text in ["", &short, &long, &odd, &wide, &format!("{VERIFIER}\n"), &format!("{VERIFIER}=")] {
            assert_eq!(Challenge::parse("plain", text), Err(ChallengeError::Form), "{text}");
            assert_eq!(Verifier::parse(text), None, "{text}");
        }
        assert_eq!(
            Challenge::parse("S256", &"a".repeat(44)),
            Err(ChallengeError::Form),
            "no hash is so long"
        );
        assert!(Challenge::parse("plain", &"~".repeat(128)).unwrap().is_met_by(&"~".repeat(128)));
        for method in ["", "s256", "S512", "none", "PLAIN"] {
            assert_eq!(Challenge::parse(method, VERIFIER), Err(ChallengeError::Method), "{method}");
        }
        assert_eq!(ChallengeMethod::parse("plain").unwrap().as_str(), "plain");
    }

    #[test]
    fn neither_shows_its_secret() {
        let challenge = Challenge::parse("plain", VERIFIER).unwrap();
        let shown = format!("{challenge:?} {:?}", Verifier::parse(VERIFIER));
        assert!(!shown.contains(VERIFIER), "{shown}");
    }
}
