//! The codes that we issue (RFC 6749 §4.1.2): what one is bound to, and what redeeming it takes.

use crate::pkce::Challenge;

/// How long a code is good for, milliseconds. RFC 6749 §4.1.2 allows ten minutes.
pub const LIFETIME_MILLIS: i64 = 5 * 60 * 1000;

/// The one scope that there is.
pub const SCOPE: &str = "legacy";

/// What a code is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The client that asked for it.
    pub client_id: &'a str,
    /// Where it was sent, as text.
    pub redirect_uri: &'a str,
    /// Whose possession has to be proven.
    pub challenge: &'a Challenge,
    /// The end of its time, epoch milliseconds.
    pub expires_at: i64,
}

/// What somebody says who redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
#[derive(Debug, Clone, Copy)]
pub struct Redemption<'a> {
    /// The client that redeems it, authenticated.
    pub client_id: &'a str,
    /// Must be the text that the code was asked with.
    pub redirect_uri: Option<&'a str>,
    /// Must meet the challenge.
    pub code_verifier: Option<&'a str>,
    /// Now, epoch milliseconds.
    pub now: i64,
}

/// Why a code is not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Of another client, expired, or without proof. One answer for all, so that nobody learns which codes exist. The
    /// code stays good: who has not proven anything must not be able to end it.
    #[error("the authorization code is not valid")]
    Invalid,
    /// The proof is right and the address is another one: then something is wrong with the client, and the code is
    /// used up.
    #[error("the redirect address is not the one that the code was asked with")]
    RedirectUri,
}

impl Refusal {
    /// Whether the code is used up.
    pub const fn consumes_code(self) -> bool {
        matches!(self, Self::RedirectUri)
    }
}

impl Binding<'_> {
    /// Whether a code that was not used yet may be redeemed. That it is redeemed once only is up to the storage.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, redemption: &Redemption<'_>) -> Result<(), Refusal> {
        let proves = redemption.code_verifier.is_some_and(|verifier| self.challenge.is_met_by(verifier));
        if redemption.client_id != self.client_id || redemption.now >= self.expires_at || !proves {
            return Err(Refusal::Invalid);
        }
        // Simple comparison of strings (RFC 3986 §6.2.1), never of what they mean (RFC 9700 §4.1.3).
        if redemption.redirect_uri == Some(self.redirect_uri) { Ok(()) } else { Err(Refusal::RedirectUri) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pkce::Verifier;

    const VERIFIER: &str = "a-verifier-of-which-somebody-says-it-is-random";
    const CALLBACK: &str = "https://app.example/cb?x=1";

    fn outcome<'t>(change: impl FnOnce(&mut Redemption<'t>)) -> Result<(), Refusal> {
        let verifier = Verifier::parse(VERIFIER).unwrap();
        let binding = Binding {
            client_id: "shop",
            redirect_uri: CALLBACK,
            challenge: &verifier.challenge(),
            expires_at: 1000,
        };
        let mut redemption = Redemption {
            client_id: "shop",
            redirect_uri: Some(CALLBACK),
            code_verifier: Some(VERIFIER),
            now: 999,
        };
        change(&mut redemption);
        binding.check(&redemption)
    }

    #[test]
    fn who_asked_for_the_code_redeems_it_in_time() {
        assert_eq!(outcome(|_| ()), Ok(()));
        assert_eq!(outcome(|it| it.now = 1000), Err(Refusal::Invalid));
    }

    #[test]
    fn a_missing_or_wrong_proof_is_refused_and_does_not_use_up_the_code() {
        let other = Verifier::from_random(&[8; 32]);
        let challenge = Verifier::parse(VERIFIER).unwrap().challenge();
        for verifier in [None, Some(""), Some(other.as_str()), Some(challenge.value())] {
            let refusal = outcome(|it| it.code_verifier = verifier).unwrap_err();
            assert_eq!(refusal, Refusal::Invalid, "{verifier:?}");
            assert!(!refusal.consumes_code());
        }
    }

    #[test]
    fn the_code_of_another_client_is_refused() {
        assert_eq!(outcome(|it| it.client_id = "other"), Err(Refusal::Invalid));
        assert_eq!(outcome(|it| it.client_id = ""), Err(Refusal::Invalid));
    }

    #[test]
    fn the_address_must_be_the_same_text_and_a_wrong_one_uses_up_the_code() {
        for address in [
            None,
            Some(""),
            Some("https://app.example/cb"),
            Some("https://app.example/cb?x=1#"),
            Some("https://app.example:443/cb?x=1"),
            Some("https://APP.example/cb?x=1"),
            Some("https://app.example/cb/../cb?x=1"),
        ] {
            let refusal = outcome(|it| it.redirect_uri = address).unwrap_err();
            assert_eq!(refusal, Refusal::RedirectUri, "{address:?}");
            assert!(refusal.consumes_code());
        }
        assert_eq!(
            outcome(|it| (it.redirect_uri, it.client_id) = (None, "other")),
            Err(Refusal::Invalid),
            "who proves nothing learns nothing"
        );
    }
}
