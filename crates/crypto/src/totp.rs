//! Time-based one-time passwords (RFC 6238 over RFC 4226): six digits, steps of 30 seconds, HMAC-SHA-1. These are the
//! parameters that every authenticator app knows; some apps ignore any others. Which step was used before is remembered
//! elsewhere: this file only says which step a code belongs to.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::mac::constant_time_eq;
use crate::random::{Random, in_base32};

/// Length of a time step, milliseconds (RFC 6238 §4.1).
const STEP_MILLIS: i64 = 30_000;
/// Digits of a code.
const DIGITS: usize = 6;
/// How many steps a clock may be off, in either direction (RFC 6238 §5.2).
const WINDOW: i64 = 1;
/// Bytes of a new secret: the length that RFC 4226 §4 (R6) recommends, and that of the hash.
const NEW_SECRET_BYTES: usize = 20;

/// A secret that a server and an authenticator app share. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    /// The fewest bytes of a secret that is accepted from outside: 128 bits (RFC 4226 §4, R6).
    pub const MIN_BYTES: usize = 16;
    /// The most bytes of such a secret. HMAC hashes what is longer than its block of 64 bytes, so more adds nothing.
    pub const MAX_BYTES: usize = 128;

    /// A new secret of 160 bits.
    pub fn generate(random: &Random) -> Self {
        let mut bytes = Zeroizing::new(vec![0; NEW_SECRET_BYTES]);
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// A secret that is known already, of any length.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Whether the secret is neither too short to be safe nor needlessly long.
    pub fn is_acceptable(&self) -> bool {
        (Self::MIN_BYTES..=Self::MAX_BYTES).contains(&self.0.len())
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret as people and `otpauth` URIs carry it: base 32 of RFC 4648 §6, upper case, without padding.
    pub fn base32(&self) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        in_base32(&self.0, ALPHABET)
    }

    /// The code of a time: six digits. `now` is in epoch milliseconds.
    pub fn code_at(&self, now: i64) -> String {
        self.code_of_step(step_at(now))
    }

    /// The step to which a code belongs, if it is that of now or of a neighbour; `None` for a wrong code. `now` is in
    /// epoch milliseconds. Spaces, with which apps show codes, are skipped. Takes the same time whichever step it is.
    pub fn step_of(&self, code: &str, now: i64) -> Option<i64> {
        let code: String = code.chars().filter(|c| *c != ' ').collect();
        let current = step_at(now);
        let mut found = None;
        for step in (current - WINDOW)..=(current + WINDOW) {
            if constant_time_eq(self.code_of_step(step).as_bytes(), code.as_bytes()) {
                found = Some(step);
            }
        }
        found
    }

    /// RFC 4226 §5.3, with the step as counter.
    fn code_of_step(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let hash = tag.as_ref();
        let offset = usize::from(hash[hash.len() - 1] & 0xf);
        let number =
            hash[offset..offset + 4].iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        format!("{:0DIGITS$}", (number & 0x7fff_ffff) % 1_000_000)
    }
}

/// The number of the step that holds a time, epoch milliseconds.
fn step_at(now: i64) -> i64 {
    now.div_euclid(STEP_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890".to_vec())
    }

    #[test]
    fn the_codes_of_rfc_4226_come_out() {
        // RFC 4226, appendix D.
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (step, code) in (0..).zip(expected) {
            assert_eq!(secret().code_of_step(step), code, "{step}");
        }
    }

    #[test]
    fn the_codes_of_rfc_6238_come_out() {
        // RFC 6238, appendix B, the rows of SHA-1: eight digits there, of which ours are the last six.
        let expected = [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ];
        for (seconds, code) in expected {
            assert_eq!(secret().code_at(seconds * 1000), code[2..], "{seconds}");
        }
    }

    #[test]
    fn a_code_is_accepted_one_step_early_and_one_step_late_and_tells_its_step() {
        let now = 1_000_000 * STEP_MILLIS + 29_999;
        for (off, step) in
            [(-2, None), (-1, Some(999_999)), (0, Some(1_000_000)), (1, Some(1_000_001)), (2, None)]
        {
            let code = secret().code_at(now + off * STEP_MILLIS);
            assert_eq!(secret().step_of(&code, now), step, "{off}");
        }
        let code = secret().code_at(now);
        assert_eq!(secret().step_of(&format!("{} {}", &code[..3], &code[3..]), now), Some(1_000_000));
        assert_eq!(secret().step_of(&code, now - 29_999), Some(1_000_000), "a step is whole");
    }

    #[test]
    fn what_is_not_six_digits_is_never_a_code() {
        let code = secret().code_at(0);
        for wrong in
            ["", " ", "0", &code[1..], &format!("{code}0"), &format!("0{code}"), "７５５２２４", "75522４"]
        {
            assert_eq!(secret().step_of(wrong, 0), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_written_in_base_32_of_rfc_4648() {
        // RFC 4648 §10.
        for (bytes, expected) in [("f", "MY"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(TotpSecret::from_bytes(bytes.as_bytes().to_vec()).base32(), expected);
        }
        assert_eq!(secret().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn new_secrets_have_160_bits_and_short_ones_are_not_acceptable() {
        let random = Random::system();
        let (one, other) = (TotpSecret::generate(&random), TotpSecret::generate(&random));
        assert_eq!(one.expose().len(), 20);
        assert_ne!(one.expose(), other.expose());
        for (length, acceptable) in
            [(0, false), (10, false), (15, false), (16, true), (128, true), (129, false)]
        {
            assert_eq!(TotpSecret::from_bytes(vec![7; length]).is_acceptable(), acceptable, "{length}");
        }
    }
}
