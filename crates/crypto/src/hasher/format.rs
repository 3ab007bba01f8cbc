//! How password hashes are written: Argon2 in the PHC string format, bcrypt in its own. Reads both, writes Argon2id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::argon::{Algorithm, HashParams};

/// Shorter salts and digests than these are no protection; longer ones than 64 bytes no more of it.
const SALT_BYTES: std::ops::RangeInclusive<usize> = 8..=64;
const DIGEST_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
/// The highest bcrypt cost that is verified.
const MAX_BCRYPT_COST: u32 = 16;

/// A hash that cannot be taken over.
#[derive(Debug, thiserror::Error)]
#[error("not a bcrypt hash with a cost from 4 to 16")]
pub struct ImportError;

/// A stored hash, understood.
pub(crate) enum Stored<'s> {
    Argon2 { algorithm: Algorithm, params: HashParams, salt: Vec<u8>, hash: Vec<u8> },
    Bcrypt(&'s str),
}

/// Checks a bcrypt hash that was made elsewhere: `$2a$`, `$2b$` or `$2y$`, 60 characters, cost from 4 to 16.
pub fn validate_bcrypt_import(hash: &str) -> Result<(), ImportError> {
    let known = ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix));
    let cost = hash.get(4..6).and_then(|cost| cost.parse::<u32>().ok());
    let rest = hash.get(7..).unwrap_or_default();
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
    let sound = known
        && hash.len() == 60
        && hash.as_bytes().get(6) == Some(&b'$')
        && cost.is_some_and(|cost| (4..=MAX_BCRYPT_COST).contains(&cost))
        && rest.bytes().all(alphabet)
        && hash.parse::<bcrypt::HashParts>().is_ok();
    if sound { Ok(()) } else { Err(ImportError) }
}

/// Reads a stored hash; `None` for what is neither.
pub(crate) fn parse(stored: &str) -> Option<Stored<'_>> {
    if stored.starts_with("$2") {
        return validate_bcrypt_import(stored).ok().map(|()| Stored::Bcrypt(stored));
    }
    let mut fields = stored.strip_prefix('$')?.split('$');
    let algorithm = match fields.next()? {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        _ => return None,
    };
    if fields.next()? != "v=19" {
        return None;
    }
    let params = parse_params(fields.next()?)?;
    let salt = STANDARD_NO_PAD.decode(fields.next()?).ok()?;
    let hash = STANDARD_NO_PAD.decode(fields.next()?).ok()?;
    let sound = fields.next().is_none()
        && params.are_allowed()
        && SALT_BYTES.contains(&salt.len())
        && DIGEST_BYTES.contains(&hash.len());
    sound.then_some(Stored::Argon2 { algorithm, params, salt, hash })
}

/// Reads `m=…,t=…,p=…`, in this order as the PHC format prescribes.
fn parse_params(text: &str) -> Option<HashParams> {
    let mut parts = text.split(',');
    let mut number = |name: &str| {
        let digits = parts.next()?.strip_prefix(name)?.strip_prefix('=')?;
        // `parse` would take a plus sign, too.
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let params = HashParams { memory_kib: number("m")?, iterations: number("t")?, parallelism: number("p")? };
    parts.next().is_none().then_some(params)
}

/// Writes an Argon2id hash as a PHC string.
pub(crate) fn write(params: HashParams, salt: &[u8], hash: &[u8]) -> String {
    let HashParams { memory_kib, iterations, parallelism } = params;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_bcrypt_hashes_of_bearable_cost_are_imported() {
        let good = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert!(validate_bcrypt_import(good).is_ok());
        assert!(validate_bcrypt_import(&good.replace("$2b$", "$2y$")).is_ok());
        let bad = [
            good.replace("$2b$", "$2x$"),
            good.replace("$10$", "$17$"),
            good.replace("$10$", "$03$"),
            good.replace('q', "é"),
            good[..59].to_owned(),
            format!("{good}a"),
            String::new(),
            "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g".to_owned(),
        ];
        for hash in bad {
            assert!(validate_bcrypt_import(&hash).is_err(), "{hash}");
        }
    }

    #[test]
    fn hashes_that_ask_for_too_much_or_say_too_little_are_not_understood() {
        let bad = [
            "",
            "$",
            "$argon2id$v=19$m=4194305,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=64,t=1000,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2d$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=64,t=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$t=1,m=64,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=+64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=64,t=1,p=1,x=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=99999999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ=$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA$",
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ",
            "plain text",
        ];
        for hash in bad {
            assert!(parse(hash).is_none(), "{hash}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let params = HashParams { memory_kib: 64, iterations: 3, parallelism: 2 };
        let text = write(params, &[7; 16], &[9; 32]);
        let Some(Stored::Argon2 { algorithm, params: read, salt, hash }) = parse(&text) else {
            panic!("{text}")
        };
        assert_eq!((algorithm, read, salt, hash), (Algorithm::Argon2id, params, vec![7; 16], vec![9; 32]));
    }
}
