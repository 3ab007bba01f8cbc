//! `[security]`: the master keys.

use base64::Engine as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{errors::Findings, value::SecretText};

/// The keys that seal what must be readable again: signing keys, TOTP secrets, tokens of OAuth providers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecurityConfig {
    /// Master keys as `ID:BASE64`, separated by commas or line ends; 32 random bytes each, such as from
    /// `openssl rand -base64 32`. The first one seals; all of them open. To rotate, put a new one in front and keep
    /// the old one until `latchkey keys rotate` has run. With several servers, first put it behind the old one on
    /// each: a server cannot open what another sealed with a key that it does not know.
    pub master_keys: Option<SecretText>,
}

/// One master key.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    /// The id that sealed data names: 1–32 of `a`–`z`, digits, `-` and `_`.
    pub id: String,
    /// The key.
    pub bytes: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({}:***)", self.id)
    }
}

impl SecurityConfig {
    /// The master keys in their order, the sealing one first; empty when none are configured. A loaded configuration
    /// was checked, so that nothing is left out.
    pub fn master_keys(&self) -> Vec<MasterKey> {
        self.master_keys
            .as_ref()
            .and_then(|text| MasterKey::parse_list(text.expose()).ok())
            .unwrap_or_default()
    }

    pub(crate) fn validate(&self, found: &mut Findings) {
        if let Some(text) = &self.master_keys
            && let Err(message) = MasterKey::parse_list(text.expose())
        {
            found.error("security.master_keys", message);
        }
    }
}

impl MasterKey {
    /// The entry `ID:BASE64` of this key.
    pub fn to_text(&self) -> SecretText {
        let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(self.bytes.as_slice()));
        SecretText::new(format!("{}:{}", self.id, *encoded))
    }

    /// Reads `ID:BASE64` entries. The error says which entry is wrong by its number, never by its content.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let mut keys: Vec<Self> = Vec::new();
        let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
        for (number, entry) in (1..).zip(entries) {
            let (id, encoded) = entry
                .split_once(':')
                .ok_or_else(|| format!("entry {number} is not of the form ID:BASE64"))?;
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
            if id.is_empty() || id.len() > 32 || !id.chars().all(legal) {
                return Err(format!(
                    "entry {number} needs an id of 1 to 32 lower-case letters, digits, - and _"
                ));
            }
            if keys.iter().any(|key| key.id == id) {
                return Err(format!("entry {number} repeats the id {id:?}"));
            }
            keys.push(Self { id: id.to_owned(), bytes: decode(encoded, number)? });
        }
        if keys.is_empty() { Err("holds no key".into()) } else { Ok(keys) }
    }
}

/// Standard or URL-safe alphabet, with or without padding.
fn decode(encoded: &str, number: usize) -> Result<Zeroizing<[u8; 32]>, String> {
    let plain: Zeroizing<String> = Zeroizing::new(
        encoded
            .trim_end_matches('=')
            .chars()
            .map(|c| match c {
                '-' => '+',
                '_' => '/',
                c => c,
            })
            .collect(),
    );
    let mut buffer = Zeroizing::new([0_u8; 64]);
    let length = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode_slice(plain.as_bytes(), buffer.as_mut_slice())
        .map_err(|_| format!("entry {number} is not base64 of 32 bytes"))?;
    if length != 32 {
        return Err(format!("entry {number} is not base64 of 32 bytes"));
    }
    let mut bytes = Zeroizing::new([0_u8; 32]);
    bytes.copy_from_slice(&buffer[..32]);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn master_keys_are_read_in_order_from_commas_and_lines() {
        let two = ONE.replace("AQEB", "_-8B").replace('=', "");
        let keys = MasterKey::parse_list(&format!("2026b:{two},\n  2026a:{ONE}\n")).unwrap();
        assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["2026b", "2026a"]);
        assert_eq!(*keys[1].bytes, [1; 32]);
        assert_eq!(keys[1].to_text().expose(), format!("2026a:{ONE}"));
        assert_eq!(keys[0].bytes[0], 0xff);
        assert_eq!(format!("{:?}", keys[0]), "MasterKey(2026b:***)");
    }

    #[test]
    fn a_bad_master_key_is_refused_without_being_shown() {
        for bad in ["", ONE, &format!("A:{ONE}"), "a:AQEB", "a:not base64!", &format!("a:{ONE},a:{ONE}")] {
            let error = MasterKey::parse_list(bad).unwrap_err();
            assert!(!error.contains("AQEB") && !error.contains("not base64!"), "{error}");
        }
    }
}
