//! The form of an API key (contract 07 §7.1): `<prefix>_<secret:45><id:32><type:4><scanner:1><marker:9><checksum:8>`.
//! The marker and the checksum let scanners of public places recognise a key without knowing it.

use latchkey_api_types::api_key::ApiKeyType;
use latchkey_api_types::ids::ApiKeyId;

/// By which scanners find keys of this family.
const MARKER: &str = "574ck4u7h";

/// Puts a key together; `secret` is 45 random characters.
pub(super) fn make(secret: &str, id: ApiKeyId, kind: ApiKeyType, is_public: bool) -> String {
    // One digit of flags: this server is somebody's own, and the key is public.
    let (prefix, scanner) = if is_public { ("pk", '3') } else { ("sk", '1') };
    let key = format!("{prefix}_{secret}{}{}{scanner}{MARKER}", id.as_uuid().simple(), kind.as_str());
    let checksum = crc32(key.as_bytes());
    format!("{key}{checksum:08x}")
}

/// What may be shown of a key.
pub(super) fn last_four(key: &str) -> &str {
    key.get(key.len().saturating_sub(4)..).unwrap_or_default()
}

/// The CRC-32 of IEEE 802.3 §3.2.9, reflected, bit by bit: keys are short and rarely made.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_key_has_its_parts_in_their_places() {
        let id: ApiKeyId = "8f14e45f-ceea-467f-a9c1-0c1b2d3e4f50".parse().unwrap();
        let secret = "0".repeat(45);
        let key = make(&secret, id, ApiKeyType::Team, false);
        let (prefix, rest) = key.split_once('_').unwrap();
        assert_eq!((prefix, rest.len()), ("sk", 99));
        assert_eq!(&rest[..91], format!("{secret}8f14e45fceea467fa9c10c1b2d3e4f50team1574ck4u7h"));
        assert_eq!(rest[91..], format!("{:08x}", crc32(&key.as_bytes()[..key.len() - 8])));
        assert!(make(&secret, id, ApiKeyType::User, true).contains("user3574ck4u7h"));
        assert_eq!(last_four(&key), &key[key.len() - 4..]);
    }
}
