//! Secrets of endpoints and the signatures made with them, by the Standard Webhooks specification, which is also that
//! of Svix: HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_crypto::{Random, Secret, hmac_sha256};

/// What every secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret that is made here.
const LENGTH: usize = 24;

/// A new secret.
pub(super) fn fresh(random: &Random) -> Secret<Vec<u8>> {
    let mut key = vec![0; LENGTH];
    random.fill(&mut key);
    Secret::new(key)
}

/// The text form of a secret.
pub(super) fn text(key: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(key))
}

/// Reads the text form; `None` unless it is base64 of 24 to 64 bytes. The prefix may be missing, as Svix lets it be.
pub(super) fn parse(text: &str) -> Option<Secret<Vec<u8>>> {
    let key = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).ok()?;
    (24..=64).contains(&key.len()).then(|| Secret::new(key))
}

/// The value of the header `svix-signature`: one signature for each secret, divided by spaces.
pub(super) fn sign(id: &str, timestamp: i64, body: &str, secrets: &[&[u8]]) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let signature =
        |secret: &&[u8]| format!("v1,{}", STANDARD.encode(hmac_sha256(secret, signed.as_bytes())));
    secrets.iter().map(signature).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_comes_out() {
        let key = parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#, &[key.expose()]);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_survives_its_text_form_and_odd_ones_are_refused() {
        let key = fresh(&Random::seeded(1));
        assert_eq!(parse(&text(key.expose())).unwrap().expose(), key.expose());
        for odd in ["", "whsec_", "whsec_AAAA", "hunter2", "whsec_*"] {
            assert!(parse(odd).is_none(), "{odd}");
        }
    }
}
